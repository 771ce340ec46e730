"""The entries of a list, one a line, as a library reads them that nobody here wrote:
serial number, revocation date, reason, invalidity date; sorted.

A reason that is not said is `unspecified` (RFC 5280 section 5.3.1). `removeFromCRL` is not left out.
"""

import sys

from cryptography import x509


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    pem = data.startswith(b"-----")
    return (x509.load_pem_x509_crl if pem else x509.load_der_x509_crl)(data)


def extension(entry, kind):
    try:
        return entry.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def line(entry):
    reason = extension(entry, x509.CRLReason)
    invalidity = extension(entry, x509.InvalidityDate)
    return " ".join(
        [
            f"{entry.serial_number:X}",
            entry.revocation_date_utc.isoformat(),
            reason.reason.value if reason else "unspecified",
            invalidity.invalidity_date_utc.isoformat() if invalidity else "-",
        ]
    )


for text in sorted(line(entry) for entry in load(sys.argv[1])):
    print(text)
