//! The files that are made of published lists: chains, and names by which OpenSSL finds them.

use super::CrlArgs;
use crate::ca::{
    CaError, CrlForm, Origin, Place, Published, chains_below, has_hash_names, publish_chain,
    publish_hash_names, publish_pem, refuse_other_files,
};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::store::{Ca, CaName, Store};
use std::collections::BTreeSet;

impl CrlArgs {
    pub(super) fn wants_chain(&self) -> bool {
        let form = self.party.map(|party| party.crls.form);
        self.chain || form == Some(CrlForm::Chain)
    }

    /// Refuses files in the way of those that this CA gets; it has no new chain where its list is as it was.
    pub(super) fn refuse_other_files(
        &self,
        ca: &Ca,
        place: &Place,
        is_new: bool,
    ) -> Result<(), CaError> {
        let chain = is_new && self.wants_chain();
        refuse_other_files(ca, place, chain, self.hash_names)
    }

    /// Writes chains that are wanted, or that exist and would be left behind; returns the failures.
    pub(super) fn publish_chains(
        &self,
        store: &Store,
        place: &Place,
        published: &mut [(Ca, Published)],
        context: &Context,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut done = BTreeSet::new();
        let wanted = self.wants_chain();
        for (ca, list) in &mut *published {
            done.insert(ca.name().clone());
            let chain = match place.has_chain(ca) {
                Ok(false) if !wanted => continue,
                Ok(_) => publish_chain(store, ca, place),
                Err(error) => Err(error),
            };
            match chain {
                Ok(path) => list.files.push(("chain", path)),
                Err(error) => failures.push(self.after_signing(list, error)),
            }
        }
        let new = published
            .iter()
            .filter(|(_, list)| list.origin != Origin::Kept);
        for (ca, list) in new {
            let written = chains_below(store, ca, place).and_then(|below| {
                let others = below
                    .iter()
                    .filter(|other| done.insert(other.name().clone()));
                others
                    .map(|other| publish_chain(store, other, place))
                    .collect::<Result<Vec<_>, _>>()
            });
            match written {
                Ok(paths) => context.notices(paths.iter().map(|path| {
                    format!("the new CRL of {} is also in {}", ca.name(), path.display())
                })),
                Err(error) => failures.push(self.after_signing(list, error)),
            }
        }
        failures
    }

    /// Writes the names that OpenSSL looks for, if they are wanted or exist, and the files of CAs above
    /// that signed nothing now; returns the failures.
    pub(super) fn publish_others(
        &self,
        store: &Store,
        place: &Place,
        published: &mut [(Ca, Published)],
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        for (ca, list) in &mut *published {
            let named = match has_hash_names(ca, place) {
                Ok(false) if !self.hash_names => continue,
                Ok(_) => publish_hash_names(ca, place),
                Err(error) => Err(error),
            };
            match named {
                Ok(paths) => list
                    .files
                    .extend(paths.into_iter().map(|path| ("hash", path))),
                Err(error) => failures.push(self.after_signing(list, error)),
            }
        }
        if self.party.is_none() {
            return failures;
        }
        let done: BTreeSet<CaName> = published.iter().map(|(ca, _)| ca.name().clone()).collect();
        for (ca, list) in published {
            let written = store.ancestors(ca).map_err(CaError::from);
            let written = written.and_then(|above| {
                let mut above = above.iter().filter(|above| !done.contains(above.name()));
                above.try_for_each(|above| self.publish_other(above, place))
            });
            let error = written.err().map(|error| self.after_signing(list, error));
            failures.extend(error);
        }
        failures
    }

    /// The files of a CA above, whose list is as it was.
    fn publish_other(&self, ca: &Ca, place: &Place) -> Result<(), CaError> {
        let form = self.party.map(|party| party.crls.form);
        if form == Some(CrlForm::PemOfPath) {
            publish_pem(ca, place)?;
        }
        if self.hash_names && form.is_some_and(CrlForm::is_of_path) {
            publish_hash_names(ca, place)?;
        }
        Ok(())
    }
}
