//! Attributes of subjects: object identifier, string type and length, as openssl reads them.

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// Name in a subject, name or number that openssl gives the type, its string type, and the most
/// characters that a value may have.
const ATTRIBUTES: [(&str, &str, &str, usize); 25] = [
    ("CN", "commonName", "UTF8STRING", 64),
    ("O", "organizationName", "UTF8STRING", 64),
    ("OU", "organizationalUnitName", "UTF8STRING", 64),
    ("C", "countryName", "PRINTABLESTRING", 2),
    ("ST", "stateOrProvinceName", "UTF8STRING", 128),
    ("L", "localityName", "UTF8STRING", 128),
    ("DC", "domainComponent", "IA5STRING", 63),
    ("UID", "userId", "UTF8STRING", 256),
    ("emailAddress", "emailAddress", "IA5STRING", 255),
    ("serialNumber", "serialNumber", "PRINTABLESTRING", 64),
    ("STREET", "streetAddress", "UTF8STRING", 128),
    ("postalCode", "postalCode", "UTF8STRING", 40),
    ("title", "title", "UTF8STRING", 64),
    ("SN", "surname", "UTF8STRING", 128),
    ("GN", "givenName", "UTF8STRING", 128),
    ("initials", "initials", "UTF8STRING", 128),
    (
        "generationQualifier",
        "generationQualifier",
        "UTF8STRING",
        128,
    ),
    ("dnQualifier", "dnQualifier", "PRINTABLESTRING", 128),
    ("pseudonym", "pseudonym", "UTF8STRING", 128),
    ("name", "name", "UTF8STRING", 128),
    ("description", "description", "UTF8STRING", 1024),
    ("businessCategory", "businessCategory", "UTF8STRING", 128),
    (
        "organizationIdentifier",
        "organizationIdentifier",
        "UTF8STRING",
        256,
    ),
    ("unstructuredName", "unstructuredName", "IA5STRING", 255),
    (
        "unstructuredAddress",
        "unstructuredAddress",
        "UTF8STRING",
        255,
    ),
];

fn issue(sandbox: &Sandbox, subject: &str) -> Run {
    let run = sandbox.pki("issue --ca rootCA --out out --name x --force --no-passphrase --subject");
    run.arg(subject)
}

fn root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox
}

#[test]
fn every_attribute_has_its_type_and_its_limit() {
    let sandbox = root();
    let mut said = String::new();
    for (short, long, string, most) in ATTRIBUTES {
        let value = match short {
            "emailAddress" => format!("{}@x.test", "A".repeat(most - 7)),
            _ => "A".repeat(most),
        };
        issue(&sandbox, &format!("/{short}={value}")).succeeds();
        let subject = sandbox.run("openssl", "x509 -noout -subject -in out/x.crt");
        let subject = subject.words("-nameopt RFC2253,lname,show_type").succeeds();
        assert_eq!(
            subject.stdout.trim(),
            format!("subject={long}={string}:{value}")
        );
        let run = issue(&sandbox, &format!("/{short}=A{value}"));
        let refused = run.refusal(1, "invalid-subject");
        said += &refused.replace(&"A".repeat(80), "A…A");
    }
    assert_text(
        &said,
        expect![[r#"
            error: invalid subject
            caused by: the value of CN has more than 64 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of O has more than 64 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of OU has more than 64 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of C has more than 2 characters: "AAA"
            error: invalid subject
            caused by: the value of ST has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of L has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of DC has more than 63 characters: "[fingerprint]"
            error: invalid subject
            caused by: the value of UID has more than 256 characters: "A…A…"
            error: invalid subject
            caused by: the value of emailAddress has more than 255 characters: "A…A…"
            error: invalid subject
            caused by: the value of serialNumber has more than 64 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of STREET has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of postalCode has more than 40 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of title has more than 64 characters: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            error: invalid subject
            caused by: the value of SN has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of GN has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of initials has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of generationQualifier has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of dnQualifier has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of pseudonym has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of name has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of description has more than 1024 characters: "A…A…"
            error: invalid subject
            caused by: the value of businessCategory has more than 128 characters: "A…A…"
            error: invalid subject
            caused by: the value of organizationIdentifier has more than 256 characters: "A…A…"
            error: invalid subject
            caused by: the value of unstructuredName has more than 255 characters: "A…A…"
            error: invalid subject
            caused by: the value of unstructuredAddress has more than 255 characters: "A…A…"
        "#]],
    );
}

/// The most characters are counted, not bytes.
#[test]
fn a_limit_counts_characters() {
    let sandbox = root();
    let value = "ü".repeat(64);
    issue(&sandbox, &format!("/CN={value}")).succeeds();
    let subject = sandbox.run("openssl", "x509 -noout -subject -in out/x.crt");
    let subject = subject.words("-nameopt RFC2253,utf8,-esc_msb").succeeds();
    assert_eq!(subject.stdout.trim(), format!("subject=CN={value}"));
    issue(&sandbox, &format!("/CN=ü{value}")).ends_with(1);
}

/// Both notations give one order, and attributes that stand together stay in one RDN.
#[test]
fn the_order_of_a_subject_is_kept() {
    let sandbox = root();
    for subject in [
        "/C=JP/O=Example/OU=a/OU=b/CN=x",
        "CN=x,OU=b,OU=a,O=Example,C=JP",
    ] {
        issue(&sandbox, subject).succeeds();
        let printed = sandbox.run(
            "openssl",
            "x509 -noout -subject -in out/x.crt -nameopt compat",
        );
        assert_eq!(
            printed.succeeds().stdout.trim(),
            "subject=/C=JP/O=Example/OU=a/OU=b/CN=x"
        );
    }
}
