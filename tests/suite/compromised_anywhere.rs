//! A key revoked as compromised by one CA, at the other CAs of the store.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

/// Makes CSRs for two keys, and for two that the owner of those has too.
const TWINS: &str = "twin_keys.py";

fn with_cas() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name top --no-passphrase",
        "root --name other --no-passphrase",
        "subordinate --ca top --name one --no-passphrase",
        "subordinate --ca top --name two --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

#[track_caller]
fn refuses(sandbox: &Sandbox, line: &str, whose: &str) {
    let said = sandbox.refusal(sandbox.pki(line), 1, "key-compromised");
    assert!(said.contains(whose), "{said}");
}

/// Makes the journal of revocations of a CA what earlier versions wrote: without the hashes of keys.
fn forget_keys(sandbox: &Sandbox, ca: &str) {
    let journal = format!("pki/{ca}/revoked.jsonl");
    let mut check = "0".repeat(32);
    let mut text = String::new();
    for line in sandbox.read(&journal).lines() {
        let (body, _) = line.rsplit_once(",\"check\":").unwrap();
        let body = match body.split_once(",\"key\":\"") {
            Some((before, after)) => format!("{before}{}", &after[65..]),
            None => body.to_owned(),
        };
        let hash = xxhash_rust::xxh3::xxh3_128(format!("{check}{body}").as_bytes());
        check = format!("{hash:032x}");
        writeln!(text, "{body},\"check\":\"{check}\"}}").unwrap();
    }
    sandbox.write(&journal, text);
}

#[test]
fn no_ca_certifies_a_key_that_another_revoked_as_compromised() {
    let sandbox = with_cas();
    sandbox.python(TWINS).succeeds();
    for kind in ["rsa", "ec"] {
        sandbox
            .pki(&format!("issue --ca one --csr {kind}.csr"))
            .succeeds();
        // The same key is certified before as well, to be renewed then.
        sandbox
            .pki(&format!("issue --ca two --csr {kind}.csr"))
            .succeeds();
        let revoke = format!("revoke --ca one --cn {kind} --reason keyCompromise");
        sandbox.pki(&revoke).succeeds();
    }
    for is_old in [false, true] {
        if is_old {
            forget_keys(&sandbox, "one");
            assert!(!sandbox.read("pki/one/revoked.jsonl").contains("\"key\""));
        }
        for kind in ["rsa", "ec", "rsa-twin", "ec-twin"] {
            for ca in ["one", "two", "top", "other"] {
                refuses(
                    &sandbox,
                    &format!("issue --ca {ca} --csr {kind}.csr"),
                    "the key",
                );
                let line = format!("subordinate --ca {ca} --csr {kind}.csr --out ca.crt");
                if ca == "top" || ca == "other" {
                    refuses(&sandbox, &line, "the key");
                }
            }
            sandbox.write("rows.csv", format!("csr\n{kind}.csr\n"));
            let batch = sandbox.pki("issue --ca other --from rows.csv");
            let said = sandbox.refusal(batch, 1, "invalid-row");
            assert!(said.contains("the key is compromised"), "{said}");
        }
        for kind in ["rsa", "ec"] {
            refuses(&sandbox, &format!("renew --ca two --cn {kind}"), "the key");
        }
    }
    sandbox.pki("issue --ca one --cn fresh").succeeds();
    sandbox.pki("check").succeeds();
}

#[test]
fn other_reasons_and_other_keys_stand_in_no_way() {
    let sandbox = with_cas();
    sandbox.python(TWINS).succeeds();
    sandbox.pki("issue --ca one --csr ec.csr").succeeds();
    sandbox
        .pki("revoke --ca one --cn ec --reason superseded")
        .succeeds();
    sandbox.pki("issue --ca one --csr rsa.csr").succeeds();
    sandbox
        .pki("revoke --ca one --cn rsa --reason keyCompromise")
        .succeeds();
    for ca in ["one", "two", "other"] {
        sandbox
            .pki(&format!("issue --ca {ca} --csr ec.csr"))
            .succeeds();
    }
}

#[test]
fn a_ca_whose_key_any_ca_revoked_as_compromised_signs_nothing() {
    let sandbox = with_cas();
    sandbox
        .run(
            "openssl",
            "req -new -key pki/two/ca.key -subj /CN=leaf -out leaf.csr",
        )
        .succeeds();
    sandbox.pki("issue --ca one --csr leaf.csr").succeeds();
    sandbox
        .pki("revoke --ca one --cn leaf --reason keyCompromise")
        .succeeds();
    for line in [
        "issue --ca two --cn new",
        "subordinate --ca two --name below --no-passphrase",
        "ca renew --ca two",
    ] {
        refuses(&sandbox, line, "the key of two");
    }
    // Its CRL it still signs.
    sandbox.pki("crl --ca two").succeeds();
    sandbox.pki("issue --ca one --cn new").succeeds();
}

#[test]
fn no_ca_is_cross_signed_or_installed_with_a_compromised_key() {
    let sandbox = with_cas();
    sandbox
        .pki("subordinate --name pending --request pending.csr --no-passphrase")
        .succeeds();
    sandbox
        .pki("subordinate --ca other --csr pending.csr --out pending.crt")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "req -new -key pki/.waiting-pending/ca.key -subj /CN=leaf -out leaf.csr",
        )
        .succeeds();
    sandbox.pki("issue --ca one --csr leaf.csr").succeeds();
    sandbox
        .run(
            "openssl",
            "req -new -key pki/other/ca.key -subj /CN=root -out root.csr",
        )
        .succeeds();
    sandbox.pki("issue --ca one --csr root.csr").succeeds();
    sandbox
        .pki("revoke --ca one --cn leaf --reason keyCompromise")
        .succeeds();
    refuses(
        &sandbox,
        "subordinate --name pending --install pending.crt",
        "the key",
    );
    sandbox
        .pki("revoke --ca one --cn root --reason keyCompromise")
        .succeeds();
    refuses(
        &sandbox,
        "ca cross-sign --ca top --with other",
        "the key of other",
    );
}

crate::engine::also_in_a_database! {
    other_reasons_and_other_keys_stand_in_no_way, a_ca_whose_key_any_ca_revoked_as_compromised_signs_nothing,
    no_ca_is_cross_signed_or_installed_with_a_compromised_key,
}
