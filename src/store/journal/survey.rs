//! Reading a journal that may be damaged: what is wrong is told line by line, and reading goes on.

use super::chain::is_header;
use super::pass::{Buffer, Line, Pass};
use crate::store::error::StoreError;
use crate::store::record::Coverage;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Line of a journal that was read, and its outcome.
pub(crate) struct SurveyedLine<R> {
    pub(crate) number: usize,
    /// Place behind it.
    end: u64,
    pub(crate) problem: Option<LineProblem>,
    /// Result for its record; `None` for the header, and for what is no record.
    pub(crate) outcome: Option<R>,
}

impl<R> SurveyedLine<R> {
    /// Returns a record that is kept elsewhere than in a journal, by its number.
    pub(in super::super) fn of_record(
        number: u64,
        problem: Option<LineProblem>,
        outcome: R,
    ) -> Self {
        Self {
            number: usize::try_from(number).unwrap_or(usize::MAX),
            end: number,
            problem,
            outcome: Some(outcome),
        }
    }

    /// Returns how much of the journal has been read, as [`journal_bytes`](crate::store::Ca::journal_bytes)
    /// counts it.
    pub(crate) fn progress(&self) -> u64 {
        self.end
    }

    /// Returns whether it is in front of a place of the journal.
    pub(crate) fn is_covered_by(&self, place: &Coverage) -> bool {
        self.end <= place.length
    }
}

/// Problem of a line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineProblem {
    /// First line that is not the header of this journal.
    Header(String),
    /// Line that does not follow from the one before.
    Chain(String),
    Unreadable(String),
}

/// Journal and CA that a header has to name.
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

/// Calls `each` for every whole line, in order. `judge` makes something of each record on any
/// processor, and is told whether the line follows from the one before. Takes no lock.
pub(in super::super) fn survey<T: DeserializeOwned, R: Send>(
    path: &Path,
    expected: Expected<'_>,
    judge: impl Fn(T, bool) -> R + Sync,
    mut each: impl FnMut(SurveyedLine<R>),
) -> Result<(), StoreError> {
    let mut number = 0;
    let work = |block: &Buffer| -> Vec<SurveyedLine<R>> {
        let lines = block.lines();
        lines
            .map(|line| surveyed(&line, expected, &judge))
            .collect()
    };
    Pass::open(path)?.in_blocks(work, |lines| {
        for line in lines {
            number += 1;
            each(SurveyedLine { number, ..line });
        }
        Ok(())
    })
}

fn surveyed<T: DeserializeOwned, R>(
    line: &Line<'_>,
    expected: Expected<'_>,
    judge: &impl Fn(T, bool) -> R,
) -> SurveyedLine<R> {
    let mut outcome = None;
    let problem = if line.is_first() {
        header_problem(line, expected)
    } else {
        let broken = chain_problem(line);
        match serde_json::from_slice(line.text) {
            Ok(record) => {
                outcome = Some(judge(record, broken.is_none()));
                broken
            }
            Err(error) => Some(LineProblem::Unreadable(format!("cannot be read: {error}"))),
        }
    };
    SurveyedLine {
        number: 0,
        end: line.begin + line.text.len() as u64 + 1,
        problem,
        outcome,
    }
}

fn header_problem(line: &Line<'_>, expected: Expected<'_>) -> Option<LineProblem> {
    let problem = match serde_json::from_slice::<ReadHeader>(line.text) {
        Ok(header) if is_header(line.text) => {
            if header.journal != expected.journal || header.ca != expected.ca {
                let ReadHeader { journal, ca } = header;
                format!("is the header of journal {journal:?} of CA {ca:?}")
            } else if !line.follows() {
                "is a header that was changed".into()
            } else {
                return None;
            }
        }
        _ => "is not a journal's header".into(),
    };
    Some(LineProblem::Header(problem))
}

fn chain_problem(line: &Line<'_>) -> Option<LineProblem> {
    if line.follows() {
        return None;
    }
    let problem = if line.is_repeated() {
        "repeats the line before it"
    } else {
        "does not follow from the line before it: it was changed, or lines are missing or out of order"
    };
    Some(LineProblem::Chain(problem.into()))
}

#[cfg(test)]
mod tests {
    use super::super::chain::start;
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
