//! Hidden names of files in the making.

use super::access::Access;
use super::create::open_new;
use super::names::{directory_of, rename_new, sync_directory};
use super::open::open_itself_to_read;
use crate::store::error::FileError;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Returns a hidden name for a file in the making; other numbers than 0 are for when that name is taken.
pub(super) fn hidden_name(path: &Path, number: usize) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it is not the name of a file"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    if number > 0 {
        hidden.push(format!(".{number}"));
    }
    hidden.push(".part");
    Ok(path.with_file_name(hidden))
}

/// Hidden names for one file: more than one are taken only if others write it or lock leftovers.
const MOST_HIDDEN: usize = 64;

/// Opens a hidden file for this process alone.
pub(super) fn open_hidden(path: &Path, access: Access) -> io::Result<(PathBuf, File)> {
    for number in 0..MOST_HIDDEN {
        let hidden = hidden_name(path, number)?;
        if let Some(file) = claim(&hidden, access)? {
            return Ok((hidden, file));
        }
    }
    Err(io::Error::other(
        "other processes hold locks on all of its temporary files",
    ))
}

/// Makes and locks a hidden file; `None` if another process has locked what stands there.
fn claim(hidden: &Path, access: Access) -> io::Result<Option<File>> {
    loop {
        match open_new(hidden, access) {
            Ok(file) => {
                // Before the lock another writer may have taken it for a leftover.
                let is_ours = try_lock(&file)
                    .and_then(|locked| locked.then(|| is_linked(&file, hidden)).transpose())
                    .inspect_err(|_| {
                        // What failed is the one to report.
                        let _ = fs::remove_file(hidden);
                    })?;
                match is_ours {
                    Some(true) => return Ok(Some(file)),
                    Some(false) => {}
                    None => return Ok(None),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !clear_leftover(hidden)? {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Removes what an interrupted writer left; `false` if another process has locked it.
fn clear_leftover(hidden: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(hidden).is_ok_and(|found| found.is_file()) {
        return match fs::symlink_metadata(hidden) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::other(
                "its temporary name is taken by something that is not a file",
            )),
        };
    }
    let file = match open_itself_to_read(hidden) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(true),
        Err(error) => return Err(error.source),
    };
    if !try_lock(&file)? {
        return Ok(false);
    }
    if is_linked(&file, hidden)? {
        fs::remove_file(hidden)?;
    }
    Ok(true)
}

/// Moves a file that an interrupted writer left to another name; `false` if it is gone.
pub(crate) fn take_leftover_away(path: &Path, to: &Path) -> Result<bool, FileError> {
    let failed = || FileError::of("move", path);
    let file = match open_itself_to_read(path) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(false),
        Err(error) => return Err(failed()(error.source)),
    };
    if !try_lock(&file).map_err(failed())? {
        let busy = io::Error::other("another process holds a lock on it");
        return Err(failed()(busy));
    }
    if !is_linked(&file, path).map_err(failed())? {
        return Ok(false);
    }
    rename_new(path, to)?;
    sync_directory(directory_of(to))?;
    sync_directory(directory_of(path))?;
    Ok(true)
}

/// Locks a file that no other process has locked.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Returns whether the open file is still the one under its name.
pub(super) fn is_linked(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.ino() == own.ino() && found.dev() == own.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
