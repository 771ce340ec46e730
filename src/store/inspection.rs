//! Looking at a store that may be damaged, without a lock and without changing anything.

use super::ca::{Ca, read_certificate};
use super::error::StoreError;
use super::journal::{self, Expected, SurveyedLine};
use super::kind::{Counter, Journal};
use super::layout::{CaLayout, StoreLayout};
use super::location::Location;
use super::name::CaName;
use super::record::{Coverage, Issuance, RevocationLine, SignedCrl};
use super::standing::RevocationChange;
use super::{Operator, Store, counter, file, format};
use crate::x509::{Certificate, Serial};
use std::path::{Path, PathBuf};

pub(crate) type SeenCa = (CaName, Result<Ca, StoreError>);

/// Certificate before the one in force.
pub(crate) struct SeenCertificate {
    pub(crate) location: Location,
    /// Fingerprint by which the file is named.
    name: String,
    pub(crate) certificate: Result<Certificate, StoreError>,
}

impl SeenCertificate {
    /// Returns whether its file is named after this certificate.
    pub(crate) fn is_named_after(&self, certificate: &Certificate) -> bool {
        self.name == certificate.fingerprint().to_string()
    }
}

impl Store {
    /// Opens the store in a directory as it is: the remains of interrupted commands stay. A damaged
    /// `store.json` is returned as an error beside the store.
    pub(crate) fn look(
        path: &Path,
        operator: Operator,
    ) -> Result<(Self, Option<StoreError>), StoreError> {
        let layout = StoreLayout::new(path);
        let (fixture, problem) = match format::check(&layout) {
            Ok(fixture) => (fixture, None),
            Err(error @ StoreError::Damaged { .. }) => (false, Some(error)),
            Err(error) => return Err(error),
        };
        let store = Self {
            layout,
            operator,
            fixture,
        };
        Ok((store, problem))
    }

    pub(crate) fn format_location(&self) -> Location {
        self.layout.format().into()
    }

    /// Returns whether certificates may be recorded in the store without their DER.
    pub(crate) fn may_lack_certificates(&self) -> bool {
        format::read(&self.layout).is_ok_and(|format| format >= format::WITHOUT_CERTIFICATES)
    }

    /// Returns every CA, sorted by name, or why it can't be opened.
    pub(crate) fn look_at_cas(&self) -> Result<Vec<SeenCa>, StoreError> {
        let mut cas = Vec::new();
        for entry in self.entries()? {
            let Ok(name) = entry.parse::<CaName>() else {
                continue;
            };
            let layout = self.layout.ca(&name);
            let opened = match layout.is_of_a_ca() {
                Ok(false) => continue,
                Ok(true) => Ca::open(&layout, &name, &self.operator),
                Err(error) => Err(error),
            };
            // One that goes away while it is opened is none.
            if let Some(opened) = opened.transpose() {
                cas.push((name, opened));
            }
        }
        cas.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(cas)
    }

    /// Returns the names of the pending CAs, sorted.
    pub(crate) fn pending_names(&self) -> Result<Vec<CaName>, StoreError> {
        let entries = self.entries()?;
        let pending = entries
            .iter()
            .filter_map(|entry| StoreLayout::pending_name(entry));
        let mut names: Vec<CaName> = pending.collect();
        names.sort();
        Ok(names)
    }
}

impl Ca {
    pub(crate) fn journal_location(&self, journal: Journal) -> Location {
        self.journal_path(journal).into()
    }

    pub(super) fn journal_path(&self, journal: Journal) -> PathBuf {
        match journal {
            Journal::Issued => self.layout.issued(),
            Journal::Revoked => self.layout.revoked(),
            Journal::Crls => self.layout.signed_crls(),
        }
    }

    pub(crate) fn counter_location(&self, which: Counter) -> Location {
        self.counter_path(which).into()
    }

    pub(super) fn counter_path(&self, which: Counter) -> PathBuf {
        match which {
            Counter::Serial => self.layout.serial_counter(),
            Counter::CrlNumber => self.layout.crl_number_counter(),
        }
    }

