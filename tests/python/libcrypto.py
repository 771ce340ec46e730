"""Judge DER with libcrypto: read pairs of a kind (C, R or L) and a length-prefixed structure, print a
line for each that libcrypto can't decode, or whose extensions it calls invalid."""
import ctypes
import sys

crypto = ctypes.CDLL("libcrypto.so.3")
KINDS = {b"C": "X509", b"R": "X509_REQ", b"L": "X509_CRL"}
for name in KINDS.values():
    getattr(crypto, "d2i_" + name).restype = ctypes.c_void_p
    getattr(crypto, "d2i_" + name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long]
    getattr(crypto, name + "_free").argtypes = [ctypes.c_void_p]
crypto.X509_get_extension_flags.argtypes = [ctypes.c_void_p]
crypto.X509_get_extension_flags.restype = ctypes.c_uint32
INVALID = 0x80

data, at, count = sys.stdin.buffer.read(), 0, 0
while at < len(data):
    kind, length = data[at:at + 1], int.from_bytes(data[at + 1:at + 5], "big")
    der = data[at + 5:at + 5 + length]
    at += 5 + length
    count += 1
    name = KINDS[kind]
    buffer = ctypes.create_string_buffer(der, len(der))
    start = ctypes.addressof(buffer)
    end = ctypes.c_void_p(start)
    read = getattr(crypto, "d2i_" + name)(None, ctypes.byref(end), len(der))
    if not read or end.value != start + len(der):
        print("undecodable", name, der.hex())
    elif name == "X509" and crypto.X509_get_extension_flags(read) & INVALID:
        print("invalid", name, der.hex())
    if read:
        getattr(crypto, name + "_free")(read)
print("judged", count)
