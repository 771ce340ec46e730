//! Places of stores: a directory, or a database.

use super::database::{Database, DatabaseUrl};
use std::fmt;
use std::path::{Path, PathBuf};

/// Place of a store.
#[derive(Clone)]
pub(crate) enum Address {
    Directory(PathBuf),
    Database(Database),
}

impl Address {
    /// Returns the directory of the store, if it is in a directory.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Database(_) => None,
        }
    }
}

impl From<DatabaseUrl> for Address {
    fn from(url: DatabaseUrl) -> Self {
        Self::Database(url.into())
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Directory(path.to_owned())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Database(url) => url.fmt(f),
        }
    }
}
