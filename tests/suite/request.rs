//! `pki request`: a key and a CSR without a store.

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

#[test]
fn openssl_reads_the_csr_and_opens_the_key() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse");
    let line = "request --cn www.example.test --san www.example.test,10.0.0.1 --passout file:pass";
    let made = sandbox.pki(line).succeeds();
    assert_text(
        &made.stdout,
        expect![[r#"
            created a key and a CSR
              subject   CN=www.example.test
              SANs      dns:www.example.test, ip:10.0.0.1
              key type  p256
              key       ./www.example.test.key
              CSR       ./www.example.test.csr
            `pki issue --ca NAME --csr ./www.example.test.csr` issues its certificate
        "#]],
    );
    assert!(!sandbox.path("pki").exists());
    let read = "req -verify -noout -text -in www.example.test.csr";
    let read = sandbox.run("openssl", read).succeeds();
    let text: Vec<&str> = read.stdout.lines().map(str::trim).collect();
    assert!(text.contains(&"Subject: CN = www.example.test"), "{read}");
    let names = "DNS:www.example.test, IP Address:10.0.0.1";
    assert!(text.contains(&names), "{read}");
    let open = "pkey -noout -in www.example.test.key -passin file:pass";
    sandbox.run("openssl", open).succeeds();
    let guess = "pkey -noout -in www.example.test.key -passin pass:";
    assert_ne!(sandbox.run("openssl", guess).finish().status, Some(0));
}

#[test]
fn the_csr_gets_a_certificate_with_its_names() {
    let sandbox = Sandbox::with_open_ca();
    for key_type in ["p256", "ed25519", "rsa2048", "ml-dsa-44"] {
        let line = format!(
            "--format json request --san {key_type}.example.test --key-type {key_type} --no-passphrase --out made"
        );
        let made = sandbox.pki(&line).succeeds().json();
        assert_eq!(made["key_type"], key_type);
        let csr = made["files"]["csr"].as_str().unwrap();
        assert_eq!(csr, format!("made/{key_type}.example.test.csr"));
        let line = format!("--format json issue --ca intermediate0 --profile server --csr {csr}");
        let issued = sandbox.pki(&line).succeeds().json();
        assert_eq!(issued["sans"][0], format!("dns:{key_type}.example.test"));
    }
}

#[test]
fn files_of_others_stay() {
    let sandbox = Sandbox::new();
    sandbox.write("a.key", "mine");
    let line = "request --cn a --no-passphrase";
    sandbox.refused(
        sandbox.pki(line),
        1,
        "file-exists",
        expect![[r#"
            error: could not create ./a.key
            caused by: it already exists
            hint: use another place, or --force to replace it
        "#]],
    );
    assert!(!sandbox.path("a.csr").exists());
    sandbox.pki(line).arg("--force").succeeds();
}

#[test]
fn a_csr_needs_a_name() {
    let sandbox = Sandbox::new();
    let mut said = String::new();
    for (line, status, code) in [
        ("request", 2, "usage"),
        ("request --cn a --out -", 2, "usage"),
        ("request --cn a --no-input", 1, "passphrase-required"),
    ] {
        said += &sandbox.refusal(sandbox.pki(line), status, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: one of --cn, --subject or --san is required
            error: --out has to be a directory here, not -
            error: no passphrase given for the key of a
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout, or use --no-passphrase
        "#]],
    );
}

crate::engine::soak_in_a_database! {
    the_csr_gets_a_certificate_with_its_names,
}
