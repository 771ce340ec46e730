//! Notices: facts that a user wants to know although everything went well.

mod crl;
mod renewal;

pub(crate) use crl::CrlNotice;
pub(crate) use renewal::RenewalNotice;

use crate::key::KeyUri;
use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::lint::Findings;
use time::OffsetDateTime;

/// Something that was done, or left out, without having been asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The default validity was cut to the CA's end.
    ValidityShortened {
        until: OffsetDateTime,
    },
    /// A certificate that the CA's key signed was not on record.
    Adopted {
        serial: Serial,
        ca: CaName,
    },
    /// A CSR asks for something that is not issued.
    IgnoredFromRequest {
        what: Vec<String>,
    },
    /// DNS names that are no host names.
    Underscores {
        names: Vec<String>,
    },
    /// The CA waits already; its request is the one that was made before.
    SameRequest {
        ca: CaName,
    },
    /// A certificate from elsewhere can be used, and is not all that it should be.
    Imperfect {
        findings: Findings,
    },
    /// The key of a new CA was there before.
    KeyTaken {
        uri: KeyUri,
    },
    /// A key type that few relying parties take yet.
    RareKeyType {
        kind: String,
    },
    /// Of several certificates with one common name, one was taken.
    ChosenAmongSeveral {
        cn: String,
        count: usize,
        /// The one that was taken.
        serial: String,
        /// Whether it is valid; none is where it is not.
        valid: bool,
    },
    /// A key that was revoked as compromised is that of another valid certificate.
    KeyStillCertified {
        /// The one that was revoked.
        serial: Serial,
        /// The CA of the other one.
        ca: CaName,
        /// The other one.
        valid: Serial,
    },
    /// The certificate of an OCSP responder was issued.
    ResponderIssued {
        ca: CaName,
        serial: Serial,
        until: OffsetDateTime,
    },
    /// The certificate is in its place already.
    SameCertificate {
        ca: CaName,
    },
    Crl(CrlNotice),
    Renewal(RenewalNotice),
}

impl From<CrlNotice> for Notice {
    fn from(notice: CrlNotice) -> Self {
        Self::Crl(notice)
    }
}

impl From<RenewalNotice> for Notice {
    fn from(notice: RenewalNotice) -> Self {
        Self::Renewal(notice)
    }
}
