"""Writes certificate requests that no honest client sends: csrs.py FOLDER

They are put together byte by byte, because a library that makes requests
refuses most of them. `plain.csr` is an honest one with the same key and name
as the `greedy-*` ones, to compare with.
"""

import base64
import itertools
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import weak_rsa

# --- DER, as little of it as requests need


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return der(0x30, *parts)


def set_of(*parts):
    return der(0x31, *parts)


def octets(content):
    return der(0x04, content)


def bits(content, unused=0):
    return der(0x03, bytes([unused]), content)


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    content = bytes([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return der(0x06, content)


UTF8, NUMERIC, PRINTABLE, T61, IA5 = 0x0C, 0x12, 0x13, 0x14, 0x16
VISIBLE, UNIVERSAL, BMP = 0x1A, 0x1C, 0x1E
CN, O, SERIAL_NUMBER = "2.5.4.3", "2.5.4.10", "2.5.4.5"
UNSTRUCTURED_NAME, UNSTRUCTURED_ADDRESS = "1.2.840.113549.1.9.2", "1.2.840.113549.1.9.8"
UNKNOWN = "1.3.6.1.4.1.99999.7"


def name(*attributes):
    return sequence(
        *(set_of(sequence(oid(kind), der(tag, value))) for kind, tag, value in attributes)
    )


def common_name(value, tag=UTF8):
    return name((CN, tag, value if isinstance(value, bytes) else value.encode()))


def dns(value):
    return der(0x82, value)


def email(value):
    return der(0x81, value)


def uri(value):
    return der(0x86, value)


def extension(kind, value, critical=False):
    flag = [der(0x01, b"\xff")] if critical else []
    return sequence(oid(kind), *flag, octets(value))


def san(*names):
    return extension("2.5.29.17", sequence(*names))


EXTENSION_REQUEST, MICROSOFT_REQUEST = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"


def attribute(kind, *values):
    return sequence(oid(kind), set_of(*values))


def extension_request(*extensions, kind=EXTENSION_REQUEST):
    """An attribute in which a request asks for extensions: that of PKCS #9, or another."""
    return attribute(kind, sequence(*extensions))


# --- keys

ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))
RSA_SHA256 = sequence(oid("1.2.840.113549.1.1.11"), der(0x05))


class Ec:
    algorithm = ECDSA_SHA256

    def __init__(self, curve):
        self.key = ec.generate_private_key(curve)
        self.spki = spki_of(self.key)

    def sign(self, message):
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


class Rsa:
    algorithm = RSA_SHA256

    def __init__(self, size, exponent=65537):
        self.key = rsa.generate_private_key(exponent, size)
        self.spki = spki_of(self.key)

    def sign(self, message):
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


class BareRsa:
    """From a modulus and exponent that a library would not take."""

    algorithm = RSA_SHA256

    def __init__(self, key):
        self.signature = key.sign
        algorithm = sequence(oid("1.2.840.113549.1.1.1"), der(0x05))
        self.spki = sequence(algorithm, bits(sequence(integer(key.n), integer(key.e))))

    def sign(self, message):
        return self.signature(message)


