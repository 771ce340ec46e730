//! CA of the store.

use super::database::{CaRow, Rows, Session};
use super::error::StoreError;
use super::kind::Journal;
use super::layout::CaLayout;
use super::location::Location;
use super::lock::Lock;
use super::name::CaName;
use super::place::{CaPlace, Hold, not_supported};
use super::record::CaRecord;
use super::{Operator, file, journal};
use crate::pem;
use crate::x509::{Certificate, Serial};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// CA, as its files were when it was opened.
#[derive(Clone)]
pub(crate) struct Ca {
    pub(super) place: CaPlace,
    record: CaRecord,
    certificate: Certificate,
    pub(super) operator: Operator,
}

impl Ca {
    /// Opens a CA; `None` if there is none.
    pub(super) fn open(
        layout: &CaLayout,
        name: &CaName,
        operator: &Operator,
    ) -> Result<Option<Self>, StoreError> {
        let path = layout.record();
        let Some(bytes) = file::read_if_there(&path)? else {
            return Ok(None);
        };
        let record: CaRecord = serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::damaged(&path, format!("cannot be read: {error}")))?;
        if record.name != *name {
            return Err(StoreError::damaged(
                &path,
                format!("has another CA's name: {}", record.name),
            ));
        }
        let certificate = read_certificate(&layout.certificate())?;
        Ok(Some(Self {
            place: CaPlace::Directory(layout.with_generation(record.keys)),
            record,
            certificate,
            operator: operator.clone(),
        }))
    }

    /// Returns a CA that was seen in a database.
    pub(super) fn in_database(
        session: &Session,
        row: &CaRow,
        operator: &Operator,
    ) -> Result<Self, StoreError> {
        let rows = Rows::of(session, row);
        let der = row.certificate.as_deref().unwrap_or_default();
        let certificate = Certificate::from_der(der).map_err(|error| {
            let problem = format!("cannot be read: {error}");
            StoreError::damaged(rows.location("the certificate"), problem)
        })?;
        Ok(Self {
            place: CaPlace::Database(rows),
            record: row.record.clone(),
            certificate,
            operator: operator.clone(),
        })
    }

    pub(crate) fn name(&self) -> &CaName {
        &self.record.name
    }

    pub(crate) fn location(&self) -> Location {
        self.location_of(|layout| layout.directory().to_owned(), "CA")
    }

    pub(crate) fn record(&self) -> &CaRecord {
        &self.record
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn with_certificate(self, certificate: &Certificate) -> Self {
        Self {
            certificate: certificate.clone(),
            ..self
        }
    }

    /// Returns whether a directory is in the store that the CA is in.
    pub(crate) fn has_beside(&self, directory: &Path) -> bool {
        let CaPlace::Directory(layout) = &self.place else {
            return false;
        };
        let root = file::directory_of(layout.directory());
        let is_inside = match (directory.canonicalize(), root.canonicalize()) {
            (Ok(directory), Ok(root)) => directory.starts_with(root),
            _ => false,
        };
        is_inside || directory.starts_with(root)
    }

    pub(crate) fn certificate_location(&self) -> Location {
        self.location_of(CaLayout::certificate, "the certificate")
    }

    /// Makes the CA's certificate durable, whoever gave it its name.
    pub(crate) fn make_certificate_durable(&self) -> Result<(), StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => Ok(file::sync(layout.directory())?),
            CaPlace::Database(_) => Ok(()),
        }
    }

    pub(crate) fn key_location(&self) -> Location {
        self.location_of(CaLayout::key, "the key")
    }

    /// Returns whether the CA can sign here: with its key file, or with a key outside the store.
    pub(crate) fn has_key(&self) -> Result<bool, StoreError> {
        Ok(self.record.key_uri.is_some()
            || match &self.place {
                CaPlace::Directory(layout) => file::stands(&layout.key())?,
                CaPlace::Database(rows) => rows.has_key,
            })
    }

    /// Returns the content of the CA's key file; `None` if the key is not in the store.
    pub(crate) fn key_file(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        if self.record.key_uri.is_some() {
            return Ok(None);
        }
        match &self.place {
            CaPlace::Directory(layout) => {
                Ok(file::read_if_there(&layout.key())?.map(Zeroizing::new))
            }
            CaPlace::Database(rows) if rows.has_key => rows.key(),
            CaPlace::Database(_) => Ok(None),
        }
    }

    pub(crate) fn leaf_key_location(&self, serial: &Serial) -> Location {
        self.location_of(
            |layout| layout.leaf_key(serial),
            &format!("the key of certificate {serial}"),
        )
    }

    /// Returns the content of a leaf's key file; `None` if the key was made elsewhere.
    pub(crate) fn leaf_key_file(
        &self,
        serial: &Serial,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => {
                Ok(file::read_if_there(&layout.leaf_key(serial))?.map(Zeroizing::new))
            }
            CaPlace::Database(rows) => rows.leaf_key(serial),
        }
    }

    /// Returns whether any of the CA's journals has a record.
    pub(super) fn has_records(&self) -> Result<bool, StoreError> {
        for journal in Journal::ALL {
            if journal::has_records(&self.journal_path(journal)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a journal durable, whoever wrote it. To be called before an answer that rests on a record:
    /// its writer may have been killed before its sync.
    pub(crate) fn make_durable(&self, journal: Journal) -> Result<(), StoreError> {
        match &self.place {
            CaPlace::Directory(_) => Ok(file::sync(&self.journal_path(journal)?)?),
            // What can be read is committed.
            CaPlace::Database(_) => Ok(()),
        }
    }

    /// Waits until no other process writes OCSP responses of this CA.
    pub(crate) fn lock_responses(&self) -> Result<LockedResponses, StoreError> {
        let lock = match &self.place {
            CaPlace::Directory(layout) => {
                Hold::from(Lock::acquire(&layout.responses_lock(), &self.operator)?)
            }
            // Each host has a directory of its own.
            CaPlace::Database(_) => Hold::Compared,
        };
        Ok(LockedResponses { _lock: lock })
    }

    /// Takes the CA's lock; refuses directories that another user's links lead elsewhere.
    pub(super) fn hold(&self) -> Result<Hold, StoreError> {
        let CaPlace::Directory(layout) = &self.place else {
            return Ok(Hold::Compared);
        };
        let directories = layout.directories();
        directories
            .iter()
            .try_for_each(|directory| file::refuse_foreign_link(directory))?;
        Ok(Lock::acquire(&layout.lock(), &self.operator)?.into())
    }
}

impl Ca {
    /// Returns the paths of a CA in a directory; refuses one in a database.
    pub(super) fn layout(&self) -> Result<&CaLayout, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => Ok(layout),
            CaPlace::Database(rows) => Err(not_supported(&rows.session)),
        }
    }

    /// Returns the rows of a CA in a database.
    pub(super) fn rows(&self) -> Option<&Rows> {
        match &self.place {
            CaPlace::Directory(_) => None,
            CaPlace::Database(rows) => Some(rows),
        }
    }

    /// Returns a file of the CA, or what stands for it in a database, as messages name it.
    pub(super) fn location_of(
        &self,
        path: impl FnOnce(&CaLayout) -> PathBuf,
        what: &str,
    ) -> Location {
        match &self.place {
            CaPlace::Directory(layout) => path(layout).into(),
            CaPlace::Database(rows) => rows.location(what),
        }
    }
}

/// CA whose OCSP responses no other process writes.
pub(crate) struct LockedResponses {
    _lock: Hold,
}

pub(super) fn read_certificate(path: &Path) -> Result<Certificate, StoreError> {
    let bytes = file::read(path)?;
    let objects = pem::decode(&bytes)
        .map_err(|error| StoreError::damaged(path, format!("is not PEM: {error}")))?;
    let [object] = objects.as_slice() else {
        return Err(StoreError::damaged(
            path,
            "does not hold exactly one certificate",
        ));
    };
    Certificate::from_der(&object.der)
        .map_err(|error| StoreError::damaged(path, format!("is not a certificate: {error}")))
}
