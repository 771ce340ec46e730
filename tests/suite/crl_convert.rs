//! `pki crl --in`: anybody's list, from PEM or DER to either, the same to the byte.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;

/// Lists that openssl and certtool made, `NAME.crl` (DER) and `NAME.crl.pem`.
const FOREIGN: [&str; 3] = ["openssl", "openssl-v1", "certtool"];

fn foreign_lists() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write(
        "index.txt",
        "R\t360101000000Z\t260101000000Z,keyCompromise\t01A5\tunknown\t/CN=a\n\
         R\t360101000000Z\t260102000000Z\t02A5\tunknown\t/CN=b\n",
    );
    sandbox.write("crlnumber", "07\n");
    sandbox.write(
        "ca.cnf",
        "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\ncrlnumber = crlnumber\n\
         default_md = sha256\ndefault_crl_days = 7\n[v2]\n\
         authorityKeyIdentifier = keyid:always\n",
    );
    let gencrl = "-gencrl -config ca.cnf -cert pki/rootCA/ca.crt -keyfile pki/rootCA/ca.key -out";
    for rest in ["openssl.crl.pem -crlexts v2", "openssl-v1.crl.pem"] {
        let run = sandbox.run("openssl", "ca").words(gencrl);
        run.words(rest).succeeds();
    }
    sandbox.write(
        "certtool.cfg",
        "cn = certtool\nca\ncrl_signing_key\nexpiration_days = 30\n\
         crl_next_update = 7\ncrl_number = 5\n",
    );
    for line in [
        "--generate-privkey --outfile certtool.key",
        "--generate-self-signed --load-privkey certtool.key --template certtool.cfg --outfile certtool.crt",
        "--generate-crl --load-ca-privkey certtool.key --load-ca-certificate certtool.crt --load-certificate pki/rootCA/ca.crt --template certtool.cfg --outfile certtool.crl.pem",
    ] {
        sandbox.run("certtool", line).succeeds();
    }
    for name in FOREIGN {
        sandbox
            .run("openssl", "crl -outform DER -in")
            .words(&format!("{name}.crl.pem -out {name}.crl"))
            .succeeds();
    }
    sandbox
}

