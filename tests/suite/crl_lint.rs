//! pkilint finds nothing to say about the lists that `pki` signs.

use std::fmt::Write as _;

use crate::hierarchy::for_every_key_type;
use crate::sandbox::Sandbox;

const REASONS: [&str; 9] = [
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
];

/// Revokes a certificate for each row, `REASON` or `REASON,DATE`.
fn revoke_new<'a>(sandbox: &Sandbox, rows: impl Iterator<Item = &'a str>) {
    let mut csv = String::new();
    for row in rows {
        writeln!(csv, "{},{row}", sandbox.issued("intermediate0", "client")).unwrap();
    }
    sandbox
        .pki("revoke --ca intermediate0 --from -")
        .stdin(csv)
        .succeeds();
}

#[track_caller]
fn assert_pkilint_finds_nothing(sandbox: &Sandbox, lines: &str) {
    let report = sandbox.python("lint_crl.py").stdin(lines).succeeds();
    let count = lines.lines().count();
    assert_eq!(report.stdout, format!("{count} linted\n"));
}

fn pkilint_finds_nothing_in_lists_of(key_type: &str) {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --key-type",
        "subordinate --ca rootCA --name intermediate0 --key-type",
        "subordinate --ca rootCA --name intermediate1 --key-type",
    ] {
        let made = sandbox.pki(line).arg(key_type).arg("--no-passphrase");
        made.succeeds();
    }
    sandbox.pki("crl --out empty").succeeds();
    revoke_new(&sandbox, ["superseded"].into_iter());
    sandbox
        .pki("revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise")
        .succeeds();
    sandbox.pki("crl --out one").succeeds();
    let dated = [
        "keyCompromise,2026-01-31",
        "unspecified,2025-12-31T23:59:59Z",
    ];
    revoke_new(&sandbox, REASONS.into_iter().chain(dated));
    sandbox.pki("crl --out reasons").succeeds();
    assert_eq!(
        sandbox.list_in("reasons/intermediate0.crl").serials.len(),
        12
    );
    assert_pkilint_finds_nothing(
        &sandbox,
        "CRL empty/intermediate0.crl\nARL empty/rootCA.crl\n\
         CRL one/intermediate0.crl\nARL one/rootCA.crl\n\
         CRL reasons/intermediate0.crl\n",
    );
}

for_every_key_type!(pkilint_finds_nothing_in_lists_of);

#[test]
fn pkilint_finds_nothing_in_a_list_of_a_thousand() {
    let sandbox = Sandbox::with_open_ca();
    revoke_new(&sandbox, REASONS.into_iter().cycle().take(1000));
    sandbox.pki("crl --ca intermediate0").succeeds();
    assert_eq!(sandbox.published("intermediate0").serials.len(), 1000);
    assert_pkilint_finds_nothing(&sandbox, "CRL pki/crl/intermediate0.crl\n");
}

/// Without this, a driver that lints nothing would please every test above.
#[test]
fn pkilint_as_it_is_run_here_finds_what_is_wrong() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("index.txt", "");
    sandbox.write(
        "ca.cnf",
        "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\ndefault_md = sha256\n\
         default_crl_days = 7\n",
    );
    // Without extensions, which RFC 5280 requires.
    sandbox
        .run("openssl", "ca -gencrl -config ca.cnf -out plain.crl")
        .words("-cert pki/intermediate0/ca.crt -keyfile pki/intermediate0/ca.key")
        .succeeds();
    let report = sandbox.python("lint_crl.py").stdin("CRL plain.crl");
    let report = report.ends_with(1);
    assert!(report.stdout.contains("ERROR"), "{report}");
    assert!(report.stdout.ends_with("1 linted\n"), "{report}");
}
