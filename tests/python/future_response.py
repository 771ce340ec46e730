"""Write future.der: an OCSP response by responder.crt about site.test.crt that begins tomorrow."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

def certificate(name):
    return x509.load_pem_x509_certificate(open(name + ".crt", "rb").read())

now = datetime.datetime.now(datetime.timezone.utc)
day = datetime.timedelta(days=1)
key = serialization.load_pem_private_key(open("responder.key", "rb").read(), None)
builder = ocsp.OCSPResponseBuilder().add_response(
    certificate("site.test"), certificate("intermediate0"), hashes.SHA256(),
    ocsp.OCSPCertStatus.GOOD, now + day, now + 3 * day, None, None)
responder = certificate("responder")
builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, responder).certificates([responder])
response = builder.sign(key, hashes.SHA256())
open("future.der", "wb").write(response.public_bytes(serialization.Encoding.DER))
