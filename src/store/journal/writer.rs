//! Appending to a journal.

use super::chain::{Check, Lines, bodies_of, follows, is_header, last_of};
use super::ending::{Ending, push_append_start};
use crate::store::error::StoreError;
use crate::store::file::{self, Appending, Uncommitted};
use crate::store::record::Coverage;
use crate::store::{Notice, Operator, layout};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

const GROUP: usize = 2048;

/// Bytes of a long append that are synced before it goes on: whoever opens the journal looks for
/// zeros in what was not known to be durable.
const UNSYNCED: u64 = 8 * 1024 * 1024;

/// Journal that is appended to; its owner holds the CA's lock.
pub(in super::super) struct Writer {
    file: Appending,
    path: PathBuf,
    last: Vec<u8>,
    check: Check,
    operator: Operator,
}

impl Writer {
    /// Opens a journal, moves an unfinished last line aside, and reads the last whole one.
    pub(in super::super) fn open(path: &Path, operator: &Operator) -> Result<Self, StoreError> {
        let file = match Appending::open(path) {
            Err(error) if error.is_missing() => {
                return Err(StoreError::damaged(path, "is missing"));
            }
            other => other?,
        };
        let mut ending = Ending::of(file);
        let end = set_torn_tail_aside(&mut ending, path, operator)?;
        let last = ending.last_line(end)?.to_vec();
        let before = end - last.len() as u64 - 1;
        let previous = (before > 0).then(|| ending.last_line(before)).transpose()?;
        let check = follows(&last, previous).ok_or_else(|| {
            StoreError::damaged(
                path,
                "has a last line that does not follow from the line before it",
            )
        })?;
        Ok(Self {
            file: ending.file,
            path: path.to_owned(),
            last,
            check,
            operator: operator.clone(),
        })
    }

    /// Returns the last record; `None` if there is only the header.
    pub(in super::super) fn last<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        if is_header(&self.last) {
            return Ok(None);
        }
        let read = serde_json::from_slice(&self.last);
        read.map(Some).map_err(|error| {
            StoreError::damaged(
                &self.path,
                format!("has a last line that cannot be read: {error}"),
            )
        })
    }

    /// Returns the place behind the last record.
    pub(in super::super) fn end(&self) -> Result<Coverage, StoreError> {
        Ok(self.check.at(self.file.len()?))
    }

    /// Makes the journal durable, whoever wrote it.
    pub(in super::super) fn sync(&self) -> Result<(), StoreError> {
        Ok(self.file.sync()?)
    }

    /// Appends records, durably: when this returns they are there, and all that was there before. Of no
    /// records too, for a caller that answers that there is nothing to add.
    pub(in super::super) fn append<T: Serialize + Sync>(
        &mut self,
        records: impl IntoIterator<Item = T>,
    ) -> Result<(), StoreError> {
        let mut lines = Lines::after(self.check);
        let mut records = records.into_iter().peekable();
        if records.peek().is_none() {
            return self.sync();
        }
        let begin = self.file.len()?;
        let mut length = begin;
        while records.peek().is_some() {
            let start = length;
            let appended = self.file.append(|to| {
                while records.peek().is_some() && length - start < UNSYNCED {
                    let group: Vec<T> = records.by_ref().take(GROUP).collect();
                    lines.bytes.clear();
                    for mut body in bodies_of(&group) {
                        body.extend_from_slice(self.operator.stamp().as_bytes());
                        if length + lines.bytes.len() as u64 > start {
                            push_append_start(&mut body, start);
                        }
                        lines.push_body(&body);
                    }
                    to.write_all(&lines.bytes)?;
                    length += lines.bytes.len() as u64;
                }
                Ok(())
            });
            appended.map_err(|error| self.cut_back(begin, start, error))?;
        }
        self.check = lines.check;
        if let Some(bytes) = lines.bytes.strip_suffix(b"\n") {
            self.last = last_of(bytes).to_vec();
        }
        Ok(())
    }

    /// Undoes the parts of a long append that were synced before one that failed.
    fn cut_back(&self, begin: u64, start: u64, error: Uncommitted) -> Uncommitted {
        let is_kept =
            start > begin && error.in_place.is_none() && self.file.truncate(begin).is_err();
        Uncommitted {
            in_place: error.in_place.or(is_kept.then(|| self.path.clone())),
            source: error.source,
        }
    }
}

/// Moves everything behind the last whole line to `….torn`; returns that line's end.
fn set_torn_tail_aside(
    ending: &mut Ending,
    path: &Path,
    operator: &Operator,
) -> Result<u64, StoreError> {
    let length = ending.file.len()?;
    let end = ending.end_of_lines(path)?;
    if end < length {
        let file = &ending.file;
        let torn = file.read_before(length, length - end)?;
        let aside = layout::torn_lines(path);
        file::append_or_create(&aside, &[&torn[..], b"\n"].concat())?;
        file.truncate(end)?;
        operator.tell(&Notice::TornLine {
            path: path.into(),
            aside: aside.into(),
        });
    }
    Ok(end)
}
