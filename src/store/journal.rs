//! Journals: one JSON object a line, only ever appended to.
//!
//! The last field of every line is `check`: the 128-bit XXH3 hash of the previous line's
//! check and this line. A line that is changed, dropped or moved breaks the chain: the record behind
//! it does not follow, and whoever reads that record is told. The first line names the journal, so
//! that an empty file is never taken for a new one.
//!
//! An append that is not whole was never acknowledged: a reader passes over what is behind the last
//! whole line, the next writer moves it to a file beside the journal; see [`ending`].

mod ending;
mod scan;
mod search;
mod survey;

pub(super) use scan::{scan, scan_lines};
pub(super) use search::Reader;
pub(super) use survey::{Expected, survey, torn_bytes};
pub use survey::{LineProblem, SurveyedLine};

use super::error::{FileError, StoreError};
use super::file::{self, Appending, Uncommitted};
use super::layout;
use super::record::Coverage;
use super::{Notice, Observer};
use ending::{end_of_lines, push_append_start, whole_length};
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// `,"check":"` + 32 digits + `"}`.
const CHECK_FIELD: &str = ",\"check\":\"";
const CHECK_DIGITS: usize = 32;
const TAIL: usize = CHECK_FIELD.len() + CHECK_DIGITS + 2;

/// Bytes that are copied together to be hashed: hardly any line is longer.
const SHORT: usize = 1024;

/// Bytes of a line over which a journal is damaged: the largest certificates make lines of some MiB.
const MOST_OF_LINE: usize = 64 << 20;

/// Problem of a journal that has such a line.
const TOO_LONG: &str = "has a line of more than 64 MiB";

/// Bytes read at a time when the last line is looked for.
const WINDOW: u64 = 16 * 1024;

/// Records that are written at a time.
const GROUP: usize = 2048;
/// Bytes of a long append that are synced before it goes on: whoever opens the journal looks for
/// zeros in what was not known to be durable.
const UNSYNCED: u64 = 8 * 1024 * 1024;
/// So many at a time are worth the other cores, which may be making certificates.
const MANY: usize = 1024;

/// The value that binds a line to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check([u8; CHECK_DIGITS]);

impl Check {
    /// In front of the first line.
    const START: Self = Self([b'0'; CHECK_DIGITS]);

    fn after(self, body: &[u8]) -> Self {
        let mut whole = [0; SHORT];
        let length = CHECK_DIGITS + body.len();
        let hash = if length <= SHORT {
            // In one piece it takes half as long.
            whole[..CHECK_DIGITS].copy_from_slice(&self.0);
            whole[CHECK_DIGITS..length].copy_from_slice(body);
            xxh3_128(&whole[..length])
        } else {
            let mut hash = Xxh3Default::new();
            hash.update(&self.0);
            hash.update(body);
            hash.digest128()
        };
        let hash = hash.to_be_bytes();
        let mut digits = [0; CHECK_DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        Self(digits)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let tail = line.get(line.len().checked_sub(TAIL)?..)?;
        let digits = tail
            .strip_prefix(CHECK_FIELD.as_bytes())?
            .strip_suffix(b"\"}")?;
        Some(Self(digits.try_into().ok()?))
    }
}

#[derive(Serialize)]
struct Header<'a> {
    journal: &'a str,
    ca: &'a str,
}

/// The lines of a new journal: its header, and records that it starts with.
pub(super) fn start<T: Serialize>(journal: &str, ca: &str, records: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_start(&mut bytes, journal, ca, records).expect("a Vec takes everything");
    bytes
}

/// Writes what [`start`] gives line by line, so that many records are never held as text.
pub(super) fn write_start<T: Serialize>(
    to: &mut impl Write,
    journal: &str,
    ca: &str,
    records: &[T],
) -> io::Result<()> {
    let mut lines = Lines {
        check: Check::START,
        bytes: Vec::new(),
    };
    lines.push(&Header { journal, ca });
    for record in records {
        to.write_all(&lines.bytes)?;
        lines.bytes.clear();
        lines.push(record);
    }
    to.write_all(&lines.bytes)
}

