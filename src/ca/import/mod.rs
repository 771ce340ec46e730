//! Import of a CA that another program kept: all of it, or nothing.
//!
//! Its files are read and compared first, and nothing is written before all of them are understood.
//! Then the CA is added to the store as any other: under a hidden name, and renamed.

mod authority;
mod certificates;
mod contents;
mod error;
mod index;
mod leaf_keys;
mod locations;
mod numbers;
mod old_crls;
mod records;
mod request;
mod subject;

pub(crate) use certificates::issuance;
pub(crate) use error::{ImportError, SourceFile};
pub(crate) use locations::{Layout, Source};
pub(crate) use old_crls::OldCrl;
pub(crate) use request::{ImportRequest, KeyProtection, Tally};

use crate::ca::authority::{Above, above};
use crate::ca::error::CaError;
use crate::ca::finding::{Level, RuleFinding};
use crate::ca::passphrases::Passphrases;
use crate::ca::remedy::Remedy;
use crate::store::{
    Address, Ca, CaName, CaRecord, Change, History, Issuance, Material, Operator, Store,
    StoreError, Uninstalled,
};
use crate::x509::{Certificate, Serial};
use authority::Authority;
use contents::Taken;
use locations::Places;
use time::OffsetDateTime;

/// An imported CA, or the plan of an import.
pub(crate) struct Imported {
    pub(crate) certificate: Certificate,
    /// Numbers of certificates by status.
    pub(crate) tally: Tally,
    /// Number of keys of certificates.
    pub(crate) keys: usize,
    /// Its last CRL.
    pub(crate) old_list: Option<OldCrl>,
    /// Highest serial number known.
    pub(crate) highest_serial: Option<Serial>,
    /// Lowest serial number that it can assign from now on.
    pub(crate) next_serial: Serial,
    /// Number of its next CRL.
    pub(crate) next_crl_number: u128,
    /// Findings about its files, errors first.
    pub(crate) findings: Vec<RuleFinding>,
    pub(crate) outcome: ImportOutcome,
}

/// Outcome of an import.
pub(crate) enum ImportOutcome {
    /// Nothing was written, as requested.
    DryRun {
        /// Whether the user would be asked for the passphrase of its key.
        asks: bool,
    },
    /// Nothing was written: there are errors.
    Refused {
        /// Whether a part could be imported.
        has_part: bool,
    },
    Done {
        ca: Box<Ca>,
        /// The CAs above it that came with it, without their keys, the highest first.
        added: Vec<CaName>,
    },
}

