//! Rules about a certificate and the path above it.

use super::Candidate;
use crate::x509::extension::key_usage::KEY_CERT_SIGN;

pub(super) fn issuer_is_the_subject_of_the_ca(candidate: &Candidate<'_>) -> Option<String> {
    (candidate.certificate.issuer() != candidate.issuer().subject())
        .then(|| "the issuer is not byte for byte the CA's subject".to_owned())
}

pub(super) fn authority_key_identifier_is_that_of_the_ca(
    candidate: &Candidate<'_>,
) -> Option<String> {
    let own = candidate.certificate.authority_key_identifier();
    let theirs = candidate.issuer().subject_key_identifier();
    match (own, theirs) {
        (None, _) if candidate.issuers.is_empty() => None,
        (None, Some(_)) => Some("authorityKeyIdentifier is missing".to_owned()),
        (own, theirs) if own != theirs => {
            Some("authorityKeyIdentifier does not match the CA's subjectKeyIdentifier".to_owned())
        }
        _ => None,
    }
}

pub(super) fn issuer_may_sign_certificates(candidate: &Candidate<'_>) -> Option<String> {
    let issuer = candidate.issuer();
    let usage = issuer.key_usage().unwrap_or(KEY_CERT_SIGN);
    (!issuer.is_ca() || usage & KEY_CERT_SIGN == 0)
        .then(|| "the issuer is not allowed to sign certificates".to_owned())
}

pub(super) fn validity_is_inside_that_of_the_ca(candidate: &Candidate<'_>) -> Option<String> {
    let (own, theirs) = (
        candidate.certificate.validity(),
        candidate.issuer().validity(),
    );
    (own.not_before < theirs.not_before || own.not_after > theirs.not_after)
        .then(|| "the validity exceeds the CA's".to_owned())
}

pub(super) fn path_lengths_are_held(candidate: &Candidate<'_>) -> Option<String> {
    if !candidate.certificate.is_ca() {
        return None;
    }
    let own = candidate
        .certificate
        .basic_constraints()
        .and_then(|constraints| constraints.path_length);
    candidate
        .issuers
        .iter()
        .enumerate()
        .find_map(|(below, issuer)| {
            let allowed = issuer.basic_constraints()?.path_length? as usize;
            let needed = below + 1 + own.unwrap_or(0) as usize;
            (needed > allowed).then(|| {
                format!(
                    "{} allows {allowed} CAs below it, but this is number {needed}",
                    issuer.subject()
                )
            })
        })
}

pub(super) fn names_are_inside_the_constraints(candidate: &Candidate<'_>) -> Option<String> {
    let certificate = candidate.certificate;
    let names = certificate.subject_alt_names();
    candidate
        .issuers
        .iter()
        .find_map(|issuer| match issuer.name_constraints() {
            Ok(constraints) => constraints
                .check(certificate.subject(), &names)
                .err()
                .map(|error| format!("{} does not allow it: {error}", issuer.subject())),
            Err(error) => Some(format!(
                "the name constraints of {} can't be read: {error}",
                issuer.subject()
            )),
        })
}