/// The place behind the last of these lines, which are a whole journal.
pub(super) fn end_of(lines: &[u8]) -> Coverage {
    let last = lines.strip_suffix(b"\n").and_then(|lines| {
        let start = memchr::memrchr(b'\n', lines).map_or(0, |newline| newline + 1);
        Check::of_line(&lines[start..])
    });
    let Check(check) = last.expect("a journal has a header, and its last line a check");
    Coverage {
        length: lines.len() as u64,
        check: String::from_utf8_lossy(&check).into_owned(),
    }
}

/// Lines in the making.
struct Lines {
    check: Check,
    bytes: Vec<u8>,
}

impl Lines {
    fn push(&mut self, record: &impl Serialize) {
        self.push_body(&body_of(record));
    }

    fn push_body(&mut self, body: &[u8]) {
        self.check = self.check.after(body);
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(CHECK_FIELD.as_bytes());
        self.bytes.extend_from_slice(&self.check.0);
        self.bytes.extend_from_slice(b"\"}\n");
    }
}

/// A record's line up to its check.
fn body_of(record: &impl Serialize) -> Vec<u8> {
    let mut body = serde_json::to_vec(record).expect("records are plain data");
    let closing = body.pop();
    debug_assert_eq!(closing, Some(b'}'));
    body
}

/// As [`body_of`], on all cores where there are many.
fn bodies_of<T: Serialize + Sync>(records: &[T]) -> Vec<Vec<u8>> {
    if records.len() < MANY {
        records.iter().map(body_of).collect()
    } else {
        records.par_iter().map(body_of).collect()
    }
}

/// A journal that is appended to; its owner holds the CA's lock.
pub(super) struct Writer {
    file: Appending,
    path: PathBuf,
    last: Vec<u8>,
    check: Check,
}

impl Writer {
    /// Opens a journal, moves an unfinished last line aside, and reads the last whole one.
    pub(super) fn open(path: &Path, observer: &Observer) -> Result<Self, StoreError> {
        let file = match Appending::open(path) {
            Err(error) if error.is_missing() => {
                return Err(StoreError::damaged(path, "is missing"));
            }
            other => other?,
        };
        let end = set_torn_tail_aside(&file, path, observer)?;
        let last = last_line(&file, end)?;
        let before = end - last.len() as u64 - 1;
        let previous = if before == 0 {
            Vec::new()
        } else {
            last_line(&file, before)?
        };
        let check = follows(&last, &previous).ok_or_else(|| {
            StoreError::damaged(
                path,
                "has a last line that does not follow from the one before",
            )
        })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            last,
            check,
        })
    }

    /// The last record; `None` where there is only the header.
    pub(super) fn last<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        if is_header(&self.last) {
            return Ok(None);
        }
        serde_json::from_slice(&self.last)
            .map(Some)
            .map_err(|error| {
                StoreError::damaged(
                    &self.path,
                    format!("has a last line that can't be read: {error}"),
                )
            })
    }

    /// The place behind the last record.
    pub(super) fn end(&self) -> Result<Coverage, StoreError> {
        coverage(&self.last, self.file.len()?, &self.path)
    }

    /// Makes what the journal holds durable, whoever wrote it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        Ok(self.file.sync()?)
    }

    /// Appends records, durably: when this returns they are there, and all that was there before. Of no
    /// records too, for whoever answers that there is nothing to add.
    pub(super) fn append<T: Serialize + Sync>(
        &mut self,
        records: impl IntoIterator<Item = T>,
    ) -> Result<(), StoreError> {
        let mut lines = Lines {
            check: self.check,
            bytes: Vec::new(),
        };
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
            appended.map_err(|error| self.taken_back(begin, start, error))?;
        }
        self.check = lines.check;
        if let Some(last) = lines.bytes.strip_suffix(b"\n") {
            let start = memchr::memrchr(b'\n', last).map_or(0, |newline| newline + 1);
            self.last = last[start..].to_vec();
        }
        Ok(())
    }

    /// Undoes the parts of a long append that were synced before one that failed.
    fn taken_back(&self, begin: u64, start: u64, error: Uncommitted) -> Uncommitted {
        let is_kept =
            start > begin && error.in_place.is_none() && self.file.truncate(begin).is_err();
        Uncommitted {
            in_place: error.in_place.or(is_kept.then(|| self.path.clone())),
            source: error.source,
        }
    }
}

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"{\"journal\":")
}

