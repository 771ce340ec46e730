//! `store.json`: the version of the store's format, and whether the store is one of fixtures.

use super::error::{FileError, Found, StoreError};
use super::file::{self, Access, Existing};
use super::layout::{StoreLayout, easy_rsa_index};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;

const CURRENT: u32 = 5;

/// Format of a new store: programs of that format can read all of it.
const FIRST: u32 = 1;

/// First format in which certificates may be recorded without their DER.
pub(super) const WITHOUT_CERTIFICATES: u32 = 2;

/// Format of every fixture store, and the first that has them.
const FIXTURES: u32 = 3;

/// First format with removed CAs and generations of keys: earlier programs would use the names again, and old keys.
pub(super) const REMOVED: u32 = 4;

/// First format with keys outside the store: earlier programs would take their CAs for offline ones.
pub(super) const KEYS_OUTSIDE: u32 = 5;

/// `store.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Format {
    format: u32,
    /// Whether certificates with a defect may be issued in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fixture: bool,
}

/// Refuses a store that is missing or of an unknown format; returns whether it is a fixture store.
pub(super) fn check(layout: &StoreLayout) -> Result<bool, StoreError> {
    let Format { format, fixture } = stored(layout)?;
    if format > CURRENT {
        return Err(StoreError::Newer {
            path: layout.root().into(),
            found: format,
            known: CURRENT,
        });
    }
    if fixture && format < FIXTURES {
        // No program wrote this, and one that only knows this format would not see it.
        let problem = format!("is of a fixture store, which format {format} does not have");
        return Err(StoreError::damaged(layout.format(), problem));
    }
    Ok(fixture)
}

pub(super) fn read(layout: &StoreLayout) -> Result<u32, StoreError> {
    Ok(stored(layout)?.format)
}

fn stored(layout: &StoreLayout) -> Result<Format, StoreError> {
    let path = layout.format();
    let bytes = match file::read_if_there(&path) {
        Ok(Some(bytes)) => bytes,
        Err(error) if error.source.kind() != ErrorKind::NotADirectory => return Err(error.into()),
        Ok(None) | Err(_) => {
            let path = layout.root().into();
            return Err(match other_at(layout)? {
                Some(found) => StoreError::NotAStore { path, found },
                None => StoreError::NoStore { path },
            });
        }
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::damaged(&path, format!("cannot be read: {error}")))
}

/// Recognizes what users have at `./pki` in the place of a store: the program, and a directory of easy-rsa.
fn other_at(layout: &StoreLayout) -> Result<Option<Found>, FileError> {
    if file::is_regular(layout.root())? {
        return Ok(Some(Found::File));
    }
    let is_easy_rsa = file::is_regular(&easy_rsa_index(layout.root()))?;
    Ok(is_easy_rsa.then_some(Found::EasyRsa))
}

fn content(format: Format) -> Vec<u8> {
    let mut content = serde_json::to_vec(&format).expect("a format is plain data");
    content.push(b'\n');
    content
}

/// Raises the store's format to at least this one, before anything is in it that older programs would
/// take for damage.
pub(super) fn raise(layout: &StoreLayout, format: u32) -> Result<(), StoreError> {
    let stored = stored(layout)?;
    if stored.format >= format {
        return Ok(());
    }
    write(layout, Format { format, ..stored })
}

/// Undoes [`raise`] if nothing came into the store that needs it.
pub(super) fn lower(layout: &StoreLayout, format: u32) -> Result<(), StoreError> {
    let stored = stored(layout)?;
    if stored.format <= format {
        return Ok(());
    }
    write(layout, Format { format, ..stored })
}

fn write(layout: &StoreLayout, format: Format) -> Result<(), StoreError> {
    let written = file::write(
        &layout.format(),
        Access::Store,
        Existing::Replace,
        &content(format),
    );
    Ok(written.map_err(|error| error.source)?)
}

/// Refuses a directory in which no empty store could be made: one with anything in it but the remains of
/// an interrupted attempt.
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
                path: root.into(),
                found: Found::Files,
            });
        }
    }
    Ok(())
}

/// Makes an empty store, or an empty fixture store, unless there is one.
pub(super) fn create_unless_there(layout: &StoreLayout, fixture: bool) -> Result<(), StoreError> {
    match check(layout) {
        Err(StoreError::NoStore { .. }) => {}
        other => return other.map(|_| ()),
    }
    check_free(layout)?;
    let format = Format {
        format: if fixture { FIXTURES } else { FIRST },
        fixture,
    };
    file::create_directories(layout.root(), Access::Store)?;
    match file::write(
        &layout.format(),
        Access::Store,
        Existing::Keep,
        &content(format),
    ) {
        // Another process was first.
        Err(error) if error.source.source.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        // A store without a CA is none that anybody relies on: it may as well be there.
        other => Ok(other.map_err(|error| error.source)?),
    }
}
