//! Revocation by OCSP responses that are given (RFC 6960 section 3.2).

use super::problem::OcspProblem;
use super::refusal::{Refusal, called, serial_text};
use super::rules::{extensions_are_understood, signature_binds};
use crate::asn1::oid;
use crate::key::{KeyError, SignatureAlgorithm};
use crate::x509::extension::key_usage::{CONTENT_COMMITMENT, DIGITAL_SIGNATURE};
use crate::x509::ocsp::{Basic, CertIdHash, CertStatus, IssuerId, OcspResponse, ReadSingle};
use crate::x509::{Certificate, path};
use time::OffsetDateTime;

/// Statement of a response about a certificate, and why it can't be relied on, if it can't.
struct Statement<'r, 'a> {
    single: &'r ReadSingle<'a>,
    problem: Option<OcspProblem>,
    /// Whether its issuer, or a responder of it, signed it.
    is_signed: bool,
}

/// Checks what the responses say about a certificate: the newest that can be relied on decides, and there has to be one.
/// Returns why others were not used.
///
/// A statement that is signed rightly and can't be relied on for another reason is evidence all the same: if it is as
/// new and does not say that the certificate is good, nothing is known.
///
/// `is_revoked` is asked about the certificates of responders.
pub(crate) fn check_responses<E>(
    responses: &[OcspResponse<'_>],
    certificate: &Certificate,
    issuer: &Certificate,
    time: OffsetDateTime,
    is_revoked: impl Fn(&Certificate) -> Result<bool, E>,
) -> Result<Result<Vec<OcspProblem>, Refusal>, E> {
    let wanted = [CertIdHash::Sha1, CertIdHash::Sha256].map(|hash| IssuerId::of(issuer, hash));
    let is_wanted = |single: &&ReadSingle<'_>| {
        single.id.serial == certificate.serial_bytes()
            && wanted.iter().any(|wanted| wanted.is_issuer_of(&single.id))
    };
    let mut statements = Vec::new();
    for basic in responses
        .iter()
        .filter_map(|response| response.basic.as_ref())
    {
        let mut singles = basic.singles.iter().filter(is_wanted).peekable();
        if singles.peek().is_none() {
            continue;
        }
        let signed = check_signature(basic, issuer, time, &is_revoked)?;
        statements.extend(singles.map(|single| {
            Statement {
                single,
                problem: signed
                    .clone()
                    .and_then(|()| check_use(basic, single, time))
                    .err(),
                is_signed: signed.is_ok(),
            }
        }));
    }
    Ok(decide(&statements, certificate))
}

fn decide(
    statements: &[Statement<'_, '_>],
    certificate: &Certificate,
) -> Result<Vec<OcspProblem>, Refusal> {
    let unknown = |problem| Refusal::NoResponse {
        subject: called(certificate),
        problem,
    };
    let problems = || {
        statements
            .iter()
            .filter_map(|statement| statement.problem.clone())
    };
    // Of two that are as new the worse one counts.
    let order = |single: &ReadSingle<'_>| (single.this_update, severity(single.status));
    let usable = statements
        .iter()
        .filter(|statement| statement.problem.is_none());
    let newest = usable
        .map(|statement| statement.single)
        .max_by_key(|single| order(single));
    let Some(newest) = newest else {
        return Err(unknown(problems().next().unwrap_or(OcspProblem::Missing)));
    };
    match newest.status {
        CertStatus::Good => {}
        CertStatus::Unknown => return Err(unknown(OcspProblem::Unknown)),
        CertStatus::Revoked { at, reason } => {
            return Err(Refusal::Revoked {
                subject: called(certificate),
                serial: serial_text(certificate),
                revoked_at: at,
                reason,
            });
        }
    }
    for statement in statements.iter().filter(|statement| statement.is_signed) {
        if let Some(problem) = &statement.problem
            && order(statement.single) > order(newest)
            && statement.single.status != CertStatus::Good
        {
            return Err(unknown(problem.clone()));
        }
    }
    Ok(problems().collect())
}

fn severity(status: CertStatus) -> u8 {
    match status {
        CertStatus::Good => 0,
        CertStatus::Unknown => 1,
        CertStatus::Revoked { .. } => 2,
    }
}

/// Checks that a response is signed by the issuer, or by a responder of it that is not revoked.
fn check_signature<E>(
    basic: &Basic<'_>,
    issuer: &Certificate,
    time: OffsetDateTime,
    is_revoked: &impl Fn(&Certificate) -> Result<bool, E>,
) -> Result<Result<(), OcspProblem>, E> {
    let signer = match signer_of(basic, issuer, time) {
        Ok(signer) => signer,
        Err(problem) => return Ok(Err(problem)),
    };
    if signer != issuer && is_revoked(signer)? {
        return Ok(Err(OcspProblem::ResponderRevoked));
    }
    if let Ok(Some(algorithm)) = SignatureAlgorithm::from_der(basic.algorithm())
        && algorithm.uses_sha1()
    {
        let algorithm = algorithm.to_string();
        return Ok(Err(OcspProblem::Weak { algorithm }));
    }
    let verified = basic.verify_signature(signer.public_key());
    Ok(verified.map_err(|error| match error {
        KeyError::Unsupported { algorithm } => OcspProblem::Unverifiable { algorithm },
        _ => OcspProblem::Signature,
    }))
}

/// Checks that a statement can be understood, and is of this time.
fn check_use(
    basic: &Basic<'_>,
    single: &ReadSingle<'_>,
    time: OffsetDateTime,
) -> Result<(), OcspProblem> {
    let mut extensions = basic.extensions.iter().chain(&single.extensions);
    if let Some(critical) = extensions.find(|extension| extension.critical) {
        let extension = oid::called(&critical.oid);
        return Err(OcspProblem::CriticalExtension { extension });
    }
    if time < single.this_update {
        let this_update = single.this_update;
        return Err(OcspProblem::NotYetValid { this_update });
    }
    match single.next_update {
        // RFC 9919 section 5: such a response is rejected.
        None => Err(OcspProblem::Endless),
        Some(next_update) if time > next_update => Err(OcspProblem::Ended { next_update }),
        Some(_) => Ok(()),
    }
}

/// Finds the certificate that signs: the issuer's, or that of a responder which the issuer certified for this purpose
/// (RFC 6960 section 4.2.2.2).
fn signer_of<'a>(
    basic: &'a Basic<'_>,
    issuer: &'a Certificate,
    time: OffsetDateTime,
) -> Result<&'a Certificate, OcspProblem> {
    if basic.responder.is(issuer) {
        return Ok(issuer);
    }
    let is_certified = |certificate: &&Certificate| {
        let usage = certificate.key_usage().unwrap_or(DIGITAL_SIGNATURE);
        basic.responder.is(certificate)
            && certificate
                .extended_key_usage()
                .contains(&oid::OCSP_SIGNING)
            && usage & (DIGITAL_SIGNATURE | CONTENT_COMMITMENT) != 0
            && path::issued(issuer, certificate)
            && signature_binds(certificate, issuer).is_ok()
            && extensions_are_understood(certificate).is_ok()
    };
    let certified = || basic.certificates.iter().filter(is_certified);
    let is_valid = |responder: &&Certificate| {
        let validity = responder.validity();
        validity.not_before <= time && time <= validity.not_after
    };
    certified().find(is_valid).ok_or_else(|| {
        if certified().next().is_some() {
            OcspProblem::ResponderNotValid
        } else {
            let issuer = called(issuer);
            OcspProblem::Signer { issuer }
        }
    })
}
