//! CAs that name, by its serial number, a previous certificate of the CA above them, after that one expired or
//! was revoked.

use serde_json::Value;

use crate::run::Run;
use crate::sandbox::Sandbox;

/// `rootCA`, `inter0` under it, and `below` under that, whose certificate `below.crt` names the first
/// certificate of `inter0`. `inter0` is renewed. The first certificate of it expires in 30 days, the others
/// last longer.
fn ca_below_a_renewed_one() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("aki.cnf", "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid, issuer:always\n");
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name inter0 --days 30 --no-passphrase",
        "export --ca inter0 --key --no-passphrase --out a",
        "subordinate --name below --request below.csr --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let line = "x509 -req -in below.csr -CA a/inter0.crt -CAkey a/inter0.key -set_serial 0x7777 -days 900 -extfile aki.cnf -out below.crt";
    sandbox.run("openssl", line).succeeds();
    sandbox.write(
        "above.pem",
        sandbox.read("a/inter0.crt") + &sandbox.read("pki/rootCA/ca.crt"),
    );
    for line in [
        "subordinate --name below --install below.crt --chain above.pem",
        "ca renew --ca inter0 --days 1000",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Revokes the first certificate of `inter0`.
fn revoke_first(sandbox: &Sandbox, reason: &str) {
    let serial = sandbox.run("openssl", "x509 -noout -serial -in a/inter0.crt");
    let serial = serial.succeeds().stdout;
    let serial = serial.trim().trim_start_matches("serial=");
    let line = format!("revoke --ca rootCA --serial 0x{serial} --reason {reason}");
    sandbox.pki(&line).succeeds();
}

fn bundled(run: Run) -> (usize, Vec<String>) {
    let report = run.succeeds().json();
    let count = report["certificates"].as_array().unwrap().len();
    let findings = report["findings"].as_array().unwrap().iter();
    let rules = findings.map(|finding| finding["rule"].as_str().unwrap().to_owned());
    (count, rules.collect())
}

fn error_of(run: Run) -> Value {
    run.ends_with(1).error()
}

#[track_caller]
fn assert_names_renewal(error: &Value, code: &str) {
    assert_eq!(error["code"], code, "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("`pki ca renew --ca below`"), "{error}");
}

#[test]
fn bundle_leaves_out_what_names_an_expired_certificate() {
    let sandbox = ca_below_a_renewed_one();
    sandbox.pki("ca renew --ca below").succeeds();
    let bundle = "--format json bundle --out t.pem";
    assert_eq!(bundled(sandbox.pki_at("+1d", bundle)).0, 5);
    let left_out = vec!["previous-left-out".to_owned()];
    assert_eq!(bundled(sandbox.pki_at("+40d", bundle)), (3, left_out));
    let line = "-f +40d openssl verify -CAfile pki/rootCA/ca.crt -untrusted t.pem pki/below/ca.crt";
    sandbox.run("faketime", line).succeeds();
}

#[test]
fn bundle_leaves_out_what_names_a_revoked_certificate() {
    let sandbox = ca_below_a_renewed_one();
    sandbox.pki("ca renew --ca below").succeeds();
    let line = "--format json bundle --out t.pem";
    let (count, rules) = bundled(sandbox.pki(line));
    assert_eq!(
        (count, rules.contains(&"previous-left-out".into())),
        (5, false)
    );
    revoke_first(&sandbox, "superseded");
    for line in [line, "--format json bundle --ca below --out t.pem"] {
        let expected = (3, vec!["previous-left-out".to_owned()]);
        assert_eq!(bundled(sandbox.pki(line)), expected, "{line}");
    }
    // A target without room for others gets the same.
    let line = "--format json bundle --for nginx --out n.pem";
    assert_eq!(bundled(sandbox.pki(line)).0, 3);
    // What is named is not left out.
    let line = "--format json bundle --add below.crt --out other.pem";
    assert_eq!(error_of(sandbox.pki(line))["code"], "chain-incomplete");
    assert!(!sandbox.path("other.pem").exists());
}

#[test]
fn other_previous_certificates_stay_in_the_bundle() {
    let sandbox = ca_below_a_renewed_one();
    for line in ["ca renew --ca below", "ca renew --ca rootCA"] {
        sandbox.pki(line).succeeds();
    }
    sandbox.pki("ca renew --ca below").succeeds();
    revoke_first(&sandbox, "superseded");
    // Two of rootCA, the second of inter0, and the second and third of below.
    let (count, rules) = bundled(sandbox.pki("--format json bundle --out t.pem"));
    assert_eq!(count, 5);
    assert_eq!(rules, ["previous-left-out"]);
}

#[test]
fn crls_are_signed_if_the_certificates_in_force_are_valid() {
    let sandbox = ca_below_a_renewed_one();
    sandbox.pki_at("+40d", "crl --ca below --to-pem").succeeds();
    let line = "crl -noout -in pki/crl/below.crl -inform DER -CAfile pki/below/ca.crt";
    sandbox.run("openssl", line).succeeds();
    // Beyond the end of the second certificate of inter0.
    let error = error_of(sandbox.pki_at("+1200d", "--format json crl --ca inter0"));
    assert_eq!(error["code"], "ca-unusable", "{error}");
}

#[test]
fn issuing_below_an_expired_certificate_names_the_renewal() {
    let sandbox = ca_below_a_renewed_one();
    let issue = "--format json issue --ca below --cn a --days 30 --out out --no-passphrase";
    assert_names_renewal(&error_of(sandbox.pki_at("+40d", issue)), "ca-unusable");
    sandbox.pki_at("+40d", "ca renew --ca below").succeeds();
    sandbox.pki_at("+40d", issue).succeeds();
    let line =
        "-f +41d openssl verify -CAfile pki/rootCA/ca.crt -untrusted out/a.chain.pem out/a.crt";
    sandbox.run("faketime", line).succeeds();
    // Nothing names another certificate, so that no renewal of a CA below repairs it.
    let error = error_of(sandbox.pki_at("+1200d", issue));
    assert!(!error["hint"].to_string().contains("--ca below"), "{error}");
}

#[test]
fn issuing_below_a_revoked_certificate_names_the_renewal() {
    let sandbox = ca_below_a_renewed_one();
    revoke_first(&sandbox, "superseded");
    let issue = "--format json issue --ca below --cn a --days 30 --out out --no-passphrase";
    assert_names_renewal(&error_of(sandbox.pki(issue)), "ca-revoked");
    sandbox.pki("crl --ca below").succeeds();
    // The CA may ask for a certificate, too.
    let line = "ca renew --ca below --request again.csr";
    sandbox.pki(line).succeeds();
    sandbox.pki("ca renew --ca below").succeeds();
    sandbox.pki(issue).succeeds();
    let line = "verify -CAfile pki/rootCA/ca.crt -untrusted out/a.chain.pem out/a.crt";
    sandbox.run("openssl", line).succeeds();
}

#[test]
fn no_renewal_is_named_below_a_compromised_key() {
    let sandbox = ca_below_a_renewed_one();
    revoke_first(&sandbox, "keyCompromise");
    let issue = "--format json issue --ca below --cn a --days 30";
    let error = error_of(sandbox.pki(issue));
    assert_eq!(error["code"], "ca-revoked", "{error}");
    assert!(!error["hint"].to_string().contains("--ca below"), "{error}");
}

/// The CA below names the first certificate of `inter0`, which nobody revoked.
#[test]
fn nothing_is_issued_below_a_ca_whose_certificate_is_revoked() {
    let sandbox = ca_below_a_renewed_one();
    let current = sandbox.pki("--format json show --ca inter0").succeeds();
    let serial = current.json()["serial_number"].as_str().unwrap().to_owned();
    let issue = "--format json issue --ca below --cn a --days 30";
    sandbox.pki(issue).succeeds();
    let line = format!("revoke --ca rootCA --serial 0x{serial} --reason cessationOfOperation");
    sandbox.pki(&line).succeeds();
    let error = error_of(sandbox.pki(issue));
    assert_eq!(error["code"], "ca-revoked", "{error}");
    assert!(!error["hint"].to_string().contains("--ca below"), "{error}");
    sandbox.pki("crl --ca below").succeeds();
}

crate::engine::also_in_a_database! {
    other_previous_certificates_stay_in_the_bundle, no_renewal_is_named_below_a_compromised_key,
    nothing_is_issued_below_a_ca_whose_certificate_is_revoked,
}

crate::engine::soak_in_a_database! {
    bundle_leaves_out_what_names_an_expired_certificate, bundle_leaves_out_what_names_a_revoked_certificate,
    crls_are_signed_if_the_certificates_in_force_are_valid,
    issuing_below_an_expired_certificate_names_the_renewal,
    issuing_below_a_revoked_certificate_names_the_renewal,
}
