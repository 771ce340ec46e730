//! Looking at a store that may be damaged, without a lock and without changing anything.

use super::address::Address;
use super::ca::{Ca, read_certificate};
use super::database::{Rows, State};
use super::error::StoreError;
use super::journal::{self, Expected, SurveyedLine};
use super::kind::{Counter, Journal};
use super::layout::{CaLayout, StoreLayout};
use super::location::Location;
use super::name::CaName;
use super::place::{CaPlace, Place};
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
        address: &Address,
        operator: Operator,
    ) -> Result<(Self, Option<StoreError>), StoreError> {
        let Address::Directory(path) = address else {
            return Ok((Self::open(address, operator)?, None));
        };
        let layout = StoreLayout::new(path);
        let (fixture, problem) = match format::check(&layout) {
            Ok(fixture) => (fixture, None),
            Err(error @ StoreError::Damaged { .. }) => (false, Some(error)),
            Err(error) => return Err(error),
        };
        let store = Self {
            place: Place::Directory(layout),
            operator,
            fixture,
        };
        Ok((store, problem))
    }

    pub(crate) fn format_location(&self) -> Location {
        match &self.place {
            Place::Directory(layout) => layout.format().into(),
            Place::Database(session) => session.location(""),
        }
    }

    /// Returns whether certificates may be recorded in the store without their DER.
    pub(crate) fn may_lack_certificates(&self) -> bool {
        match &self.place {
            Place::Directory(layout) => {
                format::read(layout).is_ok_and(|format| format >= format::WITHOUT_CERTIFICATES)
            }
            Place::Database(_) => true,
        }
    }

    /// Returns every CA, sorted by name, or why it can't be opened.
    pub(crate) fn look_at_cas(&self) -> Result<Vec<SeenCa>, StoreError> {
        let mut cas = Vec::new();
        if let Some(session) = self.session() {
            let facts = session.facts()?;
            let ready = facts.in_state(State::Ready);
            let opened = |row| Ca::in_database(session, row, &self.operator);
            return Ok(ready
                .map(|(name, row)| (name.clone(), opened(row)))
                .collect());
        }
        let layout = self.layout()?;
        for entry in self.entries()? {
            let Ok(name) = entry.parse::<CaName>() else {
                continue;
            };
            let layout = layout.ca(&name);
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
        if let Some(session) = self.session() {
            let facts = session.facts()?;
            return Ok(facts
                .in_state(State::Pending)
                .map(|(name, _)| name.clone())
                .collect());
        }
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
        let what = match journal {
            Journal::Issued => "the certificates",
            Journal::Revoked => "the revocations",
            Journal::Crls => "the CRLs",
        };
        self.location_of(|layout| journal_in(layout, journal), what)
    }

    pub(super) fn journal_path(&self, journal: Journal) -> Result<PathBuf, StoreError> {
        Ok(journal_in(self.layout()?, journal))
    }

    pub(crate) fn counter_location(&self, which: Counter) -> Location {
        let what = match which {
            Counter::Serial => "the serial counter",
            Counter::CrlNumber => "the CRL number",
        };
        self.location_of(|layout| counter_in(layout, which), what)
    }

    pub(super) fn counter_path(&self, which: Counter) -> Result<PathBuf, StoreError> {
        Ok(counter_in(self.layout()?, which))
    }

    pub(crate) fn counter(&self, which: Counter) -> Result<u128, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => counter::read(&counter_in(layout, which)),
            CaPlace::Database(rows) => {
                let (serial, crl_number) = rows.counters()?;
                Ok(match which {
                    Counter::Serial => serial,
                    Counter::CrlNumber => crl_number,
                })
            }
        }
    }

    /// Returns whether the database's server was promoted since the CA reserved its last serial number.
    pub(crate) fn was_promoted(&self) -> Result<bool, StoreError> {
        self.rows().map_or(Ok(false), Rows::was_promoted)
    }

    pub(crate) fn is_in_database(&self) -> bool {
        self.rows().is_some()
    }

    /// Returns the number of bytes at a journal's end that were never acknowledged, or are being written.
    pub(crate) fn torn_bytes(&self, journal: Journal) -> Result<u64, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => journal::torn_bytes(&journal_in(layout, journal)),
            CaPlace::Database(_) => Ok(0),
        }
    }

    /// Returns the size of a journal, as a measure of the work to read it.
    pub(crate) fn journal_bytes(&self, journal: Journal) -> u64 {
        let path = self.journal_path(journal).ok();
        let found = path.and_then(|path| std::fs::metadata(path).ok());
        found.map_or(0, |found| found.len())
    }

    /// Reads every line of the journal of certificates, damaged or not. `judge` makes something of each
    /// record on any processor, and is told whether its line follows from the one before.
    pub(crate) fn survey_issuances<R: Send>(
        &self,
        judge: impl Fn(Issuance, bool) -> R + Sync,
        mut each: impl FnMut(SurveyedLine<R>),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            for (number, issuance) in (1..).zip(rows.issuances()) {
                each(SurveyedLine::of_record(
                    number,
                    None,
                    judge(issuance?, true),
                ));
            }
            return Ok(());
        }
        let (path, expected) = self.expected(Journal::Issued)?;
        journal::survey(&path, expected, judge, each)
    }

    /// Reads every line of the journal of revocations, damaged or not. `None` is made of a record that
    /// says nothing.
    pub(crate) fn survey_revocations(
        &self,
        mut each: impl FnMut(SurveyedLine<Option<RevocationChange>>),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            return rows.survey_revocations(|number, problem, line| {
                each(SurveyedLine::of_record(number, problem, change_of(&line)));
            });
        }
        let (path, expected) = self.expected(Journal::Revoked)?;
        journal::survey(&path, expected, |line, _| change_of(&line), each)
    }

    /// Reads every line of the journal of CRLs, damaged or not.
    pub(crate) fn survey_crls(
        &self,
        mut each: impl FnMut(SurveyedLine<SignedCrl>),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            let crls = rows.crls_backwards(|_| true)?;
            for (number, crl) in (1..).zip(crls.into_iter().rev()) {
                each(SurveyedLine::of_record(number, None, crl));
            }
            return Ok(());
        }
        let (path, expected) = self.expected(Journal::Crls)?;
        journal::survey(&path, expected, |crl, _| crl, each)
    }

    fn expected(&self, journal: Journal) -> Result<(PathBuf, Expected<'_>), StoreError> {
        let expected = Expected {
            journal: journal.name(),
            ca: self.name().as_str(),
        };
        Ok((self.journal_path(journal)?, expected))
    }

    /// Returns whether the journal of revocations still has what it had when a CRL was made of it.
    pub(crate) fn still_covers(&self, covers: &Coverage) -> Result<bool, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => journal::still_covers(&layout.revoked(), covers),
            CaPlace::Database(rows) => rows.still_covers(covers),
        }
    }

    /// Returns the serial numbers that the files of leaf keys are named after.
    pub(crate) fn leaf_key_serials(&self) -> Result<Vec<Serial>, StoreError> {
        if let Some(rows) = self.rows() {
            return rows.leaf_key_serials();
        }
        names_in(&self.layout()?.leaf_keys(), |name| {
            CaLayout::serial_of_leaf_key(name)
        })
    }

    pub(crate) fn presigned_crl_location(&self, number: u128) -> Location {
        self.location_of(
            |layout| layout.presigned_crl(number),
            &format!("the pre-signed CRL {number}"),
        )
    }

    /// Returns the certificates before the one in force.
    pub(crate) fn previous_certificates(&self) -> Result<Vec<SeenCertificate>, StoreError> {
        let layout = match &self.place {
            CaPlace::Directory(layout) => layout,
            CaPlace::Database(rows) => return seen_in_rows(rows),
        };
        let directory = layout.previous_certificates();
        let paths = names_in(&directory, |name| layout.previous_named(name))?;
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

fn journal_in(layout: &CaLayout, journal: Journal) -> PathBuf {
    match journal {
        Journal::Issued => layout.issued(),
        Journal::Revoked => layout.revoked(),
        Journal::Crls => layout.signed_crls(),
    }
}

pub(super) fn counter_in(layout: &CaLayout, which: Counter) -> PathBuf {
    match which {
        Counter::Serial => layout.serial_counter(),
        Counter::CrlNumber => layout.crl_number_counter(),
    }
}

fn seen_in_rows(rows: &Rows) -> Result<Vec<SeenCertificate>, StoreError> {
    let previous = rows.previous_certificates()?.into_iter();
    let seen = previous.map(|(name, der)| {
        let location = rows.location(&format!("the previous certificate {name}"));
        let damaged = |error| StoreError::damaged(&location, format!("cannot be read: {error}"));
        SeenCertificate {
            certificate: Certificate::from_der(&der).map_err(damaged),
            location: location.clone(),
            name,
        }
    });
    Ok(seen.collect())
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
