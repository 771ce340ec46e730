//! The store: a directory with the CAs, what they issued, and what they revoked.
//!
//! What it promises: a serial number is reserved durably before it is used and never again; a
//! record is durable when the call that makes it returns; what is damaged is reported and never
//! taken for new. Readers take no lock.
//!
//! # Format
//! * 1: `store.json`; per CA `ca.json`, `ca.crt`, `ca.key`, `serial`, `crlnumber`,
//!   `issued.jsonl`, `revoked.jsonl`, `crls.jsonl`, `keys/`, `lock`; published CRLs in `crl/`;
//!   per CA that waits for its certificate a directory `.pending-NAME`, and per CA whose certificate was
//!   renewed a directory `previous` in its own.
//! * 2: lines of `issued.jsonl` may lack `der`. A store becomes one of format 2 when a CA comes into it
//!   of which certificates are missing, and is one of format 1 until then.
//! * 3: `fixture` in `store.json`, and `flaw` in lines of `issued.jsonl`. A store has format 3 from its
//!   beginning, where it is made as a fixture store, or never.

mod addition;
mod archive;
mod authorities;
mod backup;
mod ca;
mod counter;
mod error;
pub mod file;
mod format;
mod history;
mod inspection;
mod inventory;
mod journal;
mod kind;
mod layout;
mod location;
mod lock;
mod name;
mod output;
mod pending;
mod previous;
mod record;
mod repair;
mod replacement;
mod restore;
mod revocations;
mod serial_filter;
mod standing;

pub use addition::Uninstalled;
pub use archive::BackupError;
pub use backup::{BackedUp, Snapshot};
pub use ca::{Ca, Issuances, LeafKeys, LockedBatches, LockedCa, Material};
pub use error::{FileError, StoreError};
pub use history::{ForeignCrl, History};
pub use inspection::SeenCa;
pub use inventory::{Item, What};
pub use journal::LineProblem;
pub use kind::{Counter, Journal};
pub use layout::Leftover;
pub use location::Location;
pub use name::{CaName, is_device_name};
pub use pending::{Installation, PendingCa};
pub use record::{
    BatchId, BatchRow, BriefIssuance, CaRecord, Coverage, EntryId, Issuance, Revoked, SignedCrl,
    TableId, WishId,
};
pub use repair::StoreRepair;
pub use replacement::Replaced;
pub use restore::{RestoreError, Restored};
pub use revocations::{LockedCrls, LockedRevocations};
pub use standing::{RevocationChange, Standing};

use crate::x509::validity::rfc3339;
use layout::{CaLayout, StoreLayout};
use lock::Lock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::OffsetDateTime;

/// Something that the store did or met that a user wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Another process holds a lock that is waited for.
    Waiting {
        /// The lock file.
        path: Location,
    },
    /// The unfinished last line of a journal was moved.
    TornLine {
        /// The journal.
        path: Location,
        /// Where the line is now.
        aside: Location,
    },
    /// The clock is before the time at which a backup was made that is restored.
    ClockBehind {
        /// The time by the clock.
        now: OffsetDateTime,
        /// The time of the backup.
        made_at: OffsetDateTime,
    },
    /// A CA that was left unfinished can't be completed or removed now.
    Unsettled {
        /// Its name.
        name: CaName,
        /// Why.
        problem: String,
    },
    /// A CA that was left unfinished was completed, or removed.
    UnfinishedCa {
        /// Its name.
        name: CaName,
        /// Whether it is there now.
        completed: bool,
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Waiting { path } => {
                write!(f, "waiting for another process that holds {path}")
            }
            Self::TornLine { path, aside } => write!(
                f,
                "{path} ended in an unfinished line, which was never acknowledged; it is in {aside} now"
            ),
            Self::ClockBehind { now, made_at } => write!(
                f,
                "the clock says {}, and the backup was made at {}: set the clock; serial counters and CRL numbers go on from ten years after the backup",
                rfc3339(*now),
                rfc3339(*made_at)
            ),
            Self::Unsettled { name, problem } => {
                write!(
                    f,
                    "an interrupted command left {name} unfinished, and that can't be mended now: {problem}"
                )
            }
            Self::UnfinishedCa {
                name,
                completed: true,
            } => {
                write!(
                    f,
                    "{name} had been left unfinished by an interrupted command; it is complete now"
                )
            }
            Self::UnfinishedCa {
                name,
                completed: false,
            } => {
                write!(
                    f,
                    "what an interrupted command had left of {name} was cleared away"
                )
            }
        }
    }
}

