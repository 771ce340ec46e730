//! Signing lists: their times, their number, and the proof of what came out.

use crate::ca::error::CaError;
use crate::ca::issuance::End;
use crate::ca::issuance::Issuer;
use crate::ca::notice::Notice;
use crate::store::{Ca, Coverage, SignedList};
use crate::x509::crl::{Header, ListBuilder, RevocationList};
use crate::x509::validity::rfc3339;
use time::{Duration, OffsetDateTime};

/// thisUpdate and nextUpdate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}

impl Times {
    /// Held to the calendar, to their order, and to the end of the CA, past which no list goes.
    pub(crate) fn resolve(
        ca: &Ca,
        this_update: OffsetDateTime,
        end: End,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, CaError> {
        let asked = match end {
            End::Days(days) => this_update.checked_add(Duration::days(days.into())),
            End::At(moment) => moment.resolve(now),
        };
        let asked = asked.ok_or_else(|| CaError::NextUpdate {
            problem: "nextUpdate is outside the calendar".into(),
        })?;
        if asked <= this_update {
            let (next, this) = (rfc3339(asked), rfc3339(this_update));
            let problem = format!("nextUpdate would be {next}, and thisUpdate {this}");
            return Err(CaError::NextUpdate { problem });
        }
        let last = ca.certificate().validity().not_after;
        if asked > last {
            notices.push(Notice::ValidityShortened { until: last });
        }
        Ok(Self {
            this_update,
            next_update: asked.min(last),
        })
    }
}

/// Limit of how far ahead of the clock a thisUpdate may be without being wrong: hosts' clocks differ.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// Whether a thisUpdate is in the future, as no CRL of a right clock is.
pub(crate) fn is_in_future(this_update: OffsetDateTime, now: OffsetDateTime) -> bool {
    this_update - now > CLOCK_SKEW
}

/// Basis of the date of a new CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dating {
    /// The last CRL: thisUpdate never goes back, whatever the clock does.
    NotBack,
    /// The clock, since the last CRL was signed under a wrong one.
    Now,
}

/// thisUpdate of a CRL that is signed now. A pre-signed CRL counts once its time has come,
/// since it may be out. A published CRL that is dated in the future is none that was published in its
/// time, unless it is on record so: its date does not count.
pub(crate) fn this_update(
    predecessor: Option<&RevocationList<'_>>,
    recent: &[SignedList],
    dating: Dating,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> OffsetDateTime {
    let signed = recent
        .iter()
        .filter(|record| !record.ahead || record.this_update <= now)
        .map(|record| record.this_update);
    let signed = signed.fold(now, OffsetDateTime::max);
    let published = predecessor.map_or(signed, RevocationList::this_update);
    let is_told = published > signed || dating == Dating::Now;
    if is_told && is_in_future(published, now) {
        notices.push(Notice::PublishedInFuture {
            this_update: published,
        });
    }
    let this_update = match dating {
        Dating::Now => now,
        Dating::NotBack if is_in_future(published, now) => signed,
        Dating::NotBack => signed.max(published),
    };
    if is_in_future(this_update, now) {
        notices.push(Notice::DatedInFuture { this_update });
    } else if this_update > now {
        notices.push(Notice::ClockBehind { this_update });
    }
    this_update
}

/// A list that was signed and proved, and what the store is to keep of it.
pub(crate) struct NewList<T> {
    pub(crate) der: Vec<u8>,
    pub(crate) record: SignedList,
    /// What `meanwhile` came to.
    pub(crate) prepared: T,
}

/// Signs a list under a reserved number, and proves it. `meanwhile` gets its bytes while that goes on,
/// to prepare what nobody sees before the list is on record.
pub(crate) fn sign_list<T: Send>(
    issuer: &Issuer,
    entries: ListBuilder,
    times: Times,
    number: u128,
    covers: &Coverage,
    meanwhile: impl FnOnce(&[u8]) -> T + Send,
) -> Result<NewList<T>, CaError> {
    let Times {
        this_update,
        next_update,
    } = times;
    let key_identifier = issuer.key_identifier();
    let header = Header {
        issuer: issuer.ca().certificate().subject(),
        key_identifier: &key_identifier,
        this_update,
        next_update,
        number,
    };
    let count = entries.len();
    let (der, fingerprint, prepared) = issuer.sign_list(entries, &header, meanwhile)?;
    let record = SignedList {
        ahead: false,
        ahead_from: None,
        imported: false,
        number,
        this_update,
        next_update,
        entries: count,
        covers: covers.clone(),
        sha256: fingerprint.to_string(),
    };
    Ok(NewList {
        der,
        record,
        prepared,
    })
}
