//! Files in the way of CRLs: checked before any CRL is signed.

use crate::ca::crl::hash_names::refuse_other_names;
use crate::ca::crl::place::Place;
use crate::ca::crl::published::{read_published_at, refuse_other_pem};
use crate::ca::error::CaError;
use crate::store::{Ca, file};

/// Refuses other files under the names of the CA's CRLs, unless they may be replaced, and links that are
/// not followed. `chain` and `hash_names` are whether those files are wanted even if none is there yet.
pub(crate) fn refuse_other_files(
    ca: &Ca,
    place: &Place,
    chain: bool,
    hash_names: bool,
) -> Result<(), CaError> {
    refuse_other_der(ca, place)?;
    if place.wants_pem(ca)? {
        refuse_other_pem(place, &place.target(ca, place.pem(ca))?)?;
    }
    if chain || place.has_chain(ca)? {
        refuse_other_pem(place, &place.target(ca, place.chain(ca))?)?;
    }
    if hash_names {
        refuse_other_names(ca, place)?;
    }
    Ok(())
}

fn refuse_other_der(ca: &Ca, place: &Place) -> Result<(), CaError> {
    let target = place.target(ca, place.der(ca))?;
    let is_other = || -> Result<bool, CaError> {
        Ok(file::stands(&target.file)?
            && read_published_at(ca, &target, &ca.recent_crls()?)?.is_none())
    };
    if !place.overwrite && is_other()? {
        return Err(target.would_replace("a CRL of this CA"));
    }
    Ok(())
}
