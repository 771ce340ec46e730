//! Where lists are published.

use crate::ca::error::CaError;
use crate::store::file::{Access, Output};
use crate::store::{Ca, FileError, file};
use std::path::PathBuf;

/// A folder with the lists of CAs, in the forms that their readers want.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder.
    pub directory: PathBuf,
    /// Whether a PEM file stands beside the DER.
    pub pem: bool,
    /// Whether files that are no lists may be replaced.
    pub overwrite: bool,
}

/// A file of published CRLs.
pub(crate) struct Target {
    /// Its name in the directory.
    pub path: PathBuf,
    /// What it is, behind links: what is looked at there is what is replaced, wherever a link leads by then.
    pub file: PathBuf,
    /// Who may read and write it.
    pub access: Access,
}

impl Target {
    /// Refuses to replace the file, which is not of this kind.
    pub(crate) fn would_replace(&self, kind: &'static str) -> CaError {
        let path = self.path.clone();
        CaError::WouldReplace { path, kind }
    }

    /// Makes the name of a file durable that is there: the process that wrote it may have been killed.
    pub(crate) fn sync_name(&self) -> Result<(), FileError> {
        file::sync(file::directory_of(&self.file))
    }
}

impl Place {
    /// Returns who may read and write the files: in the store, only its owner writes.
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

    /// Where a CA's list is, as DER.
    pub fn der(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl", ca.name()))
    }

    /// Where it is as PEM.
    pub fn pem(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl.pem", ca.name()))
    }

    /// Where the lists of the CA and of all above it are together.
    pub fn chain(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.chain.crl.pem", ca.name()))
    }

    /// Whether the PEM file is written: where it is wanted, and where there is one already, which must
    /// not be left behind.
    pub(crate) fn wants_pem(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(self.pem || file::stands(&self.pem(ca))?)
    }

    /// Whether the chain's file is there already, and must not be left behind.
    pub fn has_chain(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(file::stands(&self.chain(ca))?)
    }
}
