//! Files that only grow.

use super::open::open_own;
use crate::store::error::{FileError, Uncommitted};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that only grows.
pub(crate) struct Appending {
    file: File,
    path: PathBuf,
}

impl Appending {
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let file = open_own(path, OpenOptions::new().read(true).append(true))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Opens it to read it, for which no right to write is needed.
    pub(crate) fn open_to_read(path: &Path) -> Result<Self, FileError> {
        Ok(Self {
            file: File::open(path).map_err(FileError::of("open", path))?,
            path: path.to_owned(),
        })
    }

    pub(crate) fn into_file(self) -> File {
        self.file
    }

    pub(crate) fn len(&self) -> Result<u64, FileError> {
        Ok(self
            .file
            .metadata()
            .map_err(FileError::of("read", &self.path))?
            .len())
    }

    pub(crate) fn unreadable(&self, problem: &'static str) -> FileError {
        FileError::of("read", &self.path)(io::Error::other(problem))
    }

    /// Reads up to `length` bytes in front of `end`.
    pub(crate) fn read_before(&self, end: u64, length: u64) -> Result<Vec<u8>, FileError> {
        let start = end.saturating_sub(length);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(FileError::of("read", &self.path))?;
        Ok(bytes)
    }

    /// Makes the file durable, whoever wrote it.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync_all()
            .map_err(FileError::of("sync", &self.path))
    }

    /// Appends what `write` writes, durably; on failure the file is cut back.
    pub(crate) fn append(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Uncommitted> {
        let before = self.len()?;
        let appended = write(&mut &self.file)
            .map_err(FileError::of("write", &self.path))
            .and_then(|()| {
                self.file
                    .sync_data()
                    .map_err(FileError::of("sync", &self.path))
            });
        appended.map_err(|source| {
            // What failed first is the one to report.
            let is_cut_back = self.truncate(before).is_ok();
            Uncommitted {
                in_place: (!is_cut_back).then(|| self.path.clone()),
                source,
            }
        })
    }

    /// Cuts the file to `length` bytes and makes that durable.
    pub(crate) fn truncate(&self, length: u64) -> Result<(), FileError> {
        self.file
            .set_len(length)
            .map_err(FileError::of("cut", &self.path))?;
        self.file
            .sync_data()
            .map_err(FileError::of("sync", &self.path))
    }
}
