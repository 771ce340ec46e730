//! Statuses of the certificates that responses are about.

use crate::ca::error::CaError;
use crate::store::{Ca, Issuance, Journal, Revoked, Standing};
use crate::x509::Serial;
use crate::x509::ocsp::CertStatus;
use time::OffsetDateTime;

/// A certificate, and what its response says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) serial: Serial,
    pub(crate) status: CertStatus,
}

/// Statuses of the unexpired certificates of a CA.
pub(crate) struct Statuses {
    /// In the order of issuing; then those that were revoked without being on record.
    pub(crate) all: Vec<Answered>,
    /// Time of the newest revocation, but for those that a clock which was ahead dated in the future. No response is to
    /// be older.
    pub(crate) newest: Option<OffsetDateTime>,
}

impl Statuses {
    /// Reads the statuses. Certificates that were revoked before an import, and are not on record themselves, are
    /// among them.
    pub(crate) fn of(ca: &Ca, now: OffsetDateTime) -> Result<Self, CaError> {
        let mut standings = ca.standings()?;
        let newest = newest(standings.values(), now);
        let mut all = Vec::new();
        let unexpired =
            |issuance: &Issuance| (issuance.not_after >= now).then_some(issuance.serial);
        // The others that are on record expired; their revocations stay behind with their own notAfter.
        ca.each_of_all(unexpired, |serial| {
            let standing = standings.remove(&serial);
            all.push(Answered {
                serial,
                status: standing.map_or(CertStatus::Good, status_of),
            });
        })?;
        let mut unrecorded: Vec<Answered> = standings
            .into_iter()
            .filter_map(|(serial, standing)| match standing {
                Standing::Revoked(revoked) if revoked.not_after >= now => Some(Answered {
                    serial,
                    status: revoked_status(&revoked),
                }),
                _ => None,
            })
            .collect();
        unrecorded.sort_by(|one, other| one.serial.magnitude().cmp(other.serial.magnitude()));
        all.append(&mut unrecorded);
        Ok(Self { all, newest })
    }

    /// Makes the records durable on which they rest: what is published outlasts a power cut.
    pub(crate) fn make_durable(&self, ca: &Ca) -> Result<(), CaError> {
        ca.make_durable(Journal::Issued)?;
        Ok(ca.make_durable(Journal::Revoked)?)
    }

    /// Reads the status of one certificate.
    pub(crate) fn of_one(ca: &Ca, serial: Serial, now: OffsetDateTime) -> Result<Self, CaError> {
        let mut standings = ca.standings()?;
        let newest = newest(standings.values(), now);
        let status = standings.remove(&serial);
        let status = status.map_or(CertStatus::Good, status_of);
        Ok(Self {
            all: vec![Answered { serial, status }],
            newest,
        })
    }
}

fn newest<'a>(
    standings: impl Iterator<Item = &'a Standing>,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let revoked = standings.filter_map(|standing| match standing {
        Standing::Revoked(revoked) => Some(revoked.revoked_at),
        _ => None,
    });
    revoked.filter(|at| *at <= now).max()
}

fn status_of(standing: Standing) -> CertStatus {
    match standing {
        Standing::Revoked(revoked) => revoked_status(&revoked),
        Standing::Released | Standing::NeverRevoked => CertStatus::Good,
    }
}

fn revoked_status(revoked: &Revoked) -> CertStatus {
    CertStatus::Revoked {
        at: revoked.revoked_at,
        reason: revoked.reason,
    }
}
