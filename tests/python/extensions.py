"""Prints the extensions of certificates, as pyca/cryptography reads and writes them: extensions.py CERTIFICATE...

A line each, sorted: the object identifier, whether it is critical, and the DER of its value.
"""

import sys
from pathlib import Path

from cryptography import x509

for name in sys.argv[1:]:
    certificate = x509.load_pem_x509_certificate(Path(name).read_bytes())
    lines = []
    for extension in certificate.extensions:
        critical = "critical" if extension.critical else "-"
        lines.append(f"{extension.oid.dotted_string} {critical} {extension.value.public_bytes().hex()}")
    print("\n".join(sorted(lines)))
