//! Opening files of the store, which another user may be able to replace.

use super::names::directory_of;
use super::read::found;
use crate::store::error::FileError;
use rustix::fs::OFlags;
use rustix::process::geteuid;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Opens a file of the store to write to it.
///
/// Another user may be able to write to the store's directories. A link that this user put there must not
/// lead the writes of this process to other files.
pub(in crate::store) fn open_own(
    path: &Path,
    options: &mut OpenOptions,
) -> Result<File, FileError> {
    let file = open_itself(path, options)?;
    check_own(&file, path).map_err(FileError::of("open", path))?;
    Ok(file)
}

/// Opens a file itself: neither what a symbolic link leads to, nor a pipe that nobody writes to.
fn open_itself(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = flags.bits().cast_signed();
    let opened = options.custom_flags(flags).open(path);
    let explained = opened.map_err(|error| match fs::symlink_metadata(path) {
        Ok(found) if !found.is_symlink() && !found.is_file() && !found.is_dir() => {
            io::Error::other(Suspect::Kind)
        }
        _ => explain_refusal(path, error),
    });
    explained.map_err(FileError::of("open", path))
}

pub(super) fn open_to_append(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags.bits().cast_signed();
    OpenOptions::new()
        .append(true)
        .custom_flags(flags)
        .open(path)
}

/// Explains why a file was not opened that is opened only if it is no symbolic link.
pub(super) fn explain_refusal(path: &Path, error: io::Error) -> io::Error {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => io::Error::other(Suspect::Link),
        _ => error,
    }
}

pub(super) fn open_itself_to_read(path: &Path) -> Result<File, FileError> {
    open_itself(path, OpenOptions::new().read(true))
}

/// Reason not to use a file or directory: another user may have put it there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Suspect {
    #[error("it is a symbolic link")]
    Link,
    #[error("it is a symbolic link that belongs to user {owner}")]
    LinkOf { owner: u32 },
    /// A symbolic link of a result that leads to the files of a CA or of the store.
    #[error("it is a symbolic link into the directory of a CA, or to a file of the store's own")]
    IntoStore,
    #[error("it is a named pipe that belongs to user {owner}")]
    PipeOf { owner: u32 },
    /// Anything in the place of a pipe or a device.
    #[error("it is no longer a named pipe or a character device")]
    NoStream,
    /// Anything but a file in the place of a file.
    #[error("it is not a regular file")]
    Kind,
    #[error("it has a second name (a hard link)")]
    Linked,
    #[error("it belongs to user {owner}, its directory to user {directory}")]
    Owner { owner: u32, directory: u32 },
}

/// Refuses a file that may have been put there to have another one written to.
fn check_own(file: &File, path: &Path) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other(Suspect::Kind));
    }
    if found.nlink() > 1 {
        return Err(io::Error::other(Suspect::Linked));
    }
    let owner = found.uid();
    let directory = fs::metadata(directory_of(path))?.uid();
    if owner != directory && owner != geteuid().as_raw() {
        return Err(io::Error::other(Suspect::Owner { owner, directory }));
    }
    Ok(())
}

/// Refuses a symbolic link in the place of a directory of the store, unless this process's user or root
/// made it.
pub(in crate::store) fn refuse_foreign_link(directory: &Path) -> Result<(), FileError> {
    match found(directory)? {
        Some(found) if is_foreign_link(&found) => {
            let owner = found.uid();
            let suspect = io::Error::other(Suspect::LinkOf { owner });
            Err(FileError::of("use", directory)(suspect))
        }
        _ => Ok(()),
    }
}

/// Returns whether something is a symbolic link that neither root nor this process's user made.
pub(in crate::store) fn is_foreign_link(found: &Metadata) -> bool {
    found.is_symlink() && is_foreign(found)
}

/// Returns whether something belongs neither to root nor to this process's user.
pub(super) fn is_foreign(found: &Metadata) -> bool {
    found.uid() != 0 && found.uid() != geteuid().as_raw()
}

/// Takes the permissions of an open file or directory from all but its owner, if it is ours.
pub(in crate::store) fn keep_others_out(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.mode();
    if mode & 0o077 != 0 {
        // Where this fails the file belongs to another user, whose part it is, or nothing can be written.
        let _ = file.set_permissions(fs::Permissions::from_mode(mode & 0o700));
    }
    Ok(())
}
