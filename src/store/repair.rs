//! Repairing what is safe to repair. Each step takes the lock that writers take, looks again, and keeps what
//! it changes or takes away among copies.

use super::Store;
use super::ca::Ca;
use super::counter;
use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::journal::Writer;
use super::kind::{Counter, Journal};
use super::lock::{Lock, Sharing};
use super::record::Issuance;
use crate::x509::Serial;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A store that is being repaired.
pub struct StoreRepair<'a> {
    store: &'a Store,
    time: String,
    /// The directory with the copies, once there are any.
    copies: OnceCell<PathBuf>,
}

impl Store {
    /// Begins to repair; `time` is in the name of the directory that gets copies.
    pub fn repair(&self, time: String) -> StoreRepair<'_> {
        StoreRepair {
            store: self,
            time,
            copies: OnceCell::new(),
        }
    }
}

impl StoreRepair<'_> {
    /// Moves the unfinished last line of a journal to the file beside it.
    pub fn set_torn_line_aside(&self, ca: &Ca, journal: Journal) -> Result<(), StoreError> {
        let _lock = ca.hold()?;
        // To open it is to do so, for every writer.
        Writer::open(&ca.journal_path(journal), &silent())?;
        Ok(())
    }

    /// Moves a counter up to at least a number, and gives the copy of what it was; `None` where it has
    /// come there by itself.
    pub fn raise(
        &self,
        ca: &Ca,
        which: Counter,
        least: u128,
    ) -> Result<Option<PathBuf>, StoreError> {
        let _lock = ca.hold()?;
        let path = ca.counter_path(which);
        let recorded = match which {
            Counter::Serial => ca.last_issuance()?.map_or(0, |last: Issuance| last.counter),
            Counter::CrlNumber => ca.recent_crls()?.first().map_or(0, |last| last.number),
        };
        let least = least.max(recorded);
        if counter::read(&path)? >= least {
            return Ok(None);
        }
        let copy = self.keep_copy(&path)?;
        counter::write(&path, least)?;
        Ok(Some(copy))
    }

    /// Takes permissions away.
    pub fn tighten(&self, path: &Path, mode: u32) -> Result<(), StoreError> {
        Ok(file::tighten(path, mode)?)
    }

    /// Takes away what an interrupted writer left, unless one is at work; and says where it is.
    pub fn take_leftover_away(&self, path: &Path) -> Result<Option<PathBuf>, StoreError> {
        let to = self.place_for(path)?;
        Ok(file::take_leftover_away(path, &to)?.then_some(to))
    }

    /// Takes away the key of a certificate that was never recorded, and says where it is; `None` where it
    /// is recorded by now.
    pub fn take_leaf_key_away(
        &self,
        ca: &Ca,
        serial: &Serial,
    ) -> Result<Option<PathBuf>, StoreError> {
        // Batches make the keys of a group before they record it, and hold no other lock meanwhile.
        let _batches =
            Lock::of_directory(&ca.layout.leaf_keys(), Sharing::Alone, &self.store.observer)?;
        let _lock = ca.hold()?;
        let path = ca.leaf_key_path(serial);
        if ca.issuance(serial)?.is_some() || !file::stands(&path)? {
            return Ok(None);
        }
        let to = self.place_for(&path)?;
        Ok(file::take_leftover_away(&path, &to)?.then_some(to))
    }

    /// Keeps a copy of a file that is about to be replaced.
    pub fn keep_copy(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let to = self.place_for(path)?;
        let content = file::read(path)?;
        file::write(&to, Access::Owner, Existing::Keep, &content)?;
        Ok(to)
    }

    /// Puts a CRL that is known to be its CA's into the place of the one that is missing or damaged.
    pub fn restore_crl(&self, ca: &Ca, path: &Path, der: &[u8]) -> Result<(), StoreError> {
        let _lock = ca.hold()?;
        Ok(file::write(path, Access::Store, Existing::Replace, der)?)
    }

    /// A free place for a file among the copies.
    fn place_for(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let layout = &self.store.layout;
        let copies = if let Some(copies) = self.copies.get() {
            copies
        } else {
            let made = self.make_directory()?;
            self.copies.get_or_init(|| made)
        };
        let mut place = layout.copy_in(copies, path);
        while file::stands(&place)? {
            place = super::layout::beside(&place);
        }
        if let Some(directory) = place.parent() {
            file::create_directories(directory, Access::Store)?;
        }
        Ok(place)
    }

    fn make_directory(&self) -> Result<PathBuf, StoreError> {
        let mut directory = self.store.layout.repaired(&self.time);
        while file::stands(&directory)? {
            directory = super::layout::beside(&directory);
        }
        file::create_directory(&directory, Access::Owner)?;
        file::sync_directory(self.store.layout.root())?;
        Ok(directory)
    }
}

/// What is done is said by who asked for it.
fn silent() -> super::Observer {
    Arc::new(|_| {})
}
