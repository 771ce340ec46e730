//! Directories that CRLs are published in.

use crate::ca::error::CaError;
use crate::store::file::{Access, Output};
use crate::store::{Ca, FileError, file};
use std::path::PathBuf;

/// A directory with the CRLs of CAs, in the forms that their readers want.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    /// Whether a PEM file is written beside the DER.
    pub(crate) pem: bool,
    /// Whether files that are no CRLs may be replaced.
    pub(crate) overwrite: bool,
}

/// A file of published CRLs.
pub(crate) struct Target {
    /// Its name in the directory.
    pub(crate) path: PathBuf,
    /// Its path behind links: the file that is checked is the one that is replaced, wherever a link leads by then.
    pub(crate) file: PathBuf,
    pub(crate) access: Access,
}

impl Target {
    /// Refuses to replace the file, which is not of this kind.
    pub(crate) fn would_replace(&self, kind: &'static str) -> CaError {
        let path = self.path.clone();
        CaError::WouldReplace { path, kind }
    }

    /// Makes the name of an existing file durable: the process that wrote it may have been killed.
    pub(crate) fn sync_name(&self) -> Result<(), FileError> {
        file::sync(file::directory_of(&self.file))
    }
}

impl Place {
    /// Returns the access to the files: in the store, only its owner writes.
    pub(crate) fn access(&self, ca: &Ca) -> Access {
        if ca.has_beside(&self.directory) {
            Access::Store
        } else {
            Access::Umask
        }
    }

    /// Follows the symbolic links at a path of this directory, but none if it is in the store.
    pub(crate) fn target(&self, ca: &Ca, path: PathBuf) -> Result<Target, FileError> {
        let access = self.access(ca);
        let file = match access {
            Access::Umask => Output::file_at(&path)?,
            Access::Owner | Access::Store => path.clone(),
        };
        Ok(Target { path, file, access })
    }

    /// Path of a CA's CRL as DER.
    pub(crate) fn der(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl", ca.name()))
    }

    /// Path of a CA's CRL as PEM.
    pub(crate) fn pem(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl.pem", ca.name()))
    }

    /// Path of the chain file: the CRLs of the CA and of all above it.
    pub(crate) fn chain(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.chain.crl.pem", ca.name()))
    }

    /// Returns whether the PEM file is written: if it is wanted, or if there is one already.
    pub(crate) fn wants_pem(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(self.pem || file::stands(&self.pem(ca))?)
    }

    /// Returns whether the chain file is there already, and has to be kept up to date.
    pub(crate) fn has_chain(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(file::stands(&self.chain(ca))?)
    }
}
