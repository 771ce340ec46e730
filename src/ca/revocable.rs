//! Certificates that can be revoked, and verdicts about them.

use crate::ca::error::CaError;
use crate::ca::select::recorded_certificate;
use crate::store::{BriefIssuance, Ca, Issuance, Revoked};
use crate::x509::crl::ReadEntry;
use crate::x509::{Fingerprint, Reason, RecordedProfile, Serial};
use time::OffsetDateTime;

/// Revocation or release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Revoke {
        reason: Reason,
        /// Time from which on the key is suspect.
        invalidity_date: Option<OffsetDateTime>,
    },
    /// Lifts the hold.
    Release,
}

impl Verdict {
    pub(crate) fn is_compromise(self) -> bool {
        matches!(self, Self::Revoke { reason, .. } if reason.is_compromise())
    }
}

/// A certificate that the CA issued, as far as it matters for its revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocable {
    pub(crate) serial: Serial,
    pub(crate) not_after: OffsetDateTime,
    /// Whether it is a self-signed certificate of the CA.
    pub(crate) is_own: bool,
    /// Secret part of the key, if the verdict is about it and the certificate is on record.
    pub(crate) key: Option<Box<[u8]>>,
}

impl Revocable {
    /// Takes a record, for a verdict.
    pub(crate) fn of(ca: &Ca, issuance: &Issuance, verdict: Verdict) -> Result<Self, CaError> {
        Self::with_key(ca, issuance, verdict.is_compromise())
    }

    /// Takes a record, with or without its key.
    pub(crate) fn with_key(ca: &Ca, issuance: &Issuance, with_key: bool) -> Result<Self, CaError> {
        let der = issuance.der.as_deref();
        Ok(Self {
            serial: issuance.serial,
            not_after: issuance.not_after,
            is_own: issuance.profile == RecordedProfile::Root
                || der == Some(ca.certificate().der()),
            key: match der {
                Some(der) if with_key => Some(key_in(ca, der)?),
                _ => None,
            },
        })
    }

    /// Takes a brief record, if the key does not matter and it can't be the CA's own certificate.
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

/// Returns the revocation of a certificate on record, as a CRL of the CA has it.
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
