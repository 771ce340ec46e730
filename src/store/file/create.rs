//! Files under their final names.

use super::access::Access;
use super::open::{Suspect, open_itself_to_read, open_own};
use crate::store::error::FileError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a file under its final name; durable once its directory is synced.
///
/// For places that no one looks into before something else says that the file is there.
pub(crate) fn create(path: &Path, access: Access, content: &[u8]) -> Result<(), FileError> {
    create_filled(path, access, |file| file.write_all(content))
}

/// Does the same as [`create`] for content that is made as it is written.
pub(crate) fn create_filled(
    path: &Path,
    access: Access,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    let mut file = open_new(path, access).map_err(FileError::of("create", path))?;
    let written = fill(&mut file)
        .map_err(FileError::of("write", path))
        .and_then(|()| file.sync_all().map_err(FileError::of("sync", path)));
    if written.is_err() {
        // Half a file is worse than none; the first failure is the one to report.
        let _ = fs::remove_file(path);
    }
    written
}

/// Gives a file a second name.
pub(crate) fn link(path: &Path, name: &Path) -> Result<(), FileError> {
    fs::hard_link(path, name).map_err(FileError::of("create", name))
}

pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    fs::remove_file(path).map_err(FileError::of("remove", path))
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match remove(path) {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}

pub(super) fn open_new(path: &Path, access: Access) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(access.mode())
        .open(path)
}

/// Writes over a file of the same length and makes it durable: one sector, one sync.
pub(crate) fn overwrite(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let file = open_own(path, OpenOptions::new().write(true))?;
    file.write_all_at(content, 0)
        .map_err(FileError::of("write", path))?;
    file.sync_data().map_err(FileError::of("sync", path))
}

/// Takes permissions away from a file or directory: what is not in `mode`.
pub(crate) fn tighten(path: &Path, mode: u32) -> Result<(), FileError> {
    let failed = || FileError::of("change the permissions of", path);
    let file = open_itself_to_read(path).map_err(|error| failed()(error.source))?;
    let found = file.metadata().map_err(failed())?;
    if found.is_file() && found.nlink() > 1 {
        return Err(failed()(io::Error::other(Suspect::Linked)));
    }
    let permissions = fs::Permissions::from_mode(found.mode() & mode);
    file.set_permissions(permissions).map_err(failed())
}

/// Appends to a file that need not be there yet.
pub(crate) fn append_or_create(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = match open_new(path, Access::Store) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            open_own(path, OpenOptions::new().append(true))?
        }
        other => other.map_err(FileError::of("create", path))?,
    };
    file.write_all(content)
        .map_err(FileError::of("write", path))?;
    file.sync_all().map_err(FileError::of("sync", path))
}
