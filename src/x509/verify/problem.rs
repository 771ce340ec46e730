//! Reasons for which a CRL or an OCSP response says nothing about a certificate.

use crate::x509::validity::rfc3339;
use time::OffsetDateTime;

/// Reasons for which no CRL can be asked about a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CrlProblem {
    #[error("no CRL of {issuer} is given")]
    Missing { issuer: String },
    #[error("the CRL of {issuer} is not signed with its key")]
    Signature { issuer: String },
    #[error("the signature of the CRL of {issuer} can't be verified: {algorithm} is not supported")]
    Unverifiable { issuer: String, algorithm: String },
    #[error("the keyUsage of {issuer} lacks cRLSign, so its CRL is not valid")]
    NoCrlSign { issuer: String },
    #[error("the CRL of {issuer} is not valid before {}", rfc3339(*.this_update))]
    NotYetValid {
        issuer: String,
        this_update: OffsetDateTime,
    },
    #[error("the CRL of {issuer} expired at {}", rfc3339(*.next_update))]
    Ended {
        issuer: String,
        next_update: OffsetDateTime,
    },
    #[error("the CRL of {issuer} has no nextUpdate")]
    Endless { issuer: String },
    #[error("the CRL of {issuer} covers only some of its certificates: it has {extension}")]
    Partial {
        issuer: String,
        extension: &'static str,
    },
    #[error("the CRL of {issuer} has a critical extension that is not supported: {extension}")]
    CriticalExtension { issuer: String, extension: String },
    #[error("an entry of the CRL of {issuer} has a critical extension that is not supported")]
    CriticalEntryExtension { issuer: String },
    #[error("the CRL of {issuer} is malformed")]
    Broken { issuer: String },
}

impl CrlProblem {
    /// Returns whether the issuer signed the CRL, which ended or is not about all that it issued: a complete
    /// CRL that it signed later says more.
    pub(super) fn is_about_scope_or_time(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Partial { .. })
    }
}

/// Reasons for which no response can be relied on about a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OcspProblem {
    #[error("no OCSP response about it is given")]
    Missing,
    #[error("its OCSP response is not signed by {issuer} or a responder that {issuer} certified")]
    Signer { issuer: String },
    #[error("the certificate of its OCSP responder is not valid at that time")]
    ResponderNotValid,
    #[error("the certificate of its OCSP responder is revoked")]
    ResponderRevoked,
    #[error("the signature of its OCSP response is wrong")]
    Signature,
    #[error("the signature of its OCSP response can't be verified: {algorithm} is not supported")]
    Unverifiable { algorithm: String },
    #[error("the signature of its OCSP response is not secure: it uses {algorithm}")]
    Weak { algorithm: String },
    #[error("its OCSP response has a critical extension that is not supported: {extension}")]
    CriticalExtension { extension: String },
    #[error("its OCSP response is not valid before {}", rfc3339(*.this_update))]
    NotYetValid { this_update: OffsetDateTime },
    #[error("its OCSP response expired at {}", rfc3339(*.next_update))]
    Ended { next_update: OffsetDateTime },
    #[error("its OCSP response has no nextUpdate")]
    Endless,
    #[error("the OCSP responder does not know it")]
    Unknown,
}
