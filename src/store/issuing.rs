//! Issuing: serial numbers, keys of leaves, and records, under the CA's lock.

use super::ca::Ca;
use super::database::{Issuing, Rows};
use super::error::StoreError;
use super::file::{self, Access, Group};
use super::lock::{Lock, Sharing};
use super::place::{CaPlace, Hold};
use super::record::Issuance;
use super::{counter, journal};
use crate::x509::Serial;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

impl Ca {
    /// Keeps the end of an interrupted batch from being issued twice: a process that goes on with one
    /// waits until none is at work; those that begin one keep it waiting, not each other.
    pub(crate) fn lock_batches(&self, goes_on: bool) -> Result<LockedBatches, StoreError> {
        let sharing = if goes_on {
            Sharing::Alone
        } else {
            Sharing::Shared
        };
        let lock = match &self.place {
            CaPlace::Directory(layout) => {
                file::refuse_foreign_link(&layout.leaf_keys())?;
                Hold::from(Lock::of_directory(
                    &layout.leaf_keys(),
                    sharing,
                    &self.operator,
                )?)
            }
            CaPlace::Database(rows) => Hold::Batches {
                _lock: rows.lock_batches(sharing)?,
            },
        };
        self.refuse_old_keys()?;
        Ok(LockedBatches { _lock: lock })
    }

    pub(crate) fn leaf_keys(&self) -> Result<LeafKeys<'_>, StoreError> {
        Ok(LeafKeys {
            ca: self,
            keys: match &self.place {
                CaPlace::Directory(layout) => Keys::Files(Group::of(&layout.leaf_keys())?),
                CaPlace::Database(rows) => Keys::Rows(rows.clone(), Mutex::default()),
            },
        })
    }

    /// Waits until no other process changes this CA.
    pub(crate) fn lock(&self) -> Result<LockedCa<'_>, StoreError> {
        if let Some(rows) = self.rows() {
            let issuing = rows.issuing()?;
            self.refuse_old_keys()?;
            return Ok(LockedCa {
                ca: self,
                work: Work::Database(issuing),
            });
        }
        let lock = self.hold()?;
        self.refuse_old_keys()?;
        let issued = journal::Writer::open(&self.layout()?.issued(), &self.operator)?;
        let recorded = issued.last::<Issuance>()?.map_or(0, |last| last.counter);
        let floor = self.record().restored.map_or(0, |floors| floors.counter);
        // An older copy of the counter may have been put back; the journal knows better.
        let counter = counter::read(&self.layout()?.serial_counter())?.max(recorded);
        let counter = counter.max(floor);
        Ok(LockedCa {
            ca: self,
            work: Work::Directory {
                issued,
                counter,
                _lock: lock,
            },
        })
    }
}

pub(crate) struct LockedBatches {
    _lock: Hold,
}

/// Leaf keys that become durable together.
pub(crate) struct LeafKeys<'a> {
    ca: &'a Ca,
    keys: Keys,
}

enum Keys {
    Files(Group),
    /// Keys that are not in the database yet.
    Rows(Rows, Mutex<Vec<(Serial, Zeroizing<Vec<u8>>)>>),
}

impl LeafKeys<'_> {
    /// Keeps a leaf's key; durable after [`LeafKeys::sync`].
    pub(crate) fn store(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        match &self.keys {
            Keys::Files(_) => {
                let path = self.ca.layout()?.leaf_key(serial);
                Ok(Group::create(&path, Access::Owner, key_pem)?)
            }
            Keys::Rows(_, new) => {
                let mut new = new.lock().unwrap_or_else(PoisonError::into_inner);
                new.push((*serial, Zeroizing::new(key_pem.to_vec())));
                Ok(())
            }
        }
    }

    pub(crate) fn sync(&self, serials: &[Serial]) -> Result<(), StoreError> {
        if serials.is_empty() {
            return Ok(());
        }
        match &self.keys {
            Keys::Files(group) => {
                let layout = self.ca.layout()?;
                let paths: Vec<PathBuf> = serials
                    .iter()
                    .map(|serial| layout.leaf_key(serial))
                    .collect();
                Ok(group.sync(&paths)?)
            }
            Keys::Rows(rows, new) => {
                // Others are of a group that is being made meanwhile.
                let wanted: HashSet<&Serial> = serials.iter().collect();
                let mut new = new.lock().unwrap_or_else(PoisonError::into_inner);
                let (now, later) = new
                    .drain(..)
                    .partition(|(serial, _)| wanted.contains(serial));
                *new = later;
                drop(new);
                let now: Vec<_> = now;
                rows.add_leaf_keys(&now)
            }
        }
    }

    pub(crate) fn discard(&self, serials: &[Serial]) {
        // A key without a certificate is of no use to anybody, and does no harm.
        if let Keys::Rows(rows, _) = &self.keys {
            let _ = rows.remove_leaf_keys(serials);
        } else if let Ok(layout) = self.ca.layout() {
            for serial in serials {
                let _ = file::remove_if_there(&layout.leaf_key(serial));
            }
        }
    }
}

