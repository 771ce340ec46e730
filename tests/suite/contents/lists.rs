//! CRLs: every reason, with and without an invalidity date.

use super::{NOW, NOW_IN_TEXT, without_empty_lines};
use crate::run::assert_same;
use crate::sandbox::Sandbox;

/// openssl's text of a CRL without its signature, key identifier replaced.
fn contents(sandbox: &Sandbox, file: &str, ca: &str) -> String {
    let printed = sandbox
        .run("openssl", "crl -noout -text -nameopt RFC2253,show_type -in")
        .arg(file)
        .succeeds();
    let (contents, _) = printed
        .stdout
        .rsplit_once("    Signature Algorithm:")
        .unwrap();
    let identifier = sandbox.key_identifier(&format!("pki/{ca}/ca.crt"));
    let replaced = contents.replace(&identifier, "[issuer's key]");
    without_empty_lines(&replaced)
}

fn header(algorithm: &str, number: u128) -> String {
    format!(
        "Certificate Revocation List (CRL):
        Version 2 (0x1)
        Signature Algorithm: {algorithm}
        Issuer: CN=UTF8STRING:Root,O=UTF8STRING:Example,C=PRINTABLESTRING:JP
        Last Update: {NOW_IN_TEXT}
        Next Update: Mar  8 12:00:00 2026 GMT
        CRL extensions:
            X509v3 Authority Key Identifier:
                [issuer's key]
            X509v3 CRL Number:
                {number}
"
    )
}

fn root(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .pki_at(
            "2026-01-01 00:00:00",
            "root --name rootCA --no-passphrase --key-type",
        )
        .arg(key_type)
        .words("--subject /C=JP/O=Example/CN=Root --crl-url http://one.test/a.crl")
        .succeeds();
    sandbox
}

fn serial_of_new(sandbox: &Sandbox, cn: &str) -> String {
    let line = format!("--format json issue --ca rootCA --cn {cn}");
    let issued = sandbox
        .pki_at("2026-01-02 00:00:00", &line)
        .succeeds()
        .json();
    issued["serial"].as_str().unwrap().to_owned()
}

/// Reasons as RFC 5280 names them, and as openssl does; `unspecified` is left out of a CRL
/// (section 5.3.1).
const REASONS: [(&str, &str); 9] = [
    ("unspecified", ""),
    ("keyCompromise", "Key Compromise"),
    ("cACompromise", "CA Compromise"),
    ("affiliationChanged", "Affiliation Changed"),
    ("superseded", "Superseded"),
    ("cessationOfOperation", "Cessation Of Operation"),
    ("certificateHold", "Certificate Hold"),
    ("privilegeWithdrawn", "Privilege Withdrawn"),
    ("aACompromise", "AA Compromise"),
];

fn every_reason(key_type: &str) {
    let sandbox = root(key_type);
    let mut expected = Vec::new();
    let mut revoke = |reason: &str, shown: &str, day: usize, invalid: bool| {
        let serial = serial_of_new(&sandbox, &format!("x{day}"));
        let line = format!("revoke --ca rootCA --serial {serial} --reason {reason}");
        let revoked = sandbox.pki_at(&format!("2026-02-{day:02} 01:02:03"), &line);
        let revoked = if invalid {
            revoked.words("--invalidity-date 2026-01-31T22:00:59Z")
        } else {
            revoked
        };
        revoked.succeeds();
        expected.push(format!(
            "    Serial Number: {serial}\n        Revocation Date: Feb {day:2} 01:02:03 2026 GMT\n"
        ));
        if !shown.is_empty() || invalid {
            expected.push("        CRL entry extensions:\n".to_owned());
        }
        if !shown.is_empty() {
            expected.push(format!(
                "            X509v3 CRL Reason Code:\n                {shown}\n"
            ));
        }
        if invalid {
            expected.push(
                "            Invalidity Date:\n                Jan 31 22:00:59 2026 GMT\n"
                    .to_owned(),
            );
        }
    };
    for (index, (reason, shown)) in REASONS.into_iter().enumerate() {
        revoke(reason, shown, 2 * index + 1, false);
        revoke(reason, shown, 2 * index + 2, true);
    }
    sandbox.pki_at(NOW, "crl --ca rootCA").succeeds();
    let algorithm = match key_type {
        "p256" => "ecdsa-with-SHA256",
        _ => "sha256WithRSAEncryption",
    };
    assert_same(
        &contents(&sandbox, "pki/crl/rootCA.crl", "rootCA"),
        &(header(algorithm, 1) + "Revoked Certificates:\n" + &expected.concat()),
    );
}

#[test]
fn every_reason_with_and_without_an_invalidity_date() {
    every_reason("p256");
}

#[test]
fn every_reason_on_a_crl_of_an_rsa_key() {
    every_reason("rsa2048");
}

#[test]
fn a_crl_without_entries_and_the_numbers_of_the_next_ones() {
    let sandbox = root("p256");
    let none = "No Revoked Certificates.\n";
    for number in 1..=3 {
        sandbox.pki_at(NOW, "crl --ca rootCA --to-pem").succeeds();
        for file in ["pki/crl/rootCA.crl", "pki/crl/rootCA.crl.pem"] {
            assert_same(
                &contents(&sandbox, file, "rootCA"),
                &(header("ecdsa-with-SHA256", number) + none),
            );
        }
    }
}

/// The times of a CRL and its entries by their types, and all that is in it, in order.
#[test]
fn a_crl_by_its_der() {
    let sandbox = root("p256");
    let serial = serial_of_new(&sandbox, "x");
    let line = format!("revoke --ca rootCA --serial {serial} --reason superseded");
    sandbox
        .pki_at(NOW, &line)
        .words("--invalidity-date 2026-01-31T22:00:59Z")
        .succeeds();
    sandbox.pki_at(NOW, "crl --ca rootCA").succeeds();
    let parsed = sandbox.parsed("-inform DER -in pki/crl/rootCA.crl");
    let identifier = sandbox.key_identifier("pki/rootCA/ca.crt").replace(':', "");
    let (contents, _) = parsed.rsplit_once("\n1 SEQUENCE").unwrap();
    assert_same(
        &contents.replace(&identifier, "[issuer's key]"),
        &format!(
            "0 SEQUENCE
1 SEQUENCE
2 INTEGER:01
2 SEQUENCE
3 OBJECT:ecdsa-with-SHA256
2 SEQUENCE
3 SET
4 SEQUENCE
5 OBJECT:countryName
5 PRINTABLESTRING:JP
3 SET
4 SEQUENCE
5 OBJECT:organizationName
5 UTF8STRING:Example
3 SET
4 SEQUENCE
5 OBJECT:commonName
5 UTF8STRING:Root
2 UTCTIME:260301120000Z
2 UTCTIME:260308120000Z
2 SEQUENCE
3 SEQUENCE
4 INTEGER:{serial}
4 UTCTIME:260301120000Z
4 SEQUENCE
5 SEQUENCE
6 OBJECT:X509v3 CRL Reason Code
6 OCTET STRING:0A0104
5 SEQUENCE
6 OBJECT:Invalidity Date
6 OCTET STRING:180F32303236303133313232303035395A
2 cont [ 0 ]
3 SEQUENCE
4 SEQUENCE
5 OBJECT:X509v3 Authority Key Identifier
5 OCTET STRING:30168014[issuer's key]
4 SEQUENCE
5 OBJECT:X509v3 CRL Number
5 OCTET STRING:020101"
        ),
    );
}
