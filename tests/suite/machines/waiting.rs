//! A CA between its request and its certificate.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

#[test]
fn tree_list_and_show_say_that_it_waits() {
    let sandbox = Sandbox::with_request();
    let tree = sandbox.pki("tree").succeeds();
    assert_text(
        &tree.stdout,
        expect![[r#"
            inter0  CN=inter0  (p256, pending, without a certificate)
        "#]],
    );
    for line in ["list", "list --ca inter0"] {
        let list = sandbox.pki(line).succeeds();
        assert_text(
            &list.stderr,
            expect![[r#"
                notice: CA inter0 is pending: its certificate is not installed yet
            "#]],
        );
        assert_same(&list.stdout, "");
    }
    let shown = sandbox
        .pki("--format json show --ca inter0")
        .succeeds()
        .json();
    assert_eq!(shown["type"], "certification_request");
    assert_eq!(shown["status"], "waiting");
    assert_eq!(shown["key"], "in the store");
    let shown = sandbox.pki("show --ca inter0").succeeds();
    let status = shown.stdout.lines().find(|line| line.contains("status"));
    assert!(
        status.is_some_and(|line| line.ends_with("  pending, without a certificate")),
        "{shown}"
    );
}

#[test]
fn every_other_command_refuses_it() {
    let sandbox = Sandbox::with_request();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let mut said = BTreeSet::new();
    for line in [
        "issue --ca inter0 --cn x",
        "subordinate --ca inter0 --name below --no-passphrase",
        "subordinate --ca rootCA --name inter0 --no-passphrase",
        "root --name inter0 --no-passphrase",
        "export --ca inter0 --out out",
        "bundle --ca inter0",
        "revoke --ca inter0 --cn x",
        "crl --ca inter0",
        "crl --check --ca inter0",
        "show --ca inter0 --cn x",
    ] {
        said.insert(sandbox.refusal(sandbox.pki(line), 1, "ca-pending"));
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: CA inter0 is pending: its certificate is not installed yet
            hint: `pki subordinate --name inter0 --install CERT --chain FILE` installs it; --request FILE writes the CSR again
        "#]],
    );
    // Those that are about every CA leave it out.
    for line in ["crl", "bundle"] {
        let done = sandbox.pki(line).succeeds();
        assert!(!done.stdout.contains("inter0"), "{done}");
    }
}

#[test]
fn its_key_is_encrypted_and_for_its_owner_alone() {
    let sandbox = Sandbox::new();
    sandbox
        .with_passphrase("subordinate --name inter0 --request inter0.csr")
        .succeeds();
    let key = "pki/.waiting-inter0/ca.key";
    assert_eq!(sandbox.mode(key), 0o600);
    assert!(
        sandbox
            .read(key)
            .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    let public = |line: &str| {
        let run = sandbox.run("openssl", line);
        run.arg("-passin")
            .arg(format!("pass:{PASSPHRASE}"))
            .succeeds()
            .stdout
    };
    let of_key = public("pkey -pubout -in pki/.waiting-inter0/ca.key");
    assert_eq!(of_key, public("req -pubkey -noout -in inter0.csr"));
    // Without a terminal a passphrase is not asked for, and nothing is left.
    Sandbox::new()
        .pki("subordinate --name inter0 --request inter0.csr")
        .refuses(
            1,
            "passphrase-required",
            expect![[r#"
                error: no passphrase given for the new key of inter0
                caused by: no prompt is possible: there is no terminal, or --no-input is set
                hint: give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or use --no-passphrase
            "#]],
        );
}

#[test]
fn the_same_request_is_written_again_and_no_other() {
    let sandbox = Sandbox::with_request();
    let again = "subordinate --name inter0 --request again.csr";
    let before = sandbox.store_snapshot();
    // No passphrase is needed: the key is not touched.
    let written = sandbox.pki(again).succeeds();
    assert_text(
        &written.stderr,
        expect![[r#"
            notice: inter0 is pending already; its key and CSR are unchanged
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
    assert_same(&sandbox.read("again.csr"), &sandbox.read("inter0.csr"));
    let mut said = String::new();
    for options in [
        "--cn other",
        "--key-type rsa3072",
        "--crl-url http://x.test/x.crl",
    ] {
        let run = sandbox.pki(again).words("--force").words(options);
        said += &sandbox.refusal(run, 1, "pending-ca-differs");
    }
    assert_text(
        &said,
        expect![[r#"
            error: inter0 is pending for another CSR: its subject is CN=inter0
            hint: remove --cn, --subject, --key-type and the URLs to get the same CSR again, or choose another name
            error: inter0 is pending for another CSR: its key is p256
            hint: remove --cn, --subject, --key-type and the URLs to get the same CSR again, or choose another name
            error: inter0 is pending for another CSR: its URLs are others
            hint: remove --cn, --subject, --key-type and the URLs to get the same CSR again, or choose another name
        "#]],
    );
    sandbox.refused(
        sandbox.pki(again),
        1,
        "file-exists",
        expect![[r#"
            error: could not create again.csr
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    sandbox.pki(again).words("--force --cn inter0").succeeds();
}

#[test]
fn options_of_the_other_machine_are_usage_errors() {
    let sandbox = Sandbox::with_request();
    for line in [
        "subordinate --name x",
        "subordinate --request x.csr",
        "subordinate --name x --request x.csr --ca rootCA",
        "subordinate --name x --request x.csr --path-len 0",
        "subordinate --name x --request x.csr --days 9",
        "subordinate --ca rootCA --csr x.csr --name x",
        "subordinate --ca rootCA --csr x.csr --key-type p384",
        "subordinate --ca rootCA --csr x.csr --crl-url http://x.test/x.crl",
        "subordinate --ca rootCA --csr x.csr --no-passphrase",
        "subordinate --name x --install x.crt --days 9",
        "subordinate --ca rootCA --name x --chain x.pem",
        "subordinate --ca rootCA --name x --force",
        "subordinate --ca rootCA --name x --out x.crt",
    ] {
        let before = sandbox.store_snapshot();
        let refused = sandbox.pki(line).ends_with(2);
        assert!(refused.stderr.starts_with("error: "), "{refused}");
        before.assert_unchanged(&sandbox.path("pki"));
    }
}

#[test]
fn what_is_damaged_is_said() {
    let mut said = String::new();
    for (file, content) in [("ca.csr", ""), ("intended.json", "")] {
        let sandbox = Sandbox::with_request();
        sandbox.write(&format!("pki/.waiting-inter0/{file}"), content);
        said += &sandbox.refusal(sandbox.pki("tree"), 1, "store-damaged");
    }
    assert_text(
        &said,
        expect![[r#"
            error: the store is damaged: ./pki/.waiting-inter0/ca.csr does not hold exactly one CSR
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
            error: the store is damaged: ./pki/.waiting-inter0/intended.json cannot be read: EOF while parsing a value at line 1 column 0
            hint: nothing was changed; restore the file from a backup; `pki check` finds other damage
        "#]],
    );
}

/// The command that installs was killed before its last step.
#[test]
fn what_is_left_beside_the_installed_ca_is_cleared_away() {
    let sandbox = Sandbox::with_request();
    sandbox.foreign_root("root", &[]);
    sandbox.signed_by_openssl("root", "inter0", "inter0", super::CA);
    let keep = |from: &str, to: &str| {
        let line = format!("-r {from} {to}");
        sandbox.run("cp", &line).succeeds();
    };
    keep("pki/.waiting-inter0", "kept");
    sandbox
        .pki("subordinate --name inter0 --install inter0.crt --chain root.crt")
        .succeeds();
    keep("kept", "pki/.waiting-inter0");
    let tree = sandbox.pki("tree").succeeds();
    assert_text(
        &tree.stderr,
        expect![[r#"
            notice: an interrupted command had left inter0 incomplete; it is complete now
        "#]],
    );
    assert!(!sandbox.path("pki/.waiting-inter0").exists());
    sandbox.pki("issue --ca inter0 --cn leaf").succeeds();

    // A key that is nowhere else stays, whatever the folder's name.
    sandbox
        .pki("subordinate --name other --request other.csr --no-passphrase")
        .succeeds();
    fs::rename(
        sandbox.path("pki/.waiting-other"),
        sandbox.path("pki/.waiting-inter0"),
    )
    .unwrap();
    let tree = sandbox.pki("tree").succeeds();
    assert_text(
        &normalised(&tree.stderr),
        expect![[r#"
            notice: an interrupted command left inter0 incomplete, and it cannot be repaired now: the store is damaged: ./pki/.waiting-inter0 has another public key than the CA of that name
        "#]],
    );
    assert!(sandbox.path("pki/.waiting-inter0/ca.key").exists());
}

crate::engine::also_in_a_database! {
    tree_list_and_show_say_that_it_waits, its_key_is_encrypted_and_for_its_owner_alone,
    the_same_request_is_written_again_and_no_other, options_of_the_other_machine_are_usage_errors,
}

crate::engine::soak_in_a_database! {
    every_other_command_refuses_it,
}
