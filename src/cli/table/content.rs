//! Content of tables, which is read more than once.

use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes over which a table is refused that has to be kept in memory.
const MOST_KEPT: u64 = 256 << 20;

/// Bytes over which a row is refused.
const MOST_OF_ROW: u64 = 1 << 20;

/// Reads a file from its start, wherever others are in it.
pub(super) struct FromStart {
    pub(super) file: Arc<File>,
    offset: u64,
    /// Bytes that are read before the next row has to begin.
    allowed: u64,
}

impl FromStart {
    pub(super) fn new(file: &Arc<File>) -> Self {
        Self {
            file: file.clone(),
            offset: 0,
            allowed: u64::MAX,
        }
    }

    /// A row is read next.
    pub(super) fn allow_a_row(&mut self) {
        // With its newline, and so that its end can be seen.
        self.allowed = MOST_OF_ROW + 3;
    }
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowed == 0 {
            return Err(io::Error::other("it exceeds 1 MiB, the limit of a row"));
        }
        let most = usize::try_from(self.allowed).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        let length = self.file.read_at(&mut buffer[..most], self.offset)?;
        self.offset += length as u64;
        self.allowed -= length as u64;
        Ok(length)
    }
}

pub(super) fn exceeds(limit: &str) -> io::Error {
    let problem = format!("it exceeds {limit}, the limit of a table: split it");
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}

/// Copies to memory a file that can be read only once.
pub(super) fn kept(from: impl Read) -> io::Result<File> {
    let mut file = File::from(memfd_create("table", MemfdFlags::CLOEXEC)?);
    if io::copy(&mut from.take(MOST_KEPT + 1), &mut file)? > MOST_KEPT {
        return Err(exceeds("256 MiB"));
    }
    Ok(file)
}
