//! Looking for a few records of a journal, at the speed of memory.
//!
//! The file is searched in large blocks for the bytes that a wanted line has in it; only the lines
//! in which they are found are told apart, checked and parsed. What is held in memory is a block.

use super::super::error::{FileError, StoreError};
use super::super::record::Coverage;
use super::{MOST_OF_LINE, TAIL, TOO_LONG, follows, is_header, open_whole};
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;

/// Reads records from a journal's first line on, without a lock.
pub(in super::super) struct Reader {
    file: File,
    path: PathBuf,
    /// End of the last whole line when the journal was opened.
    length: u64,
    /// Whole lines, and the beginning of the next.
    block: Vec<u8>,
    /// Where in the block the lines begin that were not looked at.
    next: usize,
    /// Where the last whole line of the block ends, with its newline.
    end: usize,
    /// The end of the line in front of the block; empty in front of the first.
    previous: Vec<u8>,
    /// Bytes of the file in front of the block.
    before: u64,
}

impl Reader {
    /// Opens a journal and reads its header.
    pub(in super::super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut reader = Self::at_beginning(path)?;
        let header = reader.find(&[Finder::new(b"")])?;
        if !header.is_some_and(|(start, end)| is_header(&reader.block[start..end])) {
            return Err(StoreError::damaged(
                path,
                "does not start with a journal's header",
            ));
        }
        Ok(reader)
    }

