//! CAs in the making.

use super::ca::Ca;
use super::error::StoreError;
use super::file;
use super::format;
use super::handle::Store;
use super::kind::Journal;
use super::layout::{CaLayout, StoreLayout};
use super::lock::Lock;
use super::material::Material;
use super::name::CaName;
use super::notice::Notice;
use super::place::{Hold, Place};

impl Store {
    /// Reserves the name of a new CA: no other process can make one until this is dropped.
    pub(crate) fn reserve_ca(&self, name: &CaName) -> Result<ReservedCa<'_>, StoreError> {
        let lock = self.hold()?;
        self.settle_staged(name)?;
        self.check_free(name)?;
        Ok(ReservedCa {
            store: self,
            name: name.clone(),
            _lock: lock,
        })
    }

    /// Reserves a CA that is here without its key, to add the key.
    pub(crate) fn reserve_keyless(&self, name: &CaName) -> Result<ReservedCa<'_>, StoreError> {
        let lock = self.hold()?;
        self.settle_staged(name)?;
        if self.ca(name)?.has_key()? {
            return Err(StoreError::CaExists { name: name.clone() });
        }
        Ok(ReservedCa {
            store: self,
            name: name.clone(),
            _lock: lock,
        })
    }

    /// Completes or removes CAs that an interrupted process left half-created; skipped while another
    /// process holds the lock. A store that can't be written to can still be read, so a failure is no
    /// more than a notice.
    pub(super) fn finish_unfinished_cas(&self) -> Result<(), StoreError> {
        let entries = self.entries()?;
        let staged: Vec<CaName> = entries
            .iter()
            .filter_map(|entry| StoreLayout::staged_name(entry))
            .collect();
        let installed = self.pending_beside_their_cas(&entries)?;
        let removed = self.removed_with_keys(&entries)?;
        let changing = Self::changing_keys(&entries);
        if [&staged, &installed, &removed, &changing]
            .iter()
            .all(|names| names.is_empty())
        {
            return Ok(());
        }
        if let Ok(Some(_lock)) = Lock::try_acquire(&self.layout()?.lock()) {
            let unsettled = |name, error: StoreError| {
                self.operator.tell(&Notice::Unsettled {
                    name,
                    problem: error.to_string(),
                });
            };
            for name in staged {
                if let Err(error) = self.settle_staged(&name) {
                    unsettled(name, error);
                }
            }
            for name in installed {
                if let Err(error) = self.settle_installed(&name) {
                    unsettled(name, error);
                }
            }
            for name in changing {
                if let Err(error) = self.settle_keys(&name) {
                    unsettled(name, error);
                }
            }
            for name in removed {
                if let Err(error) = self.settle_removed(&name) {
                    unsettled(name, error);
                }
            }
        }
        Ok(())
    }

    /// Completes or removes a staged CA. One whose certificate is in its parent's journal was
    /// acknowledged, and gets its name; one that was certainly not is removed. So is one whose name is
    /// taken: it was to replace a CA without its key, or was replaced.
    ///
    /// One with records of its own gets its name too: it may have had it, until a power cut took it away,
    /// and others may have issued under it.
    ///
    /// A database has none: a transaction that was interrupted is undone.
    pub(super) fn settle_staged(&self, name: &CaName) -> Result<(), StoreError> {
        if self.session().is_none()
            && let Some(completed) = self.completes_staged(name, true)?
        {
            self.say_settled(name, completed);
        }
        Ok(())
    }

    pub(super) fn say_settled(&self, name: &CaName, completed: bool) {
        self.operator.tell(&Notice::UnfinishedCa {
            name: name.clone(),
            completed,
        });
    }

    /// Returns whether a staged CA got its name, or was removed; `None` if there is none. Of one that
    /// `may_be_named` it is not known whether it had its name.
    pub(super) fn completes_staged(
        &self,
        name: &CaName,
        may_be_named: bool,
    ) -> Result<Option<bool>, StoreError> {
        let staged = self.layout()?.staged_ca(name);
        if !file::stands(staged.directory())? {
            return Ok(None);
        }
        file::refuse_foreign_link(staged.directory())?;
        let stands = file::stands(self.layout()?.ca(name).directory())?;
        let completed = !stands && self.is_recorded(&staged, name, may_be_named)?;
        if completed {
            // The process that made it may have been killed before its last sync.
            file::sync_directory(staged.directory())?;
            self.give_name(&staged, name)?;
            file::sync_directory(self.layout()?.root())?;
        } else {
            discard(&staged)?;
        }
        Ok(Some(completed))
    }

    /// Returns an error if it can't be told: the key of a CA that was issued may be in there.
    fn is_recorded(
        &self,
        staged: &CaLayout,
        name: &CaName,
        may_be_named: bool,
    ) -> Result<bool, StoreError> {
        // `ca.json` is written last: without it the parent was never asked to record anything.
        let Some(unfinished) = Ca::open(staged, name, &self.operator)? else {
            return Ok(false);
        };
        if may_be_named && unfinished.has_records()? {
            return Ok(true);
        }
        let Some(parent) = unfinished.record().parent.clone() else {
            return Ok(false);
        };
        let certificate = unfinished.certificate();
        let serial = certificate
            .serial()
            .map_err(|error| StoreError::damaged(staged.certificate(), error.to_string()))?;
        let parent = self.ca(&parent)?;
        let recorded = parent
            .issuance(&serial)?
            .is_some_and(|issuance| issuance.is_of(certificate));
        if recorded {
            // The record was read, but whoever wrote it may have been killed before its sync.
            parent.make_durable(Journal::Issued)?;
        }
        Ok(recorded)
    }

    pub(super) fn give_name(&self, staged: &CaLayout, name: &CaName) -> Result<(), StoreError> {
        Ok(file::rename_new(
            staged.directory(),
            self.layout()?.ca(name).directory(),
        )?)
    }
}

