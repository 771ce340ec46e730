//! Kinds of limits of targets, and their evaluation; the table of targets has the sizes.

use crate::asn1::oid;
use crate::ca::trust_store::targets::{BundleFinding, Judged, Level, called};
use crate::key::{Curve, PssHash, PublicKeyAlgorithm, SignatureAlgorithm};
use crate::x509::Certificate;
use crate::x509::certificate::algorithm_name;
use std::collections::HashMap;
use std::fmt;

/// A limit of a target for certificates.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Certificates in all files together.
    Certificates(usize),
    /// Certificates that are no roots.
    Intermediates(usize),
    /// Certificates with one subject and one key.
    SameSubjectAndKey(usize),
    /// Bytes of a certificate's DER.
    CertificateBytes(usize),
    /// Bytes of a file.
    FileBytes(usize),
    /// Bytes of all subjects' DER together.
    SubjectBytes(usize),
    /// Certificates of the longest path, with a leaf under it and the root above it.
    Depth(usize),
    /// Subtrees of a certificate's name constraints.
    NameConstraints(usize),
    /// Kinds of public keys that are taken.
    Keys(&'static [Key]),
    /// Kinds of public keys that CAs may have, and leaves may not.
    NoLeafKeys(&'static [Key]),
    /// Hashes of signatures that are taken.
    Hashes(&'static [Hash]),
    /// A keyUsage with keyCertSign, which general rules only demand of a keyUsage that is there.
    KeyCertSign,
    /// CRLs are checked: that it checks none is what users have to know.
    ChecksCrls,
}

/// A kind of public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// RSA from the first to the second number of bits.
    Rsa(usize, usize),
    /// RSA from this number of bits.
    RsaFrom(usize),
    Ec(Curve),
    AnyEc,
    Ed25519,
}

/// Hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

const NO_REVOCATION: &str =
    "CRLs are not checked: a revoked certificate is accepted until it expires";

impl Limit {
    /// Name of the rule.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Certificates(_) => "certificate-count",
            Self::Intermediates(_) => "intermediate-count",
            Self::SameSubjectAndKey(_) => "same-subject-and-key",
            Self::CertificateBytes(_) => "certificate-octets",
            Self::FileBytes(_) => "file-octets",
            Self::SubjectBytes(_) => "subject-octets",
            Self::Depth(_) => "path-depth",
            Self::NameConstraints(_) => "name-constraint-count",
            Self::Keys(_) => "key-type",
            Self::NoLeafKeys(_) => "leaf-key-type",
            Self::Hashes(_) => "signature-hash",
            Self::KeyCertSign => "key-cert-sign",
            Self::ChecksCrls => "no-revocation",
        }
    }

    pub(crate) fn check(&self, level: Level, judged: &Judged<'_>) -> Vec<BundleFinding> {
        let found = |message| BundleFinding::new(level, self.rule(), message);
        self.messages(judged).into_iter().map(found).collect()
    }

    fn messages(&self, judged: &Judged<'_>) -> Vec<String> {
        match *self {
            Self::SameSubjectAndKey(most) => same_subject_and_key(judged, most),
            Self::ChecksCrls => vec![NO_REVOCATION.to_owned()],
            Self::Certificates(most)
            | Self::Intermediates(most)
            | Self::FileBytes(most)
            | Self::SubjectBytes(most)
            | Self::Depth(most) => {
                let counts = self.counts(judged).into_iter();
                counts
                    .filter_map(|(count, message)| over(count, most, &message))
                    .collect()
            }
            _ => {
                let certificates = judged.certificates.iter();
                certificates
                    .filter_map(|certificate| self.problem(certificate))
                    .collect()
            }
        }
    }

    /// Counts for all certificates together, or for each file, each with its message.
    fn counts(&self, judged: &Judged<'_>) -> Vec<(usize, String)> {
        let certificates = judged.certificates;
        let (count, message) = match self {
            Self::Certificates(_) => {
                let count = certificates.len();
                (count, format!("it has {count} certificates"))
            }
            Self::Intermediates(_) => {
                let all = 0..certificates.len();
                let count = all.filter(|node| !judged.is_root(*node)).count();
                (
                    count,
                    format!("it has {count} certificates that are not roots"),
                )
            }
            Self::SubjectBytes(_) => {
                let subjects = certificates.iter().map(Certificate::subject);
                let bytes = subjects.map(|subject| subject.der().len()).sum();
                (bytes, format!("the subjects have {bytes} bytes together"))
            }
            Self::Depth(_) => {
                let depth = judged.longest_path() + 1;
                let message =
                    format!("the longest path, including a leaf, has {depth} certificates");
                (depth, message)
            }
            Self::FileBytes(_) => {
                let files = judged.files.iter();
                let file = |bytes: &usize| (*bytes, format!("the file has {bytes} bytes"));
                return files.map(file).collect();
            }
            _ => return Vec::new(),
        };
        vec![(count, message)]
    }

    /// Returns how one certificate breaks the limit.
    fn problem(&self, certificate: &Certificate) -> Option<String> {
        let name = called(certificate);
        let algorithm = certificate.public_key().algorithm();
        match *self {
            Self::CertificateBytes(most) => {
                let bytes = certificate.der().len();
                over(bytes, most, &format!("{name} has {bytes} bytes"))
            }
            Self::NameConstraints(most) => name_constraints(certificate, &name, most),
            Self::KeyCertSign => {
                let has_usage = certificate.extension(&oid::KEY_USAGE).is_some();
                (certificate.is_ca() && !has_usage)
                    .then(|| format!("{name} has no keyUsage; {self} is required"))
            }
            Self::NoLeafKeys(refused) => refused.iter().any(|key| key.is(algorithm)).then(|| {
                format!(
                    "{name} has a key of type {algorithm}, but its leaves need keys of another type"
                )
            }),
            Self::Keys(_) => self.key_problem(&name, algorithm),
            Self::Hashes(_) => {
                let signature = certificate.signature_algorithm();
                self.hash_problem(&name, signature, || {
                    algorithm_name(certificate.outer_algorithm())
                })
            }
            _ => None,
        }
    }

    /// Returns how a key breaks a limit of kinds of keys.
    pub(crate) fn key_problem(&self, name: &str, algorithm: PublicKeyAlgorithm) -> Option<String> {
        let Self::Keys(taken) = self else { return None };
        let fits = taken.iter().any(|key| key.is(algorithm));
        (!fits).then(|| format!("{name} has a key of type {algorithm}; supported: {self}"))
    }

    /// Returns how a signature breaks a limit of hashes.
    pub(crate) fn hash_problem(
        &self,
        name: &str,
        signature: Option<SignatureAlgorithm>,
        signature_name: impl Fn() -> String,
    ) -> Option<String> {
        let Self::Hashes(taken) = self else {
            return None;
        };
        let hash = signature.and_then(Hash::of);
        let fits = hash.is_some_and(|hash| taken.contains(&hash));
        (!fits).then(|| {
            format!(
                "{name} is signed with {}; supported: {self}",
                signature_name()
            )
        })
    }
}

