//! The certificates of a declaration, made: those of a CA are issued as a batch, under a lock that keeps others
//! from issuing them too; then files that are missing are written, and what is to be revoked is.

use crate::ca::apply::certificates::{Issuers, View, kept, left_alone, open};
use crate::ca::apply::declaration::{Application, Entry};
use crate::ca::apply::entries::{Decision, Record, decide, id_of};
use crate::ca::apply::exports::ExportKeys;
use crate::ca::apply::kind::Kind;
use crate::ca::apply::step::{Action, Step};
use crate::ca::error::CaError;
use crate::ca::fixture::issue_defective;
use crate::ca::issuance::{
    Batch, Issued, Issuer, KeySource, LeafRequest, RowOutcome, TableRow, cost_of,
};
use crate::ca::passphrases::Passphrases;
use crate::ca::remedy::Remedy;
use crate::ca::revocation::{Revocable, Verdict, revoke_all};
use crate::ca::select::certificate_of;
use crate::store::{Ca, CaName, EntryId, FileError, Issuance, Journal, Store, file};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Cost of the certificates that are recorded together.
const GROUP: usize = 128;

/// State while the certificates of CAs are issued.
pub(crate) struct Work<'a, 'b> {
    pub(crate) application: &'a Application<'a>,
    pub(crate) store: &'a Store,
    pub(crate) issuers: Issuers,
    pub(crate) passphrases: &'a mut dyn Passphrases,
    pub(crate) keys: &'a mut ExportKeys<'b>,
}

impl Work<'_, '_> {
    /// Makes the certificates of every CA what they should be.
    pub(crate) fn issue(mut self, each: &mut dyn FnMut(Step)) -> Result<(), CaError> {
        let mut cas: Vec<&CaName> = Vec::new();
        for entry in &self.application.wishes.certificates {
            if !cas.contains(&&entry.ca) {
                cas.push(&entry.ca);
            }
        }
        for ca in cas {
            self.issue_under(ca, each)?;
        }
        let existing = self.store.cas()?;
        for ca in existing {
            let view = View::of(self.store, ca)?;
            left_alone(self.application, &view).for_each(&mut *each);
        }
        Ok(())
    }

    fn issue_under(&mut self, name: &CaName, each: &mut dyn FnMut(Step)) -> Result<(), CaError> {
        let ca = self.store.ca(name)?;
        // What others issued for the same entries is seen, or they see what is issued here.
        let _lock = ca.lock_batches(true)?;
        let view = View::of(self.store, ca)?;
        // What is there already may be what a killed process wrote.
        view.ca.make_durable(Journal::Issued)?;
        view.ca.make_durable(Journal::Revoked)?;
        let entries = self.application.wishes.certificates.iter();
        let mut rows = Vec::new();
        let mut incomplete = Vec::new();
        let mut verdicts: Vec<Sentence<'_>> = Vec::new();
        let mut synced: BTreeSet<&PathBuf> = BTreeSet::new();
        for entry in entries.filter(|entry| entry.ca == *name) {
            let failed = |error: CaError| error.about(Kind::Certificate, &entry.name);
            let id = id_of(entry);
            let records = view.records.of(&entry.name);
            match decide(entry, &id, records, &view.ca, self.application.now) {
                Decision::Issue(action, reason) => rows.push(EntryRow {
                    entry,
                    id,
                    number: rows.len() as u64 + 1,
                    step: entry.step(action).because(reason),
                }),
                Decision::Keep(record) => {
                    let step = kept(entry, &view, record).map_err(failed)?;
                    if step.action == Action::Write {
                        incomplete.push((entry, record, step));
                    } else {
                        sync_once(entry, &mut synced)?;
                        each(step);
                    }
                    if let Some(verdict) = entry.revoked.filter(|_| record.revoked.is_none()) {
                        verdicts.push((record.issuance.clone(), verdict, entry));
                    }
                }
            }
        }
        if !rows.is_empty() || !incomplete.is_empty() {
            let (application, store) = (self.application, self.store);
            open(
                application,
                store,
                name,
                self.passphrases,
                &mut self.issuers,
            )?;
        }
        if !rows.is_empty() {
            self.issue_rows(name, rows, &mut verdicts, each)?;
        }
        for (entry, record, step) in incomplete {
            let files = self.complete(entry, record)?;
            each(step.with_files(files));
        }
        self.revoke(&view.ca, &verdicts, each)
    }

