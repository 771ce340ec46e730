//! Languages and libraries.

use super::{CRLS_OF_PATH, Form, PLAIN, RelyingParty};
use crate::ca::trust_store::targets::Level::{Error, Warning};
use crate::ca::trust_store::targets::{CrlForm, CrlLimit, CrlRules, Grammar, Key, Limit};
use crate::key::Curve::{P256, P384};

pub(super) const NODE: RelyingParty = RelyingParty {
    name: "node",
    title: "Node.js",
    source: "https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions",
    crls: CrlRules {
        form: CrlForm::PemOfPath,
        grammar: Grammar::JavaScript,
        settings: &["crl: [FILE].map((file) => fs.readFileSync(file)),"],
        note: Some("it reads only the first CRL of a text: put several into an array"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const JAVA: RelyingParty = RelyingParty {
    name: "java",
    title: "Java",
    source: "https://docs.oracle.com/en/java/javase/17/docs/specs/man/keytool.html",
    form: Form::Pkcs12,
    notes: &[
        "`keytool -importcert` reads only the first certificate of a PEM file.",
        "A passphrase must be printable ASCII.",
        "Aliases are case-insensitive.",
    ],
    crls: CrlRules {
        reads_der: true,
        source: "https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/security/cert/CertificateFactory.html",
        note: Some("CertificateFactory.generateCRLs reads the whole file"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const RUSTLS: RelyingParty = RelyingParty {
    name: "rustls",
    title: "rustls, with rustls-webpki",
    source: "https://docs.rs/rustls-webpki",
    limits: &[
        (Warning, Limit::Depth(8)),
        (
            Warning,
            Limit::Keys(&[
                Key::Rsa(2048, 8192),
                Key::Ec(P256),
                Key::Ec(P384),
                Key::Ed25519,
            ]),
        ),
    ],
    notes: &[
        "At most six CAs are allowed between a leaf and the trust anchor. P-521 is not supported with *ring*.",
    ],
    crls: CrlRules {
        limits: &[
            (Error, CrlLimit::Version2),
            (Error, CrlLimit::NextUpdate),
            (Error, CrlLimit::Number),
            (Error, CrlLimit::FullName),
            (Warning, CrlLimit::Depth(8)),
        ],
        note: Some("CertificateRevocationListDer::pem_file_iter reads the whole file"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const GO: RelyingParty = RelyingParty {
    name: "go",
    title: "Go, crypto/x509",
    source: "https://pkg.go.dev/crypto/x509#ParseRevocationList",
    crls: CrlRules {
        form: CrlForm::PemOfPath,
        reads_der: true,
        note: Some(
            "crypto/tls checks no CRL by itself: compare serial numbers in VerifyPeerCertificate",
        ),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};

pub(super) const WOLFSSL: RelyingParty = RelyingParty {
    name: "wolfssl",
    title: "wolfSSL",
    source: "https://www.wolfssl.com/documentation/manuals/wolfssl/chapter07.html",
    crls: CrlRules {
        form: CrlForm::PemOfPath,
        reads_der: true,
        note: Some("it reads only the first CRL of a file"),
        ..CRLS_OF_PATH
    },
    notes: &["Load the intermediate CAs as trust anchors too."],
    ..PLAIN
};

pub(super) const MBEDTLS: RelyingParty = RelyingParty {
    name: "mbedtls",
    title: "Mbed TLS",
    source: "https://mbed-tls.readthedocs.io/projects/api/en/v3.6.2/api/file/x509__crl_8h/",
    limits: &[(Error, Limit::Keys(&[Key::RsaFrom(0), Key::AnyEc]))],
    crls: CrlRules {
        reads_der: true,
        note: Some("without the CRL of the issuing CA, revoked clients are let in"),
        ..CRLS_OF_PATH
    },
    notes: &["It opens no keys that are encrypted with AES: export them unencrypted."],
    ..PLAIN
};

pub(super) const ERLANG: RelyingParty = RelyingParty {
    name: "erlang",
    title: "Erlang/OTP, ssl",
    source: "https://www.erlang.org/doc/apps/ssl/ssl_crl_cache.html",
    limits: &[(Warning, Limit::Keys(&[Key::RsaFrom(0), Key::AnyEc]))],
    crls: CrlRules {
        note: Some("ssl_crl_cache:insert reads the file, with {crl_check, true}"),
        ..CRLS_OF_PATH
    },
    ..PLAIN
};
