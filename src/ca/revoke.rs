//! Revoking certificates, and lifting holds.

use super::compromised::certified_too;
use super::error::CaError;
use super::lists::Ahead;
use super::notice::Notice;
use super::select::{Selector, by_readings, by_serial, certificate_of};
use super::unrecorded;
use crate::store::{Ca, Issuance, LockedRevocations, RevocationChange, Revoked, Standing, Store};
use crate::x509::serial::SerialReadings;
use crate::x509::{Certificate, Reason, Serial, path};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Which certificates are meant.
#[derive(Debug, Clone)]
pub enum Target {
    /// The one with this serial, or the live one with this common name.
    Selected(Selector),
    /// Every live one with this common name.
    AllNamed(String),
    /// The one in a file.
    Certificate {
        /// The file, for errors.
        path: PathBuf,
        /// The certificate.
        certificate: Box<Certificate>,
    },
}

/// What is to be recorded about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are revoked.
    Revoke {
        /// Why.
        reason: Reason,
        /// Since when the key is suspect.
        invalidity_date: Option<OffsetDateTime>,
    },
    /// Their hold is lifted.
    Release,
}

impl Verdict {
    /// Whether others have the key.
    fn is_compromise(self) -> bool {
        matches!(self, Self::Revoke { reason, .. } if reason.is_compromise())
    }
}

/// What became of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its serial.
    pub serial: Serial,
    /// How it stands now; `None` where it is released.
    pub revoked: Option<Revoked>,
    /// Whether it stood so before, and nothing was recorded.
    pub already: bool,
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcomes {
    /// One for each certificate.
    pub certificates: Vec<Outcome>,
    /// What the user wants to know.
    pub notices: Vec<Notice>,
}

/// Records a verdict about certificates that the CA issued, durably and all at once.
pub fn revoke(
    store: &Store,
    ca: &Ca,
    target: &Target,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let mut turned_up = None;
    let issuances = match (issuances_of(ca, target, verdict, now), target) {
        (
            Err(CaError::NoSuchCertificate { ca: name, wanted }),
            Target::Certificate { certificate, .. },
        ) => {
            turned_up = unrecorded::record(ca, certificate)?;
            let missing = CaError::NoSuchCertificate { ca: name, wanted };
            vec![turned_up.clone().ok_or(missing)?]
        }
        (issuances, _) => issuances?,
    };
    let verdicts: Vec<(Issuance, Verdict)> = issuances
        .into_iter()
        .map(|issuance| (issuance, verdict))
        .collect();
    let mut outcomes = revoke_all(store, ca, &verdicts, now)?;
    outcomes
        .notices
        .extend(turned_up.map(|issuance| Notice::Recorded {
            serial: issuance.serial,
            ca: ca.name().clone(),
        }));
    Ok(outcomes)
}

/// What a row of a table says: a serial number as it is written, what it can mean, and the verdict.
pub struct RowVerdict {
    /// The text.
    pub text: String,
    /// What it can mean.
    pub readings: SerialReadings,
    /// What is to be recorded.
    pub verdict: Verdict,
}

/// A certificate that a row is about, and the row's verdict; or why there is none.
type RowTarget = Result<(Issuance, Verdict), CaError>;

