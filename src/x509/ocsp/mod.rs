//! OCSP requests and responses (RFC 6960), as RFC 9919 narrows them for responses that are signed in advance.

mod builder;
mod cert_id;
mod reader;

pub(crate) use builder::{Responder, SingleStatus, sign_response};
pub(crate) use cert_id::{CertIdHash, IssuerId, ReadCertId};
pub(crate) use reader::{Basic, OcspResponse, ReadSingle, ResponderId};

use time::OffsetDateTime;

use crate::x509::Reason;

/// Status of a certificate in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertStatus {
    Good,
    Revoked {
        at: OffsetDateTime,
        /// revocationReason; left out if it is unspecified.
        reason: Reason,
    },
    Unknown,
}

#[cfg(test)]
mod tests;
