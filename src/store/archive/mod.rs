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

/// Bytes of a header; the content of a file is filled up to a multiple.
const BLOCK: usize = 512;

const WINDOW: usize = 256 * 1024;

/// Files whose hashes stand together.
const GROUP: usize = 1000;

/// Directory with the files of hashes.
const SUMS: &str = "sums/";

const END: &str = "end.json";

/// Header of an entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) mode: u32,
    pub(super) modified: u64,
    pub(super) size: u64,
}

impl Entry {
    /// Returns the header, with nobody as owner, so that it says nothing of the machine.
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

/// Error of writing an archive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
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
