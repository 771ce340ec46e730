//! A CA's certificate in the place of the one before, which is kept.

use super::Store;
use super::ca::Ca;
use super::error::{FileError, StoreError};
use super::file::{self, Access, Existing, Staged, Uncommitted};
use super::layout::CaLayout;
use super::location::Location;
use super::name::CaName;
use super::place::{CaPlace, Hold};
use crate::x509::Certificate;
use std::io::Write as _;
use std::path::PathBuf;

/// CA whose certificate is being replaced: no other process makes CAs or replaces certificates until this
/// is dropped.
pub(crate) struct Replacement {
    ca: Ca,
    /// File in the making; none in a database.
    file: Option<Staged>,
    _lock: Hold,
}

impl Store {
    /// Reserves the replacement of a CA's certificate. Whatever hinders the file shows now.
    pub(crate) fn reserve_replacement(&self, name: &CaName) -> Result<Replacement, StoreError> {
        // The first look needs no lock, which a store that is only read does not give.
        self.ca(name)?;
        let lock = self.hold()?;
        let ca = self.ca(name)?;
        Ok(Replacement {
            file: match &ca.place {
                CaPlace::Directory(layout) => {
                    let path = layout.certificate();
                    Some(Staged::new(&path, Access::Store, Existing::Replace)?)
                }
                CaPlace::Database(_) => None,
            },
            ca,
            _lock: lock,
        })
    }
}

impl Replacement {
    pub(crate) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Replaces the certificate. A reader finds one of the two.
    pub(crate) fn replace(self, certificate: &Certificate) -> Result<Replaced, StoreError> {
        let Self { ca, file, _lock } = self;
        let Some(mut file) = file else {
            return replace_in_database(ca, certificate);
        };
        let kept = Kept::of(ca.layout()?, ca.certificate())?;
        let filled = file.fill(|file| file.write_all(certificate.to_pem().as_bytes()));
        let replaced = filled
            .map_err(Uncommitted::from)
            .and_then(|()| file.commit());
        replaced.inspect_err(|error| kept.take_back_unless(error.in_place.is_some()))?;
        Ok(Replaced {
            before: ca.certificate().clone(),
            ca: ca.with_certificate(certificate),
            previous: kept.path.into(),
        })
    }
}

/// CA whose certificate was replaced.
pub(crate) struct Replaced {
    pub(crate) ca: Ca,
    pub(crate) before: Certificate,
    /// File in which that one is kept.
    pub(crate) previous: Location,
}

/// Another process may have replaced the certificate that was seen: the one in force is kept.
fn replace_in_database(ca: Ca, certificate: &Certificate) -> Result<Replaced, StoreError> {
    let mut before = ca.certificate().clone();
    if let Some(rows) = ca.rows() {
        before = rows
            .session
            .alone_anyway(|| rows.replace_certificate(certificate))?;
    }
    let fingerprint = before.fingerprint();
    let previous = ca.location_of(
        |layout| layout.previous_certificate(&fingerprint),
        &format!("the previous certificate {fingerprint}"),
    );
    Ok(Replaced {
        before,
        ca: ca.with_certificate(certificate),
        previous,
    })
}

/// Copy of a CA's certificate among those before it.
struct Kept {
    path: PathBuf,
    is_new: bool,
}

impl Kept {
    fn of(layout: &CaLayout, certificate: &Certificate) -> Result<Self, FileError> {
        let path = layout.previous_certificate(&certificate.fingerprint());
        file::create_directories(&layout.previous_certificates(), Access::Store)?;
        // An interrupted command may have come as far as this; the name says what is in it.
        let kept = Self {
            is_new: !file::stands(&path)?,
            path,
        };
        if kept.is_new {
            let pem = certificate.to_pem();
            file::write(&kept.path, Access::Store, Existing::Keep, pem.as_bytes()).map_err(
                |error| {
                    kept.take_back_unless(error.in_place.is_none());
                    error.source
                },
            )?;
        }
        Ok(kept)
    }

    fn take_back_unless(&self, is_needed: bool) {
        if self.is_new && !is_needed {
            // What failed first is the one to report.
            let _ = file::remove(&self.path);
        }
    }
}
