//! Notices about renewals.

use crate::store::CaName;
use crate::x509::Serial;
use time::OffsetDateTime;

/// What is said of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalNotice {
    /// A valid certificate with the same names was issued later.
    NewerExists {
        /// The one that is renewed.
        serial: Serial,
        /// The later one.
        newer: Serial,
        /// Its end.
        until: OffsetDateTime,
    },
    /// What ends soon is the certificate of a CA, which is renewed otherwise.
    CaEnds {
        /// Its subject.
        subject: String,
        /// Its end.
        until: OffsetDateTime,
    },
    /// Another process renewed it, so that it is not due any more.
    RenewedMeanwhile {
        /// Its serial.
        serial: Serial,
        /// The one in its place.
        by: Serial,
    },
    /// The files are not called by the common name, which others have.
    FilesCalled {
        /// The one that is renewed.
        serial: Serial,
        /// The files' name.
        name: String,
    },
    /// What is made ends before what it takes the place of.
    EndsSooner {
        /// Its end.
        until: OffsetDateTime,
        /// That of the one before.
        before: OffsetDateTime,
    },
    /// The certificate before is not valid yet.
    NotBegun {
        /// When it becomes valid.
        begins: OffsetDateTime,
    },
    /// What was to be revoked has expired.
    NotSuperseded {
        /// Its serial.
        serial: Serial,
    },
    /// A root that allows no CA below it certifies no other.
    NoCross {
        /// The root.
        issuer: CaName,
        /// The other.
        subject: CaName,
    },
    /// Through another root fewer CAs may stand below a root than through itself.
    ShorterCross {
        /// The other root.
        issuer: CaName,
        /// The root.
        subject: CaName,
        /// How many.
        length: u32,
    },
    /// A URL of the CA before that is not one of its successor's.
    UrlLeftOut {
        /// The URL.
        url: String,
    },
}
