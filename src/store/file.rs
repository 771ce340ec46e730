//! Every change to a file: inside the store, and where results are put.
//!
//! A file comes into being whole or not at all, and is durable when a function here returns. A sync
//! that failed is reported and never repeated, since the kernel forgets what it could not write.

mod directory;
mod group;
mod output;

pub(crate) use directory::StagedDirectory;
pub(crate) use group::Group;
pub use output::{Output, Stream, StreamPlace};

use super::error::FileError;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, StatVfsMountFlags, fstatvfs, renameat_with};
use rustix::process::{geteuid, umask};
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone, whatever the umask: private keys, locks.
    Owner,
    /// As the umask says, but for writing the owner alone: the files of the store.
    Store,
    /// As the umask says: results outside of the store.
    Umask,
}

impl Access {
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Store => 0o644,
            Self::Umask => 0o666,
        }
    }

    fn directory_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Store => 0o755,
            Self::Umask => 0o777,
        }
    }
}

/// What may stand in the place of a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Nothing.
    Keep,
    /// A file, which the new one takes the place of.
    Replace,
}

impl Existing {
    /// Nothing, unless files may be overwritten.
    pub fn unless(overwrite: bool) -> Self {
        if overwrite { Self::Replace } else { Self::Keep }
    }
}

/// Bytes over which a file of a store is not read whole: more than any CRL has.
const MOST_READ: u64 = 512 << 20;

/// The whole of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let read = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut content = Vec::new();
        if length <= MOST_READ {
            content.try_reserve_exact(usize::try_from(length).unwrap_or(0))?;
            file.take(MOST_READ + 1).read_to_end(&mut content)?;
            if content.len() as u64 <= MOST_READ {
                return Ok(content);
            }
        }
        let problem = "it exceeds the limit of 512 MiB";
        Err(io::Error::new(io::ErrorKind::FileTooLarge, problem))
    };
    read().map_err(FileError::of("read", path))
}

/// The whole of a file, or `None` where there is none.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether anything has this name; what can't be told is an error and not a no.
pub fn stands(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some())
}

/// Whether a regular file has this name: not a symbolic link, a directory, a device or a pipe.
pub fn is_regular(path: &Path) -> Result<bool, FileError> {
    Ok(found(path)?.is_some_and(|found| found.is_file()))
}

fn found(path: &Path) -> Result<Option<Metadata>, FileError> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(FileError::of("look at", path)(error)),
    }
}

/// Makes a file under its final name; durable once its directory is synced.
///
/// For places that no one looks into before something else says that the file is there.
pub(crate) fn create(path: &Path, access: Access, content: &[u8]) -> Result<(), FileError> {
    create_filled(path, access, |file| file.write_all(content))
}

/// As [`create`], for content that is made as it is written.
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

/// Takes back a file that something after its creation made useless.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    fs::remove_file(path).map_err(FileError::of("remove", path))
}

/// Removes a file where there is one.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match remove(path) {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}

/// Makes what others wrote to a file durable, or the names in a directory. If the file system is mounted
/// to be read only, nothing is lost.
pub(crate) fn sync(path: &Path) -> Result<(), FileError> {
    let file = File::open(path).map_err(FileError::of("open", path))?;
    match file.sync_all() {
        Err(_) if is_read_only(&file) => Ok(()),
        other => other.map_err(FileError::of("sync", path)),
    }
}

