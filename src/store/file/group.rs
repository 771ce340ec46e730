//! New files of one folder that become durable together.
//!
//! A thousand syncs of a thousand small files take a thousand turns of the disk. `syncfs` takes one for
//! all of them, and says of all of them whether it could; where it can't be relied on, each file is
//! synced by itself.

use super::{Access, FileError, open_new, remove, sync, sync_directory};
use rayon::prelude::*;
use rustix::fs::{fstatfs, syncfs};
use rustix::system::uname;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files of which each is synced by itself: fewer than what makes the other way worth its while.
const FEW: usize = 8;

/// File systems whose `syncfs` is known to wait for the data and to tell of errors: ext2 to ext4, XFS,
/// Btrfs (`linux/magic.h`).
const RELIABLE: [i64; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];

/// A folder in which files are made that no one looks at before they are durable.
pub(crate) struct Group {
    folder: File,
    path: PathBuf,
}

impl Group {
    /// Opens the folder. What `syncfs` reports are the errors since then, so that this comes before the
    /// first file.
    pub(crate) fn of(folder: &Path) -> Result<Self, FileError> {
        Ok(Self {
            folder: File::open(folder).map_err(FileError::of("open", folder))?,
            path: folder.to_owned(),
        })
    }

    /// Makes a file in it under its final name, not durably.
    pub(crate) fn create(path: &Path, access: Access, content: &[u8]) -> Result<(), FileError> {
        Self::create_filled(path, access, |file| file.write_all(content))
    }

    /// As [`Group::create`], for content that is made as it is written.
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

    /// Makes files in it durable, and their names.
    pub(crate) fn sync(&self, files: &[PathBuf]) -> Result<(), FileError> {
        if files.len() <= FEW {
            files.iter().try_for_each(|file| sync(file))?;
            return sync_directory(&self.path);
        }
        if self.syncs_as_a_whole() {
            return syncfs(&self.folder)
                .map_err(io::Error::from)
                .map_err(FileError::of("sync", &self.path));
        }
        files.par_iter().try_for_each(|file| sync(file))?;
        sync_directory(&self.path)
    }

    /// Linux tells of errors in `syncfs` since 5.8.
    fn syncs_as_a_whole(&self) -> bool {
        let kind = fstatfs(&self.folder).map(|found| found.f_type);
        let is_reliable = kind.is_ok_and(|kind| RELIABLE.contains(&kind));
        is_reliable && version_of_kernel().is_some_and(|version| version >= (5, 8))
    }
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
        let folder = tempfile::tempdir().unwrap();
        for count in [1, 3 * FEW] {
            let group = Group::of(folder.path()).unwrap();
            let files: Vec<PathBuf> = (0..count)
                .map(|index| folder.path().join(format!("{count}-{index}")))
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
    fn a_file_that_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        Group::create(&path, Access::Owner, b"1").unwrap();
        assert!(Group::create(&path, Access::Owner, b"2").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"1");
    }

    #[test]
    fn the_kernel_has_a_version() {
        assert!(version_of_kernel().is_some_and(|(major, _)| major > 2));
    }
}
