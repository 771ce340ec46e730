"""Opens PKCS #12 files: open_p12.py PASSPHRASE FILE...

Says of each what the certificate is called, whether the key is its own, and who
is in the chain.
"""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

passphrase, *files = sys.argv[1:]
for file in files:
    try:
        store = pkcs12.load_pkcs12(Path(file).read_bytes(), passphrase.encode())
    except ValueError:
        print(f"{file}: refused")
        continue
    fits = store.key.public_key() == store.cert.certificate.public_key()
    chain = ", ".join(
        other.certificate.subject.rfc4514_string() for other in store.additional_certs
    )
    name = store.cert.friendly_name.decode()
    print(f"{file}: {name}, {'its key' if fits else 'another key'}, {chain}")