/// Whether an open file is on a file system that is mounted to be read only; some refuse to sync.
fn is_read_only(file: &File) -> bool {
    fstatvfs(file).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

fn open_new(path: &Path, access: Access) -> io::Result<File> {
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

/// Opens a file of the store to write to it.
///
/// Another user may be able to write to the store's directories. A link that this user put there must not
/// lead the writes of this process to other files.
pub(super) fn open_own(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
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

/// Opens what is there, to write behind what is in it.
fn open_to_append(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags.bits().cast_signed();
    OpenOptions::new()
        .append(true)
        .custom_flags(flags)
        .open(path)
}

/// Says why something was not opened that is opened only if it is no symbolic link.
fn explain_refusal(path: &Path, error: io::Error) -> io::Error {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => io::Error::other(Suspect::Link),
        _ => error,
    }
}

fn open_itself_to_read(path: &Path) -> Result<File, FileError> {
    open_itself(path, OpenOptions::new().read(true))
}

/// Why a file or directory of the store is not used: another user may have put it there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Suspect {
    /// A symbolic link in the place of a file.
    #[error("it is a symbolic link")]
    Link,
    /// A symbolic link in the place of a directory.
    #[error("it is a symbolic link that belongs to user {owner}")]
    LinkOf {
        /// Its owner.
        owner: u32,
    },
    /// A symbolic link of a result that leads to the files of a CA or of the store.
    #[error("it is a symbolic link into the directory of a CA, or to a file of the store's own")]
    IntoStore,
    /// A pipe for results.
    #[error("it is a named pipe that belongs to user {owner}")]
    PipeOf {
        /// Its owner.
        owner: u32,
    },
    /// A file, or what else was put in the place of a pipe or a device.
    #[error("it is no longer a named pipe or a character device")]
    NoStream,
    /// A pipe, a device, or a directory in the place of a file.
    #[error("it is not a regular file")]
    Kind,
    /// A file that also has its name elsewhere.
    #[error("it has another name (a hard link)")]
    Linked,
    /// A file of neither the directory's owner nor the process's user.
    #[error("it belongs to user {owner}, and its directory to user {directory}")]
    Owner {
        /// The file's owner.
        owner: u32,
        /// Value for its directory.
        directory: u32,
    },
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
pub(super) fn refuse_foreign_link(directory: &Path) -> Result<(), FileError> {
    match found(directory)? {
        Some(found) if is_foreign_link(&found) => {
            let owner = found.uid();
            let suspect = io::Error::other(Suspect::LinkOf { owner });
            Err(FileError::of("use", directory)(suspect))
        }
        _ => Ok(()),
    }
}

/// Whether something is a symbolic link that another user than root and that of this process made.
pub(super) fn is_foreign_link(found: &Metadata) -> bool {
    found.is_symlink() && is_foreign(found)
}

/// Whether something belongs to another user than root and that of this process.
fn is_foreign(found: &Metadata) -> bool {
    found.uid() != 0 && found.uid() != geteuid().as_raw()
}

/// Takes permissions of an open file or directory away from all but its owner, if it is ours.
pub(super) fn keep_others_out(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.mode();
    if mode & 0o077 != 0 {
        // Where this fails the file belongs to another user, whose part it is, or nothing can be written.
        let _ = file.set_permissions(fs::Permissions::from_mode(mode & 0o700));
    }
    Ok(())
}

/// Makes a directory; its parent is not synced.
pub(crate) fn create_directory(path: &Path, access: Access) -> Result<(), FileError> {
    fs::DirBuilder::new()
        .mode(access.directory_mode())
        .create(path)
        .map_err(FileError::of("create", path))
}

/// Makes a directory and those above it where they are missing, durably.
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

/// Makes the names in a directory durable.
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

/// Gives a directory the name of one that has nothing in it, which goes.
pub(crate) fn rename_onto_empty(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::of("create", to))
}

/// Gives each of two directories the name of the other, in one step.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<(), FileError> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| FileError::of("replace", other)(error.into()))
}

/// For file systems without the flag. A link never replaces a file; a directory is never renamed onto
/// one that has something in it.
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

/// Removes a directory and what is in it.
pub(crate) fn remove_directory(path: &Path) -> Result<(), FileError> {
    fs::remove_dir_all(path).map_err(FileError::of("remove", path))
}

