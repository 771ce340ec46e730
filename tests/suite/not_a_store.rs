//! `./pki` is not a store: the program itself, or a directory of easy-rsa.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

#[test]
fn the_program_itself_is_named_as_a_file() {
    let sandbox = Sandbox::new();
    std::fs::copy(env!("CARGO_BIN_EXE_pki"), sandbox.path("pki")).unwrap();
    let mut said = String::new();
    for line in ["list", "root --name rootCA --no-passphrase"] {
        said += &sandbox.refusal(sandbox.pki(line), 1, "not-a-store");
    }
    assert_text(
        &said,
        expect![[r#"
            error: ./pki is not a store, but a file
            hint: use a directory: name it with --store or PKI_STORE, or run pki in another directory
            error: ./pki is not a store, but a file
            hint: use a directory: name it with --store or PKI_STORE, or run pki in another directory
        "#]],
    );
}

#[test]
fn a_directory_of_easy_rsa_is_named_with_the_import() {
    let sandbox = Sandbox::new();
    let easyrsa = "--batch --pki-dir=pki init-pki";
    sandbox
        .run("/usr/share/easy-rsa/easyrsa", easyrsa)
        .succeeds();
    let easyrsa = "--batch --pki-dir=pki build-ca nopass";
    sandbox
        .run("/usr/share/easy-rsa/easyrsa", easyrsa)
        .succeeds();
    let mut said = String::new();
    for line in ["list", "root --name rootCA --no-passphrase"] {
        said += &sandbox.refusal(sandbox.pki(line), 1, "not-a-store");
    }
    assert_text(
        &said,
        expect![[r#"
            error: ./pki is not a store, but a directory of easy-rsa
            hint: to import it: pki --store DIR import --easy-rsa ./pki --name NAME
            error: ./pki is not a store, but a directory of easy-rsa
            hint: to import it: pki --store DIR import --easy-rsa ./pki --name NAME
        "#]],
    );
    let line = "--store imported import --easy-rsa pki --name old --no-passphrase";
    sandbox.pki(line).succeeds();
}
