//! The certificates of a declaration: those of a CA are issued as a batch, under a lock that keeps others
//! from issuing them too; then files that are missing are written, and what is to be revoked is.

use super::super::batch::{Batch, DryRun, RowOutcome, TableRow, cost_of};
use super::super::error::CaError;
use super::super::flaw::issue_flawed;
use super::super::issue::{Issued, KeySource, LeafRequest};
use super::super::issuer::{Issuer, Purpose};
use super::super::passphrases::Passphrases;
use super::super::revoke::{Verdict, revoke_all};
use super::super::select::certificate_of;
use super::entries::{Decision, Record, Records, decide, id_of};
use super::exports::ExportKeys;
use super::step::{Action, Kind, Step};
use super::{Application, Entry};
use crate::store::{Ca, CaName, EntryId, Issuance, Store};
use crate::x509::Certificate;
use std::collections::BTreeMap;
use std::path::PathBuf;
use time::OffsetDateTime;

/// What certificates that are recorded together may cost.
const GROUP: usize = 128;

/// What a CA issued for entries so far.
struct View {
    ca: Ca,
    records: Records,
    /// The certificates from the CA up to its root.
    path: Vec<Certificate>,
}

impl View {
    fn of(store: &Store, ca: Ca) -> Result<Self, CaError> {
        let mut path = vec![ca.certificate().clone()];
        let above = store.ancestors(&ca)?;
        path.extend(above.iter().map(|above| above.certificate().clone()));
        Ok(Self {
            records: Records::read(&ca)?,
            path,
            ca,
        })
    }
}

/// What would be done about the certificates.
pub(super) fn plan(
    application: &Application<'_>,
    store: Option<&Store>,
    steps: &mut Vec<Step>,
) -> Result<(), CaError> {
    let mut views: BTreeMap<CaName, View> = BTreeMap::new();
    if let Some(store) = store {
        for ca in store.cas()? {
            views.insert(ca.name().clone(), View::of(store, ca)?);
        }
    }
    let nothing = Records::default();
    for entry in &application.wishes.certificates {
        let failed = |error: CaError| error.about(Kind::Certificate, &entry.name);
        entry.request.check().map_err(failed)?;
        if let (Some(flaw), Some(store)) = (entry.flaw, store) {
            let checked = flaw.check(store, &entry.request.key);
            checked.map_err(CaError::from).map_err(failed)?;
        }
        let view = views.get(&entry.ca);
        let records = view.map_or(&nothing, |view| &view.records).of(&entry.name);
        let step = match view {
            Some(view) => planned(application, entry, view).map_err(failed)?,
            None => entry.step(Action::Issue),
        };
        let writes = step.action.issues() || step.action == Action::Write;
        if let Some(files) = entry.files.as_ref().filter(|_| writes)
            && !application.overwrite
        {
            let refused = files.refuse_others(records, entry.makes_key());
            refused.map_err(failed)?;
        }
        let is_revoked = records
            .iter()
            .any(|record| Some(record.issuance.serial) == step.serial && record.revoked.is_some());
        let serial = step.serial;
        steps.push(step);
        if entry.revoked.is_some() && !is_revoked {
            steps.push(entry.step(Action::Revoke).about(serial));
        }
    }
    for view in views.values() {
        steps.extend(left_alone(application, view));
    }
    Ok(())
}

/// What is done about one entry of a CA that is there, beside revoking it.
fn planned(application: &Application<'_>, entry: &Entry, view: &View) -> Result<Step, CaError> {
    let records = view.records.of(&entry.name);
    let id = id_of(entry);
    Ok(
        match decide(entry, &id, records, &view.ca, application.now) {
            Decision::Issue(action, reason) => entry.step(action).because(reason),
            Decision::Keep(record) => kept(entry, view, record)?,
        },
    )
}

/// The step of an entry that has its certificate: its files may be missing.
fn kept(entry: &Entry, view: &View, record: &Record) -> Result<Step, CaError> {
    let serial = Some(record.issuance.serial);
    let Some(files) = &entry.files else {
        return Ok(entry.step(Action::Keep).about(serial));
    };
    let certificate = certificate_of(&view.ca, &record.issuance)?;
    Ok(
        match files.standing(&certificate, &view.path, entry.makes_key())? {
            Some(files) => entry.step(Action::Keep).about(serial).with_files(files),
            None => entry.step(Action::Write).about(serial).because(Some(
                "its files are missing, or not as they should be".into(),
            )),
        },
    )
}

