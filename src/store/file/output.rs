//! Places of results: symbolic links that lead to them, and pipes and devices in them.

use super::{FileError, Suspect, found, is_foreign_link, open_to_append};
use crate::store::file::folder_of;
use rustix::fs::statfs;
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Links over which a path is not followed, as in the kernel.
const MOST_LINKS: usize = 40;

/// File system of /proc, whose links name open files (`linux/magic.h`).
const PROC: i64 = 0x9FA0;

/// Place of a result that is no secret, such as a bundle or a CRL.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A file, or the place for one, behind all symbolic links: it is replaced, and the links stay.
    File(PathBuf),
    /// A pipe, a device or an open file: it is written to.
    Stream(PathBuf),
}

impl Output {
    /// Follows the symbolic links at a path, but none that another user made.
    pub fn at(path: &Path) -> Result<Self, FileError> {
        let mut place = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Some(found) = found(&place)? else {
                return Ok(Self::File(place));
            };
            let kind = found.file_type();
            if kind.is_fifo() || kind.is_char_device() {
                return Ok(Self::Stream(path.to_owned()));
            }
            if !kind.is_symlink() {
                return Ok(Self::File(place));
            }
            let failed = || FileError::of("follow", &place);
            if is_foreign_link(&found) {
                let owner = found.uid();
                return Err(failed()(io::Error::other(Suspect::LinkOf { owner })));
            }
            if statfs(folder_of(&place)).is_ok_and(|found| found.f_type == PROC) {
                return Ok(Self::Stream(path.to_owned()));
            }
            let target = fs::read_link(&place).map_err(failed())?;
            place.set_file_name(target);
        }
        Err(FileError::of("follow", path)(Errno::LOOP.into()))
    }

    /// The file at a path, behind links; the path itself if no file can take its place.
    pub(crate) fn file_at(path: &Path) -> Result<PathBuf, FileError> {
        Ok(match Self::at(path)? {
            Self::File(place) | Self::Stream(place) => place,
        })
    }
}

/// A pipe, a device or an open file that is open to write to it.
pub struct Stream {
    file: File,
    path: PathBuf,
}

impl Stream {
    /// Opens it; a pipe that nobody reads is waited for.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self {
            file: open_to_append(path)?,
            path: path.to_owned(),
        })
    }

    /// Writes to it.
    pub(crate) fn write(mut self, content: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(content)
            .map_err(FileError::of("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_to_the_file_behind_all_of_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("below")).unwrap();
        fs::write(path("below/file"), "").unwrap();
        symlink("file", path("below/link")).unwrap();
        symlink("below/link", path("link")).unwrap();
        symlink(path("link"), path("absolute")).unwrap();
        symlink("../below/new", path("below/dangling")).unwrap();
        for (name, place) in [
            ("below/file", "below/file"),
            ("link", "below/file"),
            ("absolute", "below/file"),
            ("nothing", "nothing"),
            ("below/dangling", "below/../below/new"),
        ] {
            assert_eq!(Output::at(&path(name)).unwrap(), Output::File(path(place)));
        }
        symlink("round", path("round")).unwrap();
        assert!(Output::at(&path("round")).is_err());
    }

    #[test]
    fn devices_and_open_files_are_streams() {
        for path in ["/dev/null", "/dev/stderr", "/proc/self/fd/2"] {
            let path = Path::new(path);
            assert_eq!(Output::at(path).unwrap(), Output::Stream(path.to_owned()));
        }
    }
}
