//! Every change to a file: inside the store, and where results are put.
//!
//! A file comes into being whole or not at all, and is durable when a function here returns. A sync
//! that failed is reported and never repeated, since the kernel forgets what it could not write.

mod folder;
mod group;

pub(crate) use folder::StagedFolder;
pub(crate) use group::Group;

use super::error::FileError;
use super::lock::Sharing;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone, whatever the umask: private keys.
    Owner,
    /// As the umask says: certificates, lists, records.
    Umask,
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Umask => 0o666,
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

/// Whether a regular file has this name: not a symbolic link, a folder, a device or a pipe.
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

/// Makes a file under its final name; durable once its folder is synced.
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

/// Makes what others wrote to a file durable.
pub(crate) fn sync(path: &Path) -> Result<(), FileError> {
    let file = File::open(path).map_err(FileError::of("open", path))?;
    file.sync_all().map_err(FileError::of("sync", path))
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
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(FileError::of("open", path))?;
    file.write_all_at(content, 0)
        .map_err(FileError::of("write", path))?;
    file.sync_data().map_err(FileError::of("sync", path))
}

/// Makes a folder; its parent is not synced.
pub(crate) fn create_directory(path: &Path, mode: u32) -> Result<(), FileError> {
    fs::DirBuilder::new()
        .mode(mode)
        .create(path)
        .map_err(FileError::of("create", path))
}

/// Makes a folder and those above it where they are missing, durably.
pub(crate) fn create_directories(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            let not_a_folder = io::ErrorKind::NotADirectory.into();
            return Err(FileError::of("use", path)(not_a_folder));
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
    fs::create_dir_all(path).map_err(FileError::of("create", path))?;
    missing
        .iter()
        .try_for_each(|made| sync_directory(folder_of(made)))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let directory = File::open(path).map_err(FileError::of("open", path))?;
    directory.sync_all().map_err(FileError::of("sync", path))
}

/// Gives a file or folder its final name, where nothing may stand.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    use rustix::io::Errno;
    let renamed = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => rename_new_without_flag(from, to),
        other => other.map_err(io::Error::from),
    };
    renamed.map_err(FileError::of("create", to))
}

/// Gives a folder the name of one that has nothing in it, which goes.
pub(crate) fn rename_onto_empty(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::of("create", to))
}

/// Gives each of two folders the name of the other, in one step.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<(), FileError> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| FileError::of("replace", other)(error.into()))
}

/// For file systems without the flag. A link never replaces a file; a folder is never renamed onto
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

/// Removes a folder and what is in it.
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
/// left behind when it was killed has no lock, and the next writer clears it away.
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
        let hidden = hidden_name(path).map_err(FileError::of("create", path))?;
        let file = open_hidden(&hidden, access).map_err(FileError::of("create", path))?;
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

/// Commits files of one folder: where one can't be, those that were new are taken back.
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
    let Some(file) = files.first() else {
        return Ok(());
    };
    sync_directory(folder_of(&file.path)).map_err(|source| Uncommitted {
        in_place: Some(file.path.clone()),
        source,
    })
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

/// Whoever could read the file that is replaced can read the one in its place: a server that reads a
/// list or a bundle does not lose it to the umask of a nightly job.
fn keep_readers(file: &File, path: &Path, access: Access) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if access == Access::Umask && found.is_file() => {
            file.set_permissions(fs::Permissions::from_mode(found.mode() & 0o666))
        }
        _ => Ok(()),
    }
}

/// The folder that a path's last part is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn hidden_name(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it is not the name of a file"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".part");
    Ok(path.with_file_name(hidden))
}

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

/// Opens the hidden file for this process alone.
fn open_hidden(hidden: &Path, access: Access) -> io::Result<File> {
    loop {
        match open_new(hidden, access) {
            Ok(file) => {
                let claimed = claim(file, hidden).inspect_err(|_| {
                    // What failed is the one to report.
                    let _ = fs::remove_file(hidden);
                })?;
                if let Some(file) = claimed {
                    return Ok(file);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => clear_leftover(hidden)?,
            Err(error) => return Err(error),
        }
    }
}

/// Locks a hidden file. Between its creation and the lock another writer may have taken it for a
/// leftover: then there is none.
fn claim(file: File, hidden: &Path) -> io::Result<Option<File>> {
    let file = lock_in_time(file)?;
    Ok(is_linked(&file, hidden)?.then_some(file))
}

/// Waits for a writer at work; what has no writer is a leftover, and is removed.
fn clear_leftover(hidden: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(hidden).is_ok_and(|found| found.is_file()) {
        return match fs::symlink_metadata(hidden) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::other(
                "something that is not a file stands under its hidden name",
            )),
        };
    }
    let file = match OpenOptions::new().read(true).open(hidden) {
        Ok(file) => lock_in_time(file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if is_linked(&file, hidden)? {
        fs::remove_file(hidden)?;
    }
    Ok(())
}

/// Takes away what a writer left that was interrupted, as [`clear_leftover`] does, but keeps it under
/// another name; `false` where there is none any more.
pub(crate) fn take_leftover_away(path: &Path, to: &Path) -> Result<bool, FileError> {
    let failed = || FileError::of("move", path);
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => lock_in_time(file).map_err(failed())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed()(error)),
    };
    if !is_linked(&file, path).map_err(failed())? {
        return Ok(false);
    }
    rename_new(path, to)?;
    sync_directory(folder_of(to))?;
    sync_directory(folder_of(path))?;
    Ok(true)
}

/// Takes permissions away from a file or folder: what is not in `mode`.
pub(crate) fn tighten(path: &Path, mode: u32) -> Result<(), FileError> {
    let failed = || FileError::of("change the permissions of", path);
    let found = fs::symlink_metadata(path).map_err(failed())?;
    if found.is_symlink() {
        return Ok(());
    }
    let permissions = fs::Permissions::from_mode(found.mode() & mode);
    fs::set_permissions(path, permissions).map_err(failed())
}

/// A writer of the same file is waited for, though not for ever.
fn lock_in_time(file: File) -> io::Result<File> {
    let patience = Duration::from_secs(60);
    match super::lock::wait_for_lock(file, Sharing::Alone).recv_timeout(patience) {
        Ok(locked) => locked,
        Err(_) => Err(io::Error::other(
            "another process has been writing it for 60 seconds",
        )),
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
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(FileError::of("open", path))?;
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

    /// The file's length in octets.
    pub(crate) fn len(&self) -> Result<u64, FileError> {
        Ok(self
            .file
            .metadata()
            .map_err(FileError::of("read", &self.path))?
            .len())
    }

    /// Up to `length` octets in front of `end`.
    pub(crate) fn read_before(&self, end: u64, length: u64) -> Result<Vec<u8>, FileError> {
        let start = end.saturating_sub(length);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(FileError::of("read", &self.path))?;
        Ok(bytes)
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

    /// Cuts the file to `length` octets and makes that durable.
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
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(Access::Umask.mode())
        .open(path)
        .map_err(FileError::of("create", path))?;
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.crt");
        fs::write(folder.path().join(".a.crt.part"), "half").unwrap();
        write(&path, Access::Umask, Existing::Keep, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_replaced_unasked_and_links_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write(&path, Access::Owner, Existing::Keep, b"1").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(write(&path, Access::Owner, Existing::Keep, b"2").is_err());
        write(&path, Access::Owner, Existing::Replace, b"3").unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(write(&link, Access::Owner, Existing::Replace, b"4").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"3");
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let staged = Staged::new(&folder.path().join("a"), Access::Umask, Existing::Keep).unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
