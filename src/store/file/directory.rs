//! A directory in the making.

use super::access::Access;
use super::hidden::{hidden_name, is_linked, try_lock};
use super::names::{
    create_directories, create_directory, directory_of, open_to_readers, remove_directory,
    rename_new, rename_onto_empty, sync_directory,
};
use super::open::open_itself_to_read;
use super::read::stands;
use crate::store::error::{FileError, Uncommitted};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Directory that stands under a hidden name until [`StagedDirectory::commit`].
///
/// Its process holds a lock on it: a leftover of a killed process has no lock, and the next one removes
/// it. Until the commit nobody else gets into it, and so nobody else can lock it.
pub(crate) struct StagedDirectory {
    hidden: PathBuf,
    path: PathBuf,
    replaces_empty: bool,
    committed: bool,
    _lock: File,
}

impl StagedDirectory {
    pub(crate) fn new(path: &Path) -> Result<Self, FileError> {
        let hidden = hidden_name(path, 0).map_err(FileError::of("create", path))?;
        let replaces_empty = stands(path)?;
        create_directories(directory_of(path), Access::Umask)?;
        let lock = make(&hidden)?;
        Ok(Self {
            hidden,
            path: path.to_owned(),
            replaces_empty,
            committed: false,
            _lock: lock,
        })
    }

    pub(crate) fn hidden(&self) -> &Path {
        &self.hidden
    }

    /// Gives it its name; its files are durable by now.
    pub(crate) fn commit(mut self) -> Result<(), Uncommitted> {
        open_to_readers(&self.hidden)?;
        sync_directory(&self.hidden)?;
        if self.replaces_empty {
            rename_onto_empty(&self.hidden, &self.path)?;
        } else {
            rename_new(&self.hidden, &self.path)?;
        }
        self.committed = true;
        sync_directory(directory_of(&self.path)).map_err(|source| Uncommitted {
            in_place: Some(self.path.clone()),
            source,
        })
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        if !self.committed {
            // Whatever made it fail has been reported; a leftover is removed by the next.
            let _ = remove_directory(&self.hidden);
        }
    }
}

/// Makes a directory under its hidden name, for this process alone.
fn make(hidden: &Path) -> Result<File, FileError> {
    loop {
        match create_directory(hidden, Access::Owner) {
            Ok(()) => {
                let locked = lock(hidden).inspect_err(|_| {
                    // What failed is the one to report.
                    let _ = remove_directory(hidden);
                })?;
                if let Some(lock) = locked {
                    return Ok(lock);
                }
            }
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(_lock) = lock(hidden)? {
                    remove_directory(hidden)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Locks a directory, unless another process has taken it for a leftover and removed it.
fn lock(hidden: &Path) -> Result<Option<File>, FileError> {
    let directory = match open_itself_to_read(hidden) {
        Ok(directory) => directory,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    if !try_lock(&directory).map_err(FileError::of("lock", hidden))? {
        let busy = io::Error::other("another process is making it");
        return Err(FileError::of("create", hidden)(busy));
    }
    let is_there = is_linked(&directory, hidden).map_err(FileError::of("look at", hidden))?;
    Ok(is_there.then_some(directory))
}
