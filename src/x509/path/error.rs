//! Paths that do not reach a root.

use crate::asn1::Malformed;

/// Name of the extension without which nobody can tell the issuer.
pub(in super::super) const AUTHORITY_KEY_IDENTIFIER: &str = "authorityKeyIdentifier";

/// Certificates of one name over which none of them is taken for an issuer: each is held against each that
/// it may have issued.
pub(super) const MOST_NAMESAKES: usize = 500;

/// Certificates of a path over which it is not followed.
pub(super) const MOST_STEPS: usize = 100;

/// Errors of paths that do not reach a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IncompletePath {
    #[error("the issuer of {subject} is missing: {issuer}")]
    MissingIssuer { subject: String, issuer: String },
    #[error("the issuer of {subject} is missing: {}", other_certificate(.issuer, .serial.as_deref()))]
    OtherCertificate {
        subject: String,
        issuer: String,
        serial: Option<String>,
    },
    #[error("the signature of {subject} can't be verified: {algorithm} is not supported")]
    Unverifiable { subject: String, algorithm: String },
    #[error("the issuer of {subject} can't be determined: {count} keys have the name {issuer}")]
    TooManyKeys {
        subject: String,
        issuer: String,
        count: usize,
    },
    #[error(
        "the issuer of {subject} can't be determined: {count} certificates have the name {issuer}, more than {MOST_NAMESAKES}"
    )]
    TooManyNamesakes {
        subject: String,
        issuer: String,
        count: usize,
    },
    #[error("the path of {subject} has more than {MOST_STEPS} certificates")]
    TooLong { subject: String },
    #[error("the {extension} of {subject} is malformed: {problem}")]
    BrokenExtension {
        subject: String,
        extension: &'static str,
        problem: Malformed,
    },
    #[error("{subject} has no root: its CAs only certify each other")]
    Rootless { subject: String },
}

/// Words the absence of the certificate that authorityKeyIdentifier names.
pub(crate) fn other_certificate(issuer: &str, serial: Option<&str>) -> String {
    match serial {
        Some(serial) => format!("the certificate of {issuer} with serial number {serial}"),
        None => format!("a certificate of {issuer} with the named issuer"),
    }
}
