//! Errors of the store.

use super::database::BadUrl;
use super::location::Location;
use super::name::CaName;
use std::fmt;
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

/// Error of files that were not written, or not durably.
#[derive(Debug)]
pub(crate) struct Uncommitted {
    /// File that has its name in spite of the error.
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

/// Something else in the place of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    File,
    EasyRsa,
    Files,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::EasyRsa => "a directory of easy-rsa",
            Self::Files => "a directory with other files",
        })
    }
}

/// Error of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    /// Append to a journal that could be neither made durable nor undone.
    #[error("the new records in {path} could be neither made durable nor removed")]
    Undecided {
        path: Location,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("no store found at {path}")]
    NoStore { path: Location },
    #[error("{path} is not a store, but {found}")]
    NotAStore { path: Location, found: Found },
    #[error("the store at {path} has format {found}; this program supports formats up to {known}")]
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
    #[error("CA {name} not found in the store")]
    NoSuchCa { name: CaName, known: Vec<CaName> },
    #[error("CA {name} already exists in the store")]
    CaExists { name: CaName },
    #[error("CA {name} is pending: its certificate is not installed yet")]
    CaPending { name: CaName },
    /// The keys got another passphrase since the CA was opened.
    #[error("the keys of CA {name} got another passphrase at the same time")]
    KeysChanged { name: CaName },
    #[error("CA {name} was removed")]
    CaRemoved { name: CaName },
    #[error("CA {name} is not pending")]
    NotPending {
        name: CaName,
        /// Whether a CA of this name has its certificate.
        is_there: bool,
    },
    #[error("another process has held {path} for {seconds} seconds")]
    Locked { path: Location, seconds: u64 },
    /// Directory that should become a store.
    #[error("{path} is not empty")]
    NotEmpty { path: Location },
    #[error("backup {} cannot be restored: {}{problem}", path.display(), entry.as_ref().map_or(String::new(), |entry| format!("{entry} ")))]
    BadArchive {
        path: PathBuf,
        entry: Option<String>,
        problem: String,
    },
    #[error(transparent)]
    Address(#[from] BadUrl),
    #[error("could not connect to the database {path}")]
    Connection {
        path: Location,
        source: postgres::Error,
    },
    #[error("TLS for the database {path} cannot be set up")]
    Tls {
        path: Location,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Database whose settings break the promises of a store.
    #[error("the database {path} {problem}")]
    Unsuitable {
        path: Location,
        problem: &'static str,
    },
    /// Statement that changed nothing.
    #[error("the database {path} reports an error")]
    Database {
        path: Location,
        source: postgres::Error,
    },
    /// Operation that works on files.
    #[error("this is not supported for a store in a database: {path}")]
    NotInDatabase { path: Location },
    /// Decision that rests on what is not so any more.
    #[error("another process changed the store in the database {path} at the same time")]
    Overtaken { path: Location },
    #[error("another process has begun to sign {path}, since this took too long")]
    LeaseLost { path: Location },
    #[error("the system's random source failed")]
    Randomness,
    #[error("CA {name} has no serial numbers left")]
    SerialsUsedUp { name: CaName },
    #[error("CA {name} has no CRL numbers left")]
    CrlNumbersUsedUp { name: CaName },
}

impl From<Uncommitted> for StoreError {
    fn from(error: Uncommitted) -> Self {
        let Uncommitted { in_place, source } = error;
        match in_place {
            Some(path) => Self::Undecided {
                path: path.into(),
                source: Box::new(source),
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
