//! Notices about CRLs.

use crate::store::CaName;
use time::OffsetDateTime;

/// Facts about a CRL that its user did not ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CrlNotice {
    /// Revocations that the journal had lost were taken from the last CRL.
    RevocationsRecovered { count: usize, number: u128 },
    /// The clock shows a time before that of the last list.
    ClockBehind {
        /// The new list's thisUpdate, which is that of the last one.
        this_update: OffsetDateTime,
    },
    /// The last CRL on record is dated in the future, and so is the new one.
    DatedInFuture { this_update: OffsetDateTime },
    /// The published CRL is dated in the future.
    PublishedInFuture { this_update: OffsetDateTime },
    /// A new record makes the pre-signed CRLs void.
    AheadVoid { count: usize, ca: CaName },
    /// The CA ends before as many lists as were asked for.
    FewerAhead { count: usize, until: OffsetDateTime },
}
