//! Errors of making, installing and renewing CAs. Nothing was changed.

use crate::store::CaName;
use crate::x509::Reason;
use crate::x509::lint::Findings;
use crate::x509::verify::Refusal;
use std::path::PathBuf;

/// Reasons why a CA is not made, installed or renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// The CA is pending already, with another CSR.
    #[error("{ca} waits for the certificate of another request: {problem}")]
    OtherRequest { ca: CaName, problem: String },
    /// A certificate is not the one that a CA is pending for.
    #[error("{} can't be installed as {ca}", path.display())]
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
    /// Only roots are cross-signed.
    #[error("{ca} is no root, and only roots certify each other")]
    NotARoot { ca: CaName },
    /// The successor of a CA would have its subject.
    #[error("{subject} is the subject of {ca}, whose key is another")]
    NameOfPredecessor {
        subject: String,
        /// The CA that has it.
        ca: CaName,
    },
    /// Nothing leads from one root to another.
    #[error("{issuer} has not certified the key of {subject}")]
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
    #[error("none of its certificates is about the key of the request")]
    Key,
    #[error("none of its certificates is about the CA's key")]
    OwnKey,
    #[error("the request is about {asked}, and the certificate about {found}")]
    Subject { asked: String, found: String },
    #[error(
        "its subject is not the CA's to the byte, so that nothing that was issued would find it"
    )]
    SubjectBytes,
    #[error(
        "its subject key identifier is not the CA's, so that nothing that was issued would find it"
    )]
    KeyIdentifier,
    #[error("its issuer {found} is not the one of the certificate that it would replace")]
    Issuer { found: String },
    #[error("the certificate is not that of a CA: its basicConstraints do not say CA:TRUE")]
    NotACa,
    #[error("the certificate has no {missing} in its keyUsage")]
    KeyUsage { missing: &'static str },
    /// The path above it is broken.
    #[error(transparent)]
    Path(Box<Refusal>),
    /// It breaks rules without which it is of no use.
    #[error(transparent)]
    Rules(Findings),
}
