//! Keys that others have: no certificate of them is made or installed, and none of a CA's signs.

use expect_test::expect;

use crate::run::Run;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// `rootCA` over `inter0`, and the serial of the certificate that `inter0` had before this one.
    pub(super) fn with_renewed_ca() -> (Self, String) {
        let sandbox = Self::new();
        for line in [
            "root --name rootCA --no-passphrase --days 1000",
            "subordinate --ca rootCA --name inter0 --no-passphrase --days 500",
        ] {
            sandbox.pki(line).succeeds();
        }
        let renewed = sandbox.pki("--format json ca renew --ca inter0");
        let before = renewed.succeeds().json()["renews"]
            .as_str()
            .map(str::to_owned);
        (sandbox, before.unwrap())
    }

    /// `again.crt`, by `rootCA`, for the key that `inter0` has.
    fn with_answer() -> Self {
        let (sandbox, _) = Self::with_renewed_ca();
        for line in [
            "ca renew --ca inter0 --request again.csr",
            "subordinate --ca rootCA --csr again.csr --out again.crt --days 600",
        ] {
            sandbox.pki(line).succeeds();
        }
        sandbox
    }

    fn installs(&self) -> Run {
        self.pki("ca renew --ca inter0 --install again.crt")
    }

    /// A request, by openssl, with a key of its own.
    fn requests(&self, subject: &str, kind: &str) {
        self.run(
            "openssl",
            "req -new -nodes -keyout their.key -out their.csr",
        )
        .words(&format!("-subj /CN={subject} -newkey {kind}"))
        .succeeds();
    }
}

