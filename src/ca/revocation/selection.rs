//! Selection of certificates by serial number or common name.

use crate::ca::error::CaError;
use crate::ca::revocation::Verdict;
use crate::ca::revocation::error::RevocationError;
use crate::ca::select::by_serial;
use crate::ca::select::error::SelectError;
use crate::store::{Ca, Issuance};
use crate::x509::Reason;
use crate::x509::serial::SerialReadings;
use time::OffsetDateTime;

pub(crate) fn with_serial(
    ca: &Ca,
    text: &str,
    readings: &SerialReadings,
) -> Result<Issuance, CaError> {
    by_serial(ca, text, readings)?.ok_or_else(|| {
        let (ca, serial) = (ca.name().clone(), readings.first);
        RevocationError::NotOnRecord { ca, serial }.into()
    })
}

/// Returns the one certificate with a common name that the verdict can be about.
pub(crate) fn the_one(
    ca: &Ca,
    name: &str,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Issuance>, CaError> {
    let mut meant = all_meant(ca, name, verdict, now)?;
    let is_live = |issuance: &Issuance| is_meant(ca, issuance, verdict, now);
    if meant.len() > 1 && is_live(&meant[0])? {
        return Err(RevocationError::SeveralLive {
            ca: ca.name().clone(),
            cn: name.to_owned(),
            serials: meant.into_iter().map(|issuance| issuance.serial).collect(),
        }
        .into());
    }
    Ok(meant.split_off(meant.len() - 1))
}

/// Returns those with a common name that a verdict can be about; if there are none, all of them: the verdict
/// changes nothing about them, or is refused.
pub(crate) fn all_meant(
    ca: &Ca,
    name: &str,
    verdict: Verdict,
    now: OffsetDateTime,
) -> Result<Vec<Issuance>, CaError> {
    let named = ca.issuances_named(name)?;
    if named.is_empty() {
        let wanted = format!("with CN {name:?}");
        return Err(SelectError::NotFound {
            ca: ca.name().clone(),
            wanted,
        }
        .into());
    }
    let mut meant = Vec::new();
    for issuance in &named {
        if is_meant(ca, issuance, verdict, now)? {
            meant.push(issuance.clone());
        }
    }
    Ok(if meant.is_empty() { named } else { meant })
}

/// Returns whether a verdict can be about a certificate: to revoke, neither expired nor revoked; to release, on hold.
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
