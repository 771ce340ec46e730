//! The rules of RFC 5280 section 6.1 for a path, but for policies.

use super::Question;
use super::refusal::{Refusal, called, first_few};
use crate::asn1::oid;
use crate::key::PublicKeyAlgorithm;
use crate::x509::extension::key_usage::KEY_CERT_SIGN;
use crate::x509::extension::key_usage_names;
use crate::x509::{Certificate, Profile};
use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

/// The extensions whose meaning is held to here, so that they may be critical; of distribution
/// points nothing is fetched, and CRLs that are about some of them are refused.
const UNDERSTOOD: [ObjectIdentifier; 10] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXT_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
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
pub(super) fn extensions_are_understood(certificate: &Certificate) -> Result<(), Refusal> {
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
pub(super) fn signature_binds(
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(), Refusal> {
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

/// A CA that says what its key is for issues for nothing else: so every verifier takes it.
fn fits_purpose(path: &[Certificate], purpose: Profile) -> Result<(), Refusal> {
    for certificate in path {
        let has = certificate.extended_key_usage();
        let all = purpose.purposes().iter().all(|wanted| has.contains(wanted));
        if !has.is_empty() && !all {
            let has: Vec<String> = has.iter().map(oid::called).collect();
            return Err(Refusal::Purpose {
                subject: called(certificate),
                purpose,
                has: first_few(&has),
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
