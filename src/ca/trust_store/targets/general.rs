//! Rules for every trust store.

use crate::asn1::oid;
use crate::ca::trust_store::targets::{BundleFinding, Form, Judged, RelyingParty, called};
use crate::key::PublicKeyAlgorithm;
use crate::x509::extension::key_usage::{CRL_SIGN, KEY_CERT_SIGN};
use crate::x509::path::{IncompletePath, other_certificate};
use crate::x509::validity::rfc3339;
use crate::x509::verify::serial_text;
use crate::x509::{Certificate, Name};
use std::collections::{HashMap, HashSet};
use time::{Duration, OffsetDateTime};

/// Remaining validity below which an expiry is reported.
const SOON: Duration = Duration::days(30);

type Rule = fn(&Judged<'_>) -> Vec<BundleFinding>;

const RULES: [Rule; 4] = [
    each_certificate,
    each_once,
    subjects_and_keys,
    no_certificate,
];

pub(crate) fn check(judged: &Judged<'_>) -> Vec<BundleFinding> {
    RULES.iter().flat_map(|rule| rule(judged)).collect()
}

fn no_certificate(judged: &Judged<'_>) -> Vec<BundleFinding> {
    let none = judged.certificates.is_empty();
    let finding = || BundleFinding::error("no-certificate", "it has no certificate");
    none.then(finding).into_iter().collect()
}

fn each_certificate(judged: &Judged<'_>) -> Vec<BundleFinding> {
    let latest = latest_ends(judged);
    let all = judged.certificates.iter().enumerate();
    all.flat_map(|(node, certificate)| {
        [
            is_a_ca(certificate),
            signs_certificates(certificate),
            signs_crls(certificate),
            is_root_of_others(judged, node),
            is_valid(judged, certificate, &latest),
            has_a_key_for_all(certificate),
        ]
    })
    .flatten()
    .collect()
}

/// Finds certificates that are no CAs; version 1 has no extensions that could say so.
fn is_a_ca(certificate: &Certificate) -> Option<BundleFinding> {
    let name = called(certificate);
    if certificate.version() != 3 {
        let message = format!("{name} is of version {}", certificate.version());
        return Some(BundleFinding::error("version-3", message));
    }
    if let Some((extension, problem)) = certificate.broken_extension() {
        let message = format!("the {extension} of {name} is malformed: {problem}");
        return Some(BundleFinding::error("well-formed", message));
    }
    if let Err(problem) = certificate.public_key().check_order() {
        let message = format!("the key of {name} is weak: {problem}");
        return Some(BundleFinding::error("well-formed", message));
    }
    if !certificate.is_ca() {
        let message = format!("{name} is not a CA certificate");
        return Some(BundleFinding::error("only-cas", message));
    }
    let constraints = certificate.extension(&oid::BASIC_CONSTRAINTS)?;
    (!constraints.critical).then(|| {
        let message = format!("the basicConstraints of {name} are not critical");
        BundleFinding::warning("basic-constraints-critical", message)
    })
}

/// A CA without keyUsage may sign certificates (RFC 5280 section 6.1.4 (n)).
fn signs_certificates(certificate: &Certificate) -> Option<BundleFinding> {
    if !certificate.is_ca() {
        return None;
    }
    if certificate.extension(&oid::KEY_USAGE).is_none() {
        let message = format!("{} has no keyUsage", called(certificate));
        return Some(BundleFinding::warning("key-usage-absent", message));
    }
    let usage = certificate.key_usage()?;
    (usage & KEY_CERT_SIGN == 0).then(|| {
        let message = format!("the keyUsage of {} lacks keyCertSign", called(certificate));
        BundleFinding::error("key-cert-sign", message)
    })
}

fn signs_crls(certificate: &Certificate) -> Option<BundleFinding> {
    let usage = certificate.key_usage()?;
    (certificate.is_ca() && usage & CRL_SIGN == 0).then(|| {
        let message = format!(
            "the keyUsage of {} lacks cRLSign, so its CRLs are rejected",
            called(certificate)
        );
        BundleFinding::warning("crl-sign", message)
    })
}

/// Finds a root that names another certificate as its issuer: OpenSSL does not accept it as a root unless the
/// other is there too.
fn is_root_of_others(judged: &Judged<'_>, node: usize) -> Option<BundleFinding> {
    let certificate = &judged.certificates[node];
    // The path of a root that names another certificate ends in that one, if it is there.
    let is_lost = judged.is_root(node) && !certificate.names_certificate(certificate);
    is_lost.then(|| {
        let name = called(certificate);
        let other = if certificate.names_as_issuer(certificate) {
            other_certificate(&name, certificate.authority_serial().as_deref())
        } else {
            format!("a certificate of {name} with another key identifier")
        };
        let message = format!(
            "the issuer of {name} is missing: {other}; OpenSSL rejects every certificate below {name}"
        );
        BundleFinding::warning("names-other-root", message)
    })
}

/// Latest notAfter of each CA, by its subject and key.
type LatestEnds<'a> = HashMap<(&'a Name, &'a [u8]), OffsetDateTime>;

fn ca_of(certificate: &Certificate) -> (&Name, &[u8]) {
    (certificate.subject(), certificate.public_key().spki())
}

fn latest_ends<'a>(judged: &Judged<'a>) -> LatestEnds<'a> {
    let mut latest = LatestEnds::new();
    for certificate in judged.certificates {
        let end = certificate.validity().not_after;
        let known = latest.entry(ca_of(certificate)).or_insert(end);
        *known = end.max(*known);
    }
    latest
}

