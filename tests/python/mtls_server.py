"""An HTTPS server that requires a client certificate, with strict checks.

Arguments: CERT KEY CLIENT_CAS. It prints its port, greets every client by its
name, and logs why it refused one.
"""

import socket
import ssl
import sys

PATIENCE = 60

cert, key, cas = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.load_verify_locations(cas)
context.verify_mode = ssl.CERT_REQUIRED
context.verify_flags |= ssl.VERIFY_X509_STRICT

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    client.settimeout(PATIENCE)
    try:
        with context.wrap_socket(client, server_side=True) as session:
            name = dict(part[0] for part in session.getpeercert()["subject"])["commonName"]
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += session.recv(4096)
            body = f"hello {name}\n".encode()
            head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            session.sendall(head + body)
    except ssl.SSLCertVerificationError as refusal:
        print(f"refused: {refusal.verify_message}", file=sys.stderr, flush=True)
    except OSError as refusal:
        print(f"refused: {refusal}", file=sys.stderr, flush=True)
