//! Why a CA can't be taken over, whatever is done about its records.

use crate::store::CaName;
use std::fmt;
use std::path::PathBuf;

/// Why an import was refused.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such folder.
    #[error("there is no folder {}", directory.display())]
    NoFolder {
        /// What was given as one.
        directory: PathBuf,
    },
    /// A file is in none of the places where it is usual.
    #[error("there is no {what} in {}: looked for {}", directory.display(), names(looked_for))]
    Missing {
        /// What was looked for.
        what: SourceFile,
        /// The folder.
        directory: PathBuf,
        /// The usual places.
        looked_for: Vec<PathBuf>,
    },
    /// Several files could be meant.
    #[error("there is more than one {what} in {}: {}", directory.display(), names(found))]
    Several {
        /// What was looked for.
        what: SourceFile,
        /// The folder.
        directory: PathBuf,
        /// What was found.
        found: Vec<PathBuf>,
    },
    /// The key is that of no certificate.
    #[error("the key {} is not the one that {} certifies", key.display(), certificate.display())]
    KeyDoesNotFit {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The certificate may not act as a CA.
    #[error("{} can't be taken over as a CA: {problem}", certificate.display())]
    NotACa {
        /// The certificate's file.
        certificate: PathBuf,
        /// Why.
        problem: &'static str,
    },
    /// Whether the certificate is that of a root can't be told.
    #[error("{} is signed with {algorithm}, which is not checked here", certificate.display())]
    SignatureNotChecked {
        /// The certificate's file.
        certificate: PathBuf,
        /// The algorithm.
        algorithm: String,
    },
    /// The store has the CA, with its key: two counters would number the same CA's certificates.
    #[error("the CA is in the store already: {ca} has the same key")]
    AlreadyHere {
        /// Its name.
        ca: CaName,
    },
    /// The store has the CA, without its key: it came there above another one.
    #[error("the CA is in the store already, without its key: {ca}")]
    HereWithoutKey {
        /// Its name.
        ca: CaName,
    },
    /// No number is left above those that were used.
    #[error("no {kind} is left above {highest}")]
    NumbersUsedUp {
        /// `serial number` or `list number`.
        kind: &'static str,
        /// The highest that is known.
        highest: String,
    },
}

/// File of another program's CA that has several usual names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFile {
    /// Certificate of the CA.
    Certificate,
    /// Key of the CA.
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
