//! Errors of imports, apart from findings about records.

use crate::store::CaName;
use std::fmt;
use std::path::PathBuf;

/// Error of an import.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// There is no such directory.
    #[error("directory {} not found", directory.display())]
    NoFolder { directory: PathBuf },
    /// A file is in none of the places where it is usual.
    #[error("{what} not found in {}; looked for {}", directory.display(), names(looked_for))]
    Missing {
        /// Kind of file.
        what: SourceFile,
        directory: PathBuf,
        /// Usual paths.
        looked_for: Vec<PathBuf>,
    },
    /// Several files could be meant.
    #[error("more than one {what} found in {}: {}", directory.display(), names(found))]
    Several {
        /// Kind of file.
        what: SourceFile,
        directory: PathBuf,
        found: Vec<PathBuf>,
    },
    /// The key is that of no certificate.
    #[error("the key {key} does not match the certificate {}", certificate.display())]
    KeyDoesNotFit {
        /// Path or URI of the key.
        key: String,
        certificate: PathBuf,
    },
    /// The certificate may not act as a CA.
    #[error("{} can't be imported as a CA: {problem}", certificate.display())]
    NotACa {
        certificate: PathBuf,
        problem: &'static str,
    },
    /// The signature cannot be verified, so the certificate may not be that of a root.
    #[error("{} is signed with {algorithm}, which is not supported", certificate.display())]
    SignatureNotChecked {
        certificate: PathBuf,
        algorithm: String,
    },
    /// The store has the CA, with its key: two counters would number the same CA's certificates.
    #[error("the CA is already in the store: {ca} has the same key")]
    AlreadyHere { ca: CaName },
    /// The store has the CA, without its key: it came there above another one.
    #[error("the CA is already in the store, without its key: {ca}")]
    HereWithoutKey { ca: CaName },
    /// No number is left above those that were used.
    #[error("no {kind} above {highest} is left")]
    NumbersUsedUp {
        /// `serial number` or `list number`.
        kind: &'static str,
        highest: String,
    },
}

/// File of another program's CA that has several usual names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceFile {
    Certificate,
    Key,
    /// Index of the certificates that it issued.
    Index,
}

impl fmt::Display for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "CA certificate",
            Self::Key => "CA key",
            Self::Index => "index of certificates",
        })
    }
}

fn names(paths: &[PathBuf]) -> impl fmt::Display {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}
