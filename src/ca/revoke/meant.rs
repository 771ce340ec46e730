//! The certificates that a user means.

use super::{Target, Verdict, adopt};
use crate::ca::error::CaError;
use crate::ca::select::{Selector, by_serial};
use crate::store::{Ca, Issuance};
use crate::x509::Reason;
use time::OffsetDateTime;

/// Those that a verdict is to be recorded about.
pub(super) fn issuances_of(
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
            .ok_or_else(|| CaError::NotOnRecord {
                ca: ca.name().clone(),
                serial: readings.first,
            }),
        Target::Selected(Selector::CommonName(name)) => the_one(ca, name, verdict, now),
        Target::AllNamed(name) => all_meant(ca, name, verdict, now),
        Target::Certificate { path, certificate } => adopt::on_record(ca, certificate)?
            .map(|issuance| vec![issuance])
            .ok_or_else(|| missing(format!("that is in {}", path.display()))),
    }
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
