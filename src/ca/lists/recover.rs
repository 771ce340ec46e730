//! Revocations that the journal lost, and the last CRL has: an older copy of the journal was put back, or a power cut
//! took away lines that were not synced.

use super::super::error::CaError;
use super::super::notice::Notice;
use super::super::revoke::as_listed;
use super::place::Place;
use super::published::read_published;
use crate::store::{Ca, LockedLists, Revoked, StoreError};
use crate::x509::crl::RevocationList;
use crate::x509::{Fingerprint, Serial};

/// Locks the CA to sign CRLs. If the journal of revocations lacks some that the last CRL covers, and that CRL is
/// published in the place of the next, they are recorded again.
pub(super) fn lock_lists<'a>(
    ca: &'a Ca,
    place: &Place,
    notices: &mut Vec<Notice>,
) -> Result<LockedLists<'a>, CaError> {
    let (lost, number) = match ca.lock_lists() {
        Err(error @ StoreError::RevocationsLost { number, .. }) => (error, number),
        other => return Ok(other?),
    };
    let mut locked = ca.lock_lists_to_recover()?;
    let published = read_published(ca, &place.der(ca), locked.recent())?;
    let is_last = |der: &Vec<u8>| {
        let hash = Fingerprint::of(der).to_string();
        locked
            .recent()
            .first()
            .is_some_and(|last| last.sha256 == hash)
    };
    let missing = match published.filter(is_last) {
        Some(der) => missing_from_record(ca, &der)?,
        None => None,
    };
    let Some(missing) = missing else {
        return Err(lost.into());
    };
    notices.push(Notice::RevocationsRecovered {
        count: missing.len(),
        number,
    });
    locked.record_again(missing)?;
    Ok(locked)
}

/// The revocations of a CRL that are not on record; `None` if there are none, or if one is of a certificate that is
/// not on record either.
fn missing_from_record(ca: &Ca, der: &[u8]) -> Result<Option<Vec<(Serial, Revoked)>>, CaError> {
    let known = ca.ever_revoked()?;
    let list = RevocationList::from_der(der).expect("it was read before");
    let mut missing = Vec::new();
    for entry in list.entries() {
        let Some((serial, entry)) = entry.ok().and_then(|entry| Some((entry.serial()?, entry)))
        else {
            return Ok(None);
        };
        if known.contains(&serial) {
            continue;
        }
        let Some(issuance) = ca.issuance(&serial)? else {
            return Ok(None);
        };
        missing.push((serial, as_listed(ca, &issuance, &entry)?));
    }
    Ok((!missing.is_empty()).then_some(missing))
}
