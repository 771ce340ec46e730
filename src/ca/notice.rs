//! What a user wants to know although everything went well.

mod renewal;

pub use renewal::RenewalNotice;

use crate::store::CaName;
use crate::x509::Serial;
use crate::x509::lint::Findings;
use time::OffsetDateTime;

/// Something that was done, or left out, without having been asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Revocations that the journal had lost were taken from the last CRL.
    RevocationsRecovered {
        /// Number of them.
        count: usize,
        /// The CRL's number.
        number: u128,
    },
    /// The default validity was cut to the CA's end.
    ValidityShortened {
        /// The end.
        until: OffsetDateTime,
    },
    /// A certificate that the CA's key signed was not on record.
    Adopted {
        /// Its serial number.
        serial: Serial,
        /// The CA.
        ca: CaName,
    },
    /// The clock shows a time before that of the last list.
    ClockBehind {
        /// The new list's thisUpdate, which is that of the last one.
        this_update: OffsetDateTime,
    },
    /// The last CRL on record is dated in the future, and so is the new one.
    DatedInFuture {
        /// Its thisUpdate.
        this_update: OffsetDateTime,
    },
    /// The published CRL is dated in the future.
    PublishedInFuture {
        /// Its thisUpdate.
        this_update: OffsetDateTime,
    },
    /// What is recorded now makes the lists void that were signed ahead.
    AheadVoid {
        /// How many there are.
        count: usize,
        /// The CA.
        ca: CaName,
    },
    /// The CA ends before as many lists as were asked for.
    FewerAhead {
        /// How many there are.
        count: usize,
        /// The CA's end.
        until: OffsetDateTime,
    },
    /// What a request asked for and does not get.
    IgnoredFromRequest {
        /// Names of extensions and attributes.
        what: Vec<String>,
    },
    /// DNS names that are no host names.
    Underscores {
        /// The names.
        names: Vec<String>,
    },
    /// The CA waits already; its request is the one that was made before.
    SameRequest {
        /// The CA.
        ca: CaName,
    },
    /// A certificate from elsewhere can be used, and is not all that it should be.
    Imperfect {
        /// What the rules found.
        findings: Findings,
    },
    /// A key type that few relying parties take yet.
    RareKeyType {
        /// The key type.
        kind: String,
    },
    /// Of several certificates with one common name, one was taken.
    ChosenAmongSeveral {
        /// The common name.
        cn: String,
        /// How many there are.
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
    /// About a renewal.
    Renewal(RenewalNotice),
    /// The key is not in the store, so that none was exported.
    NoKeyToExport,
    /// The certificate is that of a CA, whose key is not among those of leaves.
    KeyOfCa,
    /// A PKCS #12 file was written for readers that know nothing better.
    WeakPkcs12,
    /// A key store for Java has a key that older versions of Java do not know.
    OnlyNewJava {
        /// The key type.
        kind: String,
    },
    /// A certificate that was exported is no longer valid.
    ExportedInvalid {
        /// `expired`, `revoked` or `not-yet-valid`.
        status: &'static str,
    },
}

impl From<RenewalNotice> for Notice {
    fn from(notice: RenewalNotice) -> Self {
        Self::Renewal(notice)
    }
}
