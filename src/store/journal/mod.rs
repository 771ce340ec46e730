//! Journals: one JSON object a line, only ever appended to.
//!
//! The last field of every line is `check`: the 128-bit XXH3 hash of the previous line's
//! check and this line. A line that is changed, dropped or moved breaks the chain: the record behind
//! it does not follow, and whoever reads that record is told. The first line names the journal, so
//! that an empty file is never taken for a new one.
//!
//! An append that is not whole was never acknowledged: a reader passes over what is behind the last
//! whole line, the next writer moves it to a file beside the journal; see [`ending`].

mod chain;
mod ending;
mod pass;
mod scan;
mod search;
mod survey;
mod tail;
mod writer;

pub(super) use chain::{CHECK_OF_NOTHING, NewJournal, check_after, end_of, start, write_start};
pub(super) use scan::{scan, scan_lines};
pub(super) use search::{Search, search, search_behind, search_lines};
pub(super) use survey::{Expected, survey};
pub(crate) use survey::{LineProblem, SurveyedLine};
pub(super) use tail::{
    backwards, check_header, end, has_records, open_whole, still_covers, torn_bytes,
};
pub(super) use writer::Writer;

#[cfg(test)]
mod tests {
    use super::chain::{Check, Lines, TAIL};
    use super::*;
    use crate::store::error::StoreError;
    use crate::store::{Operator, file};
    use serde::{Deserialize, Serialize};
    use std::path::{Path, PathBuf};

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
        let operator = Operator::new(time::OffsetDateTime::UNIX_EPOCH, |_| {});
        Writer::open(path, &operator)
    }

    pub(super) fn all(path: &Path) -> Vec<Record> {
        let all = search(path, &[b""]).unwrap();
        all.map(Result::unwrap).collect()
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
            let outcome: Result<Vec<Record>, _> = search(&path, &[b""]).unwrap().collect();
            assert!(matches!(outcome, Err(StoreError::Damaged { .. })));
        }
        std::fs::write(&path, whole.replace("\"04\"", "\"05\"")).unwrap();
        assert!(matches!(writer(&path), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn reading_backwards_reports_a_missing_header_as_damage() {
        let (_directory, path) = journal();
        for lines in ["{}\n", "{\"serial\":\"01\"}\n{\"serial\":\"02\"}\n", "\n\n"] {
            std::fs::write(&path, lines).unwrap();
            let read = backwards(&path, |_: &Record| true);
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "{lines:?}");
        }
        let mut headless = Lines::after(Check::START);
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
        let read = search::<Record>(&path, &[b""]);
        assert!(matches!(read, Err(StoreError::Damaged { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(writer(&path), Err(StoreError::Damaged { .. })));
    }
}