#[test]
fn installing_does_not_bring_back_a_revoked_ca() {
    let sandbox = Sandbox::with_answer();
    sandbox
        .pki("revoke --ca rootCA --cert pki/inter0/ca.crt --reason keyCompromise")
        .succeeds();
    sandbox.refused(
        sandbox.installs(),
        1,
        "ca-revoked",
        expect![[r#"
            error: the certificate of inter0 is revoked (keyCompromise)
            hint: create a new CA with a new key: `pki ca rekey --ca inter0 --name NAME`
        "#]],
    );
}

#[test]
fn a_certificate_that_was_taken_back_is_not_installed() {
    let sandbox = Sandbox::with_answer();
    sandbox
        .pki("revoke --ca rootCA --cert again.crt --reason superseded")
        .succeeds();
    sandbox.refused(
        sandbox.installs(),
        1,
        "install-path-invalid",
        expect![[r#"
            error: again.crt cannot be installed as inter0
            caused by: CN=inter0 was revoked at [time] (superseded), serial [serial]
        "#]],
    );
}

/// That the one before was taken back for this one is no reason against it.
#[test]
fn the_successor_of_a_superseded_certificate_is_installed() {
    let sandbox = Sandbox::with_answer();
    sandbox
        .pki("revoke --ca rootCA --cert pki/inter0/ca.crt --reason superseded")
        .succeeds();
    sandbox.installs().succeeds();
}

#[test]
fn a_ca_whose_old_key_was_compromised_signs_no_certificate() {
    for (reason, signs) in [
        ("keyCompromise", false),
        ("cACompromise", false),
        ("superseded", true),
    ] {
        let (sandbox, before) = Sandbox::with_renewed_ca();
        sandbox
            .pki("subordinate --ca inter0 --name below --no-passphrase")
            .succeeds();
        let revoke = format!("-q revoke --ca rootCA --serial 0x{before} --reason {reason}");
        sandbox.pki(&revoke).succeeds();
        for line in [
            "issue --ca inter0 --cn a",
            "issue --ca below --cn a",
            "ca renew --ca inter0",
            "ca renew --ca inter0 --request again.csr",
        ] {
            if signs {
                sandbox.pki(line).succeeds();
                continue;
            }
            sandbox.refused(
                sandbox.pki(line),
                1,
                "key-compromised",
                expect![[r#"
                    error: the key of inter0 is compromised: certificate [serial] of rootCA, which has it too, is revoked for that
                    hint: create a new CA with a new key: `pki ca rekey --ca inter0 --name NAME`
                "#]],
            );
        }
        sandbox.pki("crl --ca inter0 --ca below").succeeds();
    }
}

#[test]
fn a_root_whose_key_another_revoked_signs_no_certificate() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name one --no-passphrase",
        "root --name two --no-passphrase",
        "ca cross-sign --ca one --with two",
        "-q revoke --ca one --cn two --reason cACompromise",
        "issue --ca one --cn a",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox.refused(
        sandbox.pki("issue --ca two --cn a"),
        1,
        "key-compromised",
        expect![[r#"
            error: the key of two is compromised: certificate [serial] of one, which has it too, is revoked for that
            hint: create a new CA with a new key: `pki ca rekey --ca two --name NAME`
        "#]],
    );
}

/// Whatever is in front of the key in the certificate.
#[test]
fn a_csr_with_a_compromised_key_is_not_certified() {
    let sandbox = Sandbox::with_open_ca();
    for (subject, kind) in [
        ("a", "ec -pkeyopt ec_paramgen_curve:P-256"),
        ("ab", "rsa:2048"),
        ("abc", "ed25519"),
    ] {
        sandbox.requests(subject, kind);
        for line in [
            "issue --ca intermediate0 --csr their.csr",
            "issue --ca intermediate0 --csr their.csr",
            "-q revoke --ca intermediate0 --all --reason keyCompromise --cn",
        ] {
            let subject = if line.ends_with("--cn") { subject } else { "" };
            sandbox.pki(line).words(subject).succeeds();
        }
        for line in [
            "issue --ca intermediate0 --csr their.csr --subject CN=other",
            "subordinate --ca intermediate0 --csr their.csr",
        ] {
            sandbox.refused(
                sandbox.pki(line),
                1,
                "key-compromised",
                expect![[r#"
                    error: the key is compromised: certificate [serial] of intermediate0, which has it too, is revoked for that
                    hint: make a CSR with a new key
                "#]],
            );
        }
    }
    sandbox.requests("a", "ed25519");
    sandbox
        .pki("issue --ca intermediate0 --csr their.csr")
        .succeeds();
}

#[test]
fn a_ca_that_waits_with_a_compromised_key_waits_in_vain() {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "subordinate --name waiting --request waiting.csr --no-passphrase",
        "subordinate --ca rootCA --csr waiting.csr --out waiting.crt",
        "subordinate --ca rootCA --csr waiting.csr --out again.crt",
        "-q revoke --ca rootCA --cert waiting.crt --reason keyCompromise",
    ] {
        sandbox.pki(line).succeeds();
    }
    for line in [
        "subordinate --name waiting --install again.crt",
        "subordinate --name waiting --request again.csr",
    ] {
        sandbox.refused(
            sandbox.pki(line),
            1,
            "key-compromised",
            expect![[r#"
                error: the key is compromised: certificate [serial] of rootCA, which has it too, is revoked for that
                hint: make a CSR with a new key
            "#]],
        );
    }
}

/// They are the issuer's to say, or of the validity before.
#[test]
fn a_renewal_copies_only_what_is_about_the_ca() {
    let sandbox = Sandbox::with_answer();
    sandbox.write(
        "extensions.cnf",
        "authorityKeyIdentifier = keyid\n\
         issuerAltName = DNS:issuer.example.test\n\
         certificatePolicies = 1.2.3.4\n\
         2.5.29.16 = DER:30:11:80:0F:32:30:32:36:30:31:30:31:30:30:30:30:30:30:5A\n",
    );
    sandbox
        .run(
            "openssl",
            "x509 -req -in again.csr -days 400 -out again.crt",
        )
        .words("-CA pki/rootCA/ca.crt -CAkey pki/rootCA/ca.key -copy_extensions copyall -extfile extensions.cnf")
        .succeeds();
    sandbox.installs().succeeds();
    let text = || sandbox.openssl_x509("pki/inter0/ca.crt", "-text");
    let gone = ["Issuer Alternative Name", "Private Key Usage Period"];
    assert!(gone.iter().all(|what| text().contains(what)), "{}", text());
    sandbox.pki("ca renew --ca inter0").succeeds();
    assert!(!gone.iter().any(|what| text().contains(what)), "{}", text());
    assert!(text().contains("Policy: 1.2.3.4"), "{}", text());
}

crate::engine::also_in_a_database! {
    installing_does_not_bring_back_a_revoked_ca, a_certificate_that_was_taken_back_is_not_installed,
    the_successor_of_a_superseded_certificate_is_installed,
    a_root_whose_key_another_revoked_signs_no_certificate,
    a_ca_that_waits_with_a_compromised_key_waits_in_vain, a_renewal_copies_only_what_is_about_the_ca,
}

crate::engine::soak_in_a_database! {
    a_ca_whose_old_key_was_compromised_signs_no_certificate, a_csr_with_a_compromised_key_is_not_certified,
}
