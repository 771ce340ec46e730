//! Chain of checks over the lines of a journal.

use crate::store::record::Coverage;
use rayon::prelude::*;
use serde::Serialize;
use std::io::{self, Write};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// `,"check":"` + 32 digits + `"}`.
const CHECK_FIELD: &str = ",\"check\":\"";
const CHECK_DIGITS: usize = 32;
pub(super) const TAIL: usize = CHECK_FIELD.len() + CHECK_DIGITS + 2;

/// Bytes that are copied together to be hashed: hardly any revocation is longer, and hardly any line at all.
const SHORTEST: usize = 256;
const SHORT: usize = 1024;

/// Records from which on serializing them is worth the other cores, which may be making certificates.
const MANY: usize = 1024;

/// Value that binds a line to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check([u8; CHECK_DIGITS]);

impl Check {
    /// Value in front of the first line.
    pub(super) const START: Self = Self([b'0'; CHECK_DIGITS]);

    pub(super) fn after(self, body: &[u8]) -> Self {
        let length = CHECK_DIGITS + body.len();
        let hash = if length <= SHORTEST {
            self.hash_in_one_piece::<SHORTEST>(body)
        } else if length <= SHORT {
            self.hash_in_one_piece::<SHORT>(body)
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

    /// Takes half as long as in two pieces.
    fn hash_in_one_piece<const MOST: usize>(self, body: &[u8]) -> u128 {
        let mut whole = [0; MOST];
        let length = CHECK_DIGITS + body.len();
        whole[..CHECK_DIGITS].copy_from_slice(&self.0);
        whole[CHECK_DIGITS..length].copy_from_slice(body);
        xxh3_128(&whole[..length])
    }

    pub(super) fn of_line(line: &[u8]) -> Option<Self> {
        let tail = line.get(line.len().checked_sub(TAIL)?..)?;
        let digits = tail
            .strip_prefix(CHECK_FIELD.as_bytes())?
            .strip_suffix(b"\"}")?;
        Some(Self(digits.try_into().ok()?))
    }

    /// Place of which this is the check, so many bytes from the journal's beginning.
    pub(super) fn at(self, length: u64) -> Coverage {
        let check = String::from_utf8_lossy(&self.0).into_owned();
        Coverage { length, check }
    }

    pub(super) fn is_of(self, place: &Coverage) -> bool {
        self.0 == place.check.as_bytes()
    }
}

/// Check before the first line.
pub(in super::super) const CHECK_OF_NOTHING: &str = "00000000000000000000000000000000";

/// Returns the check of a record that is kept elsewhere than in a journal.
pub(in super::super) fn check_after(check: &str, record: &[u8]) -> String {
    let before = check.as_bytes().try_into().map_or(Check::START, Check);
    before.after(record).at(0).check
}

/// Returns the line's check if it is the one that follows from the previous line, or from nothing.
pub(super) fn follows(line: &[u8], previous: Option<&[u8]>) -> Option<Check> {
    let before = match previous {
        Some(previous) => Check::of_line(previous)?,
        None => Check::START,
    };
    let check = Check::of_line(line)?;
    (before.after(&line[..line.len() - TAIL]) == check).then_some(check)
}

#[derive(Serialize)]
struct Header<'a> {
    journal: &'a str,
    ca: &'a str,
}

pub(super) fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"{\"journal\":")
}

/// Returns the lines of a new journal: its header, and records that it starts with.
pub(in super::super) fn start<T: Serialize>(journal: &str, ca: &str, records: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_start(&mut bytes, journal, ca, records, "").expect("a Vec takes everything");
    bytes
}

/// Writes the lines of [`start`] one by one, so that many records are never held as text. Each record ends with
/// the stamp.
pub(in super::super) fn write_start<T: Serialize>(
    to: &mut impl Write,
    journal: &str,
    ca: &str,
    records: &[T],
    stamp: &str,
) -> io::Result<()> {
    let mut lines = Lines::after(Check::START);
    lines.push(&Header { journal, ca });
    for record in records {
        to.write_all(&lines.bytes)?;
        lines.bytes.clear();
        let mut body = body_of(record);
        body.extend_from_slice(stamp.as_bytes());
        lines.push_body(&body);
    }
    to.write_all(&lines.bytes)
}

/// New journal whose lines are written one by one.
pub(in super::super) struct NewJournal<W> {
    to: W,
    lines: Lines,
    length: u64,
}

impl<W: Write> NewJournal<W> {
    /// Writes the header.
    pub(in super::super) fn begin(to: W, journal: &str, ca: &str) -> io::Result<Self> {
        let mut new = Self {
            to,
            lines: Lines::after(Check::START),
            length: 0,
        };
        new.push(&body_of(&Header { journal, ca }))?;
        Ok(new)
    }

    /// Writes a line, of which everything up to the check is given.
    pub(in super::super) fn push(&mut self, body: &[u8]) -> io::Result<()> {
        self.lines.push_body(body);
        self.length += self.lines.bytes.len() as u64;
        self.to.write_all(&self.lines.bytes)?;
        self.lines.bytes.clear();
        Ok(())
    }

    /// Returns the place behind the last line.
    pub(in super::super) fn end(&self) -> Coverage {
        self.lines.check.at(self.length)
    }

    pub(in super::super) fn into_inner(self) -> W {
        self.to
    }
}

/// Returns the place behind the last of these lines, which are a whole journal.
pub(in super::super) fn end_of(lines: &[u8]) -> Coverage {
    let last = lines.strip_suffix(b"\n").map(last_of);
    let check = last.and_then(Check::of_line);
    let check = check.expect("a journal has a header, and its last line a check");
    check.at(lines.len() as u64)
}

/// Returns the last of several lines, which does not end in a newline.
pub(super) fn last_of(lines: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'\n', lines).map_or(0, |newline| newline + 1);
    &lines[start..]
}

/// Lines to append.
pub(super) struct Lines {
    pub(super) check: Check,
    pub(super) bytes: Vec<u8>,
}

impl Lines {
    pub(super) fn after(check: Check) -> Self {
        let bytes = Vec::new();
        Self { check, bytes }
    }

    pub(super) fn push(&mut self, record: &impl Serialize) {
        self.push_body(&body_of(record));
    }

    pub(super) fn push_body(&mut self, body: &[u8]) {
        self.check = self.check.after(body);
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(CHECK_FIELD.as_bytes());
        self.bytes.extend_from_slice(&self.check.0);
        self.bytes.extend_from_slice(b"\"}\n");
    }
}

/// Serializes a record as its line up to the check.
fn body_of(record: &impl Serialize) -> Vec<u8> {
    let mut body = serde_json::to_vec(record).expect("records are plain data");
    let closing = body.pop();
    debug_assert_eq!(closing, Some(b'}'));
    body
}

/// Serializes records as [`body_of`] does, many of them on all cores.
pub(super) fn bodies_of<T: Serialize + Sync>(records: &[T]) -> Vec<Vec<u8>> {
    if records.len() < MANY {
        records.iter().map(body_of).collect()
    } else {
        records.par_iter().map(body_of).collect()
    }
}
