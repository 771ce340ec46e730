//! Leaves: every profile, with keys of several types.

use super::{Expected, KEY_IDENTIFIERS, NOW_IN_TEXT, POINTERS, URLS};
use crate::hierarchy::for_every_key_type;
use crate::sandbox::Sandbox;

/// A root with [`URLS`].
fn with_urls() -> Sandbox {
    let sandbox = Sandbox::new();
    let line = format!("root --name rootCA --no-passphrase {URLS}");
    sandbox.pki_now(&line).succeeds();
    sandbox
}

/// Content that a profile puts into a certificate whose names the options give.
struct Shape {
    profile: &'static str,
    options: &'static str,
    /// Whether an RSA key may encrypt keys too.
    transport: bool,
    /// `: critical`, or `:`, and the purposes.
    purposes: &'static str,
    names: &'static str,
    pointers: &'static str,
}

const SHAPES: [Shape; 7] = [
    Shape {
        profile: "client",
        options: "",
        transport: true,
        purposes: ":\n    TLS Web Client Authentication\n",
        names: "",
        pointers: POINTERS,
    },
    Shape {
        profile: "server",
        options: "--san 192.0.2.7,www.example.test",
        transport: true,
        purposes: ":\n    TLS Web Server Authentication\n",
        names: "DNS:x.example.test, IP Address:192.0.2.7, DNS:www.example.test",
        pointers: POINTERS,
    },
    Shape {
        profile: "peer",
        options: "--san uri:https://x.test/y,2001:db8::7,email:a@x.test",
        transport: true,
        purposes: ":\n    TLS Web Server Authentication, TLS Web Client Authentication\n",
        names: "DNS:x.example.test, URI:https://x.test/y, IP Address:2001:DB8:0:0:0:0:0:7, email:a@x.test",
        pointers: POINTERS,
    },
    Shape {
        profile: "email",
        options: "--san email:a@x.test",
        transport: true,
        purposes: ":\n    E-mail Protection\n",
        names: "email:a@x.test",
        pointers: POINTERS,
    },
    Shape {
        profile: "code-signing",
        options: "",
        transport: false,
        purposes: ":\n    Code Signing\n",
        names: "",
        pointers: POINTERS,
    },
    Shape {
        profile: "ocsp",
        options: "",
        transport: false,
        purposes: ":\n    OCSP Signing\n",
        names: "",
        // A responder that is not to be checked has no pointer to its revocation.
        pointers: "OCSP No Check:\nAuthority Information Access:\n    CA Issuers - URI:http://ca.test/c.crt\n",
    },
    Shape {
        profile: "timestamp",
        options: "",
        transport: false,
        purposes: ": critical\n    Time Stamping\n",
        names: "",
        pointers: POINTERS,
    },
];

impl Shape {
    fn extensions(&self, key_type: &str) -> String {
        let usage = if self.transport && key_type.starts_with("rsa") {
            "Digital Signature, Key Encipherment"
        } else {
            "Digital Signature"
        };
        let names = match self.names {
            "" => String::new(),
            names => format!("X509v3 Subject Alternative Name:\n    {names}\n"),
        };
        let (purposes, pointers) = (self.purposes, self.pointers);
        format!(
            "X509v3 Basic Constraints: critical\n    CA:FALSE\n\
             X509v3 Key Usage: critical\n    {usage}\n\
             X509v3 Extended Key Usage{purposes}{names}{pointers}{KEY_IDENTIFIERS}"
        )
    }
}

fn every_profile(key_type: &str) {
    let sandbox = with_urls();
    for (number, shape) in SHAPES.iter().enumerate() {
        sandbox
            .pki_now("issue --ca rootCA --no-passphrase --out out --force --cn x.example.test")
            .words(&format!(
                "--key-type {key_type} --profile {}",
                shape.profile
            ))
            .words(shape.options)
            .succeeds();
        sandbox.assert_contents(
            "out/x.example.test.crt",
            "pki/rootCA/ca.crt",
            &Expected {
                counter: &format!("{:02x}", number + 2),
                algorithm: "ecdsa-with-SHA256",
                issuer: "CN=UTF8STRING:rootCA",
                not_before: NOW_IN_TEXT,
                not_after: "Mar  1 12:00:00 2027 GMT",
                subject: "CN=UTF8STRING:x.example.test",
                extensions: shape.extensions(key_type),
            },
        );
    }
}

#[test]
fn every_profile_with_a_p256_key() {
    every_profile("p256");
}

#[test]
fn every_profile_with_an_ed25519_key() {
    every_profile("ed25519");
}

#[test]
fn every_profile_with_an_rsa_key() {
    every_profile("rsa2048");
}

#[test]
fn every_profile_with_an_ml_dsa_key() {
    every_profile("ml-dsa-44");
}

