"""Validates paths that have to have a list for every certificate below the root.

Arguments: ROOT GOOD REVOKED LIST..., where GOOD and REVOKED stand for a
CLIENT.fullchain.pem, and lists are DER. One line is printed for each client:
what pyhanko-certvalidator says, and of a revoked one the reason.
"""

import asyncio
import sys
from pathlib import Path

from asn1crypto import pem, x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import RevokedError, ValidationError
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)


def certificates(file):
    blocks = pem.unarmor(Path(file).read_bytes(), multiple=True)
    return [x509.Certificate.load(der) for _, _, der in blocks]


def verdict(client, context):
    leaf, *between = certificates(f"{client}.fullchain.pem")
    validator = CertificateValidator(leaf, between, context)
    usage = validator.async_validate_usage({"digital_signature"}, {"client_auth"})
    try:
        asyncio.run(usage)
    except RevokedError as refusal:
        return f"RevokedError: {refusal.reason.native}"
    except ValidationError as refusal:
        return type(refusal).__name__
    return "good"


def main():
    root, good, revoked, *lists = sys.argv[1:]
    rule = RevocationCheckingRule.CRL_REQUIRED
    for client in [good, revoked]:
        # A context remembers what it has validated.
        context = ValidationContext(
            trust_roots=certificates(root),
            crls=[Path(file).read_bytes() for file in lists],
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
        )
        print(f"{client}: {verdict(client, context)}")


main()
