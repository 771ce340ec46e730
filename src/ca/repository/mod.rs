//! Repository of what relying parties fetch: CRLs, CA certificates and a trust store, as static files, with a page for
//! people.

mod address;
mod check;
mod contents;
pub(crate) mod error;
mod make;
mod page;
mod status;
mod tree;

pub(crate) use address::url_path;
pub(crate) use check::{FetchError, Fetched, check_repository};
pub(crate) use contents::{FileType, Repository, RepositoryFile, RepositoryRequest};
pub(crate) use make::repository;
pub(crate) use tree::{Replacement, write_repository};

/// List of the files with their SHA-256, which says what of a directory is a repository's.
const SUMS: &str = "SHA256SUMS";

const PAGE: &str = "index.html";

const STATUS: &str = "status.json";
