//! Keys of which it is recorded that others have them: none is certified again, and none of a CA signs.

use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::owner::KeyOf;
use crate::ca::select::certificate_of;
use crate::key::PublicKey;
use crate::store::{BriefIssuance, Ca, CaName, Issuance, Store};
use crate::x509::{Certificate, Fingerprint, Serial};
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;

/// Keys that were revoked as compromised, by any CA of the store.
pub(crate) struct CompromisedKeys {
    /// Each by the hash of its secret part, with the CA that revoked a certificate for it.
    keys: HashMap<Fingerprint, (CaName, Serial)>,
}

impl CompromisedKeys {
    /// Reads what the CAs of the store revoked.
    pub(crate) fn of(store: &Store) -> Result<Self, CaError> {
        Self::read(&store.cas()?, None, |_| true)
    }

    /// Reads what these CAs revoked. Revocations recorded by earlier versions do not name the key, which is
    /// then in the certificate: all that a CA issued is searched for those, if `is_searched` says so. With
    /// `wanted` only these keys matter.
    fn read(
        cas: &[Ca],
        wanted: Option<&[Fingerprint]>,
        is_searched: impl Fn(&Ca) -> bool,
    ) -> Result<Self, CaError> {
        let mut keys = HashMap::new();
        for ca in cas {
            let mut unnamed = HashSet::new();
            for (serial, key) in ca.compromised(wanted)? {
                match key {
                    Some(key) => drop(keys.insert(key, (ca.name().clone(), serial))),
                    None => drop(unnamed.insert(serial)),
                }
            }
            if unnamed.is_empty() || !is_searched(ca) {
                continue;
            }
            let key_in = |_: &BriefIssuance<'_>, issuance: Option<Issuance>| {
                let issuance = issuance?;
                let certificate = Certificate::from_der(issuance.der.as_deref()?).ok()?;
                Some((hash_of(certificate.public_key()), issuance.serial))
            };
            ca.each_issuance(&unnamed, &unnamed, key_in, |found| {
                keys.extend(found.map(|(key, serial)| (key, (ca.name().clone(), serial))));
            })?;
        }
        Ok(Self { keys })
    }

    pub(crate) fn refuse(&self, key: &PublicKey, whose: KeyOf) -> Result<(), CaError> {
        if self.keys.is_empty() {
            return Ok(());
        }
        match self.keys.get(&hash_of(key)) {
            Some((ca, serial)) => Err(IssuanceError::CompromisedKey {
                ca: ca.clone(),
                serial: *serial,
                whose,
            }
            .into()),
            None => Ok(()),
        }
    }
}

/// Returns the hash by which revocations name a key.
fn hash_of(key: &PublicKey) -> Fingerprint {
    Fingerprint::of(key.secret_part())
}

/// Refuses keys of CAs that any CA has recorded so. What a CA issued before revocations named the key is
/// searched only if it may have certified CAs: this costs the same, however much the others issued.
pub(crate) fn refuse_compromised_cas(
    store: &Store,
    keys: &[(KeyOf, &PublicKey)],
) -> Result<(), CaError> {
    let known = store.cas()?;
    let hashes: Vec<_> = keys.iter().map(|(_, key)| hash_of(key)).collect();
    let compromised = CompromisedKeys::read(&known, Some(&hashes), |ca| is_above_cas(ca, &known))?;
    keys.iter()
        .try_for_each(|(whose, key)| compromised.refuse(key, whose.clone()))
}

/// Valid certificates, other than those in `besides`, about keys whose secret parts are given with the
/// certificate that they were found in.
pub(crate) fn certified_too(
    ca: &Ca,
    keys: &HashMap<Vec<u8>, Serial>,
    besides: &HashSet<Serial>,
    now: OffsetDateTime,
) -> Result<Vec<SameKey>, CaError> {
    const FEW: usize = 4;
    let with_such_key = |issuance: &Issuance| -> Result<Option<SameKey>, CaError> {
        if besides.contains(&issuance.serial) || issuance.der.is_none() || now > issuance.not_after
        {
            return Ok(None);
        }
        let certificate = certificate_of(ca, issuance)?;
        let known = keys.get(certificate.public_key().secret_part());
        Ok(known.map(|known| (*known, issuance.serial)))
    };
    let mut found: Vec<SameKey> = Vec::new();
    if keys.len() > FEW {
        let mut unreadable = None;
        ca.each_of_all(
            |issuance| with_such_key(issuance).transpose(),
            |outcome| match outcome {
                Ok(pair) => found.push(pair),
                Err(error) => {
                    unreadable.get_or_insert(error);
                }
            },
        )?;
        if let Some(error) = unreadable {
            return Err(error);
        }
    } else {
        for key in keys.keys() {
            for issuance in ca.issuances_about(key)? {
                found.extend(with_such_key(&issuance)?);
            }
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let standings = ca.standings_of(&found.iter().map(|(_, valid)| *valid).collect())?;
    let is_revoked = |serial: &Serial| {
        standings
            .get(serial)
            .is_some_and(|it| it.revoked().is_some())
    };
    found.retain(|(_, valid)| !is_revoked(valid));
    Ok(found)
}

/// A certificate whose key others have, and another one with the same key.
type SameKey = (Serial, Serial);

/// Returns whether a CA's key is recorded so by any CA that may have certified it.
pub(crate) fn is_compromised(store: &Store, ca: &Ca) -> Result<bool, CaError> {
    match refuse_compromised_cas(store, &[key_of(ca)]) {
        Ok(()) => Ok(false),
        Err(CaError::Issuance(IssuanceError::CompromisedKey { .. })) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Returns whether there are, or may be, certificates of other CAs among those that a CA issued.
fn is_above_cas(ca: &Ca, known: &[Ca]) -> bool {
    let is_below = |other: &Ca| other.record().parent.as_ref() == Some(ca.name());
    ca.record().parent.is_none() || known.iter().any(is_below)
}

/// A CA's key, as one that may be compromised.
pub(crate) fn key_of(ca: &Ca) -> (KeyOf, &PublicKey) {
    (KeyOf::Ca(ca.name().clone()), ca.certificate().public_key())
}
