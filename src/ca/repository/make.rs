//! Whole repository: the files of the CAs, and those that describe them.

use crate::ca::error::CaError;
use crate::ca::repository::contents::{
    FileType, Repository, RepositoryFile, RepositoryRequest, gathered,
};
use crate::ca::repository::{PAGE, STATUS, SUMS, page, status};
use crate::store::Store;
use crate::x509::Fingerprint;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use time::OffsetDateTime;

/// Makes the repository of a store.
pub(crate) fn repository(
    store: &Store,
    request: &RepositoryRequest,
    now: OffsetDateTime,
) -> Result<Repository, CaError> {
    let mut repository = gathered(store, request, now)?;
    let status = status::to_json(&repository, now);
    repository.add(STATUS, FileType::Json, status, None, STATUS)?;
    let page = page::html(&repository, now);
    repository.add(PAGE, FileType::Page, page.into_bytes(), None, PAGE)?;
    let sums = sums(&repository.files);
    repository.add(SUMS, FileType::Text, sums.into_bytes(), None, SUMS)?;
    Ok(repository)
}

/// Returns the list that `sha256sum -c` reads.
fn sums(files: &BTreeMap<String, RepositoryFile>) -> String {
    let mut text = String::new();
    for (path, file) in files {
        let hash = Fingerprint::of(&file.content);
        writeln!(text, "{hash}  {path}").expect("a String takes everything");
    }
    text
}
