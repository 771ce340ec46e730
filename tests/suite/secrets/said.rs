//! What failing commands say, at most length: no passphrase, and nothing of a key.

use std::fs;

use crate::run::Transcript;
use crate::sandbox::Sandbox;

use super::{Secret, passphrases};

/// Both of its outputs, against all secrets.
#[track_caller]
fn assert_says_nothing(said: &Transcript, secrets: &[Secret]) {
    for secret in secrets {
        let is_said = [&said.stdout, &said.stderr]
            .iter()
            .any(|text| secret.is_in(text.as_bytes()));
        assert!(!is_said, "{} is in\n{said}", secret.name);
    }
}

fn with_protected_ca() -> (Sandbox, Vec<Secret>) {
    let sandbox = Sandbox::with_passphrase_files();
    sandbox.told("root --name rootCA").succeeds();
    sandbox
        .told("issue --ca rootCA --cn client --out plain --no-passphrase")
        .succeeds();
    let mut secrets = passphrases();
    secrets.extend(sandbox.secrets_of_store());
    (sandbox, secrets)
}

#[test]
fn a_command_that_fails_says_neither_passphrase_nor_key() {
    let (sandbox, secrets) = with_protected_ca();
    let key = sandbox.read("plain/client.key");
    // A character that base64 has not, a byte that DER has not, and another private number.
    sandbox.write("damaged/base64.key", key.replacen("\nM", "\n*", 1));
    sandbox.write("damaged/der.key", key.replacen("\nMI", "\nMA", 1));
    let der = sandbox.run(
        "openssl",
        "pkey -in plain/client.key -outform DER -out key.der",
    );
    der.succeeds();
    let mut der = fs::read(sandbox.path("key.der")).unwrap();
    der[40] ^= 1;
    sandbox.write("damaged/number.key", der);
    sandbox.write("damaged/cut.key", &key[..key.len() - 40]);
    sandbox.write("file", "");
    for line in [
        "-v issue --ca rootCA --cn next --passin file:export.pass",
        "-v issue --ca rootCA --cn next --passin file:old.pass --format json",
        "-v issue --ca rootCA --cn next --out file --no-passphrase",
        "-v issue --ca rootCA --cn next --out file/below --passout file:export.pass",
        "-v export --ca rootCA --cn client --out plain --passout file:export.pass",
        "-v export --ca rootCA --key --out /proc/pki --passout file:export.pass",
        "-v root --name rootCA",
        "show damaged/base64.key",
        "show damaged/der.key",
        "show damaged/number.key",
        "show damaged/cut.key",
        "verify plain/client.key",
        "bundle --add plain/client.key",
        "bundle --check plain/client.key",
        "crl --in plain/client.key",
        "issue --ca rootCA --csr plain/client.key",
        "issue --ca rootCA --from plain/client.key",
        "revoke --ca rootCA --cert plain/client.key",
        "revoke --ca rootCA --from plain/client.key",
        "apply plain/client.key",
        "apply ca.pass",
    ] {
        let said = sandbox.told(line).finish();
        assert!(said.status.is_some_and(|status| status != 0), "{said}");
        assert_says_nothing(&said, &secrets);
    }
}

/// In the place of the CA's key, where every command looks for it.
#[test]
fn a_damaged_key_of_a_ca_is_named_and_not_shown() {
    let (sandbox, mut secrets) = with_protected_ca();
    secrets.push(Secret::of_key(
        &sandbox,
        &sandbox.path("plain/client.key"),
        "",
    ));
    let key = sandbox.read("plain/client.key");
    for damaged in [
        key.replacen("\nM", "\n*", 1),
        key.replacen("\nMI", "\nMA", 1),
        key,
    ] {
        fs::write(sandbox.path("pki/rootCA/ca.key"), damaged).unwrap();
        for command in [
            "issue --ca rootCA --cn next",
            "crl",
            "export --ca rootCA --key --out key --no-passphrase",
        ] {
            let said = sandbox.told("-v").words(command).finish();
            if command.starts_with("export") && said.status == Some(0) {
                continue;
            }
            assert_eq!(said.status, Some(1), "{said}");
            assert!(said.stderr.contains("key"), "{said}");
            assert_says_nothing(&said, &secrets);
        }
    }
}

/// Clap repeats what it does not understand.
#[test]
fn usage_errors_do_not_repeat_the_passphrase() {
    let sandbox = Sandbox::new();
    let secrets = passphrases();
    let passphrase = "pass:for the exports alone";
    for (words, last) in [
        ("tree", format!("--passin={passphrase}")),
        ("issue --ca x --cn y --pasin", passphrase.to_owned()),
        ("issue --ca x --cn y", passphrase.to_owned()),
        (
            "issue --ca x --cn y --no-passphrase --passout",
            passphrase.to_owned(),
        ),
        (
            "issue --ca x --cn y --passin file:x --passin",
            passphrase.to_owned(),
        ),
        (
            "issue --ca x --cn y",
            format!("--no-passphrase={passphrase}"),
        ),
        ("issue --days", passphrase.to_owned()),
        (
            "issue --ca x --cn y --passin",
            "for the exports alone".to_owned(),
        ),
    ] {
        let said = sandbox.pki(words).arg(last).finish();
        assert!(matches!(said.status, Some(1 | 2)), "{said}");
        assert_says_nothing(&said, &secrets);
    }
}
