"""Says in a PKCS #12 file that a key derivation has other rounds: p12_rounds.py FILE mac|bags ROUNDS."""

import sys
from pathlib import Path

from asn1crypto import pkcs12
from asn1crypto.core import OctetString

file, part, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
pfx = pkcs12.Pfx.load(file.read_bytes())
if part == "mac":
    pfx["mac_data"]["iterations"] = rounds
else:
    safe = pfx.authenticated_safe
    encrypted = next(info for info in safe if info["content_type"].native == "encrypted_data")
    algorithm = encrypted["content"]["encrypted_content_info"]["content_encryption_algorithm"]
    parameters = algorithm["parameters"]
    if "key_derivation_func" in parameters:
        parameters["key_derivation_func"]["parameters"]["iteration_count"] = rounds
    else:
        parameters["iterations"] = rounds
    pfx["auth_safe"]["content"] = OctetString(safe.dump(force=True))
file.write_bytes(pfx.dump(force=True))
