//! `pki ca remove`.

use std::fs;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// A root, and a CA that it revoked, which has issued.
fn with_revoked_ca() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.issued("intermediate0", "a");
    let revoke = "revoke --ca rootCA --cn intermediate0 --reason cessationOfOperation";
    sandbox.pki(revoke).succeeds();
    sandbox
}

#[test]
fn a_revoked_ca_is_removed_and_its_name_stays_reserved() {
    let sandbox = with_revoked_ca();
    let removed = sandbox.pki("ca remove --ca intermediate0 --backup before.tar");
    assert_text(
        &removed.succeeds().stdout,
        expect![[r#"
            removed the CA intermediate0
              backup  before.tar
        "#]],
    );
    assert_text(
        &sandbox.names_in("pki/.removed-intermediate0").join("\n"),
        expect![[r#"
            ca.crt
            ca.json
            changes.jsonl
            crlnumber
            crls.jsonl
            issued.jsonl
            lock
            revoked.jsonl
            serial
        "#]],
    );
    let mut said = String::new();
    for line in [
        "list --ca intermediate0",
        "issue --ca intermediate0 --cn b",
        "subordinate --ca rootCA --name intermediate0 --no-passphrase",
        "root --name intermediate0 --no-passphrase",
        "ca remove --ca intermediate0 --backup again.tar",
    ] {
        said += &sandbox.refusal(sandbox.pki(line), 1, "ca-removed");
    }
    assert_text(
        &said,
        expect![[r#"
            error: CA intermediate0 was removed
            hint: its name is not used again; `pki log` shows its records
            error: CA intermediate0 was removed
            hint: its name is not used again; `pki log` shows its records
            error: CA intermediate0 was removed
            hint: its name is not used again; `pki log` shows its records
            error: CA intermediate0 was removed
            hint: its name is not used again; `pki log` shows its records
            error: CA intermediate0 was removed
            hint: its name is not used again; `pki log` shows its records
        "#]],
    );
    let check = sandbox.pki("check").succeeds();
    assert!(!check.stdout.contains("removed"), "{check}");
    let log = sandbox.pki("log --ca intermediate0").succeeds().stdout;
    assert!(log.contains("CN=a") && log.contains("removed"), "{log}");
}

#[test]
fn the_backup_has_the_keys_and_a_later_one_keeps_the_name() {
    let sandbox = with_revoked_ca();
    sandbox
        .pki("ca remove --ca intermediate0 --backup before.tar")
        .succeeds();
    sandbox.pki("--store before restore before.tar").succeeds();
    assert!(sandbox.path("before/intermediate0/ca.key").exists());
    sandbox.pki("backup after.tar").succeeds();
    sandbox.pki("--store after restore after.tar").succeeds();
    let line = "--store after root --name intermediate0 --no-passphrase";
    sandbox.pki(line).refuses(
        1,
        "ca-removed",
        expect![[r#"
        error: CA intermediate0 was removed
        hint: its name is not used again; `pki --store after log` shows its records
    "#]],
    );
}

#[test]
fn a_pending_ca_is_removed_and_its_name_is_free() {
    let sandbox = Sandbox::new();
    let request = "subordinate --name pending --request pending.csr --no-passphrase";
    sandbox.pki(request).succeeds();
    let remove = "ca remove --ca pending --backup before.tar";
    sandbox.pki(remove).succeeds();
    assert_eq!(sandbox.names_in("pki"), ["lock", "store.json"]);
    sandbox
        .pki("root --name pending --no-passphrase")
        .succeeds();
}

#[test]
fn a_ca_that_can_still_sign_stays() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for (line, status, code) in [
        ("--ca intermediate0 --backup a.tar", 1, "ca-still-valid"),
        ("--ca rootCA --backup a.tar", 1, "ca-has-cas-below"),
        ("--ca other --backup a.tar", 1, "ca-not-found"),
        ("--ca rootCA --backup -", 2, "usage"),
    ] {
        let run = sandbox.pki("ca remove").words(line);
        said += &sandbox.refusal(run, status, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: the certificate of intermediate0 is valid until [time], and not revoked
            hint: revoke its certificate first, if it has a parent CA, or keep intermediate0 until then
            error: rootCA has CAs below it: intermediate0
            hint: remove those first
            error: CA other not found in the store
            hint: the store has intermediate0, rootCA
            error: --backup has to be a file here, not -
        "#]],
    );
    assert!(!sandbox.path("a.tar").exists());
}

#[test]
fn an_expired_ca_is_removed() {
    let sandbox = Sandbox::with_open_ca();
    let remove = "ca remove --ca intermediate0 --backup before.tar";
    sandbox.pki_at("+11y", remove).succeeds();
}

#[test]
fn keys_that_an_interrupted_removal_left_are_removed_by_the_next_command() {
    let sandbox = with_revoked_ca();
    sandbox
        .pki("ca remove --ca intermediate0 --backup before.tar")
        .succeeds();
    let removed = sandbox.path("pki/.removed-intermediate0");
    fs::create_dir(removed.join("keys")).unwrap();
    sandbox.write("pki/.removed-intermediate0/ca.key", "left");
    let next = sandbox.pki("tree").succeeds();
    assert_text(
        &next.stderr,
        expect![[r#"
        notice: an interrupted command had left intermediate0 incomplete; it was removed
    "#]],
    );
    assert!(!removed.join("keys").exists() && !removed.join("ca.key").exists());
}

crate::engine::also_in_a_database! {
    the_backup_has_the_keys_and_a_later_one_keeps_the_name, a_ca_that_can_still_sign_stays,
    an_expired_ca_is_removed,
}
