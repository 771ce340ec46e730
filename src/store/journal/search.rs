//! Search for a few records of a journal, at the speed of memory.
//!
//! Blocks are searched on all cores for the bytes that a wanted line has in it; only the lines in which they
//! are found are told apart, checked and parsed. A round ends when records were found, and hands them over; the
//! next one may find twice as many.

use super::chain::is_header;
use super::pass::{BadLine, Buffer, Line, Pass};
use crate::store::error::StoreError;
use crate::store::record::Coverage;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use serde::de::DeserializeOwned;
use std::ops::Range;
use std::path::Path;
use std::vec;

/// Records that end a round: so many are held in memory, and as many as a block of each thread has.
const MOST_HELD: usize = 4096;

/// Records of a journal whose lines have one of several texts in them, from the first line on. Takes no
/// lock.
pub(in super::super) struct Search<T> {
    pass: Pass,
    finders: Vec<Finder<'static>>,
    read: Read<T>,
    /// Block that is read next.
    index: u64,
    /// Records that end the next round.
    enough: usize,
    buffers: Vec<Buffer>,
    /// Blocks of this round whose records were not taken.
    round: vec::IntoIter<Result<Vec<Found<T>>, StoreError>>,
    found: vec::IntoIter<Found<T>>,
}

/// Reads a line; `None` is left out.
type Read<T> = Box<dyn Fn(&[u8]) -> serde_json::Result<Option<T>> + Sync>;

type Found<T> = Result<T, BadLine>;

/// Begins a search, and reads the journal's header.
pub(in super::super) fn search<T: DeserializeOwned + Send + 'static>(
    path: &Path,
    wanted: &[&[u8]],
) -> Result<Search<T>, StoreError> {
    search_lines(path, wanted, parse)
}

/// Does the same as [`search`] for what `read` makes of the lines, on any core; `None` is left out.
pub(in super::super) fn search_lines<T: Send>(
    path: &Path,
    wanted: &[&[u8]],
    read: impl Fn(&[u8]) -> serde_json::Result<Option<T>> + Sync + 'static,
) -> Result<Search<T>, StoreError> {
    let mut search = Search::of(Pass::open(path)?, wanted, read);
    let pass = &search.pass;
    let mut first = Buffer::default();
    pass.fill(0, &mut first)?;
    let headless = || pass.damaged("does not start with a journal's header");
    let header = first.lines().next().ok_or_else(headless)?;
    if !header.follows() {
        return Err(pass.bad(&header.bad(BROKEN)));
    }
    if !is_header(header.text) {
        return Err(headless());
    }
    let rest = header.text.len() + 1..first.lines.end;
    search.found = find_all(&search.finders, &search.read, &first, rest).into_iter();
    search.index = 1;
    search.buffers.push(first);
    Ok(search)
}

/// Begins a search behind a place that was noted; nothing before it is read.
pub(in super::super) fn search_behind<T: DeserializeOwned + Send + 'static>(
    path: &Path,
    place: &Coverage,
    wanted: &[&[u8]],
) -> Result<Search<T>, StoreError> {
    Ok(Search::of(Pass::behind(path, place)?, wanted, parse))
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<Option<T>> {
    serde_json::from_slice(line).map(Some)
}

/// Problem of a line that is not the one that was written there.
const BROKEN: &str = "does not follow from the line before it";

impl<T: Send> Search<T> {
    fn of(
        pass: Pass,
        wanted: &[&[u8]],
        read: impl Fn(&[u8]) -> serde_json::Result<Option<T>> + Sync + 'static,
    ) -> Self {
        let finders = wanted.iter().map(|text| Finder::new(text).into_owned());
        Self {
            pass,
            finders: finders.collect(),
            read: Box::new(read),
            index: 0,
            enough: 1,
            buffers: Vec::new(),
            round: Vec::new().into_iter(),
            found: Vec::new().into_iter(),
        }
    }

    /// Searches the next blocks; `false` if there are none.
    fn advance(&mut self) -> bool {
        let (finders, read) = (&self.finders, &self.read);
        let search = |block: &Buffer| find_all(finders, read, block, block.lines.clone());
        let round = self
            .pass
            .in_round(self.index, self.enough, &mut self.buffers, search);
        self.index += round.len() as u64;
        self.enough = MOST_HELD.min(2 * self.enough);
        self.round = round.into_iter();
        self.round.len() > 0
    }
}

impl<T: Send> Iterator for Search<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.next() {
                return Some(found.map_err(|line| self.pass.bad(&line)));
            }
            match self.round.next() {
                Some(Ok(found)) => self.found = found.into_iter(),
                Some(Err(error)) => return Some(Err(error)),
                None if self.advance() => {}
                None => return None,
            }
        }
    }
}

/// Reads the lines in a part of a block that have one of the texts in them.
fn find_all<T>(
    finders: &[Finder<'_>],
    read: &Read<T>,
    block: &Buffer,
    mut rest: Range<usize>,
) -> Vec<Found<T>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let lines = block.text(rest.clone());
        let Some(place) = first_of(finders, lines) else {
            break;
        };
        let begin = memrchr(b'\n', &lines[..place]).map_or(0, |newline| newline + 1);
        let length = memchr(b'\n', &lines[place..]);
        let end = place + length.expect("what is searched ends with a newline");
        let line = block.line(rest.start + begin..rest.start + end);
        found.extend(read_line(&line, read).transpose());
        rest.start += end + 1;
    }
    found
}

/// Reads a line, after proof that it follows from the one before.
fn read_line<T>(line: &Line<'_>, read: &Read<T>) -> Result<Option<T>, BadLine> {
    if !line.follows() {
        return Err(line.bad(BROKEN));
    }
    read(line.text).map_err(|error| line.bad(format!("cannot be read: {error}")))
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
    fn a_text_across_the_end_of_a_block_is_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        let record = |number: usize, length: usize| Record {
            number,
            filling: "x".repeat(length),
        };
        let empty = start("issued", "ca", &[record(0, 0)]).len();
        for before in 1..40 {
            // The second line begins so many bytes before the end of the first block.
            let records = [
                (0, BLOCK - empty - before),
                (17, 10),
                (2, 3 * BLOCK),
                (17, 5),
            ];
            let records = records.map(|(number, length)| record(number, length));
            std::fs::write(&path, start("issued", "ca", &records)).unwrap();
            let expected = [records[1].clone(), records[3].clone()];
            assert_eq!(
                found(&path, "{\"number\":17,").unwrap(),
                expected,
                "{before}"
            );
        }
    }

    #[test]
    fn records_before_a_bad_line_come_first_in_their_order() {
        let (_directory, path, records) = journal();
        let whole = std::fs::read_to_string(&path).unwrap();
        let changed = whole.replace("{\"number\":3217,", "{\"number\":9997,");
        std::fs::write(&path, changed).unwrap();
        let mut search: Search<Record> = search(&path, &[b"7,\"filling\""]).unwrap();
        let sevens = records.iter().filter(|record| record.number % 10 == 7);
        for record in sevens.take(321) {
            assert_eq!(search.next().unwrap().unwrap(), *record);
        }
        let said = search.next().unwrap().unwrap_err().to_string();
        assert!(
            said.contains("has a line 3219 that does not follow"),
            "{said}"
        );
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
