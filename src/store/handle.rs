//! The store as a whole.

use super::address::Address;
use super::ca::Ca;
use super::database::{Facts, Session, State};
use super::error::StoreError;
use super::layout::StoreLayout;
use super::location::Location;
use super::lock::Lock;
use super::name::CaName;
use super::operator::Operator;
use super::place::{Hold, Place, not_supported};
use super::record::Coverage;
use super::{file, format, journal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone)]
pub(crate) struct Store {
    pub(super) place: Place,
    pub(super) operator: Operator,
    pub(super) fixture: bool,
}

impl Store {
    /// Opens a store.
    pub(crate) fn open(address: &Address, operator: Operator) -> Result<Self, StoreError> {
        match address {
            Address::Directory(path) => Self::open_directory(path, operator),
            Address::Database(database) => {
                let session = Session::open(database)?.ok_or_else(|| StoreError::NoStore {
                    path: database.location(),
                })?;
                Self::in_database(session, operator)
            }
        }
    }

    fn open_directory(path: &Path, operator: Operator) -> Result<Self, StoreError> {
        let layout = StoreLayout::new(path);
        let store = Self {
            fixture: format::check(&layout)?,
            place: Place::Directory(layout),
            operator,
        };
        store.finish_unfinished_cas()?;
        Ok(store)
    }

    fn in_database(session: Session, operator: Operator) -> Result<Self, StoreError> {
        Ok(Self {
            fixture: session.facts()?.fixture,
            place: Place::Database(session),
            operator,
        })
    }

    /// Opens a store, after making an empty one if there is nothing.
    pub(crate) fn open_or_create(
        address: &Address,
        operator: Operator,
    ) -> Result<Self, StoreError> {
        Self::make_unless_there(address, false)?;
        Self::open(address, operator)
    }

    /// Opens a fixture store, after making an empty one if there is nothing.
    pub(crate) fn open_or_create_fixture(
        address: &Address,
        operator: Operator,
    ) -> Result<Self, StoreError> {
        Self::make_unless_there(address, true)?;
        let store = Self::open(address, operator)?;
        store.require_fixture()?;
        Ok(store)
    }

    fn make_unless_there(address: &Address, fixture: bool) -> Result<(), StoreError> {
        match address {
            Address::Directory(path) => {
                format::create_unless_there(&StoreLayout::new(path), fixture)
            }
            Address::Database(url) => Session::create(url, fixture).map(drop),
        }
    }

    /// Refuses a place in which a store can neither be opened nor made; nothing is changed.
    pub(crate) fn check_place(address: &Address) -> Result<(), StoreError> {
        let Address::Directory(path) = address else {
            // It is connected to in a moment.
            return Ok(());
        };
        let layout = StoreLayout::new(path);
        match format::check(&layout) {
            Err(StoreError::NoStore { .. }) => format::check_free(&layout),
            other => other.map(|_| ()),
        }
    }

    pub(crate) fn location(&self) -> Location {
        match &self.place {
            Place::Directory(layout) => layout.root().into(),
            Place::Database(session) => session.location(""),
        }
    }

