//! Certificates that a CA's key signed and of which the store has no record: `pki revoke --cert` records and
//! revokes them, and openssl sees the revocation.

use expect_test::expect;
use serde_json::Value;

use crate::normalise::normalised;
use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

impl Sandbox {
    /// `NAME.crt`, which openssl signs with the key of `intermediate0`.
    pub(crate) fn signed_elsewhere(&self, name: &str, options: &str) {
        self.run("openssl", "req -new -newkey ec -pkeyopt")
            .words("ec_paramgen_curve:P-256 -nodes -keyout")
            .words(&format!("{name}.key -out {name}.csr -subj /CN={name}"))
            .succeeds();
        self.run("openssl", "x509 -req -days 30 -CA pki/intermediate0/ca.crt")
            .words("-CAkey pki/intermediate0/ca.key")
            .words(&format!("-in {name}.csr -out {name}.crt {options}"))
            .succeeds();
    }
}

fn with_unrecorded(options: &str) -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.signed_elsewhere("lost", options);
    sandbox
}

/// openssl's verdict about `lost.crt`, with the CRLs of the store.
fn verified(sandbox: &Sandbox) -> Run {
    sandbox.pki("crl --to-pem --chain").succeeds();
    sandbox
        .run("openssl", "verify -crl_check_all -CAfile pki/rootCA/ca.crt")
        .words("-untrusted pki/intermediate0/ca.crt")
        .words("-CRLfile pki/crl/intermediate0.chain.crl.pem lost.crt")
}

fn listed(sandbox: &Sandbox) -> Value {
    let line = "--format json list --ca intermediate0";
    sandbox.pki(line).succeeds().json()
}

#[test]
fn an_unrecorded_certificate_is_adopted_and_revoked() {
    let sandbox = with_unrecorded("-set_serial 0x77");
    verified(&sandbox).succeeds();
    assert_eq!(listed(&sandbox).as_array().unwrap().len(), 0);
    // The CA is found by the certificate.
    let line = "--format json revoke --cert lost.crt --reason superseded";
    let revoked = sandbox.pki(line).succeeds();
    assert_eq!(revoked.json()["ca"], "intermediate0");
    assert_eq!(revoked.json()["serial"], "77");
    assert_eq!(revoked.json()["already"], false);
    assert_eq!(revoked.json()["adopted"], true);
    assert_text(
        &normalised(&revoked.text_of_stderr()),
        expect![[r#"
            notice: 77 was not on record; the key of intermediate0 signed it, so it is recorded now
        "#]],
    );
    let entry = &listed(&sandbox)[0];
    assert_eq!(entry["status"], "revoked");
    assert_eq!(entry["profile"], "imported");
    assert_eq!(entry["subject"], "CN=lost");
    let refused = verified(&sandbox).finish();
    assert!(refused.stderr.contains("certificate revoked"), "{refused}");
    // Adopted once, it is a certificate like any other.
    let again = sandbox.pki("--format json revoke --cert lost.crt");
    let again = again.succeeds();
    assert_eq!(again.json()["already"], true);
    assert_eq!(again.json()["adopted"], false);
    assert_eq!(again.stderr, "");
    sandbox.pki("check").succeeds();
    sandbox.pki("verify lost.crt").ends_with(3);
}

#[test]
fn new_serial_numbers_stay_above_an_adopted_one() {
    // A number that a counter reaches, and one that none comes near.
    for (serial, length) in [("0x0500000000000000AA", 18), ("0x51", 18)] {
        let sandbox = with_unrecorded(&format!("-set_serial {serial}"));
        sandbox.pki("revoke --cert lost.crt").succeeds();
        let next = sandbox.issued("intermediate0", "next");
        assert_eq!(next.len(), length, "{next}");
        let above = serial.len() == length + 2;
        assert_eq!(next.starts_with("06"), above, "{next} after {serial}");
        sandbox.pki("check").succeeds();
    }
}

#[test]
fn a_chain_and_der_are_read_and_the_first_is_meant() {
    let sandbox = with_unrecorded("-set_serial 0x78");
    sandbox
        .run("openssl", "x509 -in lost.crt -outform DER -out lost.der")
        .succeeds();
    let chain = sandbox.read("lost.crt") + &sandbox.read("pki/intermediate0/ca.crt");
    sandbox.write("chain.pem", chain);
    sandbox.pki("revoke --cert chain.pem").succeeds();
    let again = sandbox.pki("--format json revoke --cert lost.der");
    assert_eq!(again.succeeds().json()["already"], true);
    // A CA is revoked by the CA above it, which is found too.
    let line = "--format json revoke --cert pki/intermediate0/ca.crt";
    assert_eq!(sandbox.pki(line).succeeds().json()["ca"], "rootCA");
}

#[test]
fn a_serial_number_that_cannot_be_recorded_is_refused() {
    let sandbox = with_unrecorded("-set_serial -5");
    sandbox.pki("revoke --cert lost.crt").refuses(
        1,
        "invalid-serial",
        expect![[r#"
            error: the certificate lost.crt cannot be recorded
            caused by: a serial number is greater than zero
        "#]],
    );
    assert_eq!(listed(&sandbox).as_array().unwrap().len(), 0);
}

#[test]
fn a_ca_is_needed_without_a_certificate() {
    let sandbox = Sandbox::with_open_ca();
    let refused = sandbox.pki("revoke --serial 0x77").ends_with(2);
    assert!(refused.stderr.contains("--ca"), "{refused}");
}

#[test]
fn a_certificate_that_another_key_signed_is_not_adopted() {
    let sandbox = with_unrecorded("-set_serial 0x77");
    // By the certificate alone, and by a CA that is not its issuer.
    for line in [
        "req -x509 -newkey rsa:2048 -nodes -keyout forged.key -subj /CN=intermediate0 -days 9 -out forger.crt",
        "x509 -req -in lost.csr -CA forger.crt -CAkey forged.key -set_serial 9 -days 9 -out forged.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    for (line, named) in [
        ("revoke --cert forged.crt", true),
        ("revoke --ca intermediate0 --cert forged.crt", true),
        ("revoke --ca rootCA --cert lost.crt", false),
    ] {
        let refused = sandbox.pki("--format json").words(line).ends_with(1);
        let error = refused.error();
        assert_eq!(error["code"], "not-issued-by-ca", "{refused}");
        let message = error["message"].as_str().unwrap();
        assert_eq!(message.contains("names it as issuer"), named, "{refused}");
        assert_eq!(error["hint"].is_null(), named, "{refused}");
    }
    assert_eq!(listed(&sandbox).as_array().unwrap().len(), 0);
}

crate::engine::also_in_a_database! {
    an_unrecorded_certificate_is_adopted_and_revoked, new_serial_numbers_stay_above_an_adopted_one,
    a_chain_and_der_are_read_and_the_first_is_meant, a_serial_number_that_cannot_be_recorded_is_refused,
    a_ca_is_needed_without_a_certificate, a_certificate_that_another_key_signed_is_not_adopted,
}
