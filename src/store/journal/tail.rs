//! Reading a journal from its end, without a lock.

use super::chain::{Check, follows, is_header, start};
use super::ending::Ending;
use crate::store::error::StoreError;
use crate::store::file::Appending;
use crate::store::record::Coverage;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::path::Path;

/// Whole lines of a journal as they were when it was opened.
struct Tail<'a> {
    path: &'a Path,
    ending: Ending,
    end: u64,
}

impl<'a> Tail<'a> {
    fn open(path: &'a Path) -> Result<Self, StoreError> {
        let mut ending = Ending::of(Appending::open_to_read(path)?);
        let end = ending.end_of_lines(path)?;
        Ok(Self { path, ending, end })
    }

    fn last(&mut self) -> Result<&[u8], StoreError> {
        Ok(self.ending.last_line(self.end)?)
    }
}

/// Returns whether a journal has more than its header.
pub(in super::super) fn has_records(path: &Path) -> Result<bool, StoreError> {
    Ok(!is_header(Tail::open(path)?.last()?))
}

/// Returns the end of a journal's last whole line.
pub(in super::super) fn end(path: &Path) -> Result<Coverage, StoreError> {
    let mut tail = Tail::open(path)?;
    let check = Check::of_line(tail.last()?)
        .ok_or_else(|| StoreError::damaged(path, "has a last line that is not a whole record"))?;
    Ok(check.at(tail.end))
}

/// Reads records from the last whole line on backwards, for as long as `goes_on` says so of each.
pub(in super::super) fn backwards<T: DeserializeOwned>(
    path: &Path,
    goes_on: impl Fn(&T) -> bool,
) -> Result<Vec<T>, StoreError> {
    let mut tail = Tail::open(path)?;
    let mut records = Vec::new();
    let mut line = tail.last()?.to_vec();
    while !is_header(&line) {
        tail.end -= line.len() as u64 + 1;
        if tail.end == 0 {
            return Err(StoreError::damaged(
                path,
                "does not start with a journal's header",
            ));
        }
        let previous = tail.last()?.to_vec();
        let read = follows(&line, Some(&previous)).and_then(|_| serde_json::from_slice(&line).ok());
        let record: T = read.ok_or_else(|| {
            let begin = tail.end;
            StoreError::damaged(
                tail.path,
                format!("has a bad line that begins at byte {begin}"),
            )
        })?;
        let stops = !goes_on(&record);
        records.push(record);
        if stops {
            break;
        }
        line = previous;
    }
    Ok(records)
}

/// Returns whether a journal still has what it had when the place was noted.
pub(in super::super) fn still_covers(path: &Path, place: &Coverage) -> Result<bool, StoreError> {
    let file = Appending::open_to_read(path)?;
    if place.length == 0 || place.length > file.len()? {
        return Ok(false);
    }
    let mut ending = Ending::of(file);
    let line = ending.last_line(place.length)?;
    Ok(Check::of_line(line).is_some_and(|check| check.is_of(place)))
}

/// Opens a journal to read it; returns also the end of its last whole line.
pub(in super::super) fn open_whole(path: &Path) -> Result<(File, u64), StoreError> {
    let file = match Appending::open_to_read(path) {
        Err(error) if error.is_missing() => return Err(StoreError::damaged(path, "is missing")),
        other => other?,
    };
    let mut ending = Ending::of(file);
    let end = ending.whole_length()?;
    Ok((ending.file.into_file(), end))
}

/// Refuses a journal whose first line does not say that it is this journal of this CA.
pub(in super::super) fn check_header(
    path: &Path,
    journal: &str,
    ca: &str,
) -> Result<(), StoreError> {
    let header = start::<()>(journal, ca, &[]);
    let length = header.len() as u64;
    let file = Appending::open_to_read(path)?;
    if file.len()? >= length && file.read_before(length, length)? == header {
        return Ok(());
    }
    let problem = format!("does not begin with the header of journal {journal:?} of {ca}");
    Err(StoreError::damaged(path, problem))
}

/// Returns the number of bytes behind the last whole line, which were never acknowledged.
pub(in super::super) fn torn_bytes(path: &Path) -> Result<u64, StoreError> {
    let file = Appending::open_to_read(path)?;
    let length = file.len()?;
    Ok(length.saturating_sub(Ending::of(file).end_of_lines(path)?))
}
