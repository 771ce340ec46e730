//! The lists that a CA signed before.

use super::certificates::causes;
use crate::ca::foreign::{Input, lists_in};
use crate::ca::{CaError, RuleFinding};
use crate::store::ForeignList;
use crate::x509::{Certificate, Fingerprint, RevocationList};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Lists that the CA's key signed.
#[derive(Default)]
pub(super) struct OldLists {
    lists: Vec<(PathBuf, Vec<u8>)>,
    pub(super) findings: Vec<RuleFinding>,
}

/// The last list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldList {
    /// Its file.
    pub path: PathBuf,
    /// cRLNumber, if it has one.
    pub number: Option<u128>,
    /// thisUpdate.
    pub this_update: OffsetDateTime,
    /// How many entries it has.
    pub entries: usize,
}

impl OldLists {
    /// Reads files, and takes what the CA signed.
    pub(super) fn read(files: &[PathBuf], ca: &Certificate) -> Result<Self, CaError> {
        let mut old = Self::default();
        for path in files {
            match Input::read(path).and_then(|input| lists_in(&input)) {
                Ok(lists) => {
                    for der in lists {
                        old.take(path, der, ca);
                    }
                }
                Err(error @ (CaError::File(_) | CaError::Store(_))) => return Err(error),
                Err(error) => old.found("old-list-unreadable", causes(&error)),
            }
        }
        Ok(old)
    }

    fn take(&mut self, path: &Path, der: Vec<u8>, ca: &Certificate) {
        let list = RevocationList::from_der(&der).expect("it was read before");
        let shown = path.display();
        let is_signed = || list.verify_signature(ca.public_key()).is_ok();
        if list.issuer() != ca.subject() || !is_signed() {
            let message = format!(
                "{shown} is a list of {}, and not signed with the key of {}",
                list.issuer(),
                ca.subject()
            );
            return self.found("old-list-of-another-ca", message);
        }
        if let Some(Err(error)) = list.entries().find(Result::is_err) {
            return self.found("old-list-unreadable", format!("{shown}: {error}"));
        }
        self.lists.push((path.to_owned(), der));
    }

    fn found(&mut self, rule: &'static str, message: String) {
        self.findings.push(RuleFinding::error(rule, message));
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = RevocationList<'_>> {
        let read = |der| RevocationList::from_der(der).expect("it was read before");
        self.lists.iter().map(move |(_, der)| read(der))
    }

    /// The one that was signed last.
    pub(super) fn last(&self) -> Option<(&Path, RevocationList<'_>)> {
        let paths = self.lists.iter().map(|(path, _)| path.as_path());
        let order = |list: &RevocationList<'_>| (list.number(), list.this_update());
        paths.zip(self.all()).max_by_key(|(_, list)| order(list))
    }

    /// What the store keeps of the last one. Without a number of its own it has the highest there is.
    pub(super) fn to_store(&self, highest_number: u128, is_complete: bool) -> Option<ForeignList> {
        let (_, list) = self.last()?;
        Some(ForeignList {
            number: list.number().unwrap_or(highest_number),
            this_update: list.this_update(),
            // One that names none promises nothing.
            next_update: list.next_update().unwrap_or(list.this_update()),
            entries: list.entries().count(),
            fingerprint: Fingerprint::of(list.der()),
            is_complete,
        })
    }

    /// What is said of the last one.
    pub(super) fn summary(&self) -> Option<OldList> {
        let (path, list) = self.last()?;
        Some(OldList {
            path: path.to_owned(),
            number: list.number(),
            this_update: list.this_update(),
            entries: list.entries().count(),
        })
    }
}
