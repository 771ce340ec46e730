//! Issuing: serial numbers, keys of leaves, and records, under the CA's lock.

use super::ca::Ca;
use super::error::StoreError;
use super::file::{self, Access, Group};
use super::lock::{Lock, Sharing};
use super::record::Issuance;
use super::{counter, journal};
use crate::x509::Serial;
use std::path::PathBuf;

impl Ca {
    /// Keeps the end of an interrupted batch from being issued twice: a process that goes on with one
    /// waits until none is at work; those that begin one keep it waiting, not each other.
    pub(crate) fn lock_batches(&self, goes_on: bool) -> Result<LockedBatches, StoreError> {
        let sharing = if goes_on {
            Sharing::Alone
        } else {
            Sharing::Shared
        };
        file::refuse_foreign_link(&self.layout.leaf_keys())?;
        let lock = Lock::of_directory(&self.layout.leaf_keys(), sharing, &self.operator)?;
        self.refuse_old_keys()?;
        Ok(LockedBatches { _lock: lock })
    }

    pub(crate) fn leaf_keys(&self) -> Result<LeafKeys<'_>, StoreError> {
        Ok(LeafKeys {
            ca: self,
            group: Group::of(&self.layout.leaf_keys())?,
        })
    }

    /// Waits until no other process changes this CA.
    pub(crate) fn lock(&self) -> Result<LockedCa<'_>, StoreError> {
        let lock = self.hold()?;
        self.refuse_old_keys()?;
        let issued = journal::Writer::open(&self.layout.issued(), &self.operator)?;
        let recorded = issued.last::<Issuance>()?.map_or(0, |last| last.counter);
        let floor = self.record().restored.map_or(0, |floors| floors.counter);
        // An older copy of the counter may have been put back; the journal knows better.
        let counter = counter::read(&self.layout.serial_counter())?.max(recorded);
        let counter = counter.max(floor);
        Ok(LockedCa {
            ca: self,
            issued,
            counter,
            _lock: lock,
        })
    }
}

pub(crate) struct LockedBatches {
    _lock: Lock,
}

/// Leaf keys that become durable together.
pub(crate) struct LeafKeys<'a> {
    ca: &'a Ca,
    group: Group,
}

impl LeafKeys<'_> {
    /// Keeps a leaf's key; durable after [`LeafKeys::sync`].
    pub(crate) fn store(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        let path = self.ca.layout.leaf_key(serial);
        Ok(Group::create(&path, Access::Owner, key_pem)?)
    }

    pub(crate) fn sync(&self, serials: &[Serial]) -> Result<(), StoreError> {
        if serials.is_empty() {
            return Ok(());
        }
        let path = |serial| self.ca.layout.leaf_key(serial);
        let paths: Vec<PathBuf> = serials.iter().map(path).collect();
        Ok(self.group.sync(&paths)?)
    }

    pub(crate) fn discard(&self, serials: &[Serial]) {
        for serial in serials {
            // A key without a certificate is of no use to anybody, and does no harm.
            let _ = file::remove_if_there(&self.ca.layout.leaf_key(serial));
        }
    }
}

/// CA that no other process changes: the only way to its serial counter and its journal.
pub(crate) struct LockedCa<'a> {
    ca: &'a Ca,
    issued: journal::Writer,
    counter: u128,
    _lock: Lock,
}

impl LockedCa<'_> {
    /// Reserves a serial number for each random number, durably. None is ever given out again, used or not.
    pub(crate) fn reserve_serials(&mut self, random: &[u64]) -> Result<Vec<Serial>, StoreError> {
        let used_up = || StoreError::SerialsUsedUp {
            name: self.ca.name().clone(),
        };
        let mut last = self.counter;
        let mut serials = Vec::with_capacity(random.len());
        for random in random {
            last = last.checked_add(1).ok_or_else(used_up)?;
            serials.push(Serial::from_counter(last, *random).map_err(|_| used_up())?);
        }
        counter::write(&self.ca.layout.serial_counter(), last)?;
        self.counter = last;
        Ok(serials)
    }

    /// Raises the counter, durably: numbers up to this one were given out elsewhere.
    pub(crate) fn raise_counter(&mut self, counter: u128) -> Result<(), StoreError> {
        if counter > self.counter {
            counter::write(&self.ca.layout.serial_counter(), counter)?;
            self.counter = counter;
        }
        Ok(())
    }

    pub(crate) fn counter(&self) -> u128 {
        self.counter
    }

    /// Keeps a leaf's key, durably.
    pub(crate) fn store_leaf_key(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        let path = self.ca.layout.leaf_key(serial);
        file::create(&path, Access::Owner, key_pem)?;
        let synced = file::sync_directory(&self.ca.layout.leaf_keys()).inspect_err(|_| {
            // Nothing will be issued for it; what failed is the one to report.
            let _ = file::remove(&path);
        });
        Ok(synced?)
    }

    /// Removes a leaf's key whose certificate could not be recorded.
    pub(crate) fn remove_leaf_key(&self, serial: &Serial) -> Result<(), StoreError> {
        Ok(file::remove(&self.ca.layout.leaf_key(serial))?)
    }

    /// Records certificates, durably: they are issued when this returns.
    pub(crate) fn record_issuances(&mut self, issuances: &[Issuance]) -> Result<(), StoreError> {
        self.issued.append(issuances)
    }
}
