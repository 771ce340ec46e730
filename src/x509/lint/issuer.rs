//! Rules about a certificate and the path above it.

use super::Candidate;
use crate::asn1::oid;
use crate::x509::Certificate;
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

/// Verifiers hold a CA's purposes to be those of all below it, but for a responder of the CA itself.
pub(super) fn purposes_are_inside_those_of_the_cas(candidate: &Candidate<'_>) -> Option<String> {
    let purposes = candidate.certificate.extended_key_usage();
    if candidate.certificate.is_ca() {
        return None;
    }
    candidate.issuers.iter().find_map(|issuer| {
        let allowed = issuer.extended_key_usage();
        if allowed.is_empty() || allowed.contains(&oid::ANY_EXTENDED_KEY_USAGE) {
            return None;
        }
        let mut outside = purposes
            .iter()
            .filter(|purpose| **purpose != oid::OCSP_SIGNING && !allowed.contains(purpose));
        let purpose = oid::called(outside.next()?);
        Some(format!(
            "{} does not allow the purpose {purpose}",
            issuer.subject()
        ))
    })
}

/// A policy that a CA's certificate lacks is not valid for the path. A CA without policies restricts none here.
pub(super) fn policies_are_inside_those_of_the_cas(candidate: &Candidate<'_>) -> Option<String> {
    let policies = |certificate: &Certificate| {
        let extension = certificate.extension(&oid::CERTIFICATE_POLICIES)?;
        extension.to_policies().ok()
    };
    if candidate.certificate.is_ca() {
        return None;
    }
    // Mapped policies have other names below.
    let is_mapped = |issuer: &Certificate| issuer.extension(&oid::POLICY_MAPPINGS).is_some();
    if candidate.issuers.iter().any(is_mapped) {
        return None;
    }
    let own = policies(candidate.certificate)?;
    candidate.issuers.iter().find_map(|issuer| {
        let allowed = policies(issuer).filter(|allowed| !allowed.contains(&oid::ANY_POLICY))?;
        let outside = own.iter().find(|policy| !allowed.contains(policy))?;
        Some(format!(
            "{} does not have the policy {outside}",
            issuer.subject()
        ))
    })
}