    fn at_beginning(path: &Path) -> Result<Self, StoreError> {
        let (file, length) = open_whole(path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            length,
            block: Vec::new(),
            next: 0,
            end: 0,
            previous: Vec::new(),
            before: 0,
        })
    }

    /// Opens a journal behind a place that was noted; nothing before it is read.
    pub(in super::super) fn open_behind(path: &Path, place: &Coverage) -> Result<Self, StoreError> {
        let reader = Self::at_beginning(path)?;
        let tail = (TAIL as u64 + 1).min(place.length);
        let mut previous = Vec::new();
        let mut seek = || -> io::Result<()> {
            (&reader.file).seek(SeekFrom::Start(place.length - tail))?;
            (&reader.file).take(tail).read_to_end(&mut previous)?;
            Ok(())
        };
        seek().map_err(FileError::of("read", path))?;
        previous.pop();
        Ok(Self {
            next: 0,
            end: 0,
            previous,
            before: place.length,
            ..reader
        })
    }

    /// The next record among the lines that have `needle` in them.
    pub(in super::super) fn next_with<T: DeserializeOwned>(
        &mut self,
        needle: &[u8],
    ) -> Result<Option<T>, StoreError> {
        self.next_with_any(&[Finder::new(needle)])
    }

    /// The next record among the lines that have one of several texts in them.
    pub(in super::super) fn next_with_any<T: DeserializeOwned>(
        &mut self,
        finders: &[Finder<'_>],
    ) -> Result<Option<T>, StoreError> {
        let Some((start, end)) = self.find(finders)? else {
            return Ok(None);
        };
        let record = serde_json::from_slice(&self.block[start..end]);
        let record = record.map_err(|error| self.bad(start, &format!("can't be read: {error}")));
        record.map(Some)
    }

    /// Where in the block the next line is that has one of several texts in it. It follows from the one
    /// before.
    fn find(&mut self, wanted: &[Finder<'_>]) -> Result<Option<(usize, usize)>, StoreError> {
        loop {
            let lines = &self.block[self.next..self.end];
            let found = first_of(wanted, lines).filter(|_| !lines.is_empty());
            if let Some(place) = found.map(|place| self.next + place) {
                let start = memrchr(b'\n', &self.block[self.next..place])
                    .map_or(self.next, |newline| self.next + newline + 1);
                let length = memchr(b'\n', &self.block[place..self.end]);
                let end = place + length.expect("what is looked through ends with a newline");
                self.next = end + 1;
                self.check(start, end)?;
                return Ok(Some((start, end)));
            }
            if !self.refill()? {
                return Ok(None);
            }
        }
    }

    fn check(&self, start: usize, end: usize) -> Result<(), StoreError> {
        let previous = match start.checked_sub(1) {
            Some(newline) => &self.block[newline.saturating_sub(TAIL)..newline],
            None => &self.previous,
        };
        match follows(&self.block[start..end], previous) {
            Some(_) => Ok(()),
            None => Err(self.bad(start, "does not follow from the one before")),
        }
    }

    /// Goes on to the next whole lines; `false` if there are none.
    fn refill(&mut self) -> Result<bool, StoreError> {
        if let Some(newline) = self.end.checked_sub(1) {
            let tail = newline.saturating_sub(TAIL);
            self.previous.clear();
            self.previous.extend_from_slice(&self.block[tail..newline]);
            self.before += self.end as u64;
            self.block.drain(..self.end);
        }
        (self.next, self.end) = (0, 0);
        loop {
            let held = self.block.len();
            if held > MOST_OF_LINE {
                return Err(StoreError::damaged(&self.path, TOO_LONG));
            }
            let left = self.length.saturating_sub(self.before + held as u64);
            let read = (&self.file)
                .take(left.min(BLOCK as u64))
                .read_to_end(&mut self.block)
                .map_err(FileError::of("read", &self.path))?;
            if read == 0 {
                return Ok(false);
            }
            if let Some(newline) = memrchr(b'\n', &self.block[held..]) {
                self.end = held + newline + 1;
                return Ok(true);
            }
        }
    }

    /// That something is wrong with the line that begins at a place of the block.
    fn bad(&self, start: usize, problem: &str) -> StoreError {
        let number = self.line_at(self.before + start as u64);
        let which = number.map_or_else(|| "a line".into(), |number| format!("a line {number}"));
        StoreError::damaged(&self.path, format!("has {which} that {problem}"))
    }

    /// The number of the line that begins behind so many bytes.
    fn line_at(&self, bytes: u64) -> Option<usize> {
        let mut lines = File::open(&self.path).ok()?.take(bytes);
        let mut block = vec![0; BLOCK];
        let mut number = 1;
        loop {
            match lines.read(&mut block).ok()? {
                0 => return Some(number),
                read => number += memchr_iter(b'\n', &block[..read]).count(),
            }
        }
    }
}

/// The first place where one of several texts is.
fn first_of(wanted: &[Finder<'_>], lines: &[u8]) -> Option<usize> {
    let mut first = None;
    for finder in wanted {
        // What is behind the first of the others is of no interest.
        let limit = first.map_or(lines.len(), |place| place);
        first = finder.find(&lines[..limit]).or(first);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::start;
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Record {
        number: usize,
        filling: String,
    }

    /// A journal of several blocks; one of its lines is longer than any of them.
    fn journal() -> (tempfile::TempDir, PathBuf, Vec<Record>) {
        let filling = |number: usize| match number {
            900 => "x".repeat(2 * BLOCK + 17),
            _ => "x".repeat(number % 1999),
        };
        let records: Vec<Record> = (0..4_000)
            .map(|number| Record {
                number,
                filling: filling(number),
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        std::fs::write(&path, start("issued", "ca", &records)).unwrap();
        (directory, path, records)
    }

    fn found(path: &Path, needle: &str) -> Result<Vec<Record>, String> {
        let mut reader = Reader::open(path).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        while let Some(record) = reader
            .next_with(needle.as_bytes())
            .map_err(|error| error.to_string())?
        {
            found.push(record);
        }
        Ok(found)
    }

    #[test]
    fn every_line_is_found_and_each_by_what_is_in_it() {
        let (_directory, path, records) = journal();
        assert_eq!(found(&path, "").unwrap(), records);
        for record in &records {
            let needle = format!("\"number\":{},", record.number);
            if record.number % 97 == 0 || (895..905).contains(&record.number) {
                assert_eq!(found(&path, &needle).unwrap(), std::slice::from_ref(record));
            }
        }
        let ends_in_seven = found(&path, "7,\"filling\"").unwrap();
        assert_eq!(ends_in_seven.len(), 400);
        assert_eq!(found(&path, "\"number\":4000,").unwrap(), []);
    }

    #[test]
    fn behind_a_place_are_the_lines_that_were_written_since() {
        let (_directory, path, records) = journal();
        let written =
            |count: usize| super::super::end_of(&start("issued", "ca", &records[..count]));
        for count in [0, 1, 899, 900, 901, records.len() - 1, records.len()] {
            let mut reader = Reader::open_behind(&path, &written(count)).unwrap();
            let mut found: Vec<Record> = Vec::new();
            while let Some(record) = reader.next_with(b"").unwrap() {
                found.push(record);
            }
            assert_eq!(found, records[count..]);
        }
    }

    #[test]
    fn a_line_that_was_changed_is_named_when_it_is_found() {
        let (_directory, path, _) = journal();
        let whole = std::fs::read_to_string(&path).unwrap();
        let changed = whole.replace("{\"number\":3210,", "{\"number\":9999,");
        std::fs::write(&path, changed).unwrap();
        let said = found(&path, "\"number\":9999,").unwrap_err();
        // Lines are counted from one, and the header is the first.
        assert!(
            said.contains("has a line 3212 that does not follow"),
            "{said}"
        );
        assert_eq!(found(&path, "\"number\":3209,").unwrap().len(), 1);
    }

    #[test]
    fn what_has_no_end_is_left_out() {
        let (_directory, path, records) = journal();
        let mut torn = std::fs::read(&path).unwrap();
        torn.truncate(torn.len() - 1);
        std::fs::write(&path, torn).unwrap();
        assert_eq!(found(&path, "").unwrap(), records[..records.len() - 1]);
    }
}
