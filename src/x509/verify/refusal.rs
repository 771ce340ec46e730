//! Reasons for which a certificate is not valid: facts, each about the certificate that it names.

use super::problem::{CrlProblem, OcspProblem};
use crate::asn1::Malformed;
use crate::x509::certificate::serial_hex;
use crate::x509::constraints::ConstraintViolation;
use crate::x509::path::other_certificate;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Profile, Reason};
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the issuer of {subject} is missing: {issuer}")]
    MissingIssuer { subject: String, issuer: String },
    #[error("the issuer of {subject} is unknown: its issuer field is empty")]
    EmptyIssuer { subject: String },
    #[error("the issuer of {subject} is missing: the given {issuer} has another key")]
    OtherKey { subject: String, issuer: String },
    #[error("the issuer of {subject} is missing: {}", other_certificate(.issuer, .serial.as_deref()))]
    OtherCertificate {
        subject: String,
        issuer: String,
        serial: Option<String>,
    },
    #[error("{subject} is not signed with the key of {issuer}")]
    Signature { subject: String, issuer: String },
    #[error("the signature of {subject} can't be verified: {algorithm} is not supported")]
    Unverifiable { subject: String, algorithm: String },
    #[error("{subject} is self-signed and is not a trusted root")]
    Untrusted { subject: String },
    #[error("{subject} has no trusted root: its CAs only certify each other")]
    Rootless { subject: String },
    #[error("{subject} has too many or too long paths, and none of those checked is valid")]
    TooManyPaths { subject: String },
    #[error("{subject} is not valid before {}", rfc3339(*.not_before))]
    NotYetValid {
        subject: String,
        not_before: OffsetDateTime,
    },
    #[error("{subject} expired at {}", rfc3339(*.not_after))]
    Expired {
        subject: String,
        not_after: OffsetDateTime,
    },
    #[error("{subject} is of version {version}, which has no extensions")]
    Version { subject: String, version: u32 },
    #[error("{subject} has a critical extension that is not supported: {extension}")]
    CriticalExtension { subject: String, extension: String },
    #[error("the {extension} of {subject} is malformed: {problem}")]
    BrokenExtension {
        subject: String,
        extension: &'static str,
        problem: Malformed,
    },
    #[error("{issuer}, which signed {subject}, is not a CA certificate")]
    NotACa { subject: String, issuer: String },
    #[error("the keyUsage of {issuer} lacks keyCertSign, but it signed {subject}")]
    NoKeyCertSign { subject: String, issuer: String },
    #[error("the signature of {subject} is not secure: it uses {algorithm}")]
    WeakSignature { subject: String, algorithm: String },
    #[error("{issuer} allows {allowed} CAs below it, but {below} are between it and {subject}")]
    PathLength {
        subject: String,
        issuer: String,
        allowed: u32,
        below: usize,
    },
    #[error("{issuer} does not allow {subject}: {violation}")]
    NameConstraint {
        subject: String,
        issuer: String,
        violation: ConstraintViolation,
    },
    #[error("{subject} is not for {purpose}: its extKeyUsage is {has}")]
    Purpose {
        subject: String,
        purpose: Profile,
        has: String,
    },
    #[error("{subject} is not for {purpose}: its keyUsage is {has}")]
    KeyUsage {
        subject: String,
        purpose: Profile,
        has: String,
    },
    #[error("{subject} has no acceptable certificate policy: none is left at {at}")]
    Policy { subject: String, at: String },
    #[error("{subject} is not for the host {hostname}: it has {has}")]
    Hostname {
        subject: String,
        hostname: String,
        has: String,
    },
    #[error("rustls-webpki rejects the path of {subject}: {problem}")]
    SecondOpinion {
        subject: String,
        problem: &'static str,
    },
    #[error("{subject} was revoked at {} ({reason}), serial {serial}", rfc3339(*.revoked_at))]
    Revoked {
        subject: String,
        serial: String,
        revoked_at: OffsetDateTime,
        reason: Reason,
    },
    #[error("{subject} may be revoked: {problem}")]
    NoCrl {
        subject: String,
        problem: CrlProblem,
    },
    #[error("{subject} may be revoked: {problem}")]
    NoResponse {
        subject: String,
        problem: OcspProblem,
    },
}

impl Refusal {
    /// Returns whether all but the revocation of the path was found good.
    pub(crate) fn is_about_revocation(&self) -> bool {
        matches!(
            self,
            Self::Revoked { .. } | Self::NoCrl { .. } | Self::NoResponse { .. }
        )
    }
}

/// Returns the name of a certificate for messages: its subject, else its first alternative name, else its serial.
pub(crate) fn called(certificate: &Certificate) -> String {
    if !certificate.subject().is_empty() {
        return certificate.subject().to_string();
    }
    match certificate.subject_alt_names().first() {
        Some(name) => name.to_string(),
        None => format!("the certificate with serial {}", serial_text(certificate)),
    }
}

/// The serial as it is written everywhere; one that RFC 5280 does not allow as its bytes.
pub(crate) fn serial_text(certificate: &Certificate) -> String {
    serial_hex(certificate.serial_bytes())
}

/// Joins the first few of many, so that a message stays readable.
pub(super) fn first_few(all: &[impl ToString]) -> String {
    const FEW: usize = 8;
    let shown: Vec<String> = all.iter().take(FEW).map(ToString::to_string).collect();
    let shown = shown.join(", ");
    match all.len().checked_sub(FEW) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
