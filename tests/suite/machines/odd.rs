//! Certificates of a foreign CA that break a rule alone: installed with a notice that names the rule,
//! or refused.

use expect_test::expect;

use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;

use super::CA;

impl Sandbox {
    /// `inter0.crt` is what the foreign CA `root` made of the CSR, with one change.
    fn answered_with(&self, change: &str) {
        self.run("openssl", "req -x509 -newkey ec -nodes -subj /CN=root")
            .words("-pkeyopt ec_paramgen_curve:P-256 -addext keyUsage=critical,keyCertSign,cRLSign")
            .words("-days 9000 -keyout root.key -out root.crt")
            .succeeds();
        self.signed_by_openssl("root", "inter0", "plain", CA);
        self.python("resigned.py")
            .words(&format!("{change} plain.crt root.key inter0.crt"))
            .succeeds();
    }
}

#[test]
fn each_rule_that_a_foreign_ca_breaks_is_named() {
    let mut said = String::new();
    for change in ["generalized-time", "no-authority", "early"] {
        let sandbox = Sandbox::with_request();
        sandbox.answered_with(change);
        let installed = sandbox
            .pki("subordinate --name inter0 --install inter0.crt --chain root.crt")
            .succeeds();
        said += &installed.stderr;
    }
    assert_text(
        &said,
        expect![[r#"
            notice: the certificate breaks rules but is usable: a time has the wrong type (UTCTime or GeneralizedTime) (times_are_utc_through_2049, RFC 5280 4.1.2.5)
            notice: the certificate breaks rules but is usable: authorityKeyIdentifier is missing (authority_key_identifier_is_that_of_the_ca, RFC 5280 4.2.1.1)
            notice: the certificate breaks rules but is usable: the validity exceeds the CA's (validity_is_inside_that_of_the_ca, RFC 5280 6.1.3)
        "#]],
    );
}

/// The change alone makes the notice: without one there is none.
#[test]
fn a_foreign_ca_that_breaks_no_rule_has_no_notice() {
    let sandbox = Sandbox::with_request();
    sandbox.foreign_root("root", &[]);
    sandbox.signed_by_openssl("root", "inter0", "inter0", CA);
    let installed = sandbox
        .pki("subordinate --name inter0 --install inter0.crt --chain root.crt")
        .succeeds();
    assert_same(&installed.stderr, "");
}

/// The CA itself is valid longer than the root that issued it.
#[test]
fn a_ca_whose_root_expired_issues_nothing() {
    let sandbox = Sandbox::with_request();
    let root = |days: &str, out: &str| {
        sandbox
            .run(
                "openssl",
                "req -x509 -key root.key -subj /O=Elsewhere/CN=root",
            )
            .words("-addext keyUsage=critical,keyCertSign,cRLSign -days")
            .words(&format!("{days} -out {out}"))
            .succeeds();
    };
    sandbox
        .run("openssl", "genpkey -algorithm EC -out root.key")
        .words("-pkeyopt ec_paramgen_curve:P-256")
        .succeeds();
    root("30", "root.crt");
    sandbox.signed_by_openssl("root", "inter0", "inter0", CA);
    let installed = sandbox
        .pki("subordinate --name inter0 --install inter0.crt --chain root.crt")
        .succeeds();
    assert!(
        installed
            .stderr
            .contains("validity_is_inside_that_of_the_ca")
    );
    sandbox
        .pki("issue --ca inter0 --cn early --days 1")
        .succeeds();
    let in_60_days = |line: &str| {
        let run = sandbox.run("faketime", "-f +60d");
        run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
    };
    // Not the CA's own end: that is 1000 days away.
    for line in [
        "issue --ca inter0 --cn late",
        "subordinate --ca inter0 --name below --no-passphrase",
    ] {
        sandbox.refused(
            in_60_days(line),
            1,
            "ca-unusable",
            expect![[r#"
                error: inter0 cannot sign this: CN=root,O=Elsewhere expired at [time]
            "#]],
        );
    }
}

crate::engine::also_in_a_database! {
    each_rule_that_a_foreign_ca_breaks_is_named, a_foreign_ca_that_breaks_no_rule_has_no_notice,
    a_ca_whose_root_expired_issues_nothing,
}
