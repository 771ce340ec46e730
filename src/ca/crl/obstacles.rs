//! Files in the way of CRLs: checked before any CRL is signed.

use crate::ca::crl::hash_names::refuse_other_names;
use crate::ca::crl::place::{Place, Target};
use crate::ca::crl::published::{read_published_at, refuse_other_pem};
use crate::ca::error::CaError;
use crate::store::{Ca, file};
use std::fs;

/// Bytes of a file up to which it is read although it is read again.
const SMALL: u64 = 64 * 1024;

/// Refuses other files under the names of the CA's CRLs, unless they may be replaced, and links that are
/// not followed. `chain` and `hash_names` are whether those files are wanted even if none is there yet.
pub(crate) fn refuse_other_files(
    ca: &Ca,
    place: &Place,
    chain: bool,
    hash_names: bool,
) -> Result<(), CaError> {
    refuse_other_crl(ca, place, |_| true)?;
    refuse_other_derived(ca, place, chain, hash_names)
}

/// Same as [`refuse_other_files`] in front of [`publish_crl`](super::publish_crl), which reads the files of
/// the CRL under the lock, and refuses them too: large ones are left to it.
pub(crate) fn refuse_other_files_early(
    ca: &Ca,
    place: &Place,
    chain: bool,
    hash_names: bool,
) -> Result<(), CaError> {
    let is_small = |target: &Target| {
        let found = fs::metadata(&target.file);
        found.is_ok_and(|found| found.len() <= SMALL)
    };
    refuse_other_crl(ca, place, is_small)?;
    refuse_other_derived(ca, place, chain, hash_names)
}

/// Refuses other files under the names of the CRL itself, as far as they are read.
fn refuse_other_crl(
    ca: &Ca,
    place: &Place,
    is_read: impl Fn(&Target) -> bool,
) -> Result<(), CaError> {
    let der = place.target(ca, place.der(ca))?;
    if is_read(&der) {
        refuse_other_der(ca, place, &der)?;
    }
    if place.wants_pem(ca)? {
        let pem = place.target(ca, place.pem(ca))?;
        if is_read(&pem) {
            refuse_other_pem(place, &pem)?;
        }
    }
    Ok(())
}

/// Refuses other files under the names of those that are made of the CRL.
fn refuse_other_derived(
    ca: &Ca,
    place: &Place,
    chain: bool,
    hash_names: bool,
) -> Result<(), CaError> {
    if chain || place.has_chain(ca)? {
        refuse_other_pem(place, &place.target(ca, place.chain(ca))?)?;
    }
    if hash_names {
        refuse_other_names(ca, place)?;
    }
    Ok(())
}

fn refuse_other_der(ca: &Ca, place: &Place, target: &Target) -> Result<(), CaError> {
    let is_other = || -> Result<bool, CaError> {
        Ok(file::stands(&target.file)?
            && read_published_at(ca, target, &ca.recent_crls()?)?.is_none())
    };
    if !place.overwrite && is_other()? {
        return Err(target.would_replace("a CRL of this CA"));
    }
    Ok(())
}
