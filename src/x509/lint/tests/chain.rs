//! Certificates of a root, a CA and a leaf, in parts that can be replaced.

use crate::asn1::{encode, encode_generalized_time, encode_time, oid, sequence, tag};
use crate::key::{KeyType, PrivateKey, SignatureAlgorithm};
use crate::x509::constraints::NameConstraints;
use crate::x509::extension::key_usage::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use crate::x509::extension::{BasicConstraints, Extension};
use crate::x509::lint::{Candidate, lint};
use crate::x509::{Certificate, GeneralName, Name};
use const_oid::ObjectIdentifier;
use std::sync::LazyLock;
use time::OffsetDateTime;
use time::macros::datetime;

/// Public keys of the root, the CA and the leaf.
static KEYS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    [(); 3].map(|()| {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        key.public().spki().to_vec()
    })
});

/// Elements of a certificate, each of which a case can replace by any DER.
pub(super) struct Parts {
    pub(super) version: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) inner_algorithm: Vec<u8>,
    pub(super) outer_algorithm: Vec<u8>,
    pub(super) issuer: Name,
    pub(super) not_before: Vec<u8>,
    pub(super) not_after: Vec<u8>,
    pub(super) subject: Name,
    pub(super) public_key: Vec<u8>,
    pub(super) extensions: Vec<Extension>,
}

impl Parts {
    pub(super) fn new(subject: &str, issuer: &str, key: usize, last_year: i32) -> Self {
        let algorithm = SignatureAlgorithm::EcdsaSha256.to_der();
        let not_after = datetime!(2030-12-31 23:59:59 UTC).replace_year(last_year);
        Self {
            version: version(2),
            serial: vec![1],
            inner_algorithm: algorithm.clone(),
            outer_algorithm: algorithm,
            issuer: name(issuer),
            not_before: utc_or_generalized(datetime!(2026-01-01 0:00 UTC)),
            not_after: utc_or_generalized(not_after.unwrap()),
            subject: name(subject),
            public_key: KEYS[key].clone(),
            extensions: Vec::new(),
        }
    }

    pub(super) fn certificate(&self) -> Certificate {
        let tbs = sequence(|tbs| {
            tbs.raw(&self.version);
            tbs.primitive(tag::INTEGER, &self.serial);
            tbs.raw(&self.inner_algorithm);
            tbs.raw(self.issuer.der());
            tbs.sequence(|validity| {
                validity.raw(&self.not_before);
                validity.raw(&self.not_after);
            });
            tbs.raw(self.subject.der());
            tbs.raw(&self.public_key);
            tbs.explicit(3, |wrapper| {
                wrapper.sequence(|list| self.extensions.iter().for_each(|e| e.encode(list)));
            });
        });
        let der = sequence(|certificate| {
            certificate.raw(&tbs);
            certificate.raw(&self.outer_algorithm);
            certificate.bit_string(&[0; 64]);
        });
        Certificate::from_der(&der).unwrap()
    }

    pub(super) fn extension(&mut self, oid: ObjectIdentifier) -> &mut Extension {
        let mut all = self.extensions.iter_mut();
        all.find(|extension| extension.oid == oid).unwrap()
    }

    pub(super) fn remove(&mut self, oid: ObjectIdentifier) {
        self.extensions.retain(|extension| extension.oid != oid);
    }

    /// Puts an extension in the place of the one of its kind, or at the end.
    pub(super) fn set(&mut self, extension: Extension) {
        self.remove(extension.oid);
        self.extensions.push(extension);
    }
}