/// Imports a CA into the store at `address`, which is created if there is none.
pub(crate) fn import(
    address: &Address,
    operator: Operator,
    request: &ImportRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Imported, CaError> {
    let name = &request.record.name;
    let store = existing_store(address, operator.clone())?;
    if let Some(store) = &store {
        check_name(store, name)?;
    }
    let uri = request.record.key_uri.as_ref();
    let places = Places::find(&request.source, uri.is_none())?;
    let mut authority = Authority::open(&places, name, uri, passphrases, now)?;
    authority.beside.extend_from_slice(&request.chain);
    if let Some(store) = &store {
        authority.refuse_second(store, name)?;
    }
    let path_up = authority.path(store.as_ref(), &places.certificate, name, now)?;
    let mut taken = Taken::read(&places, &mut authority, now)?;
    taken.judge(&path_up, now);
    let counter = taken.numbers.counter()?;
    let crl_number = taken.numbers.crl_number()?;
    let mut imported = summary(&mut taken, &authority, request.partial, now)?;
    let mut findings = imported.findings.iter();
    if findings.any(|finding| finding.level == Level::Error) {
        return Ok(imported);
    }
    if request.dry_run {
        let asks = authority.would_ask(request, &taken.keys, passphrases)?;
        imported.outcome = ImportOutcome::DryRun { asks };
        return Ok(imported);
    }
    let keys = authority.keys(request, &taken.keys, passphrases)?;
    let history = History {
        revocations: taken.revocations,
        crl_number,
        last_crl: taken.crls.to_store(crl_number, taken.is_crl_complete),
        leaf_keys: keys.leaves,
    };
    let mut issued = taken.issued;
    issued
        .iter_mut()
        .for_each(|issuance| issuance.counter = counter);
    let store = Store::open_or_create(address, operator)?;
    let own = Own {
        authority: &authority,
        request,
        key_pem: keys.own.as_ref().map(|pem| pem.as_slice()),
        serial_counter: counter,
        issued: &issued,
        history: &history,
    };
    imported.outcome = own.write(&store, &path_up)?;
    Ok(imported)
}

fn existing_store(address: &Address, operator: Operator) -> Result<Option<Store>, CaError> {
    Store::check_place(address)?;
    match Store::open(address, operator) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::NoStore { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Summary of what was read; nothing is imported yet.
fn summary(
    taken: &mut Taken,
    authority: &Authority,
    partial: bool,
    now: OffsetDateTime,
) -> Result<Imported, CaError> {
    let keys = taken.keys.keys.iter();
    let next_serial = Serial::from_counter(taken.numbers.counter()? + 1, 0);
    Ok(Imported {
        certificate: authority.certificate.clone(),
        tally: taken.tally(now),
        keys: keys.map(|(_, serials)| serials.len()).sum(),
        old_list: taken.crls.summary(),
        highest_serial: taken.numbers.serial,
        next_serial: next_serial.expect("it was tried before"),
        next_crl_number: taken.numbers.crl_number()? + 1,
        outcome: ImportOutcome::Refused {
            has_part: taken.has_part(),
        },
        findings: taken.findings(partial),
    })
}

/// The CA to add to the store.
struct Own<'a> {
    authority: &'a Authority,
    request: &'a ImportRequest,
    key_pem: Option<&'a [u8]>,
    serial_counter: u128,
    issued: &'a [Issuance],
    history: &'a History,
}

impl Own<'_> {
    /// Adds the CAs above that the store does not have, and the CA.
    fn write(&self, store: &Store, path: &[Certificate]) -> Result<ImportOutcome, CaError> {
        let name = &self.request.record.name;
        if let Some(keyless) = self.authority.refuse_second(store, name)? {
            return self.give_key(store, &keyless, &path[0]);
        }
        let reserved = store.reserve_ca(name)?;
        self.authority.refuse_second(store, name)?;
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
            change: Some(Change::Imported),
            history: None,
        });
        let own = self.material(&record, &path[0]);
        let all: Vec<Material<'_>> = without_keys.chain([own]).collect();
        let ca = reserved.add(&all).map_err(unfinished)?;
        Ok(ImportOutcome::Done {
            ca: Box::new(ca),
            added: missing.into_iter().map(|(record, _)| record.name).collect(),
        })
    }

    /// Replaces the CA's own copy without a key; the CAs above stay unchanged.
    fn give_key(
        &self,
        store: &Store,
        keyless: &Ca,
        certificate: &Certificate,
    ) -> Result<ImportOutcome, CaError> {
        let name = keyless.name();
        let reserved = store.reserve_keyless(name)?;
        self.authority.refuse_second(store, name)?;
        let record = CaRecord {
            parent: keyless.record().parent.clone(),
            ..self.request.record.clone()
        };
        let own = self.material(&record, certificate);
        let ca = reserved.replace_keyless(&own).map_err(unfinished)?;
        Ok(ImportOutcome::Done {
            ca: Box::new(ca),
            added: Vec::new(),
        })
    }

    fn material<'m>(&'m self, record: &'m CaRecord, certificate: &'m Certificate) -> Material<'m> {
        Material {
            record,
            certificate,
            key_pem: self.key_pem,
            serial_counter: self.serial_counter,
            issued: self.issued,
            change: Some(Change::Imported),
            history: Some(self.history),
        }
    }
}

/// Refuses a name that is taken, unless by a CA without its key, which may be this one.
fn check_name(store: &Store, name: &CaName) -> Result<(), StoreError> {
    match store.check_free(name) {
        Err(StoreError::CaExists { .. }) if !store.ca(name)?.has_key()? => Ok(()),
        other => other,
    }
}

fn unfinished(error: Uninstalled) -> CaError {
    let Uninstalled { added, source } = error;
    if added.is_empty() {
        return source.into();
    }
    let names: Vec<&str> = added.iter().map(CaName::as_str).collect();
    CaError::after_commit(names.join(", "), Remedy::ImportAgain, source)
}

#[cfg(test)]
mod tests;
