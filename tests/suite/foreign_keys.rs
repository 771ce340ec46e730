//! Keys that openssl encrypted, in every way that it has.

use std::collections::BTreeSet;

use expect_test::expect;

use crate::run::{Transcript, assert_text};
use crate::sandbox::Sandbox;

/// Not ASCII, which PKCS #12 encodes in a way of its own.
const PASSPHRASE: &str = "Straße zum Schlüssel";

/// What openssl is asked for.
const OPENED: &[&str] = &[
    "pkcs8 -topk8",
    "pkcs8 -topk8 -v2 aes128",
    "pkcs8 -topk8 -v2 aes-192-cbc -v2prf hmacWithSHA1",
    "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA224",
    "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA384",
    "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 100000",
    "pkcs8 -topk8 -v2 des3",
    "pkcs8 -topk8 -v2 des-cbc -provider legacy -provider default",
    "pkcs8 -topk8 -scrypt",
    "pkcs8 -topk8 -v1 PBE-SHA1-3DES",
    "pkcs8 -topk8 -v1 PBE-SHA1-2DES -iter 5000",
    "pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default",
    "pkcs8 -topk8 -v1 PBE-SHA1-DES -noiter -provider legacy -provider default",
    "pkcs8 -topk8 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default",
    "TYPE -traditional -aes128",
    "TYPE -traditional -aes192",
    "TYPE -traditional -aes256",
    "TYPE -traditional -des3",
    "TYPE -traditional -des-ede-cbc",
    "TYPE -traditional -des -provider legacy -provider default",
];

/// What nothing here opens, and what it is called.
const REFUSED: &[&str] = &[
    "pkcs8 -topk8 -v1 PBE-SHA1-RC4-128 -provider legacy -provider default",
    "pkcs8 -topk8 -v1 PBE-MD5-RC2-64 -provider legacy -provider default",
    "pkcs8 -topk8 -v2 camellia-256-cbc",
    "TYPE -traditional -camellia256",
    "pkcs8 -topk8 -v2 aes256 -iter 10000001",
    "pkcs8 -topk8 -v1 PBE-SHA1-3DES -iter 10000001",
];

/// A root whose key openssl is to encrypt, and its command for keys of that type.
struct Root {
    sandbox: Sandbox,
    command: &'static str,
}

impl Root {
    fn of(key_type: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox
            .pki("root --name rootCA --no-passphrase --key-type")
            .arg(key_type)
            .succeeds();
        sandbox.run("cp", "pki/rootCA/ca.key plain.key").succeeds();
        let command = if key_type == "p256" { "ec" } else { "rsa" };
        Self { sandbox, command }
    }

    fn encrypt(&self, line: &str) {
        self.sandbox
            .run("openssl", &line.replace("TYPE", self.command))
            .words("-in plain.key -out pki/rootCA/ca.key -passout env:CHOSEN")
            .env("CHOSEN", PASSPHRASE)
            .succeeds();
    }

    fn issue(&self, passphrase: &str, status: i32) -> Transcript {
        self.sandbox
            .pki("-q issue --ca rootCA --cn client --out out --force --no-passphrase")
            .env("PKI_PASSPHRASE", passphrase)
            .ends_with(status)
    }
}

fn opens(root: &Root, lines: impl Iterator<Item = &'static str>) {
    for line in lines {
        root.encrypt(line);
        root.issue(PASSPHRASE, 0);
        root.sandbox
            .run("openssl", "verify -CAfile pki/rootCA/ca.crt out/client.crt")
            .succeeds();
        assert_text(
            &root.issue("another", 1).stderr,
            expect![[r#"
                error: key ./pki/rootCA/ca.key cannot be used
                caused by: the passphrase is wrong
                hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
            "#]],
        );
    }
}

#[test]
fn every_encryption_is_opened_and_a_wrong_passphrase_said() {
    opens(&Root::of("p256"), OPENED.iter().copied());
}

/// Within PKCS #8 an RSA key is as any other.
#[test]
fn traditional_rsa_keys_open_with_the_right_passphrase() {
    let traditional = OPENED.iter().filter(|line| line.starts_with("TYPE"));
    opens(&Root::of("rsa2048"), traditional.copied());
}

#[test]
fn what_is_not_opened_is_named() {
    let root = Root::of("p256");
    let mut said = String::new();
    for line in REFUSED {
        root.encrypt(line);
        said += &root.issue(PASSPHRASE, 1).stderr;
    }
    assert_text(
        &said,
        expect![[r#"
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: it is pbeWithSHAAnd128BitRC4
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: it is pbeWithMD5AndRC2-CBC
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: it is neither PBES1 nor PBES2 with known parameters
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: it is CAMELLIA-256-CBC
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: an iteration count of 10000001 is too high
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: an iteration count of 10000001 is too high
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
        "#]],
    );
}

/// In the headers of a PEM object anything may stand.
#[test]
fn headers_that_say_nothing_of_use_are_refused() {
    let root = Root::of("p256");
    root.encrypt("TYPE -traditional -aes256");
    let key = root.sandbox.read("pki/rootCA/ca.key");
    let (_, rest) = key.split_once("DEK-Info: ").unwrap();
    let (info, _) = rest.split_once('\n').unwrap();
    let mut said = BTreeSet::new();
    for other in [
        "AES-256-CBC",
        "AES-256-CBC,",
        "AES-256-CBC,00112233445566778899AABBCCDDEE",
        "AES-256-CBC,00112233445566778899AABBCCDDEEF",
        "AES-256-CBC,+0112233445566778899AABBCCDDEEFF",
        "AES-256-CBC,日本語日本語日本語日本語日本語x",
        "",
    ] {
        root.sandbox
            .write("pki/rootCA/ca.key", key.replace(info, other));
        said.insert(root.issue(PASSPHRASE, 1).stderr);
    }
    root.sandbox
        .write("pki/rootCA/ca.key", key.replace("DEK-Info", "DEC-Info"));
    said.insert(root.issue(PASSPHRASE, 1).stderr);
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: it is 
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: its PEM object has headers, but none of them is DEK-Info
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
            error: key ./pki/rootCA/ca.key cannot be used
            caused by: its encryption is not supported: the initialization vector of its DEK-Info header is not 16 bytes in hex
            hint: encrypt it again with `openssl pkcs8 -topk8`; ciphers older than 3DES need `-provider legacy -provider default`
        "#]],
    );
}
