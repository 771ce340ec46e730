//! Notices about CRLs.

use crate::store::CaName;
use time::OffsetDateTime;

/// Facts about a CRL that its user did not ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrlNotice {
    /// Revocations that the journal had lost were taken from the last CRL.
    RevocationsRecovered {
        /// Number of them.
        count: usize,
        /// The CRL's number.
        number: u128,
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
}
