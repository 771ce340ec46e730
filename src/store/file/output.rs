//! Places of results: symbolic links that lead to them, and pipes and devices in them.

use super::names::directory_of;
use super::open::{Suspect, explain_refusal, is_foreign, is_foreign_link, open_to_append};
use super::read::found;
use crate::store::error::FileError;
use rustix::fs::{OFlags, statfs};
use rustix::io::Errno;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Links over which a path is not followed, as in the kernel.
const MOST_LINKS: usize = 40;

/// File system of /proc, whose links name open files (`linux/magic.h`).
const PROC: i64 = 0x9FA0;

/// Place of a result that is no secret, such as a bundle or a CRL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A file, or the place for one, behind all symbolic links: it is replaced, and the links stay.
    File(PathBuf),
    /// A pipe, a device or an open file: it is written to.
    Stream(StreamPlace),
}

/// Place of a pipe, a device or an open file, behind the symbolic links that were followed to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamPlace {
    /// A pipe or a device: nothing else is opened by this name.
    Itself(PathBuf),
    /// A link of /proc, which names an open file.
    Descriptor(PathBuf),
}

impl Output {
    /// Follows the symbolic links at a path, but none that another user made, and not to another user's pipe.
    pub(in crate::store) fn behind_links(path: &Path) -> Result<Self, FileError> {
        let mut place = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Some(found) = found(&place)? else {
                return Ok(Self::File(place));
            };
            let kind = found.file_type();
            if is_stream(&found) {
                refuse_foreign_pipe(&found).map_err(FileError::of("open", &place))?;
                return Ok(Self::Stream(StreamPlace::Itself(place)));
            }
            if !kind.is_symlink() {
                return Ok(Self::File(place));
            }
            let failed = || FileError::of("follow", &place);
            if is_foreign_link(&found) {
                let owner = found.uid();
                return Err(failed()(io::Error::other(Suspect::LinkOf { owner })));
            }
            if statfs(directory_of(&place)).is_ok_and(|found| found.f_type == PROC) {
                return Ok(Self::Stream(StreamPlace::Descriptor(place)));
            }
            let target = fs::read_link(&place).map_err(failed())?;
            place.set_file_name(target);
        }
        Err(FileError::of("follow", path)(Errno::LOOP.into()))
    }
}

/// Returns whether something is a pipe, or a device that takes bytes in order.
fn is_stream(found: &Metadata) -> bool {
    found.file_type().is_fifo() || found.file_type().is_char_device()
}

/// Refuses a pipe that another user than root and that of this process made: who reads it is unknown, and
/// whether anybody ever does.
fn refuse_foreign_pipe(found: &Metadata) -> io::Result<()> {
    if found.file_type().is_fifo() && is_foreign(found) {
        let owner = found.uid();
        return Err(io::Error::other(Suspect::PipeOf { owner }));
    }
    Ok(())
}

/// Pipe, device or open file that is open to write to it.
pub(crate) struct Stream {
    file: File,
    path: PathBuf,
}

impl Stream {
    /// Opens it; waits for the reader of a pipe.
    pub(crate) fn open(place: StreamPlace) -> Result<Self, FileError> {
        let (opened, path) = match place {
            StreamPlace::Itself(path) => (open_stream(&path), path),
            StreamPlace::Descriptor(path) => (open_to_append(&path, OFlags::empty()), path),
        };
        let file = opened.map_err(FileError::of("open", &path))?;
        Ok(Self { file, path })
    }

    pub(crate) fn write(mut self, content: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(content)
            .map_err(FileError::of("write", &self.path))
    }
}

/// Opens a pipe or a device. Another user may be able to put something else in its place after it was looked at:
/// a link is not followed, and nothing else is written to.
fn open_stream(path: &Path) -> io::Result<File> {
    let opened = open_to_append(path, OFlags::NOFOLLOW);
    let file = opened.map_err(|error| explain_refusal(path, error))?;
    let found = file.metadata()?;
    if !is_stream(&found) {
        return Err(io::Error::other(Suspect::NoStream));
    }
    refuse_foreign_pipe(&found)?;
    Ok(file)
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
            assert_eq!(
                Output::behind_links(&path(name)).unwrap(),
                Output::File(path(place))
            );
        }
        symlink("round", path("round")).unwrap();
        assert!(Output::behind_links(&path("round")).is_err());
    }

    #[test]
    fn devices_and_open_files_are_streams() {
        use StreamPlace::{Descriptor, Itself};
        for (path, place) in [
            ("/dev/null", Itself("/dev/null".into())),
            ("/dev/stderr", Descriptor("/proc/self/fd/2".into())),
            ("/proc/self/fd/2", Descriptor("/proc/self/fd/2".into())),
        ] {
            let found = Output::behind_links(Path::new(path)).unwrap();
            assert_eq!(found, Output::Stream(place));
        }
    }

    /// Another user may put them there after the place was looked at.
    #[test]
    fn only_pipes_and_devices_are_opened_as_such() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "precious").unwrap();
        fs::hard_link(path("file"), path("other")).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("/dev/null", path("device")).unwrap();
        for name in ["file", "other", "link", "device", "nothing"] {
            assert!(Stream::open(StreamPlace::Itself(path(name))).is_err());
        }
        assert_eq!(fs::read(path("file")).unwrap(), b"precious");
        assert!(!path("nothing").exists());
        let stream = Stream::open(StreamPlace::Itself("/dev/null".into())).unwrap();
        stream.write(b"content").unwrap();
    }
}
