//! Pass over the lines of a journal, one behind the other or on all cores.
//!
//! A line's check is made of the line itself and of the check that stands in the line before, so that
//! blocks of lines are read, checked and parsed independently of each other, each by a thread that uses
//! its memory again for the next. Results are handed over in the journal's order.

use super::chain::{TAIL, follows};
use super::ending::{MOST_OF_LINE, TOO_LONG};
use super::tail::open_whole;
use crate::store::error::{FileError, StoreError};
use crate::store::record::Coverage;
use memchr::{memchr, memchr_iter, memrchr};
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// Bytes of a block; a journal that is smaller is read without other threads.
pub(super) const BLOCK: usize = 512 * 1024;
/// Bytes read at a time if a block's last line goes on behind it.
pub(super) const STEP: usize = 8 * 1024;
/// Results that a thread may be ahead of the one that takes them.
const QUEUED: usize = 2;
/// Most threads: more only wait for the one that takes.
const MOST_WORKERS: usize = 8;

/// Journal as it was when it was opened, cut into blocks: a line is of the block in which it begins. What
/// is behind the last whole line is a writer's work in progress, or torn, and is left out.
pub(super) struct Pass {
    path: PathBuf,
    file: File,
    begin: u64,
    end: u64,
}

/// Line of a journal.
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    /// Its place in the file.
    pub(super) begin: u64,
    /// End of the line in front of it, with its check.
    previous: Option<&'a [u8]>,
}

impl Line<'_> {
    pub(super) fn is_first(&self) -> bool {
        self.previous.is_none()
    }

    pub(super) fn follows(&self) -> bool {
        follows(self.text, self.previous).is_some()
    }

    /// Returns whether this is the line in front of it again.
    pub(super) fn is_repeated(&self) -> bool {
        let tail = self.text.len().checked_sub(TAIL);
        let tail = tail.map(|start| &self.text[start..]);
        tail.is_some_and(|tail| self.previous.is_some_and(|line| line.ends_with(tail)))
    }

    pub(super) fn bad(&self, problem: impl Into<String>) -> BadLine {
        BadLine {
            begin: self.begin,
            problem: problem.into(),
        }
    }
}

/// Problem of the line that begins at a place of the file.
pub(super) struct BadLine {
    begin: u64,
    problem: String,
}

/// Memory for one block after the other.
#[derive(Default)]
pub(super) struct Buffer {
    space: Vec<u8>,
    filled: usize,
    /// Whole lines among the filled bytes.
    pub(super) lines: Range<usize>,
    /// Place in the file of the first byte.
    from: u64,
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        &self.space[..self.filled]
    }

    /// Returns the lines in a part of the buffer.
    pub(super) fn text(&self, range: Range<usize>) -> &[u8] {
        &self.space[range]
    }

    /// Returns the line in a part of the buffer.
    pub(super) fn line(&self, range: Range<usize>) -> Line<'_> {
        let begin = self.from + range.start as u64;
        let newline = range.start.saturating_sub(1);
        let previous = &self.space[newline.saturating_sub(TAIL)..newline];
        Line {
            text: &self.space[range],
            begin,
            previous: (begin > 0).then_some(previous),
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut start = self.lines.start;
        memchr_iter(b'\n', self.text(self.lines.clone())).map(move |newline| {
            let end = self.lines.start + newline;
            self.line(std::mem::replace(&mut start, end + 1)..end)
        })
    }
}

/// Returns the number of threads that work on a journal.
fn workers() -> usize {
    // Counting cores reads files.
    static WORKERS: OnceLock<usize> = OnceLock::new();
    let count = || thread::available_parallelism().map_or(1, NonZero::get);
    *WORKERS.get_or_init(|| count().min(MOST_WORKERS))
}

