//! Declarations: a whole hierarchy as it is wished to be. What the store has is looked at first; what is
//! missing, changed or due is made, and what is as it should be stays as it is.
//!
//! There is no file beside the store that says how far a declaration is: a record of a certificate names
//! the entry that it was issued for, and what the entry said. Whatever interrupts the work, the next time
//! finds what is recorded and goes on behind it.

mod authorities;
mod certificates;
mod declaration;
mod entries;
pub(crate) mod error;
mod exports;
mod files;
pub(crate) mod kind;
mod outputs;
mod step;
mod work;

pub(crate) use declaration::{Application, Declaration, Entry, WishedBundle, WishedCa, WishedCrl};
pub(crate) use files::EntryFiles;
pub(crate) use kind::Kind;
pub(crate) use step::{Action, Step};

use crate::ca::error::CaError;
use crate::ca::passphrases::Passphrases;
use crate::store::{Store, StoreError};
use exports::ExportKeys;
use work::Work;

/// Sources of passphrases while a declaration is applied.
pub(crate) struct Secrets<'a> {
    pub(crate) keys: &'a mut dyn Passphrases,
    /// Passphrases of keys that leave the store.
    pub(crate) exports: &'a mut dyn Passphrases,
}

impl Application<'_> {
    /// Returns the steps to take; changes nothing.
    pub(crate) fn plan(&self) -> Result<Vec<Step>, CaError> {
        let store = self.existing_store()?;
        let mut steps = authorities::plan(self, store.as_ref())?;
        certificates::plan(self, store.as_ref(), &mut steps)?;
        outputs::plan(self, store.as_ref(), &mut steps)?;
        Ok(steps)
    }

    /// Does what is to be done; `each` is told of every step when it is done.
    pub(crate) fn apply(
        &self,
        secrets: Secrets<'_>,
        each: &mut dyn FnMut(Step),
    ) -> Result<(), CaError> {
        let Secrets {
            keys: passphrases,
            exports,
        } = secrets;
        let existing = self.existing_store()?;
        // Whatever can be refused is, before anything is done.
        let plan = self.plan()?;
        let mut keys = ExportKeys::new(exports);
        keys.prepare(self.wishes, &plan, existing.as_ref())?;
        let issuers = certificates::check(self, existing.as_ref(), &plan, passphrases)?;
        if let Some(store) = &existing {
            store.make_names_durable()?;
        }
        authorities::make(self, &plan, passphrases, each)?;
        let store = Store::open(self.store, self.operator.clone())?;
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
        match Store::open(self.store, self.operator.clone()) {
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
