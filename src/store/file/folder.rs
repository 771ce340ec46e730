//! A folder in the making.

use super::{
    FileError, Uncommitted, create_directories, create_directory, folder_of, hidden_name,
    is_linked, remove_directory, rename_new, rename_onto_empty, stands, sync_directory,
};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A folder that stands under a hidden name until [`StagedFolder::commit`].
///
/// Who makes it holds a lock on it: what was left by one that was killed has no lock, and the next clears
/// it away.
pub(crate) struct StagedFolder {
    hidden: PathBuf,
    path: PathBuf,
    replaces_empty: bool,
    committed: bool,
    _lock: File,
}

impl StagedFolder {
    /// Begins a folder, in whose place there is none, or an empty one.
    pub(crate) fn new(path: &Path) -> Result<Self, FileError> {
        let hidden = hidden_name(path).map_err(FileError::of("create", path))?;
        let replaces_empty = stands(path)?;
        create_directories(folder_of(path))?;
        let lock = make(&hidden)?;
        Ok(Self {
            hidden,
            path: path.to_owned(),
            replaces_empty,
            committed: false,
            _lock: lock,
        })
    }

    /// Its hidden name.
    pub(crate) fn hidden(&self) -> &Path {
        &self.hidden
    }

    /// Gives it its name; what is in it is durable by now.
    pub(crate) fn commit(mut self) -> Result<(), Uncommitted> {
        sync_directory(&self.hidden)?;
        if self.replaces_empty {
            rename_onto_empty(&self.hidden, &self.path)?;
        } else {
            rename_new(&self.hidden, &self.path)?;
        }
        self.committed = true;
        sync_directory(folder_of(&self.path)).map_err(|source| Uncommitted {
            in_place: Some(self.path.clone()),
            source,
        })
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.committed {
            // Whatever made it fail has been reported; a leftover is cleared away by the next.
            let _ = remove_directory(&self.hidden);
        }
    }
}

/// Makes a folder under its hidden name, for this process alone.
fn make(hidden: &Path) -> Result<File, FileError> {
    loop {
        match create_directory(hidden, 0o777) {
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

/// Locks a folder, unless another process has taken it for a leftover and removed it.
fn lock(hidden: &Path) -> Result<Option<File>, FileError> {
    let folder = match File::open(hidden) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::of("open", hidden)(error)),
    };
    let locked = loop {
        match folder.try_lock() {
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let busy = io::Error::other("another process is making it");
            return Err(FileError::of("create", hidden)(busy));
        }
        Err(TryLockError::Error(error)) => return Err(FileError::of("lock", hidden)(error)),
    }
    let is_there = is_linked(&folder, hidden).map_err(FileError::of("look at", hidden))?;
    Ok(is_there.then_some(folder))
}
