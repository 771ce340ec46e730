//! Taking over a CA that another program kept: all of it, or nothing.
//!
//! What its files say is read and compared first, and nothing is written before all of it is understood.
//! Then the CA comes into the store as any other does: made under a hidden name, and renamed.

mod certificates;
mod error;
mod index;
mod leaf_keys;
mod numbers;
mod old_lists;
mod places;
mod records;
mod subject;

pub use error::ImportError;
pub use old_lists::OldList;
pub use places::{Layout, Source};

use super::error::{CaError, Misfit};
use super::finding::{Level, RuleFinding};
use super::foreign::{Input, read_certificates};
use super::install::{Above, above, path_above};
use super::passphrases::{Passphrases, Unlocked, protection_for};
use super::select::Status;
use crate::key::{PrivateKey, Protection};
use crate::store::{
    Ca, CaName, CaRecord, History, Issuance, Material, Observer, Store, StoreError, Uninstalled,
};
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::lint::{Candidate, lint};
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Serial};
use certificates::Certificates;
use leaf_keys::LeafKeys;
use numbers::Numbers;
use old_lists::OldLists;
use places::Places;
use records::Records;
use std::path::Path;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// How the keys of an imported CA are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProtection {
    /// Under the passphrase that opened the CA's key; one that had none gets a new one.
    AsBefore,
    /// As the user says.
    Asked,
}

/// What is to be taken over.
pub struct ImportRequest {
    /// What `ca.json` is to say, but for the parent.
    pub record: CaRecord,
    /// Where it comes from.
    pub source: Source,
    /// Certificates of CAs above it.
    pub chain: Vec<Certificate>,
    /// How its keys are written.
    pub protection: KeyProtection,
    /// Whether what can be taken is, though not all can be.
    pub partial: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// What was taken over, or would be.
pub struct Imported {
    /// The CA's certificate.
    pub certificate: Certificate,
    /// How many certificates it issued, by how they stand.
    pub tally: Tally,
    /// How many keys of certificates come with it.
    pub keys: usize,
    /// Its last list.
    pub old_list: Option<OldList>,
    /// The highest serial number that is known.
    pub highest_serial: Option<Serial>,
    /// The lowest serial number that it can give out from now on.
    pub next_serial: Serial,
    /// The number of its next list.
    pub next_crl_number: u128,
    /// What is wrong with what it comes from, errors first.
    pub findings: Vec<RuleFinding>,
    /// What became of it.
    pub outcome: ImportOutcome,
}

/// What became of an import.
pub enum ImportOutcome {
    /// Nothing was written: it was not asked for.
    DryRun,
    /// Nothing was written: there are errors.
    Refused,
    /// It is in the store.
    Done {
        /// The CA.
        ca: Box<Ca>,
        /// The CAs above it that came with it, without their keys, the highest first.
        added: Vec<CaName>,
    },
}

/// Certificates by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Neither revoked nor expired.
    pub valid: usize,
    /// Revoked.
    pub revoked: usize,
    /// Past their notAfter, and not revoked.
    pub expired: usize,
    /// Of all these, those that are recorded without their certificates.
    pub without_certificate: usize,
}

