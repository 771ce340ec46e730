//! The CA's key: opened whatever openssl encrypted it with, and written as every key of the store is.

use expect_test::expect;

use crate::run::{Run, assert_same};
use crate::sandbox::Sandbox;

use super::{OLD, exists};

/// What `openssl pkcs8 -topk8` and the old commands for keys are told.
const ENCRYPTIONS: [(&str, &str); 9] = [
    ("pkcs8 -topk8", "-v2 aes-256-cbc"),
    ("pkcs8 -topk8", "-v2 aes-128-cbc -v2prf hmacWithSHA1"),
    (
        "pkcs8 -topk8",
        "-v2 aes-192-cbc -v2prf hmacWithSHA512 -iter 9999",
    ),
    ("pkcs8 -topk8", "-v2 des3"),
    ("pkcs8 -topk8", "-v1 PBE-SHA1-3DES"),
    ("pkcs8 -topk8", "-scrypt"),
    ("ec", "-aes256"),
    ("ec", "-aes128"),
    ("ec", "-des3"),
];

const KEY: &str = "old/private/cakey.pem";

impl Sandbox {
    /// The CA's key in another form.
    pub(crate) fn rewrite_key(&self, command: &str, options: &str) {
        let pass = format!("pass:{OLD}");
        self.run("openssl", command)
            .words(&format!("-in {KEY} -out other.key -passin"))
            .arg(&pass)
            .arg("-passout")
            .arg(&pass)
            .words(options)
            .succeeds();
        let key = self.read("other.key");
        self.write(KEY, key);
    }

    /// The key in the store is the CA's, under this passphrase, in the one encryption of the store.
    #[track_caller]
    fn key_is_ours(&self, passphrase: &str) {
        let parsed = self
            .run("openssl", "asn1parse -in pki/old/ca.key")
            .succeeds()
            .stdout;
        for name in [
            "PBES2",
            "PBKDF2",
            ":0927C0",
            "hmacWithSHA256",
            "aes-256-cbc",
        ] {
            assert!(parsed.contains(name), "{name}: {parsed}");
        }
        let public = self
            .run("openssl", "pkey -pubout -in pki/old/ca.key -passin")
            .arg(format!("pass:{passphrase}"))
            .succeeds();
        let certified = self
            .run("openssl", "x509 -noout -pubkey -in old/cacert.pem")
            .succeeds();
        assert_same(&public.stdout, &certified.stdout);
    }

    fn import_without_passphrases(&self, line: &str) -> Run {
        self.pki("import --name old --openssl old").words(line)
    }
}

#[test]
fn a_key_in_every_encryption_of_openssl_is_taken_over() {
    for (command, options) in ENCRYPTIONS {
        let sandbox = Sandbox::with_empty_openssl_ca();
        sandbox.rewrite_key(command, options);
        let key = sandbox.read(KEY);
        assert!(key.contains("ENCRYPTED"), "{options}: {key}");
        sandbox.imported("--openssl old");
        sandbox.key_is_ours(OLD);
    }
}

#[test]
fn a_key_gets_another_passphrase_where_one_is_given() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox
        .import("--openssl old --passout env:NEW")
        .env("NEW", "the new one")
        .succeeds();
    sandbox.key_is_ours("the new one");
    sandbox
        .pki("issue --ca old --cn new")
        .env("PKI_PASSPHRASE", "the new one")
        .succeeds();
}

#[test]
fn a_key_without_a_passphrase_needs_one_or_a_word() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    sandbox.import_without_passphrases("").refuses(
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the new CA old
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or use --no-passphrase
        "#]],
    );
    assert!(!exists(&sandbox, "pki"));
    // What would be refused is refused of a dry run too.
    for options in ["", "--passout env:NOT_SET"] {
        let import = |more: &str| {
            let run = sandbox.import_without_passphrases(options).words(more);
            run.ends_with(1).stderr
        };
        assert_same(&import("--dry-run"), &import(""));
    }
    for options in ["--no-passphrase", "--passout env:NEW"] {
        sandbox
            .import_without_passphrases(options)
            .words("--dry-run")
            .env("NEW", "the new one")
            .succeeds();
    }
    sandbox
        .import_without_passphrases("--passout env:NEW")
        .env("NEW", "the new one")
        .succeeds();
    sandbox.key_is_ours("the new one");
    sandbox
        .import_without_passphrases("--no-passphrase --store open")
        .succeeds();
    let key = sandbox.read("open/old/ca.key");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
}

/// On a terminal a dry run asks for nothing that it does not need, and says what the import would ask for.
#[test]
fn a_dry_run_says_what_would_be_asked_for() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.rewrite_key("pkcs8 -topk8", "-nocrypt");
    let import = "import --name old --openssl old --dry-run";
    let on_terminal = |options: &str| {
        sandbox
            .python("on_terminal.py")
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(import)
            .words(options)
            .succeeds()
            .stdout
    };
    let asks = "  asks for      a passphrase for the key of old\r\n";
    assert!(on_terminal("").contains(asks), "{}", on_terminal(""));
    assert!(!on_terminal("--no-passphrase").contains("asks for"));
    assert!(!exists(&sandbox, "pki"));
}

#[test]
fn keys_that_can_not_be_opened_or_do_not_fit_are_refused() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox
        .import_without_passphrases("--partial --passin env:OLD")
        .env("OLD", "not this one")
        .refuses(
            1,
            "passphrase-wrong",
            expect![[r#"
                error: key old/private/cakey.pem cannot be used
                caused by: the passphrase is wrong
                hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE, or for one CA with --passin NAME=SRC
            "#]],
        );
    sandbox.import_without_passphrases("--partial").refuses(
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the key of old in old/private/cakey.pem
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE; for one CA alone with --passin NAME=SRC or PKI_PASSPHRASE_FILE_NAME
        "#]],
    );
    let key = sandbox.read(KEY);
    sandbox.write(KEY, &key[..key.len() / 2]);
    let run = sandbox.import("--openssl old --partial");
    run.refuses(
        1,
        "invalid-pem",
        expect![[r#"
            error: key old/private/cakey.pem cannot be used
            caused by: the key is not valid PEM
            caused by: line 1: ENCRYPTED PRIVATE KEY has no END marker; the file may be cut off
        "#]],
    );
    let leaf = sandbox.read("leaf.key");
    sandbox.write(KEY, leaf);
    sandbox.import("--openssl old --partial").refuses(
        1,
        "ca-key-mismatch",
        expect![[r#"
            error: the key old/private/cakey.pem does not match the certificate old/cacert.pem
            hint: give the matching ones with --cert, and --key or --key-uri
        "#]],
    );
    assert!(!exists(&sandbox, "pki"));
}

crate::engine::also_in_a_database! {
    a_key_gets_another_passphrase_where_one_is_given, a_key_without_a_passphrase_needs_one_or_a_word,
}

crate::engine::soak_in_a_database! {
    a_key_in_every_encryption_of_openssl_is_taken_over,
}
