//! Certificates that expire soon: those that CAs issued, and those of CAs from elsewhere.

use crate::ca::error::CaError;
use crate::ca::select::{Status, certifies_key_of};
use crate::store::{Ca, Issuance, Revoked, Store};
use crate::x509::{Certificate, RecordedProfile, Serial};
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;

/// A certificate that ends soon.
pub(crate) struct Expiring {
    /// The CA that issued it.
    pub(crate) ca: Ca,
    /// Its record; for that of a CA from elsewhere, what its record would be.
    pub(crate) issuance: Issuance,
    pub(crate) revoked: Option<Revoked>,
    /// The newest valid one that was issued in its place.
    pub(crate) renewed_by: Option<Serial>,
}

impl Expiring {
    pub(crate) fn status(&self, now: OffsetDateTime) -> Status {
        Status::of(&self.issuance, self.revoked.as_ref(), now)
    }

    /// Returns whether it is none of a CA's.
    pub(crate) fn is_of_a_leaf(&self) -> bool {
        let profile = &self.issuance.profile;
        profile.is_of_a_leaf() && *profile != RecordedProfile::Imported
    }
}

/// Returns what expires from now until `end`, revoked or not, the soonest first.
pub(crate) fn expiring(
    store: &Store,
    cas: &[Ca],
    end: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Vec<Expiring>, CaError> {
    let known = store.cas()?;
    let mut found = Vec::new();
    for ca in cas {
        found.extend(expiring_of(ca, &known, end, now)?);
    }
    found.sort_by_key(|expiring| expiring.issuance.not_after);
    Ok(found)
}

fn expiring_of(
    ca: &Ca,
    known: &[Ca],
    end: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Vec<Expiring>, CaError> {
    let ends_soon = |issuance: &Issuance| (now..=end).contains(&issuance.not_after);
    let all_revoked = ca.all_revoked()?;
    let mut from_elsewhere = certificates_below(ca, known);
    let mut successors: HashMap<Serial, Serial> = HashMap::new();
    let mut found = Vec::new();
    for issuance in ca.issuances()? {
        let issuance = issuance?;
        let revoked = all_revoked.get(&issuance.serial);
        if let Some(before) = issuance.renews
            && Status::of(&issuance, revoked, now).is_live()
        {
            successors.insert(before, issuance.serial);
        }
        if !from_elsewhere.is_empty() {
            from_elsewhere.retain(|certificate| !issuance.is_of(certificate));
        }
        if ends_soon(&issuance) {
            found.push(issuance);
        }
    }
    let unrecorded = from_elsewhere.iter().filter_map(as_record);
    found.extend(unrecorded.filter(ends_soon));
    let expiring = found.into_iter().map(|issuance| Expiring {
        ca: ca.clone(),
        revoked: all_revoked.get(&issuance.serial).copied(),
        renewed_by: match certificate_now(&issuance, known) {
            Some(certificate) => certificate
                .serial()
                .ok()
                .filter(|_| !issuance.is_of(certificate)),
            None => successors.get(&issuance.serial).copied(),
        },
        issuance,
    });
    Ok(expiring.collect())
}

/// The certificate that a CA has now to whose key and name one was issued: whatever is recorded, it is
/// renewed where that is another.
fn certificate_now<'a>(issuance: &Issuance, known: &'a [Ca]) -> Option<&'a Certificate> {
    if !matches!(
        issuance.profile,
        RecordedProfile::Root | RecordedProfile::Subordinate
    ) {
        return None;
    }
    let mut certificates = known.iter().map(Ca::certificate);
    certificates.find(|certificate| certifies_key_of(issuance, certificate))
}

/// The certificates of a root itself, and of the CAs directly below.
fn certificates_below(ca: &Ca, known: &[Ca]) -> Vec<Certificate> {
    let is_root = ca.record().parent.is_none();
    let own = is_root.then(|| ca.certificate().clone());
    let below = known
        .iter()
        .filter(|other| other.record().parent.as_ref() == Some(ca.name()));
    let below = below.map(|other| other.certificate().clone());
    let mut seen = HashSet::new();
    own.into_iter()
        .chain(below)
        .filter(|certificate| seen.insert(certificate.fingerprint()))
        .collect()
}

/// The record that a certificate from elsewhere would have; none without a serial number that can be
/// one.
fn as_record(certificate: &Certificate) -> Option<Issuance> {
    let subject = certificate.subject();
    let validity = certificate.validity();
    let profile = if certificate.is_self_signed() {
        RecordedProfile::Root
    } else {
        RecordedProfile::Subordinate
    };
    Some(Issuance {
        serial: certificate.serial().ok()?,
        cn: subject.common_name().unwrap_or_default(),
        subject: subject.to_string(),
        sans: Vec::new(),
        profile,
        profile_hash: None,
        not_before: validity.not_before,
        not_after: validity.not_after,
        renews: None,
        row: None,
        entry: None,
        flaw: None,
        at: None,
        counter: 0,
        der: Some(certificate.der().to_vec()),
    })
}
