//! Out of a directory into a database.

use crate::store::database::{Rows, Session};
use crate::store::error::StoreError;
use crate::store::file;
use crate::store::journal;
use crate::store::record::{Coverage, Issuance, RevocationLine, SignedCrl, Stamped};
use crate::store::{Address, Ca, Counter, Store};
use crate::x509::Serial;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use zeroize::Zeroizing;

/// Records that are written together.
const PART: usize = 1000;

impl Store {
    /// Copies a store in a directory into a database that has none, in one step.
    pub(crate) fn copy_into(&self, address: &Address) -> Result<(), StoreError> {
        let Address::Database(database) = address else {
            return Ok(());
        };
        if Session::open(database)?.is_some_and(|session| !session.is_empty()) {
            return Err(StoreError::NotEmpty {
                path: database.location(),
            });
        }
        let session = Session::create(database, self.fixture)?;
        session.facts()?;
        session.alone(|| {
            if let Some(profiles) = self.profiles()? {
                session.set_profiles(&String::from_utf8_lossy(&profiles))?;
            }
            for ca in self.cas()? {
                copy_ca(&session, &ca, "ready")?;
            }
            for ca in self.removed_cas()? {
                copy_ca(&session, &ca, "removed")?;
            }
            for pending in self.pending_cas()? {
                let key = pending.key_file()?;
                let request = pending.request().der();
                let key = key.as_ref().map(|key| key.as_slice());
                session.add_pending(pending.record(), request, key)?;
            }
            Ok(())
        })
    }
}

fn copy_ca(session: &Session, ca: &Ca, state: &str) -> Result<(), StoreError> {
    let layout = ca.layout()?;
    let key = file::read_if_there(&layout.key())?.map(Zeroizing::new);
    let key = key.as_ref().map(|key| key.as_slice());
    let rows = session.add_bare(ca.record(), ca.certificate(), state, key)?;
    rows.start_counters(
        ca.counter(Counter::Serial)?,
        ca.counter(Counter::CrlNumber)?,
    )?;
    copy_certificates(&rows, ca)?;
    copy_revocations(&rows, ca)?;
    for line in ca.stamped_changes()? {
        let Stamped { record, at, by } = line?;
        rows.record_change(record.change, &super::stamp(at, by.as_deref()))?;
    }
    for seen in ca.previous_certificates()? {
        rows.keep_previous(&seen.certificate?)?;
    }
    for crl in ca.recent_crls()?.iter().filter(|crl| crl.ahead) {
        if let Ok(der) = ca.presigned_crl(crl) {
            rows.keep_presigned(crl.number, &der)?;
        }
    }
    copy_leaf_keys(&rows, ca)
}

fn copy_certificates(rows: &Rows, ca: &Ca) -> Result<(), StoreError> {
    let (mut part, mut stamps) = (Vec::with_capacity(PART), Vec::with_capacity(PART));
    let lines = journal::search::<Stamped<Issuance>>(&ca.layout()?.issued(), &[b""])?;
    for line in lines {
        let Stamped { record, at, by } = line?;
        stamps.push(super::stamp(at, by.as_deref()));
        part.push(record);
        if part.len() == PART {
            rows.write_brought(&part, &stamps)?;
            part.clear();
            stamps.clear();
        }
    }
    rows.write_brought(&part, &stamps)
}

/// Line of a journal with its check.
#[derive(Deserialize)]
struct Checked {
    #[serde(flatten)]
    line: Stamped<RevocationLine>,
    check: String,
}

/// Copies revocations, and CRLs with the numbers of the records that they cover.
fn copy_revocations(rows: &Rows, ca: &Ca) -> Result<(), StoreError> {
    let crls = journal::search::<Stamped<SignedCrl>>(&ca.layout()?.signed_crls(), &[b""])?;
    let crls: Vec<Stamped<SignedCrl>> = crls.collect::<Result<_, _>>()?;
    let wanted: HashSet<&str> = crls
        .iter()
        .map(|crl| crl.record.covers.check.as_str())
        .collect();
    let mut places: HashMap<String, Coverage> = HashMap::new();
    let nothing: [RevocationLine; 0] = [];
    let begin = journal::end_of(&journal::start("revoked", ca.name().as_str(), &nothing));
    places.insert(begin.check, Rows::nothing_revoked());
    let mut part = Vec::with_capacity(PART);
    for line in journal::search::<Checked>(&ca.layout()?.revoked(), &[b""])? {
        let Checked { line, check } = line?;
        let Stamped { record, at, by } = line;
        part.push((record, super::stamp(at, by.as_deref())));
        let is_wanted = wanted.contains(check.as_str());
        if is_wanted || part.len() == PART {
            let end = rows.append_brought(std::mem::take(&mut part))?;
            places.extend(is_wanted.then_some((check, end)));
        }
    }
    rows.append_brought(part)?;
    for Stamped { mut record, at, by } in crls {
        if let Some(place) = places.get(&record.covers.check) {
            record.covers = place.clone();
        }
        rows.add_crl(&record, &super::stamp(at, by.as_deref()))?;
    }
    Ok(())
}

fn copy_leaf_keys(rows: &Rows, ca: &Ca) -> Result<(), StoreError> {
    let mut part: Vec<(Serial, Zeroizing<Vec<u8>>)> = Vec::with_capacity(PART);
    for serial in ca.leaf_key_serials()? {
        if let Some(key) = ca.leaf_key_file(&serial)? {
            part.push((serial, key));
        }
        if part.len() == PART {
            rows.add_leaf_keys(&part)?;
            part.clear();
        }
    }
    rows.add_leaf_keys(&part)
}
