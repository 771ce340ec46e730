//! Recovery of revocations that the journal lost, and the last CRL has: an older copy of the journal was
//! put back, or a power cut removed lines that were not synced.

use crate::ca::crl::place::Place;
use crate::ca::crl::published::{PublishedCrl, read_published};
use crate::ca::error::CaError;
use crate::ca::notice::{CrlNotice, Notice};
use crate::ca::revocable::as_listed;
use crate::store::{Ca, LockedCrls, RevocationChange, StoreError};
use crate::x509::crl::{Crl, ReadEntry};
use crate::x509::{Fingerprint, Reason};

/// Locks the CA to sign CRLs. If the journal of revocations lacks some that the last CRL covers, and that CRL is
/// published in the place of the next, they are recorded again.
pub(crate) fn lock_crls<'a>(
    ca: &'a Ca,
    place: &Place,
    notices: &mut Vec<Notice>,
) -> Result<LockedCrls<'a>, CaError> {
    let (lost, number) = match ca.lock_crls() {
        Err(error @ StoreError::RevocationsLost { number, .. }) => (error, number),
        other => return Ok(other?),
    };
    let mut locked = ca.lock_crls_to_recover()?;
    let published = read_published(ca, place, locked.recent())?;
    let is_last = |crl: &PublishedCrl| {
        let hash = Fingerprint::of(crl.der()).to_string();
        locked
            .recent()
            .first()
            .is_some_and(|last| last.sha256 == hash)
    };
    let missing = match published.filter(is_last) {
        Some(published) => missing_from_record(ca, &published.crl())?,
        None => None,
    };
    let Some(missing) = missing else {
        return Err(lost.into());
    };
    notices.push(
        CrlNotice::RevocationsRecovered {
            count: missing.len(),
            number,
        }
        .into(),
    );
    locked.record_again(missing)?;
    Ok(locked)
}

/// Returns the revocations of a CRL that are not on record, or only as a hold; `None` if there are none, or
/// if one is of a certificate that is not on record.
fn missing_from_record(ca: &Ca, crl: &Crl<'_>) -> Result<Option<Vec<RevocationChange>>, CaError> {
    let standings = ca.standings()?;
    let mut missing = Vec::new();
    for entry in crl.entries() {
        let Some((serial, entry)) = entry.ok().and_then(|entry| Some((entry.serial()?, entry)))
        else {
            return Ok(None);
        };
        let standing = standings.get(&serial);
        let on_record = standing.and_then(|standing| standing.revoked());
        if on_record
            .is_some_and(|on_record| !is_hold(on_record.reason) || is_hold(reason_of(&entry)))
        {
            continue;
        }
        let Some(issuance) = ca.issuance(&serial)? else {
            return Ok(None);
        };
        let revoked = as_listed(ca, &issuance, &entry)?;
        missing.push(match standing {
            None => RevocationChange::Revoke(serial, revoked),
            Some(_) => RevocationChange::RevokeAgain(serial, revoked),
        });
    }
    Ok((!missing.is_empty()).then_some(missing))
}

fn reason_of(entry: &ReadEntry<'_>) -> Reason {
    entry.reason.unwrap_or_default()
}

fn is_hold(reason: Reason) -> bool {
    reason == Reason::CertificateHold
}
