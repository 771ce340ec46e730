//! Looking for a few records of a journal, at the speed of memory.
//!
//! Blocks are searched for the bytes that a wanted line has in it; only the lines in which they are
//! found are told apart, checked and parsed. What is held in memory is a block.

use super::chain::is_header;
use super::pass::{Buffer, Pass};
use crate::store::error::StoreError;
use crate::store::record::Coverage;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;

/// Records of a journal whose lines have one of several texts in them, from the first line on. Takes no
/// lock.
pub(in super::super) struct Search<T> {
    pass: Pass,
    finders: Vec<Finder<'static>>,
    /// Block that is read next.
    index: u64,
    buffer: Buffer,
    /// Part of the buffer that was not searched.
    rest: Range<usize>,
    records: PhantomData<fn() -> T>,
}

/// Begins a search, and reads the journal's header.
pub(in super::super) fn search<T>(path: &Path, wanted: &[&[u8]]) -> Result<Search<T>, StoreError> {
    let mut search = Search::of(Pass::open(path)?, wanted);
    search.advance()?;
    let mut lines = search.buffer.lines();
    let Some(header) = lines.next() else {
        return Err(search
            .pass
            .damaged("does not start with a journal's header"));
    };
    if !header.follows() {
        let problem = header.bad("does not follow from the line before it");
        return Err(search.pass.bad(&problem));
    }
    if !is_header(header.text) {
        return Err(search
            .pass
            .damaged("does not start with a journal's header"));
    }
    let begin = header.text.len() + 1;
    drop(lines);
    search.rest.start = begin;
    Ok(search)
}

/// Begins a search behind a place that was noted; nothing before it is read.
pub(in super::super) fn search_behind<T>(
    path: &Path,
    place: &Coverage,
    wanted: &[&[u8]],
) -> Result<Search<T>, StoreError> {
    Ok(Search::of(Pass::behind(path, place)?, wanted))
}

impl<T> Search<T> {
    fn of(pass: Pass, wanted: &[&[u8]]) -> Self {
        let finders = wanted.iter().map(|text| Finder::new(text).into_owned());
        Self {
            pass,
            finders: finders.collect(),
            index: 0,
            buffer: Buffer::default(),
            rest: 0..0,
            records: PhantomData,
        }
    }

    /// Goes on to the next block; `false` if there is none.
    fn advance(&mut self) -> Result<bool, StoreError> {
        if self.index >= self.pass.count() {
            return Ok(false);
        }
        self.pass.fill(self.index, &mut self.buffer)?;
        self.index += 1;
        self.rest = self.buffer.lines.clone();
        Ok(true)
    }

    /// Returns the part of the buffer with the next line that has one of the texts in it.
    fn find(&mut self) -> Result<Option<Range<usize>>, StoreError> {
        loop {
            let Range { start, .. } = self.rest;
            let lines = self.buffer.text(self.rest.clone());
            let found = first_of(&self.finders, lines).filter(|_| !lines.is_empty());
            if let Some(place) = found {
                let begin = memrchr(b'\n', &lines[..place]).map_or(0, |newline| newline + 1);
                let length = memchr(b'\n', &lines[place..]);
                let end = place + length.expect("what is looked through ends with a newline");
                self.rest.start = start + end + 1;
                return Ok(Some(start + begin..start + end));
            }
            if !self.advance()? {
                return Ok(None);
            }
        }
    }
}

impl<T: DeserializeOwned> Iterator for Search<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.find() {
            Ok(found) => self.buffer.line(found?),
            Err(error) => return Some(Err(error)),
        };
        let record = if line.follows() {
            let read = serde_json::from_slice(line.text);
            read.map_err(|error| line.bad(format!("cannot be read: {error}")))
        } else {
            Err(line.bad("does not follow from the line before it"))
        };
        Some(record.map_err(|line| self.pass.bad(&line)))
    }
}

/// Returns the first place of one of several texts.
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
    use super::super::chain::{end_of, start};
    use super::super::pass::BLOCK;
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::path::PathBuf;

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
        let found = search(path, &[needle.as_bytes()]).and_then(Iterator::collect);
        found.map_err(|error: StoreError| error.to_string())
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
        let written = |count: usize| end_of(&start("issued", "ca", &records[..count]));
        for count in [0, 1, 899, 900, 901, records.len() - 1, records.len()] {
            let found = search_behind(&path, &written(count), &[b""]).unwrap();
            let found: Vec<Record> = found.map(Result::unwrap).collect();
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
