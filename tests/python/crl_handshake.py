"""TLS handshakes in memory with a server that checks the whole path for revocation.

Arguments: TRUSTSTORE LISTS SERVER CLIENT..., where SERVER and each CLIENT stand
for a SERVER.fullchain.pem and a SERVER.key. One line is printed for each client.
"""

import ssl
import sys


def context(side, name):
    made = ssl.SSLContext(side)
    made.load_cert_chain(f"{name}.fullchain.pem", f"{name}.key")
    return made


def handshake(server_context, client_context):
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
        except ssl.SSLCertVerificationError as refusal:
            return refusal.verify_message
    return "let in"


def main():
    truststore, lists, server_name, *clients = sys.argv[1:]
    server = context(ssl.PROTOCOL_TLS_SERVER, server_name)
    server.load_verify_locations(truststore)
    server.load_verify_locations(lists)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN | ssl.VERIFY_X509_STRICT
    for name in clients:
        client = context(ssl.PROTOCOL_TLS_CLIENT, name)
        client.check_hostname = False
        client.load_verify_locations(truststore)
        print(f"{name}: {handshake(server, client)}")


main()
