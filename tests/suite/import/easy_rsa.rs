//! A CA of easy-rsa 3, as Debian has it.

use std::sync::OnceLock;

use serde_json::json;

use crate::run::Run;
use crate::sandbox::Sandbox;

use super::{OLD, lines_of, rules, serial_of};

impl Sandbox {
    fn easy_rsa(&self, line: &str) -> Run {
        let pass = format!("pass:{OLD}");
        self.run("/usr/share/easy-rsa/easyrsa", line)
            .env("EASYRSA", "/usr/share/easy-rsa")
            .env("EASYRSA_PKI", self.path("easy/pki"))
            .env("EASYRSA_BATCH", "1")
            .env("EASYRSA_ALGO", "ec")
            .env("EASYRSA_CURVE", "prime256v1")
            .env("EASYRSA_CERT_RENEW", "9999")
            .env("EASYRSA_PASSIN", &pass)
            .env("EASYRSA_PASSOUT", &pass)
    }

    /// A copy of what [`Sandbox::build_easy_rsa_ca`] makes once.
    pub(super) fn with_easy_rsa_ca() -> Self {
        static BUILT: OnceLock<Sandbox> = OnceLock::new();
        BUILT.get_or_init(Self::build_easy_rsa_ca).copied()
    }

    /// `easy/pki`: four clients and a server, of which two were renewed and two are revoked.
    fn build_easy_rsa_ca() -> Self {
        let sandbox = Self::new();
        std::fs::create_dir(sandbox.path("easy")).unwrap();
        sandbox.easy_rsa("init-pki").succeeds();
        sandbox
            .easy_rsa("build-ca")
            .env("EASYRSA_REQ_CN", "Easy CA")
            .succeeds();
        for name in ["alice", "bob", "carol"] {
            sandbox
                .easy_rsa(&format!("build-client-full {name} nopass"))
                .succeeds();
        }
        sandbox.easy_rsa("build-client-full locked").succeeds();
        sandbox
            .easy_rsa("build-server-full www.example.test")
            .succeeds();
        sandbox.easy_rsa("revoke alice keyCompromise").succeeds();
        sandbox.easy_rsa("renew bob nopass").succeeds();
        sandbox.easy_rsa("renew carol nopass").succeeds();
        sandbox
            .easy_rsa("revoke-renewed carol superseded")
            .succeeds();
        sandbox.easy_rsa("gen-crl").succeeds();
        sandbox
    }
}

#[test]
fn a_ca_of_easy_rsa_is_taken_over_with_its_keys() {
    let sandbox = Sandbox::with_easy_rsa_ca();
    let index = sandbox.read("easy/pki/index.txt");
    assert_eq!((index.lines().count(), lines_of(&index, "R").len()), (7, 2));
    let report = sandbox.imported("--easy-rsa easy/pki");
    assert_eq!(
        report["certificates"],
        json!({"valid": 5, "revoked": 2, "expired": 0, "without_certificate": 0})
    );
    assert_eq!(report["old_list"]["entries"], 2);
    assert_eq!(report["old_list"]["number"], json!(null));
    let warnings = rules(&report, "warning");
    assert!(
        warnings.iter().all(|rule| rule == "ca-certificate"),
        "{report}"
    );

    sandbox.pki_old("crl --ca old").succeeds();
    assert_eq!(
        sandbox.entries("pki/crl/old.crl"),
        sandbox.entries("easy/pki/crl.pem")
    );
    sandbox
        .pki_old("issue --ca old --cn new --out out --no-passphrase")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "verify -purpose sslclient -crl_check -CAfile easy/pki/ca.crt",
        )
        .words("-CRLfile easy/pki/crl.pem out/new.crt")
        .succeeds();

    // Each key goes out again under the passphrase that it is given, and fits its certificate.
    for (line, name) in index.lines().zip(0..) {
        let serial = serial_of(line);
        sandbox
            .pki_old(&format!(
                "export --ca old --serial 0x{serial} --out keys --name {name}"
            ))
            .words("--passout env:NEW")
            .env("NEW", "a new one")
            .succeeds();
        let public = sandbox
            .run("openssl", "pkey -pubout -passin")
            .arg("pass:a new one")
            .words(&format!("-in keys/{name}.key"))
            .succeeds();
        let certified = sandbox
            .run(
                "openssl",
                &format!("x509 -noout -pubkey -in keys/{name}.crt"),
            )
            .succeeds();
        assert_eq!(public.stdout, certified.stdout, "{line}");
    }
    let profiles = sandbox.pki("--format json list --ca old").succeeds().json();
    let profiles = profiles.as_array().unwrap().iter();
    let servers = profiles.filter(|entry| entry["profile"] == "server");
    assert_eq!(servers.count(), 1);
}

#[test]
fn keys_that_do_not_open_or_match_are_reported_and_left() {
    let sandbox = Sandbox::with_easy_rsa_ca();
    for (file, options) in [
        ("stranger.key", "-aes256 -pass pass:another"),
        ("locked.key", "-aes256 -pass pass:another"),
        ("extra.key", ""),
    ] {
        sandbox
            .run(
                "openssl",
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            )
            .words(&format!("{options} -out easy/pki/private/{file}"))
            .succeeds();
    }
    // The folder in which easy-rsa was set up will do.
    let report = sandbox.imported("--easy-rsa easy");
    let mut warnings = rules(&report, "warning");
    warnings.retain(|rule| rule != "ca-certificate");
    assert_eq!(
        warnings,
        ["key-does-not-fit", "key-not-opened", "key-not-opened"]
    );
    assert_eq!(report["keys"], 6);
    let keys = sandbox.names_in("pki/old/keys");
    assert_eq!(keys.len(), 6, "{keys:?}");
}

crate::engine::also_in_a_database! {
    keys_that_do_not_open_or_match_are_reported_and_left,
}

crate::engine::soak_in_a_database! {
    a_ca_of_easy_rsa_is_taken_over_with_its_keys,
}
