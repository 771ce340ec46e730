//! Another generation of a CA's keys: the same keys under another passphrase.
//!
//! The keys of a generation are `ca-N.key` and `keys-N` (the first: `ca.key` and `keys`), and `ca.json` says which
//! one counts. So all of them change in one step, however many there are: first the next generation is written
//! and synced, then `ca.json` is replaced, then the generation before is removed. A file beside the CAs says that
//! this goes on; if it was interrupted, the next command removes the generation that does not count.

use super::ca::Ca;
use super::database::{Rows, State};
use super::error::{StoreError, Uncommitted};
use super::file::{self, Access, Existing, Group};
use super::layout::{CaLayout, StoreLayout};
use super::lock::{Lock, Sharing};
use super::name::CaName;
use super::place::{CaPlace, Hold};
use super::record::{CaRecord, Change};
use super::{Notice, Store, format};
use crate::x509::Serial;
use std::collections::HashSet;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Keys that are synced together.
const GROUP: usize = 1024;

/// CA that gets another generation of its keys: no other process makes CAs, or keys in batches.
pub(crate) struct NewKeys<'a>(Work<'a>);

enum Work<'a> {
    Directory(Box<Generation<'a>>),
    Database(Box<Rewriting<'a>>),
}

/// Keys of a CA in a database, which are replaced in one transaction.
struct Rewriting<'a> {
    store: &'a Store,
    ca: Ca,
    rows: Rows,
    written: HashSet<Serial>,
}

impl Drop for Rewriting<'_> {
    fn drop(&mut self) {
        self.rows.session.roll_back();
    }
}

/// Next generation of keys in a directory.
struct Generation<'a> {
    attempt: Attempt<'a>,
    next: CaLayout,
    group: Group,
    written: HashSet<Serial>,
    unsynced: Vec<PathBuf>,
    _batches: Lock,
    _lock: Hold,
}

/// Next generation of a CA's keys until it counts: dropped before, it leaves the store as it was.
struct Attempt<'a> {
    store: &'a Store,
    ca: Ca,
    /// The store's format before.
    format: u32,
    committed: bool,
}

impl Store {
    /// Begins the next generation of a CA's keys.
    pub(crate) fn begin_new_keys(&self, name: &CaName) -> Result<NewKeys<'_>, StoreError> {
        let lock = self.hold()?;
        let ca = self.ca(name)?;
        if let Some(rows) = ca.rows().cloned() {
            rows.lock_key()?;
            let rewriting = Rewriting {
                store: self,
                rows,
                ca,
                written: HashSet::new(),
            };
            rewriting.ca.refuse_old_keys()?;
            return Ok(NewKeys(Work::Database(Box::new(rewriting))));
        }
        let directory = ca.layout()?.leaf_keys();
        file::refuse_foreign_link(&directory)?;
        let batches = Lock::of_directory(&directory, Sharing::Alone, &self.operator)?;
        let layout = ca.layout()?;
        let next = layout.next_generation().ok_or_else(|| {
            StoreError::damaged(layout.record(), "has no generation of keys left")
        })?;
        remove_other_generations(&ca)?;

        let attempt = Attempt {
            store: self,
            format: format::read(self.layout()?)?,
            committed: false,
            ca,
        };
        format::raise(self.layout()?, format::REMOVED)?;
        file::write(
            &self.layout()?.changing_keys(name),
            Access::Owner,
            Existing::Replace,
            &[],
        )
        .map_err(|error| error.source)?;
        file::create_directory(&next.leaf_keys(), Access::Owner)?;
        Ok(NewKeys(Work::Directory(Box::new(Generation {
            group: Group::of(&next.leaf_keys())?,
            attempt,
            next,
            written: HashSet::new(),
            unsynced: Vec::new(),
            _batches: batches,
            _lock: lock,
        }))))
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
        if let Some(ca) = Ca::open(&self.layout()?.ca(name), name, &self.operator)? {
            // Its record first: the command that wrote it may have been killed before its sync.
            file::sync_directory(ca.layout()?.directory())?;
            complete_change(&ca)?;
        }
        self.end_change_of_keys(name)?;
        self.operator
            .tell(&Notice::KeysSettled { name: name.clone() });
        Ok(())
    }

    fn end_change_of_keys(&self, name: &CaName) -> Result<(), StoreError> {
        file::remove_if_there(&self.layout()?.changing_keys(name))?;
        Ok(file::sync_directory(self.layout()?.root())?)
    }
}