    pub(crate) fn counter(&self, which: Counter) -> Result<u128, StoreError> {
        counter::read(&self.counter_path(which))
    }

    /// Returns the number of bytes at a journal's end that were never acknowledged, or are being written.
    pub(crate) fn torn_bytes(&self, journal: Journal) -> Result<u64, StoreError> {
        journal::torn_bytes(&self.journal_path(journal))
    }

    /// Returns the size of a journal, as a measure of the work to read it.
    pub(crate) fn journal_bytes(&self, journal: Journal) -> u64 {
        std::fs::metadata(self.journal_path(journal)).map_or(0, |found| found.len())
    }

    /// Reads every line of the journal of certificates, damaged or not. `judge` makes something of each
    /// record on any processor, and is told whether its line follows from the one before.
    pub(crate) fn survey_issuances<R: Send>(
        &self,
        judge: impl Fn(Issuance, bool) -> R + Sync,
        each: impl FnMut(SurveyedLine<R>),
    ) -> Result<(), StoreError> {
        let (path, expected) = self.expected(Journal::Issued);
        journal::survey(&path, expected, judge, each)
    }

    /// Reads every line of the journal of revocations, damaged or not. `None` is made of a record that
    /// says nothing.
    pub(crate) fn survey_revocations(
        &self,
        each: impl FnMut(SurveyedLine<Option<RevocationChange>>),
    ) -> Result<(), StoreError> {
        let (path, expected) = self.expected(Journal::Revoked);
        journal::survey(&path, expected, |line, _| change_of(&line), each)
    }

    /// Reads every line of the journal of CRLs, damaged or not.
    pub(crate) fn survey_crls(
        &self,
        each: impl FnMut(SurveyedLine<SignedCrl>),
    ) -> Result<(), StoreError> {
        let (path, expected) = self.expected(Journal::Crls);
        journal::survey(&path, expected, |crl, _| crl, each)
    }

    fn expected(&self, journal: Journal) -> (PathBuf, Expected<'_>) {
        let expected = Expected {
            journal: journal.name(),
            ca: self.name().as_str(),
        };
        (self.journal_path(journal), expected)
    }

    /// Returns whether the journal of revocations still has what it had when a CRL was made of it.
    pub(crate) fn still_covers(&self, covers: &Coverage) -> Result<bool, StoreError> {
        journal::still_covers(&self.layout.revoked(), covers)
    }

    /// Returns the serial numbers that the files of leaf keys are named after.
    pub(crate) fn leaf_key_serials(&self) -> Result<Vec<Serial>, StoreError> {
        names_in(&self.layout.leaf_keys(), |name| {
            CaLayout::serial_of_leaf_key(name)
        })
    }

    pub(crate) fn presigned_crl_location(&self, number: u128) -> Location {
        self.layout.presigned_crl(number).into()
    }

    /// Returns the certificates before the one in force.
    pub(crate) fn previous_certificates(&self) -> Result<Vec<SeenCertificate>, StoreError> {
        let directory = self.layout.previous_certificates();
        let paths = names_in(&directory, |name| self.layout.previous_named(name))?;
        let seen = |path: PathBuf| {
            let stem = path.file_stem().unwrap_or_default();
            SeenCertificate {
                name: stem.to_string_lossy().into_owned(),
                certificate: read_certificate(&path),
                location: path.into(),
            }
        };
        Ok(paths.into_iter().map(seen).collect())
    }
}

fn change_of(line: &RevocationLine) -> Option<RevocationChange> {
    match (line.again, line.revoked, line.released_at) {
        (false, Some(revoked), None) => Some(RevocationChange::Revoke(line.serial, revoked)),
        (true, Some(revoked), None) => Some(RevocationChange::RevokeAgain(line.serial, revoked)),
        (true, None, Some(at)) => Some(RevocationChange::Release(line.serial, at)),
        _ => None,
    }
}

/// Reads the names in a directory, of which there are none if it is missing.
fn names_in<T>(directory: &Path, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, StoreError> {
    if !file::stands(directory)? {
        return Ok(Vec::new());
    }
    Ok(file::names_read_as(directory, read)?)
}
