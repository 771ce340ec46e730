//! Errors of the store.

use super::location::Location;
use super::name::CaName;
use std::io;
use std::path::{Path, PathBuf};

/// Error of a file or directory, inside or outside the store.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} {}", path.display())]
pub(crate) struct FileError {
    /// Verb, as in "create".
    pub(crate) operation: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl FileError {
    pub(crate) fn of(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            operation,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Error of files that did not come to be, or not in a way that outlasts a power cut.
#[derive(Debug)]
pub(crate) struct Uncommitted {
    /// File that is in its place all the same.
    pub(crate) in_place: Option<PathBuf>,
    pub(crate) source: FileError,
}

impl From<FileError> for Uncommitted {
    fn from(source: FileError) -> Self {
        Self {
            in_place: None,
            source,
        }
    }
}

/// Error of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    /// Append to a journal that could neither be made durable nor be undone.
    #[error("what was recorded in {path} could neither be made durable nor be taken back")]
    Undecided { path: Location, source: FileError },
    #[error("there is no store at {path}")]
    NoStore { path: Location },
    #[error("{path} is not empty and is not a store")]
    NotAStore { path: Location },
    #[error("the store at {path} has format {found}; this program knows formats up to {known}")]
    Newer {
        path: Location,
        found: u32,
        known: u32,
    },
    #[error("the store at {path} is not a fixture store")]
    NoFixtureStore { path: Location },
    #[error("the store is damaged: {path} {problem}")]
    Damaged { path: Location, problem: String },
    #[error("the store is damaged: {path} has lost revocations that CRL number {number} covers")]
    RevocationsLost { path: Location, number: u128 },
    #[error("there is no CA named {name} in the store")]
    NoSuchCa { name: CaName, known: Vec<CaName> },
    #[error("there is a CA named {name} in the store already")]
    CaExists { name: CaName },
    #[error("{name} waits for its certificate")]
    CaPending { name: CaName },
    #[error("no CA named {name} waits for its certificate")]
    NotPending {
        name: CaName,
        /// Whether a CA of this name has its certificate.
        is_there: bool,
    },
    #[error("another process has held {path} for {seconds} seconds")]
    Locked { path: Location, seconds: u64 },
    /// Directory that is to become a store.
    #[error("{path} is not empty")]
    NotEmpty { path: Location },
    #[error("{} can't be restored: {}{problem}", path.display(), entry.as_ref().map_or(String::new(), |entry| format!("{entry} ")))]
    BadArchive {
        path: PathBuf,
        entry: Option<String>,
        problem: String,
    },
    #[error("{name} has used up its serial numbers")]
    SerialsUsedUp { name: CaName },
    #[error("{name} has used up the numbers of its lists")]
    CrlNumbersUsedUp { name: CaName },
}

impl From<Uncommitted> for StoreError {
    fn from(error: Uncommitted) -> Self {
        let Uncommitted { in_place, source } = error;
        match in_place {
            Some(path) => Self::Undecided {
                path: path.into(),
                source,
            },
            None => source.into(),
        }
    }
}

impl StoreError {
    pub(crate) fn damaged(path: impl Into<Location>, problem: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.into(),
            problem: problem.into(),
        }
    }
}
