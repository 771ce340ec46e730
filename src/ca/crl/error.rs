//! Errors of signing and publishing CRLs. Nothing was changed.

use crate::ca::numbers::{first_few, plural};
use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::validity::rfc3339;
use std::error::Error;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Reasons why a CRL is not signed or published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CrlError {
    /// The pre-signed CRLs lack entries that were recorded since.
    #[error("the {count} pre-signed CRLs of {ca} lack later revocations or releases")]
    PresignedOutdated {
        ca: CaName,
        count: usize,
        /// Reason why no other CRL was signed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// All pre-signed CRLs have expired.
    #[error("no pre-signed CRL of {ca} is valid now; the last expires at {}", rfc3339(*until))]
    PresignedExpired {
        ca: CaName,
        until: OffsetDateTime,
        /// Reason why no other CRL was signed.
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("invalid CRL validity: {problem}")]
    NextUpdate { problem: String },
    #[error("the new CRL of {ca} would lack {} of the published CRL: {}", plural(.serials.len(), "revocation"), first_few(.serials))]
    LosesEntries {
        ca: CaName,
        /// The serials that the store does not know as revoked.
        serials: Vec<Serial>,
    },
    #[error("the new CRL of {ca} would have {bytes} bytes; {party} accepts at most {most}")]
    TooLarge {
        ca: CaName,
        party: &'static str,
        bytes: usize,
        most: usize,
    },
    #[error("CRL of {ca} not found at {}", path.display())]
    NotPublished { ca: CaName, path: PathBuf },
}
