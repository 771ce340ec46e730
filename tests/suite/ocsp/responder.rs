//! Certificates of responders: when they are issued, used and replaced.

use std::fs;

use crate::sandbox::{PASSPHRASE, Sandbox};

const LINE: &str = "ocsp --ca intermediate0 --out responses --format json";

/// The serial number of the responder whose certificate is in the response of `good`.
fn signer(sandbox: &Sandbox, cn: &str) -> String {
    let serial = sandbox.serial_of_cn("intermediate0", cn);
    let line = "ocsp -resp_text -noverify -respin";
    let text = sandbox
        .run("openssl", line)
        .arg(format!("responses/intermediate0/staple/{serial}.ocsp"))
        .succeeds();
    let (_, certificate) = text.stdout.split_once("\nCertificate:").unwrap();
    let (_, serial) = certificate.split_once("Serial Number:").unwrap();
    let serial = serial.trim_start().lines().next().unwrap();
    serial.replace(':', "").to_uppercase()
}

#[test]
fn a_responder_is_issued_once_and_used_again() {
    let sandbox = Sandbox::with_clients(["", ""]);
    let first = sandbox.pki(LINE).succeeds();
    assert!(first.stderr.contains("issued a certificate"), "{first}");
    let issued = sandbox.responders();
    assert_eq!(issued.len(), 1);
    assert_eq!(signer(&sandbox, "good"), issued[0]);
    let second = sandbox.pki(LINE).succeeds();
    assert_eq!(second.stderr, "", "{second}");
    // The responder has a response too.
    assert_eq!(second.json()[0]["certificates"], 4);
    assert_eq!(sandbox.responders(), issued);
    let single = "ocsp --ca intermediate0 --cn good --out staple";
    assert_eq!(sandbox.pki(single).succeeds().stderr, "");
    assert_eq!(sandbox.responders(), issued);
    // With the CA's key, there is none.
    let by_ca = sandbox.pki(LINE).arg("--by-ca").succeeds();
    assert_eq!(by_ca.json()[0]["signer"], "CN=intermediate0");
    sandbox.checked("--ca intermediate0 --out responses", 0);
    let kept = sandbox.pki(LINE).words("--by-ca --if-needed").succeeds();
    assert_eq!(kept.json()[0]["signed"], 0);
    let back = sandbox.pki(LINE).arg("--if-needed").succeeds();
    assert_eq!(back.json()[0]["signed"], 8);
    assert_eq!(sandbox.responders(), issued);
}

#[test]
fn a_responder_is_replaced_before_responses_outlive_it() {
    let sandbox = Sandbox::new();
    let at = |moment: &str, line: &str| sandbox.pki_at(&format!("2031-{moment} 12:00:00"), line);
    for line in [
        "root --name intermediate0 --no-passphrase",
        "issue --ca intermediate0 --cn good --out out --no-passphrase",
        LINE,
    ] {
        at("01-01", line).succeeds();
    }
    let first = sandbox.responders();
    assert_eq!(first.len(), 1);
    // It is valid for 90 days: 2031-04-01.
    assert_eq!(at("03-25", LINE).succeeds().stderr, "");
    assert_eq!(signer(&sandbox, "good"), first[0]);
    let replaced = at("03-26", LINE).succeeds();
    assert!(
        replaced.stderr.contains("issued a certificate"),
        "{replaced}"
    );
    let both = sandbox.responders();
    assert_eq!(both.len(), 2);
    assert_eq!(both[0], first[0]);
    assert_eq!(signer(&sandbox, "good"), both[1]);
    // Responses for longer than that need one for longer.
    let long = format!("{LINE} --days 100");
    let replaced = at("03-27", &long).succeeds();
    assert!(
        replaced.stderr.contains("issued a certificate"),
        "{replaced}"
    );
    assert_eq!(at("03-28", &long).succeeds().stderr, "");
    assert_eq!(sandbox.responders().len(), 3);
}

#[test]
fn a_revoked_responder_is_replaced() {
    let sandbox = Sandbox::with_clients(["", ""]);
    sandbox.pki(LINE).succeeds();
    let first = sandbox.responders();
    sandbox
        .pki("revoke --ca intermediate0 --serial")
        .arg(&first[0])
        .words("--reason keyCompromise")
        .succeeds();
    let replaced = sandbox.pki(LINE).arg("--if-needed").succeeds();
    assert!(
        replaced.stderr.contains("issued a certificate"),
        "{replaced}"
    );
    let both = sandbox.responders();
    assert_eq!(both.len(), 2);
    assert_eq!(signer(&sandbox, "good"), both[1]);
    let serial = &first[0];
    let staple = format!("responses/intermediate0/staple/{serial}.ocsp");
    let read = sandbox.read_responses(&[sandbox.path(staple)]);
    assert_eq!(read[0].status, "REVOKED");
}

#[test]
fn an_own_responder_of_the_profile_is_used() {
    let sandbox = Sandbox::with_clients(["", ""]);
    sandbox
        .pki("issue --ca intermediate0 --profile ocsp --cn own --days 200 --key-type p384")
        .succeeds();
    let signed = sandbox.pki(LINE).succeeds();
    assert_eq!(signed.stderr, "", "{signed}");
    assert_eq!(signed.json()[0]["signer"], "CN=own");
}

#[test]
fn the_key_of_a_responder_survives_check_and_restore() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
        "issue --ca intermediate0 --cn good",
        LINE,
        "check",
        "backup store.tar",
    ] {
        sandbox.with_passphrase(line).succeeds();
    }
    let first = sandbox.responders();
    fs::rename(sandbox.path("pki"), sandbox.path("away")).unwrap();
    sandbox.with_passphrase("restore store.tar").succeeds();
    sandbox.with_passphrase("check").succeeds();
    let signed = sandbox.with_passphrase(LINE).succeeds();
    assert_eq!(signed.stderr, "", "{signed}");
    assert_eq!(sandbox.responders(), first);
    assert_eq!(signer(&sandbox, "good"), first[0]);
    // The key is under the passphrase of the CA.
    let key = sandbox.pki(LINE).arg("--no-input").ends_with(1);
    assert!(key.stderr.contains("passphrase"), "{key}");
    sandbox.write("pass", PASSPHRASE);
    let run = sandbox.pki(LINE).words("--passin file:pass");
    run.succeeds();
}

crate::engine::also_in_a_database! {
    a_responder_is_issued_once_and_used_again, a_responder_is_replaced_before_responses_outlive_it,
    a_revoked_responder_is_replaced, an_own_responder_of_the_profile_is_used,
}
