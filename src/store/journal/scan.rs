//! Reading a whole journal, on all cores.
//!
//! A line's check is made of the line itself and of the check that stands in the line before, so that
//! blocks of lines are checked and parsed independently of each other. Records are handed over in
//! the journal's order; what is held in memory is a few blocks.

use super::super::error::{FileError, StoreError};
use super::{TAIL, follows, is_header};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Octets of a block; a journal that is smaller is read without other threads.
const BLOCK: usize = 512 * 1024;
/// Blocks that wait for a worker, and results that wait to be taken from it.
const WAITING: usize = 2;
/// More threads than this only wait for the one that reads.
const MOST_WORKERS: usize = 8;

/// Whole lines of a journal, one after the other.
pub(super) struct Block {
    /// The end of the line in front of them, with its check; empty in front of the first.
    pub(super) previous: Vec<u8>,
    pub(super) lines: Vec<u8>,
}

/// The records of a block, and of how many lines they are.
struct Parsed<T> {
    records: Vec<T>,
    lines: usize,
}

/// What is wrong with a line, counted from the block's first.
struct BadLine {
    index: usize,
    problem: String,
}

/// Calls `each` for every record of a journal, in order, after proof that every line follows from the
/// one before. Takes no lock.
pub(in super::super) fn scan<T: DeserializeOwned + Send>(
    path: &Path,
    each: impl FnMut(T),
) -> Result<(), StoreError> {
    scan_where(path, |_| true, each)
}

/// As [`scan`], for the records whose lines are wanted.
pub(in super::super) fn scan_where<T: DeserializeOwned + Send>(
    path: &Path,
    is_wanted: impl Fn(&[u8]) -> bool + Sync,
    mut each: impl FnMut(T),
) -> Result<(), StoreError> {
    let mut taken = Taken { path, lines: 0 };
    let work = |block: Block| parse(&block, &is_wanted);
    in_blocks(path, work, |block| taken.take(block, &mut each))
}

/// Has the blocks of a journal worked on by several threads, and takes what comes of them in the
/// journal's order.
pub(super) fn in_blocks<R: Send>(
    path: &Path,
    work: impl Fn(Block) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let work = &work;
    let mut blocks = Blocks::open(path)?;
    let Some(first) = blocks.next().transpose()? else {
        return Err(StoreError::damaged(path, "is empty or has no whole line"));
    };
    take(work(first))?;
    if blocks.at_end {
        return Ok(());
    }
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_WORKERS));
    thread::scope(|scope| {
        let (senders, results): (Vec<_>, Vec<_>) = (0..workers)
            .map(|_| {
                let (sender, blocks) = sync_channel(WAITING);
                let (done, results) = sync_channel(WAITING);
                scope.spawn(move || work_on(&blocks, &done, work));
                (sender, results)
            })
            .unzip();
        scope.spawn(move || deal(blocks, &senders));
        // Blocks are dealt in turn and collected in turn: that keeps their order.
        for result in results.iter().cycle() {
            match result.recv() {
                Ok(result) => take(result?)?,
                Err(_) => break,
            }
        }
        Ok(())
    })
}

fn deal(blocks: Blocks<'_>, senders: &[SyncSender<Result<Block, StoreError>>]) {
    for (block, sender) in blocks.zip(senders.iter().cycle()) {
        if sender.send(block).is_err() {
            // A bad line was found; nobody wants the rest.
            break;
        }
    }
}

fn work_on<R>(
    blocks: &Receiver<Result<Block, StoreError>>,
    results: &SyncSender<Result<R, StoreError>>,
    work: &impl Fn(Block) -> R,
) {
    for block in blocks {
        if results.send(block.map(work)).is_err() {
            break;
        }
    }
}

type ParsedBlock<T> = Result<Parsed<T>, BadLine>;

