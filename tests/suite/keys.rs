//! Key files: how they are encrypted, who can open them.

use std::collections::BTreeSet;

use crate::import::OLD;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// The key files of a hierarchy: the root's, a subordinate's, a leaf's in the
/// store, the leaf's as exported, and a CA's as exported.
fn every_key_file(key_type: &str) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    sandbox.write("passphrase", PASSPHRASE);
    let kind = format!("--key-type {key_type}");
    for line in [
        "root --name rootCA",
        "subordinate --ca rootCA --name intermediate0",
    ] {
        sandbox.with_passphrase(line).words(&kind).succeeds();
    }
    sandbox
        .with_passphrase("issue --ca intermediate0 --cn client --out out --passout file:passphrase")
        .words(&kind)
        .succeeds();
    sandbox
        .with_passphrase("export --ca intermediate0 --key --out out --passout file:passphrase")
        .succeeds();
    let mut files = vec![
        "pki/rootCA/ca.key".to_owned(),
        "pki/intermediate0/ca.key".to_owned(),
        "out/client.key".to_owned(),
        "out/intermediate0.key".to_owned(),
    ];
    let leaves = sandbox.names_in("pki/intermediate0/keys");
    assert_eq!(leaves.len(), 1, "{leaves:?}");
    files.extend(
        leaves
            .iter()
            .map(|name| format!("pki/intermediate0/keys/{name}")),
    );
    (sandbox, files)
}

/// CVE-2024-13454 was a key re-encrypted with a weaker cipher than it came with.
#[test]
fn every_key_file_has_the_one_encryption() {
    for key_type in ["p256", "ed25519", "rsa2048", "ml-dsa-65"] {
        let (sandbox, files) = every_key_file(key_type);
        for file in &files {
            assert_encrypted_as_promised(&sandbox, file);
        }
    }
}

#[track_caller]
fn assert_encrypted_as_promised(sandbox: &Sandbox, file: &str) {
    let parsed = sandbox.run("openssl", "asn1parse -in").arg(file).succeeds();
    let values = parsed.stdout.lines().filter_map(|line| {
        let (_, value) = line.split_once("prim: ")?;
        let telling = value.starts_with("OBJECT") || value.starts_with("INTEGER");
        telling.then(|| value.split(':').next_back().unwrap().trim())
    });
    let rounds = "0927C0"; // 600,000
    assert_eq!(
        values.collect::<Vec<_>>(),
        ["PBES2", "PBKDF2", rounds, "hmacWithSHA256", "aes-256-cbc"],
        "{file}\n{parsed}"
    );
}

#[test]
fn openssl_certtool_node_python_and_java_open_an_ec_key() {
    assert_everybody_opens("p256");
}

#[test]
fn openssl_certtool_node_python_and_java_open_an_rsa_key() {
    assert_everybody_opens("rsa2048");
}

#[test]
fn openssl_certtool_node_python_and_java_open_an_ed25519_key() {
    assert_everybody_opens("ed25519");
}

#[track_caller]
fn assert_everybody_opens(key_type: &str) {
    let (sandbox, files) = every_key_file(key_type);
    for file in &files {
        let run = sandbox.run("certtool", "--key-info --infile").arg(file);
        run.arg("--password").arg(PASSPHRASE).succeeds();
        let open = |source: &str| {
            let run = sandbox
                .run("openssl", "pkey -noout -check -passin")
                .arg(source);
            run.arg("-in").arg(file).finish()
        };
        let opened = open(&format!("pass:{PASSPHRASE}"));
        assert_eq!(opened.status, Some(0), "{opened}");
        let refused = open("pass:something else");
        assert_eq!(refused.status, Some(1), "{refused}");
    }
    let all = files.join(" ");
    for opener in [
        sandbox.node("open-keys.js"),
        sandbox.python("open_keys.py"),
        sandbox.java("OpenKeys.java"),
    ] {
        let opened = opener.arg(PASSPHRASE).words(&all).succeeds();
        assert_eq!(
            opened.stdout,
            format!("{} opened\n", files.len()),
            "{opened}"
        );
    }
}

/// The salt of a key's encryption, as openssl shows it.
fn salt(sandbox: &Sandbox, key: &str) -> String {
    let parsed = sandbox.run("openssl", "asn1parse -in").arg(key).succeeds();
    let salt = parsed.stdout.split("[HEX DUMP]:").nth(1).unwrap();
    salt.lines().next().unwrap().to_owned()
}