/// The line's check, if it is the one that follows from the previous line; nothing precedes the first.
fn follows(line: &[u8], previous: &[u8]) -> Option<Check> {
    let before = if previous.is_empty() {
        Check::START
    } else {
        Check::of_line(previous)?
    };
    let check = Check::of_line(line)?;
    (before.after(&line[..line.len() - TAIL]) == check).then_some(check)
}

/// Whether a journal has more than its header.
pub(super) fn has_records(path: &Path) -> Result<bool, StoreError> {
    let file = Appending::open_to_read(path)?;
    let end = end_of_lines(&file, path)?;
    Ok(!is_header(&last_line(&file, end)?))
}

/// The end of a journal's last whole line, without a lock.
pub(super) fn end(path: &Path) -> Result<Coverage, StoreError> {
    let file = Appending::open_to_read(path)?;
    let end = end_of_lines(&file, path)?;
    coverage(&last_line(&file, end)?, end, path)
}

/// Reads records from the last whole line on backwards, for as long as `goes_on` says so of each.
pub(super) fn backwards<T: DeserializeOwned>(
    path: &Path,
    goes_on: impl Fn(&T) -> bool,
) -> Result<Vec<T>, StoreError> {
    let file = Appending::open_to_read(path)?;
    let mut records = Vec::new();
    let mut end = end_of_lines(&file, path)?;
    let mut line = last_line(&file, end)?;
    while !is_header(&line) {
        end -= line.len() as u64 + 1;
        if end == 0 {
            return Err(StoreError::damaged(
                path,
                "does not start with a journal's header",
            ));
        }
        let previous = last_line(&file, end)?;
        let read = follows(&line, &previous).and_then(|_| serde_json::from_slice(&line).ok());
        let record: T = read.ok_or_else(|| {
            StoreError::damaged(path, format!("has a bad line that begins at octet {end}"))
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

/// Whether a journal still has what it had when the place was noted.
pub(super) fn still_covers(path: &Path, place: &Coverage) -> Result<bool, StoreError> {
    let file = Appending::open_to_read(path)?;
    if place.length == 0 || place.length > file.len()? {
        return Ok(false);
    }
    let line = last_line(&file, place.length)?;
    Ok(Check::of_line(&line).is_some_and(|check| check.0 == place.check.as_bytes()))
}

fn coverage(line: &[u8], end: u64, path: &Path) -> Result<Coverage, StoreError> {
    let check = Check::of_line(line)
        .ok_or_else(|| StoreError::damaged(path, "has a last line that is not a whole record"))?;
    let check = std::str::from_utf8(&check.0).unwrap_or_default().to_owned();
    Ok(Coverage { length: end, check })
}

/// A journal that is open to be read, and where its last whole line ends.
pub(super) fn open_whole(path: &Path) -> Result<(File, u64), StoreError> {
    let file = match Appending::open_to_read(path) {
        Err(error) if error.is_missing() => return Err(StoreError::damaged(path, "is missing")),
        other => other?,
    };
    let end = whole_length(&file)?;
    Ok((file.into_file(), end))
}

/// Whether the first line says that it is this journal of this CA.
pub(super) fn check_header(path: &Path, journal: &str, ca: &str) -> Result<(), StoreError> {
    let header = start::<()>(journal, ca, &[]);
    let length = header.len() as u64;
    let file = Appending::open_to_read(path)?;
    if file.len()? >= length && file.read_before(length, length)? == header {
        return Ok(());
    }
    let problem = format!("does not begin as the journal {journal:?} of {ca} does");
    Err(StoreError::damaged(path, problem))
}

/// Where the last whole line ends, after everything behind it was moved to `….torn`.
fn set_torn_tail_aside(
    file: &Appending,
    path: &Path,
    observer: &Observer,
) -> Result<u64, StoreError> {
    let length = file.len()?;
    let end = end_of_lines(file, path)?;
    if end < length {
        let torn = file.read_before(length, length - end)?;
        let aside = layout::torn_lines(path);
        file::append_or_create(&aside, &[&torn[..], b"\n"].concat())?;
        file.truncate(end)?;
        observer(&Notice::TornLine {
            path: path.to_owned(),
            aside,
        });
    }
    Ok(end)
}

/// The line that ends, with its newline, at `end`.
fn last_line(file: &Appending, end: u64) -> Result<Vec<u8>, FileError> {
    let mut length = WINDOW;
    loop {
        let mut window = file.read_before(end, length)?;
        window.pop();
        if let Some(newline) = memchr::memrchr(b'\n', &window) {
            return Ok(window.split_off(newline + 1));
        }
        if window.len() as u64 + 1 == end {
            return Ok(window);
        }
        length *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::sync::Arc;

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    pub(super) struct Record {
        serial: String,
    }

    pub(super) fn record(serial: &str) -> Record {
        Record {
            serial: serial.into(),
        }
    }

    pub(super) fn journal() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        std::fs::write(&path, start("issued", "ca", &[record("01")])).unwrap();
        (directory, path)
    }

    pub(super) fn writer(path: &Path) -> Result<Writer, StoreError> {
        let observer: Observer = Arc::new(|_| {});
        Writer::open(path, &observer)
    }

    pub(super) fn all(path: &Path) -> Vec<Record> {
        let mut reader = Reader::open(path).unwrap();
        std::iter::from_fn(|| reader.next_with(b"").unwrap()).collect()
    }

    #[test]
    fn what_is_appended_reads_back_and_continues_the_chain() {
        let (_directory, path) = journal();
        writer(&path)
            .unwrap()
            .append(&[record("02"), record("03")])
            .unwrap();
        let mut again = writer(&path).unwrap();
        assert_eq!(again.last::<Record>().unwrap(), Some(record("03")));
        again.append(&[record("04")]).unwrap();
        assert_eq!(all(&path), ["01", "02", "03", "04"].map(record));
        let text = std::fs::read(&path).unwrap();
        let mut check = Check::START;
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            check = check.after(&line[..line.len() - TAIL]);
            assert_eq!(Check::of_line(line), Some(check));
        }
    }

    #[test]
    fn a_torn_last_line_is_set_aside() {
        let (_directory, path) = journal();
        file::append_or_create(&path, b"{\"serial\":\"02").unwrap();
        assert_eq!(all(&path), [record("01")]);
        let mut healed = writer(&path).unwrap();
        healed.append(&[record("03")]).unwrap();
        assert_eq!(all(&path), ["01", "03"].map(record));
        let aside = std::fs::read(path.with_extension("jsonl.torn")).unwrap();
        assert_eq!(aside, b"{\"serial\":\"02\n");
    }

    #[test]
    fn a_line_that_was_changed_or_dropped_is_found() {
        let (_directory, path) = journal();
        writer(&path)
            .unwrap()
            .append(["02", "03", "04"].map(record))
            .unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        let third = format!("{}\n", whole.lines().nth(3).unwrap());
        for damaged in [whole.replace("\"03\"", "\"05\""), whole.replace(&third, "")] {
            std::fs::write(&path, damaged).unwrap();
            let mut reader = Reader::open(&path).unwrap();
            let outcome: Result<Vec<Record>, _> =
                std::iter::from_fn(|| reader.next_with(b"").transpose()).collect();
            assert!(matches!(outcome, Err(StoreError::Damaged { .. })));
        }
        std::fs::write(&path, whole.replace("\"04\"", "\"05\"")).unwrap();
        assert!(matches!(writer(&path), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn a_journal_without_its_header_is_damage_to_who_reads_it_backwards() {
        let (_directory, path) = journal();
        for lines in ["{}\n", "{\"serial\":\"01\"}\n{\"serial\":\"02\"}\n", "\n\n"] {
            std::fs::write(&path, lines).unwrap();
            let read = backwards(&path, |_: &Record| true);
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "{lines:?}");
        }
        let mut headless = Lines {
            check: Check::START,
            bytes: Vec::new(),
        };
        headless.push(&record("01"));
        headless.push(&record("02"));
        std::fs::write(&path, &headless.bytes).unwrap();
        let read = backwards(&path, |_: &Record| true);
        assert!(matches!(read, Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn an_empty_or_missing_journal_is_damage() {
        let (_directory, path) = journal();
        std::fs::write(&path, "").unwrap();
        assert!(matches!(writer(&path), Err(StoreError::Damaged { .. })));
        assert!(matches!(
            Reader::open(&path),
            Err(StoreError::Damaged { .. })
        ));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(writer(&path), Err(StoreError::Damaged { .. })));
    }
}
