"""CSRs for an RSA key, for one with the same modulus and another exponent, for an EC key, and for its
negative: whoever has the one has the other."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from math import gcd

def request(key, name):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    with open(name + ".csr", "wb") as file:
        file.write(csr.public_bytes(serialization.Encoding.PEM))

one = rsa.generate_private_key(65537, 2048)
numbers = one.private_numbers()
p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
phi = (p - 1) * (q - 1)
e = next(e for e in range(65539, 70000, 2) if gcd(e, phi) == 1)
d = pow(e, -1, phi)
other = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), numbers.iqmp, rsa.RSAPublicNumbers(e, n))
request(one, "rsa")
request(other.private_key(), "rsa-twin")

order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
key = ec.generate_private_key(ec.SECP256R1())
secret = key.private_numbers().private_value
request(key, "ec")
request(ec.derive_private_key(order - secret, ec.SECP256R1()), "ec-twin")
