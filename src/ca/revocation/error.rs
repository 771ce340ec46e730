//! Errors of revoking. Nothing was changed, unless an error says so.

use crate::ca::numbers::{first_few, plural};
use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::serial::SerialError;
use std::error::Error;
use std::path::PathBuf;

/// Reasons why a certificate is not revoked or released.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevocationError {
    #[error("the invalidity date is in the future")]
    InvalidityInFuture,
    /// No record has the serial number, and there is no certificate to adopt.
    #[error("certificate {serial} of {ca} not found")]
    NotOnRecord { ca: CaName, serial: Serial },
    #[error("no CA of the store issued the certificate {}", path.display())]
    IssuerNotFound { path: PathBuf },
    #[error("{ca} did not issue the certificate {}{}", path.display(), if *is_named { ", which names it as issuer: the signature does not verify with its key" } else { "" })]
    NotIssuedBy {
        ca: CaName,
        path: PathBuf,
        /// Whether the certificate names the CA as its issuer.
        is_named: bool,
    },
    #[error("{ca} has another certificate with the serial number {serial} on record; it differs from {}", path.display())]
    AnotherOnRecord {
        ca: CaName,
        path: PathBuf,
        serial: Serial,
    },
    /// A certificate can't be recorded under its serial number.
    #[error("the certificate {} cannot be recorded", path.display())]
    SerialUnusable { path: PathBuf, source: SerialError },
    /// The signature cannot be verified, so the CA may not have signed the certificate.
    #[error("{} has a signature by {algorithm}, which is not supported", path.display())]
    SignatureNotChecked { path: PathBuf, algorithm: String },
    /// A certificate was adopted into the record, and is not revoked.
    #[error("certificate {serial} of {ca} is on record now, but could not be revoked")]
    OnlyAdopted {
        ca: CaName,
        serial: Serial,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{} of {ca} have the CN {cn:?}: {}", plural(.serials.len(), "live certificate"), first_few(.serials))]
    SeveralLive {
        ca: CaName,
        cn: String,
        serials: Vec<Serial>,
    },
    #[error("certificate {serial} of {ca} is not on hold: {problem}")]
    NotOnHold {
        ca: CaName,
        serial: Serial,
        problem: &'static str,
    },
    #[error("{ca} cannot revoke its own certificate")]
    OwnCertificate { ca: CaName },
}
