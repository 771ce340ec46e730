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
    #[error("{ca} has issued no certificate with serial {serial}")]
    NotOnRecord { ca: CaName, serial: Serial },
    #[error("no CA of the store issued the certificate in {}", path.display())]
    IssuerNotFound { path: PathBuf },
    #[error("{ca} did not issue the certificate in {}{}", path.display(), if *is_named { ", which names it as issuer: the signature is not by its key" } else { "" })]
    NotIssuedBy {
        ca: CaName,
        path: PathBuf,
        /// Whether the certificate names the CA as its issuer.
        is_named: bool,
    },
    #[error("{ca} has another certificate with the serial number {serial} on record than that in {}", path.display())]
    AnotherOnRecord {
        ca: CaName,
        path: PathBuf,
        serial: Serial,
    },
    /// A certificate can't be recorded under its serial number.
    #[error("the certificate in {} cannot be recorded", path.display())]
    SerialUnusable { path: PathBuf, source: SerialError },
    /// Whether the CA signed a certificate is not known.
    #[error("{} is signed with {algorithm}, which is not checked", path.display())]
    SignatureNotChecked { path: PathBuf, algorithm: String },
    /// A certificate was adopted into the record, and is not revoked.
    #[error("{serial} of {ca} is on record now, but could not be revoked")]
    OnlyAdopted {
        ca: CaName,
        serial: Serial,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{} of {ca} have the common name {cn:?}: {}", plural(.serials.len(), "live certificate"), first_few(.serials))]
    SeveralLive {
        ca: CaName,
        cn: String,
        serials: Vec<Serial>,
    },
    #[error("{serial} of {ca} is not on hold: {problem}")]
    NotOnHold {
        ca: CaName,
        serial: Serial,
        problem: &'static str,
    },
    #[error("{ca} can't revoke its own certificate")]
    OwnCertificate { ca: CaName },
}
