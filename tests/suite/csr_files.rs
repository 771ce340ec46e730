//! Files with a CSR as people have them: saved by editors, sent by mail, together with a key.

use std::collections::BTreeSet;

use expect_test::expect;

use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;

/// Issues from a file, and tells the subject.
#[track_caller]
fn subject_of(sandbox: &Sandbox, file: &str) -> String {
    let line = format!("issue --ca intermediate0 --csr {file} --out out --name x --force");
    sandbox.pki(&line).succeeds();
    sandbox.openssl_x509("out/x.crt", "-subject")
}

#[test]
fn files_that_openssl_reads_are_read_and_others_are_named() {
    let sandbox = Sandbox::with_csrs();
    let plain = subject_of(&sandbox, "csrs/plain.csr");
    for name in [
        "old-marker",
        "crlf",
        "bom",
        "preamble",
        "one-line",
        "indented",
        "with-certificate",
    ] {
        assert_same(
            &subject_of(&sandbox, &format!("csrs/pem-{name}.csr")),
            &plain,
        );
    }
    let mut said = String::new();
    for (name, code) in [
        ("utf-16", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("bare", "pem-without-lines"),
        ("bare-bom", "pem-without-lines"),
        ("quoted", "invalid-pem"),
        ("escaped", "invalid-pem"),
        ("in-json", "invalid-pem"),
        ("two", "invalid-input"),
        ("two-certificates", "invalid-input"),
    ] {
        let read = sandbox.run("openssl", &format!("req -noout -in csrs/pem-{name}.csr"));
        let is_read = read.finish().status == Some(0);
        assert_eq!(is_read, name == "two", "{name}");
        let run = sandbox.pki(&format!(
            "issue --ca intermediate0 --csr csrs/pem-{name}.csr"
        ));
        said += &sandbox.refusal(run, 1, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: csrs/pem-utf-16.csr is not a certificate signing request (CSR)
            caused by: it is UTF-16 text
            hint: convert it: `iconv -f UTF-16 -t UTF-8 FILE`
            error: csrs/pem-utf-16-be.csr is not a certificate signing request (CSR)
            caused by: it is UTF-16 text
            hint: convert it: `iconv -f UTF-16 -t UTF-8 FILE`
            error: csrs/pem-utf-16-le.csr is not a certificate signing request (CSR)
            caused by: it is UTF-16 text
            hint: convert it: `iconv -f UTF-16 -t UTF-8 FILE`
            error: csrs/pem-bare.csr is not a certificate signing request (CSR)
            caused by: it is base64 without the lines -----BEGIN …----- and -----END …-----
            hint: decode it to DER with `base64 -d FILE`, or add the BEGIN and END lines
            error: csrs/pem-bare-bom.csr is not a certificate signing request (CSR)
            caused by: it is base64 without the lines -----BEGIN …----- and -----END …-----
            hint: decode it to DER with `base64 -d FILE`, or add the BEGIN and END lines
            error: csrs/pem-quoted.csr is not a certificate signing request (CSR)
            caused by: line 1: CERTIFICATE REQUEST is quoted, as in an e-mail: its lines begin with >
            error: csrs/pem-escaped.csr is not a certificate signing request (CSR)
            caused by: line 1: CERTIFICATE REQUEST is on one line, with \n instead of line breaks
            error: csrs/pem-in-json.csr is not a certificate signing request (CSR)
            caused by: line 1: CERTIFICATE REQUEST is on one line, with \n instead of line breaks
            error: csrs/pem-two.csr is not a certificate signing request (CSR)
            caused by: it has 2 CSRs
            error: csrs/pem-two-certificates.csr is not a certificate signing request (CSR)
            caused by: it has only "CERTIFICATE", "CERTIFICATE"
        "#]],
    );
}

/// What the hints say gives a file that is read.
#[test]
fn what_the_hints_say_makes_the_file_readable() {
    let sandbox = Sandbox::with_csrs();
    let plain = subject_of(&sandbox, "csrs/plain.csr");
    let script = "iconv -f UTF-16 -t UTF-8 csrs/pem-utf-16.csr > one.csr\n\
                  base64 -d csrs/pem-bare.csr > two.csr";
    sandbox.run("sh", "-ec").arg(script).succeeds();
    assert_same(&subject_of(&sandbox, "one.csr"), &plain);
    assert_same(&subject_of(&sandbox, "two.csr"), &plain);
}

/// The same is said of certificates, keys and CRLs.
#[test]
fn every_reader_of_pem_names_utf16_and_bare_base64() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.pki("crl --ca rootCA --to-pem").succeeds();
    let mut said = BTreeSet::new();
    for (file, line) in [
        ("pki/rootCA/ca.crt", "verify @ --bundle pki/rootCA/ca.crt"),
        ("pki/rootCA/ca.crt", "verify pki/rootCA/ca.crt --bundle @"),
        ("pki/rootCA/ca.crt", "bundle --add @"),
        ("pki/rootCA/ca.crt", "show @"),
        ("pki/rootCA/ca.key", "show @"),
        ("pki/crl/rootCA.crl.pem", "show @"),
        ("pki/crl/rootCA.crl.pem", "crl --in @ --to-pem"),
        (
            "pki/crl/rootCA.crl.pem",
            "verify pki/rootCA/ca.crt --bundle pki/rootCA/ca.crt --crl @",
        ),
    ] {
        let text = sandbox.read(file);
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let utf16: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        let bare = text.lines().filter(|line| !line.starts_with('-'));
        let bare = bare.collect::<Vec<_>>().join("\r\n");
        for (content, code) in [(utf16, "utf-16"), (bare.into_bytes(), "pem-without-lines")] {
            sandbox.write("odd", content);
            let run = sandbox.pki(&line.replace('@', "odd"));
            said.insert(run.refusal(1, code));
        }
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        sandbox.write("odd", marked);
        sandbox.pki(&line.replace('@', "odd")).succeeds();
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: odd is not a file with certificates, CSRs, CRLs or keys
            caused by: it is UTF-16 text
            hint: convert it: `iconv -f UTF-16 -t UTF-8 FILE`
            error: odd is not a file with certificates, CSRs, CRLs or keys
            caused by: it is base64 without the lines -----BEGIN …----- and -----END …-----
            hint: decode it to DER with `base64 -d FILE`, or add the BEGIN and END lines
        "#]],
    );
}

#[test]
fn a_key_in_utf16_or_bare_base64_is_named() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("old/index.txt", "");
    sandbox.write("old/serial", "01\n");
    let key = sandbox.read("pki/rootCA/ca.key");
    let utf16: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bare: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let mut said = String::new();
    for content in [utf16, bare.into_bytes()] {
        sandbox.write("odd.key", content);
        let run = sandbox.pki("import --openssl old --name old --cert pki/rootCA/ca.crt");
        said += &sandbox.refusal(run.words("--key odd.key"), 1, "not-a-key");
    }
    assert_text(
        &said,
        expect![[r#"
            error: key odd.key cannot be used
            caused by: it contains no private key, but UTF-16 text
            error: key odd.key cannot be used
            caused by: it contains no private key, but base64 without the BEGIN and END lines of PEM
        "#]],
    );
}

/// As `openssl req -new -keyout both.pem -out …` and `cat` make it.
#[test]
fn a_key_beside_its_csr_is_not_looked_at() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for (name, options) in [
        ("plain", "-newkey rsa:2048 -nodes"),
        ("encrypted", "-newkey ed25519 -passout pass:secret1"),
    ] {
        sandbox
            .run("openssl", "req -new -keyout their.key -out their.csr")
            .words(&format!("-subj /CN={name} {options}"))
            .succeeds();
        let (key, csr) = (sandbox.read("their.key"), sandbox.read("their.csr"));
        let parameters = sandbox
            .run("openssl", "ecparam -name prime256v1")
            .succeeds();
        for both in [
            format!("{key}{csr}"),
            format!("{csr}{key}"),
            format!("{}{key}{csr}", parameters.stdout),
        ] {
            sandbox.write("both.pem", both);
            let line = "issue --ca intermediate0 --csr both.pem --out out --force";
            let issued = sandbox.pki(line).succeeds();
            assert_eq!(issued.stderr, "");
            let base64 = key.lines().nth(1).unwrap();
            assert!(!issued.stdout.contains(base64), "{issued}");
            let found = sandbox.run("grep", "-rFl -e").arg(base64);
            assert_eq!(found.words("pki out").finish().stdout, "");
            let keys = sandbox.run("find", "pki/intermediate0/keys out -name *.key");
            assert_eq!(keys.finish().stdout, "");
        }
        sandbox.write("key.pem", &key);
        said += &sandbox
            .pki("issue --ca intermediate0 --csr key.pem")
            .refusal(1, "invalid-input");
    }
    assert_text(
        &said,
        expect![[r#"
            error: key.pem is not a certificate signing request (CSR)
            caused by: it has only "PRIVATE KEY"
            error: key.pem is not a certificate signing request (CSR)
            caused by: it has only "ENCRYPTED PRIVATE KEY"
        "#]],
    );
}

#[test]
fn a_csr_is_read_from_standard_input() {
    let sandbox = Sandbox::with_csrs();
    let plain = subject_of(&sandbox, "csrs/plain.csr");
    for file in ["csrs/plain.csr", "csrs/plain.der", "csrs/pem-crlf.csr"] {
        let content = std::fs::read(sandbox.path(file)).unwrap();
        let line = "issue --ca intermediate0 --csr - --out out --name x --force";
        sandbox.pki(line).stdin(content.clone()).succeeds();
        assert_same(&sandbox.openssl_x509("out/x.crt", "-subject"), &plain);
        let sign = sandbox.pki("subordinate --ca rootCA --csr - --cn sub");
        sign.stdin(content).ends_with(0);
        sandbox.pki("revoke --ca rootCA --cn sub").succeeds();
    }
    let run = sandbox.pki("issue --ca intermediate0 --csr -").stdin("");
    sandbox.refused(
        run,
        1,
        "invalid-input",
        expect![[r#"
            error: standard input is not a certificate signing request (CSR)
            caused by: the file is empty
        "#]],
    );
    let run = sandbox
        .pki("issue --ca intermediate0 --csr - --passin stdin")
        .stdin("x");
    sandbox.refused(
        run,
        2,
        "usage",
        expect![[r#"
            error: standard input can't give both the CSR and a passphrase
            hint: give the passphrase with file:PATH, fd:N or env:VAR
        "#]],
    );
    let run = sandbox
        .pki("issue --ca intermediate0 --csr -")
        .stdin(vec![b'0'; 2 << 20]);
    run.refuses(
        1,
        "file-too-large",
        expect![[r#"
            error: could not read -
            caused by: it exceeds the limit of 1 MiB
        "#]],
    );
}

crate::engine::also_in_a_database! {
    what_the_hints_say_makes_the_file_readable, a_key_in_utf16_or_bare_base64_is_named,
}

crate::engine::soak_in_a_database! {
    files_that_openssl_reads_are_read_and_others_are_named, every_reader_of_pem_names_utf16_and_bare_base64,
    a_key_beside_its_csr_is_not_looked_at, a_csr_is_read_from_standard_input,
}
