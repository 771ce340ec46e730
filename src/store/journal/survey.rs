//! Reading a journal that may be damaged: what is wrong is told line by line, and reading goes on.

use super::super::error::StoreError;
use super::super::file::Appending;
use super::ending::end_of_lines;
use super::scan::{Block, in_blocks};
use super::{TAIL, follows, is_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// What a line of a journal came to.
pub struct SurveyedLine<R> {
    /// Its number, from 1.
    pub number: usize,
    /// Where it ends, with its line feed, in bytes from the beginning.
    pub end: u64,
    /// What is wrong with it as a line, if anything is.
    pub problem: Option<LineProblem>,
    /// What was made of its record; `None` for the header, and for what is no record.
    pub outcome: Option<R>,
}

/// What is wrong with a line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineProblem {
    /// The first is not the header of this journal.
    Header(String),
    /// It does not follow from the one before.
    Chain(String),
    /// It is no record.
    Unreadable(String),
}

/// The journal and the CA that a header has to name.
#[derive(Clone, Copy)]
pub(in super::super) struct Expected<'a> {
    pub(in super::super) journal: &'a str,
    pub(in super::super) ca: &'a str,
}

#[derive(Deserialize)]
struct ReadHeader {
    journal: String,
    ca: String,
}

/// A line as its block knows it.
struct LineOfBlock<R> {
    length: u64,
    problem: Option<LineProblem>,
    outcome: Option<R>,
}

/// Calls `each` for every whole line, in order. `judge` makes something of each record on any
/// processor, and is told whether the line follows from the one before. Takes no lock.
pub(in super::super) fn survey<T: DeserializeOwned, R: Send>(
    path: &Path,
    expected: Expected<'_>,
    judge: impl Fn(T, bool) -> R + Sync,
    mut each: impl FnMut(SurveyedLine<R>),
) -> Result<(), StoreError> {
    let (mut number, mut end) = (0, 0);
    let work = |block: Block<'_>| lines_of(&block, expected, &judge);
    in_blocks(path, work, |lines| {
        for line in lines {
            number += 1;
            end += line.length;
            each(SurveyedLine {
                number,
                end,
                problem: line.problem,
                outcome: line.outcome,
            });
        }
        Ok(())
    })
}

fn lines_of<T: DeserializeOwned, R>(
    block: &Block<'_>,
    expected: Expected<'_>,
    judge: &impl Fn(T, bool) -> R,
) -> Vec<LineOfBlock<R>> {
    let mut lines = Vec::new();
    let mut previous = block.previous;
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', block.lines) {
        let line = &block.lines[start..newline];
        let mut outcome = None;
        let problem = if previous.is_empty() {
            header_problem(line, expected)
        } else {
            let broken = chain_problem(line, previous);
            match serde_json::from_slice(line) {
                Ok(record) => {
                    outcome = Some(judge(record, broken.is_none()));
                    broken
                }
                Err(error) => Some(LineProblem::Unreadable(format!("can't be read: {error}"))),
            }
        };
        lines.push(LineOfBlock {
            length: (newline + 1 - start) as u64,
            problem,
            outcome,
        });
        // An empty line is none that could be the first.
        previous = if line.is_empty() { b" " } else { line };
        start = newline + 1;
    }
    lines
}

fn header_problem(line: &[u8], expected: Expected<'_>) -> Option<LineProblem> {
    let problem = match serde_json::from_slice::<ReadHeader>(line) {
        Ok(header) if is_header(line) => {
            if header.journal != expected.journal || header.ca != expected.ca {
                let ReadHeader { journal, ca } = header;
                format!("is the header of the journal {journal:?} of {ca:?}")
            } else if follows(line, b"").is_none() {
                "is a header that was changed".into()
            } else {
                return None;
            }
        }
        _ => "is not a journal's header".into(),
    };
    Some(LineProblem::Header(problem))
}

fn chain_problem(line: &[u8], previous: &[u8]) -> Option<LineProblem> {
    if follows(line, previous).is_some() {
        return None;
    }
    let is_same = line.len() >= TAIL && previous.ends_with(&line[line.len() - TAIL..]);
    let problem = if is_same {
        "is the one before it again"
    } else {
        "does not follow from the one before: it was changed, or lines are missing or not in their places"
    };
    Some(LineProblem::Chain(problem.into()))
}

/// How many bytes behind the last whole line were never acknowledged.
pub(in super::super) fn torn_bytes(path: &Path) -> Result<u64, StoreError> {
    let file = Appending::open_to_read(path)?;
    let length = file.len()?;
    Ok(length.saturating_sub(end_of_lines(&file, path)?))
}

#[cfg(test)]
mod tests {
    use super::super::start;
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Record {
        number: usize,
        filling: String,
    }

    const EXPECTED: Expected<'static> = Expected {
        journal: "issued",
        ca: "ca",
    };

    /// The lines of a journal of several blocks, its header the first.
    fn lines() -> Vec<String> {
        let record = |number| Record {
            number,
            filling: "x".repeat(500),
        };
        let records: Vec<Record> = (0..4_000).map(record).collect();
        let text = String::from_utf8(start("issued", "ca", &records)).unwrap();
        text.lines().map(|line| format!("{line}\n")).collect()
    }

    /// The numbers of the lines with which something is wrong, and how many records were read.
    fn surveyed(lines: &[String]) -> (Vec<usize>, usize) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        std::fs::write(&path, lines.concat()).unwrap();
        let (mut bad, mut records, mut bytes) = (Vec::new(), 0, 0);
        survey(
            &path,
            EXPECTED,
            |record: Record, _| record.number,
            |line| {
                records += usize::from(line.outcome.is_some());
                bad.extend(line.problem.is_some().then_some(line.number));
                bytes = line.end;
            },
        )
        .unwrap();
        assert_eq!(bytes, lines.concat().len() as u64);
        (bad, records)
    }

    #[test]
    fn each_damage_is_found_where_it_is_and_all_the_rest_is_read() {
        let whole = lines();
        assert_eq!(surveyed(&whole), (vec![], 4_000));
        let mut changed = whole.clone();
        changed[3_000] = changed[3_000].replace("{\"number\":2999,", "{\"number\":1,");
        assert_eq!(surveyed(&changed), (vec![3_001], 4_000));
        let mut dropped = whole.clone();
        dropped.remove(2_000);
        assert_eq!(surveyed(&dropped), (vec![2_001], 3_999));
        let mut doubled = whole.clone();
        doubled.insert(1_000, whole[1_000].clone());
        assert_eq!(surveyed(&doubled), (vec![1_002], 4_001));
        let mut swapped = whole.clone();
        swapped.swap(10, 11);
        assert_eq!(surveyed(&swapped), (vec![11, 12, 13], 4_000));
        let mut unreadable = whole.clone();
        unreadable[7] = "\n".into();
        assert_eq!(surveyed(&unreadable), (vec![8, 9], 3_999));
        let headless = &whole[1..];
        assert_eq!(surveyed(headless), (vec![1], 3_999));
    }
}
