//! Another generation of a CA's keys: the same keys under another passphrase.
//!
//! The keys of a generation are `ca-N.key` and `keys-N` (the first: `ca.key` and `keys`), and `ca.json` says which
//! one counts. So all of them change in one step, however many there are: first the next generation is written
//! and synced, then `ca.json` is replaced, then the generation before is removed. A file beside the CAs says that
//! this goes on; if it was interrupted, the next command removes the generation that does not count.

use super::ca::Ca;
use super::error::StoreError;
use super::file::{self, Access, Existing, Group};
use super::layout::{CaLayout, StoreLayout};
use super::lock::{Lock, Sharing};
use super::name::CaName;
use super::record::{CaRecord, Change};
use super::{Notice, Store, format};
use crate::x509::Serial;
use std::collections::HashSet;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Keys that are synced together.
const GROUP: usize = 1024;

/// CA that gets another generation of its keys: no other process makes CAs, or keys in batches.
pub(crate) struct NewKeys<'a> {
    store: &'a Store,
    ca: Ca,
    next: CaLayout,
    group: Group,
    written: HashSet<Serial>,
    unsynced: Vec<PathBuf>,
    _batches: Lock,
    _lock: Lock,
}

impl Store {
    /// Begins the next generation of a CA's keys.
    pub(crate) fn begin_new_keys(&self, name: &CaName) -> Result<NewKeys<'_>, StoreError> {
        let lock = self.hold()?;
        let ca = self.ca(name)?;
        let directory = ca.layout.leaf_keys();
        file::refuse_foreign_link(&directory)?;
        let batches = Lock::of_directory(&directory, Sharing::Alone, &self.operator)?;
        format::raise(&self.layout, format::REMOVED)?;
        remove_other_generations(&ca)?;
        file::write(
            &self.layout.changing_keys(name),
            Access::Owner,
            Existing::Replace,
            &[],
        )
        .map_err(|error| error.source)?;
        let next = ca.layout.next_generation();
        file::create_directory(&next.leaf_keys(), Access::Owner)?;
        Ok(NewKeys {
            group: Group::of(&next.leaf_keys())?,
            store: self,
            ca,
            next,
            written: HashSet::new(),
            unsynced: Vec::new(),
            _batches: batches,
            _lock: lock,
        })
    }

    /// Lists CAs whose keys were being changed by a command that was interrupted.
    pub(super) fn changing_keys(entries: &[String]) -> Vec<CaName> {
        let names = entries.iter();
        names
            .filter_map(|entry| StoreLayout::changing_keys_name(entry))
            .collect()
    }

    /// Removes the generations of keys that do not count.
    pub(super) fn settle_keys(&self, name: &CaName) -> Result<(), StoreError> {
        if let Some(ca) = Ca::open(&self.layout.ca(name), name, &self.operator)? {
            // Its record first: the command that wrote it may have been killed before its sync.
            file::sync_directory(ca.layout.directory())?;
            remove_other_generations(&ca)?;
        }
        self.end_change_of_keys(name)?;
        self.operator
            .tell(&Notice::KeysSettled { name: name.clone() });
        Ok(())
    }

    fn end_change_of_keys(&self, name: &CaName) -> Result<(), StoreError> {
        file::remove_if_there(&self.layout.changing_keys(name))?;
        Ok(file::sync_directory(self.layout.root())?)
    }
}

impl NewKeys<'_> {
    pub(crate) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Adds the leaf keys that are there and were not added before: `protect` returns the new content of a file.
    /// Returns their number.
    pub(crate) fn add_leaf_keys<E: From<StoreError>>(
        &mut self,
        mut protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<(), E> {
        for serial in self.ca.leaf_key_serials()? {
            if self.written.contains(&serial) {
                continue;
            }
            // One that was given up since is none.
            let Some(old) = self.ca.leaf_key_file(&serial)? else {
                continue;
            };
            let content = protect(&self.ca, &serial, &old)?;
            let path = self.next.leaf_key(&serial);
            Group::create(&path, Access::Owner, &content).map_err(StoreError::from)?;
            self.unsynced.push(path);
            self.written.insert(serial);
            if self.unsynced.len() >= GROUP {
                self.sync()?;
            }
        }
        Ok(self.sync()?)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let unsynced = std::mem::take(&mut self.unsynced);
        if !unsynced.is_empty() {
            self.group.sync(&unsynced)?;
        }
        Ok(())
    }

    /// Writes the CA's own key, adds the leaf keys that others made meanwhile, and has the new generation count.
    /// Returns the number of leaf keys.
    pub(crate) fn finish<E: From<StoreError>>(
        mut self,
        own: &[u8],
        protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<usize, E> {
        let ca = self.ca.clone();
        let _ca_lock = ca.hold()?;
        self.add_leaf_keys(protect)?;
        self.commit(own)?;
        Ok(self.written.len())
    }

    fn commit(&self, own: &[u8]) -> Result<(), StoreError> {
        let Self {
            store, ca, next, ..
        } = self;
        file::create(&next.key(), Access::Owner, own)?;
        file::sync_directory(&next.leaf_keys())?;
        file::sync_directory(next.directory())?;
        let record = CaRecord {
            keys: next.generation(),
            ..ca.record().clone()
        };
        file::write(
            &next.record(),
            Access::Store,
            Existing::Replace,
            &record.to_json(),
        )
        .map_err(|error| error.source)?;
        ca.append_change(Change::PassphraseChanged)?;
        let ca = store.ca(ca.name())?;
        remove_other_generations(&ca)?;
        store.end_change_of_keys(ca.name())
    }
}

impl Drop for NewKeys<'_> {
    /// Removes what does not count; what cannot be removed now, the next command removes.
    fn drop(&mut self) {
        if let Ok(ca) = self.store.ca(self.ca.name())
            && remove_other_generations(&ca).is_ok()
        {
            let _ = self.store.end_change_of_keys(self.ca.name());
        }
    }
}

/// Removes the keys of every generation but the one that counts.
fn remove_other_generations(ca: &Ca) -> Result<(), StoreError> {
    let layout = &ca.layout;
    for path in layout.keys_in(file::names_in(layout.directory())?) {
        if path == layout.key() || path == layout.leaf_keys() {
            continue;
        }
        if path.is_dir() {
            file::remove_directory(&path)?;
        } else {
            file::remove_if_there(&path)?;
        }
    }
    Ok(file::sync_directory(layout.directory())?)
}

impl Ca {
    /// Refuses a CA whose keys were protected anew since it was opened: a key made now would be lost.
    pub(super) fn refuse_old_keys(&self) -> Result<(), StoreError> {
        let content = file::read_if_there(&self.layout.record())?;
        let now = content.and_then(|content| serde_json::from_slice::<CaRecord>(&content).ok());
        match now {
            Some(now) if now.keys == self.record().keys => Ok(()),
            _ => Err(StoreError::KeysChanged {
                name: self.name().clone(),
            }),
        }
    }
}
