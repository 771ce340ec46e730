//! Revoking certificates, and lifting holds.

use super::error::CaError;
use super::select::{Selector, by_serial};
use crate::store::{Ca, Issuance, LockedRevocations, RevocationChange, Revoked};
use crate::x509::{Certificate, Reason, Serial};
use std::collections::HashMap;
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

/// Records a verdict about certificates that the CA issued, durably and all at once.
pub fn revoke(
    ca: &Ca,
    target: &Target,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Outcome>, CaError> {
    let issuances = issuances_of(ca, target, now)?;
    let verdicts: Vec<(Issuance, Verdict)> = issuances
        .into_iter()
        .map(|issuance| (issuance, verdict))
        .collect();
    revoke_all(ca, &verdicts, now)
}

/// Records verdicts, each about one certificate, durably and all at once.
pub fn revoke_all(
    ca: &Ca,
    verdicts: &[(Issuance, Verdict)],
    now: OffsetDateTime,
) -> Result<Vec<Outcome>, CaError> {
    let mut locked: LockedRevocations = ca.lock_revocations()?;
    let mut states = States::new(ca, verdicts.len())?;
    let mut changes = Vec::new();
    let mut outcomes = Vec::new();
    for (issuance, verdict) in verdicts {
        refuse_own_certificate(ca, issuance)?;
        let known = states.of(&issuance.serial)?;
        let change = change(ca, issuance, known, *verdict, now)?;
        let revoked = match &change {
            Some(RevocationChange::Revoke(_, revoked) | RevocationChange::Replace(_, revoked)) => {
                Some(*revoked)
            }
            Some(RevocationChange::Release(..)) => None,
            None => known,
        };
        states.known.insert(issuance.serial.clone(), revoked);
        outcomes.push(Outcome {
            serial: issuance.serial.clone(),
            revoked,
            already: change.is_none(),
        });
        changes.extend(change);
    }
    locked.record(&changes)?;
    Ok(outcomes)
}

/// How certificates stand: one look through the journal for each of a few, or one look for many.
struct States<'a> {
    ca: &'a Ca,
    known: HashMap<Serial, Option<Revoked>>,
    complete: bool,
}

impl<'a> States<'a> {
    fn new(ca: &'a Ca, count: usize) -> Result<Self, CaError> {
        const FEW: usize = 4;
        let mut known = HashMap::new();
        if count > FEW {
            ca.each_revoked(|serial, revoked| {
                known.insert(serial.clone(), Some(*revoked));
            })?;
        }
        Ok(Self {
            ca,
            known,
            complete: count > FEW,
        })
    }

    fn of(&self, serial: &Serial) -> Result<Option<Revoked>, CaError> {
        match self.known.get(serial) {
            Some(state) => Ok(*state),
            None if self.complete => Ok(None),
            None => Ok(self.ca.revoked(serial)?),
        }
    }
}

/// What has to be recorded, given how the certificate stands; `None` where it stands so already.
fn change(
    ca: &Ca,
    issuance: &Issuance,
    known: Option<Revoked>,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Option<RevocationChange>, CaError> {
    let serial = issuance.serial.clone();
    let not_on_hold = |problem: &'static str| CaError::NotOnHold {
        ca: ca.name().clone(),
        serial: serial.clone(),
        problem,
    };
    let (reason, invalidity_date) = match verdict {
        Verdict::Release => {
            return match known {
                Some(revoked) if revoked.reason == Reason::CertificateHold => {
                    Ok(Some(RevocationChange::Release(serial, now)))
                }
                Some(_) => Err(not_on_hold("it is revoked for good")),
                None => Err(not_on_hold("it is not revoked")),
            };
        }
        Verdict::Revoke {
            reason,
            invalidity_date,
        } => (reason, invalidity_date),
    };
    if invalidity_date.is_some_and(|date| date > now) {
        return Err(CaError::Validity {
            problem: "the invalidity date is in the future".into(),
        });
    }
    let revoked = Revoked {
        reason,
        revoked_at: now,
        invalidity_date,
        not_after: issuance.not_after,
    };
    Ok(match known {
        None => Some(RevocationChange::Revoke(serial, revoked)),
        Some(known)
            if known.reason == Reason::CertificateHold && reason != Reason::CertificateHold =>
        {
            // The hold began what is now final: the first date stands.
            let revoked = Revoked {
                revoked_at: known.revoked_at,
                ..revoked
            };
            Some(RevocationChange::Replace(serial, revoked))
        }
        Some(_) => None,
    })
}

/// A root can't take itself back: who doubts its key has no reason to believe its list.
fn refuse_own_certificate(ca: &Ca, issuance: &Issuance) -> Result<(), CaError> {
    if issuance.der == ca.certificate().der() {
        return Err(CaError::OwnCertificate {
            ca: ca.name().clone(),
        });
    }
    Ok(())
}

fn issuances_of(ca: &Ca, target: &Target, now: OffsetDateTime) -> Result<Vec<Issuance>, CaError> {
    let missing = |wanted: String| CaError::NoSuchCertificate {
        ca: ca.name().clone(),
        wanted,
    };
    match target {
        Target::Selected(Selector::Serial(text, readings)) => by_serial(ca, text, readings)?
            .map(|issuance| vec![issuance])
            .ok_or_else(|| missing(format!("with serial {}", readings.first))),
        Target::Selected(Selector::CommonName(name)) => the_live_one(ca, name, now),
        Target::AllNamed(name) => {
            let live = live_named(ca, name, now)?;
            if live.is_empty() {
                Err(missing(format!("with common name {name:?} that is live")))
            } else {
                Ok(live)
            }
        }
        Target::Certificate { path, certificate } => {
            let issuance = certificate
                .serial()
                .ok()
                .map(|serial| ca.issuance(&serial))
                .transpose()?
                .flatten();
            issuance
                .filter(|issuance| issuance.der == certificate.der())
                .map(|issuance| vec![issuance])
                .ok_or_else(|| missing(format!("that is in {}", path.display())))
        }
    }
}

/// The one live certificate with a common name; of none live, the last, which is revoked already.
fn the_live_one(ca: &Ca, name: &str, now: OffsetDateTime) -> Result<Vec<Issuance>, CaError> {
    let mut live = live_named(ca, name, now)?;
    if live.len() > 1 {
        return Err(CaError::SeveralLive {
            ca: ca.name().clone(),
            cn: name.to_owned(),
            serials: live.into_iter().map(|issuance| issuance.serial).collect(),
        });
    }
    if live.is_empty() {
        live.extend(ca.issuances_named(name)?.pop());
    }
    if live.is_empty() {
        let wanted = format!("with common name {name:?}");
        return Err(CaError::NoSuchCertificate {
            ca: ca.name().clone(),
            wanted,
        });
    }
    Ok(live)
}

/// Those that are neither expired nor revoked.
fn live_named(ca: &Ca, name: &str, now: OffsetDateTime) -> Result<Vec<Issuance>, CaError> {
    let mut live = Vec::new();
    for issuance in ca.issuances_named(name)? {
        if now <= issuance.not_after && ca.revoked(&issuance.serial)?.is_none() {
            live.push(issuance);
        }
    }
    Ok(live)
}