/// Removes a staged CA.
pub(super) fn discard(staged: &CaLayout) -> Result<(), StoreError> {
    // First what says that it is whole: should this be interrupted too, the rest is known to be a
    // remainder.
    file::remove_if_there(&staged.record())?;
    file::sync_directory(staged.directory())?;
    Ok(file::remove_directory(staged.directory())?)
}

/// Reserved name of a CA that is being made.
pub(crate) struct ReservedCa<'a> {
    pub(super) store: &'a Store,
    pub(super) name: CaName,
    pub(super) _lock: Hold,
}

impl ReservedCa<'_> {
    /// Makes everything of the CA durable, under a hidden name.
    pub(crate) fn stage(&self, material: &Material<'_>) -> Result<(), StoreError> {
        if let Some(session) = self.store.session() {
            // What was read before is compared: the subject and the name are free.
            session.begin_alone(session.facts()?.revision)?;
            return session.add(material, &self.store.operator);
        }
        let layout = self.store.layout()?.staged_ca(&self.name);
        if let Some(format) = material.format() {
            format::raise(self.store.layout()?, format)?;
        }
        material.write(&layout, &self.store.operator)?;
        Ok(file::sync_directory(self.store.layout()?.root())?)
    }

    /// Gives the staged CA its name. The parent's journal has its certificate by now.
    pub(crate) fn finish(&self) -> Result<Ca, Unfinished> {
        let Self { store, name, _lock } = self;
        let unnamed = |source| Unfinished {
            has_its_name: false,
            source,
        };
        let named = |source| Unfinished {
            has_its_name: true,
            source,
        };
        let layout = match &store.place {
            Place::Directory(layout) => layout,
            Place::Database(session) => {
                session.commit().map_err(unnamed)?;
                return store.ca(name).map_err(named);
            }
        };
        store
            .give_name(&layout.staged_ca(name), name)
            .map_err(unnamed)?;
        file::sync_directory(layout.root()).map_err(|error| named(error.into()))?;
        store.ca(name).map_err(named)
    }

    /// Undoes [`ReservedCa::stage`], unless the parent's journal has the certificate.
    pub(crate) fn give_up(&self) -> Result<(), StoreError> {
        if let Some(session) = self.store.session() {
            session.roll_back();
            return Ok(());
        }
        // That it goes is no news: why has been said.
        if self.store.completes_staged(&self.name, false)? == Some(true) {
            self.store.say_settled(&self.name, true);
        }
        Ok(())
    }
}

/// Error of a CA that may have its name all the same.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(crate) has_its_name: bool,
    pub(crate) source: StoreError,
}
