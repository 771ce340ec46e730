//! `store.json`: the version of the store's format.

use super::error::{FileError, StoreError};
use super::file::{self, Access, Existing};
use super::layout::StoreLayout;
use serde::{Deserialize, Serialize};

/// The newest format that this program knows.
const CURRENT: u32 = 2;

/// The format of a new store: nothing is in it that programs of that format could not read.
const FIRST: u32 = 1;

/// The first format in which certificates may be recorded without their DER.
pub(super) const WITHOUT_CERTIFICATES: u32 = 2;

/// `store.json`.
#[derive(Serialize, Deserialize)]
struct Format {
    format: u32,
}

/// Whether the store is there and has a format that this program knows.
pub(super) fn check(layout: &StoreLayout) -> Result<(), StoreError> {
    let format = read(layout)?;
    if format > CURRENT {
        return Err(StoreError::Newer {
            path: layout.root().to_owned(),
            found: format,
            known: CURRENT,
        });
    }
    Ok(())
}

/// The store's format.
pub(super) fn read(layout: &StoreLayout) -> Result<u32, StoreError> {
    let path = layout.format();
    let Some(bytes) = file::read_if_there(&path)? else {
        return Err(StoreError::NoStore {
            path: layout.root().to_owned(),
        });
    };
    let Format { format } = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::damaged(&path, format!("can't be read: {error}")))?;
    Ok(format)
}

fn content(format: u32) -> Vec<u8> {
    let mut content = serde_json::to_vec(&Format { format }).expect("a number is plain data");
    content.push(b'\n');
    content
}

/// Makes the store one of at least this format, before anything is in it that older programs would
/// take for damage.
pub(super) fn raise(layout: &StoreLayout, format: u32) -> Result<(), StoreError> {
    if read(layout)? >= format {
        return Ok(());
    }
    write(layout, format)
}

/// Takes back what [`raise`] did, or tried to, where nothing came into the store that needs it.
pub(super) fn lower(layout: &StoreLayout, format: u32) -> Result<(), StoreError> {
    if read(layout)? <= format {
        return Ok(());
    }
    write(layout, format)
}

fn write(layout: &StoreLayout, format: u32) -> Result<(), StoreError> {
    let written = file::write(
        &layout.format(),
        Access::Umask,
        Existing::Replace,
        &content(format),
    );
    Ok(written.map_err(|error| error.source)?)
}

/// Whether an empty store could be made: the folder is missing, or has nothing in it but what an
/// interrupted attempt left.
pub(super) fn check_free(layout: &StoreLayout) -> Result<(), StoreError> {
    let root = layout.root();
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::of("read", root)(error).into()),
    };
    for entry in entries {
        let entry = entry.map_err(FileError::of("read", root))?;
        if entry.file_name() != ".store.json.part" {
            return Err(StoreError::NotAStore {
                path: root.to_owned(),
            });
        }
    }
    Ok(())
}

/// Makes an empty store where there is none.
pub(super) fn create_unless_there(layout: &StoreLayout) -> Result<(), StoreError> {
    match check(layout) {
        Err(StoreError::NoStore { .. }) => {}
        other => return other,
    }
    check_free(layout)?;
    file::create_directories(layout.root())?;
    match file::write(
        &layout.format(),
        Access::Umask,
        Existing::Keep,
        &content(FIRST),
    ) {
        // Another process was first.
        Err(error) if error.source.source.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        // A store without a CA is none that anybody relies on: it may as well be there.
        other => Ok(other.map_err(|error| error.source)?),
    }
}