/// Takes a CA over into the store at `path`, which is made where there is none.
pub fn import(
    path: &Path,
    observer: Observer,
    request: &ImportRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Imported, CaError> {
    let name = &request.record.name;
    Store::check_place(path)?;
    let store = match Store::open(path, observer.clone()) {
        Ok(store) => Some(store),
        Err(StoreError::NoStore { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    store
        .as_ref()
        .map_or(Ok(()), |store| store.check_free(name))?;
    let places = Places::find(&request.source)?;
    let mut authority = Authority::open(&places, name, passphrases)?;
    authority.beside.extend_from_slice(&request.chain);
    store
        .as_ref()
        .map_or(Ok(()), |store| authority.refuse_second(store))?;
    let path_up = authority.path(store.as_ref(), &places.certificate, name, now)?;
    let mut taken = Taken::read(&places, &mut authority, now)?;
    taken.judge(&path_up, now);
    let findings = taken.findings(request.partial);
    let is_refused = findings.iter().any(|finding| finding.level == Level::Error);
    let counter = taken.numbers.counter()?;
    let crl_number = taken.numbers.crl_number()?;
    let mut imported = Imported {
        certificate: authority.certificate.clone(),
        tally: taken.tally(now),
        keys: taken
            .keys
            .keys
            .iter()
            .map(|(_, serials)| serials.len())
            .sum(),
        old_list: taken.lists.summary(),
        highest_serial: taken.numbers.serial,
        next_serial: Serial::from_counter(counter + 1, 0).expect("it was tried before"),
        next_crl_number: crl_number + 1,
        findings,
        outcome: ImportOutcome::Refused,
    };
    if is_refused {
        return Ok(imported);
    }
    if request.dry_run {
        imported.outcome = ImportOutcome::DryRun;
        return Ok(imported);
    }
    let keys = authority.keys(request, &taken.keys, passphrases)?;
    let history = History {
        revocations: taken.revocations,
        crl_number,
        last_list: taken.lists.to_store(crl_number, taken.is_list_complete),
        leaf_keys: keys.leaves,
    };
    let mut issued = taken.issued;
    issued
        .iter_mut()
        .for_each(|issuance| issuance.counter = counter);
    let store = Store::open_or_create(path, observer)?;
    let own = Own {
        authority: &authority,
        request,
        key_pem: &keys.own,
        serial_counter: counter,
        issued: &issued,
        history: &history,
    };
    imported.outcome = own.write(&store, &path_up)?;
    Ok(imported)
}

/// The CA itself, proven to be one.
struct Authority {
    certificate: Certificate,
    /// Other certificates that came with its own.
    beside: Vec<Certificate>,
    key: PrivateKey,
    unlocked: Unlocked,
}

/// Keys as they are written.
struct KeyFiles {
    own: Zeroizing<Vec<u8>>,
    leaves: Vec<(Serial, Zeroizing<Vec<u8>>)>,
}

impl Authority {
    fn open(
        places: &Places,
        name: &CaName,
        passphrases: &mut dyn Passphrases,
    ) -> Result<Self, CaError> {
        let mut beside = read_certificates(&places.certificate)?;
        let input = Input::read(&places.key)?;
        let mut unlocked = Unlocked::new();
        let label = format!("the key of {name} in {}", places.key.display());
        let key = unlocked.open(&places.key, &label, input.content(), passphrases)?;
        let is_its =
            |certificate: &Certificate| certificate.public_key().spki() == key.public().spki();
        let Some(own) = beside.iter().position(is_its) else {
            return Err(ImportError::KeyDoesNotFit {
                key: places.key.clone(),
                certificate: places.certificate.clone(),
            }
            .into());
        };
        let certificate = beside.remove(own);
        let not_a_ca = |problem| ImportError::NotACa {
            certificate: places.certificate.clone(),
            problem,
        };
        if !certificate.is_ca() {
            return Err(not_a_ca("its basicConstraints do not say CA:TRUE").into());
        }
        if certificate
            .key_usage()
            .is_some_and(|usage| usage & KEY_CERT_SIGN == 0)
        {
            return Err(not_a_ca("its keyUsage has no keyCertSign").into());
        }
        Ok(Self {
            certificate,
            beside,
            key,
            unlocked,
        })
    }

    /// A CA of the store with the same key would give out the same numbers.
    fn refuse_second(&self, store: &Store) -> Result<(), CaError> {
        for ca in store.cas()? {
            let is_same = ca.certificate().public_key().spki() == self.key.public().spki();
            if is_same && ca.has_key()? {
                return Err(ImportError::AlreadyHere {
                    ca: ca.name().clone(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Its certificate and those above it; a root that has expired is one all the same.
    fn path(
        &self,
        store: Option<&Store>,
        file: &Path,
        name: &CaName,
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, CaError> {
        if self.certificate.is_self_signed() {
            return Ok(vec![self.certificate.clone()]);
        }
        let found = path_above(store, &self.certificate, self.beside.clone(), now)?;
        found.map_err(|source: Misfit| CaError::Misfit {
            path: file.to_owned(),
            ca: name.clone(),
            source,
        })
    }

    fn keys(
        &self,
        request: &ImportRequest,
        leaves: &LeafKeys,
        passphrases: &mut dyn Passphrases,
    ) -> Result<KeyFiles, CaError> {
        let is_asked = request.protection == KeyProtection::Asked || !self.unlocked.was_encrypted();
        let protection: Protection = if is_asked {
            let label = format!("the new CA {}", request.record.name);
            protection_for(&label, passphrases)?
        } else {
            self.unlocked.protection()?
        };
        let written = |key: &PrivateKey| protection.to_pem(key).map_err(CaError::NewKey);
        let mut files = KeyFiles {
            own: written(&self.key)?,
            leaves: Vec::new(),
        };
        for (key, serials) in &leaves.keys {
            for serial in serials {
                files.leaves.push((*serial, written(key)?));
            }
        }
        Ok(files)
    }
}

/// All that the files say, compared.
struct Taken {
    issued: Vec<Issuance>,
    revocations: Vec<crate::store::RevocationChange>,
    revoked: Vec<bool>,
    numbers: Numbers,
    lists: OldLists,
    /// Whether every revocation is on the last list.
    is_list_complete: bool,
    keys: LeafKeys,
    findings: Vec<RuleFinding>,
}

impl Taken {
    fn read(
        places: &Places,
        authority: &mut Authority,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let ca = &authority.certificate;
        let mut numbers = Numbers::default();
        if let Some(path) = &places.serial {
            numbers.read_serial(path)?;
        }
        if let Some(path) = &places.crl_number {
            numbers.read_crl_number(path)?;
        }
        let index = Input::read(&places.index)?;
        let mut certificates = Certificates::read(&places.issued, ca)?;
        let keys = LeafKeys::read(
            &places.keys,
            certificates.found.values(),
            &mut authority.unlocked,
        )?;
        let mut records = Records::new(ca, now);
        records.findings.append(&mut certificates.findings);
        for row in index::rows(index.content()) {
            records.take_row(row, &mut certificates, &places.issued_in);
        }
        records.take_others(certificates);
        let mut lists = OldLists::read(&places.lists, ca)?;
        records.findings.append(&mut lists.findings);
        for list in lists.all() {
            numbers.saw_list(&list)?;
        }
        let is_list_complete = lists
            .last()
            .is_some_and(|(path, list)| records.compare(path, &list));
        if ca.is_self_signed() {
            numbers.saw_own(ca);
        }
        let revocations = records.changes();
        let issued = std::mem::take(&mut records.issuances);
        issued
            .iter()
            .for_each(|issuance| numbers.saw(issuance.serial));
        let revoked = issued.iter();
        let revoked = revoked.map(|issuance| records.is_revoked(&issuance.serial));
        Ok(Self {
            revoked: revoked.collect(),
            issued,
            revocations,
            numbers,
            lists,
            is_list_complete,
            keys,
            findings: records.findings,
        })
    }

    /// What the CA itself can't do any more, or never could.
    fn judge(&mut self, path: &[Certificate], now: OffsetDateTime) {
        let ca = &path[0];
        let mut warn = |rule, message: String| {
            self.findings.push(RuleFinding::warning(rule, message));
        };
        let end = ca.validity().not_after;
        if now > end {
            let message = format!("the CA expired at {}: it signs nothing more", rfc3339(end));
            warn("ca-expired", message);
        }
        if ca.key_usage().is_some_and(|usage| usage & CRL_SIGN == 0) {
            let message = "its keyUsage has no cRLSign: it can't sign lists".to_owned();
            warn("ca-signs-no-lists", message);
        }
        let candidate = Candidate {
            certificate: ca,
            issuers: &path[1..],
        };
        for finding in lint(&candidate) {
            warn("ca-certificate", finding.to_string());
        }
        if self.lists.last().is_none() && !self.revocations.is_empty() {
            let message = "there is no list to compare the index with".to_owned();
            warn("old-list-missing", message);
        }
    }

    /// Everything that is wrong, errors first; where a part is enough, nothing is an error.
    fn findings(&mut self, partial: bool) -> Vec<RuleFinding> {
        let mut findings = std::mem::take(&mut self.findings);
        findings.append(&mut self.numbers.findings);
        findings.append(&mut self.keys.findings);
        if partial {
            for finding in &mut findings {
                finding.level = Level::Warning;
            }
        }
        findings.sort_by_key(|finding| finding.level);
        findings
    }

    fn tally(&self, now: OffsetDateTime) -> Tally {
        let mut tally = Tally::default();
        for (issuance, is_revoked) in self.issued.iter().zip(&self.revoked) {
            tally.without_certificate += usize::from(issuance.der.is_none());
            match (is_revoked, Status::of(issuance, None, now)) {
                (true, _) => tally.revoked += 1,
                (false, Status::Expired) => tally.expired += 1,
                (false, _) => tally.valid += 1,
            }
        }
        tally
    }
}

/// What goes into the store.
struct Own<'a> {
    authority: &'a Authority,
    request: &'a ImportRequest,
    key_pem: &'a [u8],
    serial_counter: u128,
    issued: &'a [Issuance],
    history: &'a History,
}

impl Own<'_> {
    /// Adds the CAs above that the store does not have, and the CA.
    fn write(&self, store: &Store, path: &[Certificate]) -> Result<ImportOutcome, CaError> {
        let reserved = store.reserve_ca(&self.request.record.name)?;
        self.authority.refuse_second(store)?;
        let is_taken = |name: &CaName| *name == self.request.record.name;
        let Above { missing, parent } = above(store, &path[1..], is_taken)?;
        let record = CaRecord {
            parent,
            ..self.request.record.clone()
        };
        let without_keys = missing.iter().map(|(record, certificate)| Material {
            record,
            certificate,
            key_pem: None,
            serial_counter: 0,
            issued: &[],
            history: None,
        });
        let own = Material {
            record: &record,
            certificate: &path[0],
            key_pem: Some(self.key_pem),
            serial_counter: self.serial_counter,
            issued: self.issued,
            history: Some(self.history),
        };
        let all: Vec<Material<'_>> = without_keys.chain([own]).collect();
        let ca = reserved.add(&all).map_err(unfinished)?;
        Ok(ImportOutcome::Done {
            ca: Box::new(ca),
            added: missing.into_iter().map(|(record, _)| record.name).collect(),
        })
    }
}

fn unfinished(error: Uninstalled) -> CaError {
    let Uninstalled { added, source } = error;
    if added.is_empty() {
        return source.into();
    }
    let names: Vec<&str> = added.iter().map(CaName::as_str).collect();
    CaError::AfterCommit {
        what: names.join(", "),
        remedy: "`pki tree` shows what is there; where the CA is not among them, the same command again goes on".into(),
        source: Box::new(source.into()),
    }
}
