//! What may be added to a bundle: CA certificates, read whole or refused by name.

use expect_test::expect;

use super::refusals;
use crate::sandbox::Sandbox;

/// A CA, a leaf of it in `out/`, and files that need care to be read.
fn with_odd_files() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn client --out out --no-passphrase")
        .succeeds();
    for line in [
        "--store others root --name other --no-passphrase",
        "--store others subordinate --ca other --name below --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let other = sandbox.read("others/other/ca.crt");
    let below = sandbox.read("others/below/ca.crt");
    sandbox.write("joined.pem", format!("{}{other}", below.trim_end()));
    sandbox.write("crlf.pem", format!("{below}{other}").replace('\n', "\r\n"));
    sandbox.write("bom.pem", format!("\u{feff}{below}{other}"));
    sandbox.write("indented.pem", format!("  {}", other.replace('\n', "\n  ")));
    sandbox.write(
        "preamble.pem",
        format!("Certificate:\n    Data:\n{below}\nanother:\n{other}"),
    );
    sandbox.write(
        "trusted.pem",
        other.replace(" CERTIFICATE", " TRUSTED CERTIFICATE"),
    );
    sandbox.write(
        "with-key.pem",
        format!("{other}{}", sandbox.read("others/other/ca.key")),
    );
    sandbox.write("half.pem", &other[..other.len() / 2]);
    sandbox.write("empty.pem", "");
    sandbox.write("garbage.der", [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02]);
    sandbox
}

refusals! { with_odd_files();
    a_leaf: "bundle --add out/client.crt --out truststore.pem" => 1, "not-a-ca-certificate", expect![[r#"
        error: out/client.crt can't be added to a bundle
        caused by: its certificate CN=client is not a CA certificate
        hint: a bundle contains only CA certificates; remove it
    "#]];
    a_key: "bundle --add out/client.key --out truststore.pem" => 1, "invalid-input", expect![[r#"
        error: out/client.key is not a file of certificates
        caused by: its object 1 is "PRIVATE KEY"
    "#]];
    a_certificate_with_a_key_behind_it: "bundle --add with-key.pem --out truststore.pem" => 1, "invalid-input", expect![[r#"
        error: with-key.pem is not a file of certificates
        caused by: its object 2 is "PRIVATE KEY"
    "#]];
    a_trusted_certificate_of_openssl: "bundle --add trusted.pem --out truststore.pem" => 1, "invalid-input", expect![[r#"
        error: trusted.pem is not a file of certificates
        caused by: its object 1 is "TRUSTED CERTIFICATE"
    "#]];
    half_a_certificate: "bundle --add half.pem --out truststore.pem" => 1, "invalid-pem", expect![[r#"
        error: half.pem is not a file with certificates, CSRs, CRLs or keys
        caused by: line 1: CERTIFICATE has no END marker; the file may be cut off
    "#]];
    an_empty_file: "bundle --add empty.pem --out truststore.pem" => 1, "invalid-input", expect![[r#"
        error: empty.pem is not a file with certificates, CSRs, CRLs or keys
        caused by: the file is empty
    "#]];
    a_der_file_that_claims_two_gigabytes: "bundle --add garbage.der --out truststore.pem" => 1, "invalid-input", expect![[r#"
        error: garbage.der is not a file with certificates, CSRs, CRLs or keys
        caused by: it is cut off: it starts as DER, but ends before its length
    "#]];
    a_ca_without_its_issuer: "bundle --add others/below/ca.crt --out truststore.pem" => 1, "chain-incomplete", expect![[r#"
        error: the bundle is incomplete
        caused by: the issuer of CN=below is missing: CN=other
        hint: add the certificate of CN=other with --add
    "#]];
    a_file_that_is_not_there: "bundle --add missing.pem --out truststore.pem" => 1, "file-not-found", expect![[r#"
        error: could not read missing.pem
        caused by: No such file or directory (os error 2)
    "#]];
}

/// Programs have dropped certificates here without a word.
#[test]
fn joined_crlf_marked_and_annotated_files_are_read_whole() {
    let sandbox = with_odd_files();
    for file in ["joined.pem", "crlf.pem", "bom.pem", "preamble.pem"] {
        sandbox
            .pki("bundle --ca rootCA --out truststore.pem --add")
            .arg(file)
            .succeeds();
        let certificates = sandbox.read("truststore.pem").matches("-----BEGIN").count();
        assert_eq!(certificates, 3, "{file}");
    }
}

crate::engine::also_in_a_database! {
    joined_crlf_marked_and_annotated_files_are_read_whole,
}
