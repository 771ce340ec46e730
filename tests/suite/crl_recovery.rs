//! Revocations that the journal lost are taken from the last CRL.

use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

const REVOKED: &str = "pki/rootCA/revoked.jsonl";

/// A CA with two revocations, of which the first copy of its journal has none, and the CRL of both.
fn lost() -> (Sandbox, [String; 2]) {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let serials = ["first", "second"].map(|cn| sandbox.issued("rootCA", cn));
    fs::copy(sandbox.path(REVOKED), sandbox.path("older.jsonl")).unwrap();
    for line in [
        "revoke --ca rootCA --cn first --reason keyCompromise --invalidity-date -1d",
        "revoke --ca rootCA --cn second",
        "crl --to-pem",
    ] {
        sandbox.pki(line).succeeds();
    }
    (sandbox, serials)
}

fn put_back(sandbox: &Sandbox) {
    fs::copy(sandbox.path("older.jsonl"), sandbox.path(REVOKED)).unwrap();
}

#[test]
fn lost_revocations_are_recorded_again_and_listed() {
    let (sandbox, serials) = lost();
    let entries = |sandbox: &Sandbox| {
        let shown = sandbox.run("openssl", "crl -noout -text -in pki/crl/rootCA.crl.pem");
        let text = shown.succeeds().stdout;
        let begin = text.find("Revoked Certificates:").unwrap();
        let end = text
            .find("    Signature Algorithm: ecdsa-with-SHA256\n    Signature Value")
            .unwrap();
        text[begin..end].to_owned()
    };
    let before = entries(&sandbox);
    put_back(&sandbox);
    let signed = sandbox.pki("crl --to-pem").succeeds();
    assert_text(
        &normalised(&signed.stderr),
        expect![[r#"
            notice: rootCA: 2 revocations were missing from the record and are restored from CRL number 1; later ones are lost
        "#]],
    );
    assert_eq!(entries(&sandbox), before);
    for serial in &serials {
        assert!(before.contains(serial), "{before}");
    }
    let listed = sandbox
        .pki("--format json list --status revoked")
        .succeeds();
    let reasons = |listed: &serde_json::Value| {
        let all = listed.as_array().unwrap().iter();
        all.map(|entry| entry["reason"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&listed.json()), ["keyCompromise", "unspecified"]);
    let jq = sandbox
        .run("jq", "-s")
        .arg("map(select(.revoked)) | length");
    assert_eq!(jq.arg(REVOKED).succeeds().stdout, "2\n");
    sandbox.pki("check").succeeds();
    // The compromised key stays refused, and what follows is as ever.
    let again = sandbox.pki("crl").succeeds();
    assert!(!again.stderr.contains("missing"), "{again}");
}

#[test]
fn lost_revocations_are_damage_without_the_last_crl() {
    let (sandbox, _) = lost();
    let older = fs::read(sandbox.path("pki/crl/rootCA.crl")).unwrap();
    sandbox.pki("crl").succeeds();
    put_back(&sandbox);
    let damage = |sandbox: &Sandbox| {
        let before = sandbox.store_snapshot();
        sandbox.pki("crl").refuses(1, "revocations-lost", expect![[r#"
            error: the store is damaged: ./pki/rootCA/revoked.jsonl has lost revocations that CRL number 2 covers
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]]);
        before.assert_unchanged(&sandbox.path("pki"));
    };
    // An older CRL, another place, and none at all.
    sandbox.write("pki/crl/rootCA.crl", older);
    damage(&sandbox);
    sandbox
        .pki("crl --out elsewhere")
        .refuses(1, "revocations-lost", expect![[r#"
            error: the store is damaged: ./pki/rootCA/revoked.jsonl has lost revocations that CRL number 2 covers
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]]);
    fs::remove_file(sandbox.path("pki/crl/rootCA.crl")).unwrap();
    damage(&sandbox);
}

#[test]
fn a_revocation_lost_with_its_certificate_is_damage() {
    let (sandbox, _) = lost();
    let issued = "pki/rootCA/issued.jsonl";
    let lines = sandbox.read(issued);
    let kept = lines.lines().take(2).map(|line| format!("{line}\n"));
    sandbox.write(issued, kept.collect::<String>());
    put_back(&sandbox);
    sandbox.pki("crl").refuses(1, "revocations-lost", expect![[r#"
        error: the store is damaged: ./pki/rootCA/revoked.jsonl has lost revocations that CRL number 1 covers
        hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
    "#]]);
}

/// The journal has the hold, and the CRL what came after it.
#[test]
fn a_hold_becomes_what_the_last_crl_says() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let serial = sandbox.issued("rootCA", "held");
    let hold = "revoke --ca rootCA --cn held --reason certificateHold";
    sandbox.pki(hold).succeeds();
    fs::copy(sandbox.path(REVOKED), sandbox.path("older.jsonl")).unwrap();
    for line in ["revoke --ca rootCA --cn held --reason keyCompromise", "crl"] {
        sandbox.pki(line).succeeds();
    }
    put_back(&sandbox);
    sandbox.pki("crl --to-pem --for nginx").succeeds();
    let shown = sandbox.run("openssl", "crl -noout -text -in pki/crl/rootCA.crl.pem");
    let text = shown.succeeds().stdout;
    assert!(
        text.contains(&serial) && text.contains("Key Compromise"),
        "{text}"
    );
    sandbox
        .pki("revoke --ca rootCA --cn held --release")
        .ends_with(1);
}
