//! Reading a whole journal, on all cores.

use super::chain::is_header;
use super::pass::{BadLine, Buffer, Pass};
use crate::store::error::StoreError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Calls `each` for every record of a journal, in order, after proof that every line follows from the
/// one before. Takes no lock.
pub(in super::super) fn scan<T: DeserializeOwned + Send>(
    path: &Path,
    each: impl FnMut(T),
) -> Result<(), StoreError> {
    scan_lines(path, |line| serde_json::from_slice(line).map(Some), each)
}

/// Does the same as [`scan`] for what `read` makes of the lines, on any core; `None` is left out.
pub(in super::super) fn scan_lines<R: Send>(
    path: &Path,
    read: impl Fn(&[u8]) -> serde_json::Result<Option<R>> + Sync,
    mut each: impl FnMut(R),
) -> Result<(), StoreError> {
    let pass = Pass::open(path)?;
    let work = |block: &Buffer| parse(block, &read);
    pass.in_blocks(work, |made| {
        let made = made.map_err(|line| pass.bad(&line))?;
        made.into_iter().for_each(&mut each);
        Ok(())
    })
}

/// Checks the lines of a block, and reads them.
fn parse<R>(
    block: &Buffer,
    read: &impl Fn(&[u8]) -> serde_json::Result<Option<R>>,
) -> Result<Vec<R>, BadLine> {
    let mut made = Vec::new();
    for line in block.lines() {
        if line.is_first() && !is_header(line.text) {
            return Err(line.bad("is not a journal's header"));
        }
        if !line.follows() {
            return Err(line.bad("does not follow from the line before it"));
        }
        if !line.is_first() {
            let record = read(line.text);
            made.extend(record.map_err(|error| line.bad(format!("cannot be read: {error}")))?);
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::super::chain::start;
    use super::super::pass::{BLOCK, STEP};
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::path::PathBuf;

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Record {
        number: usize,
        filling: String,
    }

    /// A journal of several blocks, in which no line ends where a block does.
    fn journal() -> (tempfile::TempDir, PathBuf, Vec<Record>) {
        let record = |number| Record {
            number,
            filling: "x".repeat(number % 997),
        };
        let records: Vec<Record> = (0..8_000).map(record).collect();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        let lines = start("issued", "ca", &records);
        assert!(lines.len() > 6 * BLOCK);
        std::fs::write(&path, lines).unwrap();
        (directory, path, records)
    }

    fn scanned(path: &Path) -> Result<Vec<Record>, String> {
        let mut all = Vec::new();
        scan(path, |record| all.push(record)).map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn every_record_comes_in_its_turn() {
        let (_directory, path, records) = journal();
        assert_eq!(scanned(&path).unwrap(), records);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"number\":");
        std::fs::write(&path, torn).unwrap();
        assert_eq!(scanned(&path).unwrap(), records);
    }

    #[test]
    fn lines_are_whole_wherever_a_block_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issued.jsonl");
        let record = |number: usize, length: usize| Record {
            number,
            filling: "x".repeat(length),
        };
        let empty = start("issued", "ca", &[record(0, 0)]).len();
        for length in [
            BLOCK - 2,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            BLOCK + STEP,
            3 * BLOCK,
        ] {
            // The first record ends, with its newline, behind so many bytes.
            let records = [(0, length - empty), (1, 2 * BLOCK), (2, 10)];
            let records = records.map(|(number, length)| record(number, length));
            let lines = start("issued", "ca", &records);
            std::fs::write(&path, &lines).unwrap();
            assert_eq!(scanned(&path).unwrap(), records, "{length}");
            std::fs::write(&path, &lines[..lines.len() - 1]).unwrap();
            assert_eq!(scanned(&path).unwrap(), records[..2], "{length}");
        }
    }

    #[test]
    fn a_bad_line_is_named_wherever_it_is() {
        let (_directory, path, records) = journal();
        let whole = std::fs::read_to_string(&path).unwrap();
        for index in [0, 700, records.len() - 1] {
            let changed = whole.replace(
                &format!("{{\"number\":{index},"),
                &format!("{{\"number\":{},", index + 1_000_000),
            );
            std::fs::write(&path, changed).unwrap();
            // Lines are counted from one, and the header is the first.
            let expected = format!("has a line {} that does not follow", index + 2);
            let said = scanned(&path).unwrap_err();
            assert!(said.contains(&expected), "{said}");
        }
    }
}