    fn issue_rows<'e>(
        &mut self,
        name: &CaName,
        rows: Vec<EntryRow<'e>>,
        verdicts: &mut Vec<Sentence<'e>>,
        each: &mut dyn FnMut(Step),
    ) -> Result<(), CaError> {
        let is_outside = self.issuers[name].has_key_outside();
        let makes_keys = |row: &EntryRow<'_>| is_outside && row.entry.makes_key();
        if rows
            .iter()
            .any(|row| row.entry.has_protected_key() || makes_keys(row))
        {
            self.keys.open()?;
        }
        if let (Some(issuer), Some(protection)) =
            (self.issuers.get_mut(name), self.keys.protection())
        {
            issuer.protect_leaf_keys(protection);
        }
        let issuer = &self.issuers[name];
        let keys = &*self.keys;
        let (flawed, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.entry.flaw.is_some());
        let mut done = |issued| deliver(issued, issuer, keys, verdicts, each);
        for row in flawed {
            let issued = row.issue_defective(issuer, self.application.now)?;
            done(vec![(row, issued)])?;
        }
        let batch = Batch {
            issuer,
            id: None,
            group: GROUP,
            keeps_going: false,
            now: self.application.now,
        };
        batch.issue(rows.into_iter(), |group| {
            let mut issued = Vec::new();
            let mut failure = None;
            for RowOutcome { row, outcome } in group {
                match outcome {
                    Ok(certificate) => issued.push((row, certificate)),
                    Err(error) => failure = Some(error),
                }
            }
            done(issued)?;
            failure.map_or(Ok(()), Err)
        })
    }

    /// Writes the files of a certificate that was issued before.
    fn complete(
        &mut self,
        entry: &Entry,
        record: &Record,
    ) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
        let Some(files) = &entry.files else {
            return Ok(Vec::new());
        };
        if entry.has_protected_key() {
            self.keys.open()?;
        }
        let issuer = self.issuers.get_mut(&entry.ca).expect("it is open by now");
        let issuance = &record.issuance;
        let certificate = certificate_of(issuer.ca(), issuance)?;
        let key = issuer.leaf_key(&issuance.serial, &certificate, self.passphrases)?;
        let export = files.export(&certificate, entry.makes_key(), key.as_ref(), self.keys);
        let written = files.place().open()?.write(&[export], issuer.path())?;
        Ok(written.into_iter().next().unwrap_or_default())
    }

    fn revoke(
        &self,
        ca: &Ca,
        verdicts: &[Sentence<'_>],
        each: &mut dyn FnMut(Step),
    ) -> Result<(), CaError> {
        if verdicts.is_empty() {
            return Ok(());
        }
        let recorded = verdicts
            .iter()
            .map(|(issuance, verdict, _)| Ok((Revocable::of(ca, issuance, *verdict)?, *verdict)));
        let recorded = recorded.collect::<Result<Vec<_>, CaError>>()?;
        let outcomes = revoke_all(self.store, ca, &recorded, self.application.now)?;
        let mut notices = outcomes.notices;
        for (issuance, _, entry) in verdicts {
            each(
                entry
                    .step(Action::Revoke)
                    .about(Some(issuance.serial))
                    .saying(std::mem::take(&mut notices)),
            );
        }
        Ok(())
    }
}

/// A certificate that is to be revoked, and how.
type Sentence<'a> = (Issuance, Verdict, &'a Entry);

