"""Runs pkilint's own commands over many certificates in one process.

Each line of standard input is `CERTIFICATE`, or `ISSUER SUBJECT` for the two
as a chain. What pkilint finds is printed under the line it is about, and the
exit code says whether it found anything. Loading pkilint takes longer than
linting a hundred certificates, hence one process; its command-line entry
points are called, hence the same rules and severities as on a terminal.
"""

import contextlib
import io
import sys

from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain


def lint(files):
    command = lint_pkix_cert if len(files) == 1 else lint_pkix_signer_signee_cert_chain
    report = io.StringIO()
    with contextlib.redirect_stdout(report), contextlib.redirect_stderr(report):
        findings = command.main(["lint", "-s", "WARNING", *files])
    return findings, report.getvalue()


def main():
    linted = 0
    found = False
    for line in sys.stdin:
        files = line.split()
        findings, report = lint(files)
        linted += 1
        if findings:
            found = True
            print(f"{line.strip()}\n{report}")
    print(f"{linted} linted")
    return 1 if found else 0


sys.exit(main())
