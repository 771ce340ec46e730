//! What RFC 5280 section 6.1 demands of a path, but for policies.

use super::Question;
use super::refusal::{Refusal, called};
use crate::asn1::oid;
use crate::key::PublicKeyAlgorithm;
use crate::x509::extension::key_usage::KEY_CERT_SIGN;
use crate::x509::extension::key_usage_names;
use crate::x509::{Certificate, Profile};
use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

/// The extensions whose meaning is held to here, so that they may be critical; of distribution
/// points nothing is fetched, and lists that are about some of them are refused.
const UNDERSTOOD: [ObjectIdentifier; 6] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXT_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
];

/// Holds a path to the rules: the certificate first, the trusted one last.
pub(super) fn check(path: &[Certificate], question: &Question) -> Result<(), Refusal> {
    for certificate in path {
        in_time(certificate, question.time)?;
        extensions_are_understood(certificate)?;
    }
    for (index, issuer) in path.iter().enumerate().skip(1) {
        may_sign_certificates(issuer, &path[index - 1])?;
        signature_binds(&path[index - 1], issuer)?;
        path_length_is_held(issuer, &path[..index])?;
        names_are_allowed(issuer, &path[..index])?;
    }
    policies_are_explicit(path)?;
    match question.purpose {
        Some(purpose) => fits_purpose(path, purpose),
        None => Ok(()),
    }
}

fn in_time(certificate: &Certificate, time: OffsetDateTime) -> Result<(), Refusal> {
    let validity = certificate.validity();
    let subject = || called(certificate);
    if time < validity.not_before {
        return Err(Refusal::NotYetValid {
            subject: subject(),
            not_before: validity.not_before,
        });
    }
    if time > validity.not_after {
        return Err(Refusal::Expired {
            subject: subject(),
            not_after: validity.not_after,
        });
    }
    Ok(())
}

/// An extension that is read here and is broken must not pass for one that is not there.
fn extensions_are_understood(certificate: &Certificate) -> Result<(), Refusal> {
    let subject = || called(certificate);
    if certificate.version() != 3 {
        return Err(Refusal::Version {
            subject: subject(),
            version: certificate.version(),
        });
    }
    for extension in certificate.extensions() {
        if extension.critical && !UNDERSTOOD.contains(&extension.oid) {
            let name = oid::name(&extension.oid).map(str::to_owned);
            return Err(Refusal::CriticalExtension {
                subject: subject(),
                extension: name.unwrap_or_else(|| extension.oid.to_string()),
            });
        }
    }
    match certificate.broken_extension() {
        Some((extension, problem)) => Err(Refusal::BrokenExtension {
            subject: subject(),
            extension,
            problem,
        }),
        None => Ok(()),
    }
}

fn may_sign_certificates(issuer: &Certificate, below: &Certificate) -> Result<(), Refusal> {
    let (subject, issuer_name) = (called(below), called(issuer));
    if !issuer.is_ca() {
        return Err(Refusal::NotACa {
            subject,
            issuer: issuer_name,
        });
    }
    if issuer.key_usage().unwrap_or(KEY_CERT_SIGN) & KEY_CERT_SIGN == 0 {
        return Err(Refusal::NoKeyCertSign {
            subject,
            issuer: issuer_name,
        });
    }
    Ok(())
}

/// The signature verifies, but others could have made one that does.
fn signature_binds(certificate: &Certificate, issuer: &Certificate) -> Result<(), Refusal> {
    let weak = |algorithm: String| {
        Err(Refusal::WeakSignature {
            subject: called(certificate),
            algorithm,
        })
    };
    if let Some(algorithm) = certificate.signature_algorithm()
        && algorithm.uses_sha1()
    {
        return weak(algorithm.to_string());
    }
    let key = issuer.public_key();
    match (key.algorithm(), key.check_order()) {
        (key @ PublicKeyAlgorithm::Rsa { bits }, _) if bits < 2048 => weak(key.to_string()),
        (key, Err(problem)) => weak(format!("{key}, and {problem}")),
        _ => Ok(()),
    }
}

