//! Adding CAs that have their certificates: several at once, the highest first.

use super::ca::Ca;
use super::error::StoreError;
use super::layout::CaLayout;
use super::material::Material;
use super::name::CaName;
use super::{Notice, ReservedCa, Store, Unfinished, file, format};

/// Error of an addition of which some CAs may be in the store.
#[derive(Debug)]
pub(crate) struct Uninstalled {
    pub(crate) added: Vec<CaName>,
    pub(crate) source: StoreError,
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
            let give_name = |staged: &CaLayout| self.give_name(staged, name);
            match placed.and_then(|()| self.add(material, give_name)) {
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

    /// Makes everything of a CA durable under a hidden name, and gives it its own.
    fn add(
        &self,
        material: &Material<'_>,
        give_name: impl FnOnce(&CaLayout) -> Result<(), StoreError>,
    ) -> Result<(), Unfinished> {
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
            .and_then(|()| material.write(&staged, &self.operator))
            .and_then(|()| Ok(file::sync_directory(self.layout.root())?))
            .and_then(|()| give_name(&staged))
            .map_err(|source| {
                // What can't be taken back now is removed by the next command; a format that is
                // newer than it has to be keeps nothing from being read here.
                let is_absent = matches!(file::stands(staged.directory()), Ok(false));
                if is_absent || super::staging::discard(&staged).is_ok() {
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
    /// Replaces the reserved CA, which is here without its key, by one that has it. A reader finds one of
    /// the two.
    pub(crate) fn replace_keyless(&self, material: &Material<'_>) -> Result<Ca, Uninstalled> {
        let Self { store, name, _lock } = self;
        let directory = store.layout.ca(name);
        let exchange =
            |staged: &CaLayout| Ok(file::exchange(staged.directory(), directory.directory())?);
        let uninstalled = |has_its_name: bool, source| Uninstalled {
            added: has_its_name.then(|| name.clone()).into_iter().collect(),
            source,
        };
        store
            .add(material, exchange)
            .map_err(|error| uninstalled(error.has_its_name, error.source))?;
        // The hidden name is that of the one before now; what is left of it, the next command removes.
        if let Err(error) = super::staging::discard(&store.layout.staged_ca(name)) {
            store.operator.tell(&Notice::Unsettled {
                name: name.clone(),
                problem: error.to_string(),
            });
        }
        store.ca(name).map_err(|source| uninstalled(true, source))
    }

    /// Adds CAs, each below one that is there or before it, the reserved one as the last.
    pub(crate) fn add(&self, cas: &[Material<'_>]) -> Result<Ca, Uninstalled> {
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
