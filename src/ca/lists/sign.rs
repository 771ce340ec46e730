//! Signing lists: their times, their number, and the proof of what came out.

use super::super::error::CaError;
use super::super::issuer::Issuer;
use super::super::lifetime::End;
use super::super::notice::Notice;
use crate::store::{Ca, Coverage, SignedList};
use crate::x509::crl::{Header, ListBuilder, RevocationList};
use crate::x509::validity::rfc3339;
use time::{Duration, OffsetDateTime};

/// thisUpdate and nextUpdate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) this_update: OffsetDateTime,
    pub(super) next_update: OffsetDateTime,
}

impl Times {
    /// Held to the calendar, to their order, and to the end of the CA, past which no list goes.
    pub(super) fn resolve(
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

/// thisUpdate of a list that is signed now: it never goes back, whatever the clock does. A list that
/// was signed ahead counts once its time has come, since it may be out.
pub(super) fn this_update(
    predecessor: Option<&RevocationList<'_>>,
    recent: &[SignedList],
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> OffsetDateTime {
    let signed = recent
        .iter()
        .filter(|record| !record.ahead || record.this_update <= now)
        .map(|record| record.this_update);
    let published = predecessor.map(RevocationList::this_update);
    let this_update = signed.chain(published).fold(now, OffsetDateTime::max);
    if this_update > now {
        notices.push(Notice::ClockBehind { this_update });
    }
    this_update
}

/// A list that was signed and proved, and what the store is to keep of it.
pub(super) struct NewList<T> {
    pub(super) der: Vec<u8>,
    pub(super) record: SignedList,
    /// What `meanwhile` came to.
    pub(super) prepared: T,
}

/// Signs a list under a reserved number, and proves it. `meanwhile` gets its bytes while that goes on,
/// to prepare what nobody sees before the list is on record.
pub(super) fn sign_list<T: Send>(
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
