//! Where lists are published.

use super::super::error::CaError;
use crate::store::file::{Access, Output};
use crate::store::{Ca, FileError, file};
use std::path::{Path, PathBuf};

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

impl Place {
    /// Returns who may read and write the files: in the store, only its owner writes.
    pub(super) fn access(&self, ca: &Ca) -> Access {
        if ca.has_beside(&self.directory) {
            Access::Store
        } else {
            Access::Umask
        }
    }

    /// Returns the file that takes the place of a path of this directory: outside of the store, symbolic links
    /// are followed.
    pub(super) fn file_at(&self, ca: &Ca, path: &Path) -> Result<PathBuf, FileError> {
        match self.access(ca) {
            Access::Umask => Output::file_at(path),
            Access::Owner | Access::Store => Ok(path.to_owned()),
        }
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
    pub(super) fn wants_pem(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(self.pem || file::stands(&self.pem(ca))?)
    }

    /// Whether the chain's file is there already, and must not be left behind.
    pub fn has_chain(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(file::stands(&self.chain(ca))?)
    }
}
