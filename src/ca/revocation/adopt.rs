//! Adoption of certificates that the CA's key signed and of which the store has no record: they were issued
//! before an import, or after the backup that a CA was restored from.

use crate::ca::error::CaError;
use crate::ca::import;
use crate::ca::issuance::error::IssuerError;
use crate::ca::revocation::Verdict;
use crate::ca::revocation::error::RevocationError;
use crate::ca::revocation::refuse_future;
use crate::ca::select::error::SelectError;
use crate::key::KeyError;
use crate::store::{Ca, Issuance, Store};
use crate::x509::{Certificate, Serial, path};
use std::path::Path;
use time::OffsetDateTime;

/// Distance up to which new serial numbers could reach that of an adopted certificate.
const NEAR: u128 = u64::MAX as u128;

/// Returns the CA of the store that issued a certificate: the one that has it on record, or else the one
/// whose key signed it.
pub(crate) fn issuing_ca(
    store: &Store,
    file: &Path,
    certificate: &Certificate,
) -> Result<Ca, CaError> {
    let mut signer = None;
    let path = file.to_owned();
    let mut refusal = CaError::from(RevocationError::IssuerNotFound { path });
    for ca in store.cas()? {
        if !certificate.names_as_issuer(ca.certificate()) {
            continue;
        }
        if on_record(&ca, certificate)?.is_some() {
            return Ok(ca);
        }
        match require_signature_of(&ca, file, certificate) {
            Ok(()) => drop(signer.get_or_insert(ca)),
            Err(error) => refusal = error,
        }
    }
    signer.ok_or(refusal)
}

pub(crate) fn on_record(ca: &Ca, certificate: &Certificate) -> Result<Option<Issuance>, CaError> {
    let Ok(serial) = certificate.serial() else {
        return Ok(None);
    };
    let issuance = ca.issuance(&serial)?;
    Ok(issuance
        .filter(|issuance| issuance.is_of(certificate) || is_about(ca, issuance, certificate)))
}

/// Returns whether a record without a certificate is about this one: its signature says so, and the serial
/// number under which the record was found.
fn is_about(ca: &Ca, issuance: &Issuance, certificate: &Certificate) -> bool {
    issuance.der.is_none() && path::issued(ca.certificate(), certificate)
}

fn require_signature_of(ca: &Ca, file: &Path, certificate: &Certificate) -> Result<(), CaError> {
    let is_named = certificate.names_as_issuer(ca.certificate());
    let key = ca.certificate().public_key();
    match certificate.verify_signature(key) {
        Ok(()) if is_named => Ok(()),
        Err(KeyError::Unsupported { algorithm }) if is_named => {
            Err(RevocationError::SignatureNotChecked {
                path: file.to_owned(),
                algorithm,
            }
            .into())
        }
        _ => Err(RevocationError::NotIssuedBy {
            ca: ca.name().clone(),
            path: file.to_owned(),
            is_named,
        }
        .into()),
    }
}

/// Records a certificate that has the CA's signature, durably, so that a verdict about it can be recorded.
/// Checks first whether the verdict would be refused.
pub(crate) fn adopt(
    ca: &Ca,
    file: &Path,
    certificate: &Certificate,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Issuance, CaError> {
    let serial = adoptable(ca, file, certificate, verdict, now)?;
    let mut locked = ca.lock()?;
    if let Some(known) = ca.issuance(&serial)? {
        if known.is_of(certificate) {
            return Ok(known);
        }
        return Err(RevocationError::AnotherOnRecord {
            ca: ca.name().clone(),
            path: file.to_owned(),
            serial,
        }
        .into());
    }
    // A counter of zero raises nothing.
    let counter = locked.raise_counter(0)?;
    let is_near = serial.counter().saturating_sub(counter) <= NEAR;
    let issuance = Issuance {
        counter: if is_near {
            locked.raise_counter(serial.counter())?
        } else {
            counter
        },
        ..import::issuance(certificate, serial, ca.certificate())
    };
    locked.record_issuances(std::slice::from_ref(&issuance))?;
    Ok(issuance)
}

/// Returns the serial number of a certificate that may be adopted to be revoked.
fn adoptable(
    ca: &Ca,
    file: &Path,
    certificate: &Certificate,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Serial, CaError> {
    let invalidity_date = match verdict {
        Verdict::Revoke {
            invalidity_date, ..
        } => invalidity_date,
        Verdict::Release => {
            return Err(SelectError::NotFound {
                ca: ca.name().clone(),
                wanted: format!("that is in {}", file.display()),
            }
            .into());
        }
    };
    require_signature_of(ca, file, certificate)?;
    refuse_future(invalidity_date, now)?;
    let ca_key = ca.certificate().public_key().spki();
    if certificate.is_self_issued() && certificate.public_key().spki() == ca_key {
        return Err(RevocationError::OwnCertificate {
            ca: ca.name().clone(),
        }
        .into());
    }
    if !ca.has_key()? {
        return Err(IssuerError::KeyElsewhere {
            ca: ca.name().clone(),
        }
        .into());
    }
    certificate.serial().map_err(|source| {
        let path = file.to_owned();
        RevocationError::SerialUnusable { path, source }.into()
    })
}
