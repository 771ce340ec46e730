//! Certificates that can be revoked, and what is recorded about them.

use crate::ca::error::CaError;
use crate::ca::select::recorded_certificate;
use crate::store::{BriefIssuance, Ca, Issuance, Revoked};
use crate::x509::crl::ReadEntry;
use crate::x509::{Fingerprint, Reason, Serial};
use time::OffsetDateTime;

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
    pub(crate) fn is_compromise(self) -> bool {
        matches!(self, Self::Revoke { reason, .. } if reason.is_compromise())
    }
}

/// A certificate that the CA issued, as far as that counts when it is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocable {
    pub(crate) serial: Serial,
    pub(crate) not_after: OffsetDateTime,
    /// Whether it is one of the CA's own key, by which the CA stands for itself.
    pub(crate) is_own: bool,
    /// Secret part of the key, if the verdict is about it and the certificate is on record.
    pub(crate) key: Option<Box<[u8]>>,
}

impl Revocable {
    /// That of a record, for a verdict.
    pub(crate) fn of(ca: &Ca, issuance: &Issuance, verdict: Verdict) -> Result<Self, CaError> {
        Self::with_key(ca, issuance, verdict.is_compromise())
    }

    /// That of a record; with its key, if that is asked for.
    pub(crate) fn with_key(ca: &Ca, issuance: &Issuance, with_key: bool) -> Result<Self, CaError> {
        let der = issuance.der.as_deref();
        Ok(Self {
            serial: issuance.serial,
            not_after: issuance.not_after,
            is_own: issuance.profile == "root" || der == Some(ca.certificate().der()),
            key: match der {
                Some(der) if with_key => Some(key_in(ca, der)?),
                _ => None,
            },
        })
    }

    /// That of a brief record, where neither the key counts nor can it be the CA's own certificate.
    pub(crate) fn of_brief(issuance: &BriefIssuance<'_>) -> Self {
        Self {
            serial: issuance.serial,
            not_after: issuance.not_after,
            is_own: issuance.profile == "root",
            key: None,
        }
    }
}

impl Revocable {
    pub(crate) fn revoked(
        &self,
        reason: Reason,
        revoked_at: OffsetDateTime,
        invalidity_date: Option<OffsetDateTime>,
    ) -> Revoked {
        let key = self.key.as_deref().filter(|_| reason.is_compromise());
        Revoked {
            reason,
            revoked_at,
            invalidity_date,
            not_after: self.not_after,
            key: key.map(Fingerprint::of),
        }
    }
}

/// Refuses an invalidity date in the future.
pub(crate) fn refuse_future(
    invalidity_date: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), CaError> {
    match invalidity_date {
        Some(date) if date > now => Err(CaError::InvalidityInFuture),
        _ => Ok(()),
    }
}

/// The revocation of a certificate on record, as a CRL of the CA has it.
pub(crate) fn as_listed(
    ca: &Ca,
    issuance: &Issuance,
    entry: &ReadEntry<'_>,
) -> Result<Revoked, CaError> {
    let reason = entry.reason.unwrap_or_default();
    let revocable = Revocable::with_key(ca, issuance, reason.is_compromise())?;
    Ok(revocable.revoked(reason, entry.revoked_at, entry.invalidity_date))
}

pub(crate) fn key_in(ca: &Ca, der: &[u8]) -> Result<Box<[u8]>, CaError> {
    let certificate = recorded_certificate(ca, der)?;
    Ok(certificate.public_key().secret_part().into())
}
