//! Places of results: the links to them lead to no file that only a store writes.

use super::error::FileError;
use super::file::{Output, StreamPlace, Suspect};
use super::layout::StoreLayout;
use std::io;
use std::path::{Path, PathBuf};

impl Output {
    /// Follows the symbolic links at a path, but none that another user made, and none to the files of a CA or
    /// of a store, whatever may be overwritten. It need not be the store that a command works on.
    pub(crate) fn at(path: &Path) -> Result<Self, FileError> {
        let place = Self::behind_links(path)?;
        match &place {
            Self::File(file) if file != path && StoreLayout::is_own_file(file)? => Err(
                FileError::of("follow", path)(io::Error::other(Suspect::IntoStore)),
            ),
            _ => Ok(place),
        }
    }

    /// Returns the file at a path, behind links; a pipe, a device or an open file if no file can take its
    /// place.
    pub(crate) fn file_at(path: &Path) -> Result<PathBuf, FileError> {
        Ok(match Self::at(path)? {
            Self::File(place)
            | Self::Stream(StreamPlace::Itself(place) | StreamPlace::Descriptor(place)) => place,
        })
    }
}
