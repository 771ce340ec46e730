//! Safe repairs. Each step takes the writers' lock, looks again, and keeps a copy of what it changes or removes: of a
//! database in the working directory.

use super::ca::Ca;
use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::inspection::counter_in;
use super::journal::Writer;
use super::kind::{Counter, Journal};
use super::layout::{CaLayout, StoreLayout};
use super::location::Location;
use super::lock::{Lock, Sharing};
use super::place::Place;
use super::record::Issuance;
use super::{Store, counter};
use crate::x509::Serial;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

pub(crate) struct StoreRepair<'a> {
    store: &'a Store,
    time: String,
    /// The directory with the copies, once there are any.
    copies: OnceCell<PathBuf>,
}

/// Returns the path of a file of the store; refuses what is in a database.
fn path_of(file: &Location) -> Result<&Path, StoreError> {
    file.path()
        .ok_or_else(|| StoreError::NotInDatabase { path: file.clone() })
}

impl Store {
    /// Begins to repair; `time` is in the name of the directory that gets copies.
    pub(crate) fn repair(&self, time: String) -> StoreRepair<'_> {
        StoreRepair {
            store: self,
            time,
            copies: OnceCell::new(),
        }
    }
}

impl StoreRepair<'_> {
    /// Moves the unfinished last line of a journal to the file beside it.
    pub(crate) fn set_torn_line_aside(&self, ca: &Ca, journal: Journal) -> Result<(), StoreError> {
        let _lock = ca.hold()?;
        // Every writer does so when it opens the journal; the caller reports it.
        let silent = self.store.operator.heard_by(|_| {});
        Writer::open(&ca.journal_path(journal)?, &silent)?;
        Ok(())
    }

    /// Raises a counter to at least a number. Returns the copy of the old file, or `None` if another process
    /// has raised it.
    pub(crate) fn raise(
        &self,
        ca: &Ca,
        which: Counter,
        least: u128,
    ) -> Result<Option<Location>, StoreError> {
        let _lock = ca.hold()?;
        let recorded = match which {
            Counter::Serial => ca.last_issuance()?.map_or(0, |last: Issuance| last.counter),
            Counter::CrlNumber => ca.recent_crls()?.first().map_or(0, |last| last.number),
        };
        let least = least.max(recorded);
        let found = ca.counter(which)?;
        if found >= least {
            return Ok(None);
        }
        if let Some(rows) = ca.rows() {
            let inside = counter_in(&CaLayout::at(ca.name().as_str()), which);
            let copy = self.write_copy(&inside, counter::line(found).as_bytes())?;
            rows.raise(which, least)?;
            return Ok(Some(copy));
        }
        let path = ca.counter_path(which)?;
        let copy = self.keep_copy(&path.clone().into())?;
        counter::write(&path, least)?;
        Ok(Some(copy))
    }

    pub(crate) fn tighten(&self, file: &Location, mode: u32) -> Result<(), StoreError> {
        Ok(file::tighten(path_of(file)?, mode)?)
    }

    /// Moves a file of an interrupted writer to the copies, unless a writer is at work.
    pub(crate) fn take_leftover_away(
        &self,
        file: &Location,
    ) -> Result<Option<Location>, StoreError> {
        self.move_to_copies(path_of(file)?)
    }

    fn move_to_copies(&self, path: &Path) -> Result<Option<Location>, StoreError> {
        let to = self.place_for(path)?;
        let is_taken = file::take_leftover_away(path, &to)?;
        Ok(is_taken.then(|| to.into()))
    }

    /// Moves the key of a certificate that was never recorded to the copies; `None` if it is recorded
    /// by now.
    pub(crate) fn take_leaf_key_away(
        &self,
        ca: &Ca,
        serial: &Serial,
    ) -> Result<Option<Location>, StoreError> {
        // Batches make the keys of a group before they record it, and hold no other lock meanwhile.
        if let Some(rows) = ca.rows() {
            let _batches = rows.lock_batches(Sharing::Alone)?;
            let Some(key) = ca.leaf_key_file(serial)? else {
                return Ok(None);
            };
            if ca.issuance(serial)?.is_some() {
                return Ok(None);
            }
            let inside = CaLayout::at(ca.name().as_str()).leaf_key(serial);
            let copy = self.write_copy(&inside, &key)?;
            rows.remove_leaf_keys(&[*serial])?;
            return Ok(Some(copy));
        }
        let _batches = Lock::of_directory(
            &ca.layout()?.leaf_keys(),
            Sharing::Alone,
            &self.store.operator,
        )?;
        let _lock = ca.hold()?;
        let path = ca.layout()?.leaf_key(serial);
        if ca.issuance(serial)?.is_some() || !file::stands(&path)? {
            return Ok(None);
        }
        self.move_to_copies(&path)
    }

    /// Copies a file before it is replaced.
    pub(crate) fn keep_copy(&self, file: &Location) -> Result<Location, StoreError> {
        let path = path_of(file)?;
        self.write_copy(path, &file::read(path)?)
    }

    fn write_copy(&self, original: &Path, content: &[u8]) -> Result<Location, StoreError> {
        let to = self.place_for(original)?;
        file::write(&to, Access::Owner, Existing::Keep, content)?;
        Ok(to.into())
    }

    /// Replaces a missing or damaged CRL of the CA. Returns the copy of a damaged one.
    pub(crate) fn restore_crl(
        &self,
        ca: &Ca,
        file: &Location,
        der: &[u8],
    ) -> Result<Option<Location>, StoreError> {
        let _lock = ca.hold()?;
        let stands = file::stands(path_of(file)?)?;
        let copy = stands.then(|| self.keep_copy(file)).transpose()?;
        file::write(path_of(file)?, Access::Store, Existing::Replace, der)?;
        Ok(copy)
    }

    /// Returns a free place for a file among the copies.
    fn place_for(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let copies = if let Some(copies) = self.copies.get() {
            copies
        } else {
            let made = self.make_directory()?;
            self.copies.get_or_init(|| made)
        };
        let mut place = self.layout().copy_in(copies, path);
        while file::stands(&place)? {
            place = super::layout::beside(&place);
        }
        if let Some(directory) = place.parent() {
            file::create_directories(directory, Access::Store)?;
        }
        Ok(place)
    }

    fn make_directory(&self) -> Result<PathBuf, StoreError> {
        let layout = self.layout();
        let mut directory = layout.repaired(&self.time);
        while file::stands(&directory)? {
            directory = super::layout::beside(&directory);
        }
        file::create_directory(&directory, Access::Owner)?;
        file::sync_directory(layout.root())?;
        Ok(directory)
    }

    /// Returns the paths of copies.
    fn layout(&self) -> StoreLayout {
        match &self.store.place {
            Place::Directory(layout) => layout.clone(),
            Place::Database(_) => StoreLayout::of_working_directory(),
        }
    }
}
