//! New files of one directory that become durable together.
//!
//! A thousand syncs of a thousand small files take a thousand turns of the disk. `syncfs` takes one for
//! all of them, and says of all of them whether it could; where it can't be relied on, each file is
//! synced by itself.

use super::access::{Access, Existing};
use super::create::{open_new, remove};
use super::names::{OPEN_FILES, directory_of, sync, sync_directory};
use super::staged::{Staged, commit_all};
use crate::store::error::{FileError, Uncommitted};
use rayon::prelude::*;
use rustix::fs::{CWD, Mode, OFlags, fstatfs, openat, stat, syncfs};
use rustix::io::Errno;
use rustix::system::uname;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Most files of which each is synced by itself: for more the other way is faster.
const FEW: usize = 8;

const RELIABLE: [i64; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];

/// Directory in which files are made that nothing reads before they are durable.
pub(crate) struct Group {
    directory: File,
    path: PathBuf,
    /// Whether one call makes all of it durable.
    syncs_as_a_whole: bool,
    /// Whether a file may have no name until it is whole.
    takes_nameless: bool,
}

impl Group {
    /// Opens the directory, before the first file: `syncfs` reports the errors since then.
    pub(crate) fn of(directory: &Path) -> Result<Self, FileError> {
        let path = directory.to_owned();
        let directory = File::open(directory).map_err(FileError::of("open", directory))?;
        Ok(Self {
            syncs_as_a_whole: syncs_as_a_whole(&directory),
            takes_nameless: stat(OPEN_FILES).is_ok(),
            directory,
            path,
        })
    }

    /// Makes a file in it under its final name, not durably.
    pub(crate) fn create(path: &Path, access: Access, content: &[u8]) -> Result<(), FileError> {
        Self::create_filled(path, access, |file| file.write_all(content))
    }

    /// Does the same as [`Group::create`] for content that is made as it is written.
    pub(crate) fn create_filled(
        path: &Path,
        access: Access,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let mut file = open_new(path, access).map_err(FileError::of("create", path))?;
        fill(&mut file).map_err(|error| {
            // Half a file is worse than none; the first failure is the one to report.
            let _ = remove(path);
            FileError::of("write", path)(error)
        })
    }

    /// Begins a file in it that gets its name when the whole group is durable, and has none until then if
    /// the file system can do that: a hidden name and its lock cost more than the file, and a file
    /// without a name is gone with its writer. Its place is looked at when it gets the name.
    pub(crate) fn stage(
        &self,
        path: &Path,
        access: Access,
        existing: Existing,
    ) -> Result<Staged, FileError> {
        if existing == Existing::Replace || !self.takes_nameless {
            return Staged::new(path, access, existing);
        }
        let mode = Mode::from_raw_mode(access.mode());
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match openat(CWD, directory_of(path), flags, mode) {
            Ok(file) => Ok(Staged {
                file: file.into(),
                is_durable: false,
                hidden: None,
                path: path.to_owned(),
                existing,
                is_new: true,
                committed: false,
            }),
            // File systems and kernels that don't have them.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => {
                Staged::new(path, access, existing)
            }
            Err(error) => Err(FileError::of("create", path)(error.into())),
        }
    }

    /// Commits files that were begun here, which become durable together: if one can't be, the new ones
    /// are removed.
    pub(crate) fn commit(&self, mut files: Vec<Staged>) -> Result<(), Uncommitted> {
        if files.len() > FEW {
            if self.syncs_as_a_whole {
                self.sync_whole()?;
                files.iter_mut().for_each(|file| file.is_durable = true);
            } else {
                files.par_iter_mut().try_for_each(Staged::sync)?;
            }
        }
        commit_all(files)
    }

    /// Makes files and directories below it durable, unless [`Group::finish`] does that for all.
    pub(crate) fn written(&self, paths: &[PathBuf]) -> Result<(), FileError> {
        if self.syncs_as_a_whole {
            return Ok(());
        }
        paths.par_iter().try_for_each(|path| sync(path))
    }

    /// Makes what was written since the group was opened durable, below its directory too.
    pub(crate) fn finish(&self) -> Result<(), FileError> {
        if self.syncs_as_a_whole {
            return self.sync_whole();
        }
        sync_directory(&self.path)
    }

    /// Makes files in it durable, and their names.
    pub(crate) fn sync(&self, files: &[PathBuf]) -> Result<(), FileError> {
        if files.len() <= FEW {
            files.iter().try_for_each(|file| sync(file))?;
            return sync_directory(&self.path);
        }
        if self.syncs_as_a_whole {
            return self.sync_whole();
        }
        files.par_iter().try_for_each(|file| sync(file))?;
        sync_directory(&self.path)
    }

    fn sync_whole(&self) -> Result<(), FileError> {
        syncfs(&self.directory)
            .map_err(io::Error::from)
            .map_err(FileError::of("sync", &self.path))
    }
}

/// Returns whether `syncfs` is to be relied on: Linux reports its errors since 5.8.
fn syncs_as_a_whole(directory: &File) -> bool {
    let kind = fstatfs(directory).map(|found| found.f_type);
    let is_reliable = kind.is_ok_and(|kind| RELIABLE.contains(&kind));
    is_reliable && version_of_kernel().is_some_and(|version| version >= (5, 8))
}

fn version_of_kernel() -> Option<(u32, u32)> {
    let name = uname();
    let release = name.release().to_str().ok()?;
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn few_and_many_files_are_there_when_they_are_synced() {
        let directory = tempfile::tempdir().unwrap();
        for count in [1, 3 * FEW] {
            let group = Group::of(directory.path()).unwrap();
            let files: Vec<PathBuf> = (0..count)
                .map(|index| directory.path().join(format!("{count}-{index}")))
                .collect();
            for file in &files {
                Group::create(file, Access::Owner, b"content").unwrap();
            }
            group.sync(&files).unwrap();
            for file in &files {
                assert_eq!(fs::read(file).unwrap(), b"content");
            }
        }
    }

    #[test]
    fn staged_files_have_their_names_together_and_replace_nothing() {
        let directory = tempfile::tempdir().unwrap();
        for count in [2, 3 * FEW] {
            let group = Group::of(directory.path()).unwrap();
            let path = |index: usize| directory.path().join(format!("{count}-{index}"));
            let stage = |index: usize| {
                let mut file = group
                    .stage(&path(index), Access::Owner, Existing::Keep)
                    .unwrap();
                file.write_all(b"content").unwrap();
                file
            };
            group.commit((1..count).map(stage).collect()).unwrap();
            assert_eq!(fs::read(path(1)).unwrap(), b"content");
            // The last of them is in the way: the first is undone.
            let refused = group.commit(vec![stage(0), stage(count - 1)]).unwrap_err();
            assert_eq!(refused.source.path, path(count - 1));
            assert!(refused.in_place.is_none() && !path(0).exists());
        }
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        Group::create(&path, Access::Owner, b"1").unwrap();
        assert!(Group::create(&path, Access::Owner, b"2").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"1");
    }

    #[test]
    fn the_kernel_has_a_version() {
        assert!(version_of_kernel().is_some_and(|(major, _)| major > 2));
    }
}
