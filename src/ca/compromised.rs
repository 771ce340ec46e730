//! Keys of which it is recorded that others have them: none is certified again, and none of a CA signs.

use super::error::CaError;
use super::select::certificate_of;
use crate::key::PublicKey;
use crate::store::{Ca, CaName, Issuance, Store};
use crate::x509::Serial;
use std::collections::{HashMap, HashSet};
use std::fmt;
use time::OffsetDateTime;

/// Whose key it is that others have: what to do instead depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOf {
    /// A leaf's that was made here.
    Leaf,
    /// One that was made elsewhere, for which a request speaks.
    Request,
    /// A CA's of the store.
    Ca(CaName),
}

impl fmt::Display for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf | Self::Request => f.write_str("the key"),
            Self::Ca(name) => write!(f, "the key of {name}"),
        }
    }
}

/// All such keys that a CA knows of, for whoever asks about many.
pub struct CompromisedKeys {
    ca: CaName,
    /// The SubjectPublicKeyInfo, and the certificate that was revoked for it.
    keys: HashMap<Vec<u8>, Serial>,
}

impl CompromisedKeys {
    /// Those of the certificates that a CA issued.
    pub fn of(ca: &Ca) -> Result<Self, CaError> {
        let mut revoked = ca.compromised()?;
        let mut keys = HashMap::new();
        let mut issuances = ca.issuances()?;
        while !revoked.is_empty()
            && let Some(issuance) = issuances.next().transpose()?
        {
            if revoked.remove(&issuance.serial)
                && let Ok(certificate) = certificate_of(ca, &issuance)
            {
                keys.insert(certificate.public_key().spki().to_vec(), issuance.serial);
            }
        }
        Ok(Self {
            ca: ca.name().clone(),
            keys,
        })
    }

    pub(super) fn refuse(&self, key: &PublicKey, whose: KeyOf) -> Result<(), CaError> {
        match self.keys.get(key.spki()) {
            Some(serial) => Err(CaError::CompromisedKey {
                ca: self.ca.clone(),
                serial: *serial,
                whose,
            }),
            None => Ok(()),
        }
    }
}

/// Refuses a key that a CA has recorded so.
pub(super) fn refuse_compromised(ca: &Ca, key: &PublicKey, whose: &KeyOf) -> Result<(), CaError> {
    let compromised = ca.compromised()?;
    if compromised.is_empty() {
        return Ok(());
    }
    for issuance in ca.issuances_about(key.spki())? {
        if compromised.contains(&issuance.serial)
            && certificate_of(ca, &issuance)?.public_key().spki() == key.spki()
        {
            return Err(CaError::CompromisedKey {
                ca: ca.name().clone(),
                serial: issuance.serial,
                whose: whose.clone(),
            });
        }
    }
    Ok(())
}

/// Refuses keys of CAs that any CA has recorded so which may have certified them: under a certificate
/// before, or as another root, or in the place of the one that is above now.
pub(super) fn refuse_compromised_cas(
    store: &Store,
    keys: &[(KeyOf, &PublicKey)],
) -> Result<(), CaError> {
    let known = store.cas()?;
    for ca in known.iter().filter(|ca| is_above_cas(ca, &known)) {
        for (whose, key) in keys {
            if *whose != KeyOf::Ca(ca.name().clone()) {
                refuse_compromised(ca, key, whose)?;
            }
        }
    }
    Ok(())
}

/// Valid certificates, other than those in `besides`, about keys that are given with the certificate that
/// they were found in.
pub(super) fn certified_too(
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
        let known = keys.get(certificate.public_key().spki());
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

/// Whether a CA's key is recorded so by any CA that may have certified it.
pub fn is_compromised(store: &Store, ca: &Ca) -> Result<bool, CaError> {
    match refuse_compromised_cas(store, &[key_of(ca)]) {
        Ok(()) => Ok(false),
        Err(CaError::CompromisedKey { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether there are, or may be, certificates of other CAs among those that a CA issued.
fn is_above_cas(ca: &Ca, known: &[Ca]) -> bool {
    let is_below = |other: &Ca| other.record().parent.as_ref() == Some(ca.name());
    ca.record().parent.is_none() || known.iter().any(is_below)
}

/// A CA's key, as one that may be compromised.
pub(super) fn key_of(ca: &Ca) -> (KeyOf, &PublicKey) {
    (KeyOf::Ca(ca.name().clone()), ca.certificate().public_key())
}
