//! Removal of a CA that is revoked or has expired, or is pending.

use crate::ca::authority::error::AuthorityError;
use crate::ca::authority::renew::revoked_by_parent;
use crate::ca::error::CaError;
use crate::ca::remedy::Remedy;
use crate::store::{Ca, CaName, Store};
use time::OffsetDateTime;

/// Checks whether a CA may be removed: its certificate is revoked or has expired, and no CA of the store is below
/// it.
pub(crate) fn check_removable(store: &Store, ca: &Ca, now: OffsetDateTime) -> Result<(), CaError> {
    let name = ca.name();
    let is_below = |other: &Ca| other.record().parent.as_ref() == Some(name);
    let below: Vec<CaName> = store
        .cas()?
        .iter()
        .filter(|other| is_below(other))
        .map(|other| other.name().clone())
        .collect();
    if !below.is_empty() {
        let ca = name.clone();
        return Err(AuthorityError::HasCasBelow { ca, below }.into());
    }
    let until = ca.certificate().validity().not_after;
    if now <= until && revoked_by_parent(store, ca)?.is_none() {
        let ca = name.clone();
        return Err(AuthorityError::StillValid { ca, until }.into());
    }
    Ok(())
}

/// Removes a pending CA with its key.
pub(crate) fn remove_pending_ca(store: &Store, name: &CaName) -> Result<(), CaError> {
    store.remove_pending(name).map_err(|error| {
        if !matches!(store.pending(name), Ok(None)) {
            return error.into();
        }
        CaError::after_commit(
            format!("the removal of {name}"),
            Remedy::RemovedByNext,
            error,
        )
    })
}

/// Removes a CA with its keys. Its name and its counters stay reserved, its records readable.
pub(crate) fn remove_ca(store: &Store, name: &CaName, now: OffsetDateTime) -> Result<(), CaError> {
    let removal = store.reserve_removal(name)?;
    check_removable(store, removal.ca(), now)?;
    removal.finish().map_err(|error| {
        if store.ca(name).is_ok() {
            return error.into();
        }
        CaError::after_commit(
            format!("the removal of {name}"),
            Remedy::RemovedByNext,
            error,
        )
    })
}