/// Returns the message with the limit, if the count exceeds it.
pub(crate) fn over(count: usize, most: usize, message: &str) -> Option<String> {
    (count > most).then(|| format!("{message}; the limit is {}", with_commas(most)))
}

fn same_subject_and_key(judged: &Judged<'_>, most: usize) -> Vec<String> {
    let mut counts: HashMap<_, usize> = HashMap::new();
    let mut messages = Vec::new();
    for certificate in judged.certificates {
        let key = (certificate.subject(), certificate.public_key().spki());
        let count = counts.entry(key).or_default();
        *count += 1;
        if *count == most + 1 {
            let name = called(certificate);
            messages.push(format!(
                "more than {most} certificates have the subject and the key of {name}"
            ));
        }
    }
    messages
}

fn name_constraints(certificate: &Certificate, name: &str, most: usize) -> Option<String> {
    certificate.extension(&oid::NAME_CONSTRAINTS)?;
    match certificate.name_constraints() {
        Ok(constraints) => {
            let count = constraints.permitted.len() + constraints.excluded.len();
            over(count, most, &format!("{name} has {count} name constraints"))
        }
        Err(problem) => Some(format!(
            "the name constraints of {name} can't be read: {problem}"
        )),
    }
}

impl Hash {
    /// Returns the hash of a signature; `None` if its algorithm names none.
    fn of(signature: SignatureAlgorithm) -> Option<Self> {
        use SignatureAlgorithm as Signature;
        Some(match signature {
            Signature::EcdsaSha1 | Signature::RsaSha1 => Self::Sha1,
            Signature::EcdsaSha256 | Signature::RsaSha256 => Self::Sha256,
            Signature::EcdsaSha384 | Signature::RsaSha384 => Self::Sha384,
            Signature::EcdsaSha512 | Signature::RsaSha512 => Self::Sha512,
            Signature::Pss(pss) => match pss.hash {
                PssHash::Sha256 => Self::Sha256,
                PssHash::Sha384 => Self::Sha384,
                PssHash::Sha512 => Self::Sha512,
            },
            Signature::Ed25519 | Signature::MlDsa44 | Signature::MlDsa65 | Signature::MlDsa87 => {
                return None;
            }
        })
    }
}