/// Is told of every [`Notice`].
pub type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A store.
#[derive(Clone)]
pub struct Store {
    layout: StoreLayout,
    observer: Observer,
    fixture: bool,
}

impl Store {
    /// Opens the store in a directory.
    pub fn open(path: &Path, observer: Observer) -> Result<Self, StoreError> {
        let layout = StoreLayout::new(path);
        let store = Self {
            fixture: format::check(&layout)?,
            layout,
            observer,
        };
        store.finish_unfinished_cas()?;
        Ok(store)
    }

    /// Opens the store in a directory, after making an empty one where there is nothing.
    pub fn open_or_create(path: &Path, observer: Observer) -> Result<Self, StoreError> {
        format::create_unless_there(&StoreLayout::new(path), false)?;
        Self::open(path, observer)
    }

    /// Opens the fixture store in a directory, after making an empty one where there is nothing.
    pub fn open_or_create_fixture(path: &Path, observer: Observer) -> Result<Self, StoreError> {
        format::create_unless_there(&StoreLayout::new(path), true)?;
        let store = Self::open(path, observer)?;
        store.require_fixture()?;
        Ok(store)
    }

    /// Whether a store could be opened or made here; nothing is changed.
    pub fn check_place(path: &Path) -> Result<(), StoreError> {
        let layout = StoreLayout::new(path);
        match format::check(&layout) {
            Err(StoreError::NoStore { .. }) => format::check_free(&layout),
            other => other.map(|_| ()),
        }
    }

    /// The store's directory.
    pub fn location(&self) -> Location {
        self.layout.root().into()
    }

    /// Completes or removes CAs that interrupted commands left unfinished, as opening the store does.
    pub fn settle(&self, observer: Observer) -> Result<(), StoreError> {
        Self::open(self.layout.root(), observer).map(|_| ())
    }

    /// Whether it was made as a fixture store: one for tests, in which certificates may be wrong on
    /// purpose.
    pub fn is_fixture(&self) -> bool {
        self.fixture
    }

    /// Refuses every store but a fixture store.
    pub fn require_fixture(&self) -> Result<(), StoreError> {
        if self.fixture {
            return Ok(());
        }
        Err(StoreError::NoFixtureStore {
            path: self.location(),
        })
    }

    /// Where CRLs are published by default.
    pub fn published_crls(&self) -> PathBuf {
        self.layout.published_crls()
    }

    /// Where CRLs are published by default, of a store that need not be there yet.
    pub fn published_crls_in(store: &Path) -> PathBuf {
        StoreLayout::new(store).published_crls()
    }