/// Key and signature algorithm of a root and its leaf, as openssl shows them.
fn every_key_type(key_type: &str) {
    let sandbox = Sandbox::new();
    let options = format!("--no-passphrase --key-type {key_type}");
    sandbox
        .pki_now("root --name rootCA")
        .words(&options)
        .succeeds();
    sandbox
        .pki_now("issue --ca rootCA --cn x.example.test --out out")
        .words(&options)
        .succeeds();
    let (algorithm, key) = match key_type {
        "p256" => ("ecdsa-with-SHA256", "id-ecPublicKey 256 P-256"),
        "p384" => ("ecdsa-with-SHA384", "id-ecPublicKey 384 P-384"),
        "p521" => ("ecdsa-with-SHA512", "id-ecPublicKey 521 P-521"),
        "ed25519" => ("ED25519", "ED25519 253"),
        "rsa2048" => ("sha256WithRSAEncryption", "rsaEncryption 2048 65537"),
        "rsa3072" => ("sha256WithRSAEncryption", "rsaEncryption 3072 65537"),
        "rsa4096" => ("sha256WithRSAEncryption", "rsaEncryption 4096 65537"),
        // RFC 9881 section 2; this openssl knows no name.
        "ml-dsa-44" => ("2.16.840.1.101.3.4.3.17", "2.16.840.1.101.3.4.3.17"),
        "ml-dsa-65" => ("2.16.840.1.101.3.4.3.18", "2.16.840.1.101.3.4.3.18"),
        "ml-dsa-87" => ("2.16.840.1.101.3.4.3.19", "2.16.840.1.101.3.4.3.19"),
        other => panic!("{other}"),
    };
    let expected = Expected {
        counter: "02",
        algorithm,
        issuer: "CN=UTF8STRING:rootCA",
        not_before: NOW_IN_TEXT,
        not_after: "Mar  1 12:00:00 2027 GMT",
        subject: "CN=UTF8STRING:x.example.test",
        extensions: Shape {
            pointers: "",
            ..SHAPES.into_iter().next().unwrap()
        }
        .extensions(key_type),
    };
    sandbox.assert_contents("out/x.example.test.crt", "pki/rootCA/ca.crt", &expected);
    for certificate in ["out/x.example.test.crt", "pki/rootCA/ca.crt"] {
        assert_eq!(key_of(&sandbox, certificate), key, "{certificate}");
        assert_parameters(&sandbox, certificate, key_type);
    }
}

/// The key's algorithm, its bits, and its curve or exponent.
fn key_of(sandbox: &Sandbox, certificate: &str) -> String {
    let text = sandbox.run("openssl", "x509 -noout -text -in");
    let text = text.arg(certificate).succeeds().stdout;
    let after = |label: &str| {
        let (_, rest) = text.split_once(label)?;
        rest.split_whitespace()
            .next()
            .map(|word| word.trim_start_matches('('))
    };
    let is_ed25519 = text.contains("ED25519 Public-Key:");
    let bits = if is_ed25519 {
        Some("253")
    } else {
        after("Public-Key:")
    };
    let more = after("NIST CURVE:").or_else(|| after("Exponent:"));
    let parts = [after("Public Key Algorithm:"), bits, more];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// NULL for RSA (RFC 4055), none for others but a curve: both signature algorithms and the key's.
fn assert_parameters(sandbox: &Sandbox, certificate: &str, key_type: &str) {
    let parsed = sandbox.run("openssl", "asn1parse -in").arg(certificate);
    let parsed = parsed.succeeds().stdout;
    let nulls = parsed
        .lines()
        .filter(|line| line.contains(": NULL"))
        .count();
    let expected = if key_type.starts_with("rsa") { 3 } else { 0 };
    assert_eq!(nulls, expected, "{parsed}");
}

for_every_key_type!(every_key_type);

/// A subject that is empty makes the SAN critical (RFC 5280 section 4.2.1.6).
#[test]
fn a_leaf_without_a_subject() {
    let sandbox = with_urls();
    sandbox
        .pki_now("issue --ca rootCA --no-passphrase --out out --name x --profile server")
        .words("--san www.example.test,*.example.test --not-before 2026-04-01 --not-after 2026-05-02T03:04:05Z")
        .succeeds();
    sandbox.assert_contents(
        "out/x.crt",
        "pki/rootCA/ca.crt",
        &Expected {
            counter: "02",
            algorithm: "ecdsa-with-SHA256",
            issuer: "CN=UTF8STRING:rootCA",
            not_before: "Apr  1 00:00:00 2026 GMT",
            not_after: "May  2 03:04:05 2026 GMT",
            subject: "",
            extensions: format!(
                "X509v3 Basic Constraints: critical\n    CA:FALSE\n\
                 X509v3 Key Usage: critical\n    Digital Signature\n\
                 X509v3 Extended Key Usage:\n    TLS Web Server Authentication\n\
                 X509v3 Subject Alternative Name: critical\n    DNS:www.example.test, DNS:*.example.test\n\
                 {POINTERS}{KEY_IDENTIFIERS}"
            ),
        },
    );
}
