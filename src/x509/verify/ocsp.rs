//! Revocation by OCSP responses that are given (RFC 6960 section 3.2).

use super::problem::OcspProblem;
use super::refusal::{Refusal, called, serial_text};
use super::rules::{extensions_are_understood, signature_binds};
use crate::asn1::oid;
use crate::key::{KeyError, SignatureAlgorithm};
use crate::x509::extension::key_usage::{CONTENT_COMMITMENT, DIGITAL_SIGNATURE};
use crate::x509::ocsp::{Basic, CertStatus, OcspResponse, ReadSingle};
use crate::x509::{Certificate, path};
use time::OffsetDateTime;

/// Checks what the responses say about a certificate: the newest that can be relied on decides, and there has to be one.
pub(crate) fn check_responses(
    responses: &[OcspResponse<'_>],
    certificate: &Certificate,
    issuer: &Certificate,
    time: OffsetDateTime,
) -> Result<(), Refusal> {
    let mut problem = OcspProblem::Missing;
    let mut newest: Option<&ReadSingle<'_>> = None;
    for basic in responses
        .iter()
        .filter_map(|response| response.basic.as_ref())
    {
        let singles = basic.singles.iter();
        for single in singles.filter(|single| single.id.is_of(certificate, issuer)) {
            match can_be_relied_on(basic, single, issuer, time) {
                Ok(()) if newest.is_some_and(|newest| newest.this_update > single.this_update) => {}
                Ok(()) => newest = Some(single),
                Err(found) => problem = found,
            }
        }
    }
    if let Some(newest) = newest {
        match newest.status {
            CertStatus::Good => return Ok(()),
            CertStatus::Revoked { at, reason } => {
                return Err(Refusal::Revoked {
                    subject: called(certificate),
                    serial: serial_text(certificate),
                    revoked_at: at,
                    reason,
                });
            }
            CertStatus::Unknown => problem = OcspProblem::Unknown,
        }
    }
    Err(Refusal::NoResponse {
        subject: called(certificate),
        problem,
    })
}

fn can_be_relied_on(
    basic: &Basic<'_>,
    single: &ReadSingle<'_>,
    issuer: &Certificate,
    time: OffsetDateTime,
) -> Result<(), OcspProblem> {
    let signer = signer_of(basic, issuer, time)?;
    if let Ok(Some(algorithm)) = SignatureAlgorithm::from_der(basic.algorithm())
        && algorithm.uses_sha1()
    {
        let algorithm = algorithm.to_string();
        return Err(OcspProblem::Weak { algorithm });
    }
    basic
        .verify_signature(signer.public_key())
        .map_err(|error| match error {
            KeyError::Unsupported { algorithm } => OcspProblem::Unverifiable { algorithm },
            _ => OcspProblem::Signature,
        })?;
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
        // RFC 9919 section 4.1: such a response is refused.
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
    let mut certificates = basic.certificates.iter();
    let certified = certificates.find(|certificate| {
        let usage = certificate.key_usage().unwrap_or(DIGITAL_SIGNATURE);
        basic.responder.is(certificate)
            && certificate
                .extended_key_usage()
                .contains(&oid::OCSP_SIGNING)
            && usage & (DIGITAL_SIGNATURE | CONTENT_COMMITMENT) != 0
            && path::issued(issuer, certificate)
            && signature_binds(certificate, issuer).is_ok()
            && extensions_are_understood(certificate).is_ok()
    });
    let responder = certified.ok_or_else(|| OcspProblem::Signer {
        issuer: called(issuer),
    })?;
    let validity = responder.validity();
    if time < validity.not_before || time > validity.not_after {
        return Err(OcspProblem::ResponderNotValid);
    }
    Ok(responder)
}
