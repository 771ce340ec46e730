//! Errors of making and reading trust stores. Nothing was changed.

use crate::ca::foreign::error::{InputError, called};
use crate::x509::path::IncompletePath;
use std::path::PathBuf;

/// Reasons why a trust store is not made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustStoreError {
    #[error("the bundle has no CA")]
    Empty,
    /// Not every path reaches its root.
    #[error("the bundle is incomplete")]
    Incomplete(#[from] IncompletePath),
    /// A file holds something else than CA certificates.
    #[error("{} can't be added to a bundle", called(path))]
    NotACa { path: PathBuf, source: InputError },
}
