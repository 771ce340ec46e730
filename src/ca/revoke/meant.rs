//! The certificates that a user means.

use super::{Target, Verdict};
use crate::ca::error::CaError;
use crate::ca::select::{Selector, by_serial};
use crate::store::{Ca, Issuance};
use crate::x509::{Certificate, Reason, path};
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
