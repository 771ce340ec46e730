//! pkilint finds nothing to say about the lists that `pki` signs. Of a list's
//! signature and its algorithm it says nothing for any key type, so cryptography
//! verifies those.

use std::fmt::Write as _;

use crate::hierarchy::for_every_key_type;
use crate::run::Run;
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

fn pkilint_and_cryptography_approve_of_lists_of(key_type: &str) {
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
    for (ca, folders) in [
        ("intermediate0", &["empty", "one", "reasons"][..]),
        ("rootCA", &["empty", "one"]),
    ] {
        assert_cryptography_verifies(&sandbox, ca, folders);
    }
}

#[track_caller]
fn assert_cryptography_verifies(sandbox: &Sandbox, ca: &str, folders: &[&str]) {
    let certificate = format!("pki/{ca}/ca.crt");
    let lists = folders.iter().map(|folder| format!("{folder}/{ca}.crl"));
    let run = sandbox.python("crl_signature.py").arg(&certificate);
    let verified = lists.clone().fold(run, Run::arg).succeeds();
    let lines = lists.map(|list| format!("{list}: signed by {certificate}\n"));
    assert_eq!(verified.stdout, lines.collect::<String>());
}

for_every_key_type!(pkilint_and_cryptography_approve_of_lists_of);

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

#[test]
fn cryptography_as_it_is_run_here_refuses_a_list_of_another_key() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --ca intermediate0").succeeds();
    let run = sandbox.python("crl_signature.py");
    let report = run.words("pki/rootCA/ca.crt pki/crl/intermediate0.crl");
    assert_eq!(
        report.succeeds().stdout,
        "pki/crl/intermediate0.crl: NOT signed by pki/rootCA/ca.crt\n"
    );
}
