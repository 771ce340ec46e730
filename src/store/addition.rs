//! Adding CAs that have their certificates: several at once, the highest first.

use super::ca::Ca;
use super::database::{Session, State};
use super::error::StoreError;
use super::layout::CaLayout;
use super::material::Material;
use super::name::CaName;
use super::place::Place;
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
        let unfinished = |source| Unfinished {
            has_its_name: false,
            source,
        };
        let layout = self.layout().map_err(unfinished)?;
        let staged = layout.staged_ca(name);
        let format = format::read(layout).map_err(unfinished)?;
        // First the format: what is staged and whole may get its name from another command.
        let raised = material
            .format()
            .map_or(Ok(()), |format| format::raise(layout, format));
        raised
            .and_then(|()| material.write(&staged, &self.operator))
            .and_then(|()| Ok(file::sync_directory(layout.root())?))
            .and_then(|()| give_name(&staged))
            .map_err(|source| {
                // What can't be taken back now is removed by the next command; a format that is
                // newer than it has to be keeps nothing from being read here.
                let is_absent = matches!(file::stands(staged.directory()), Ok(false));
                if is_absent || super::staging::discard(&staged).is_ok() {
                    let _ = format::lower(layout, format);
                }
                unfinished(source)
            })?;
        file::sync_directory(layout.root()).map_err(|error| Unfinished {
            has_its_name: true,
            source: error.into(),
        })
    }
}

impl Store {
    fn replace_keyless_in(
        &self,
        session: &Session,
        name: &CaName,
        material: &Material<'_>,
    ) -> Result<Ca, StoreError> {
        let facts = session.facts()?;
        session.alone(|| {
            if let Some(row) = facts.ca(name, State::Ready) {
                session.remove_row(row)?;
            }
            session.add(material, &self.operator)
        })?;
        self.ca(name)
    }
}

impl ReservedCa<'_> {
    /// Replaces the reserved CA, which is here without its key, by one that has it. A reader finds one of
    /// the two.
    pub(crate) fn replace_keyless(&self, material: &Material<'_>) -> Result<Ca, Uninstalled> {
        let Self { store, name, _lock } = self;
        let uninstalled = |has_its_name: bool, source| Uninstalled {
            added: has_its_name.then(|| name.clone()).into_iter().collect(),
            source,
        };
        let layout = match &store.place {
            Place::Directory(layout) => layout,
            Place::Database(session) => {
                return store
                    .replace_keyless_in(session, name, material)
                    .map_err(|source| uninstalled(false, source));
            }
        };
        let directory = layout.ca(name);
        let exchange =
            |staged: &CaLayout| Ok(file::exchange(staged.directory(), directory.directory())?);
        store
            .add(material, exchange)
            .map_err(|error| uninstalled(error.has_its_name, error.source))?;
        // The hidden name is that of the one before now; what is left of it, the next command removes.
        if let Err(error) = super::staging::discard(&layout.staged_ca(name)) {
            store.operator.tell(&Notice::Unsettled {
                name: name.clone(),
                problem: error.to_string(),
            });
        }
        store.ca(name).map_err(|source| uninstalled(true, source))
    }

    /// Adds CAs, each below one that is there or before it, the reserved one as the last.
    pub(crate) fn add(&self, cas: &[Material<'_>]) -> Result<Ca, Uninstalled> {
        if let Some(session) = self.store.session() {
            let add = |material| session.add(material, &self.store.operator);
            let added = session.alone(|| cas.iter().try_for_each(add));
            return added
                .and_then(|()| self.store.ca(&self.name))
                .map_err(|source| Uninstalled {
                    added: Vec::new(),
                    source,
                });
        }
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
