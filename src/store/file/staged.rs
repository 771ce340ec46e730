//! Files in the making.

use super::access::{Access, Existing};
use super::hidden::open_hidden;
use super::names::{directory_of, give_first_name, rename_new, sync_directory};
use crate::store::error::{FileError, Uncommitted};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(crate) fn write(
    path: &Path,
    access: Access,
    existing: Existing,
    content: &[u8],
) -> Result<(), Uncommitted> {
    let mut staged = Staged::new(path, access, existing)?;
    staged
        .write_all(content)
        .map_err(FileError::of("write", path))?;
    staged.commit()
}

/// File in the making: it stands under a hidden name until [`Staged::commit`], or one of a
/// [`Group`](super::Group) perhaps under none.
///
/// The hidden name follows from the final one, and the writer holds a lock on it: a leftover of a killed
/// writer has no lock, and the next writer removes it. A name that is locked is left alone: anybody who
/// can read a file can lock it.
pub(crate) struct Staged {
    pub(super) file: File,
    pub(super) is_durable: bool,
    pub(super) hidden: Option<PathBuf>,
    pub(super) path: PathBuf,
    pub(super) existing: Existing,
    pub(super) is_new: bool,
    pub(super) committed: bool,
}

impl Staged {
    /// Starts a file. Its place is looked at now, so that nothing is written in vain, and again when it
    /// gets its name.
    pub(crate) fn new(path: &Path, access: Access, existing: Existing) -> Result<Self, FileError> {
        let is_new = refuse_unless_free(path, existing)?;
        let (hidden, file) = open_hidden(path, access).map_err(FileError::of("create", path))?;
        let staged = Self {
            file,
            is_durable: false,
            hidden: Some(hidden),
            path: path.to_owned(),
            existing,
            is_new,
            committed: false,
        };
        keep_readers(&staged.file, path, access).map_err(FileError::of("create", path))?;
        Ok(staged)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn fill(
        &mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), FileError> {
        write(self).map_err(FileError::of("write", &self.path))
    }

    /// Makes the file durable and gives it its name.
    pub(crate) fn commit(self) -> Result<(), Uncommitted> {
        commit_all(vec![self])
    }

    /// Makes its content durable, before it has its name.
    pub(crate) fn sync(&mut self) -> Result<(), FileError> {
        if !self.is_durable {
            self.file
                .sync_all()
                .map_err(FileError::of("sync", &self.path))?;
            self.is_durable = true;
        }
        Ok(())
    }

    fn give_name(&mut self) -> Result<(), FileError> {
        match (&self.hidden, self.existing) {
            (None, _) => give_first_name(&self.file, &self.path)?,
            (Some(hidden), Existing::Keep) => rename_new(hidden, &self.path)?,
            (Some(hidden), Existing::Replace) => {
                refuse_unless_free(&self.path, self.existing)?;
                fs::rename(hidden, &self.path).map_err(FileError::of("create", &self.path))?;
            }
        }
        self.committed = true;
        Ok(())
    }
}

/// Commits files: if one can't be, the new ones are removed.
pub(crate) fn commit_all(mut files: Vec<Staged>) -> Result<(), Uncommitted> {
    files.iter_mut().try_for_each(Staged::sync)?;
    for index in 0..files.len() {
        if let Err(source) = files[index].give_name() {
            let stays = |file: &&Staged| !file.is_new || fs::remove_file(&file.path).is_err();
            let staying: Vec<&Staged> = files[..index].iter().filter(stays).collect();
            return Err(Uncommitted {
                in_place: staying.first().map(|file| file.path.clone()),
                source,
            });
        }
    }
    let mut synced: Vec<&Path> = Vec::new();
    for file in &files {
        let directory = directory_of(&file.path);
        if !synced.contains(&directory) {
            sync_directory(directory).map_err(|source| Uncommitted {
                in_place: Some(file.path.clone()),
                source,
            })?;
            synced.push(directory);
        }
    }
    Ok(())
}

impl Write for Staged {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.is_durable = false;
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(hidden) = self.hidden.as_ref().filter(|_| !self.committed) {
            // Whatever made the file fail has been reported; a leftover is cleared by the next writer.
            let _ = fs::remove_file(hidden);
        }
    }
}

/// Keeps the readers of the file that is replaced: a server that reads a CRL or a bundle does not lose it
/// to the umask of a nightly job. Only the owner may write to it.
fn keep_readers(file: &File, path: &Path, access: Access) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if access != Access::Owner && found.is_file() => {
            file.set_permissions(fs::Permissions::from_mode(found.mode() & 0o644))
        }
        _ => Ok(()),
    }
}

/// Refuses a place in which a file could not come to be; nothing is changed.
pub(crate) fn check_place(path: &Path, existing: Existing) -> Result<(), FileError> {
    refuse_unless_free(path, existing).map(drop)
}

/// Returns whether the place of a result is free. A symbolic link, a device or a pipe is never replaced.
fn refuse_unless_free(path: &Path, existing: Existing) -> Result<bool, FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(FileError::of("create", path)(error)),
    };
    let refused = if existing == Existing::Keep {
        io::Error::new(io::ErrorKind::AlreadyExists, "it already exists")
    } else if !found.is_file() {
        io::Error::other("it exists and is not a regular file")
    } else {
        return Ok(false);
    };
    Err(FileError::of("create", path)(refused))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_leftover_of_a_killed_writer_is_cleared_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.crt");
        fs::write(directory.path().join(".a.crt.part"), "half").unwrap();
        write(&path, Access::Umask, Existing::Keep, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_replaced_unasked_and_links_never() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        write(&path, Access::Owner, Existing::Keep, b"1").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(write(&path, Access::Owner, Existing::Keep, b"2").is_err());
        write(&path, Access::Owner, Existing::Replace, b"3").unwrap();
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(write(&link, Access::Owner, Existing::Replace, b"4").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"3");
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let staged =
            Staged::new(&directory.path().join("a"), Access::Umask, Existing::Keep).unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
