"""An HTTPS client with a certificate and strict checks: mtls_client.py PORT CAS CERT KEY.

It prints the body of the answer, or why there is none.
"""

import socket
import ssl
import sys

port, cas, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_verify_locations(cas)
context.load_cert_chain(cert, key)
plain = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
try:
    with context.wrap_socket(plain, server_hostname="www.example.test") as session:
        session.sendall(b"GET / HTTP/1.0\r\nHost: www.example.test\r\n\r\n")
        answer = b""
        while part := session.recv(4096):
            answer += part
    print(answer.partition(b"\r\n\r\n")[2].decode(), end="")
except ssl.SSLCertVerificationError as refusal:
    print(f"refused: {refusal.verify_message}")
except OSError as refusal:
    print(f"refused: {refusal}")
