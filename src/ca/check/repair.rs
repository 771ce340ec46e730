//! Repair of findings that are safe to repair: no record is touched.

use crate::ca::check::finding::{Remedy, StoreFinding};
use crate::ca::check::{CheckRequest, Checkup, check, published_in};
use crate::ca::crl::{has_hash_names, publish_chain, publish_hash_names, publish_pem};
use crate::ca::error::CaError;
use crate::ca::passphrases::{Passphrases, ProtectedKey};
use crate::key::{Helpers, Passphrase};
use crate::store::{Address, Ca, CaName, Location, Notice, Operator, Store, StoreRepair, file};
use crate::x509::Serial;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Limit of repairs after each other: one may uncover the next.
const ROUNDS: usize = 3;

/// A finding that was repaired.
#[derive(Debug, Clone)]
pub(crate) struct Repair {
    pub(crate) rule: &'static str,
    pub(crate) message: String,
    pub(crate) ca: Option<CaName>,
    /// The file or directory.
    pub(crate) path: Option<Location>,
    /// Copy of what was changed or removed.
    pub(crate) copy: Option<Location>,
}

/// Result of a repair.
pub(crate) struct Repaired {
    /// The last check.
    pub(crate) checkup: Checkup,
    pub(crate) repairs: Vec<Repair>,
    /// Errors of repairs.
    pub(crate) failures: Vec<CaError>,
}

/// Checks a store, repairs findings, and checks again.
pub(crate) fn repair(
    address: &Address,
    operator: &Operator,
    request: &mut CheckRequest<'_>,
) -> Result<Repaired, CaError> {
    let mut remembered = request.passphrases.take().map(|asked| Remembered {
        asked,
        known: HashMap::new(),
    });
    let request = &mut CheckRequest {
        cas: request.cas.clone(),
        passphrases: remembered
            .as_mut()
            .map(|remembered| remembered as &mut dyn Passphrases),
        ..*request
    };
    let mut repairs = Vec::new();
    let mut failures = Vec::new();
    let mut checkup = check(address, operator.clone(), request)?;
    let (store, _) = Store::look(address, operator.clone())?;
    let store_repair = store.repair(compact(request.now));
    for _ in 0..ROUNDS {
        let mendable = |finding: &&StoreFinding| finding.can_be_repaired();
        let findings = checkup.findings.iter().filter(mendable).cloned();
        let mut findings: Vec<StoreFinding> = findings.collect();
        // Files made of CRLs come after the CRLs.
        findings.sort_by_key(|finding| matches!(finding.remedy, Some(Remedy::WriteCopies)));
        if findings.is_empty() || !failures.is_empty() {
            break;
        }
        let before = repairs.len();
        for finding in &findings {
            match repair_one(&store, &store_repair, operator, finding) {
                Ok(done) => repairs.extend(done),
                Err(error) => failures.push(error),
            }
        }
        checkup = check(address, operator.clone(), request)?;
        if repairs.len() == before {
            break;
        }
    }
    Ok(Repaired {
        checkup,
        repairs,
        failures,
    })
}

/// Passphrases that are asked for once, however often a store is checked.
struct Remembered<'a> {
    asked: &'a mut dyn Passphrases,
    known: HashMap<String, Passphrase>,
}

impl Passphrases for Remembered<'_> {
    fn to_open(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        if let Some(known) = self.known.get(key.label) {
            return Ok(known.clone());
        }
        let passphrase = self.asked.to_open(key)?;
        self.known.insert(key.label.to_owned(), passphrase.clone());
        Ok(passphrase)
    }

    fn may_try_again(&mut self, key: ProtectedKey<'_>) -> bool {
        self.known.remove(key.label);
        self.asked.may_try_again(key)
    }

    fn is_given(&self, ca: &CaName) -> bool {
        self.asked.is_given(ca)
    }

    fn to_protect(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        self.asked.to_protect(key)
    }

    fn helpers(&self) -> Helpers {
        self.asked.helpers()
    }
}

/// Formats the time for the names of directories.
fn compact(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    )
}

