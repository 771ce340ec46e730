//! The end of what a journal holds.
//!
//! A power cut may leave zeros in the middle of an append that was not synced, with whole lines behind
//! them: some file systems make a file longer before all of its new pages are written. A line of an
//! append of several says where that append began. Everything before that place was synced, so that
//! zeros behind it are a torn tail, and zeros before it are damage.

use super::chain::{Check, TAIL};
use crate::store::error::{FileError, StoreError};
use crate::store::file::Appending;
use memchr::{memchr, memrchr};
use std::io::ErrorKind;
use std::path::Path;

/// Bytes of a line over which a journal is damaged: the largest certificates make lines of some MiB.
pub(super) const MOST_OF_LINE: usize = 64 << 20;

/// Problem of a journal that has such a line.
pub(super) const TOO_LONG: &str = "has a line of more than 64 MiB";

/// Bytes read at a time when the last newline is looked for: the last two lines of most journals.
const WINDOW: u64 = 4 * 1024;
/// Bytes read at a time when zeros are looked for.
const CHUNK: u64 = 1024 * 1024;
/// The smallest block of a file system: pages that were not written begin and end with one.
const SECTOR: u64 = 512;

/// Starts the field that a line has whose append began before it; a number and the check follow.
const FIELD: &str = ",\"append_start\":";

/// Adds the place where a line's append began to the line's body.
pub(super) fn push_append_start(body: &mut Vec<u8>, start: u64) {
    body.extend_from_slice(FIELD.as_bytes());
    body.extend_from_slice(start.to_string().as_bytes());
}

