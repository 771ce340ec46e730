//! The store as a whole.

use super::ca::Ca;
use super::error::StoreError;
use super::layout::StoreLayout;
use super::location::Location;
use super::lock::Lock;
use super::name::CaName;
use super::operator::Operator;
use super::record::Coverage;
use super::{file, format, journal};
use std::path::{Path, PathBuf};

#[derive(Clone)]
pub(crate) struct Store {
    pub(super) layout: StoreLayout,
    pub(super) operator: Operator,
    pub(super) fixture: bool,
}

impl Store {
    /// Opens the store in a directory.
    pub(crate) fn open(path: &Path, operator: Operator) -> Result<Self, StoreError> {
        let layout = StoreLayout::new(path);
        let store = Self {
            fixture: format::check(&layout)?,
            layout,
            operator,
        };
        store.finish_unfinished_cas()?;
        Ok(store)
    }

    /// Opens the store in a directory, after making an empty one if there is nothing.
    pub(crate) fn open_or_create(path: &Path, operator: Operator) -> Result<Self, StoreError> {
        format::create_unless_there(&StoreLayout::new(path), false)?;
        Self::open(path, operator)
    }

    /// Opens the fixture store in a directory, after making an empty one if there is nothing.
    pub(crate) fn open_or_create_fixture(
        path: &Path,
        operator: Operator,
    ) -> Result<Self, StoreError> {
        format::create_unless_there(&StoreLayout::new(path), true)?;
        let store = Self::open(path, operator)?;
        store.require_fixture()?;
        Ok(store)
    }

    /// Refuses a place in which a store can neither be opened nor made; nothing is changed.
    pub(crate) fn check_place(path: &Path) -> Result<(), StoreError> {
        let layout = StoreLayout::new(path);
        match format::check(&layout) {
            Err(StoreError::NoStore { .. }) => format::check_free(&layout),
            other => other.map(|_| ()),
        }
    }

    pub(crate) fn location(&self) -> Location {
        self.layout.root().into()
    }

    /// Completes or removes CAs that interrupted commands left unfinished, as opening the store does.
    pub(crate) fn settle(&self, operator: Operator) -> Result<(), StoreError> {
        Self::open(self.layout.root(), operator).map(|_| ())
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
        self.layout.published_crls()
    }

    /// Returns the same of a store that need not be there yet.
    pub(crate) fn published_crls_in(store: &Path) -> PathBuf {
        StoreLayout::new(store).published_crls()
    }

    pub(crate) fn ca_names(&self) -> Result<Vec<CaName>, StoreError> {
        self.ca_names_among(&self.entries()?)
    }

    fn ca_names_among(&self, entries: &[String]) -> Result<Vec<CaName>, StoreError> {
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry.parse::<CaName>()
                && self.layout.ca(&name).is_of_a_ca()?
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn ca(&self, name: &CaName) -> Result<Ca, StoreError> {
        if let Some(ca) = Ca::open(&self.layout.ca(name), name, &self.operator)? {
            return Ok(ca);
        }
        self.refuse_pending(name)?;
        self.refuse_removed(name)?;
        Err(StoreError::NoSuchCa {
            name: name.clone(),
            known: self.ca_names()?,
        })
    }

    pub(crate) fn cas(&self) -> Result<Vec<Ca>, StoreError> {
        self.ca_names()?.iter().map(|name| self.ca(name)).collect()
    }

    /// Returns how far the journal of certificates of every CA goes, sorted by name; `None` if a CA is pending.
    pub(crate) fn issuances_ends(&self) -> Result<Option<Vec<(CaName, Coverage)>>, StoreError> {
        let entries = self.entries()?;
        let is_pending = |entry: &String| StoreLayout::pending_name(entry).is_some();
        if entries.iter().any(is_pending) {
            return Ok(None);
        }
        let end = |name: CaName| {
            let end = journal::end(&self.layout.ca(&name).issued())?;
            Ok((name, end))
        };
        let names = self.ca_names_among(&entries)?.into_iter();
        names.map(end).collect::<Result<_, _>>().map(Some)
    }

    /// Returns how far the journal of revocations of every CA goes, sorted by name: as long as it is the same,
    /// nothing was revoked.
    pub(crate) fn revocations_ends(&self) -> Result<Vec<(CaName, Coverage)>, StoreError> {
        let end = |name: CaName| {
            let end = journal::end(&self.layout.ca(&name).revoked())?;
            Ok((name, end))
        };
        self.ca_names()?.into_iter().map(end).collect()
    }

    /// Does something while no other process adds CAs.
    pub(crate) fn without_new_cas<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let _lock = Lock::acquire(&self.layout.lock(), &self.operator)?;
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
        let directory = file::directory_of(path).canonicalize();
        let root = self.layout.root().canonicalize();
        matches!((directory, root), (Ok(directory), Ok(root)) if directory.starts_with(&root))
    }

    /// Returns whether a path leads into the directory of one of the CAs, where only the store writes.
    pub(crate) fn contains_file_of_ca(&self, path: &Path) -> bool {
        let directory = path
            .parent()
            .and_then(|directory| directory.canonicalize().ok());
        let root = self.layout.root().canonicalize().ok();
        match (directory, root) {
            (Some(directory), Some(root)) => directory.strip_prefix(root).is_ok_and(|inside| {
                let first = inside.components().next();
                let name = first.and_then(|name| name.as_os_str().to_str());
                name.is_some_and(|name| name.parse::<CaName>().is_ok())
            }),
            _ => false,
        }
    }

    pub(super) fn hold(&self) -> Result<Lock, StoreError> {
        file::refuse_foreign_link(&self.layout.published_crls())?;
        Lock::acquire(&self.layout.lock(), &self.operator)
    }

    /// Refuses the name of a CA.
    pub(crate) fn check_free(&self, name: &CaName) -> Result<(), StoreError> {
        if file::stands(self.layout.ca(name).directory())? {
            return Err(StoreError::CaExists { name: name.clone() });
        }
        self.refuse_pending(name)?;
        self.refuse_removed(name)
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
        Ok(file::sync(self.layout.root())?)
    }

    /// Lists the CAs in a directory that may hold a store, also those whose record is missing. Nothing is
    /// repaired.
    pub(crate) fn ca_names_in(path: &Path) -> Result<Vec<CaName>, StoreError> {
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
        Ok(file::names_in(self.layout.root())?)
    }
}
