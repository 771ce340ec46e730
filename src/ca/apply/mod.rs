//! Declarations: a whole hierarchy as it is wished to be. What the store has is looked at first; what is
//! missing, changed or due is made, and what is as it should be stays as it is.
//!
//! There is no file beside the store that says how far a declaration is: a record of a certificate names
//! the entry that it was issued for, and what the entry said. Whatever interrupts the work, the next time
//! finds what is recorded and goes on behind it.

mod authorities;
mod certificates;
mod entries;
mod exports;
mod outputs;
mod step;
mod work;

pub use exports::EntryFiles;
pub use step::{Action, Kind, Step};

use super::authority::NewCa;
use super::bundle::BundleRequest;
use super::error::CaError;
use super::flaw::Flaw;
use super::issue::LeafRequest;
use super::lists::ListRequest;
use super::passphrases::Passphrases;
use super::revoke::Verdict;
use crate::store::{CaName, Observer, Store, StoreError};
use exports::ExportKeys;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use work::Work;

/// What there is to be.
pub struct Declaration {
    /// Whether the store is to be one of fixtures, in which certificates may be wrong on purpose.
    pub fixture: bool,
    /// CAs, each behind the one above it.
    pub cas: Vec<WishedCa>,
    /// Certificates.
    pub certificates: Vec<Entry>,
    /// Lists, each behind those of the CAs above.
    pub lists: Vec<WishedList>,
    /// Trust stores.
    pub bundles: Vec<WishedBundle>,
}

/// A CA that there is to be.
pub struct WishedCa {
    /// The CA above it; `None` for a root.
    pub parent: Option<CaName>,
    /// What it is made as.
    pub new: NewCa,
}

/// A certificate that there is to be.
pub struct Entry {
    /// What tells it from others of its CA.
    pub name: String,
    /// The CA.
    pub ca: CaName,
    /// What is issued.
    pub request: LeafRequest,
    /// How long before its end it gets a successor; a third of its validity where that is not said, and
    /// not more than [`USUAL_RENEW_BEFORE`].
    pub renew_before: Option<Duration>,
    /// The files for its owner.
    pub files: Option<EntryFiles>,
    /// What is wrong with it on purpose.
    pub flaw: Option<Flaw>,
    /// That it is revoked, where it is to be.
    pub revoked: Option<Verdict>,
}

/// A CA's list that is to be published.
pub struct WishedList {
    /// The CA.
    pub ca: CaName,
    /// The list.
    pub request: ListRequest,
    /// Whether the lists of the CA and of all above it are wanted as one file too.
    pub chain: bool,
}

/// A trust store that there is to be.
pub struct WishedBundle {
    /// What it is called in reports.
    pub name: String,
    /// What goes into it.
    pub request: BundleRequest,
    /// Its file.
    pub out: PathBuf,
}

/// The longest time before its end at which a certificate gets a successor unasked.
pub const USUAL_RENEW_BEFORE: Duration = Duration::days(30);

/// A declaration, and where it is to hold.
pub struct Application<'a> {
    /// The store's folder.
    pub store: &'a Path,
    /// Is told of what the store does.
    pub observer: Observer,
    /// The declaration.
    pub wishes: &'a Declaration,
    /// Whether files of others may be replaced.
    pub overwrite: bool,
    /// The time.
    pub now: OffsetDateTime,
}

/// Where passphrases come from while a declaration is applied.
pub struct Secrets<'a> {
    /// Those of CAs.
    pub keys: &'a mut dyn Passphrases,
    /// Those of keys that leave the store.
    pub exports: &'a mut dyn Passphrases,
}

impl Application<'_> {
    /// What would be done; changes nothing.
    pub fn plan(&self) -> Result<Vec<Step>, CaError> {
        let store = self.existing_store()?;
        let mut steps = authorities::plan(self, store.as_ref())?;
        certificates::plan(self, store.as_ref(), &mut steps)?;
        outputs::plan(self, store.as_ref(), &mut steps)?;
        Ok(steps)
    }

    /// Does what is to be done; `each` is told of every step when it is done.
    pub fn apply(&self, secrets: Secrets<'_>, each: &mut dyn FnMut(Step)) -> Result<(), CaError> {
        let Secrets {
            keys: passphrases,
            exports,
        } = secrets;
        let existing = self.existing_store()?;
        // Whatever can be refused is, before anything is done.
        let plan = self.plan()?;
        let mut keys = ExportKeys::new(exports);
        keys.prepare(self.wishes, &plan)?;
        let issuers = certificates::check(self, existing.as_ref(), &plan, passphrases)?;
        if let Some(store) = &existing {
            store.make_names_durable()?;
        }
        authorities::make(self, &plan, passphrases, each)?;
        let store = Store::open(self.store, self.observer.clone())?;
        let work = Work {
            application: self,
            store: &store,
            issuers,
            passphrases,
            keys: &mut keys,
        };
        work.issue(each)?;
        outputs::publish(self, &store, passphrases, each)?;
        outputs::write_bundles(self, &store, each)
    }

    /// The store, where there is one.
    fn existing_store(&self) -> Result<Option<Store>, CaError> {
        Store::check_place(self.store)?;
        match Store::open(self.store, self.observer.clone()) {
            Ok(store) => {
                if self.wishes.fixture {
                    store.require_fixture()?;
                }
                Ok(Some(store))
            }
            Err(StoreError::NoStore { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
