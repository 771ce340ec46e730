"""The requests for certificates that a library makes, one a line: hash algorithm, serial number, base64.

python ocsp_requests.py ISSUER SERIAL...
"""

import base64
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp


def key_bytes(issuer):
    """The contents of the BIT STRING of the key: what a key identifier and an issuerKeyHash are hashes of."""
    spki = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
    for start in range(len(spki)):
        if digest(hashes.SHA1(), spki[start:]) == identifier:
            return spki[start:]
    raise ValueError("no key in it")


def digest(algorithm, content):
    hasher = hashes.Hash(algorithm)
    hasher.update(content)
    return hasher.finalize()


with open(sys.argv[1], "rb") as file:
    issuer = x509.load_pem_x509_certificate(file.read())
name = issuer.subject.public_bytes()
key = key_bytes(issuer)
for serial in sys.argv[2:]:
    for algorithm in [hashes.SHA1(), hashes.SHA256()]:
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            digest(algorithm, name), digest(algorithm, key), int(serial, 16), algorithm
        )
        request = builder.build().public_bytes(serialization.Encoding.DER)
        print(algorithm.name, serial, base64.b64encode(request).decode())