def spki_of(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# --- requests


def request(key, subject, attributes=b""):
    """The signed request, with a key that has `spki`, `algorithm` and `sign`."""
    info = sequence(integer(0), subject, key.spki, der(0xA0, attributes))
    return sequence(info, key.algorithm, bits(key.sign(info)))


def request_that_can_be_signed(key, label):
    """Some key can only sign some messages: another name is another message."""
    for n in itertools.count():
        try:
            return request(key, common_name(f"{label}-{n}"))
        except weak_rsa.CannotSign:
            continue


def pem(content, marker="CERTIFICATE REQUEST"):
    body = base64.encodebytes(content).replace(b"\n", b"").decode()
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {marker}-----", *lines, f"-----END {marker}-----", ""]).encode()


PEM_IN_A_NAME = "x\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"

EXTENSIONS = {
    "ca": extension("2.5.29.19", sequence(der(0x01, b"\xff"), integer(3)), critical=True),
    "key-usage": extension("2.5.29.15", bits(b"\x06", 1), critical=True),
    "eku": extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1"), oid("2.5.29.37.0"))),
    "empty-eku": extension("2.5.29.37", sequence()),
    "name-constraints": extension(
        "2.5.29.30", sequence(der(0xA0, sequence(dns(b"example.test")))), critical=True
    ),
    "policy": extension("2.5.29.32", sequence(sequence(oid("2.5.29.32.0")))),
    "ski": extension("2.5.29.14", octets(b"chosen by client")),
    "unknown-critical": extension("1.3.6.1.4.1.99999.1", der(0x05), critical=True),
}


def greedy(key, subject):
    """Requests for more than an end entity gets, one by one and all at once."""
    for label, wanted in EXTENSIONS.items():
        yield f"greedy-{label}", request(key, subject, extension_request(wanted))
    # One of a kind: an extension that is there twice is refused for that alone.
    each_once = [wanted for label, wanted in EXTENSIONS.items() if label != "empty-eku"]
    yield "greedy-all", request(key, subject, extension_request(*each_once))


def hostile_names(key):
    subjects = {
        "cn-nul": "good.test\0.evil.test",
        "cn-escape": "\x1b[2J\x1b]0;owned\x07",
        "cn-newline": PEM_IN_A_NAME,
        "cn-bidi": "good\u202etset.live",
        "cn-65": "a" * 65,
        "cn-path": "../../etc/x",
        "cn-dots": "..",
        "cn-option": "-rf",
        "cn-device": "con",
        "cn-invalid-utf8": b"caf\xe9\xff",
    }
    for label, value in subjects.items():
        yield label, request(key, common_name(value))
    yield "cn-printable-lie", request(key, common_name("not@printable*", PRINTABLE))
    yield "cn-empty", request(key, common_name(""))
    yield "no-name", request(key, name())

    names = {
        "san-nul": dns(b"good.test\0.evil.test"),
        "san-newline": dns(b"good.test\n-----END CERTIFICATE-----"),
        "san-space": dns(b"good test"),
        "san-not-ascii": dns("b\u00fccher.test".encode()),
        "san-empty": dns(b""),
        "san-inner-wildcard": dns(b"a.*.example.test"),
        "san-ip-of-5": der(0x87, b"\x01\x02\x03\x04\x05"),
        "san-escape-email": email(b"\x1b[2J@example.test"),
        "san-nul-uri": uri(b"https://good.test\0.evil.test/"),
    }
    for label, value in names.items():
        yield label, request(key, common_name("client"), extension_request(san(value)))


def devices(key):
    """Names as routers, printers and Windows write them."""
    attributes = {
        "unstructured-ia5": (UNSTRUCTURED_NAME, IA5, b"router@example.test"),
        "unstructured-printable": (UNSTRUCTURED_NAME, PRINTABLE, b"router.example.test"),
        "unstructured-utf8": (UNSTRUCTURED_NAME, UTF8, "r\u00fcter".encode()),
        "unstructured-bmp": (UNSTRUCTURED_NAME, BMP, b"\0r\0t"),
        "unstructured-address": (UNSTRUCTURED_ADDRESS, PRINTABLE, b"192.0.2.1"),
        "unknown-ia5": (UNKNOWN, IA5, b"a@b"),
        "unknown-numeric": (UNKNOWN, NUMERIC, b"12 3"),
        "unknown-empty": (UNKNOWN, PRINTABLE, b""),
        "serial-numeric": (SERIAL_NUMBER, NUMERIC, b"123 456"),
        "cn-numeric": (CN, NUMERIC, b"42"),
        "cn-bmp": (CN, BMP, b"\0J\x65\xe5"),
        "cn-universal": (CN, UNIVERSAL, b"\0\0\0x"),
        "cn-visible": (CN, VISIBLE, b"router"),
        "unknown-visible": (UNKNOWN, VISIBLE, b"router"),
        "unknown-t61": (UNKNOWN, T61, b"router"),
        "unknown-bmp": (UNKNOWN, BMP, b"\0r"),
        "unknown-ia5-escape": (UNKNOWN, IA5, b"\x1b[2J"),
        "unknown-ia5-not-ascii": (UNKNOWN, IA5, "\u00fc".encode()),
        "unknown-numeric-letters": (UNKNOWN, NUMERIC, b"12a"),
        "serial-numeric-letters": (SERIAL_NUMBER, NUMERIC, b"12a"),
    }
    for label, wanted in attributes.items():
        yield f"device-{label}", request(key, name((O, UTF8, b"Example"), wanted))


def several_requests(key, subject):
    """Extensions asked for in other attributes than one of PKCS #9, and attributes of no meaning."""
    a, b = san(dns(b"a.example.test")), extension("2.5.29.15", bits(b"\x80", 7))
    microsoft = {"kind": MICROSOFT_REQUEST}
    attributes = {
        "microsoft": extension_request(a, **microsoft),
        "both": extension_request(b) + extension_request(a, **microsoft),
        "two": extension_request(b) + extension_request(a),
        "two-values": attribute(EXTENSION_REQUEST, sequence(b), sequence(a)),
        "no-value": attribute(EXTENSION_REQUEST) + extension_request(a),
        "unknown": attribute(UNKNOWN, der(UTF8, b"x"), integer(7), der(0x85, b"y"))
        + attribute("1.2.840.113549.1.9.7", der(VISIBLE, b"secret"))
        + attribute("1.3.6.1.4.1.99999.8")
        + extension_request(a),
        "same-in-both": extension_request(a) + extension_request(a, **microsoft),
        "same-in-two-values": attribute(EXTENSION_REQUEST, sequence(a), sequence(a)),
        "same-in-two": extension_request(a) + extension_request(b, a),
    }
    for label, wanted in attributes.items():
        yield f"asks-{label}", request(key, subject, wanted)


def odd_sans(key):
    """SANs that devices write and that are not names of their kind, each beside a good one."""
    names = {
        "port": dns(b"dev.example.test:8443"),
        "ip-as-dns": dns(b"10.0.0.7"),
        "trailing-dot": dns(b"a.example.test."),
        "mac": dns(b"00:11:22:33:44:55"),
        "user": dns(b"john.doe@example.test"),
        "no-address": der(0x87, b"\x01\x02\x03\x04\x05"),
        "underscore": dns(b"my_host.example.test"),
    }
    for label, value in names.items():
        wanted = extension_request(san(dns(b"good.example.test"), value))
        yield f"san-{label}", request(key, common_name("dev.example.test"), wanted)
    both = name((CN, UTF8, b"x" * 65))
    yield "bad-names", request(key, both, extension_request(san(dns(b"a b"))))


def weak_keys():
    subject = common_name("weak")
    yield "rsa-1024", request(Rsa(1024), subject)
    yield "rsa-2047", request(Rsa(2047), subject)
    yield "rsa-exponent-1", request(BareRsa(weak_rsa.exponent_1()), subject)
    yield "rsa-exponent-2", request_that_can_be_signed(BareRsa(weak_rsa.exponent_2()), "even")
    yield "rsa-exponent-3", request(Rsa(2048, exponent=3), subject)
    yield "rsa-roca", request(BareRsa(weak_rsa.roca()), subject)
    yield "secp256k1", request(Ec(ec.SECP256K1()), subject)
    yield "p224", request(Ec(ec.SECP224R1()), subject)
    yield "brainpool", request(Ec(ec.BrainpoolP256R1()), subject)


def off_curve(key, subject):
    """The key's point with its last bit flipped, which lies on no curve we know."""
    spki = bytearray(key.spki)
    spki[-1] ^= 1
    altered = Ec(ec.SECP256R1())
    altered.spki = bytes(spki)
    return request(altered, subject)


def broken(key, subject):
    good = request(key, subject)
    forged = bytearray(request(key, common_name("victim")))
    forged[forged.index(b"victim")] ^= 1
    yield "bad-signature", bytes(forged)
    yield "off-curve", off_curve(key, subject)
    yield "truncated", good[: len(good) // 2]
    yield "trailing", good + b"\0"
    info = sequence(integer(0), subject, key.spki, der(0xA0))
    yield "empty-signature", sequence(info, key.algorithm, der(0x03))
    no_key = sequence(key.spki[2 : key.spki.index(b"\x03\x42")], der(0x03))
    empty = sequence(integer(0), subject, no_key, der(0xA0))
    yield "empty-key", sequence(empty, key.algorithm, bits(key.sign(empty)))
    yield "huge-length", b"\x30\x84\x7f\xff\xff\xff" + good[4:]
    deep = b""
    for _ in range(5000):
        deep = sequence(deep)
    yield "deep", deep
    twice = extension_request(san(dns(b"a.test")), san(dns(b"b.test")))
    yield "san-twice", request(key, subject, twice)


def pem_oddities(good):
    body = pem(good)
    yield "pem-old-marker", pem(good, "NEW CERTIFICATE REQUEST")
    yield "pem-crlf", body.replace(b"\n", b"\r\n")
    yield "pem-bom", b"\xef\xbb\xbf" + body
    yield "pem-preamble", b"Certificate Request:\n    Data:\n" + body
    yield "pem-two", body + body
    yield "pem-no-end", body[: body.index(b"-----END")]
    yield "pem-certificate", pem(good, "CERTIFICATE")
    yield "pem-not-base64", body.replace(b"M", b"*", 1)
    yield "empty", b""
    unlabelled = body.split(b"\n", 1)[1].split(b"-----")[0]
    yield "pem-bare", unlabelled
    yield "pem-bare-bom", b"\xef\xbb\xbf" + unlabelled.replace(b"\n", b"\r\n")
    yield "pem-quoted", b"".join(b"> " + line for line in body.splitlines(keepends=True))
    yield "pem-escaped", body.replace(b"\n", b"\\n")
    yield "pem-in-json", b'{"csr": "' + body.replace(b"\n", b"\\n") + b'"}'
    for encoding in "utf-16", "utf-16-be", "utf-16-le":
        yield f"pem-{encoding}", body.decode().encode(encoding)
    yield "pem-one-line", body.replace(b"\n", b"").replace(b"ST-----", b"ST-----\n", 1)
    yield "pem-indented", b"".join(b"  " + line for line in body.splitlines(keepends=True))
    certificate = b"-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
    yield "pem-with-certificate", certificate + body
    yield "pem-two-certificates", certificate + certificate


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    key = Ec(ec.SECP256R1())
    subject = name((O, UTF8, b"Example"), (CN, UTF8, b"client"))
    good = request(key, subject)
    requests = itertools.chain(
        [("plain", good)],
        greedy(key, subject),
        hostile_names(key),
        devices(key),
        several_requests(key, subject),
        odd_sans(key),
        weak_keys(),
        broken(key, subject),
    )
    for label, content in requests:
        (folder / f"{label}.csr").write_bytes(pem(content))
    for label, content in pem_oddities(good):
        (folder / f"{label}.csr").write_bytes(content)
    (folder / "plain.der").write_bytes(good)


main()