/// Returns the place where a line's append began, if the line has it.
fn append_start(line: &[u8]) -> Option<u64> {
    Check::of_line(line)?;
    let body = &line[..line.len() - TAIL];
    let digits = body.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    let (before, digits) = body.split_at(digits);
    if !before.ends_with(FIELD.as_bytes()) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A journal that is read from its end. Lines that are close together are read at once.
pub(super) struct Ending {
    pub(super) file: Appending,
    /// Place of the bytes that were read last.
    begin: u64,
    bytes: Vec<u8>,
}

impl Ending {
    pub(super) fn of(file: Appending) -> Self {
        Self {
            file,
            begin: 0,
            bytes: Vec::new(),
        }
    }

    /// Returns the end of the last whole line; 0 if no line is whole.
    pub(super) fn whole_length(&mut self) -> Result<u64, FileError> {
        loop {
            let length = self.file.len()?;
            self.bytes.clear();
            match self.whole_within(length) {
                // A writer took back what was there a moment ago.
                Err(error)
                    if error.source.kind() == ErrorKind::UnexpectedEof
                        && self.file.len()? < length => {}
                other => return other,
            }
        }
    }

    /// Same as [`Ending::whole_length`], for a journal that has a whole line.
    pub(super) fn end_of_lines(&mut self, path: &Path) -> Result<u64, StoreError> {
        match self.whole_length()? {
            0 => Err(StoreError::damaged(path, "is empty or has no whole line")),
            end => Ok(end),
        }
    }

    fn whole_within(&mut self, length: u64) -> Result<u64, FileError> {
        let end = self.behind_last_newline(length)?;
        // The last line without zeros is of the append that has the zeros, or of the one before it.
        let mut known = end;
        let line = loop {
            if known == 0 {
                return Ok(end);
            }
            let line = self.last_line(known)?;
            if memchr(0, line).is_none() {
                break line;
            }
            known -= line.len() as u64 + 1;
        };
        let begin = known - line.len() as u64 - 1;
        let start = append_start(line).filter(|start| (1..begin).contains(start));
        let start = match start {
            Some(start) if self.file.read_before(start, 1)? == b"\n" => start,
            _ if known == end => return Ok(end),
            _ => known,
        };
        let Some(zero) = self.find(start, end, |chunk| memchr(0, chunk))? else {
            return Ok(end);
        };
        let other = |chunk: &[u8]| chunk.iter().position(|byte| *byte != 0);
        let zeros_end = self.find(zero, length, other)?.unwrap_or(length);
        let is_first = zero == start || zero == known;
        let is_block_end = zeros_end == length || zeros_end.is_multiple_of(SECTOR);
        if is_first || (zero.is_multiple_of(SECTOR) && is_block_end) {
            return self.behind_last_newline(zero);
        }
        Ok(end)
    }

    /// Returns the place behind the last newline in front of `end`; 0 if there is no newline. Nothing that is longer
    /// than a line is a torn tail.
    fn behind_last_newline(&mut self, mut end: u64) -> Result<u64, FileError> {
        let least = end.saturating_sub(MOST_OF_LINE as u64);
        while end > 0 {
            if end < least {
                return Err(self.file.unreadable(TOO_LONG));
            }
            let window = self.before(end)?;
            let newline = memrchr(b'\n', window);
            end -= window.len() as u64;
            if let Some(newline) = newline {
                return Ok(end + newline as u64 + 1);
            }
        }
        Ok(0)
    }

    /// Returns the line that ends, with its newline, at `end`.
    pub(super) fn last_line(&mut self, end: u64) -> Result<&[u8], FileError> {
        let mut length = self.before(end)?.len();
        let start = loop {
            if let Some(newline) = memrchr(b'\n', &self.bytes[..length - 1]) {
                break newline + 1;
            }
            if self.begin == 0 {
                break 0;
            }
            self.read_before(end, WINDOW.max(2 * length as u64))?;
            length = self.bytes.len();
        };
        Ok(&self.bytes[start..length - 1])
    }

    /// Returns some of the bytes in front of `end`, which is not 0.
    fn before(&mut self, end: u64) -> Result<&[u8], FileError> {
        let is_held = self.begin < end && end <= self.begin + self.bytes.len() as u64;
        if !is_held {
            self.read_before(end, WINDOW)?;
        }
        let length = end - self.begin;
        Ok(&self.bytes[..usize::try_from(length).expect("it is in memory")])
    }

    fn read_before(&mut self, end: u64, length: u64) -> Result<(), FileError> {
        self.bytes = self.file.read_before(end, length)?;
        self.begin = end - self.bytes.len() as u64;
        Ok(())
    }

    /// Returns the place of the first byte that `wanted` finds between two places.
    fn find(
        &self,
        mut from: u64,
        to: u64,
        wanted: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Option<u64>, FileError> {
        while from < to {
            let next = to.min(from + CHUNK);
            let chunk = self.file.read_before(next, next - from)?;
            if let Some(index) = wanted(&chunk) {
                return Ok(Some(from + index as u64));
            }
            from = next;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, journal, record, writer};
    use super::*;
    use crate::store::StoreError;
    use std::fs;

    const PAGE: usize = 4096;

    /// A journal in which an acknowledged append of three lines is followed by one of 400, which
    /// has not been acknowledged; and the length of the first part.
    fn appended() -> (tempfile::TempDir, std::path::PathBuf, usize) {
        let (directory, path) = journal();
        let serials = |from: usize, to: usize| (from..to).map(|n| record(&format!("{n:04}")));
        writer(&path).unwrap().append(serials(0, 3)).unwrap();
        let before = fs::read(&path).unwrap().len();
        writer(&path).unwrap().append(serials(3, 403)).unwrap();
        (directory, path, before)
    }

    fn aside(path: &Path) -> Vec<u8> {
        fs::read(path.with_extension("jsonl.torn")).unwrap()
    }

    #[test]
    fn each_page_of_an_append_may_be_missing() {
        let (_directory, path, before) = appended();
        let whole = fs::read(&path).unwrap();
        assert_eq!(all(&path).len(), 404);
        let pages = whole.len().div_ceil(PAGE);
        assert!(pages > 4);
        for first in 0..pages {
            for count in 1..=pages - first {
                let begin = (first * PAGE).max(before);
                let end = ((first + count) * PAGE).min(whole.len());
                let mut holed = whole.clone();
                holed[begin..end].fill(0);
                fs::write(&path, &holed).unwrap();
                let readable = all(&path).len();
                assert!((4..404).contains(&readable), "{begin}..{end}: {readable}");
                let mut next = writer(&path).unwrap();
                next.append(&[record("next")]).unwrap();
                assert_eq!(all(&path).len(), readable + 1, "{begin}..{end}");
                let now = fs::read(&path).unwrap();
                assert_eq!(now[..before], whole[..before]);
                assert!(aside(&path).contains(&0));
                fs::remove_file(path.with_extension("jsonl.torn")).unwrap();
            }
        }
    }

    #[test]
    fn two_holes_and_a_cut_line_are_one_torn_tail() {
        let (_directory, path, before) = appended();
        let mut holed = fs::read(&path).unwrap();
        let first = before.next_multiple_of(PAGE);
        holed[first..first + PAGE].fill(0);
        holed[first + 2 * PAGE..first + 3 * PAGE].fill(0);
        holed.truncate(first + 3 * PAGE + 700);
        fs::write(&path, &holed).unwrap();
        writer(&path).unwrap();
        let now = fs::read(&path).unwrap();
        assert!(now.len() > before && now.len() <= first);
        assert_eq!(now, holed[..now.len()]);
        assert_eq!(aside(&path), [&holed[now.len()..], b"\n"].concat());
    }

    #[test]
    fn one_line_across_a_page_may_lack_its_first_part() {
        let (_directory, path) = journal();
        let mut before = fs::read(&path).unwrap();
        while before.len() % PAGE < PAGE - 60 {
            writer(&path).unwrap().append(&[record("0")]).unwrap();
            before = fs::read(&path).unwrap();
        }
        let long = record(&"9".repeat(2 * PAGE));
        writer(&path).unwrap().append(&[long]).unwrap();
        let whole = fs::read(&path).unwrap();
        let edge = before.len().next_multiple_of(PAGE);
        for hole in [
            before.len()..edge,
            edge..edge + PAGE,
            before.len()..edge + PAGE,
        ] {
            let mut holed = whole.clone();
            holed[hole].fill(0);
            fs::write(&path, &holed).unwrap();
            writer(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), before);
        }
    }

    #[test]
    fn zeros_before_the_last_append_and_other_changes_are_damage() {
        let (_directory, path, before) = appended();
        let whole = fs::read(&path).unwrap();
        let is_damage = |damaged: &[u8]| {
            fs::write(&path, damaged).unwrap();
            let read: Result<Vec<super::super::tests::Record>, _> =
                super::super::search(&path, &[b""]).unwrap().collect();
            matches!(read, Err(StoreError::Damaged { .. }))
        };
        let line = |number: usize| {
            let text = String::from_utf8(whole.clone()).unwrap();
            let begin = text.find(&format!("{{\"serial\":\"{number:04}\"")).unwrap();
            begin..begin + text[begin..].find('\n').unwrap()
        };
        // A line of the append before, zeros in a line of the last that no block begins with, a
        // changed digit, a line that says that its append began elsewhere.
        let mut zeroed = whole.clone();
        zeroed[line(1)].fill(0);
        assert!(is_damage(&zeroed));
        let mut zeroed = whole.clone();
        zeroed[line(100)].fill(0);
        assert!(is_damage(&zeroed));
        let mut changed = whole.clone();
        changed[line(100).start + 12] ^= 1;
        assert!(is_damage(&changed));
        let text = String::from_utf8(whole.clone()).unwrap();
        let field = format!("{FIELD}{before}");
        assert!(is_damage(
            text.replace(&field, &format!("{FIELD}1")).as_bytes()
        ));
    }

    #[test]
    fn lines_say_where_their_append_began() {
        let (_directory, path, before) = appended();
        let text = fs::read_to_string(&path).unwrap();
        let starts: Vec<_> = text
            .lines()
            .map(|line| append_start(line.as_bytes()))
            .collect();
        assert_eq!(starts[..3], [None, None, None]);
        assert_eq!(starts[3], starts[4]);
        assert!(starts[3].is_some());
        assert_eq!(starts[5], None);
        assert!(
            starts[6..]
                .iter()
                .all(|start| *start == Some(before as u64))
        );
        assert_eq!(append_start(b"{\"a\":1,\"append_start\":12}"), None);
    }
}
