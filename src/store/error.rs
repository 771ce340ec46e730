//! What can go wrong with the store.

use super::location::Location;
use super::name::CaName;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong with a file or directory, inside or outside the store.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} {}", path.display())]
pub struct FileError {
    /// What was being done, as in "create".
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The operating system's word for it.
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn of(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            operation,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Why files did not come to be, or not in a way that outlasts a power cut.
#[derive(Debug)]
pub struct Uncommitted {
    /// A file that is in its place all the same.
    pub in_place: Option<PathBuf>,
    /// What failed.
    pub source: FileError,
}

impl From<FileError> for Uncommitted {
    fn from(source: FileError) -> Self {
        Self {
            in_place: None,
            source,
        }
    }
}

/// What went wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something was appended to a journal that may stand there or may not.
    #[error("what was recorded in {path} could neither be made durable nor be taken back")]
    Undecided {
        /// The journal.
        path: Location,
        /// What failed.
        source: FileError,
    },
    /// There is no store.
    #[error("there is no store at {path}")]
    NoStore {
        /// Where it was looked for.
        path: Location,
    },
    /// The directory has other things in it than a store.
    #[error("{path} is not empty and is not a store")]
    NotAStore {
        /// The directory.
        path: Location,
    },
    /// A newer `pki` wrote the store.
    #[error("the store at {path} has format {found}; this program knows formats up to {known}")]
    Newer {
        /// The store.
        path: Location,
        /// The store's format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// What is only for a fixture store was wanted of another one.
    #[error("the store at {path} is not a fixture store")]
    NoFixtureStore {
        /// The store.
        path: Location,
    },
    /// A file of the store is not what `pki` left there.
    #[error("the store is damaged: {path} {problem}")]
    Damaged {
        /// The file.
        path: Location,
        /// What is wrong with it.
        problem: String,
    },
    /// The journal of revocations lacks some that a CRL covers.
    #[error("the store is damaged: {path} has lost revocations that CRL number {number} covers")]
    RevocationsLost {
        /// The journal.
        path: Location,
        /// The CRL's number.
        number: u128,
    },
    /// There is no CA of this name.
    #[error("there is no CA named {name} in the store")]
    NoSuchCa {
        /// The name.
        name: CaName,
        /// The names of the CAs that there are.
        known: Vec<CaName>,
    },
    /// There is a CA of this name already.
    #[error("there is a CA named {name} in the store already")]
    CaExists {
        /// The name.
        name: CaName,
    },
    /// The CA has a key and no certificate yet.
    #[error("{name} waits for its certificate")]
    CaPending {
        /// The name.
        name: CaName,
    },
    /// No CA of this name waits for a certificate.
    #[error("no CA named {name} waits for its certificate")]
    NotPending {
        /// The name.
        name: CaName,
        /// Whether there is a CA of this name, which has its certificate.
        is_there: bool,
    },
    /// Another process kept the lock for too long.
    #[error("another process has held {path} for {seconds} seconds")]
    Locked {
        /// The lock file.
        path: Location,
        /// How long was waited.
        seconds: u64,
    },
    /// A directory is to become a store, and has something in it.
    #[error("{path} is not empty")]
    NotEmpty {
        /// The directory.
        path: Location,
    },
    /// An archive is not a whole backup of a store.
    #[error("{} can't be restored: {}{problem}", path.display(), entry.as_ref().map_or(String::new(), |entry| format!("{entry} ")))]
    BadArchive {
        /// The archive.
        path: PathBuf,
        /// The entry of it that is meant.
        entry: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// The serial counter has reached the largest number that fits.
    #[error("{name} has used up its serial numbers")]
    SerialsUsedUp {
        /// The CA.
        name: CaName,
    },
    /// The numbers of CRLs have reached the largest that fits.
    #[error("{name} has used up the numbers of its lists")]
    CrlNumbersUsedUp {
        /// The CA.
        name: CaName,
    },
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
