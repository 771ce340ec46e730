//! Errors of OCSP responses. Unless an error says so, nothing was changed.

use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::validity::rfc3339;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Reasons why responses are not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OcspError {
    #[error("certificate {serial} of {ca} expired at {}", rfc3339(*at))]
    Expired {
        ca: CaName,
        serial: Serial,
        at: OffsetDateTime,
    },
    /// A responder would have to be certified, and the CA's key is not here.
    #[error(
        "{ca} has no OCSP responder that is valid until {}, and its key is not in the store",
        rfc3339(*until)
    )]
    NoResponder { ca: CaName, until: OffsetDateTime },
    #[error("{ca} is revoked, so it can't certify an OCSP responder")]
    RevokedCa { ca: CaName },
    /// File systems join two slashes of a path.
    #[error("the OCSP request for certificate {serial} of {ca} has the path of another one")]
    SamePath { ca: CaName, serial: Serial },
    /// Files in the directory of a CA that are no responses.
    #[error("{} has files that are not OCSP responses: {}", path.display(), files.join(", "))]
    Foreign {
        path: PathBuf,
        /// Some of them.
        files: Vec<String>,
    },
    #[error("{} is not a directory", path.display())]
    NotADirectory { path: PathBuf },
}
