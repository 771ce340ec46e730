//! Files made of published CRLs: the PEM file beside one, and the chain file for servers that check the
//! full chain.

use crate::ca::crl::error::CrlError;
use crate::ca::crl::place::Place;
use crate::ca::crl::published::{
    PublishedCrl, holds_as_pem, read_published, refuse_other_pem, stage_pem,
};
use crate::ca::error::CaError;
use crate::store::file::Existing;
use crate::store::{Ca, Store};
use std::path::PathBuf;

/// Publishes the CRLs of the CA and of all above it as one PEM file. If nothing in it is new, it is not
/// written: others may be watching it.
pub(crate) fn publish_chain(store: &Store, ca: &Ca, place: &Place) -> Result<PathBuf, CaError> {
    write_where_new(ca, place, place.chain(ca), || {
        let mut crls = vec![published(ca, place)?];
        crls.extend(published_above(store, ca, place)?);
        Ok(crls)
    })
}

/// Publishes the CRL as PEM too, unless it is there already.
pub(crate) fn publish_pem(ca: &Ca, place: &Place) -> Result<PathBuf, CaError> {
    write_where_new(ca, place, place.pem(ca), || Ok(vec![published(ca, place)?]))
}

/// Returns whether the chain file holds the published CRLs: `own`, and those of all issuing CAs up to the root.
pub(crate) fn holds_chain(store: &Store, ca: &Ca, place: &Place, own: &PublishedCrl) -> bool {
    published_above(store, ca, place).is_ok_and(|above| {
        let crls: Vec<_> = std::iter::once(own).chain(&above).collect();
        holds_as_pem(&place.chain(ca), &crls)
    })
}

/// Writes a file of published CRLs. Another process may publish a CRL of an issuing CA after they were read, and look
/// for this file before it exists. So they are read again once the file has its name.
fn write_where_new(
    ca: &Ca,
    place: &Place,
    path: PathBuf,
    read: impl Fn() -> Result<Vec<PublishedCrl>, CaError>,
) -> Result<PathBuf, CaError> {
    let target = place.target(ca, path)?;
    refuse_other_pem(place, &target)?;
    let is_written = !holds_as_pem(&target.file, &read()?)
        && ca.while_publishing(|| {
            let mut written: Option<Vec<PublishedCrl>> = None;
            loop {
                let crls = read()?;
                let is_current = match &written {
                    // A pipe cannot be read again.
                    Some(written) => are_same(written, &crls),
                    None => holds_as_pem(&target.file, &crls),
                };
                if is_current {
                    return Ok::<_, CaError>(written.is_some());
                }
                stage_pem(&target, Existing::Replace, &crls)?.commit()?;
                written = Some(crls);
            }
        })?;
    if !is_written {
        target.sync_name()?;
    }
    Ok(target.path)
}

/// Reads the published CRLs of all CAs above the CA.
fn published_above(store: &Store, ca: &Ca, place: &Place) -> Result<Vec<PublishedCrl>, CaError> {
    let above = store.ancestors(ca)?;
    above.iter().map(|above| published(above, place)).collect()
}

pub(crate) fn published(ca: &Ca, place: &Place) -> Result<PublishedCrl, CaError> {
    read_published(ca, place, &ca.recent_crls()?)?.ok_or_else(|| {
        CaError::from(CrlError::NotPublished {
            ca: ca.name().clone(),
            path: place.der(ca),
        })
    })
}

fn are_same(some: &[PublishedCrl], others: &[PublishedCrl]) -> bool {
    let some = some.iter().map(AsRef::<[u8]>::as_ref);
    some.eq(others.iter().map(AsRef::<[u8]>::as_ref))
}

/// Returns the CAs below this one whose chain file is published.
pub(crate) fn chains_below(store: &Store, ca: &Ca, place: &Place) -> Result<Vec<Ca>, CaError> {
    let mut below = Vec::new();
    for other in store.cas()? {
        let ancestors = store.ancestors(&other)?;
        let is_below = ancestors.iter().any(|above| above.name() == ca.name());
        if is_below && place.has_chain(&other)? {
            below.push(other);
        }
    }
    Ok(below)
}