/// Certificates that no entry asks for any more.
fn left_alone<'a>(
    application: &'a Application<'_>,
    view: &'a View,
) -> impl Iterator<Item = Step> + 'a {
    let name = view.ca.name();
    let entries = &application.wishes.certificates;
    let is_gone = move |wanted: &str| {
        !entries
            .iter()
            .any(|entry| entry.ca == *name && entry.name == wanted)
    };
    let lasts = view.records.last_of_each();
    lasts
        .filter(move |(wanted, record)| is_gone(wanted) && record.is_live(application.now))
        .map(move |(gone, record)| {
            Step::new(Action::Leave, Kind::Certificate, gone)
                .of_ca(Some(name))
                .about(Some(record.issuance.serial))
                .because(Some("the file has no such entry".into()))
        })
}

/// CAs whose keys are open.
pub(super) type Issuers = BTreeMap<CaName, Issuer>;

/// Holds what is planned under CAs that are there to all that it will be held to.
pub(super) fn check(
    application: &Application<'_>,
    store: Option<&Store>,
    plan: &[Step],
    passphrases: &mut dyn Passphrases,
) -> Result<Issuers, CaError> {
    let mut issuers = Issuers::new();
    let Some(store) = store else {
        return Ok(issuers);
    };
    for entry in &application.wishes.certificates {
        let is_issued = plan
            .iter()
            .any(|step| step.action.issues() && step.is_of(entry));
        if !is_issued || store.is_free(&entry.ca)? {
            continue;
        }
        open(application, store, &entry.ca, passphrases, &mut issuers)?;
        if entry.flaw.is_some() {
            continue;
        }
        let dry_run = DryRun::new(&issuers[&entry.ca], application.now);
        let checked = dry_run.check(entry.request.clone());
        checked.map_err(|error| error.about(Kind::Certificate, &entry.name))?;
    }
    Ok(issuers)
}

fn open(
    application: &Application<'_>,
    store: &Store,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
    issuers: &mut Issuers,
) -> Result<(), CaError> {
    if !issuers.contains_key(ca) {
        let purpose = Purpose::Certificates;
        let issuer = Issuer::open(store, ca, purpose, passphrases, application.now)?;
        issuers.insert(ca.clone(), issuer);
    }
    Ok(())
}

/// What is at hand while the certificates of CAs are made.
pub(super) struct Work<'a, 'b> {
    pub(super) application: &'a Application<'a>,
    pub(super) store: &'a Store,
    pub(super) issuers: Issuers,
    pub(super) passphrases: &'a mut dyn Passphrases,
    pub(super) keys: &'a mut ExportKeys<'b>,
}

impl Work<'_, '_> {
    /// Makes the certificates of every CA what they should be.
    pub(super) fn issue(mut self, each: &mut dyn FnMut(Step)) -> Result<(), CaError> {
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
        let entries = self.application.wishes.certificates.iter();
        let mut rows = Vec::new();
        let mut incomplete = Vec::new();
        let mut verdicts: Vec<Sentence<'_>> = Vec::new();
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
        if rows.iter().any(|row| row.entry.has_protected_key()) {
            self.keys.open()?;
        }
        let issuer = &self.issuers[name];
        let keys = &*self.keys;
        let (flawed, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.entry.flaw.is_some());
        let mut done = |issued| deliver(issued, issuer, keys, verdicts, each);
        for row in flawed {
            let issued = row.issue_flawed(issuer, self.application.now)?;
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
        let recorded: Vec<(Issuance, Verdict)> = verdicts
            .iter()
            .map(|(issuance, verdict, _)| (issuance.clone(), *verdict))
            .collect();
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
            .map_err(|source| CaError::AfterCommit {
                what: format!("what {} issued", issuer.ca().name()),
                remedy: "the same command again writes the files that are missing".into(),
                source: Box::new(source),
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
    fn issue_flawed(&self, issuer: &Issuer, now: OffsetDateTime) -> Result<Issued, CaError> {
        let Self { entry, id, .. } = self;
        let flaw = entry.flaw.expect("it is one of those with a flaw");
        issue_flawed(issuer, entry.request.clone(), flaw, Some(id.clone()), now)
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

impl Entry {
    fn step(&self, action: Action) -> Step {
        Step::new(action, Kind::Certificate, self.name.as_str()).of_ca(Some(&self.ca))
    }
}

impl Step {
    fn is_of(&self, entry: &Entry) -> bool {
        self.kind == Kind::Certificate
            && self.name == entry.name
            && self.ca.as_ref() == Some(&entry.ca)
    }
}
