//! Certificate requests: an honest one, greedy ones, and hostile ones that
//! `tests/python/csrs.py` puts together.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::run::{Run, assert_same};
use crate::sandbox::{Sandbox, repository};

impl Sandbox {
    /// An open CA, with the requests at `csrs/`.
    pub(crate) fn with_csrs() -> Self {
        let sandbox = Self::with_open_ca();
        symlink(requests(), sandbox.path("csrs")).unwrap();
        sandbox
    }
}

/// All requests, written once for all tests: strange keys take a second to make.
fn requests() -> &'static Path {
    static REQUESTS: OnceLock<PathBuf> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("csrs");
        let python = repository("target/test-tools/venv/bin/python");
        Run::new(python, Path::new("/"))
            .arg(repository("tests/python/csrs.py"))
            .arg(&folder)
            .succeeds();
        folder
    })
}

/// What openssl prints of a certificate but serial, dates and signature.
#[track_caller]
fn substance(sandbox: &Sandbox, file: &str) -> String {
    let options = "no_serial,no_validity,no_sigdump";
    let printed = sandbox
        .run("openssl", "x509 -noout -text -certopt")
        .words(&format!("{options} -in {file}"))
        .succeeds();
    printed.stdout
}

/// cfssl#1436 and `copyall`: a request decided what its certificate may do.
#[test]
fn a_csr_gives_key_subject_and_sans_and_nothing_else() {
    let sandbox = Sandbox::with_csrs();
    let issue = |request: &str| {
        sandbox
            .pki("issue --ca intermediate0 --profile client --out out --csr")
            .words(&format!("csrs/{request}.csr --name {request}"))
            .succeeds()
    };
    let plain = issue("plain");
    assert!(!plain.stderr.contains("ignored"), "{plain}");
    for request in [
        "greedy-ca",
        "greedy-key-usage",
        "greedy-eku",
        "greedy-empty-eku",
        "greedy-name-constraints",
        "greedy-policy",
        "greedy-ski",
        "greedy-unknown-critical",
        "greedy-all",
    ] {
        let issued = issue(request);
        assert!(issued.stderr.contains("ignored"), "{request}: {issued}");
        assert_same(
            &substance(&sandbox, &format!("out/{request}.crt")),
            &substance(&sandbox, "out/plain.crt"),
        );
    }
}

#[test]
fn a_csr_is_read_as_der_with_the_old_marker_and_with_crlf() {
    let sandbox = Sandbox::with_csrs();
    for (file, name) in [
        ("plain.csr", "plain"),
        ("plain.der", "der"),
        ("pem-old-marker.csr", "marker"),
        ("pem-crlf.csr", "crlf"),
        ("pem-preamble.csr", "preamble"),
    ] {
        sandbox
            .pki("issue --ca intermediate0 --out out --csr")
            .words(&format!("csrs/{file} --name {name}"))
            .succeeds();
        assert_same(
            &substance(&sandbox, &format!("out/{name}.crt")),
            &substance(&sandbox, "out/plain.crt"),
        );
    }
}

#[test]
fn a_csr_of_openssl_keeps_subject_and_sans_and_has_no_key_file() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .run(
            "openssl",
            "req -new -newkey rsa:2048 -nodes -keyout their.key -out their.csr",
        )
        .words("-subj /O=Example/OU=a/OU=b/CN=www.example.test")
        .words("-addext subjectAltName=DNS:www.example.test,IP:192.0.2.7")
        .succeeds();
    sandbox
        .pki("issue --ca intermediate0 --profile server --csr their.csr --out out")
        .succeeds();
    let text = substance(&sandbox, "out/www.example.test.crt");
    for part in [
        "Subject: O = Example, OU = a, OU = b, CN = www.example.test",
        "DNS:www.example.test, IP Address:192.0.2.7",
        "TLS Web Server Authentication",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!sandbox.path("out/www.example.test.key").exists());
    let in_certificate = sandbox
        .run(
            "openssl",
            "x509 -pubkey -noout -in out/www.example.test.crt",
        )
        .succeeds();
    let theirs = sandbox
        .run("openssl", "pkey -pubout -in their.key")
        .succeeds();
    assert_eq!(in_certificate.stdout, theirs.stdout);
}

#[test]
fn a_request_of_every_key_type_that_openssl_makes_is_certified() {
    let sandbox = Sandbox::with_open_ca();
    for (name, options) in [
        ("p256", "-newkey ec -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "-newkey ec -pkeyopt ec_paramgen_curve:P-384"),
        ("p521", "-newkey ec -pkeyopt ec_paramgen_curve:P-521"),
        ("ed25519", "-newkey ed25519"),
        ("rsa2048", "-newkey rsa:2048"),
        ("rsa3072", "-newkey rsa:3072"),
    ] {
        sandbox
            .run("openssl", "req -new -nodes -keyout their.key")
            .words(&format!("{options} -subj /CN={name} -out {name}.csr"))
            .succeeds();
        sandbox
            .pki("issue --ca intermediate0 --out out --csr")
            .arg(format!("{name}.csr"))
            .succeeds();
        sandbox
            .run(
                "openssl",
                "verify -x509_strict -purpose sslclient -CAfile pki/rootCA/ca.crt",
            )
            .words(&format!(
                "-untrusted pki/intermediate0/ca.crt out/{name}.crt"
            ))
            .succeeds();
    }
}

crate::engine::also_in_a_database! {
    a_csr_is_read_as_der_with_the_old_marker_and_with_crlf,
    a_csr_of_openssl_keeps_subject_and_sans_and_has_no_key_file,
}

crate::engine::soak_in_a_database! {
    a_csr_gives_key_subject_and_sans_and_nothing_else,
    a_request_of_every_key_type_that_openssl_makes_is_certified,
}
