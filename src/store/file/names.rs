//! Directories, and the names in them.

use super::access::Access;
use super::read::stands;
use crate::store::error::FileError;
use rustix::fs::{
    AtFlags, CWD, Mode, RenameFlags, StatVfsMountFlags, fstatvfs, linkat, renameat_with,
};
use rustix::process::umask;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Directory in which the system shows the files that a process has open, under their numbers.
pub(super) const OPEN_FILES: &str = "/proc/self/fd";

/// Makes a file or the names in a directory durable, whoever wrote them. On a file system that is mounted
/// read-only nothing is lost.
pub(crate) fn sync(path: &Path) -> Result<(), FileError> {
    let file = File::open(path).map_err(FileError::of("open", path))?;
    match file.sync_all() {
        Err(_) if is_read_only(&file) => Ok(()),
        other => other.map_err(FileError::of("sync", path)),
    }
}

/// Returns whether an open file is on a file system that is mounted read-only; some refuse to sync.
fn is_read_only(file: &File) -> bool {
    fstatvfs(file).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Makes a directory; its parent is not synced.
pub(crate) fn create_directory(path: &Path, access: Access) -> Result<(), FileError> {
    fs::DirBuilder::new()
        .mode(access.directory_mode())
        .create(path)
        .map_err(FileError::of("create", path))
}

/// Makes a directory and the missing ones above it, durably.
pub(crate) fn create_directories(path: &Path, access: Access) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return sync_name_if_new(path),
        Ok(_) => {
            let not_a_directory = io::ErrorKind::NotADirectory.into();
            return Err(FileError::of("use", path)(not_a_directory));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FileError::of("look at", path)(error));
        }
        _ => {}
    }
    let mut missing: Vec<&Path> = Vec::new();
    for ancestor in path.ancestors() {
        if ancestor.as_os_str().is_empty() || stands(ancestor)? {
            break;
        }
        missing.push(ancestor);
    }
    let above = missing.last().map_or(path, |made| directory_of(made));
    sync_name_if_new(above)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(access.directory_mode())
        .create(path)
        .map_err(FileError::of("create", path))?;
    missing
        .iter()
        .try_for_each(|made| sync_directory(directory_of(made)))
}

/// Makes a directory's name durable if a process may have been killed that had made it and not synced
/// it: then nothing is in it, or one directory of which the same is true.
fn sync_name_if_new(path: &Path) -> Result<(), FileError> {
    let mut path = path;
    while path.file_name().is_some() {
        let entries = fs::read_dir(path).map_or(2, |entries| entries.take(2).count());
        if entries > 1 {
            break;
        }
        match sync(directory_of(path)) {
            // Whoever may not look into the directory above did not make this one.
            Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => break,
            other => other?,
        }
        path = directory_of(path);
    }
    Ok(())
}

pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let directory = File::open(path).map_err(FileError::of("open", path))?;
    directory.sync_all().map_err(FileError::of("sync", path))
}

/// Gives a file or directory its final name, where nothing may stand.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    use rustix::io::Errno;
    let renamed = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => rename_new_without_flag(from, to),
        other => other.map_err(io::Error::from),
    };
    renamed.map_err(FileError::of("create", to))
}

/// Gives a directory the name of an empty one, which it replaces.
pub(crate) fn rename_onto_empty(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::of("create", to))
}

/// Gives each of two directories the name of the other, in one step.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<(), FileError> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| FileError::of("replace", other)(error.into()))
}

/// Does the same on file systems without the flag. A link never replaces a file; a directory is never
/// renamed onto one that is not empty.
fn rename_new_without_flag(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_dir() {
        return match fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        };
    }
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

pub(crate) fn remove_directory(path: &Path) -> Result<(), FileError> {
    fs::remove_dir_all(path).map_err(FileError::of("remove", path))
}

/// Returns the directory of a path's last part.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// Gives a directory the permissions of a new one of the store.
pub(super) fn open_to_readers(directory: &Path) -> Result<(), FileError> {
    // The umask can only be read by setting it.
    let old = umask(Mode::RWXG | Mode::RWXO);
    umask(old);
    let mode = Access::Store.directory_mode() & !old.bits();
    fs::set_permissions(directory, fs::Permissions::from_mode(mode))
        .map_err(FileError::of("change the permissions of", directory))
}

/// Gives a file that has no name its first, where nothing may stand.
pub(super) fn give_first_name(file: &File, path: &Path) -> Result<(), FileError> {
    let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)
        .map_err(|error| FileError::of("create", path)(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_new_name_never_takes_the_place_of_another() {
        type Rename = fn(&Path, &Path) -> Result<(), FileError>;
        let without_flag: Rename =
            |from, to| rename_new_without_flag(from, to).map_err(FileError::of("create", to));
        for rename in [rename_new as Rename, without_flag] {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            fs::write(path("new"), "new").unwrap();
            fs::write(path("old"), "old").unwrap();
            fs::create_dir(path("directory")).unwrap();
            symlink(path("nowhere"), path("link")).unwrap();
            for taken in ["old", "directory", "link"] {
                assert!(rename(&path("new"), &path(taken)).is_err(), "{taken}");
                assert_eq!(fs::read(path("new")).unwrap(), b"new");
            }
            assert_eq!(fs::read(path("old")).unwrap(), b"old");
            assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
            assert!(rename(&path("directory"), &path("old")).is_err());
            rename(&path("new"), &path("free")).unwrap();
            assert_eq!(fs::read(path("free")).unwrap(), b"new");
            assert!(!path("new").exists());
        }
    }
}
