"""Verifies the signatures of lists: crl_signature.py CA LIST...

cryptography brings an OpenSSL that knows every key type, ML-DSA too. One line
is printed for each list; the two places of the algorithm have to agree.
"""

import sys
from pathlib import Path

from cryptography import x509

ca, *lists = sys.argv[1:]
key = x509.load_pem_x509_certificate(Path(ca).read_bytes()).public_key()
for file in lists:
    signed = x509.load_der_x509_crl(Path(file).read_bytes()).is_signature_valid(key)
    print(f"{file}: {'signed by' if signed else 'NOT signed by'} {ca}")