/// Checks the lines of a block, and parses those that are wanted.
fn parse<T: DeserializeOwned>(block: &Block, is_wanted: &impl Fn(&[u8]) -> bool) -> ParsedBlock<T> {
    let mut parsed = Parsed {
        records: Vec::new(),
        lines: 0,
    };
    let mut previous = block.previous.as_slice();
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', &block.lines) {
        let line = &block.lines[start..newline];
        let bad = |problem: String| BadLine {
            index: parsed.lines,
            problem,
        };
        if previous.is_empty() && !is_header(line) {
            return Err(bad("is not a journal's header".into()));
        }
        if follows(line, previous).is_none() {
            return Err(bad("does not follow from the one before".into()));
        }
        if !previous.is_empty() && is_wanted(line) {
            let record = serde_json::from_slice(line)
                .map_err(|error| bad(format!("can't be read: {error}")))?;
            parsed.records.push(record);
        }
        parsed.lines += 1;
        previous = line;
        start = newline + 1;
    }
    Ok(parsed)
}

/// Counts lines, to tell which one is bad.
struct Taken<'a> {
    path: &'a Path,
    lines: usize,
}

impl Taken<'_> {
    fn take<T>(
        &mut self,
        block: ParsedBlock<T>,
        each: &mut impl FnMut(T),
    ) -> Result<(), StoreError> {
        match block {
            Ok(Parsed { records, lines }) => {
                records.into_iter().for_each(each);
                self.lines += lines;
                Ok(())
            }
            Err(BadLine { index, problem }) => {
                let number = self.lines + index + 1;
                let problem = format!("has a line {number} that {problem}");
                Err(StoreError::damaged(self.path, problem))
            }
        }
    }
}

/// A journal cut into blocks of whole lines; what has no newline at its end is a writer's work in
/// progress, or torn, and is left out.
struct Blocks<'a> {
    path: &'a Path,
    file: File,
    /// The beginning of a line whose end is in the next block.
    rest: Vec<u8>,
    previous: Vec<u8>,
    at_end: bool,
}

impl<'a> Blocks<'a> {
    fn open(path: &'a Path) -> Result<Self, StoreError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::damaged(path, "is missing"));
            }
            Err(error) => return Err(FileError::of("open", path)(error).into()),
        };
        Ok(Self {
            path,
            file,
            rest: Vec::new(),
            previous: Vec::new(),
            at_end: false,
        })
    }

    /// Reads until there is a whole line, and at least a block where the file has as much.
    fn fill(&mut self) -> Result<Option<Block>, StoreError> {
        let mut lines = std::mem::take(&mut self.rest);
        while !self.at_end {
            let before = lines.len();
            lines.reserve(BLOCK);
            let read = (&self.file)
                .take(BLOCK as u64)
                .read_to_end(&mut lines)
                .map_err(FileError::of("read", self.path))?;
            self.at_end = read < BLOCK;
            if let Some(newline) = memchr::memrchr(b'\n', &lines[before..]) {
                self.rest = lines.split_off(before + newline + 1);
                return Ok(Some(self.cut(lines)));
            }
        }
        Ok(None)
    }

    fn cut(&mut self, lines: Vec<u8>) -> Block {
        let tail = lines.len().saturating_sub(TAIL + 1);
        let last = lines[tail..lines.len() - 1].to_vec();
        Block {
            previous: std::mem::replace(&mut self.previous, last),
            lines,
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::start;
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issued.jsonl");
        let lines = start("issued", "ca", &records);
        assert!(lines.len() > 6 * BLOCK);
        std::fs::write(&path, lines).unwrap();
        (folder, path, records)
    }

    fn scanned(path: &Path) -> Result<Vec<Record>, String> {
        let mut all = Vec::new();
        scan(path, |record| all.push(record)).map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn every_record_comes_in_its_turn() {
        let (_folder, path, records) = journal();
        assert_eq!(scanned(&path).unwrap(), records);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"number\":");
        std::fs::write(&path, torn).unwrap();
        assert_eq!(scanned(&path).unwrap(), records);
    }

    #[test]
    fn a_bad_line_is_named_wherever_it_is() {
        let (_folder, path, records) = journal();
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