/// The certificates that rows are about, found in one look; or for each row why there is none.
pub fn find_all(ca: &Ca, rows: Vec<RowVerdict>) -> Result<Vec<RowTarget>, CaError> {
    let mut wanted: HashSet<Serial> = HashSet::new();
    let mut compromised: HashSet<Serial> = ca.certificate().serial().into_iter().collect();
    for RowVerdict {
        readings, verdict, ..
    } in &rows
    {
        let serials = std::iter::once(readings.first).chain(readings.other);
        wanted.extend(serials.clone());
        if verdict.is_compromise() {
            compromised.extend(serials);
        }
    }
    let mut found: HashMap<Serial, Issuance> = HashMap::new();
    ca.each_issuance(&wanted, |mut issuance| {
        if !compromised.contains(&issuance.serial) {
            // Nobody asks for its key: thousands of certificates are not held for nothing.
            issuance.der = None;
        }
        found.entry(issuance.serial).or_insert(issuance);
    })?;
    let find = |serial: &Serial| Ok(found.get(serial).cloned());
    let row = |row: RowVerdict| {
        let issuance = by_readings(ca, &row.text, &row.readings, find)?;
        let missing = || CaError::NoSuchCertificate {
            ca: ca.name().clone(),
            wanted: format!("with serial {}", row.readings.first),
        };
        Ok((issuance.ok_or_else(missing)?, row.verdict))
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Records verdicts, each about one certificate, durably and all at once. Where a key is compromised, it
/// is said what else is valid with it.
pub fn revoke_all(
    store: &Store,
    ca: &Ca,
    verdicts: &[(Issuance, Verdict)],
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let notices = valid_all_the_same(store, ca, verdicts, now)?;
    let mut outcomes = record_all(ca, verdicts, now)?;
    outcomes.notices.extend(notices);
    Ok(outcomes)
}

/// The certificates that are valid with keys that these verdicts call compromised.
fn valid_all_the_same(
    store: &Store,
    ca: &Ca,
    verdicts: &[(Issuance, Verdict)],
    now: OffsetDateTime,
) -> Result<Vec<Notice>, CaError> {
    let mut keys = HashMap::new();
    for (issuance, verdict) in verdicts {
        if verdict.is_compromise() && issuance.der.is_some() {
            let certificate = certificate_of(ca, issuance)?;
            keys.insert(certificate.public_key().spki().to_vec(), issuance.serial);
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

/// Whether a CA's certificate with this serial is one of its own key.
fn is_own_certificate(ca: &Ca, serial: &Serial) -> Result<bool, CaError> {
    let issuance = ca.issuance(serial)?;
    Ok(issuance.is_some_and(|issuance| issuance.profile == "root"))
}

/// As [`revoke_all`], with nothing to say of keys.
pub(super) fn record_all(
    ca: &Ca,
    verdicts: &[(Issuance, Verdict)],
    now: OffsetDateTime,
) -> Result<Outcomes, CaError> {
    let mut locked: LockedRevocations = ca.lock_revocations()?;
    let mut standings = Standings::new(ca, verdicts.len())?;
    let mut changes = Vec::new();
    let mut outcomes = Vec::new();
    for (issuance, verdict) in verdicts {
        refuse_own_certificate(ca, issuance)?;
        let before = standings.of(&issuance.serial)?;
        let change = change(ca, issuance, before, *verdict, now)?;
        let after = match &change {
            Some(
                RevocationChange::Revoke(_, revoked) | RevocationChange::RevokeAgain(_, revoked),
            ) => Standing::Revoked(*revoked),
            Some(RevocationChange::Release(..)) => Standing::Released,
            None => before,
        };
        standings.known.insert(issuance.serial, after);
        outcomes.push(Outcome {
            serial: issuance.serial,
            revoked: after.revoked(),
            already: change.is_none(),
        });
        changes.extend(change);
    }
    let notices = if changes.is_empty() {
        Vec::new()
    } else {
        lists_made_void(ca, now)?
    };
    locked.record(&changes)?;
    Ok(Outcomes {
        certificates: outcomes,
        notices,
    })
}

/// What was signed ahead says nothing of what is recorded now.
fn lists_made_void(ca: &Ca, now: OffsetDateTime) -> Result<Vec<Notice>, CaError> {
    let ahead = Ahead::of(ca, &ca.recent_lists()?, &ca.revocations_end()?, now);
    Ok(match ahead {
        Ahead::Due { left, .. } => vec![Notice::AheadVoid {
            count: left + 1,
            ca: ca.name().clone(),
        }],
        Ahead::None | Ahead::Void { .. } | Ahead::OutOfTime { .. } => Vec::new(),
    })
}

/// How certificates stand: a look through the journal for each of a few, or one look for many.
struct Standings<'a> {
    ca: &'a Ca,
    known: HashMap<Serial, Standing>,
    complete: bool,
}

impl<'a> Standings<'a> {
    fn new(ca: &'a Ca, count: usize) -> Result<Self, CaError> {
        const FEW: usize = 4;
        let complete = count > FEW;
        let known = if complete {
            ca.standings()?
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

/// What has to be recorded, given how the certificate stands; `None` where it stands so already.
fn change(
    ca: &Ca,
    issuance: &Issuance,
    before: Standing,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Option<RevocationChange>, CaError> {
    let serial = issuance.serial;
    let not_on_hold = |problem: &'static str| CaError::NotOnHold {
        ca: ca.name().clone(),
        serial,
        problem,
    };
    let (reason, invalidity_date) = match verdict {
        Verdict::Release => {
            return match before {
                Standing::Revoked(revoked) if revoked.reason == Reason::CertificateHold => {
                    Ok(Some(RevocationChange::Release(serial, now)))
                }
                Standing::Revoked(_) => Err(not_on_hold("it is revoked for good")),
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
    if invalidity_date.is_some_and(|date| date > now) {
        return Err(CaError::InvalidityInFuture);
    }
    let revoked = Revoked {
        reason,
        revoked_at: now,
        invalidity_date,
        not_after: issuance.not_after,
    };
    Ok(match before {
        Standing::NeverRevoked => Some(RevocationChange::Revoke(serial, revoked)),
        Standing::Released => Some(RevocationChange::RevokeAgain(serial, revoked)),
        Standing::Revoked(known)
            if known.reason == Reason::CertificateHold && reason != Reason::CertificateHold =>
        {
            // The hold began what is now final: the first date stands.
            let revoked = Revoked {
                revoked_at: known.revoked_at,
                ..revoked
            };
            Some(RevocationChange::RevokeAgain(serial, revoked))
        }
        Standing::Revoked(_) => None,
    })
}

/// A root can't take itself back: who doubts its key has no reason to believe its list.
fn refuse_own_certificate(ca: &Ca, issuance: &Issuance) -> Result<(), CaError> {
    if issuance.is_of(ca.certificate()) || issuance.profile == "root" {
        return Err(CaError::OwnCertificate {
            ca: ca.name().clone(),
        });
    }
    Ok(())
}

fn issuances_of(
    ca: &Ca,
    target: &Target,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Issuance>, CaError> {
    let missing = |wanted: String| CaError::NoSuchCertificate {
        ca: ca.name().clone(),
        wanted,
    };
    match target {
        Target::Selected(Selector::Serial(text, readings)) => by_serial(ca, text, readings)?
            .map(|issuance| vec![issuance])
            .ok_or_else(|| missing(format!("with serial {}", readings.first))),
        Target::Selected(Selector::CommonName(name)) => the_one(ca, name, verdict, now),
        Target::AllNamed(name) => all_meant(ca, name, verdict, now),
        Target::Certificate { path, certificate } => {
            let issuance = certificate
                .serial()
                .ok()
                .map(|serial| ca.issuance(&serial))
                .transpose()?
                .flatten();
            issuance
                .filter(|issuance| {
                    issuance.is_of(certificate) || is_about(ca, issuance, certificate)
                })
                .map(|issuance| vec![issuance])
                .ok_or_else(|| missing(format!("that is in {}", path.display())))
        }
    }
}

/// Whether a record without a certificate is about this one: its signature says so, and the serial
/// number under which the record was found.
fn is_about(ca: &Ca, issuance: &Issuance, certificate: &Certificate) -> bool {
    issuance.der.is_none() && path::issued(ca.certificate(), certificate)
}

/// The one certificate with a common name that can be meant.
fn the_one(
    ca: &Ca,
    name: &str,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Issuance>, CaError> {
    let mut meant = all_meant(ca, name, verdict, now)?;
    let is_live = |issuance: &Issuance| is_meant(ca, issuance, verdict, now);
    if meant.len() > 1 && is_live(&meant[0])? {
        return Err(CaError::SeveralLive {
            ca: ca.name().clone(),
            cn: name.to_owned(),
            serials: meant.into_iter().map(|issuance| issuance.serial).collect(),
        });
    }
    Ok(meant.split_off(meant.len() - 1))
}

/// Those with a common name that a verdict can be about; where there are none, all of them, which
/// stand as they were to stand already, or can't.
fn all_meant(
    ca: &Ca,
    name: &str,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Issuance>, CaError> {
    let named = ca.issuances_named(name)?;
    if named.is_empty() {
        let wanted = format!("with common name {name:?}");
        return Err(CaError::NoSuchCertificate {
            ca: ca.name().clone(),
            wanted,
        });
    }
    let mut meant = Vec::new();
    for issuance in &named {
        if is_meant(ca, issuance, verdict, now)? {
            meant.push(issuance.clone());
        }
    }
    Ok(if meant.is_empty() { named } else { meant })
}

/// To be revoked is what is neither expired nor revoked; to be released, what is on hold.
fn is_meant(
    ca: &Ca,
    issuance: &Issuance,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<bool, CaError> {
    let revoked = ca.revoked(&issuance.serial)?;
    Ok(match verdict {
        Verdict::Revoke { .. } => now <= issuance.not_after && revoked.is_none(),
        Verdict::Release => {
            revoked.is_some_and(|revoked| revoked.reason == Reason::CertificateHold)
        }
    })
}
