//! Notices about renewals.

use crate::store::CaName;
use crate::x509::Serial;
use time::OffsetDateTime;

/// Facts about a renewal that its user did not ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RenewalNotice {
    /// A valid certificate with the same names was issued later.
    NewerExists {
        /// The one that is renewed.
        serial: Serial,
        newer: Serial,
        until: OffsetDateTime,
    },
    /// The certificate of a CA, which is renewed otherwise, expires soon.
    CaEnds {
        subject: String,
        until: OffsetDateTime,
    },
    /// Another process renewed it, so that it is not due any more.
    RenewedMeanwhile {
        serial: Serial,
        /// The one in its place.
        by: Serial,
    },
    /// The files are not called by the common name, which others have.
    FilesCalled {
        /// The one that is renewed.
        serial: Serial,
        name: String,
    },
    /// The new certificate expires before the old one.
    EndsSooner {
        until: OffsetDateTime,
        before: OffsetDateTime,
    },
    /// The profile, which a file defines, is another than the old certificate was issued with.
    ProfileChanged {
        profile: String,
        /// The one that is renewed.
        serial: Serial,
        /// Extensions that differ.
        extensions: Vec<String>,
    },
    /// The certificate before is not valid yet.
    NotBegun { begins: OffsetDateTime },
    /// The certificate to revoke has expired.
    NotSuperseded { serial: Serial },
    /// A root that allows no CA below it certifies no other.
    NoCross { issuer: CaName, subject: CaName },
    /// Through another root fewer CAs may stand below a root than through itself.
    ShorterCross {
        issuer: CaName,
        subject: CaName,
        length: u32,
    },
    /// A URL of the CA before that is not one of its successor's.
    UrlLeftOut { url: String },
}