impl Key {
    fn is(self, algorithm: PublicKeyAlgorithm) -> bool {
        match (self, algorithm) {
            (Self::Rsa(least, most), PublicKeyAlgorithm::Rsa { bits }) => {
                (least..=most).contains(&bits)
            }
            (Self::RsaFrom(least), PublicKeyAlgorithm::Rsa { bits }) => bits >= least,
            (Self::Ec(curve), PublicKeyAlgorithm::Ec(other)) => curve == other,
            (Self::AnyEc, PublicKeyAlgorithm::Ec(_) | PublicKeyAlgorithm::OtherCurve(_))
            | (Self::Ed25519, PublicKeyAlgorithm::Ed25519) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(least, most) if least == most => write!(f, "RSA {least}"),
            Self::Rsa(least, most) => write!(f, "RSA {least}–{most}"),
            Self::RsaFrom(0) => f.write_str("RSA"),
            Self::RsaFrom(least) => write!(f, "RSA from {least}"),
            Self::Ec(Curve::P256) => f.write_str("P-256"),
            Self::Ec(Curve::P384) => f.write_str("P-384"),
            Self::Ec(Curve::P521) => f.write_str("P-521"),
            Self::AnyEc => f.write_str("EC"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// The limit in words, as in "at most 25 certificates".
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (most, what) = match self {
            Self::Keys(keys) => return list(f, keys),
            Self::Hashes(hashes) => return list(f, hashes),
            Self::KeyCertSign => return f.write_str("a keyUsage with keyCertSign"),
            Self::ChecksCrls => return f.write_str("CRLs are not checked"),
            Self::NoLeafKeys(keys) => {
                f.write_str("no leaf keys of type ")?;
                return list(f, keys);
            }
            Self::Certificates(1) => return f.write_str("one certificate"),
            Self::Certificates(most) => (most, "certificates"),
            Self::Intermediates(most) => (most, "certificates that are not roots"),
            Self::SameSubjectAndKey(most) => (most, "certificates with the same subject and key"),
            Self::CertificateBytes(most) => (most, "bytes per certificate (DER)"),
            Self::FileBytes(most) => (most, "bytes per file"),
            Self::SubjectBytes(most) => (most, "bytes in all subjects together (DER)"),
            Self::Depth(most) => (most, "certificates per path, including leaf and root"),
            Self::NameConstraints(most) => (most, "name constraints per certificate"),
        };
        write!(f, "at most {} {what}", with_commas(*most))
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    f.write_str(&items.join(", "))
}

/// Groups digits, as in 16,384.
pub(crate) fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