    /// The names of all CAs, sorted.
    pub fn ca_names(&self) -> Result<Vec<CaName>, StoreError> {
        let mut names = Vec::new();
        for entry in self.entries()? {
            if let Ok(name) = entry.parse::<CaName>()
                && self.layout.ca(&name).is_of_a_ca()?
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The CA of this name.
    pub fn ca(&self, name: &CaName) -> Result<Ca, StoreError> {
        if let Some(ca) = Ca::open(self.layout.ca(name), name, &self.observer)? {
            return Ok(ca);
        }
        self.refuse_pending(name)?;
        Err(StoreError::NoSuchCa {
            name: name.clone(),
            known: self.ca_names()?,
        })
    }

    /// Every CA, sorted by name.
    pub fn cas(&self) -> Result<Vec<Ca>, StoreError> {
        self.ca_names()?.iter().map(|name| self.ca(name)).collect()
    }

    /// Returns how far the journal of revocations of every CA goes, sorted by name: as long as it is the same,
    /// nothing was revoked.
    pub fn revocations_ends(&self) -> Result<Vec<(CaName, Coverage)>, StoreError> {
        let end = |name: CaName| {
            let end = journal::end(&self.layout.ca(&name).revoked())?;
            Ok((name, end))
        };
        self.ca_names()?.into_iter().map(end).collect()
    }

    /// Does something while no other process adds CAs.
    pub fn without_new_cas<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let _lock = Lock::acquire(&self.layout.lock(), &self.observer)?;
        work()
    }

    /// The CA's issuer, that one's issuer, and so on up to the root.
    pub fn ancestors(&self, ca: &Ca) -> Result<Vec<Ca>, StoreError> {
        let mut ancestors: Vec<Ca> = Vec::new();
        let mut next = ca.record().parent.clone();
        while let Some(name) = next {
            if name == *ca.name() || ancestors.iter().any(|ancestor| *ancestor.name() == name) {
                return Err(StoreError::damaged(
                    ca.location(),
                    "is above itself in the hierarchy",
                ));
            }
            let below = ancestors.last().unwrap_or(ca).certificate();
            let ancestor = self.ca(&name)?.named_by(below)?;
            next = ancestor.record().parent.clone();
            ancestors.push(ancestor);
        }
        Ok(ancestors)
    }

    /// Whether a path leads into the store.
    pub fn contains(&self, path: &Path) -> bool {
        let directory = file::directory_of(path).canonicalize();
        let root = self.layout.root().canonicalize();
        matches!((directory, root), (Ok(directory), Ok(root)) if directory.starts_with(&root))
    }

    /// Whether a path leads into the directory of one of the CAs, where only the store writes.
    pub fn contains_file_of_ca(&self, path: &Path) -> bool {
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

    /// Takes the store's lock.
    fn hold(&self) -> Result<Lock, StoreError> {
        file::refuse_foreign_link(&self.layout.published_crls())?;
        Lock::acquire(&self.layout.lock(), &self.observer)
    }

    /// Keeps a place for a new CA: no other process can make one until this is dropped.
    pub fn reserve_ca(&self, name: &CaName) -> Result<ReservedCa<'_>, StoreError> {
        let lock = self.hold()?;
        self.settle_staged(name)?;
        self.check_free(name)?;
        Ok(ReservedCa {
            store: self,
            name: name.clone(),
            _lock: lock,
        })
    }

    /// Keeps the place of a CA that is here without its key, to give it that.
    pub fn reserve_keyless(&self, name: &CaName) -> Result<ReservedCa<'_>, StoreError> {
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

    /// Whether no CA has this name yet.
    pub fn check_free(&self, name: &CaName) -> Result<(), StoreError> {
        if file::stands(self.layout.ca(name).directory())? {
            return Err(StoreError::CaExists { name: name.clone() });
        }
        self.refuse_pending(name)
    }

    /// Whether no CA has this name yet, and none waits under it.
    pub fn is_free(&self, name: &CaName) -> Result<bool, StoreError> {
        match self.check_free(name) {
            Ok(()) => Ok(true),
            Err(StoreError::CaExists { .. } | StoreError::CaPending { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the names of CAs durable, whoever gave them; see [`Ca::make_durable`].
    pub fn make_names_durable(&self) -> Result<(), StoreError> {
        Ok(file::sync(self.layout.root())?)
    }

    /// Names of the CAs in a directory that may hold a store, sorted; also of those whose record is missing.
    /// Nothing is repaired.
    pub fn ca_names_in(path: &Path) -> Result<Vec<CaName>, StoreError> {
        let layout = StoreLayout::new(path);
        if !file::stands(path)? {
            return Ok(Vec::new());
        }
        let entries = entries(&layout)?;
        let names = entries.iter().filter_map(|entry| entry.parse().ok());
        let mut names: Vec<CaName> = names
            .filter(|name| !matches!(layout.ca(name).is_of_a_ca(), Ok(false)))
            .collect();
        names.sort();
        Ok(names)
    }

    fn entries(&self) -> Result<Vec<String>, StoreError> {
        entries(&self.layout)
    }

    /// Finishes or removes what killed commands left, unless a command is at it now. A store that
    /// can't be written to can still be read, so what fails here is no more than a notice.
    fn finish_unfinished_cas(&self) -> Result<(), StoreError> {
        let entries = self.entries()?;
        let staged: Vec<CaName> = entries
            .iter()
            .filter_map(|entry| StoreLayout::staged_name(entry))
            .collect();
        let installed = self.pending_beside_their_cas(&entries)?;
        if staged.is_empty() && installed.is_empty() {
            return Ok(());
        }
        if let Ok(Some(_lock)) = Lock::try_acquire(&self.layout.lock()) {
            let unsettled = |name, error: StoreError| {
                (self.observer)(&Notice::Unsettled {
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
        }
        Ok(())
    }

    /// A staged CA whose certificate is in its parent's journal was acknowledged by it, and gets its
    /// name; one of which it is certain that it was not, goes. So does one whose name stands: it was to
    /// take the place of a CA without its key, or is what was there before.
    ///
    /// One with a record of its own gets its name too: it may have had it, until a power cut took it away,
    /// and others may have issued under it.
    fn settle_staged(&self, name: &CaName) -> Result<(), StoreError> {
        if let Some(completed) = self.completes_staged(name, true)? {
            self.say_settled(name, completed);
        }
        Ok(())
    }

    fn say_settled(&self, name: &CaName, completed: bool) {
        (self.observer)(&Notice::UnfinishedCa {
            name: name.clone(),
            completed,
        });
    }

    /// Whether a staged CA got its name, or went; `None` if there is none. Of one that `may_be_named` it is
    /// not known whether it had its name.
    fn completes_staged(
        &self,
        name: &CaName,
        may_be_named: bool,
    ) -> Result<Option<bool>, StoreError> {
        let staged = self.layout.staged_ca(name);
        if !file::stands(staged.directory())? {
            return Ok(None);
        }
        file::refuse_foreign_link(staged.directory())?;
        let stands = file::stands(self.layout.ca(name).directory())?;
        let completed = !stands && self.is_recorded(&staged, name, may_be_named)?;
        if completed {
            // The process that made it may have been killed before its last sync.
            file::sync_directory(staged.directory())?;
            self.give_name(&staged, name)?;
            file::sync_directory(self.layout.root())?;
        } else {
            discard(&staged)?;
        }
        Ok(Some(completed))
    }

    /// An error wherever it can't be told: the key of a CA that was issued may be in there.
    fn is_recorded(
        &self,
        staged: &CaLayout,
        name: &CaName,
        may_be_named: bool,
    ) -> Result<bool, StoreError> {
        // `ca.json` is written last: without it the parent was never asked to record anything.
        let Some(unfinished) = Ca::open(staged.clone(), name, &self.observer)? else {
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
            .map_err(|error| StoreError::damaged(&staged.certificate(), error.to_string()))?;
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

    fn give_name(&self, staged: &CaLayout, name: &CaName) -> Result<(), StoreError> {
        Ok(file::rename_new(
            staged.directory(),
            self.layout.ca(name).directory(),
        )?)
    }
}

/// Removes a staged CA.
fn discard(staged: &CaLayout) -> Result<(), StoreError> {
    // First what says that it is whole: should this be interrupted too, the rest is known to be a
    // remainder.
    file::remove_if_there(&staged.record())?;
    file::sync_directory(staged.directory())?;
    Ok(file::remove_directory(staged.directory())?)
}

/// A place kept for a CA that is being made.
pub struct ReservedCa<'a> {
    store: &'a Store,
    name: CaName,
    _lock: Lock,
}

impl ReservedCa<'_> {
    /// Makes everything of the CA durable, under a hidden name.
    pub fn stage(&self, material: &Material<'_>) -> Result<(), StoreError> {
        material.write(&self.store.layout.staged_ca(&self.name))?;
        Ok(file::sync_directory(self.store.layout.root())?)
    }

    /// Gives the staged CA its name. Where it has a parent, the parent's journal has its certificate
    /// by now.
    pub fn finish(&self) -> Result<Ca, Unfinished> {
        let Self { store, name, _lock } = self;
        let unnamed = |source| Unfinished {
            has_its_name: false,
            source,
        };
        let named = |source| Unfinished {
            has_its_name: true,
            source,
        };
        store
            .give_name(&store.layout.staged_ca(name), name)
            .map_err(unnamed)?;
        file::sync_directory(store.layout.root()).map_err(|error| named(error.into()))?;
        store.ca(name).map_err(named)
    }

    /// Takes back what [`ReservedCa::stage`] made, unless the parent's journal has its certificate.
    pub fn give_up(&self) -> Result<(), StoreError> {
        // That it goes is no news: why has been said.
        if self.store.completes_staged(&self.name, false)? == Some(true) {
            self.store.say_settled(&self.name, true);
        }
        Ok(())
    }
}

/// Why [`ReservedCa::finish`] did not come to its end.
#[derive(Debug)]
pub struct Unfinished {
    /// Whether the CA has its name, and so is there.
    pub has_its_name: bool,
    /// What failed.
    pub source: StoreError,
}

/// Names of the files and directories in the store's directory.
fn entries(layout: &StoreLayout) -> Result<Vec<String>, StoreError> {
    let root = layout.root();
    let failed = |error| FileError::of("read", root)(error);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            entries.push(name);
        }
    }
    Ok(entries)
}