/// Writes the files of certificates that were just issued, and tells of them.
fn deliver<'e>(
    issued: Vec<(EntryRow<'e>, Issued)>,
    issuer: &Issuer,
    keys: &ExportKeys<'_>,
    sentences: &mut Vec<Sentence<'e>>,
    each: &mut dyn FnMut(Step),
) -> Result<(), CaError> {
    let mut files = write_files(&issued, issuer, keys)?.into_iter();
    for (row, issued) in issued {
        let EntryRow { entry, step, .. } = row;
        each(
            step.about(Some(issued.issuance.serial))
                .with_files(files.next().unwrap_or_default())
                .saying(issued.notices),
        );
        if let Some(verdict) = entry.revoked {
            sentences.push((issued.issuance, verdict, entry));
        }
    }
    Ok(())
}

/// Writes the files of certificates that were just issued, those of a folder together.
fn write_files(
    issued: &[(EntryRow<'_>, Issued)],
    issuer: &Issuer,
    keys: &ExportKeys<'_>,
) -> Result<Vec<Vec<(&'static str, PathBuf)>>, CaError> {
    let mut written = vec![Vec::new(); issued.len()];
    let mut folders: BTreeMap<&PathBuf, Vec<usize>> = BTreeMap::new();
    for (index, (row, _)) in issued.iter().enumerate() {
        if let Some(files) = &row.entry.files {
            folders.entry(&files.directory).or_default().push(index);
        }
    }
    for members in folders.values() {
        let mut exports = Vec::new();
        let mut place = None;
        for index in members {
            let (row, issued) = &issued[*index];
            if let Some(files) = &row.entry.files {
                let makes_key = row.entry.makes_key();
                place.get_or_insert_with(|| files.place());
                exports.push(files.export(
                    &issued.certificate,
                    makes_key,
                    issued.key.as_ref(),
                    keys,
                ));
            }
        }
        let Some(place) = place else { continue };
        let done = place
            .open()
            .and_then(|folder| folder.write(&exports, issuer.path()))
            .map_err(|source| {
                let what = format!("what {} issued", issuer.ca().name());
                CaError::after_commit(what, Remedy::WriteFilesAgain, source)
            })?;
        for (index, files) in members.iter().zip(done) {
            written[*index] = files;
        }
    }
    Ok(written)
}

/// An entry whose certificate is issued.
struct EntryRow<'a> {
    entry: &'a Entry,
    id: EntryId,
    number: u64,
    step: Step,
}

impl EntryRow<'_> {
    /// Issues it by itself, wrong as it is to be.
    fn issue_defective(&self, issuer: &Issuer, now: OffsetDateTime) -> Result<Issued, CaError> {
        let Self { entry, id, .. } = self;
        let flaw = entry.flaw.expect("it is one of those with a flaw");
        issue_defective(issuer, entry.request.clone(), flaw, Some(id.clone()), now)
            .map_err(|error| self.refused(error))
    }
}

impl TableRow for EntryRow<'_> {
    type Error = CaError;

    fn number(&self) -> u64 {
        self.number
    }

    fn cost(&self) -> usize {
        match self.entry.request.key {
            KeySource::Generate(kind) => cost_of(kind),
            KeySource::Request { .. } => 1,
        }
    }

    fn request(&self) -> Result<LeafRequest, CaError> {
        Ok(self.entry.request.clone())
    }

    fn entry(&self) -> Option<EntryId> {
        Some(self.id.clone())
    }

    fn refused(&self, error: CaError) -> CaError {
        error.about(Kind::Certificate, &self.entry.name)
    }
}

/// Syncs the directory of an entry's files, which a killed process may have written.
fn sync_once<'a>(entry: &'a Entry, synced: &mut BTreeSet<&'a PathBuf>) -> Result<(), FileError> {
    match &entry.files {
        Some(files) if synced.insert(&files.directory) => file::sync(&files.directory),
        _ => Ok(()),
    }
}
