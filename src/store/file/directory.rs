//! A directory in the making.

use super::access::Access;
use super::hidden::{hidden_name, is_linked, try_lock};
use super::names::{
    create_directories, create_directory, directory_of, exchange, open_to_readers,
    remove_directory, rename_new, rename_onto_empty, sync_directory,
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

impl StagedDirectory {
    /// Gives it the name of a directory, which is removed; its files are durable by now. Returns whether that was one
    /// step; on file systems that can't exchange two names, for a moment none has the name.
    pub(crate) fn commit_over(mut self) -> Result<bool, Uncommitted> {
        open_to_readers(&self.hidden)?;
        sync_directory(&self.hidden)?;
        // Under its hidden name the old directory is a leftover, which no other process may take while it is removed.
        let _old = lock(&self.path)?;
        let old = match exchange(&self.hidden, &self.path) {
            Ok(()) => None,
            Err(error) if is_unsupported(&error) => Some(self.move_aside()?),
            Err(error) => return Err(error.into()),
        };
        self.committed = true;
        let in_place = |source| Uncommitted {
            in_place: Some(self.path.clone()),
            source,
        };
        sync_directory(directory_of(&self.path)).map_err(in_place)?;
        let is_one_step = old.is_none();
        remove_directory(&old.unwrap_or_else(|| self.hidden.clone())).map_err(in_place)?;
        Ok(is_one_step)
    }

    /// Takes the place of the old directory in two steps; returns where that is then.
    fn move_aside(&self) -> Result<PathBuf, FileError> {
        let aside = hidden_name(&self.path, 1).map_err(FileError::of("create", &self.path))?;
        if stands(&aside)? {
            remove_directory(&aside)?;
        }
        rename_new(&self.path, &aside)?;
        rename_new(&self.hidden, &self.path).inspect_err(|_| {
            // Better the old directory than none.
            let _ = rename_new(&aside, &self.path);
        })?;
        Ok(aside)
    }
}

/// Returns whether a file system can't exchange two names.
fn is_unsupported(error: &FileError) -> bool {
    let kind = error.source.kind();
    matches!(
        kind,
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
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
                // If it fails, the directory is left to the next: another process may have replaced it by its own.
                if let Some(lock) = lock(hidden)? {
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
        let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another process is making it");
        return Err(FileError::of("create", hidden)(busy));
    }
    let is_there = is_linked(&directory, hidden).map_err(FileError::of("look at", hidden))?;
    Ok(is_there.then_some(directory))
}