/// Repairs a finding; returns nothing if there is nothing left to repair.
fn repair_one(
    store: &Store,
    store_repair: &StoreRepair<'_>,
    operator: &Operator,
    finding: &StoreFinding,
) -> Result<Vec<Repair>, CaError> {
    let path = &finding.path.clone().unwrap_or_else(|| store.location());
    let shown = path;
    let done = match (&finding.remedy, &finding.ca) {
        (Some(Remedy::Settle), _) => return settle(store, operator, finding),
        (Some(Remedy::Tighten(mode)), _) => {
            store_repair.tighten(path, *mode)?;
            Some((format!("removed permissions of {shown}"), None))
        }
        (Some(Remedy::TakeAway), _) => store_repair
            .take_leftover_away(path)?
            .map(|to| moved(path, to)),
        (Some(remedy), Some(name)) => repair_ca(
            store,
            store_repair,
            &store.ca(name)?,
            remedy,
            finding.serial,
            path,
        )?,
        (Some(_), None) | (None, _) => None,
    };
    let done = done.into_iter();
    Ok(done
        .map(|(message, copy)| finding.repaired(message, copy))
        .collect())
}

/// Message, and the copy of what was changed or removed.
type Done = (String, Option<Location>);

fn moved(path: &Location, to: Location) -> Done {
    let message = format!("moved {path} to {to}");
    (message, Some(to))
}

fn repair_ca(
    store: &Store,
    store_repair: &StoreRepair<'_>,
    ca: &Ca,
    remedy: &Remedy,
    serial: Option<Serial>,
    path: &Location,
) -> Result<Option<Done>, CaError> {
    let shown = path;
    Ok(match remedy {
        Remedy::SetAside(journal) => {
            store_repair.set_torn_line_aside(ca, *journal)?;
            Some((
                format!("moved the incomplete line of {shown} to another file"),
                None,
            ))
        }
        Remedy::Raise(which, least) => {
            let copy = store_repair.raise(ca, *which, *least)?;
            copy.map(|copy| (format!("raised {shown} to {least}"), Some(copy)))
        }
        Remedy::TakeLeafKeyAway => match serial {
            Some(serial) => store_repair
                .take_leaf_key_away(ca, &serial)?
                .map(|to| moved(path, to)),
            None => None,
        },
        Remedy::WriteCopies => {
            let copy = store_repair.keep_copy(path)?;
            write_copies(store, ca)?;
            Some((
                format!("rewrote {shown} from the published CRLs"),
                Some(copy),
            ))
        }
        Remedy::Restore(der) => {
            let copy = store_repair.restore_crl(ca, path, der)?;
            Some((format!("restored {shown} from a copy"), copy))
        }
        Remedy::Settle | Remedy::Tighten(_) | Remedy::TakeAway => None,
    })
}

impl StoreFinding {
    fn repaired(&self, message: String, copy: Option<Location>) -> Repair {
        Repair {
            rule: self.finding.rule,
            message,
            ca: self.ca.clone(),
            path: self.path.clone(),
            copy,
        }
    }
}

/// Has the store complete or remove what interrupted commands left, as it does for any command.
fn settle(
    store: &Store,
    operator: &Operator,
    finding: &StoreFinding,
) -> Result<Vec<Repair>, CaError> {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let (heard, others) = (notices.clone(), operator.clone());
    let listener = operator.heard_by(move |notice| match notice {
        Notice::UnfinishedCa { .. } | Notice::KeysSettled { .. } => {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(notice.to_string());
        }
        other => others.tell(other),
    });
    store.settle(listener)?;
    let notices = notices.lock().unwrap_or_else(PoisonError::into_inner);
    let notices = notices.iter().cloned();
    Ok(notices
        .map(|message| finding.repaired(message, None))
        .collect())
}

/// Writes existing files made of a published CRL again.
fn write_copies(store: &Store, ca: &Ca) -> Result<(), CaError> {
    let place = published_in(store);
    if file::stands(&place.pem(ca))? {
        publish_pem(ca, &place)?;
    }
    if place.has_chain(ca)? {
        publish_chain(store, ca, &place)?;
    }
    if has_hash_names(ca, &place)? {
        publish_hash_names(ca, &place)?;
    }
    Ok(())
}
