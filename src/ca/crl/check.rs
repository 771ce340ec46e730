//! Monitoring of published CRLs.

use crate::ca::crl::chain::holds_chain;
use crate::ca::crl::hash_names::holds_hash_names;
use crate::ca::crl::place::Place;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::published::{PublishedCrl, holds_as_pem};
use crate::ca::crl::state::State;
use crate::ca::crl::times::is_in_future;
use crate::ca::error::CaError;
use crate::store::{Ca, Store, file};
use time::{Duration, OffsetDateTime};

/// State of a CA's published CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// None is published, or the file is not one of this CA.
    Missing,
    /// Its nextUpdate has passed, or it has none.
    Stale,
    /// Its thisUpdate is in the future: a wrong clock signed it, or it was published before its time.
    InFuture,
    /// It expires within the requested time.
    EndsSoon,
    /// Something was revoked or released since it was made, a pre-signed CRL is due in its place, or a file
    /// made of it holds another CRL.
    Outdated,
}

/// Checks a CA's published CRL; needs no key. Returns its nextUpdate too.
pub(crate) fn check_crl(
    store: &Store,
    ca: &Ca,
    place: &Place,
    within: Duration,
    now: OffsetDateTime,
) -> Result<(Freshness, Option<OffsetDateTime>), CaError> {
    let state = State::read(ca, place, now)?;
    let Some(published) = state.published()? else {
        return Ok((Freshness::Missing, None));
    };
    let crl = published.crl();
    let Some(next_update) = crl.next_update() else {
        return Ok((Freshness::Stale, None));
    };
    let is_superseded = is_superseded(&state, ca, published)?;
    let pem_path = place.pem(ca);
    let pem_differs = file::stands(&pem_path)? && !holds_as_pem(&pem_path, &[published]);
    let chain_differs = place.has_chain(ca)? && !holds_chain(store, ca, place, published);
    let names_differ = !holds_hash_names(ca, place, published.der())?;
    let freshness = if now > next_update {
        Freshness::Stale
    } else if is_in_future(crl.this_update(), now) {
        Freshness::InFuture
    } else if next_update - now < within {
        Freshness::EndsSoon
    } else if is_superseded || pem_differs || chain_differs || names_differ {
        Freshness::Outdated
    } else {
        Freshness::Fresh
    };
    Ok((freshness, Some(next_update)))
}

/// Returns whether something was revoked or released since a CRL was made, or a pre-signed CRL is due in its place.
fn is_superseded(state: &State<'_>, ca: &Ca, published: &PublishedCrl) -> Result<bool, CaError> {
    if let Ahead::Due { crl: due, .. } = state.ahead()
        && Some(due.number) > published.number()
    {
        return Ok(true);
    }
    // Of a CA that never signed a CRL here none is on record.
    let is_foreign = state.recent.is_empty() && !ca.has_key()?;
    Ok(!is_foreign && state.record_without_news(published)?.is_none())
}

/// Reads a CA's published CRL. Returns too whether it is current: within its time, and with all that was revoked.
pub(crate) fn published_crl(
    ca: &Ca,
    place: &Place,
    now: OffsetDateTime,
) -> Result<Option<(PublishedCrl, bool)>, CaError> {
    let state = State::read(ca, place, now)?;
    let Some(published) = state.published()? else {
        return Ok(None);
    };
    let crl = published.crl();
    let is_in_time =
        crl.next_update().is_some_and(|next| now <= next) && !is_in_future(crl.this_update(), now);
    let is_current = is_in_time && !is_superseded(&state, ca, published)?;
    Ok(state
        .into_published()
        .map(|published| (published, is_current)))
}
