//! Adding CAs that have their certificates: several at once, the highest first.

use super::ca::{Ca, Material};
use super::error::StoreError;
use super::file;
use super::name::CaName;
use super::{ReservedCa, Store, Unfinished, format};

/// Why CAs did not all come into the store.
#[derive(Debug)]
pub struct Uninstalled {
    /// The CAs that were added before.
    pub added: Vec<CaName>,
    /// What failed.
    pub source: StoreError,
}

impl Store {
    /// Adds CAs, each below one that is there or before it; `check_place` says whether a name is free.
    /// The caller holds the store's lock.
    pub(super) fn add_all(
        &self,
        cas: &[Material<'_>],
        check_place: impl Fn(&CaName) -> Result<(), StoreError>,
    ) -> Result<Vec<CaName>, Uninstalled> {
        let mut added = Vec::new();
        for material in cas {
            let name = &material.record.name;
            let placed = check_place(name).map_err(|source| Unfinished {
                has_its_name: false,
                source,
            });
            match placed.and_then(|()| self.add(material)) {
                Ok(()) => added.push(name.clone()),
                Err(unfinished) => {
                    let Unfinished {
                        has_its_name,
                        source,
                    } = unfinished;
                    added.extend(has_its_name.then(|| name.clone()));
                    return Err(Uninstalled { added, source });
                }
            }
        }
        Ok(added)
    }

    fn add(&self, material: &Material<'_>) -> Result<(), Unfinished> {
        let name = &material.record.name;
        let staged = self.layout.staged_ca(name);
        let unfinished = |source| Unfinished {
            has_its_name: false,
            source,
        };
        let format = format::read(&self.layout).map_err(unfinished)?;
        // First the format: what is staged and whole may get its name from another command.
        let raised = material
            .format()
            .map_or(Ok(()), |format| format::raise(&self.layout, format));
        raised
            .and_then(|()| material.write(&staged))
            .and_then(|()| Ok(file::sync_directory(self.layout.root())?))
            .and_then(|()| self.give_name(&staged, name))
            .map_err(|source| {
                // What can't be taken back now is cleared away by the next command; a format that is
                // newer than it has to be keeps nothing from being read here.
                let is_absent = matches!(file::stands(staged.directory()), Ok(false));
                if is_absent || super::discard(&staged).is_ok() {
                    let _ = format::lower(&self.layout, format);
                }
                unfinished(source)
            })?;
        file::sync_directory(self.layout.root()).map_err(|error| Unfinished {
            has_its_name: true,
            source: error.into(),
        })
    }
}

impl ReservedCa<'_> {
    /// The store.
    pub fn store(&self) -> &Store {
        self.store
    }

    /// Adds CAs, each below one that is there or before it, the reserved one as the last.
    pub fn add(&self, cas: &[Material<'_>]) -> Result<Ca, Uninstalled> {
        let check_place = |name: &CaName| {
            self.store.settle_staged(name)?;
            self.store.check_free(name)
        };
        let added = self.store.add_all(cas, check_place)?;
        self.store
            .ca(&self.name)
            .map_err(|source| Uninstalled { added, source })
    }
}
