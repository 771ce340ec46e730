//! Revoking certificates, and lifting holds.

mod adopt;
pub(crate) mod error;
mod rows;
mod selection;

pub(crate) use crate::ca::revocable::{Revocable, Verdict};
use crate::ca::revocation::error::RevocationError;
use crate::x509::{Certificate, Reason, RecordedProfile, Serial};
pub(crate) use adopt::issuing_ca;
pub(crate) use rows::{RowVerdict, find_all};

use crate::ca::crl::Ahead;
use crate::ca::error::CaError;
use crate::ca::issuance::certified_too;
use crate::ca::notice::{CrlNotice, Notice};
use crate::ca::select::Selector;
use crate::store::{Ca, Journal, LockedRevocations, RevocationChange, Revoked, Standing, Store};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Certificates to revoke or release.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The one with this serial, or the live one with this common name.
    Selected(Selector),
    /// Every live one with this common name.
    AllNamed(String),
    Certificate {
        path: PathBuf,
        certificate: Box<Certificate>,
    },
}

/// Outcome for one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) serial: Serial,
    /// Its revocation; `None` if it is released.
    pub(crate) revoked: Option<Revoked>,
    /// Whether this was on record before, and nothing was recorded.
    pub(crate) already: bool,
    /// Whether it was not on record, and was recorded to be revoked.
    pub(crate) adopted: bool,
    /// Whether it ever was revoked before.
    again: bool,
}

/// Outcomes of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) certificates: Vec<Outcome>,
    pub(crate) notices: Vec<Notice>,
}

/// Records a verdict about certificates that the CA issued, durably and all at once.
pub(crate) fn revoke(
    store: &Store,
    ca: &Ca,
    target: &Target,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let mut adopted = None;
    let issuances = match target {
        Target::Certificate { path, certificate } => {
            let issuance = if let Some(issuance) = adopt::on_record(ca, certificate)? {
                issuance
            } else {
                let issuance = adopt::adopt(ca, path, certificate, verdict, now)?;
                adopted.insert(issuance).clone()
            };
            vec![issuance]
        }
        Target::Selected(Selector::Serial(text, readings)) => {
            vec![selection::with_serial(ca, text, readings)?]
        }
        Target::Selected(Selector::CommonName(name)) => selection::the_one(ca, name, verdict, now)?,
        Target::AllNamed(name) => selection::all_meant(ca, name, verdict, now)?,
    };
    let verdicts = issuances
        .iter()
        .map(|issuance| Ok((Revocable::of(ca, issuance, verdict)?, verdict)));
    let verdicts = verdicts.collect::<Result<Vec<_>, CaError>>()?;
    let outcomes = revoke_all(store, ca, &verdicts, now);
    let Some(issuance) = adopted else {
        return outcomes;
    };
    let serial = issuance.serial;
    let mut outcomes = outcomes.map_err(|source| RevocationError::OnlyAdopted {
        ca: ca.name().clone(),
        serial,
        source: Box::new(source),
    })?;
    for outcome in &mut outcomes.certificates {
        outcome.adopted = true;
    }
    outcomes.notices.push(Notice::Adopted {
        serial,
        ca: ca.name().clone(),
    });
    Ok(outcomes)
}

/// Records verdicts, each about one certificate, durably and all at once. If a key is compromised, names
/// the other certificates that are valid with it.
pub(crate) fn revoke_all(
    store: &Store,
    ca: &Ca,
    verdicts: &[(Revocable, Verdict)],
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let notices = valid_all_the_same(store, ca, verdicts, now)?;
    let mut outcomes = record_all(ca, verdicts, now)?;
    outcomes.notices.extend(notices);
    Ok(outcomes)
}