pub(super) fn version(number: u8) -> Vec<u8> {
    encode(|tbs| tbs.explicit(0, |version| version.unsigned(&[number])))
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn empty_name() -> Name {
    Name::from_attributes([]).unwrap()
}

/// `/CN=ca` as a PrintableString, where `pki` writes a UTF8String.
pub(super) fn printable_name() -> Name {
    let der = sequence(|name| {
        name.constructed(tag::SET, |rdn| {
            rdn.sequence(|pair| {
                pair.oid(&oid::COMMON_NAME);
                pair.primitive(tag::PRINTABLE_STRING, b"ca");
            });
        });
    });
    Name::from_der(&der).unwrap()
}

pub(super) fn utc_or_generalized(time: OffsetDateTime) -> Vec<u8> {
    encode(|element| encode_time(element, time))
}

pub(super) fn generalized(time: OffsetDateTime) -> Vec<u8> {
    encode(|element| encode_generalized_time(element, time))
}

pub(super) fn algorithm(identifier: ObjectIdentifier) -> Vec<u8> {
    sequence(|algorithm| algorithm.oid(&identifier))
}

pub(super) fn basic_constraints(ca: bool, path_length: Option<u32>) -> Extension {
    Extension::basic_constraints(BasicConstraints { ca, path_length })
}

pub(super) fn alternative_names(names: &[GeneralName], critical: bool) -> Extension {
    Extension::subject_alt_name(names, critical)
}

pub(super) fn host(text: &str) -> GeneralName {
    GeneralName::Dns(text.to_owned())
}

pub(super) fn constraints(permitted: &[&str], excluded: &[&str]) -> Extension {
    let subtrees = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Extension::name_constraints(&NameConstraints {
        permitted: subtrees(permitted),
        excluded: subtrees(excluded),
    })
}

/// An extension with the value that is given, whatever it is.
pub(super) fn raw(oid: ObjectIdentifier, critical: bool, value: &[u8]) -> Extension {
    Extension {
        oid,
        critical,
        value: value.to_vec(),
    }
}

/// A 1024-bit RSA key.
pub(super) fn short_rsa_key() -> Vec<u8> {
    let mut modulus = [0xb7; 128];
    modulus[40] = 0x11;
    let key = sequence(|key| {
        key.unsigned(&modulus);
        key.unsigned(&[1, 0, 1]);
    });
    sequence(|spki| {
        spki.sequence(|algorithm| {
            algorithm.oid(&oid::RSA_ENCRYPTION);
            algorithm.primitive(tag::NULL, &[]);
        });
        spki.bit_string(&key);
    })
}

/// A certificate to be judged, and those above it.
pub(super) struct Chain {
    pub(super) certificate: Parts,
    pub(super) issuers: Vec<Parts>,
}

impl Chain {
    /// Names of the rules that it breaks.
    pub(super) fn broken_rules(&self) -> Vec<&'static str> {
        let issuers: Vec<_> = self.issuers.iter().map(Parts::certificate).collect();
        let certificate = self.certificate.certificate();
        let findings = lint(&Candidate {
            certificate: &certificate,
            issuers: &issuers,
        });
        findings.iter().map(|finding| finding.rule).collect()
    }
}

pub(super) fn root() -> Chain {
    let mut certificate = Parts::new("/CN=root", "/CN=root", 0, 2040);
    certificate.extensions = vec![
        basic_constraints(true, None),
        Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN),
        Extension::subject_key_identifier(&[1; 20]),
    ];
    Chain {
        certificate,
        issuers: Vec::new(),
    }
}

pub(super) fn ca() -> Chain {
    let mut certificate = Parts::new("/CN=ca", "/CN=root", 1, 2035);
    certificate.extensions = vec![
        basic_constraints(true, Some(0)),
        Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN),
        Extension::subject_key_identifier(&[2; 20]),
        Extension::authority_key_identifier(&[1; 20]),
    ];
    Chain {
        certificate,
        issuers: vec![root().certificate],
    }
}

pub(super) fn leaf() -> Chain {
    let mut certificate = Parts::new("/CN=leaf", "/CN=ca", 2, 2030);
    certificate.extensions = vec![
        basic_constraints(false, None),
        Extension::key_usage(DIGITAL_SIGNATURE),
        Extension::extended_key_usage(&[oid::CLIENT_AUTH]),
        Extension::subject_key_identifier(&[3; 20]),
        Extension::authority_key_identifier(&[2; 20]),
    ];
    let Chain {
        certificate: ca,
        mut issuers,
    } = ca();
    issuers.insert(0, ca);
    Chain {
        certificate,
        issuers,
    }
}

/// A name of UTF8Strings, unchecked.
pub(super) fn utf8_name(attributes: &[(ObjectIdentifier, String)]) -> Name {
    let der = sequence(|name| {
        for (kind, text) in attributes {
            name.constructed(tag::SET, |rdn| {
                rdn.sequence(|pair| {
                    pair.oid(kind);
                    pair.primitive(tag::UTF8_STRING, text.as_bytes());
                });
            });
        }
    });
    Name::from_der(&der).unwrap()
}
