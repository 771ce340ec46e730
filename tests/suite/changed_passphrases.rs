//! `pki passphrase`.

use std::fs;

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// A root with leaf keys, under a passphrase.
fn protected() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("old", "the old one");
    sandbox.write("new", "the new one");
    for line in [
        "root --name rootCA --passout file:old",
        "issue --ca rootCA --cn a --passin file:old",
        "issue --ca rootCA --cn b --passin file:old",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

fn change(sandbox: &Sandbox) -> Run {
    sandbox.pki("passphrase --ca rootCA --passin file:old --passout file:new")
}

/// Returns the passphrase that opens every key of the CA; the other must open none.
fn opened_by(sandbox: &Sandbox) -> &'static str {
    let opens = |passphrase: &str| {
        let lines = [
            "crl --ca rootCA".to_owned(),
            format!("export --ca rootCA --cn a --out {passphrase}.a --no-passphrase --force"),
            format!("export --ca rootCA --cn b --out {passphrase}.b --no-passphrase --force"),
        ];
        let opened = lines.map(|line| {
            let line = format!("{line} --passin file:{passphrase}");
            sandbox.pki(&line).finish().status == Some(0)
        });
        assert!(opened == [true; 3] || opened == [false; 3], "{opened:?}");
        opened[0]
    };
    match (opens("old"), opens("new")) {
        (true, false) => "old",
        (false, true) => "new",
        other => panic!("opened by old, by new: {other:?}"),
    }
}

#[test]
fn every_key_of_a_ca_gets_the_new_passphrase() {
    let sandbox = protected();
    let changed = change(&sandbox).succeeds();
    assert_text(
        &changed.stdout,
        expect![[r#"
            changed the passphrase of the keys of rootCA
              keys  its own and 2 leaf keys
        "#]],
    );
    assert_eq!(opened_by(&sandbox), "new");
    let keys = sandbox.names_in("pki/rootCA");
    let keys: Vec<&String> = keys.iter().filter(|name| name.contains("key")).collect();
    assert_eq!(keys, ["ca-1.key", "keys-1"]);
    let open = "pkey -noout -in pki/rootCA/ca-1.key -passin file:new";
    sandbox.run("openssl", open).succeeds();
    for line in [
        "issue --ca rootCA --cn c --passin file:new",
        "export --ca rootCA --cn a --out out --passin file:new --no-passphrase",
        "backup a.tar",
        "--store restored restore a.tar",
        "--store restored issue --ca rootCA --cn d --passin file:new",
        "passphrase --ca rootCA --passin file:new --no-passphrase",
        "issue --ca rootCA --cn e",
    ] {
        sandbox.pki(line).succeeds();
    }
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    let sandbox = protected();
    let wrong = sandbox.pki("passphrase --ca rootCA --passin file:new --passout file:new");
    sandbox.refused(wrong, 1, "passphrase-wrong", expect![[r#"
        error: key ./pki/rootCA/ca.key cannot be used
        caused by: the passphrase is wrong
        hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
    "#]]);
    assert_eq!(opened_by(&sandbox), "old");
}

#[test]
fn variables_give_no_new_passphrase() {
    let sandbox = protected();
    let run = sandbox
        .pki("passphrase --ca rootCA")
        .env("PKI_PASSPHRASE_FILE", "old");
    sandbox.refused(
        run,
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the keys of rootCA (new)
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, or use --no-passphrase
        "#]],
    );
}

#[test]
fn an_interrupted_change_is_undone_by_the_next_command() {
    let sandbox = protected();
    sandbox.write("pki/.keys-rootCA", "");
    sandbox.write("pki/rootCA/ca-1.key", "half");
    fs::create_dir(sandbox.path("pki/rootCA/keys-1")).unwrap();
    let next = sandbox.pki("tree").succeeds();
    assert_text(
        &next.stderr,
        expect![[r#"
        notice: an interrupted command had left keys of rootCA that do not count; they were removed
    "#]],
    );
    assert_eq!(opened_by(&sandbox), "old");
    assert!(!sandbox.path("pki/rootCA/ca-1.key").exists());
    change(&sandbox).succeeds();
    assert_eq!(opened_by(&sandbox), "new");
}

#[test]
fn a_change_without_its_record_is_recorded_by_a_repair() {
    let sandbox = protected();
    change(&sandbox).succeeds();
    fs::remove_file(sandbox.path("pki/rootCA/changes.jsonl")).unwrap();
    sandbox.write("pki/.keys-rootCA", "");
    let repaired = sandbox.pki("check --repair --no-input").finish();
    assert_text(
        &repaired.stdout,
        expect![[r#"
        repaired
          leftover  an interrupted command had left keys of rootCA that do not count; they were removed
        store ok: 1 CA, 3 certificates, 0 revoked
    "#]],
    );
    let log = sandbox.pki("--format json log").succeeds().json();
    let events = log.as_array().unwrap().iter();
    let changes = events.filter(|entry| entry["event"] == "passphrase-changed");
    assert_eq!(changes.count(), 1);
    assert_eq!(opened_by(&sandbox), "new");
}

#[test]
fn a_key_file_gets_the_new_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.write("old", "the old one");
    sandbox.write("new", "the new one");
    let key = "genpkey -algorithm ed25519 -aes256 -pass file:old -out a.key";
    sandbox.run("openssl", key).succeeds();
    let change = "passphrase a.key --passin file:old --passout file:new";
    sandbox.pki(change).succeeds();
    let open = "pkey -noout -in a.key -passin file:new";
    sandbox.run("openssl", open).succeeds();
    let with_certificate =
        sandbox.read("a.key") + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    sandbox.write("both.pem", with_certificate);
    let run = sandbox.pki("passphrase both.pem --passin file:new --no-passphrase");
    sandbox.refused(
        run,
        1,
        "key-not-alone",
        expect![[r#"
        error: key both.pem cannot be used
        caused by: its file has other objects beside it
    "#]],
    );
}

crate::engine::also_in_a_database! {
    every_key_of_a_ca_gets_the_new_passphrase, a_wrong_passphrase_changes_nothing,
    variables_give_no_new_passphrase,
}
