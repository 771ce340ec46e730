//! Rules about the extensions that a certificate has and has not.

use super::Candidate;
use crate::asn1::oid;
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};

pub(super) fn only_known_extensions_are_critical(candidate: &Candidate<'_>) -> Option<String> {
    const KNOWN: [const_oid::ObjectIdentifier; 5] = [
        oid::BASIC_CONSTRAINTS,
        oid::KEY_USAGE,
        oid::SUBJECT_ALT_NAME,
        oid::NAME_CONSTRAINTS,
        oid::EXT_KEY_USAGE,
    ];
    let extensions = candidate.certificate.extensions();
    let odd = extensions
        .iter()
        .find(|extension| extension.critical && !KNOWN.contains(&extension.oid))?;
    Some(format!("extension {} is critical", odd.oid))
}

pub(super) fn basic_constraints_are_critical(candidate: &Candidate<'_>) -> Option<String> {
    match candidate.certificate.extension(&oid::BASIC_CONSTRAINTS) {
        None => Some("basicConstraints is missing".to_owned()),
        Some(extension) if !extension.critical => {
            Some("basicConstraints is not critical".to_owned())
        }
        Some(extension) => extension
            .to_basic_constraints()
            .err()
            .map(|error| error.to_string()),
    }
}

pub(super) fn path_length_is_only_in_cas(candidate: &Candidate<'_>) -> Option<String> {
    let constraints = candidate.certificate.basic_constraints()?;
    (!constraints.ca && constraints.path_length.is_some())
        .then(|| "a leaf has a path length".to_owned())
}

pub(super) fn key_usage_is_critical(candidate: &Candidate<'_>) -> Option<String> {
    match candidate.certificate.extension(&oid::KEY_USAGE) {
        None => Some("keyUsage is missing".to_owned()),
        Some(extension) if !extension.critical => Some("keyUsage is not critical".to_owned()),
        Some(extension) => match extension.to_key_usage() {
            Ok(0) => Some("keyUsage is empty".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        },
    }
}

pub(super) fn cas_sign_certificates_and_lists(candidate: &Candidate<'_>) -> Option<String> {
    // Absence is what `key_usage_is_critical` finds.
    let usage = candidate.certificate.key_usage()?;
    let both = KEY_CERT_SIGN | CRL_SIGN;
    (candidate.certificate.is_ca() && usage & both != both)
        .then(|| "a CA lacks keyCertSign or cRLSign".to_owned())
}

pub(super) fn leaves_do_not_sign_certificates(candidate: &Candidate<'_>) -> Option<String> {
    let usage = candidate.certificate.key_usage().unwrap_or(0);
    (!candidate.certificate.is_ca() && usage & (KEY_CERT_SIGN | CRL_SIGN) != 0)
        .then(|| "a leaf has keyCertSign or cRLSign".to_owned())
}

pub(super) fn leaves_have_a_purpose(candidate: &Candidate<'_>) -> Option<String> {
    let certificate = candidate.certificate;
    match certificate.extension(&oid::EXT_KEY_USAGE) {
        None => (!certificate.is_ca()).then(|| "a leaf has no extKeyUsage".to_owned()),
        Some(extension) => extension
            .to_extended_key_usage()
            .err()
            .map(|error| error.to_string()),
    }
}

pub(super) fn no_leaf_has_every_purpose(candidate: &Candidate<'_>) -> Option<String> {
    candidate
        .certificate
        .extended_key_usage()
        .contains(&oid::ANY_EXTENDED_KEY_USAGE)
        .then(|| "extKeyUsage is anyExtendedKeyUsage".to_owned())
}

pub(super) fn subject_key_identifier_is_there(candidate: &Candidate<'_>) -> Option<String> {
    match candidate.certificate.subject_key_identifier() {
        None => Some("subjectKeyIdentifier is missing".to_owned()),
        Some(identifier) if identifier.is_empty() => {
            Some("subjectKeyIdentifier is empty".to_owned())
        }
        Some(_) => None,
    }
}

pub(super) fn alternative_names_are_well_formed(candidate: &Candidate<'_>) -> Option<String> {
    let extension = candidate.certificate.extension(&oid::SUBJECT_ALT_NAME)?;
    let names = match extension.to_general_names() {
        Ok(names) => names,
        Err(error) => return Some(error.to_string()),
    };
    names.iter().find_map(|name| match name.checked() {
        Some(Ok(checked)) if checked == *name => None,
        Some(Ok(_)) => Some(format!("{name} is not in its canonical form")),
        Some(Err(error)) => Some(error.to_string()),
        None => (!name.is_issued()).then(|| format!("{name} has a type that is not issued")),
    })
}

pub(super) fn alternative_names_stand_in_for_an_empty_subject(
    candidate: &Candidate<'_>,
) -> Option<String> {
    let certificate = candidate.certificate;
    let names = certificate.extension(&oid::SUBJECT_ALT_NAME);
    match (certificate.subject().is_empty(), names) {
        (true, None) => Some("neither a subject nor a SAN is given".to_owned()),
        (true, Some(names)) if !names.critical => {
            Some("the subject is empty and the SAN extension is not critical".to_owned())
        }
        (false, Some(names)) if names.critical => {
            Some("the SAN extension is critical although there is a subject".to_owned())
        }
        _ => None,
    }
}

pub(super) fn name_constraints_are_only_in_cas_and_critical(
    candidate: &Candidate<'_>,
) -> Option<String> {
    let certificate = candidate.certificate;
    let extension = certificate.extension(&oid::NAME_CONSTRAINTS)?;
    if !certificate.is_ca() {
        return Some("a leaf has name constraints".to_owned());
    }
    if !extension.critical {
        return Some("the name constraints are not critical".to_owned());
    }
    let problem = certificate.name_constraints().err()?;
    Some(problem.to_string())
}

pub(super) fn time_stamping_is_alone_and_critical(candidate: &Candidate<'_>) -> Option<String> {
    let purposes = candidate.certificate.extended_key_usage();
    if !purposes.contains(&oid::TIME_STAMPING) {
        return None;
    }
    let critical = candidate
        .certificate
        .extension(&oid::EXT_KEY_USAGE)
        .is_some_and(|e| e.critical);
    (purposes.len() > 1 || !critical)
        .then(|| "timeStamping is not the only purpose, or extKeyUsage is not critical".to_owned())
}
