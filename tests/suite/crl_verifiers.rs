//! Programs that check revocation let the good client in and refuse the
//! revoked one, by our lists for three tiers; and pkilint finds nothing in them.

use std::fmt::Write as _;

use crate::run::{Run, Transcript};
use crate::sandbox::Sandbox;

const LISTS: &str = "pki/crl/intermediate2.chain.crl.pem";
const TIERS: [&str; 3] = ["rootCA", "intermediate1", "intermediate2"];

/// `rootCA` over `intermediate1` over `intermediate2`, which issued `good` and
/// `revoked` in `out/`; a trust store, and a list of each CA.
fn three_tiers(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --key-type",
        "subordinate --ca rootCA --name intermediate1 --key-type",
        "subordinate --ca intermediate1 --name intermediate2 --key-type",
        "issue --ca intermediate2 --out out --cn good --key-type",
        "issue --ca intermediate2 --out out --cn revoked --key-type",
        "issue --ca intermediate2 --out out --cn server --profile server --san www.example.test --key-type",
    ] {
        let made = sandbox.pki(line).arg(key_type).arg("--no-passphrase");
        made.succeeds();
    }
    for line in [
        "revoke --ca intermediate2 --cn revoked --reason keyCompromise",
        "bundle --out truststore.pem",
        "crl --to-pem --chain",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Exit code 0 for the good client; another for the revoked one, with these words.
#[track_caller]
fn assert_judges(run: impl Fn(&str) -> Run, refusal: &str) {
    run("good").succeeds();
    let refused: Transcript = run("revoked").finish();
    assert!(refused.status.is_some_and(|code| code != 0), "{refused}");
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains(refusal), "{refused}");
}

/// One line for each client on stdout.
#[track_caller]
fn assert_prints(run: Run, good: &str, revoked: &str) {
    let judged = run.succeeds();
    let lines = judged.stdout.lines().collect::<Vec<_>>();
    assert_eq!(lines, [good, revoked], "{judged}");
}

fn openssl_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let between = ["intermediate1", "intermediate2"];
    let between = between.map(|ca| sandbox.read(format!("pki/{ca}/ca.crt")));
    sandbox.write("between.pem", between.concat());
    let verify = |client: &str| {
        sandbox
            .run("openssl", "verify -crl_check_all -x509_strict -CAfile")
            .words("pki/rootCA/ca.crt -untrusted between.pem -CRLfile")
            .arg(LISTS)
            .arg(format!("out/{client}.crt"))
    };
    assert_judges(verify, "error 23 at 0 depth lookup: certificate revoked");
}

fn certtool_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let verify = |client: &str| {
        sandbox
            .run("certtool", "--verify --verify-profile medium")
            .words("--load-ca-certificate truststore.pem --load-crl")
            .arg(LISTS)
            .words(&format!("--infile out/{client}.crt"))
    };
    assert_judges(verify, "The certificate chain is revoked.");
}

/// RSA alone: elliptic curves are in a plugin that Debian packages apart.
#[test]
fn strongswan_judges() {
    let sandbox = three_tiers("rsa2048");
    let verify = |client: &str| {
        let run = sandbox.run("/usr/bin/pki", "--verify --in");
        let run = run.arg(format!("out/{client}.crt"));
        TIERS.iter().fold(run, |run, ca| {
            run.words(&format!("--cacert pki/{ca}/ca.crt --crl pki/crl/{ca}.crl"))
        })
    };
    assert_judges(verify, "certificate was revoked on ");
    let good = verify("good").succeeds();
    let said = format!("{}{}", good.stdout, good.stderr);
    assert!(said.contains("certificate not revoked"), "{good}");
}

fn java_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let run = sandbox
        .java("CheckPath.java")
        .arg("pki/rootCA/ca.crt")
        .arg(LISTS);
    assert_prints(
        run.words("out/good.fullchain.pem out/revoked.fullchain.pem"),
        "out/good.fullchain.pem: good",
        "out/revoked.fullchain.pem: REVOKED",
    );
}

fn python_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    let run = sandbox.python("crl_handshake.py").arg("truststore.pem");
    assert_prints(
        run.arg(LISTS).words("out/server out/good out/revoked"),
        "out/good: let in",
        "out/revoked: certificate revoked",
    );
}

fn nss_judges(key_type: &str) {
    let sandbox = three_tiers(key_type);
    std::fs::create_dir(sandbox.path("nss")).unwrap();
    let certutil = |line: &str| sandbox.run("certutil", "-d sql:nss").words(line);
    certutil("-N --empty-password").succeeds();
    for (ca, trust) in TIERS.into_iter().zip(["CT,C,C", ",,", ",,"]) {
        certutil("-A")
            .words(&format!("-n {ca} -t {trust} -i pki/{ca}/ca.crt"))
            .succeeds();
        sandbox
            .run("crlutil", "-I -d sql:nss -i")
            .arg(format!("pki/crl/{ca}.crl"))
            .succeeds();
    }
    let listed = sandbox.run("crlutil", "-L -d sql:nss").succeeds();
    for ca in TIERS {
        assert!(listed.stdout.contains(&format!("\n{ca} ")), "{listed}");
    }
    for client in ["good", "revoked"] {
        certutil("-A -t ,,")
            .words(&format!("-n {client} -i out/{client}.crt"))
            .succeeds();
    }
    assert_judges(
        |client| certutil("-V -u C -e -n").arg(client),
        "Peer's Certificate has been revoked.",
    );
}

/// A test for each of two key types, in a module named after `$check`.
macro_rules! for_p256_and_rsa {
    ($($check:ident)+) => {
        $(mod $check {
            use super::$check as check;

            #[test]
            fn p256() {
                check("p256");
            }

            #[test]
            fn rsa2048() {
                check("rsa2048");
            }
        })+
    };
}

for_p256_and_rsa! {
    openssl_judges
    certtool_judges
    java_judges
    python_judges
    nss_judges
}

/// A subordinate that its root revoked takes all below it along.
#[test]
fn openssl_refuses_a_client_whose_ca_was_revoked() {
    let sandbox = three_tiers("p256");
    for line in [
        "revoke --ca rootCA --cert pki/intermediate1/ca.crt --reason cACompromise",
        "crl --chain",
    ] {
        sandbox.pki(line).succeeds();
    }
    let refused = sandbox
        .run("openssl", "verify -crl_check_all -x509_strict")
        .words("-CAfile truststore.pem -CRLfile")
        .arg(LISTS)
        .arg("out/good.crt")
        .finish();
    assert_ne!(refused.status, Some(0), "{refused}");
    let says = "error 23 at 2 depth lookup: certificate revoked";
    assert!(refused.stderr.contains(says), "{refused}");
}

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

mod pkilint_finds_nothing {
    use super::pkilint_finds_nothing_in_lists_of as check;

    #[test]
    fn p256() {
        check("p256");
    }

    #[test]
    fn p384() {
        check("p384");
    }

    #[test]
    fn p521() {
        check("p521");
    }

    #[test]
    fn ed25519() {
        check("ed25519");
    }

    #[test]
    fn rsa2048() {
        check("rsa2048");
    }
}

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
