//! Reading a whole journal, on all cores.
//!
//! A line's check is made of the line itself and of the check that stands in the line before, so that
//! blocks of lines are read, checked and parsed independently of each other, each by a thread that uses
//! its memory again for the next. What comes of them is handed over in the journal's order.

use super::super::error::{FileError, StoreError};
use super::{MOST_OF_LINE, TAIL, TOO_LONG, follows, is_header, open_whole};
use memchr::{memchr, memchr_iter, memrchr};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Bytes of a block; a journal that is smaller is read without other threads.
const BLOCK: usize = 512 * 1024;
/// Bytes read at a time where a block's last line goes on behind it.
const STEP: usize = 8 * 1024;
/// Results that wait to be taken from a thread.
const PENDING: usize = 2;
/// More threads than this only wait for the one that takes.
const MOST_WORKERS: usize = 8;

/// Whole lines of a journal, one after the other.
pub(super) struct Block<'a> {
    /// The end of the line in front of them, with its check; empty in front of the first.
    pub(super) previous: &'a [u8],
    pub(super) lines: &'a [u8],
}

/// What was made of a block, and of how many lines.
struct Parsed<R> {
    made: Vec<R>,
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
    scan_lines(path, |line| serde_json::from_slice(line).map(Some), each)
}

/// As [`scan`], for what `read` makes of the lines, on any core; `None` is left out.
pub(in super::super) fn scan_lines<R: Send>(
    path: &Path,
    read: impl Fn(&[u8]) -> serde_json::Result<Option<R>> + Sync,
    mut each: impl FnMut(R),
) -> Result<(), StoreError> {
    let mut taken = Taken { path, lines: 0 };
    let work = |block: Block<'_>| parse(&block, &read);
    in_blocks(path, work, |block| taken.take(block, &mut each))
}

/// Has the blocks of a journal worked on by several threads, and takes what comes of them in the
/// journal's order.
pub(super) fn in_blocks<R: Send>(
    path: &Path,
    work: impl Fn(Block<'_>) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (journal, work) = (&Blocks::open(path)?, &work);
    let mut buffer = Buffer::default();
    let first = journal.block(0, &mut buffer)?;
    if first.lines.is_empty() {
        return Err(StoreError::damaged(path, "is empty or has no whole line"));
    }
    take(work(first))?;
    drop(buffer);
    if journal.count() <= 1 {
        return Ok(());
    }
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_WORKERS));
    thread::scope(|scope| {
        // Blocks are dealt in turn and collected in turn: that keeps their order.
        let results: Vec<_> = (0..workers)
            .map(|worker| {
                let (done, results) = sync_channel(PENDING);
                let blocks = (1 + worker as u64..journal.count()).step_by(workers);
                scope.spawn(move || work_on(journal, blocks, &done, work));
                results
            })
            .collect();
        for result in results.iter().cycle() {
            match result.recv() {
                Ok(result) => take(result?)?,
                Err(_) => break,
            }
        }
        Ok(())
    })
}

fn work_on<R>(
    journal: &Blocks<'_>,
    blocks: impl Iterator<Item = u64>,
    results: &SyncSender<Result<R, StoreError>>,
    work: &impl Fn(Block<'_>) -> R,
) {
    let mut buffer = Buffer::default();
    for index in blocks {
        let result = journal.block(index, &mut buffer).map(work);
        if results.send(result).is_err() {
            // A bad line was found; nobody wants the rest.
            break;
        }
    }
}

type ParsedBlock<R> = Result<Parsed<R>, BadLine>;

/// Checks the lines of a block, and reads them.
fn parse<R>(
    block: &Block<'_>,
    read: &impl Fn(&[u8]) -> serde_json::Result<Option<R>>,
) -> ParsedBlock<R> {
    let mut parsed = Parsed {
        made: Vec::new(),
        lines: 0,
    };
    let mut previous = block.previous;
    let mut start = 0;
    for newline in memchr_iter(b'\n', block.lines) {
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
        if !previous.is_empty() {
            let made = read(line).map_err(|error| bad(format!("can't be read: {error}")))?;
            parsed.made.extend(made);
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
    fn take<R>(
        &mut self,
        block: ParsedBlock<R>,
        each: &mut impl FnMut(R),
    ) -> Result<(), StoreError> {
        match block {
            Ok(Parsed { made, lines }) => {
                made.into_iter().for_each(each);
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

/// A journal as it was when it was opened, cut into blocks: a line is of the block in which it begins. What
/// is behind the last whole line is a writer's work in progress, or torn, and is left out.
struct Blocks<'a> {
    path: &'a Path,
    file: File,
    length: u64,
}

impl<'a> Blocks<'a> {
    fn open(path: &'a Path) -> Result<Self, StoreError> {
        let (file, length) = open_whole(path)?;
        Ok(Self { path, file, length })
    }

    fn count(&self) -> u64 {
        self.length.div_ceil(BLOCK as u64)
    }

    /// Reads the lines of a block, and the end of the one in front of them.
    fn block<'b>(&self, index: u64, buffer: &'b mut Buffer) -> Result<Block<'b>, StoreError> {
        let start = index * BLOCK as u64;
        // A line begins behind the newline of the one in front of it, which is of an earlier block.
        let before = if index == 0 { 0 } else { TAIL + 1 };
        let from = start - before as u64;
        buffer.filled = 0;
        self.read(from, before + BLOCK, buffer)?;
        let first = match before.checked_sub(1) {
            None => 0,
            Some(newline) => match memchr(b'\n', buffer.bytes().get(newline..).unwrap_or(b"")) {
                Some(behind) => newline + behind + 1,
                None => buffer.filled,
            },
        };
        if first < buffer.filled {
            self.finish_line(from, buffer)?;
        }
        let bytes = buffer.bytes();
        let end = memrchr(b'\n', &bytes[first..]).map_or(first, |newline| first + newline + 1);
        let newline = first.saturating_sub(1);
        Ok(Block {
            previous: &bytes[newline.saturating_sub(TAIL)..newline],
            lines: &bytes[first..end],
        })
    }

    /// Reads on to the end of the line that the buffer ends in, if it has one.
    fn finish_line(&self, from: u64, buffer: &mut Buffer) -> Result<(), StoreError> {
        while !buffer.bytes().ends_with(b"\n") {
            let held = buffer.filled;
            if held > MOST_OF_LINE {
                return Err(StoreError::damaged(self.path, TOO_LONG));
            }
            self.read(from, STEP, buffer)?;
            if buffer.filled == held {
                break;
            }
            if let Some(newline) = memchr(b'\n', &buffer.bytes()[held..]) {
                buffer.filled = held + newline + 1;
            }
        }
        Ok(())
    }

    /// Reads up to `length` bytes more into a buffer that begins at `from`.
    fn read(&self, from: u64, length: usize, buffer: &mut Buffer) -> Result<(), StoreError> {
        let wanted = buffer.filled + length;
        let left = self.length.saturating_sub(from);
        let wanted = usize::try_from(left).map_or(wanted, |left| wanted.min(left));
        if buffer.space.len() < wanted {
            buffer.space.resize(wanted, 0);
        }
        while buffer.filled < wanted {
            let rest = &mut buffer.space[buffer.filled..wanted];
            match self.file.read_at(rest, from + buffer.filled as u64) {
                // Its writer took back what was there when it was opened.
                Ok(0) => break,
                Ok(read) => buffer.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::of("read", self.path)(error).into()),
            }
        }
        Ok(())
    }
}

/// Memory that is used again for block after block.
#[derive(Default)]
struct Buffer {
    space: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        &self.space[..self.filled]
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