impl NewKeys<'_> {
    pub(crate) fn ca(&self) -> &Ca {
        match &self.0 {
            Work::Directory(generation) => &generation.attempt.ca,
            Work::Database(rewriting) => &rewriting.ca,
        }
    }

    /// Adds the leaf keys that are there and were not added before: `protect` returns the new content of a file.
    pub(crate) fn add_leaf_keys<E: From<StoreError>>(
        &mut self,
        protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<(), E> {
        match &mut self.0 {
            Work::Directory(generation) => generation.add_leaf_keys(protect),
            Work::Database(rewriting) => rewriting.add_leaf_keys(protect),
        }
    }

    /// Writes the CA's own key, adds the leaf keys that others made meanwhile, and has the new generation count.
    pub(crate) fn finish<E: From<StoreError>>(
        self,
        own: &[u8],
        protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<ChangedKeys, E> {
        match self.0 {
            Work::Directory(generation) => generation.finish(own, protect),
            Work::Database(rewriting) => rewriting.finish(own, protect),
        }
    }
}

impl Rewriting<'_> {
    fn add_leaf_keys<E: From<StoreError>>(
        &mut self,
        mut protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<(), E> {
        for serial in self.rows.leaf_key_serials()? {
            if !self.written.contains(&serial)
                && let Some(old) = self.rows.leaf_key(&serial)?
            {
                let content = protect(&self.ca, &serial, &old)?;
                self.rows.set_leaf_key(&serial, &content)?;
                self.written.insert(serial);
            }
        }
        Ok(())
    }

    fn finish<E: From<StoreError>>(
        mut self,
        own: &[u8],
        protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<ChangedKeys, E> {
        // From now on nobody records a key under the passphrase before.
        self.rows.session.enter_alone()?;
        self.add_leaf_keys(protect)?;
        let record = CaRecord {
            keys: self.ca.record().keys.saturating_add(1),
            ..self.ca.record().clone()
        };
        self.rows.set_key(own)?;
        self.rows.set_record(&record)?;
        let stamp = self.store.operator.stamp();
        self.rows.record_change(Change::PassphraseChanged, stamp)?;
        self.rows.session.commit()?;
        Ok(ChangedKeys {
            leaf_keys: self.written.len(),
            settled: Ok(()),
        })
    }
}

impl Generation<'_> {
    fn ca(&self) -> &Ca {
        &self.attempt.ca
    }

    fn add_leaf_keys<E: From<StoreError>>(
        &mut self,
        mut protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<(), E> {
        for serial in self.ca().leaf_key_serials()? {
            if self.written.contains(&serial) {
                continue;
            }
            // One that was given up since is none.
            let Some(old) = self.ca().leaf_key_file(&serial)? else {
                continue;
            };
            let content = protect(self.ca(), &serial, &old)?;
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

    fn finish<E: From<StoreError>>(
        mut self,
        own: &[u8],
        protect: impl FnMut(&Ca, &Serial, &[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<ChangedKeys, E> {
        let ca = self.ca().clone();
        let _ca_lock = ca.hold()?;
        self.add_leaf_keys(protect)?;
        let settled = match self.commit(own) {
            Ok(()) => {
                self.attempt.committed = true;
                self.settle()
            }
            // It counts, but may not after a power cut: the next command syncs before it removes any key.
            Err(Uncommitted {
                in_place: Some(_),
                source,
            }) => {
                self.attempt.committed = true;
                Err(source.into())
            }
            Err(error) => return Err(StoreError::from(error.source).into()),
        };
        Ok(ChangedKeys {
            leaf_keys: self.written.len(),
            settled,
        })
    }

    /// Has the new generation count.
    fn commit(&self, own: &[u8]) -> Result<(), Uncommitted> {
        let next = &self.next;
        file::create(&next.key(), Access::Owner, own)?;
        file::sync_directory(&next.leaf_keys())?;
        file::sync_directory(next.directory())?;
        let record = CaRecord {
            keys: next.generation(),
            ..self.ca().record().clone()
        };
        file::write(
            &next.record(),
            Access::Store,
            Existing::Replace,
            &record.to_json(),
        )
    }

    /// Records the change, and removes the generation before.
    fn settle(&self) -> Result<(), StoreError> {
        let store = self.attempt.store;
        let ca = store.ca(self.ca().name())?;
        complete_change(&ca)?;
        store.end_change_of_keys(ca.name())
    }
}

/// Keys that have another passphrase.
pub(crate) struct ChangedKeys {
    pub(crate) leaf_keys: usize,
    /// Error of what comes after the commit.
    pub(crate) settled: Result<(), StoreError>,
}

impl Drop for Attempt<'_> {
    /// Removes what does not count; what cannot be removed now, the next command removes.
    fn drop(&mut self) {
        let Self { store, ca, .. } = self;
        if !self.committed
            && remove_other_generations(ca).is_ok()
            && store.end_change_of_keys(ca.name()).is_ok()
        {
            let _ = store
                .layout()
                .and_then(|layout| format::lower(layout, self.format));
        }
    }
}

/// Records the generation of keys that counts, if it is not the first and not recorded, and removes the others.
fn complete_change(ca: &Ca) -> Result<(), StoreError> {
    if ca.count_changes(Change::PassphraseChanged)? < u64::from(ca.layout()?.generation()) {
        ca.append_change(Change::PassphraseChanged)?;
    }
    remove_other_generations(ca)
}

/// Removes the keys of every generation but the one that counts.
fn remove_other_generations(ca: &Ca) -> Result<(), StoreError> {
    let layout = ca.layout()?;
    let (files, directories) = layout.keys_in(&file::names_in(layout.directory())?);
    for path in files.iter().filter(|path| **path != layout.key()) {
        file::remove_if_there(path)?;
    }
    for path in directories
        .iter()
        .filter(|path| **path != layout.leaf_keys())
    {
        file::remove_directory(path)?;
    }
    Ok(file::sync_directory(layout.directory())?)
}

impl Ca {
    /// Refuses a CA whose keys were protected anew since it was opened: a key made now would be lost.
    pub(super) fn refuse_old_keys(&self) -> Result<(), StoreError> {
        let now = match &self.place {
            CaPlace::Directory(layout) => {
                let content = file::read_if_there(&layout.record())?;
                let read = |content: Vec<u8>| serde_json::from_slice::<CaRecord>(&content).ok();
                content.and_then(read).map(|record| record.keys)
            }
            CaPlace::Database(rows) => {
                let facts = rows.session.facts()?;
                let ca = facts.ca(self.name(), State::Ready);
                ca.map(|ca| ca.record.keys)
            }
        };
        match now {
            Some(keys) if keys == self.record().keys => Ok(()),
            _ => Err(StoreError::KeysChanged {
                name: self.name().clone(),
            }),
        }
    }
}
