"""The statuses in responses, one file a line, as a library reads them: file, hash algorithm, serial number,
status, thisUpdate, nextUpdate, time and reason of the revocation.

python ocsp_responses.py FILE...
"""

import sys

from cryptography.x509 import ocsp


def time(value):
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else "-"


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        response = ocsp.load_der_ocsp_response(file.read())
    reason = response.revocation_reason
    print(
        path,
        response.hash_algorithm.name,
        # As `pki` and OpenSSL write it: whole bytes.
        "".join(f"{byte:02X}" for byte in response.serial_number.to_bytes(
            (response.serial_number.bit_length() + 7) // 8
        )),
        response.certificate_status.name,
        time(response.this_update_utc),
        time(response.next_update_utc),
        time(response.revocation_time_utc),
        reason.value if reason else "-",
    )