    /// Completes or removes CAs that interrupted commands left unfinished, as opening the store does.
    pub(crate) fn settle(&self, operator: Operator) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(layout) => Self::open_directory(layout.root(), operator).map(|_| ()),
            Place::Database(_) => Ok(()),
        }
    }

    /// Returns whether it is a fixture store: one for tests, in which certificates may have a defect.
    pub(crate) fn is_fixture(&self) -> bool {
        self.fixture
    }

    pub(crate) fn require_fixture(&self) -> Result<(), StoreError> {
        if self.fixture {
            return Ok(());
        }
        Err(StoreError::NoFixtureStore {
            path: self.location(),
        })
    }

    /// Returns the output directory for CRLs if the user names none.
    pub(crate) fn published_crls(&self) -> PathBuf {
        match &self.place {
            Place::Directory(layout) => layout.published_crls(),
            Place::Database(_) => super::layout::crls_of_database(),
        }
    }

    /// Returns the same of a store that need not be there yet.
    pub(crate) fn published_crls_in(store: &Address) -> PathBuf {
        match store {
            Address::Directory(path) => StoreLayout::new(path).published_crls(),
            Address::Database(_) => super::layout::crls_of_database(),
        }
    }

    pub(crate) fn ca_names(&self) -> Result<Vec<CaName>, StoreError> {
        if let Some(session) = self.session() {
            let facts = session.facts()?;
            return Ok(facts
                .in_state(State::Ready)
                .map(|(name, _)| name.clone())
                .collect());
        }
        self.ca_names_among(&self.entries()?)
    }

    fn ca_names_among(&self, entries: &[String]) -> Result<Vec<CaName>, StoreError> {
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry.parse::<CaName>()
                && self.layout()?.ca(&name).is_of_a_ca()?
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn ca(&self, name: &CaName) -> Result<Ca, StoreError> {
        if let Some(ca) = self.ca_if_there(name)? {
            return Ok(ca);
        }
        self.refuse_pending(name)?;
        self.refuse_removed(name)?;
        Err(StoreError::NoSuchCa {
            name: name.clone(),
            known: self.ca_names()?,
        })
    }

    fn ca_if_there(&self, name: &CaName) -> Result<Option<Ca>, StoreError> {
        match &self.place {
            Place::Directory(layout) => Ca::open(&layout.ca(name), name, &self.operator),
            Place::Database(session) => {
                let facts = session.facts()?;
                let row = facts.ca(name, State::Ready);
                row.map(|row| Ca::in_database(session, row, &self.operator))
                    .transpose()
            }
        }
    }

    pub(crate) fn cas(&self) -> Result<Vec<Ca>, StoreError> {
        self.ca_names()?.iter().map(|name| self.ca(name)).collect()
    }

    /// Returns how far the journal of certificates of every CA goes, sorted by name; `None` if a CA is pending.
    pub(crate) fn issuances_ends(&self) -> Result<Option<Vec<(CaName, Coverage)>>, StoreError> {
        if let Some(session) = self.session() {
            return Ok(Some(session.facts()?.places()));
        }
        let entries = self.entries()?;
        let is_pending = |entry: &String| StoreLayout::pending_name(entry).is_some();
        if entries.iter().any(is_pending) {
            return Ok(None);
        }
        let layout = self.layout()?;
        let end = |name: CaName| {
            let end = journal::end(&layout.ca(&name).issued())?;
            Ok((name, end))
        };
        let names = self.ca_names_among(&entries)?.into_iter();
        names.map(end).collect::<Result<_, _>>().map(Some)
    }

    /// Returns how far the journal of revocations of every CA goes, sorted by name: as long as it is the same,
    /// nothing was revoked.
    pub(crate) fn revocations_ends(&self) -> Result<Vec<(CaName, Coverage)>, StoreError> {
        if let Some(session) = self.session() {
            return Ok(session.facts()?.places());
        }
        let end = |name: CaName| {
            let end = journal::end(&self.layout()?.ca(&name).revoked())?;
            Ok((name, end))
        };
        self.ca_names()?.into_iter().map(end).collect()
    }

    /// Does something while no other process adds CAs.
    pub(crate) fn without_new_cas<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let _lock = match &self.place {
            Place::Directory(layout) => Hold::from(Lock::acquire(&layout.lock(), &self.operator)?),
            Place::Database(_) => Hold::Compared,
        };
        work()
    }

    /// Returns the CA's issuer, that one's issuer, and so on up to the root.
    pub(crate) fn ancestors(&self, ca: &Ca) -> Result<Vec<Ca>, StoreError> {
        let mut ancestors: Vec<Ca> = Vec::new();
        let mut next = ca.record().parent.clone();
        while let Some(name) = next {
            if name == *ca.name() || ancestors.iter().any(|ancestor| *ancestor.name() == name) {
                return Err(StoreError::damaged(
                    ca.location(),
                    "is its own ancestor in the hierarchy",
                ));
            }
            let below = ancestors.last().unwrap_or(ca).certificate();
            let ancestor = self.ca(&name)?.named_by(below)?;
            next = ancestor.record().parent.clone();
            ancestors.push(ancestor);
        }
        Ok(ancestors)
    }

    /// Returns whether a path leads into the store.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        let Place::Directory(layout) = &self.place else {
            return false;
        };
        let directory = file::directory_of(path).canonicalize();
        let root = layout.root().canonicalize();
        matches!((directory, root), (Ok(directory), Ok(root)) if directory.starts_with(&root))
    }

    /// Returns whether a path leads into the directory of one of the CAs, where only the store writes.
    pub(crate) fn contains_file_of_ca(&self, path: &Path) -> bool {
        let Place::Directory(layout) = &self.place else {
            return false;
        };
        let directory = path
            .parent()
            .and_then(|directory| directory.canonicalize().ok());
        let root = layout.root().canonicalize().ok();
        match (directory, root) {
            (Some(directory), Some(root)) => directory.strip_prefix(root).is_ok_and(|inside| {
                let first = inside.components().next();
                let name = first.and_then(|name| name.as_os_str().to_str());
                name.is_some_and(|name| name.parse::<CaName>().is_ok())
            }),
            _ => false,
        }
    }

    pub(super) fn hold(&self) -> Result<Hold, StoreError> {
        match &self.place {
            Place::Directory(layout) => {
                file::refuse_foreign_link(&layout.published_crls())?;
                Ok(Lock::acquire(&layout.lock(), &self.operator)?.into())
            }
            Place::Database(session) => session.look().map(|_| Hold::Compared),
        }
    }

    /// Refuses the name of a CA.
    pub(crate) fn check_free(&self, name: &CaName) -> Result<(), StoreError> {
        if self.has_name(name)? {
            return Err(StoreError::CaExists { name: name.clone() });
        }
        self.refuse_pending(name)?;
        self.refuse_removed(name)
    }

    pub(super) fn has_name(&self, name: &CaName) -> Result<bool, StoreError> {
        match &self.place {
            Place::Directory(layout) => Ok(file::stands(layout.ca(name).directory())?),
            Place::Database(session) => Ok(session.facts()?.ca(name, State::Ready).is_some()),
        }
    }

    /// Returns whether no CA has this name, pending, removed or not.
    pub(crate) fn is_free(&self, name: &CaName) -> Result<bool, StoreError> {
        match self.check_free(name) {
            Ok(()) => Ok(true),
            Err(
                StoreError::CaExists { .. }
                | StoreError::CaPending { .. }
                | StoreError::CaRemoved { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn make_names_durable(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(layout) => Ok(file::sync(layout.root())?),
            // What can be read is committed.
            Place::Database(_) => Ok(()),
        }
    }

    /// Lists the CAs in a directory that may hold a store, also those whose record is missing. Nothing is
    /// repaired.
    pub(crate) fn ca_names_in(address: &Address) -> Result<Vec<CaName>, StoreError> {
        let path = match address {
            Address::Directory(path) => path,
            Address::Database(url) => {
                let facts = Session::open(url)?.map(|session| session.facts());
                let names = |facts: Arc<Facts>| {
                    let ready = facts.in_state(State::Ready);
                    ready.map(|(name, _)| name.clone()).collect()
                };
                return facts
                    .transpose()
                    .map(|facts| facts.map(names).unwrap_or_default());
            }
        };
        let layout = StoreLayout::new(path);
        if !file::stands(path)? {
            return Ok(Vec::new());
        }
        let entries = file::names_in(path)?;
        let names = entries.iter().filter_map(|entry| entry.parse().ok());
        let mut names: Vec<CaName> = names
            .filter(|name| !matches!(layout.ca(name).is_of_a_ca(), Ok(false)))
            .collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn entries(&self) -> Result<Vec<String>, StoreError> {
        Ok(file::names_in(self.layout()?.root())?)
    }
}

impl Store {
    /// Returns the paths of a store in a directory; refuses one in a database.
    pub(super) fn layout(&self) -> Result<&StoreLayout, StoreError> {
        match &self.place {
            Place::Directory(layout) => Ok(layout),
            Place::Database(session) => Err(not_supported(session)),
        }
    }

    /// Returns the session of a store in a database.
    pub(super) fn session(&self) -> Option<&Session> {
        match &self.place {
            Place::Directory(_) => None,
            Place::Database(session) => Some(session),
        }
    }
}
