//! Archives: POSIX tar, of regular files and directories alone, whose content is bound by digests.
//!
//! Behind every [`GROUP`] files, and behind the last, stands a file of their SHA-256 hashes, as `sha256sum`
//! writes it; the last entry of all says how many files there are. That way an archive is written and
//! read in one go, and neither takes more memory the more there is. What is read has to be what was
//! written here, to the byte: two programs that read a header in two ways can't be played off against
//! each other.

mod reader;
mod sums;
mod writer;

pub(super) use reader::{Next, Reader};
pub(super) use writer::Writer;

use super::error::{FileError, StoreError};
use std::io;
use tar::{EntryType, Header};

/// Bytes of a header, of which what a file holds is filled up to a multiple.
const BLOCK: usize = 512;

/// Bytes that are copied at a time.
const WINDOW: usize = 256 * 1024;

/// Files whose hashes stand together.
const GROUP: usize = 1000;

/// What the directory with the files of hashes is called.
const SUMS: &str = "sums/";

/// The last entry.
const END: &str = "end.json";

/// What an entry's header says.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its path in the archive.
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) mode: u32,
    /// Seconds since 1970.
    pub(super) modified: u64,
    pub(super) size: u64,
}

impl Entry {
    /// The header: that of nobody's file, so that it says nothing of the machine.
    fn header(&self) -> io::Result<Header> {
        let mut header = Header::new_ustar();
        header.set_path(&self.name)?;
        header.set_entry_type(if self.is_directory {
            EntryType::Directory
        } else {
            EntryType::Regular
        });
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.modified);
        header.set_size(self.size);
        header.set_cksum();
        Ok(header)
    }
}

/// Why an archive was not written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the archive is written to does not take it.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<FileError> for BackupError {
    fn from(error: FileError) -> Self {
        Self::Store(error.into())
    }
}

/// Bytes between a file's last one and the next header.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).expect("less than a block");
    (BLOCK - over) % BLOCK
}