/// CA that no other process changes: the only way to its serial counter and its journal. In a database, what is
/// recorded is refused if another process has changed the store meanwhile.
pub(crate) struct LockedCa<'a> {
    ca: &'a Ca,
    work: Work,
}

enum Work {
    Directory {
        issued: journal::Writer,
        counter: u128,
        _lock: Hold,
    },
    Database(Issuing),
}

impl LockedCa<'_> {
    /// Reserves a serial number for each random number, durably. None is ever given out again, used or not.
    pub(crate) fn reserve_serials(&mut self, random: &[u64]) -> Result<Vec<Serial>, StoreError> {
        match &mut self.work {
            Work::Directory { counter, .. } => {
                let serials = self.ca.serials_after(*counter, random)?;
                let last = *counter + random.len() as u128;
                counter::write(&self.ca.layout()?.serial_counter(), last)?;
                *counter = last;
                Ok(serials)
            }
            Work::Database(issuing) => {
                let last = issuing.reserve(random.len())?;
                self.ca.serials_after(last - random.len() as u128, random)
            }
        }
    }

    /// Raises the counter, durably: numbers up to this one were given out elsewhere. Returns it.
    pub(crate) fn raise_counter(&mut self, least: u128) -> Result<u128, StoreError> {
        match &mut self.work {
            Work::Directory { counter, .. } => {
                if least > *counter {
                    counter::write(&self.ca.layout()?.serial_counter(), least)?;
                    *counter = least;
                }
                Ok(*counter)
            }
            Work::Database(issuing) => issuing.raise(least),
        }
    }

    /// Returns the highest counter in use, as a record of a certificate with this serial number has it.
    pub(crate) fn counter_with(&self, serial: &Serial) -> u128 {
        match &self.work {
            Work::Directory { counter, .. } => *counter,
            Work::Database(issuing) => issuing.counter().unwrap_or_else(|| serial.counter()),
        }
    }

    /// Looks again, after [`StoreError::Overtaken`]: all that was checked is to be checked again, and the keys
    /// are to be kept again.
    pub(crate) fn look_again(&mut self) -> Result<(), StoreError> {
        match &mut self.work {
            Work::Directory { .. } => Ok(()),
            Work::Database(issuing) => {
                issuing.look_again()?;
                self.ca.refuse_old_keys()
            }
        }
    }

    /// Keeps a leaf's key, durably; in a database together with its certificate.
    pub(crate) fn store_leaf_key(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        if let Work::Database(issuing) = &self.work {
            issuing.keep_key(serial, key_pem);
            return Ok(());
        }
        let layout = self.ca.layout()?;
        let path = layout.leaf_key(serial);
        file::create(&path, Access::Owner, key_pem)?;
        let synced = file::sync_directory(&layout.leaf_keys()).inspect_err(|_| {
            // Nothing will be issued for it; what failed is the one to report.
            let _ = file::remove(&path);
        });
        Ok(synced?)
    }

    /// Removes a leaf's key whose certificate could not be recorded.
    pub(crate) fn remove_leaf_key(&self, serial: &Serial) -> Result<(), StoreError> {
        match &self.work {
            Work::Directory { .. } => Ok(file::remove(&self.ca.layout()?.leaf_key(serial))?),
            Work::Database(_) => Ok(()),
        }
    }

    /// Records certificates, durably: they are issued when this returns.
    pub(crate) fn record_issuances(&mut self, issuances: &[Issuance]) -> Result<(), StoreError> {
        match &mut self.work {
            Work::Directory { issued, .. } => issued.append(issuances),
            Work::Database(issuing) => issuing.record(issuances, self.ca.operator.stamp()),
        }
    }
}

impl Ca {
    /// Returns the serial numbers whose counters follow one.
    fn serials_after(&self, counter: u128, random: &[u64]) -> Result<Vec<Serial>, StoreError> {
        let used_up = || StoreError::SerialsUsedUp {
            name: self.name().clone(),
        };
        let mut last = counter;
        let mut serials = Vec::with_capacity(random.len());
        for random in random {
            last = last.checked_add(1).ok_or_else(used_up)?;
            serials.push(Serial::from_counter(last, *random).map_err(|_| used_up())?);
        }
        Ok(serials)
    }
}
