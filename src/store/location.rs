//! Places in a store, as messages name them.

use std::fmt;
use std::path::{Path, PathBuf};

/// Place in a store: it can be shown and compared, and only the store opens it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Location(Inner);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Inner {
    File(PathBuf),
    /// In a database.
    Rows(String),
}

impl Location {
    /// Returns something in a database, or the database itself.
    pub(super) fn in_database(url: &str, what: &str) -> Self {
        Self(Inner::Rows(if what.is_empty() {
            url.to_owned()
        } else {
            format!("{what} in {url}")
        }))
    }

    /// Returns the place of a key, with the word: in a database the place has it already.
    pub(crate) fn of_key(&self) -> String {
        match &self.0 {
            Inner::File(path) => format!("key {}", path.display()),
            Inner::Rows(what) => what.trim_start_matches("the ").to_owned(),
        }
    }

    /// Returns the path of a file; `None` of what is in a database.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Inner::File(path) => Some(path),
            Inner::Rows(_) => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::File(path) => path.display().fmt(f),
            Inner::Rows(what) => f.write_str(what),
        }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self(Inner::File(path))
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        path.clone().into()
    }
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}
