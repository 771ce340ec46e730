//! Errors of publishing a repository. Nothing was changed.

use crate::store::CaName;
use std::path::PathBuf;

/// Reasons why a repository is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepositoryError {
    /// A CA whose key is in the store has signed no CRL that could be published.
    #[error("{ca} has no published CRL")]
    NoCrl { ca: CaName },
    /// Two files would have the same path, or one would be a directory of the other.
    #[error("two files would have the path {path}; {url} leads to one of them")]
    SamePath { path: String, url: String },
    #[error("the path of {url} cannot be a file: {problem}")]
    UnusablePath { url: String, problem: &'static str },
    /// Files in the directory that a repository does not have.
    #[error("{} has files that are not of a repository: {}", path.display(), files.join(", "))]
    Foreign {
        path: PathBuf,
        /// Some of them.
        files: Vec<String>,
    },
    #[error("{} is not a directory", path.display())]
    NotADirectory { path: PathBuf },
}
