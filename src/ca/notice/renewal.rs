//! Notices about renewals.

use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::validity::rfc3339;
use std::fmt;
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
    /// The certificate is in its place already.
    SameCertificate {
        /// The CA.
        ca: CaName,
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

impl fmt::Display for RenewalNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerExists {
                serial,
                newer,
                until,
            } => write!(
                f,
                "{serial} has a newer one with the same names already: {newer}, valid until {}",
                rfc3339(*until)
            ),
            Self::CaEnds { subject, until } => write!(
                f,
                "the certificate of the CA {subject} ends at {}; `pki renew --ca NAME --self` renews it",
                rfc3339(*until)
            ),
            Self::RenewedMeanwhile { serial, by } => {
                write!(f, "{serial} was renewed meanwhile by another process: {by}")
            }
            Self::FilesCalled { serial, name } => write!(
                f,
                "others have the common name of {serial}, so the files of its successor are called {name}"
            ),
            Self::EndsSooner { until, before } => write!(
                f,
                "the new certificate ends at {}, sooner than the one before: {}",
                rfc3339(*until),
                rfc3339(*before)
            ),
            Self::NotBegun { begins } => write!(
                f,
                "the certificate before is not valid before {}: the clock is wrong now, or was when that one was made",
                rfc3339(*begins)
            ),
            Self::NotSuperseded { serial } => {
                write!(f, "{serial} has expired, so there is nothing to revoke")
            }
            Self::SameCertificate { ca } => {
                write!(
                    f,
                    "it is the certificate that {ca} has already; nothing was changed"
                )
            }
            Self::NoCross { issuer, subject } => write!(
                f,
                "{issuer} has path length 0, so it can't certify the key of {subject}"
            ),
            Self::ShorterCross {
                issuer,
                subject,
                length,
            } => write!(
                f,
                "the path length of {issuer} leaves {length} CAs below {subject} for whoever trusts {issuer} alone"
            ),
            Self::UrlLeftOut { url } => write!(
                f,
                "{url} is that of the old CA, and was left out; --crl-url and --ca-issuers-url give others"
            ),
        }
    }
}
