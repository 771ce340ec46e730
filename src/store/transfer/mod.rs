//! Stores carried from one place to another: out of a database into a directory, and back.
//!
//! A backup has the files of a directory. So a database is first copied into a temporary directory, which is backed
//! up; and a backup is restored into one, which is then copied into a database, in one transaction.

mod into;
mod out;

use super::error::StoreError;
use super::file::StagedDirectory;
use super::{Operator, Store};
use crate::x509::validity::rfc3339;
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Copy of a store in a temporary directory, which is removed when this is dropped.
pub(crate) struct LocalCopy {
    store: Store,
    _directory: StagedDirectory,
}

impl LocalCopy {
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

/// Returns the stamp of a record as it was written.
fn stamp(at: Option<OffsetDateTime>, by: Option<&str>) -> String {
    let at = at.map_or(String::new(), |at| {
        let text = at.format(&Rfc3339).unwrap_or_else(|_| rfc3339(at));
        format!(",\"at\":\"{text}\"")
    });
    let by = by.map_or(String::new(), |by| {
        format!(",\"by\":{}", serde_json::Value::from(by))
    });
    at + &by
}

impl Store {
    /// Copies a store in a database to a temporary directory beside `place`; `None` if it is in a directory anyway.
    pub(crate) fn local_copy(
        &self,
        place: &Path,
        operator: Operator,
    ) -> Result<Option<LocalCopy>, StoreError> {
        let Some(session) = self.session() else {
            return Ok(None);
        };
        let directory = StagedDirectory::new(place)?;
        session.begin_snapshot()?;
        let copied = out::copy(session, directory.hidden());
        session.roll_back();
        copied?;
        Ok(Some(LocalCopy {
            store: Self::open(&directory.hidden().into(), operator)?,
            _directory: directory,
        }))
    }
}