#[test]
fn crls_of_others_are_converted_as_openssl_converts_them() {
    let sandbox = foreign_lists();
    for name in FOREIGN {
        let openssl = sandbox
            .run("openssl", "crl -inform DER -outform PEM -in")
            .arg(format!("{name}.crl"))
            .succeeds();
        for form in ["crl", "crl.pem"] {
            let input = format!("{name}.{form}");
            let pem = sandbox.pki("crl --to-pem --in").arg(&input).succeeds();
            assert_same(&pem.stdout, &openssl.stdout);
            let written = sandbox
                .pki("crl --to-pem --out revoke_list.pem --in")
                .arg(&input)
                .succeeds();
            assert_text(
                &written.stdout,
                expect![[r#"
                    wrote the CRL to revoke_list.pem
                "#]],
            );
            assert_same(&sandbox.read("revoke_list.pem"), &openssl.stdout);
            sandbox
                .pki("crl --to-der --out list.crl --in")
                .arg(&input)
                .succeeds();
            let der = |file: &str| fs::read(sandbox.path(file)).unwrap();
            assert_eq!(der("list.crl"), der(&format!("{name}.crl")), "{input}");
        }
    }
}

#[test]
fn a_list_comes_from_standard_input_and_goes_to_standard_output() {
    let sandbox = foreign_lists();
    let der = fs::read(sandbox.path("openssl.crl")).unwrap();
    let pem = sandbox.pki("crl --in - --to-pem --out -").stdin(der);
    assert_same(&pem.succeeds().stdout, &sandbox.read("openssl.crl.pem"));
}

#[test]
fn a_list_with_text_before_it_a_mark_or_other_line_ends_is_read() {
    let sandbox = foreign_lists();
    let pem = sandbox.read("certtool.crl.pem");
    let start = pem.find("-----BEGIN").unwrap();
    let pem = &pem[start..];
    sandbox.write("crlf.pem", pem.replace('\n', "\r\n"));
    sandbox.write("marked.pem", format!("\u{feff}{pem}"));
    sandbox
        .run("openssl", "crl -text -in certtool.crl -out text.pem")
        .succeeds();
    for file in ["crlf.pem", "marked.pem", "text.pem"] {
        let read = sandbox.pki("crl --to-pem --in").arg(file).succeeds();
        assert_same(&read.stdout, pem);
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let sandbox = foreign_lists();
    let mut said = BTreeSet::new();
    for file in ["openssl.crl", "openssl.crl.pem"] {
        let whole = fs::read(sandbox.path(file)).unwrap();
        let end = whole.trim_ascii_end().len().min(whole.len() - 1);
        for length in (0..end).step_by(7).chain([end - 1]) {
            sandbox.write("cut", &whole[..length]);
            let run = sandbox.pki("crl --in cut --to-pem --out made.pem");
            let refused = run.words("--format json").ends_with(1);
            let code = refused.error()["code"].as_str().unwrap().to_owned();
            assert!(code.starts_with("invalid-"), "{refused}");
            said.insert(refused.text_of_stderr());
            assert!(!sandbox.path("made.pem").exists());
        }
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: cut is not a file with certificates, CSRs, CRLs or keys
            caused by: it is cut off: it starts as DER, but ends before its length
            error: cut is not a file with certificates, CSRs, CRLs or keys
            caused by: it is neither PEM nor DER
            error: cut is not a file with certificates, CSRs, CRLs or keys
            caused by: line 1: X509 CRL has no END marker; the file may be cut off
            error: cut is not a file with certificates, CSRs, CRLs or keys
            caused by: line 1: the BEGIN marker is cut off
            error: cut is not a file with certificates, CSRs, CRLs or keys
            caused by: the file is empty
        "#]],
    );
}

#[test]
fn what_is_no_single_list_is_refused_by_name() {
    let sandbox = foreign_lists();
    let list = fs::read(sandbox.path("openssl.crl")).unwrap();
    sandbox.write("more.crl", [&*list, b"x"].concat());
    let pem = sandbox.read("openssl.crl.pem");
    sandbox.write("two.pem", format!("{pem}{pem}"));
    sandbox.write("with-certificate.pem", {
        let certificate = sandbox.read("pki/rootCA/ca.crt");
        format!("{pem}{certificate}")
    });
    sandbox.write("mislabelled.pem", {
        let certificate = sandbox.read("pki/rootCA/ca.crt");
        certificate.replace(" CERTIFICATE", " X509 CRL")
    });
    sandbox.write("text", "hello\n");
    sandbox.write("number", "07\n");
    sandbox.write("null.der", b"\x30\x02\x05\x00");
    sandbox.write("empty", "");
    sandbox
        .run("openssl", "pkcs12 -export -passout pass:x -out ca.p12")
        .words("-in pki/rootCA/ca.crt -inkey pki/rootCA/ca.key")
        .succeeds();
    let mut said = String::new();
    for file in [
        "more.crl",
        "text",
        "number",
        "null.der",
        "empty",
        "two.pem",
        "with-certificate.pem",
        "pki/rootCA/ca.crt",
        "pki/rootCA/ca.key",
        "ca.p12",
    ] {
        let run = sandbox.pki("crl --to-pem --in").arg(file);
        said += &sandbox.refusal(run, 1, "invalid-input");
    }
    let run = sandbox.pki("crl --to-pem --in mislabelled.pem");
    said += &sandbox.refusal(run, 1, "invalid-der");
    assert_text(
        &said,
        expect![[r#"
            error: more.crl is not a file with certificates, CSRs, CRLs or keys
            caused by: it is DER with bytes after its end
            error: text is not a file with certificates, CSRs, CRLs or keys
            caused by: it is neither PEM nor DER
            error: number is not a file with certificates, CSRs, CRLs or keys
            caused by: it is neither PEM nor DER
            error: null.der is not a file with certificates, CSRs, CRLs or keys
            caused by: it is DER of another type
            error: empty is not a file with certificates, CSRs, CRLs or keys
            caused by: the file is empty
            error: two.pem is not a certificate revocation list (CRL)
            caused by: it holds 2 objects
            error: with-certificate.pem is not a certificate revocation list (CRL)
            caused by: it holds 2 objects
            error: pki/rootCA/ca.crt is not a certificate revocation list (CRL)
            caused by: it holds "CERTIFICATE"
            error: pki/rootCA/ca.key is not a certificate revocation list (CRL)
            caused by: it holds "PRIVATE KEY"
            error: ca.p12 is not a certificate revocation list (CRL)
            caused by: it holds "PKCS12"
            error: mislabelled.pem is not a certificate revocation list (CRL)
            caused by: a signature algorithm is expected
        "#]],
    );
}

#[test]
fn a_list_takes_the_place_of_a_list_and_of_nothing_else_unasked() {
    let sandbox = foreign_lists();
    sandbox.write("mine.txt", "mine\n");
    let line = "crl --in openssl.crl --to-pem --out";
    sandbox.pki(line).arg("mine.txt").refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: mine.txt already exists and is not a CRL
            hint: use another file, or --force to replace it
        "#]],
    );
    assert_eq!(sandbox.read("mine.txt"), "mine\n");
    sandbox.pki(line).words("mine.txt --force").succeeds();
    assert_eq!(sandbox.read("mine.txt"), sandbox.read("openssl.crl.pem"));
    sandbox.pki(line).arg("certtool.crl.pem").succeeds();
    let replaced = sandbox.read("certtool.crl.pem");
    assert_eq!(replaced, sandbox.read("openssl.crl.pem"));
}

#[test]
fn what_the_list_is_to_become_has_to_be_said() {
    let sandbox = foreign_lists();
    sandbox.pki("crl --in openssl.crl").refuses(
        2,
        "usage",
        expect![[r#"
            error: --in needs --to-pem or --to-der
        "#]],
    );
    sandbox
        .pki("crl --in openssl.crl --to-pem --to-der")
        .ends_with(2);
}

crate::engine::also_in_a_database! {
    crls_of_others_are_converted_as_openssl_converts_them,
    a_list_comes_from_standard_input_and_goes_to_standard_output,
    a_list_with_text_before_it_a_mark_or_other_line_ends_is_read, a_file_that_is_cut_off_anywhere_is_refused,
    what_is_no_single_list_is_refused_by_name, a_list_takes_the_place_of_a_list_and_of_nothing_else_unasked,
    what_the_list_is_to_become_has_to_be_said,
}
