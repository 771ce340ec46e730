//! The certificates of a declaration: what would be done about each.

use crate::ca::apply::declaration::{Application, Entry};
use crate::ca::apply::entries::{Decision, Record, Records, decide, id_of};
use crate::ca::apply::kind::Kind;
use crate::ca::apply::step::{Action, Step};
use crate::ca::error::CaError;
use crate::ca::issuance::{DryRun, Issuer, Purpose};
use crate::ca::passphrases::Passphrases;
use crate::ca::select::certificate_of;
use crate::store::{Ca, CaName, Store};
use crate::x509::Certificate;
use std::collections::{BTreeMap, HashSet};

/// Certificates that a CA issued for entries.
pub(crate) struct View {
    pub(crate) ca: Ca,
    pub(crate) records: Records,
    /// The certificates from the CA up to its root.
    path: Vec<Certificate>,
}

impl View {
    pub(crate) fn of(store: &Store, ca: Ca) -> Result<Self, CaError> {
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

pub(crate) fn plan(
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

/// Plans one entry of an existing CA, beside revoking it.
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
pub(crate) fn kept(entry: &Entry, view: &View, record: &Record) -> Result<Step, CaError> {
    let serial = Some(record.issuance.serial);
    let Some(files) = &entry.files else {
        return Ok(entry.step(Action::Keep).about(serial));
    };
    let certificate = certificate_of(&view.ca, &record.issuance)?;
    Ok(
        match files.standing(&certificate, &view.path, entry.makes_key())? {
            Some(files) => entry.step(Action::Keep).about(serial).with_files(files),
            None => entry
                .step(Action::Write)
                .about(serial)
                .because(Some("its files are missing or differ".into())),
        },
    )
}

/// Certificates that no entry asks for any more.
pub(crate) fn left_alone<'a>(
    application: &'a Application<'_>,
    view: &'a View,
) -> impl Iterator<Item = Step> + 'a {
    let name = view.ca.name();
    let entries = application.wishes.certificates.iter();
    let entries = entries.filter(|entry| entry.ca == *name);
    let entries: HashSet<&str> = entries.map(|entry| entry.name.as_str()).collect();
    let is_gone = move |wanted: &str| !entries.contains(wanted);
    let lasts = view.records.last_of_each();
    lasts
        .filter(move |(wanted, record)| is_gone(wanted) && record.is_live(application.now))
        .map(move |(gone, record)| {
            Step::new(Action::Leave, Kind::Certificate, gone)
                .of_ca(Some(name))
                .about(Some(record.issuance.serial))
                .because(Some("it has no entry in the file".into()))
        })
}

/// CAs whose keys are open.
pub(crate) type Issuers = BTreeMap<CaName, Issuer>;

/// Holds what is planned under CAs that are there to all that it will be held to.
pub(crate) fn check(
    application: &Application<'_>,
    store: Option<&Store>,
    plan: &[Step],
    passphrases: &mut dyn Passphrases,
) -> Result<Issuers, CaError> {
    let mut issuers = Issuers::new();
    let Some(store) = store else {
        return Ok(issuers);
    };
    let issued = plan.iter().filter(|step| step.action.issues());
    let issued: HashSet<_> = issued.filter_map(Step::entry).collect();
    for entry in &application.wishes.certificates {
        let is_issued = issued.contains(&(&entry.ca, entry.name.as_str()));
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

pub(crate) fn open(
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

impl Entry {
    pub(crate) fn step(&self, action: Action) -> Step {
        Step::new(action, Kind::Certificate, self.name.as_str()).of_ca(Some(&self.ca))
    }
}

impl Step {
    /// The CA and the name of the entry that it is about, if it is about a certificate.
    pub(crate) fn entry(&self) -> Option<(&CaName, &str)> {
        let ca = self.ca.as_ref()?;
        (self.kind == Kind::Certificate).then_some((ca, self.name.as_str()))
    }
}