impl Pass {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let (file, end) = open_whole(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            begin: 0,
            end,
        })
    }

    /// Opens a journal behind a place that was noted; nothing before it is read.
    pub(super) fn behind(path: &Path, place: &Coverage) -> Result<Self, StoreError> {
        let begin = place.length;
        Ok(Self {
            begin,
            ..Self::open(path)?
        })
    }

    pub(super) fn damaged(&self, problem: impl Into<String>) -> StoreError {
        StoreError::damaged(&self.path, problem)
    }

    pub(super) fn count(&self) -> u64 {
        let length = self.end.saturating_sub(self.begin);
        length.div_ceil(BLOCK as u64)
    }

    /// Has the blocks of the journal worked on by several threads, and takes the results in the journal's
    /// order.
    pub(super) fn in_blocks<R: Send>(
        &self,
        work: impl Fn(&Buffer) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let work = &work;
        let mut first = Buffer::default();
        self.fill(0, &mut first)?;
        if first.lines.is_empty() {
            return Err(self.damaged("is empty or has no whole line"));
        }
        take(work(&first))?;
        drop(first);
        if self.count() <= 1 {
            return Ok(());
        }
        let workers = workers();
        thread::scope(|scope| {
            // Blocks are dealt in turn and collected in turn: that keeps their order.
            let results: Vec<_> = (0..workers)
                .map(|worker| {
                    let (done, results) = sync_channel(QUEUED);
                    let blocks = (1 + worker as u64..self.count()).step_by(workers);
                    scope.spawn(move || self.work_on(blocks, &done, work));
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
        &self,
        blocks: impl Iterator<Item = u64>,
        results: &SyncSender<Result<R, StoreError>>,
        work: &impl Fn(&Buffer) -> R,
    ) {
        let mut buffer = Buffer::default();
        for index in blocks {
            let result = self.fill(index, &mut buffer).map(|()| work(&buffer));
            if results.send(result).is_err() {
                // A bad line was found; nobody wants the rest.
                break;
            }
        }
    }

    /// Has blocks worked on by this thread and by others, from one on until as many results as are `enough` were
    /// made; returns those of each block in the journal's order. `buffers` keeps their memory for the next time.
    pub(super) fn in_round<R: Send>(
        &self,
        from: u64,
        enough: usize,
        buffers: &mut Vec<Buffer>,
        work: impl Fn(&Buffer) -> Vec<R> + Sync,
    ) -> Vec<Result<Vec<R>, StoreError>> {
        let (count, next, made) = (self.count(), AtomicU64::new(from), AtomicUsize::new(0));
        let done = Mutex::new(Vec::new());
        let take_turns = |buffer: &mut Buffer| {
            while made.load(Ordering::Relaxed) < enough {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                let results = self.fill(index, buffer).map(|()| work(buffer));
                made.fetch_add(results.as_ref().map_or(enough, Vec::len), Ordering::Relaxed);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((index, results));
            }
        };
        let threads = if count > from + 1 { workers() } else { 1 };
        if buffers.len() < threads {
            buffers.resize_with(threads, Buffer::default);
        }
        thread::scope(|scope| {
            let (own, others) = buffers.split_at_mut(1);
            let take_turns = &take_turns;
            for buffer in &mut others[..threads - 1] {
                // If it does not start, the others do what is left.
                let _ = thread::Builder::new().spawn_scoped(scope, move || take_turns(buffer));
            }
            take_turns(&mut own[0]);
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, results)| results).collect()
    }

    /// Reads the lines of a block, and the end of the one in front of them.
    pub(super) fn fill(&self, index: u64, buffer: &mut Buffer) -> Result<(), StoreError> {
        let start = self.begin + index * BLOCK as u64;
        // A line begins behind the newline of the one in front of it, which is of an earlier block.
        let before = usize::try_from(start).map_or(TAIL + 1, |start| start.min(TAIL + 1));
        buffer.from = start - before as u64;
        buffer.filled = 0;
        self.read(before + BLOCK, buffer)?;
        let first = match before.checked_sub(1) {
            None => 0,
            Some(newline) => match memchr(b'\n', buffer.bytes().get(newline..).unwrap_or(b"")) {
                Some(behind) => newline + behind + 1,
                None => buffer.filled,
            },
        };
        if first < buffer.filled {
            self.finish_line(buffer)?;
        }
        let end = memrchr(b'\n', &buffer.bytes()[first..]);
        buffer.lines = first..end.map_or(first, |newline| first + newline + 1);
        Ok(())
    }

    /// Reads on to the end of the line that the buffer ends in, if it has one.
    fn finish_line(&self, buffer: &mut Buffer) -> Result<(), StoreError> {
        while !buffer.bytes().ends_with(b"\n") {
            let held = buffer.filled;
            if held > MOST_OF_LINE {
                return Err(self.damaged(TOO_LONG));
            }
            self.read(STEP, buffer)?;
            if buffer.filled == held {
                break;
            }
            if let Some(newline) = memchr(b'\n', &buffer.bytes()[held..]) {
                buffer.filled = held + newline + 1;
            }
        }
        Ok(())
    }

    /// Reads up to `length` bytes more into a buffer.
    fn read(&self, length: usize, buffer: &mut Buffer) -> Result<(), StoreError> {
        let wanted = buffer.filled + length;
        let left = self.end.saturating_sub(buffer.from);
        let wanted = usize::try_from(left).map_or(wanted, |left| wanted.min(left));
        if buffer.space.len() < wanted {
            buffer.space.resize(wanted, 0);
        }
        while buffer.filled < wanted {
            let rest = &mut buffer.space[buffer.filled..wanted];
            match self.file.read_at(rest, buffer.from + buffer.filled as u64) {
                // Its writer took back what was there when it was opened.
                Ok(0) => break,
                Ok(read) => buffer.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::of("read", &self.path)(error).into()),
            }
        }
        Ok(())
    }

    /// Names a bad line by its number, which nobody has counted.
    pub(super) fn bad(&self, line: &BadLine) -> StoreError {
        let BadLine { begin, problem } = line;
        let number = self.line_at(*begin);
        let which = number.map_or_else(|| "a line".into(), |number| format!("a line {number}"));
        self.damaged(format!("has {which} that {problem}"))
    }

    /// Returns the number of the line that begins at a place of the file.
    fn line_at(&self, begin: u64) -> Option<usize> {
        let mut lines = File::open(&self.path).ok()?.take(begin);
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
