//! Publishing: a new CRL, a pre-signed one, or none if nothing is new.

use crate::ca::crl::chain::{holds_chain, publish_pem};
use crate::ca::crl::issue::issue;
use crate::ca::crl::output::{Predecessor, commit, stage};
use crate::ca::crl::place::Place;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::published::holds_as_pem;
use crate::ca::crl::recover::lock_crls;
use crate::ca::crl::request::{AheadRequest, CrlRequest, Origin, Published};
use crate::ca::crl::state::State;
use crate::ca::crl::times::{Dating, is_in_future};
use crate::ca::error::CaError;
use crate::ca::issuance::Purpose;
use crate::ca::notice::CrlNotice;
use crate::ca::session::Session;
use crate::store::{Ca, Journal, LockedCrls, Store, file};
use crate::x509::crl::Crl;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Publishes a CA's CRL. A pre-signed one that is due goes first, and needs no key; so does
/// with `if_needed` one that is published, if nothing is new and a third of its validity is left.
/// Otherwise a CRL is signed.
pub(crate) fn publish_crl(
    session: &mut Session<'_>,
    ca: &Ca,
    request: &CrlRequest,
) -> Result<Published, CaError> {
    let now = session.now;
    let place = &request.place;
    file::create_directories(&place.directory, place.access(ca))?;
    let state = State::read(ca, place, now)?;
    let mut notices = Vec::new();
    if state.due(request)?.is_some()
        && let Some(mut published) =
            publish_due(lock_crls(ca, place, &mut notices)?, ca, request, now)?
    {
        published.notices.append(&mut notices);
        return Ok(published);
    }
    if request.if_needed
        && let Some((crl, _)) = state.still_good()?
    {
        stands_durably(ca, place, &[place.der(ca)])?;
        return Ok(Published {
            crl,
            origin: Origin::Kept,
            ahead: None,
            files: kept_files(ca, place)?,
            notices: Vec::new(),
        });
    }
    let ahead = state.ahead();
    drop(state);
    let issuer = session
        .issuer(ca.name(), Purpose::Crls)
        .map_err(|error| ahead.explain(ca, error))?;
    let mut published = issue(&issuer, request, None, now)?;
    notices.append(&mut published.notices);
    Ok(Published {
        notices,
        ..published
    })
}

/// Signs a CA's next CRLs at once, keeps them in the store, and publishes the first. Each begins
/// when it is due, and ends after the next one has begun.
pub(crate) fn sign_ahead(
    session: &mut Session<'_>,
    ca: &Ca,
    request: &CrlRequest,
    ahead: AheadRequest,
) -> Result<Published, CaError> {
    let place = &request.place;
    file::create_directories(&place.directory, place.access(ca))?;
    let issuer = session.issuer(ca.name(), Purpose::Crls)?;
    issue(&issuer, request, Some(ahead), session.now)
}

/// Plan of publishing a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Stands,
    /// Write files made of the published CRL.
    Written,
    /// Publish another CRL.
    New,
}

/// Plans [`publish_crl`] with `if_needed`; changes nothing. `chain` is whether the chain file is wanted.
pub(crate) fn outlook(
    store: &Store,
    ca: &Ca,
    request: &CrlRequest,
    chain: bool,
    now: OffsetDateTime,
) -> Result<Outlook, CaError> {
    let place = &request.place;
    let state = State::read(ca, place, now)?;
    if state.due(request)?.is_some() {
        return Ok(Outlook::New);
    }
    let Some((_, published)) = state.still_good()? else {
        return Ok(Outlook::New);
    };
    let has_pem = !place.wants_pem(ca)? || holds_as_pem(&place.pem(ca), &[published]);
    Ok(
        if has_pem && (!chain || holds_chain(store, ca, place, published)) {
            Outlook::Stands
        } else {
            Outlook::Written
        },
    )
}

/// Publishes the pre-signed CRL that is due now, if there is such a CRL.
fn publish_due(
    locked: LockedCrls<'_>,
    ca: &Ca,
    request: &CrlRequest,
    now: OffsetDateTime,
) -> Result<Option<Published>, CaError> {
    let place = &request.place;
    let Ahead::Due {
        crl: due,
        left,
        until,
    } = Ahead::of(ca, locked.recent(), locked.covers(), now)
    else {
        return Ok(None);
    };
    let Predecessor { crl, targets } = Predecessor::read(ca, place, &locked)?;
    let found = crl.as_ref().map(|published| published.crl());
    let mut notices = Vec::new();
    let this_update = found.as_ref().map_or(now, Crl::this_update);
    let is_in_future = is_in_future(this_update, now);
    if is_in_future {
        notices.push(CrlNotice::PublishedInFuture { this_update }.into());
    }
    let published = found.as_ref().and_then(Crl::number);
    let is_replaced = is_in_future && request.dating == Dating::Now;
    let (crl, files, origin) = if published >= Some(due.number) && !is_replaced {
        // After a clock went back, one of those to come is out already.
        let mut recent = locked.recent().iter();
        let out = recent.find(|recent| Some(recent.number) == published);
        let crl = out.cloned().unwrap_or(due);
        drop(locked);
        stands_durably(ca, place, &[place.der(ca)])?;
        (crl, kept_files(ca, place)?, Origin::Kept)
    } else {
        let der = ca.presigned_crl(&due)?;
        ca.make_durable(Journal::Crls)?;
        let files = commit(ca, stage(targets, &der)?, None)?;
        (due, files, Origin::SignedAhead)
    };
    Ok(Some(Published {
        crl,
        origin,
        ahead: Some((left, until)),
        files,
        notices,
    }))
}

/// Makes the records and names of a published CRL durable: the process that wrote it may have been killed.
/// `files` are its files that are up to date.
pub(crate) fn stands_durably(ca: &Ca, place: &Place, files: &[PathBuf]) -> Result<(), CaError> {
    ca.make_durable(Journal::Revoked)?;
    ca.make_durable(Journal::Crls)?;
    let mut directories = vec![place.directory.clone()];
    for path in files {
        let file = place.target(ca, path.clone())?.file;
        let directory = file::directory_of(&file);
        if !directories.iter().any(|other| other == directory) {
            directories.push(directory.to_owned());
        }
    }
    Ok(directories
        .iter()
        .try_for_each(|directory| file::sync(directory))?)
}

/// Returns the files of a CRL that is published already. A PEM file that is wanted and missing, or of
/// another CRL, is written: no key is needed for it.
fn kept_files(ca: &Ca, place: &Place) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
    let mut files = vec![("der", place.der(ca))];
    if place.wants_pem(ca)? {
        files.push(("pem", publish_pem(ca, place)?));
    }
    Ok(files)
}
