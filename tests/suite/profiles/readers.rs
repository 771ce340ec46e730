//! Programs that we did not write see the extensions to the byte.

use expect_test::expect;

use super::with_profile;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// A certificate with everything that a profile can order, in `a.crt`.
fn ordered() -> Sandbox {
    let sandbox = with_profile(
        r#"
base = "server"
extended_key_usage = ["serverAuth", "smartcardLogon", "1.3.6.1.4.1.99999.7"]
key_usage = ["digitalSignature", "contentCommitment", "encipherOnly", "keyAgreement"]
policies = [{ oid = "1.3.6.1.4.1.99999.1", cps = "https://ca.example.test/cps" }, { oid = "1.2.3.4" }]
must_staple = true
extensions = [
    { oid = "1.3.6.1.4.1.99999.2", hex = "0c0568656c6c6f" },
    { oid = "1.3.6.1.4.1.99999.3", base64 = "MAYCAQECAQI=", critical = true },
]
"#,
    );
    sandbox
        .pki("issue --ca intermediate0 --cn a.example.test --profile own --name a --out . --no-passphrase")
        .succeeds();
    sandbox
}

/// Extensions that follow from the keys, and differ every time.
fn without_identifiers(lines: &str) -> String {
    let lines = lines.lines();
    let kept =
        lines.filter(|line| !line.starts_with("2.5.29.14 ") && !line.starts_with("2.5.29.35 "));
    kept.collect::<Vec<_>>().join("\n")
}

/// Lines without what only lays them out.
fn trimmed(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn python_java_and_openssl_read_the_ordered_bytes() {
    let sandbox = ordered();
    let python = sandbox.python("extensions.py").arg("a.crt").succeeds();
    let java = sandbox.java("Extensions.java").arg("a.crt").succeeds();
    assert_eq!(python.stdout, java.stdout);
    assert_text(
        &without_identifiers(&python.stdout),
        expect![[r#"
        1.3.6.1.4.1.99999.2 - 0c0568656c6c6f
        1.3.6.1.4.1.99999.3 critical 3006020101020102
        1.3.6.1.5.5.7.1.24 - 3003020105
        2.5.29.15 critical 030200c9
        2.5.29.17 - 3010820e612e6578616d706c652e74657374
        2.5.29.19 critical 3000
        2.5.29.32 - 303f303606092b06010401868d1f013029302706082b06010505070201161b68747470733a2f2f63612e6578616d706c652e746573742f637073300506032a0304
        2.5.29.37 - 302106082b06010505070301060a2b06010401823714020206092b06010401868d1f07
    "#]],
    );
    let dump = sandbox.run("openssl", "asn1parse -in a.crt").succeeds();
    for line in python.stdout.lines() {
        let value = line.split(' ').next_back().unwrap().to_uppercase();
        assert!(
            dump.stdout.contains(&format!("[HEX DUMP]:{value}\n")),
            "{value}: {dump}"
        );
    }
}

#[test]
fn certtool_and_nss_show_what_was_ordered() {
    let sandbox = ordered();
    let shown = sandbox.run("certtool", "-i --infile a.crt").succeeds();
    let extensions = shown.stdout.split("Extensions:").nth(1).unwrap();
    let extensions = extensions.split("Subject Key Identifier").next().unwrap();
    assert_text(
        &trimmed(extensions),
        expect![[r#"
        Basic Constraints (critical):
        Certificate Authority (CA): FALSE
        Key Usage (critical):
        Digital signature.
        Non repudiation.
        Key agreement.
        Key encipher only.
        Key Purpose (not critical):
        TLS WWW Server.
        Smart Card Logon.
        1.3.6.1.4.1.99999.7
        Subject Alternative Name (not critical):
        DNSname: a.example.test
        Certificate Policies (not critical):
        1.3.6.1.4.1.99999.1
        URI: https://ca.example.test/cps
        1.2.3.4
        TLS Features (not critical):
        OCSP Status Request(5)
        Unknown extension 1.3.6.1.4.1.99999.2 (not critical):
        ASCII: ..hello
        Hexdump: 0c0568656c6c6f
        Unknown extension 1.3.6.1.4.1.99999.3 (critical):
        ASCII: 0.......
        Hexdump: 3006020101020102
    "#]],
    );
    let certutil = |line: &str| sandbox.run("certutil", "-d sql:nss").words(line);
    std::fs::create_dir(sandbox.path("nss")).unwrap();
    certutil("-N --empty-password").succeeds();
    certutil("-A -t ,, -n a -i a.crt").succeeds();
    let shown = certutil("-L -n a").succeeds();
    let extensions = shown.stdout.split("Signed Extensions:").nth(1).unwrap();
    let own = extensions.split("Name: Certificate Subject Key ID");
    let extensions = own.into_iter().next().unwrap();
    assert_text(
        &trimmed(extensions),
        expect![[r#"
        Name: Certificate Basic Constraints
        Critical: True
        Data: Is not a CA.
        Name: Certificate Key Usage
        Critical: True
        Usages: Digital Signature
        Non-Repudiation
        Key Agreement
        Encipher Only
        Name: Extended Key Usage
        TLS Web Server Authentication Certificate
        Microsoft KP SmartCard Logon
        OID.1.3.6.1.4.1.99999.7
        Name: Certificate Subject Alt Name
        DNS name: "a.example.test"
        Name: Certificate Policies
        Data:
        Policy Name: OID.1.3.6.1.4.1.99999.1
        Policy Qualifier Name: PKIX CPS Pointer Qualifier
        Policy Qualifier Data: "https://ca.example.test/cps"
        Policy Name: OID.1.2.3.4
        Name: OID.1.3.6.1.5.5.7.1.24
        Data: Sequence {
        5 (0x5)
        }
        Name: OID.1.3.6.1.4.1.99999.2
        Data: "hello"
        Name: OID.1.3.6.1.4.1.99999.3
        Critical: True
        Data: Sequence {
        1 (0x1)
        2 (0x2)
        }
    "#]],
    );
}

crate::engine::also_in_a_database! {
    certtool_and_nss_show_what_was_ordered,
}
