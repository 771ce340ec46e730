//! Published lists: where they are, whether they are good, and what they are put in the place of.

use super::error::{CaError, InputError};
use super::foreign::Input;
use super::lists::ListRequest;
use crate::pem;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, Store};
use crate::x509::crl::RevocationList;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What is published at a path, if it is a list of this CA, signed with its key.
pub fn read_published(ca: &Ca, path: &Path) -> Result<Option<Vec<u8>>, CaError> {
    let der = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Input::read(path)?.into_content(),
        _ => return Ok(None),
    };
    let is_ours = RevocationList::from_der(&der).is_ok_and(|list| {
        list.issuer() == ca.certificate().subject()
            && list.verify_signature(ca.certificate().public_key()).is_ok()
    });
    Ok(is_ours.then_some(der))
}

/// A file that is no list of this CA is not replaced unasked.
pub(super) fn refuse_other_files(ca: &Ca, request: &ListRequest) -> Result<(), CaError> {
    if request.overwrite {
        return Ok(());
    }
    let der_path = request.der_path(ca);
    if std::fs::symlink_metadata(&der_path).is_ok() && read_published(ca, &der_path)?.is_none() {
        return Err(CaError::WouldReplace {
            path: der_path,
            kind: "a list of this CA",
        });
    }
    let pem_path = request.pem_path(ca);
    if request.wants_pem(ca)
        && std::fs::symlink_metadata(&pem_path).is_ok()
        && !holds_only_lists(&pem_path)
    {
        return Err(CaError::WouldReplace {
            path: pem_path,
            kind: "a list",
        });
    }
    Ok(())
}

/// Whether a file is made of PEM lists alone.
fn holds_only_lists(path: &Path) -> bool {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let objects = if is_file {
        Input::read(path).and_then(|input| input.objects()).ok()
    } else {
        None
    };
    objects.is_some_and(|objects| {
        !objects.is_empty() && objects.iter().all(|object| object.label == "X509 CRL")
    })
}

/// Publishes the lists of a CA and of all above it in one PEM file: what servers want that check the
/// whole path.
pub fn publish_chain(store: &Store, ca: &Ca, request: &ListRequest) -> Result<PathBuf, CaError> {
    let mut text = String::new();
    for member in std::iter::once(ca.clone()).chain(store.ancestors(ca)?) {
        let path = request.der_path(&member);
        let der = read_published(&member, &path)?.ok_or_else(|| CaError::NoPublishedList {
            ca: member.name().clone(),
            path,
        })?;
        text.push_str(&pem::encode("X509 CRL", &der));
    }
    let path = request.chain_path(ca);
    if !request.overwrite && std::fs::symlink_metadata(&path).is_ok() && !holds_only_lists(&path) {
        return Err(CaError::WouldReplace {
            path,
            kind: "a list",
        });
    }
    file::write(&path, Access::Umask, Existing::Replace, text.as_bytes())?;
    Ok(path)
}

/// How a CA's published list stands, for monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It is good.
    Fresh,
    /// There is none, or what is there is none of this CA's.
    Missing,
    /// Its nextUpdate has passed, or it has none.
    Stale,
    /// It ends within the time that was asked about.
    EndsSoon,
    /// Something was revoked or released since it was made, or the PEM file beside it is another list.
    Outdated,
}

/// Looks at a CA's published list; needs no key.
pub fn check_list(
    ca: &Ca,
    request: &ListRequest,
    within: Duration,
    now: OffsetDateTime,
) -> Result<(Freshness, Option<OffsetDateTime>), CaError> {
    let Some(der) = read_published(ca, &request.der_path(ca))? else {
        return Ok((Freshness::Missing, None));
    };
    let list = RevocationList::from_der(&der).expect("it was read before");
    let Some(next_update) = list.next_update() else {
        return Ok((Freshness::Stale, None));
    };
    let pem_path = request.pem_path(ca);
    let pem_differs = pem_path.exists()
        && std::fs::read(&pem_path).ok() != Some(pem::encode("X509 CRL", &der).into_bytes());
    let last = ca.last_list()?;
    let outdated = match last {
        Some(last) => last.covers != ca.revocations_end()? || list.number() != Some(last.number),
        None => true,
    };
    let freshness = if now > next_update {
        Freshness::Stale
    } else if next_update - now < within {
        Freshness::EndsSoon
    } else if outdated || pem_differs {
        Freshness::Outdated
    } else {
        Freshness::Fresh
    };
    Ok((freshness, Some(next_update)))
}

/// The one list in a file, PEM or DER, made by anyone: its DER, untouched.
pub fn foreign_list(input: &Input) -> Result<Vec<u8>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a certificate revocation list",
        source,
    };
    let objects = input.objects()?;
    let [object] = objects.as_slice() else {
        return Err(wrong(InputError::Other(format!(
            "it holds {} objects",
            objects.len()
        ))));
    };
    if object.label != "X509 CRL" {
        return Err(wrong(InputError::Other(format!(
            "it holds {:?}",
            object.label
        ))));
    }
    let list = RevocationList::from_der(&object.der).map_err(|error| wrong(error.into()))?;
    for entry in list.entries() {
        entry.map_err(|error| wrong(error.into()))?;
    }
    Ok(object.der.to_vec())
}

/// Writes a list in the place of nothing, of another list, or with `overwrite` of any file.
pub fn write_foreign_list(path: &Path, content: &[u8], overwrite: bool) -> Result<(), CaError> {
    let is_list = || {
        Input::read(path)
            .and_then(|input| foreign_list(&input))
            .is_ok()
    };
    let found = std::fs::symlink_metadata(path);
    if found.is_ok_and(|found| !found.is_file() || !(overwrite || is_list())) {
        return Err(CaError::WouldReplace {
            path: path.to_owned(),
            kind: "a list",
        });
    }
    Ok(file::write(
        path,
        Access::Umask,
        Existing::Replace,
        content,
    )?)
}
