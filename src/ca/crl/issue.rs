//! Issuing CRLs.

use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::error::CrlError;
use crate::ca::crl::output::{Predecessor, commit, stage};
use crate::ca::crl::recover::lock_crls;
use crate::ca::crl::request::{AheadRequest, CrlRequest, Origin, Published};
use crate::ca::crl::times::{Times, this_update, times};
use crate::ca::error::CaError;
use crate::ca::issuance::Issuer;
use crate::ca::trust_store::targets::{RelyingParty, too_many_bytes};
use crate::store::{Ca, Coverage, SignedCrl, StoreError};
use crate::x509::crl::{Crl, CrlBuilder, Header};
use std::iter::repeat_n;
use time::OffsetDateTime;

/// Issues a CA's next CRL; with `ahead` several, of which all are kept in the store until they are due.
/// Publishes the first.
///
/// The one function that signs CRLs, in this order: lock the CA, reserve the numbers durably, sign and
/// verify, write the files durably without their names, record durably, name the files.
pub(crate) fn issue(
    issuer: &Issuer,
    request: &CrlRequest,
    ahead: Option<AheadRequest>,
    now: OffsetDateTime,
) -> Result<Published, CaError> {
    let (ca, place) = (issuer.ca(), &request.place);
    let mut notices = Vec::new();
    let mut locked = lock_crls(ca, place, &mut notices)?;
    let Predecessor { crl, targets } = Predecessor::read(ca, place, &locked)?;
    let predecessor = crl.as_ref().map(|published| published.crl());
    let (recent, dating) = (locked.recent(), request.dating);
    let begin = this_update(predecessor.as_ref(), recent, dating, now, &mut notices);
    let times = times(ca, begin, request.end, ahead, now, &mut notices)?;
    let until = times.last().map(|last| last.next_update);
    let covers = locked.covers().clone();
    let entries = gather_entries(ca, predecessor.as_ref(), recent, &covers, begin, now)?;
    let published = predecessor.as_ref().and_then(Crl::number);
    let first = locked.reserve_numbers(published, times.len())?;
    let last = first + (times.len() as u128 - 1);
    let (mut targets, mut staged) = (Some(targets), None);
    let mut records = Vec::with_capacity(times.len());
    let sign_and_record = || -> Result<(), CaError> {
        let crls = times.iter().zip(repeat_n(entries, times.len()));
        for (number, (times, entries)) in (first..=last).zip(crls) {
            let (der, record, files) = sign(issuer, entries, *times, number, &covers, |der| {
                refuse_too_large(ca, request.party, der)?;
                let staged = targets.take().map(|targets| stage(targets, der));
                Ok::<_, CaError>(staged.transpose()?)
            })?;
            staged = files?.or(staged.take());
            if ahead.is_some() {
                locked.store_presigned(number, &der)?;
            }
            records.push(SignedCrl {
                ahead: ahead.is_some(),
                ahead_from: ahead.map(|_| first),
                ..record
            });
        }
        Ok(locked.record(&records)?)
    };
    sign_and_record().inspect_err(|error| {
        // Otherwise they may be on record.
        if !matches!(error, CaError::Store(StoreError::Undecided { .. })) {
            locked.forget_presigned(first..);
        }
    })?;
    let staged = staged.expect("the first CRL is staged");
    let files = commit(ca, staged, ahead.map(|_| records.len()))?;
    locked.forget_presigned(..first);
    Ok(Published {
        origin: Origin::Signed,
        ahead: ahead.and(until).map(|until| (records.len() - 1, until)),
        crl: records.swap_remove(0),
        files,
        notices,
    })
}

/// Signs and verifies a CRL. `meanwhile` gets its bytes while they are verified, to prepare what nobody
/// sees before the CRL is on record.
fn sign<T: Send>(
    issuer: &Issuer,
    entries: CrlBuilder,
    times: Times,
    number: u128,
    covers: &Coverage,
    meanwhile: impl FnOnce(&[u8]) -> T + Send,
) -> Result<(Vec<u8>, SignedCrl, T), CaError> {
    let Times {
        this_update,
        next_update,
    } = times;
    let header = Header {
        issuer: issuer.ca().certificate().subject(),
        key_identifier: &issuer.key_identifier(),
        this_update,
        next_update,
        number,
    };
    let count = entries.len();
    let (der, fingerprint, prepared) = issuer.sign_crl(entries, &header, meanwhile)?;
    let record = SignedCrl {
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
    Ok((der, record, prepared))
}

/// Refuses a CRL that exceeds the limit of its target.
fn refuse_too_large(ca: &Ca, party: Option<&RelyingParty>, der: &[u8]) -> Result<(), CaError> {
    let Some(party) = party else { return Ok(()) };
    match too_many_bytes(party, der.len()) {
        Some((bytes, most)) => Err(CaError::from(CrlError::TooLarge {
            ca: ca.name().clone(),
            party: party.title,
            bytes,
            most,
        })),
        None => Ok(()),
    }
}
