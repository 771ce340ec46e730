"""Makes a PKCS #12 trust store for Java: java_truststore.py OUT PASSPHRASE ALIAS=CERTIFICATE...

An empty ALIAS is none.
"""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

out, passphrase, *entries = sys.argv[1:]
certificates = []
for entry in entries:
    alias, file = entry.split("=", 1)
    certificate = x509.load_pem_x509_certificate(Path(file).read_bytes())
    certificates.append(pkcs12.PKCS12Certificate(certificate, alias.encode() or None))
encryption = BestAvailableEncryption(passphrase.encode())
Path(out).write_bytes(pkcs12.serialize_java_truststore(certificates, encryption))
