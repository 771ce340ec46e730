//! CA of the store.

use super::error::StoreError;
use super::kind::Journal;
use super::layout::CaLayout;
use super::location::Location;
use super::lock::Lock;
use super::name::CaName;
use super::record::CaRecord;
use super::{Operator, file, journal};
use crate::pem;
use crate::x509::{Certificate, Serial};
use std::path::Path;
use zeroize::Zeroizing;

/// CA, as its files were when it was opened.
#[derive(Clone)]
pub(crate) struct Ca {
    pub(super) layout: CaLayout,
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
            layout: layout.with_generation(record.keys),
            record,
            certificate,
            operator: operator.clone(),
        }))
    }

    pub(crate) fn name(&self) -> &CaName {
        &self.record.name
    }

    pub(crate) fn location(&self) -> Location {
        self.layout.directory().into()
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
        let root = file::directory_of(self.layout.directory());
        let is_inside = match (directory.canonicalize(), root.canonicalize()) {
            (Ok(directory), Ok(root)) => directory.starts_with(root),
            _ => false,
        };
        is_inside || directory.starts_with(root)
    }

    pub(crate) fn certificate_location(&self) -> Location {
        self.layout.certificate().into()
    }

    /// Makes the CA's certificate durable, whoever gave it its name.
    pub(crate) fn make_certificate_durable(&self) -> Result<(), StoreError> {
        Ok(file::sync(self.layout.directory())?)
    }

    pub(crate) fn key_location(&self) -> Location {
        self.layout.key().into()
    }

    /// Returns whether the CA can sign here: with its key file, or with a key outside the store.
    pub(crate) fn has_key(&self) -> Result<bool, StoreError> {
        Ok(self.record.key_uri.is_some() || file::stands(&self.layout.key())?)
    }

    /// Returns the content of the CA's key file; `None` if the key is not in the store.
    pub(crate) fn key_file(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        if self.record.key_uri.is_some() {
            return Ok(None);
        }
        Ok(file::read_if_there(&self.layout.key())?.map(Zeroizing::new))
    }

    pub(crate) fn leaf_key_location(&self, serial: &Serial) -> Location {
        self.layout.leaf_key(serial).into()
    }

    /// Returns the content of a leaf's key file; `None` if the key was made elsewhere.
    pub(crate) fn leaf_key_file(
        &self,
        serial: &Serial,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(file::read_if_there(&self.layout.leaf_key(serial))?.map(Zeroizing::new))
    }

    /// Returns whether any of the CA's journals has a record.
    pub(super) fn has_records(&self) -> Result<bool, StoreError> {
        for journal in Journal::ALL {
            if journal::has_records(&self.journal_path(journal))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a journal durable, whoever wrote it. To be called before an answer that rests on a record:
    /// its writer may have been killed before its sync.
    pub(crate) fn make_durable(&self, journal: Journal) -> Result<(), StoreError> {
        Ok(file::sync(&self.journal_path(journal))?)
    }

    /// Waits until no other process writes OCSP responses of this CA.
    pub(crate) fn lock_responses(&self) -> Result<LockedResponses, StoreError> {
        let lock = Lock::acquire(&self.layout.responses_lock(), &self.operator)?;
        Ok(LockedResponses { _lock: lock })
    }

    /// Takes the CA's lock; refuses directories that another user's links lead elsewhere.
    pub(super) fn hold(&self) -> Result<Lock, StoreError> {
        let directories = self.layout.directories();
        directories
            .iter()
            .try_for_each(|directory| file::refuse_foreign_link(directory))?;
        Lock::acquire(&self.layout.lock(), &self.operator)
    }
}

/// CA whose OCSP responses no other process writes.
pub(crate) struct LockedResponses {
    _lock: Lock,
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
