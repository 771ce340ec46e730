//! Reading files, and looking at what stands under a name.

use crate::store::error::FileError;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most bytes of a file that is read whole: more than any CRL has.
const MOST_READ: u64 = 512 << 20;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let read = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut content = Vec::new();
        if length <= MOST_READ {
            content.try_reserve_exact(usize::try_from(length).unwrap_or(0))?;
            // A pipe or a device has no length.
            let most = if length > 0 { length } else { MOST_READ + 1 };
            file.take(most).read_to_end(&mut content)?;
            if content.len() as u64 <= MOST_READ {
                return Ok(content);
            }
        }
        let problem = "it exceeds the limit of 512 MiB";
        Err(io::Error::new(io::ErrorKind::FileTooLarge, problem))
    };
    read().map_err(FileError::of("read", path))
}

/// Reads a whole file; `None` if there is none.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether anything has this name; an error if that can't be told.
pub(crate) fn stands(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some())
}

/// Returns whether a regular file has this name: not a symbolic link, a directory, a device or a pipe.
pub(crate) fn is_regular(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some_and(|found| found.is_file()))
}

/// Returns whether a directory has this name: not a symbolic link to one.
pub(crate) fn is_directory(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some_and(|found| found.is_dir()))
}

/// Lists everything below a directory but the directories; links are not followed.
pub(crate) fn files_below(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let failed = |error| FileError::of("read", &directory)(error);
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                directories.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

/// Lists the names in a directory that are UTF-8.
pub(in crate::store) fn names_in(directory: &Path) -> Result<Vec<String>, FileError> {
    names_read_as(directory, |name| Some(name.to_owned()))
}

/// Lists what is read from the names in a directory, which may be many.
pub(in crate::store) fn names_read_as<T>(
    directory: &Path,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, FileError> {
    let failed = |error| FileError::of("read", directory)(error);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.to_str().and_then(&read));
    }
    Ok(names)
}

pub(in crate::store) fn found(path: &Path) -> Result<Option<Metadata>, FileError> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(FileError::of("look at", path)(error)),
    }
}
