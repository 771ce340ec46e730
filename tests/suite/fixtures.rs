//! The hierarchies of `fixtures/mutual-tls.toml`, which `pki apply` makes for other tests too; and that each of
//! their certificates is right, or wrong in the one way that the file says.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use expect_test::expect;

use crate::engine::is_in_a_database;
use crate::run::{assert_same, assert_text};
use crate::sandbox::{Sandbox, repository};

const FILE: &str = "fixtures/mutual-tls.toml";

impl Sandbox {
    /// What the file describes, with keys of this type for its P-256 ones, just applied: certificates in
    /// `certs/`, and `truststore.pem` and `root.pem` beside it.
    pub(crate) fn with_fixtures(key_type: &'static str) -> Self {
        static APPLIED: Mutex<BTreeMap<(&str, bool), Sandbox>> = Mutex::new(BTreeMap::new());
        let mut applied = APPLIED.lock().unwrap();
        applied
            .entry((key_type, is_in_a_database()))
            .or_insert_with(|| {
                let sandbox = Self::new();
                let file = fs::read_to_string(repository(FILE)).unwrap();
                sandbox.write("mutual-tls.toml", file.replace("p256", key_type));
                sandbox
                    .pki("apply mutual-tls.toml --no-passphrase")
                    .succeeds();
                sandbox
            })
            .copy()
    }
}

/// What openssl finds, asked for everything that a server or a client may be wrong in.
const VERDICTS: [(&str, &str, &str); 27] = [
    ("server", SERVER, "OK"),
    ("server-wildcard", SERVER, "OK"),
    ("server-loopback", LOOPBACK, "OK"),
    ("server-p384", SERVER, "OK"),
    ("server-expired", SERVER, "certificate has expired"),
    (
        "server-not-yet-valid",
        SERVER,
        "certificate is not yet valid",
    ),
    ("server-revoked", SERVER, "certificate revoked"),
    (
        "server-wrong-purpose",
        SERVER,
        "unsuitable certificate purpose",
    ),
    ("server-no-san", SERVER, "hostname mismatch"),
    (
        "server-other-ca",
        SERVER,
        "unable to get local issuer certificate",
    ),
    ("server-weak-validity", SERVER, "OK"),
    ("server-self-signed", SERVER, "self-signed certificate"),
    ("good", CLIENT, "OK"),
    ("device", CLIENT, "OK"),
    ("peer", CLIENT, "OK"),
    ("p384", CLIENT, "OK"),
    ("brief", CLIENT, "OK"),
    ("expired", CLIENT, "certificate has expired"),
    ("not-yet-valid", CLIENT, "certificate is not yet valid"),
    ("revoked", CLIENT, "certificate revoked"),
    ("wrong-purpose", CLIENT, "unsuitable certificate purpose"),
    ("other-ca", CLIENT, "unable to get local issuer certificate"),
    ("weak-validity", CLIENT, "OK"),
    ("self-signed", CLIENT, "self-signed certificate"),
    ("stolen", CLIENT, "certificate revoked"),
    ("on-hold", CLIENT, "certificate revoked"),
    ("stranger", CLIENT, "unable to get local issuer certificate"),
];

const SERVER: &str = "-purpose sslserver -verify_hostname www.example.test";
const LOOPBACK: &str = "-purpose sslserver -verify_ip ::1";
const CLIENT: &str = "-purpose sslclient";

#[test]
fn each_certificate_is_right_or_wrong_in_the_way_that_it_says() {
    let sandbox = Sandbox::with_fixtures("p256");
    for (name, checks, verdict) in VERDICTS {
        // A list of an issuer that is not trusted there is none of, which would be said instead.
        let lists = match verdict {
            "self-signed certificate" | "unable to get local issuer certificate" => "",
            _ => "-crl_check_all -CRLfile pki/crl/intermediate0.chain.crl.pem",
        };
        let judged = sandbox
            .run("openssl", "verify -x509_strict -CAfile truststore.pem")
            .words(checks)
            .words(lists)
            .arg(format!("certs/{name}.crt"))
            .finish();
        if verdict == "OK" {
            assert_same(&judged.stdout, &format!("certs/{name}.crt: OK\n"));
        } else {
            let errors = judged
                .stderr
                .lines()
                .filter(|line| line.contains(" depth lookup: "));
            let errors: Vec<&str> = errors.filter_map(|line| line.split(": ").nth(1)).collect();
            assert_eq!(errors, [verdict], "{name}: {judged}");
        }
    }
}

#[test]
fn to_apply_them_again_changes_nothing() {
    let sandbox = Sandbox::with_fixtures("p256");
    let before = sandbox.store_snapshot();
    let again = sandbox.pki("apply mutual-tls.toml").succeeds();
    assert_text(
        &again.stdout,
        expect![[r#"
            nothing to do, 37 unchanged
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

/// Every certificate of the file is judged, but for those that are neither a server's nor a client's.
#[test]
fn no_certificate_of_the_file_is_forgotten() {
    let file = fs::read_to_string(repository(FILE)).unwrap();
    let names = file
        .lines()
        .filter_map(|line| line.strip_prefix("[certificate.")?.strip_suffix(']'));
    let mut judged: Vec<&str> = VERDICTS.iter().map(|(name, ..)| *name).collect();
    judged.extend(["mail", "code", "time"]);
    assert_eq!(names.collect::<Vec<_>>(), judged);
}
