//! Reading of files as commands do it, from bytes and without a command line, for tests with hostile input.

use super::failure::Failure;
use super::issue::rows::{COLUMNS, CertificateRow, Defaults};
use super::table::TableFile;
use super::{apply, revoke, show};
use crate::ca::{CaError, Declaration, Input, LeafRequest, RowVerdict, TableRow};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use time::OffsetDateTime;

/// Why a file, or a row of one, is refused: what the command writes to standard error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure.said())
    }
}

/// Output of `pki show FILE`.
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) json: Value,
}

fn input(path: &Path, content: &[u8]) -> Result<Input, Refused> {
    let input = Input::from_reader(path, content);
    Ok(input.map_err(|error: CaError| Failure::from(error))?)
}

/// Report of `pki show FILE`.
pub(crate) fn shown(path: &Path, content: &[u8]) -> Result<Shown, Refused> {
    let report = show::what_is_in(&input(path, content)?)?;
    let (text, json) = report.document().expect("what is shown is held");
    Ok(Shown { text, json })
}

/// The rows that `pki issue --from FILE` reads. The requests that they name are read too.
pub(crate) fn certificate_rows(
    path: &Path,
    content: &[u8],
) -> Result<Vec<Result<LeafRequest, Refused>>, Refused> {
    let table = TableFile::of(path, content)?;
    let defaults = Arc::new(Defaults::default());
    let rows = table.rows(COLUMNS)?;
    let rows = rows.map(|row| Ok(CertificateRow::new(row, &defaults).request()?));
    Ok(rows.collect())
}

/// The rows that `pki revoke --from FILE` reads.
pub(crate) fn revocation_rows(
    path: &Path,
    content: &[u8],
    now: OffsetDateTime,
) -> Result<Vec<Result<RowVerdict, Refused>>, Refused> {
    let table = TableFile::of(path, content)?;
    let rows = revoke::rows::rows(&table, now)?;
    let verdicts = rows.map(|(_, verdict)| Ok(verdict.map_err(Failure::from)?));
    Ok(verdicts.collect())
}

/// Reads a declaration as `pki apply FILE` does without a store; the CSRs that it names are read too.
pub(crate) fn declaration(
    path: &Path,
    content: &[u8],
    now: OffsetDateTime,
) -> Result<Declaration, Refused> {
    let declared = apply::declared(&input(path, content)?, None, &Path::new("pki").into(), now);
    Ok(declared?)
}