#[test]
fn every_ca_and_every_export_has_a_salt_of_its_own() {
    let sandbox = Sandbox::new();
    let mut salts = BTreeSet::new();
    for name in ["a", "b", "c"] {
        let line = format!("root --name {name}");
        sandbox.with_passphrase(&line).succeeds();
        salts.insert(salt(&sandbox, &format!("pki/{name}/ca.key")));
        let line = format!("issue --ca {name} --cn x --out {name} --passout env:PKI_PASSPHRASE");
        sandbox.with_passphrase(&line).succeeds();
        salts.insert(salt(&sandbox, &format!("{name}/x.key")));
    }
    assert_eq!(salts.len(), 6, "{salts:?}");
    for salt in &salts {
        assert_eq!(salt.len(), 32, "{salts:?}");
        let digits: BTreeSet<char> = salt.chars().collect();
        assert!(digits.len() > 4, "{salts:?}");
    }
}

/// openssl's own salt has 8 bytes; in all else this is the encryption of the store.
#[test]
fn a_key_with_a_short_salt_is_weak_and_encrypted_anew_on_import() {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name r").succeeds();
    let key = "pki/r/ca.key";
    let weaken = "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -passin env:P -passout env:P -in";
    let weakened = sandbox
        .run("openssl", weaken)
        .arg(key)
        .words("-out weak.key");
    weakened.env("P", PASSPHRASE).succeeds();
    assert_eq!(salt(&sandbox, "weak.key").len(), 16);
    let strong = sandbox.read(key);
    sandbox.write(key, sandbox.read("weak.key"));
    let checked = sandbox.pki("check --format json").ends_with(3);
    let rules: Vec<String> = checked.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rules, ["key-encryption"], "{checked}");
    sandbox.write(key, strong);
    sandbox.pki("check").succeeds();
    sandbox.make_openssl_ca();
    let weak = "-v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000";
    sandbox.rewrite_key("pkcs8 -topk8", weak);
    assert_eq!(salt(&sandbox, "old/private/cakey.pem").len(), 16);
    let import = "import --openssl old --name old --passin env:OLD";
    sandbox.pki(import).env("OLD", OLD).succeeds();
    assert_eq!(salt(&sandbox, "pki/old/ca.key").len(), 32);
    let parsed = sandbox
        .run("openssl", "asn1parse -in pki/old/ca.key")
        .succeeds();
    assert!(parsed.stdout.contains(":0927C0"), "{parsed}");
}

#[test]
fn the_key_of_an_export_fits_its_certificate() {
    let sandbox = Sandbox::with_open_ca();
    for key_type in ["p256", "ed25519", "rsa2048"] {
        sandbox
            .pki("issue --ca intermediate0 --out out --no-passphrase")
            .words(&format!("--cn {key_type} --key-type {key_type}"))
            .succeeds();
        let of_key = sandbox
            .run("openssl", &format!("pkey -pubout -in out/{key_type}.key"))
            .succeeds();
        let of_certificate = sandbox
            .run(
                "openssl",
                &format!("x509 -pubkey -noout -in out/{key_type}.crt"),
            )
            .succeeds();
        assert_eq!(of_key.stdout, of_certificate.stdout);
    }
}

#[test]
fn an_exported_key_has_its_own_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.write("export.pass", "for the export");
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox
        .with_passphrase("issue --ca rootCA --cn client --out out --passout file:export.pass")
        .succeeds();
    let leaf = sandbox.names_in("pki/rootCA/keys").remove(0);
    for (file, opens, refuses) in [
        ("out/client.key", "for the export", PASSPHRASE),
        (
            &*format!("pki/rootCA/keys/{leaf}"),
            PASSPHRASE,
            "for the export",
        ),
    ] {
        let open = |passphrase: &str| {
            let run = sandbox.run("openssl", "pkey -noout -in").arg(file);
            run.arg("-passin")
                .arg(format!("pass:{passphrase}"))
                .finish()
        };
        assert_eq!(open(opens).status, Some(0), "{file}");
        assert_eq!(open(refuses).status, Some(1), "{file}");
    }
}

#[test]
fn without_a_passphrase_the_exported_key_is_plain_pkcs8() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client --out out --no-passphrase")
        .succeeds();
    let key = sandbox.read("out/client.key");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
    sandbox
        .run("openssl", "pkey -noout -check -in out/client.key")
        .succeeds();
}

crate::engine::also_in_a_database! {
    the_key_of_an_export_fits_its_certificate, without_a_passphrase_the_exported_key_is_plain_pkcs8,
}

crate::engine::soak_in_a_database! {
    every_key_file_has_the_one_encryption, every_ca_and_every_export_has_a_salt_of_its_own,
    an_exported_key_has_its_own_passphrase,
}
