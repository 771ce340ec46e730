//! Errors of making, installing and renewing CAs. Nothing was changed.

use crate::key::KeyUri;
use crate::store::CaName;
use crate::x509::Reason;
use crate::x509::lint::Findings;
use crate::x509::validity::rfc3339;
use crate::x509::verify::Refusal;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Reasons why a CA is not made, installed or renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// The CA is pending already, with another CSR.
    #[error("{ca} is pending for another CSR: {problem}")]
    OtherRequest { ca: CaName, problem: String },
    /// A certificate is not the one that a CA is pending for.
    #[error("{} cannot be installed as {ca}", path.display())]
    Misfit {
        path: PathBuf,
        ca: CaName,
        source: Misfit,
    },
    #[error(
        "{ca} allows at most {allowed} CAs below it, so the new one can't have path length {asked}"
    )]
    PathLength {
        /// The parent CA.
        ca: CaName,
        allowed: u32,
        asked: u32,
    },
    /// The certificate of the CA is revoked by its parent CA.
    #[error("the certificate of {ca} is revoked ({reason})")]
    RevokedCa { ca: CaName, reason: Reason },
    /// A CA that is to be removed has others below it.
    #[error("{ca} has CAs below it: {}", .below.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    HasCasBelow { ca: CaName, below: Vec<CaName> },
    /// A CA that is to be removed can still sign.
    #[error("the certificate of {ca} is valid until {}, and not revoked", rfc3339(*until))]
    StillValid { ca: CaName, until: OffsetDateTime },
    /// The key for a new CA is that of another CA.
    #[error("the key is that of {ca}")]
    KeyOfOther { ca: CaName },
    /// Another key is at the place to which a CA's key is to be moved.
    #[error("another key than that of {ca} is at {uri}")]
    OtherKeyThere { ca: CaName, uri: KeyUri },
    /// Only roots are cross-signed.
    #[error("{ca} is not a root, and only roots are cross-signed")]
    NotARoot { ca: CaName },
    /// The successor of a CA would have its subject.
    #[error("{subject} is already the subject of {ca}, which has another key")]
    NameOfPredecessor {
        subject: String,
        /// The CA that has it.
        ca: CaName,
    },
    /// Nothing leads from one root to another.
    #[error("{issuer} has no cross-certificate for the key of {subject}")]
    NoCrossCertificate {
        /// The root that would have.
        issuer: CaName,
        /// The root at the end of the chain.
        subject: String,
    },
}

/// Differences between a certificate and the one that a CA is pending for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("no certificate in it has the public key of the CSR")]
    Key,
    #[error("no certificate in it has the CA's public key")]
    OwnKey,
    #[error("the CSR has the subject {asked}, the certificate {found}")]
    Subject { asked: String, found: String },
    #[error(
        "its subject differs from the CA's in encoding, so issued certificates would not chain to it"
    )]
    SubjectBytes,
    #[error(
        "its subject key identifier differs from the CA's, so issued certificates would not chain to it"
    )]
    KeyIdentifier,
    #[error("its issuer {found} differs from the issuer of the certificate that it replaces")]
    Issuer { found: String },
    #[error("it is not a CA certificate: basicConstraints does not have CA:TRUE")]
    NotACa,
    #[error("its keyUsage lacks {missing}")]
    KeyUsage { missing: &'static str },
    /// The path above it is broken.
    #[error(transparent)]
    Path(Box<Refusal>),
    /// It breaks rules without which it is of no use.
    #[error(transparent)]
    Rules(Findings),
}
