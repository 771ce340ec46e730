//! CRLs under the names by which OpenSSL finds them in a directory: `HASH.r0`, and `HASH.r1` and so on
//! if several names have one hash.

use crate::ca::crl::chain::published;
use crate::ca::crl::place::{Place, Target};
use crate::ca::crl::published::{PublishedCrl, holds_as_pem, is_crl_of, stage_pem};
use crate::ca::error::CaError;
use crate::ca::foreign::{Input, crls_in};
use crate::store::file::{self, Existing};
use crate::store::{Ca, FileError};
use crate::x509::crl::Crl;
use std::io;
use std::path::PathBuf;

/// Content of the file under one of the names of a hash.
enum Slot {
    Free,
    /// CRLs of this CA alone, current or not.
    Own,
    /// A CRL of another CA, perhaps beside one of this CA.
    Other,
}

/// Returns whether a CRL of the CA is already under one of the names of its hash, and has to be kept up to date.
pub(crate) fn has_hash_names(ca: &Ca, place: &Place) -> Result<bool, CaError> {
    for path in names(ca, place) {
        match slot(ca, &place.target(ca, path)?)? {
            Some(Slot::Own) => return Ok(true),
            Some(Slot::Other) => {}
            Some(Slot::Free) | None => break,
        }
    }
    Ok(false)
}

/// Writes the published CRL under the first name of its hash that no other CA's CRL has. OpenSSL looks
/// from one number to the next, so that none is ever removed: each that had a CRL of this CA gets the
/// new one.
pub(crate) fn publish_hash_names(ca: &Ca, place: &Place) -> Result<Vec<PathBuf>, CaError> {
    ca.while_publishing(|| write_hash_names(ca, place))
}

fn write_hash_names(ca: &Ca, place: &Place) -> Result<Vec<PathBuf>, CaError> {
    let crl = [published(ca, place)?];
    let mut own = Vec::new();
    for path in names(ca, place) {
        let target = place.target(ca, path)?;
        match slot(ca, &target)? {
            Some(Slot::Own) => {
                if holds_as_pem(&target.file, &crl) {
                    target.sync_name()?;
                } else {
                    stage_pem(&target, Existing::Replace, &crl)?.commit()?;
                }
                own.push(target.path);
            }
            Some(Slot::Other) => {}
            Some(Slot::Free) | None if !own.is_empty() => break,
            Some(Slot::Free) => {
                if take(&target, &crl)? {
                    own.push(target.path);
                    break;
                }
            }
            None if place.overwrite => {
                stage_pem(&target, Existing::Replace, &crl)?.commit()?;
                own.push(target.path);
                break;
            }
            None => return Err(target.would_replace("a CRL")),
        }
    }
    Ok(own)
}

/// Writes the CRL, unless another process was first: another CA may have this hash, and its CRL stays.
fn take(target: &Target, crl: &[PublishedCrl]) -> Result<bool, CaError> {
    let is_taken = |error: &FileError| error.source.kind() == io::ErrorKind::AlreadyExists;
    let staged = match stage_pem(target, Existing::Keep, crl) {
        Err(error) if is_taken(&error) => return Ok(false),
        staged => staged?,
    };
    match staged.commit() {
        Err(error) if is_taken(&error.source) => Ok(false),
        committed => Ok(committed.map(|()| true)?),
    }
}

/// Refuses a file that is no CRL under the name that the CA's would get.
pub(crate) fn refuse_other_names(ca: &Ca, place: &Place) -> Result<(), CaError> {
    for path in names(ca, place) {
        let target = place.target(ca, path)?;
        match slot(ca, &target)? {
            Some(Slot::Own | Slot::Free) => break,
            Some(Slot::Other) => {}
            None if place.overwrite => break,
            None => return Err(target.would_replace("a CRL")),
        }
    }
    Ok(())
}

/// Returns whether the CA's files under the names of its hash hold its published CRL.
pub(crate) fn holds_hash_names(ca: &Ca, place: &Place, der: &[u8]) -> Result<bool, CaError> {
    for path in names(ca, place) {
        let target = place.target(ca, path)?;
        match slot(ca, &target)? {
            Some(Slot::Own) if !holds_as_pem(&target.file, &[der]) => return Ok(false),
            Some(Slot::Own | Slot::Other) => {}
            Some(Slot::Free) | None => break,
        }
    }
    Ok(true)
}

fn names(ca: &Ca, place: &Place) -> impl Iterator<Item = PathBuf> {
    let hash = ca.certificate().subject().openssl_hash();
    let directory = place.directory.clone();
    (0_u32..).map(move |number| directory.join(format!("{hash:08x}.r{number}")))
}

/// Returns `None` for a file that is no CRL.
fn slot(ca: &Ca, target: &Target) -> Result<Option<Slot>, CaError> {
    let path = &target.file;
    if !file::stands(path)? {
        return Ok(Some(Slot::Free));
    }
    if !file::is_regular(path)? {
        return Ok(None);
    }
    let crls = match crls_in(&Input::read(path)?) {
        Ok(crls) => crls,
        Err(error @ CaError::File(_)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let is_own = crls.iter().all(|der| {
        let crl = Crl::from_der(der).expect("it was read before");
        is_crl_of(ca, &crl)
    });
    Ok(Some(if is_own { Slot::Own } else { Slot::Other }))
}