/// Writes a whole file in one go.
pub fn write(
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

/// A file in the making: it stands under a hidden name until [`Staged::commit`], or one of a
/// [`Group`] perhaps under none.
///
/// The hidden name follows from the final one, and the writer holds a lock on it: what a writer
/// left behind when it was killed has no lock, and the next writer removes it away. A name that is locked is
/// left alone: anybody who can read a file can lock it.
pub struct Staged {
    file: File,
    is_durable: bool,
    hidden: Option<PathBuf>,
    path: PathBuf,
    existing: Existing,
    is_new: bool,
    committed: bool,
}

impl Staged {
    /// Starts a file. What stands in its place is looked at now, so that nothing is written in
    /// vain, and again when it takes its place.
    pub fn new(path: &Path, access: Access, existing: Existing) -> Result<Self, FileError> {
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

    /// The file's final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes to it.
    pub(crate) fn fill(
        &mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), FileError> {
        write(self).map_err(FileError::of("write", &self.path))
    }

    /// Makes the file durable and gives it its name.
    pub fn commit(self) -> Result<(), Uncommitted> {
        commit_all(vec![self])
    }

    /// Makes what was written durable, before the file has its name.
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
            (None, _) => group::give_first_name(&self.file, &self.path)?,
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

/// Commits files: where one can't be, those that were new are taken back.
pub fn commit_all(mut files: Vec<Staged>) -> Result<(), Uncommitted> {
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

/// Why files did not come to be, or not in a way that outlasts a power cut.
#[derive(Debug)]
pub struct Uncommitted {
    /// A file that is in its place all the same.
    pub in_place: Option<PathBuf>,
    /// What failed.
    pub source: FileError,
}

impl From<FileError> for Uncommitted {
    fn from(source: FileError) -> Self {
        Self {
            in_place: None,
            source,
        }
    }
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

/// Lets those read a file who can read the one that it replaces: a server that reads a CRL or a bundle does
/// not lose it to the umask of a nightly job. Only the owner may write to it.
fn keep_readers(file: &File, path: &Path, access: Access) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if access != Access::Owner && found.is_file() => {
            file.set_permissions(fs::Permissions::from_mode(found.mode() & 0o644))
        }
        _ => Ok(()),
    }
}

/// The directory that a path's last part is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// The hidden name of a file in the making; others but the first are for when that one is taken.
fn hidden_name(path: &Path, number: usize) -> io::Result<PathBuf> {
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

/// Whether a file could come to be here, for what stands in its place; nothing is changed.
pub(crate) fn check_place(path: &Path, existing: Existing) -> Result<(), FileError> {
    refuse_unless_free(path, existing).map(drop)
}

/// Whether nothing stands in the place of a result. A symbolic link, a device or a pipe there is
/// nobody's wish.
fn refuse_unless_free(path: &Path, existing: Existing) -> Result<bool, FileError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(FileError::of("create", path)(error)),
    };
    let refused = if existing == Existing::Keep {
        io::Error::new(io::ErrorKind::AlreadyExists, "it is there already")
    } else if !found.is_file() {
        io::Error::other("what stands in its place is not a regular file")
    } else {
        return Ok(false);
    };
    Err(FileError::of("create", path)(refused))
}

/// Opens a hidden file for this process alone.
fn open_hidden(path: &Path, access: Access) -> io::Result<(PathBuf, File)> {
    for number in 0..MOST_HIDDEN {
        let hidden = hidden_name(path, number)?;
        if let Some(file) = claim(&hidden, access)? {
            return Ok((hidden, file));
        }
    }
    Err(io::Error::other(
        "other processes hold locks on everything that stands under its hidden names",
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
                "something that is not a file stands under its hidden name",
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

/// Takes away what a writer left that was interrupted, as [`clear_leftover`] does, but keeps it under
/// another name; `false` where there is none any more.
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

/// Gives a directory the permissions that one of the store gets where it is made.
fn open_to_readers(directory: &Path) -> Result<(), FileError> {
    // The umask can only be read by setting it.
    let old = umask(Mode::RWXG | Mode::RWXO);
    umask(old);
    let mode = Access::Store.directory_mode() & !old.bits();
    fs::set_permissions(directory, fs::Permissions::from_mode(mode))
        .map_err(FileError::of("change the permissions of", directory))
}

/// Locks a file that no other process has locked.
fn try_lock(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether the open file is still the one under its name.
fn is_linked(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.ino() == own.ino() && found.dev() == own.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that only grows.
pub(crate) struct Appending {
    file: File,
    path: PathBuf,
}

impl Appending {
    /// Opens a file that has to be there.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let file = open_own(path, OpenOptions::new().read(true).append(true))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Opens it to read alone, for which no right to write is needed.
    pub(crate) fn open_to_read(path: &Path) -> Result<Self, FileError> {
        Ok(Self {
            file: File::open(path).map_err(FileError::of("open", path))?,
            path: path.to_owned(),
        })
    }

    /// The open file.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// The file's length in bytes.
    pub(crate) fn len(&self) -> Result<u64, FileError> {
        Ok(self
            .file
            .metadata()
            .map_err(FileError::of("read", &self.path))?
            .len())
    }

    /// An error that says what is wrong with the file's content.
    pub(crate) fn unreadable(&self, problem: &'static str) -> FileError {
        FileError::of("read", &self.path)(io::Error::other(problem))
    }

    /// Up to `length` bytes in front of `end`.
    pub(crate) fn read_before(&self, end: u64, length: u64) -> Result<Vec<u8>, FileError> {
        let start = end.saturating_sub(length);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(FileError::of("read", &self.path))?;
        Ok(bytes)
    }

    /// Makes durable what the file holds, whoever wrote it.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync_all()
            .map_err(FileError::of("sync", &self.path))
    }

    /// Appends what `write` writes, and makes it durable; on failure the file is cut back to what it was.
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
            let taken_back = self.truncate(before).is_ok();
            Uncommitted {
                in_place: (!taken_back).then(|| self.path.clone()),
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

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let staged =
            Staged::new(&directory.path().join("a"), Access::Umask, Existing::Keep).unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
