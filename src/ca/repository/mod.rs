//! Repository for relying parties: CRLs, CA certificates and a trust store as static files, with a page for people.

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

/// SHA-256 of each file. It tells the files of a repository from others in its directory.
const SUMS: &str = "SHA256SUMS";

const PAGE: &str = "index.html";

const STATUS: &str = "status.json";
