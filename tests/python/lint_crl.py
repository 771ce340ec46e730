"""Runs pkilint's CRL linter over many lists in one process.

Each line of standard input is `CRL FILE`, or `ARL FILE` for a list of CA
certificates. What pkilint finds at WARNING or above is printed under the line
it is about, and the exit code says whether it found anything.
"""

import contextlib
import io
import sys

from pkilint.bin import lint_crl


def main():
    linted = 0
    found = False
    for line in sys.stdin:
        kind, file = line.split()
        report = io.StringIO()
        with contextlib.redirect_stdout(report), contextlib.redirect_stderr(report):
            findings = lint_crl.main(
                ["lint", "-t", kind, "-p", "PKIX", "-s", "WARNING", file]
            )
        linted += 1
        if findings:
            found = True
            print(f"{line.strip()}\n{report.getvalue()}")
    print(f"{linted} linted")
    return 1 if found else 0


sys.exit(main())
