//! Errors of finding a certificate of a CA.

use crate::store::CaName;
use crate::x509::Serial;

/// Reasons why no certificate is selected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    #[error("no certificate {wanted} found for {ca}")]
    NotFound {
        ca: CaName,
        /// Description of the search, as in "with serial 0A".
        wanted: String,
    },
    /// The CA was imported without a certificate that it had issued.
    #[error("the certificate {serial} of {ca} is not in the store: the CA was imported without it")]
    WithoutCertificate { ca: CaName, serial: Serial },
    #[error(
        "{text} matches two certificates of {ca}: {hex} read as hex, {decimal} read as decimal"
    )]
    AmbiguousSerial {
        ca: CaName,
        text: String,
        hex: Serial,
        decimal: Serial,
    },
}