fn is_valid(
    judged: &Judged<'_>,
    certificate: &Certificate,
    latest: &LatestEnds<'_>,
) -> Option<BundleFinding> {
    let now = judged.now;
    let validity = certificate.validity();
    let name = called(certificate);
    if now < validity.not_before {
        let message = format!(
            "{name} is not valid before {}",
            rfc3339(validity.not_before)
        );
        return Some(BundleFinding::error("valid-now", message));
    }
    if now > validity.not_after {
        let message = format!("{name} expired at {}", rfc3339(validity.not_after));
        return Some(BundleFinding::error("valid-now", message));
    }
    // It is renewed if another one of the CA ends later.
    (latest[&ca_of(certificate)] - now < SOON).then(|| {
        let message = format!("{name} expires at {}", rfc3339(validity.not_after));
        BundleFinding::warning("ends-soon", message)
    })
}

/// Reports a previous certificate that is left out since the bundle would break a rule with it.
pub(crate) fn left_out(certificate: &Certificate, rule: &str) -> BundleFinding {
    let message = format!(
        "the renewed certificate of {} with serial number {} is left out: with it the bundle breaks {rule}; certificates that name it as their issuer are rejected",
        called(certificate),
        serial_text(certificate)
    );
    BundleFinding::warning("previous-left-out", message)
}

fn has_a_key_for_all(certificate: &Certificate) -> Option<BundleFinding> {
    use PublicKeyAlgorithm::{MlDsa44, MlDsa65, MlDsa87};
    let algorithm = certificate.public_key().algorithm();
    matches!(algorithm, MlDsa44 | MlDsa65 | MlDsa87).then(|| {
        let message = format!(
            "few servers, clients and libraries support the {algorithm} key of {} yet",
            called(certificate)
        );
        BundleFinding::warning("rare-key-type", message)
    })
}

fn each_once(judged: &Judged<'_>) -> Vec<BundleFinding> {
    let mut seen = HashSet::new();
    let again = judged.certificates.iter();
    let again = again.filter(|certificate| !seen.insert(certificate.fingerprint()));
    again
        .map(|certificate| {
            let message = format!("{} occurs more than once", called(certificate));
            BundleFinding::error("each-once", message)
        })
        .collect()
}

fn subjects_and_keys(judged: &Judged<'_>) -> Vec<BundleFinding> {
    let mut keys_of: HashMap<_, HashSet<&[u8]>> = HashMap::new();
    let mut with_key: HashMap<&[u8], HashSet<_>> = HashMap::new();
    let mut findings = Vec::new();
    for certificate in judged.certificates {
        let key = certificate.public_key().spki();
        let keys = keys_of.entry(certificate.subject()).or_default();
        if keys.insert(key) && keys.len() == 2 {
            let message = format!("{} has two keys", called(certificate));
            findings.push(BundleFinding::warning("one-key-a-subject", message));
        }
        let subjects = with_key.entry(key).or_default();
        if subjects.insert(certificate.subject()) && subjects.len() == 2 {
            let message = format!(
                "the key of {} is also in another certificate",
                called(certificate)
            );
            findings.push(BundleFinding::warning("one-certificate-a-key", message));
        }
    }
    findings
}

/// Finds incomplete paths, and path lengths that are exceeded.
pub(crate) fn paths(judged: &Judged<'_>, party: Option<&RelyingParty>) -> Vec<BundleFinding> {
    let form = Form::of(party);
    // A certificate that is registered alone has its issuer elsewhere, and intermediates in a file
    // of their own have their roots in the other.
    let has_a_root = (0..judged.certificates.len()).any(|node| judged.is_root(node));
    if form == Form::OneCertificate || (form == Form::AnchorsApart && !has_a_root) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    let subjects = judged.certificates.iter().map(Certificate::subject);
    let subjects: HashSet<String> = subjects.map(ToString::to_string).collect();
    for path in &judged.paths {
        let finding = match path {
            Ok(path) => path_length(judged, path),
            // The rules about certificates report it.
            Err(IncompletePath::BrokenExtension { .. }) => None,
            Err(problem) => Some(incomplete(&subjects, problem)),
        };
        // A problem above several of them is reported once.
        let is_new = |found: &BundleFinding| told.insert((found.rule, found.message.clone()));
        findings.extend(finding.filter(is_new));
    }
    findings
}

fn incomplete(subjects: &HashSet<String>, problem: &IncompletePath) -> BundleFinding {
    let rule = match problem {
        IncompletePath::MissingIssuer { subject, issuer } => {
            if subjects.contains(issuer) {
                let message = format!("{subject} is not signed with the key of {issuer}");
                return BundleFinding::error("issuer-signature", message);
            }
            "issuer-missing"
        }
        IncompletePath::OtherCertificate { .. } => "issuer-missing",
        IncompletePath::BrokenExtension { .. } => "well-formed",
        IncompletePath::Unverifiable { .. } => "signature-algorithm",
        IncompletePath::TooManyKeys { .. } | IncompletePath::TooManyNamesakes { .. } => {
            "issuer-signature"
        }
        IncompletePath::TooLong { .. } => "path-length",
        IncompletePath::Rootless { .. } => "no-root",
    };
    BundleFinding::error(rule, problem.to_string())
}

fn path_length(judged: &Judged<'_>, path: &[usize]) -> Option<BundleFinding> {
    let mut below = 0;
    for node in path {
        let certificate = &judged.certificates[*node];
        let most = certificate.basic_constraints()?.path_length;
        if let Some(most) = most.filter(|most| below > *most) {
            let message = format!(
                "{} allows {most} CAs below it, but the path from {} has {below}",
                called(certificate),
                called(&judged.certificates[path[0]])
            );
            return Some(BundleFinding::error("path-length", message));
        }
        below += u32::from(!certificate.is_self_issued());
    }
    None
}
