"""Certificates and CRLs with one change that openssl can't be told to make, signed again.

resigned.py CHANGE IN KEY OUT: IN is a PEM file, KEY the EC key of its issuer.
"""

import datetime
import sys

from asn1crypto import core, crl, pem, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def without(extensions, name):
    kept = [e for e in extensions if e["extn_id"].native != name]
    return x509.Extensions(kept)


def certificate(change, tbs):
    if change == "generalized-time":
        end = datetime.datetime(2040, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        tbs["validity"]["not_after"] = x509.Time({"general_time": end})
    elif change == "empty-constraints":
        value = core.ParsableOctetString(bytes.fromhex("3000"))
        extension = {"extn_id": "name_constraints", "critical": True, "extn_value": value}
        tbs["extensions"].append(x509.Extension(extension))
    elif change == "no-authority":
        tbs["extensions"] = without(tbs["extensions"], "authority_key_identifier")
    elif change == "early":
        begin = datetime.datetime(2001, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
        tbs["validity"]["not_before"] = x509.Time({"utc_time": begin})
    else:
        sys.exit(f"no such change: {change}")


def negative_serial(tbs):
    """The first entry's serial, its leading zero byte left out."""
    entry = tbs["revoked_certificates"][0]
    magnitude = entry["user_certificate"].contents
    assert magnitude[0] == 0 and magnitude[1] & 0x80
    entry["user_certificate"] = core.Integer(int.from_bytes(magnitude[1:], "big", signed=True))


def main(change, source, key, target):
    with open(key, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    with open(source, "rb") as file:
        label, _, der = pem.unarmor(file.read())
    if label == "X509 CRL":
        signed = crl.CertificateList.load(der)
        tbs = signed["tbs_cert_list"]
        negative_serial(tbs)
        field = "signature"
    else:
        signed = x509.Certificate.load(der)
        tbs = signed["tbs_certificate"]
        certificate(change, tbs)
        field = "signature_value"
    message = tbs.dump(force=True)
    signed[field] = core.OctetBitString(key.sign(message, ec.ECDSA(hashes.SHA256())))
    with open(target, "wb") as file:
        file.write(pem.armor(label, signed.dump(force=True)))


main(*sys.argv[1:])
