//! Proof that a CA may sign: its certificate and those above it stand.

use crate::ca::error::CaError;
use crate::ca::issuance::compromised::{key_of, refuse_compromised_cas};
use crate::ca::issuance::error::IssuerError;
use crate::store::{Ca, CaName, Store};
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, path};
use time::OffsetDateTime;

/// Purpose of opening a CA's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Signing certificates.
    Certificates,
    /// Signing CRLs.
    Crls,
    /// Signing OCSP responses. They say what is recorded, of a revoked CA too.
    Responses,
    /// Signing, or asking for, a certificate of its own key, which may have expired.
    OwnCertificate,
}

/// Refuses a CA that may not sign for a purpose now.
pub(crate) fn check_standing(
    store: &Store,
    ca: &Ca,
    purpose: Purpose,
    now: OffsetDateTime,
) -> Result<(), CaError> {
    standing_path(store, ca, purpose, now).map(drop)
}

/// The certificates from the CA up to its root, after proof that all of them stand.
pub(super) fn standing_path(
    store: &Store,
    ca: &Ca,
    purpose: Purpose,
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, CaError> {
    let unusable = |problem: String| {
        CaError::from(IssuerError::CaUnusable {
            ca: ca.name().clone(),
            problem,
            to_renew: None,
        })
    };
    let mut ancestors = store.ancestors(ca)?;
    if purpose != Purpose::Certificates {
        // Verifiers of a CRL look at its signature, whatever certificate the CA names; and a CA that names an
        // old one is renewed.
        let in_force = |ancestor: &Ca| store.ca(ancestor.name());
        ancestors = ancestors.iter().map(in_force).collect::<Result<_, _>>()?;
    }
    let mut certificates = vec![ca.certificate().clone()];
    certificates.extend(
        ancestors
            .iter()
            .map(|ancestor| ancestor.certificate().clone()),
    );
    if !matches!(purpose, Purpose::Crls | Purpose::Responses) {
        refuse_revoked(store, ca, &ancestors)?;
        let members = std::iter::once(ca).chain(&ancestors);
        refuse_compromised_cas(store, &members.map(key_of).collect::<Vec<_>>())?;
    }
    let (bit, bit_name) = match purpose {
        Purpose::Crls => (CRL_SIGN, "cRLSign"),
        // RFC 6960 asks for no bit.
        Purpose::Responses => (u16::MAX, ""),
        Purpose::Certificates | Purpose::OwnCertificate => (KEY_CERT_SIGN, "keyCertSign"),
    };
    if !ca.certificate().is_ca() {
        return Err(unusable("its certificate is not a CA certificate".into()));
    }
    if ca
        .certificate()
        .key_usage()
        .is_some_and(|usage| usage & bit == 0)
    {
        return Err(unusable(format!("its certificate lacks {bit_name}")));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        let subject = certificate.subject();
        let validity = certificate.validity();
        let needs_to_be_valid = purpose != Purpose::OwnCertificate;
        if needs_to_be_valid && now < validity.not_before {
            return Err(CaError::from(IssuerError::CaNotYetValid {
                ca: ca.name().clone(),
                subject: subject.to_string(),
                not_before: validity.not_before,
            }));
        }
        if needs_to_be_valid && now > validity.not_after {
            return Err(CaError::from(IssuerError::CaUnusable {
                ca: ca.name().clone(),
                problem: format!("{subject} expired at {}", rfc3339(validity.not_after)),
                to_renew: to_renew(store, ca, &ancestors, index)?,
            }));
        }
        let issuer = certificates.get(index + 1).unwrap_or(certificate);
        if !path::issued(issuer, certificate) {
            return Err(unusable(format!(
                "{subject} is not signed by {}",
                issuer.subject()
            )));
        }
    }
    Ok(certificates)
}

/// Refuses a revoked CA: nobody would trust what it issues. It may still sign CRLs.
fn refuse_revoked(store: &Store, ca: &Ca, ancestors: &[Ca]) -> Result<(), CaError> {
    let members = std::iter::once(ca).chain(ancestors);
    for (index, (member, issuer)) in members.zip(ancestors).enumerate() {
        // A CA is revoked if the certificate in force is, though one below it may name a previous one.
        let in_force = store.ca(member.name())?;
        for certificate in [member.certificate(), in_force.certificate()] {
            let Ok(serial) = certificate.serial() else {
                continue;
            };
            let Some(revoked) = issuer.revoked(&serial)? else {
                continue;
            };
            let is_in_force = certificate == in_force.certificate();
            return Err(CaError::from(IssuerError::RevokedCa {
                ca: ca.name().clone(),
                subject: certificate.subject().to_string(),
                at: revoked.revoked_at,
                reason: revoked.reason,
                // A new certificate below would be of the same key above.
                to_renew: if is_in_force || revoked.reason.is_compromise() {
                    None
                } else {
                    to_renew(store, ca, ancestors, index)?
                },
            }));
        }
    }
    Ok(())
}

/// The CA below a certificate that can't be used, if it names that one and not the one in force of the CA
/// above it. `index` counts from the certificate of `ca`.
fn to_renew(
    store: &Store,
    ca: &Ca,
    ancestors: &[Ca],
    index: usize,
) -> Result<Option<CaName>, CaError> {
    let Some(above) = index.checked_sub(1) else {
        return Ok(None);
    };
    let in_force = store.ca(ancestors[above].name())?;
    let is_previous = in_force.certificate() != ancestors[above].certificate();
    let below = above.checked_sub(1).map_or(ca, |below| &ancestors[below]);
    Ok(is_previous.then(|| below.name().clone()))
}