/// Section 4.2.1.9: neither the certificate itself counts, nor a CA that issued itself.
fn path_length_is_held(issuer: &Certificate, below: &[Certificate]) -> Result<(), Refusal> {
    let constraints = issuer.basic_constraints();
    let Some(allowed) = constraints.and_then(|constraints| constraints.path_length) else {
        return Ok(());
    };
    let between = below.iter().skip(1);
    let count = between.filter(|ca| !ca.is_self_issued()).count();
    if count > allowed as usize {
        return Err(Refusal::PathLength {
            subject: called(&below[0]),
            issuer: called(issuer),
            allowed,
            below: count,
        });
    }
    Ok(())
}

/// Section 4.2.1.10: every certificate below, but for CAs that issued themselves.
fn names_are_allowed(issuer: &Certificate, below: &[Certificate]) -> Result<(), Refusal> {
    let constraints = issuer.name_constraints().unwrap_or_default();
    for (index, certificate) in below.iter().enumerate() {
        if index > 0 && certificate.is_self_issued() {
            continue;
        }
        let names = certificate.subject_alt_names();
        constraints
            .check(certificate.subject(), &names)
            .map_err(|violation| Refusal::NameConstraint {
                subject: called(certificate),
                issuer: called(issuer),
                violation,
            })?;
    }
    Ok(())
}

/// Section 6.1.3: where a CA requires an explicit policy, each certificate below the trusted one has
/// to be issued under one. Policies are not mapped here, so a mapping leaves none.
fn policies_are_explicit(path: &[Certificate]) -> Result<(), Refusal> {
    let mut left: Option<u32> = None;
    let mut policies: Option<Vec<ObjectIdentifier>> = None;
    let below = path.len().saturating_sub(1);
    let may_be_any = !path[..below]
        .iter()
        .any(|certificate| certificate.extension(&oid::INHIBIT_ANY_POLICY).is_some());
    for (index, certificate) in path[..below].iter().enumerate().rev() {
        narrow(&mut policies, certificate, may_be_any);
        let constraints = certificate.extension(&oid::POLICY_CONSTRAINTS);
        let required = constraints
            .and_then(|constraints| constraints.to_policy_constraints().ok())
            .and_then(|(required, _)| required);
        let before = left;
        if index == 0 || !certificate.is_self_issued() {
            left = left.map(|left| left.saturating_sub(1));
        }
        // Of the last certificate, which has none below it, only zero counts.
        let required = required.filter(|required| index > 0 || *required == 0);
        left = left.into_iter().chain(required).min();
        let is_required = before == Some(0) || index == 0 && left == Some(0);
        if is_required && policies.as_ref().is_some_and(Vec::is_empty) {
            return Err(Refusal::NoPolicy {
                subject: called(&path[0]),
            });
        }
    }
    Ok(())
}

/// Leaves those of the policies above that a certificate is issued under; `None` is any policy.
fn narrow(
    policies: &mut Option<Vec<ObjectIdentifier>>,
    certificate: &Certificate,
    may_be_any: bool,
) {
    let own = certificate.extension(&oid::CERTIFICATE_POLICIES);
    let own = own
        .and_then(|own| own.to_policies().ok())
        .unwrap_or_default();
    if certificate.extension(&oid::POLICY_MAPPINGS).is_some() {
        *policies = Some(Vec::new());
    } else if !(may_be_any && own.contains(&oid::ANY_POLICY)) {
        let above = policies.take();
        let is_above =
            |policy: &ObjectIdentifier| above.as_ref().is_none_or(|all| all.contains(policy));
        *policies = Some(own.into_iter().filter(is_above).collect());
    }
}

/// A CA that says what its key is for issues for nothing else: so every verifier takes it.
fn fits_purpose(path: &[Certificate], purpose: Profile) -> Result<(), Refusal> {
    for certificate in path {
        let has = certificate.extended_key_usage();
        let all = purpose.purposes().iter().all(|wanted| has.contains(wanted));
        if !has.is_empty() && !all {
            let name = |oid: &ObjectIdentifier| {
                oid::name(oid).map_or_else(|| oid.to_string(), str::to_owned)
            };
            let has: Vec<String> = has.iter().map(name).collect();
            return Err(Refusal::Purpose {
                subject: called(certificate),
                purpose,
                has: has.join(", "),
            });
        }
    }
    match path[0].key_usage() {
        Some(bits) if bits & purpose.consistent_key_usage() == 0 => Err(Refusal::KeyUsage {
            subject: called(&path[0]),
            purpose,
            has: key_usage_names(bits).join(", "),
        }),
        _ => Ok(()),
    }
}