/// Finds other certificates that are valid with keys that these verdicts call compromised.
fn valid_all_the_same(
    store: &Store,
    ca: &Ca,
    verdicts: &[(Revocable, Verdict)],
    now: OffsetDateTime,
) -> Result<Vec<Notice>, CaError> {
    let mut keys = HashMap::new();
    for (revocable, verdict) in verdicts {
        if verdict.is_compromise()
            && let Some(key) = &revocable.key
        {
            keys.insert(key.to_vec(), revocable.serial);
        }
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let own: HashSet<Serial> = verdicts.iter().map(|(other, _)| other.serial).collect();
    let mut notices = Vec::new();
    for other in store.cas()? {
        let is_own = other.name() == ca.name();
        let besides = if is_own { &own } else { &HashSet::new() };
        for (serial, valid) in certified_too(&other, &keys, besides, now)? {
            // A root is not revoked: see `refuse_own_certificate`.
            if !is_own_certificate(&other, &valid)? {
                notices.push(Notice::KeyStillCertified {
                    serial,
                    ca: other.name().clone(),
                    valid,
                });
            }
        }
    }
    Ok(notices)
}

/// Returns whether a CA's certificate with this serial is one of its own key.
fn is_own_certificate(ca: &Ca, serial: &Serial) -> Result<bool, CaError> {
    let issuance = ca.issuance(serial)?;
    Ok(issuance.is_some_and(|issuance| issuance.profile == RecordedProfile::Root))
}

/// Same as [`revoke_all`], without a look at other certificates of the keys.
pub(crate) fn record_all(
    ca: &Ca,
    verdicts: &[(Revocable, Verdict)],
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let mut locked: LockedRevocations = ca.lock_revocations()?;
    let standings = Standings::new(ca, verdicts)?;
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(verdicts.len());
    // Index of each certificate's last outcome.
    let mut decided: HashMap<Serial, usize> = HashMap::with_capacity(verdicts.len());
    for (revocable, verdict) in verdicts {
        refuse_own_certificate(ca, revocable)?;
        let before = match decided.get(&revocable.serial) {
            Some(index) => outcomes[*index].standing(),
            None => standings.of(&revocable.serial)?,
        };
        let after = after(ca, revocable, before, *verdict, now)?;
        decided.insert(revocable.serial, outcomes.len());
        outcomes.push(Outcome {
            serial: revocable.serial,
            revoked: after.unwrap_or(before).revoked(),
            already: after.is_none(),
            adopted: false,
            again: before != Standing::NeverRevoked,
        });
    }
    let is_news = outcomes.iter().any(|outcome| !outcome.already);
    let notices = if is_news {
        presigned_made_void(ca, now)?
    } else {
        Vec::new()
    };
    // A revocation is durable only after its certificate.
    ca.make_durable(Journal::Issued)?;
    locked.record(outcomes.iter().filter_map(|outcome| outcome.change(now)))?;
    Ok(Outcomes {
        certificates: outcomes,
        notices,
    })
}

impl Outcome {
    fn standing(&self) -> Standing {
        self.revoked.map_or(Standing::Released, Standing::Revoked)
    }

    /// Record to append, if anything changes.
    fn change(&self, now: OffsetDateTime) -> Option<RevocationChange> {
        let serial = self.serial;
        (!self.already).then_some(match self.revoked {
            Some(revoked) if self.again => RevocationChange::RevokeAgain(serial, revoked),
            Some(revoked) => RevocationChange::Revoke(serial, revoked),
            None => RevocationChange::Release(serial, now),
        })
    }
}

/// Reports pre-signed CRLs that a new record makes void.
fn presigned_made_void(ca: &Ca, now: OffsetDateTime) -> Result<Vec<Notice>, CaError> {
    let ahead = Ahead::of(ca, &ca.recent_crls()?, &ca.revocations_end()?, now);
    Ok(match ahead {
        Ahead::Due { left, .. } => {
            let (count, ca) = (left + 1, ca.name().clone());
            vec![CrlNotice::AheadVoid { count, ca }.into()]
        }
        Ahead::None | Ahead::Void { .. } | Ahead::OutOfTime { .. } => Vec::new(),
    })
}

/// Standings of certificates: one scan of the journal for each of a few, or one for many.
struct Standings<'a> {
    ca: &'a Ca,
    known: HashMap<Serial, Standing>,
    complete: bool,
}

impl<'a> Standings<'a> {
    fn new(ca: &'a Ca, verdicts: &[(Revocable, Verdict)]) -> Result<Self, CaError> {
        const FEW: usize = 4;
        let complete = verdicts.len() > FEW;
        let known = if complete {
            let serials = verdicts.iter().map(|(revocable, _)| revocable.serial);
            ca.standings_of(&serials.collect())?
        } else {
            HashMap::new()
        };
        Ok(Self {
            ca,
            known,
            complete,
        })
    }

    fn of(&self, serial: &Serial) -> Result<Standing, CaError> {
        match self.known.get(serial) {
            Some(standing) => Ok(*standing),
            None if self.complete => Ok(Standing::NeverRevoked),
            None => Ok(self.ca.standing(serial)?),
        }
    }
}

/// Returns the standing after a verdict, given the one before; `None` if nothing changes.
fn after(
    ca: &Ca,
    revocable: &Revocable,
    before: Standing,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Option<Standing>, CaError> {
    let not_on_hold = |problem: &'static str| {
        CaError::from(RevocationError::NotOnHold {
            ca: ca.name().clone(),
            serial: revocable.serial,
            problem,
        })
    };
    let (reason, invalidity_date) = match verdict {
        Verdict::Release => {
            return match before {
                Standing::Revoked(revoked) if revoked.reason == Reason::CertificateHold => {
                    Ok(Some(Standing::Released))
                }
                Standing::Revoked(_) => Err(not_on_hold("its revocation is final")),
                Standing::NeverRevoked | Standing::Released => {
                    Err(not_on_hold("it is not revoked"))
                }
            };
        }
        Verdict::Revoke {
            reason,
            invalidity_date,
        } => (reason, invalidity_date),
    };
    refuse_future(invalidity_date, now)?;
    let revoked = revocable.revoked(reason, now, invalidity_date);
    Ok(match before {
        Standing::NeverRevoked | Standing::Released => Some(Standing::Revoked(revoked)),
        Standing::Revoked(known)
            if known.reason == Reason::CertificateHold && reason != Reason::CertificateHold =>
        {
            // The hold began what is now final: the first date stands.
            Some(Standing::Revoked(Revoked {
                revoked_at: known.revoked_at,
                ..revoked
            }))
        }
        Standing::Revoked(_) => None,
    })
}

/// Refuses to revoke a root by its own CRL: nobody who distrusts its key can trust that CRL.
fn refuse_own_certificate(ca: &Ca, revocable: &Revocable) -> Result<(), CaError> {
    if revocable.is_own {
        return Err(RevocationError::OwnCertificate {
            ca: ca.name().clone(),
        }
        .into());
    }
    Ok(())
}

/// Refuses an invalidity date in the future.
pub(super) fn refuse_future(
    invalidity_date: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), CaError> {
    match invalidity_date {
        Some(date) if date > now => Err(RevocationError::InvalidityInFuture.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
