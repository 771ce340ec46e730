"""Opens encrypted key files: open_keys.py PASSPHRASE FILE..."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

passphrase, *files = sys.argv[1:]
for file in files:
    load_pem_private_key(Path(file).read_bytes(), passphrase.encode())
print(f"{len(files)} opened")
