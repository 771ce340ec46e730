//! Places in a store, as messages name them.

use std::fmt;
use std::path::{Path, PathBuf};

/// Place in a store: it can be shown and compared, and only the store opens it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Location(PathBuf);

impl Location {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        Self(path.clone())
    }
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}
