//! Removal of CAs. A removed CA keeps its name, its counters and its journals, in a directory that no command
//! takes for a CA, so that no serial number is used twice. Its keys are gone.

use super::ca::Ca;
use super::database::State;
use super::error::StoreError;
use super::file;
use super::format;
use super::layout::{CaLayout, StoreLayout};
use super::name::CaName;
use super::place::{Hold, Place};
use super::record::Change;
use super::{Notice, Store};

/// CA that is to be removed: no other process can make CAs until this is dropped.
pub(crate) struct Removal<'a> {
    store: &'a Store,
    ca: Ca,
    _lock: Hold,
}

impl Store {
    pub(crate) fn reserve_removal(&self, name: &CaName) -> Result<Removal<'_>, StoreError> {
        let lock = self.hold()?;
        self.settle_staged(name)?;
        Ok(Removal {
            store: self,
            ca: self.ca(name)?,
            _lock: lock,
        })
    }

    /// Removes a pending CA with its key. No certificate names it, so its name is free again.
    pub(crate) fn remove_pending(&self, name: &CaName) -> Result<(), StoreError> {
        let _lock = self.hold()?;
        self.settle_staged(name)?;
        if self.pending(name)?.is_none() {
            return Err(StoreError::NotPending {
                name: name.clone(),
                is_there: self.has_name(name)?,
            });
        }
        if let Some(session) = self.session() {
            let facts = session.facts()?;
            let row = facts.ca(name, State::Pending);
            return session.alone(|| row.map_or(Ok(()), |row| session.remove_row(row)));
        }
        let staged = self.layout()?.staged_ca(name);
        // Under this name it is a remainder, which the next command removes too.
        file::rename_new(
            self.layout()?.pending_ca(name).directory(),
            staged.directory(),
        )?;
        file::sync_directory(self.layout()?.root())?;
        file::remove_directory(staged.directory())?;
        Ok(file::sync_directory(self.layout()?.root())?)
    }

    pub(super) fn refuse_removed(&self, name: &CaName) -> Result<(), StoreError> {
        let is_removed = match &self.place {
            Place::Directory(layout) => file::stands(layout.removed_ca(name).directory())?,
            Place::Database(session) => session.facts()?.ca(name, State::Removed).is_some(),
        };
        if is_removed {
            return Err(StoreError::CaRemoved { name: name.clone() });
        }
        Ok(())
    }

    /// Returns every removed CA, sorted by name, for its journals.
    pub(crate) fn removed_cas(&self) -> Result<Vec<Ca>, StoreError> {
        let layout = match &self.place {
            Place::Directory(layout) => layout,
            Place::Database(session) => {
                let facts = session.facts()?;
                let removed = facts.in_state(State::Removed);
                return removed
                    .map(|(_, row)| Ca::in_database(session, row, &self.operator))
                    .collect();
            }
        };
        let mut names: Vec<CaName> = self
            .entries()?
            .iter()
            .filter_map(|entry| StoreLayout::removed_name(entry))
            .collect();
        names.sort();
        let open = |name| Ca::open(&layout.removed_ca(name), name, &self.operator).transpose();
        names.iter().filter_map(open).collect()
    }

    /// Returns a CA, also a removed one, for its journals.
    pub(crate) fn ca_or_removed(&self, name: &CaName) -> Result<Ca, StoreError> {
        let removed = match &self.place {
            Place::Directory(layout) => Ca::open(&layout.removed_ca(name), name, &self.operator)?,
            Place::Database(session) => {
                let facts = session.facts()?;
                let row = facts.ca(name, State::Removed);
                row.map(|row| Ca::in_database(session, row, &self.operator))
                    .transpose()?
            }
        };
        match removed {
            Some(removed) => Ok(removed),
            None => self.ca(name),
        }
    }

    /// Lists removed CAs that still have keys: the command that removed them was interrupted.
    pub(super) fn removed_with_keys(&self, entries: &[String]) -> Result<Vec<CaName>, StoreError> {
        let mut names = Vec::new();
        for entry in entries {
            if let Some(name) = StoreLayout::removed_name(entry)
                && has_keys(&self.layout()?.removed_ca(&name))?
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn settle_removed(&self, name: &CaName) -> Result<(), StoreError> {
        // Its name first: the command that gave it may have been killed before its sync.
        file::sync_directory(self.layout()?.root())?;
        if let Some(removed) = Ca::open(&self.layout()?.removed_ca(name), name, &self.operator)? {
            complete_removal(&removed)?;
        }
        self.operator.tell(&Notice::UnfinishedCa {
            name: name.clone(),
            completed: false,
        });
        Ok(())
    }
}

impl Removal<'_> {
    pub(crate) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Removes the CA. An error after it has its other name leaves keys that the next command removes.
    pub(crate) fn finish(&self) -> Result<(), StoreError> {
        let Self { store, ca, _lock } = self;
        let name = ca.name();
        if let (Some(session), Some(rows)) = (store.session(), ca.rows()) {
            return session.alone(|| rows.remove(store.operator.stamp()));
        }
        let _ca_lock = ca.hold()?;
        let (layout, of_ca) = (store.layout()?, ca.layout()?);
        let format = format::read(layout)?;
        let removed = layout.removed_ca(name);
        let renamed = format::raise(layout, format::REMOVED).and_then(|()| {
            file::rename_new(of_ca.directory(), removed.directory()).map_err(StoreError::from)
        });
        if let Err(error) = renamed {
            let _ = format::lower(layout, format);
            return Err(error);
        }
        file::sync_directory(layout.root())?;
        match Ca::open(&removed, name, &store.operator)? {
            Some(removed) => complete_removal(&removed),
            None => Ok(()),
        }
    }
}

/// Records the removal of a CA that already has the name of a removed one, and removes its keys.
fn complete_removal(removed: &Ca) -> Result<(), StoreError> {
    if removed.count_changes(Change::Removed)? == 0 {
        removed.append_change(Change::Removed)?;
    }
    remove_keys(removed.layout()?)
}

fn has_keys(layout: &CaLayout) -> Result<bool, StoreError> {
    let (files, directories) = layout.keys_in(&file::names_in(layout.directory())?);
    Ok(!files.is_empty() || !directories.is_empty())
}

/// Removes every key of a removed CA, and its pre-signed CRLs. Its own key goes last: a CA that still has one is
/// not completely removed.
fn remove_keys(layout: &CaLayout) -> Result<(), StoreError> {
    let (files, directories) = layout.keys_in(&file::names_in(layout.directory())?);
    for path in &directories {
        file::remove_directory(path)?;
    }
    if file::stands(&layout.presigned_crls())? {
        file::remove_directory(&layout.presigned_crls())?;
    }
    for path in &files {
        file::remove_if_there(path)?;
    }
    Ok(file::sync_directory(layout.directory())?)
}
