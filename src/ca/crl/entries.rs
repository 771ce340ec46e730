//! Entries of a new CRL.

use crate::ca::crl::error::CrlError;
use crate::ca::error::CaError;
use crate::store::{Ca, Coverage, SignedCrl};
use crate::x509::Serial;
use crate::x509::crl::{Crl, CrlBuilder, Entry};
use std::cell::OnceCell;
use std::collections::HashSet;
use time::OffsetDateTime;

/// Gathers every certificate that is revoked, in the order of revocation.
///
/// A certificate that had expired when the predecessor was made, and has expired now, has been on a CRL
/// beyond its validity, and is left out (section 3.3): either clock may have been ahead. The first CRL of
/// an imported CA keeps all that its last CRL elsewhere may have held. Revocations recorded after the
/// predecessor was made are included, whatever the clock said then.
pub(crate) fn gather_entries(
    ca: &Ca,
    predecessor: Option<&Crl<'_>>,
    recent: &[SignedCrl],
    covers: &Coverage,
    this_update: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<CrlBuilder, CaError> {
    let is_first = recent.first().is_none_or(|crl| crl.imported);
    let mut builder = CrlBuilder::with_capacity(ca.certificate().subject(), ca.crl_size(covers));
    // Most often nothing depends on it.
    let since = OnceCell::new();
    let is_since = |serial: &Serial| {
        let since = since.get_or_init(|| recorded_since(ca, predecessor));
        since.as_ref().is_ok_and(|since| since.contains(serial))
    };
    let mut before = predecessor.map(Crl::entries);
    ca.each_revoked(|serial, revoked| {
        // Both are in the order of revocation, so that one look ahead finds entries on both.
        let listed = before
            .as_mut()
            .is_some_and(|entries| entries.skip_if(serial));
        let has_been_listed = predecessor.is_some_and(|crl| {
            // One that is not on it and was recorded before it was made, left with an earlier CRL.
            crl.this_update().min(now) > revoked.not_after
                && (listed || (revoked.revoked_at < crl.this_update() && !is_since(serial)))
        });
        if is_first || !has_been_listed {
            builder.push(&Entry {
                serial,
                revoked_at: revoked.revoked_at.min(this_update),
                reason: revoked.reason,
                invalidity_date: revoked.invalidity_date,
            });
        }
    })?;
    if before.is_some_and(|entries| !entries.is_empty()) {
        refuse_to_shrink(ca, predecessor)?;
    }
    since.into_inner().transpose()?;
    Ok(builder)
}

/// Returns the serial numbers recorded since the predecessor was made, if that is on record; all of them
/// if the journal has lost what the predecessor covers.
fn recorded_since(ca: &Ca, predecessor: Option<&Crl<'_>>) -> Result<HashSet<Serial>, CaError> {
    let number = predecessor.and_then(Crl::number);
    let record = number.map(|number| ca.signed_crl(number)).transpose()?;
    Ok(match record.flatten() {
        Some(crl) if ca.still_covers(&crl.covers)? => ca.recorded_since(&crl.covers)?,
        Some(_) => ca.ever_revoked()?,
        None => HashSet::new(),
    })
}

/// Refuses a CRL that would lose entries of its predecessor, except for released ones.
fn refuse_to_shrink(ca: &Ca, predecessor: Option<&Crl<'_>>) -> Result<(), CaError> {
    let known: HashSet<Serial> = ca.ever_revoked()?;
    let entries = predecessor.map(Crl::entries);
    let lost: Vec<Serial> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.serial())
        .filter(|serial| !known.contains(serial))
        .collect();
    if lost.is_empty() {
        Ok(())
    } else {
        Err(CrlError::LosesEntries {
            ca: ca.name().clone(),
            serials: lost,
        }
        .into())
    }
}
