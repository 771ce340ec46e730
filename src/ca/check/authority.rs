//! Certificates of CAs, the paths above them, and their expiry; and pending CAs.

use crate::ca::check::finding::{Remedy, StoreFinding, unreadable};
use crate::ca::check::rule::{
    CA_ENDS_SOON, CA_EXPIRED, CA_NOT_YET_VALID, CA_PARENT, CA_PATH, CA_REVOKED, LEFTOVER,
    PREVIOUS_CERTIFICATE, SERIAL_UNUSUAL, WAITING_UNREADABLE,
};
use crate::ca::remedy;
use crate::store::{Ca, CaName, Store, StoreError};
use crate::x509::extension::key_usage::KEY_CERT_SIGN;
use crate::x509::validity::rfc3339;
use crate::x509::verify::{Question, called, judge};
use crate::x509::{Certificate, path};
use time::OffsetDateTime;

/// Checks a CA's certificate. `soon` is the time until which a certificate expires soon.
pub(crate) fn check_authority(
    store: &Store,
    ca: &Ca,
    soon: OffsetDateTime,
    now: OffsetDateTime,
) -> Vec<StoreFinding> {
    let mut findings = Vec::new();
    findings.extend(check_serial(ca));
    findings.extend(check_begin(ca, now));
    findings.extend(check_end(ca, soon, now));
    findings.extend(check_previous(ca));
    match store.ancestors(ca) {
        Ok(ancestors) => {
            findings.extend(path_problem(ca, &ancestors).map(|problem| CA_PATH.broken(problem)));
            findings.extend(check_revoked(ca, ancestors.first()));
        }
        Err(error) => findings.push(parent_problem(ca, &error)),
    }
    let at_certificate = |finding: StoreFinding| match finding.path {
        Some(_) => finding,
        None => finding.at(ca.certificate_location()),
    };
    let about = |finding: StoreFinding| at_certificate(finding).about(ca);
    findings.into_iter().map(about).collect()
}

fn parent_problem(ca: &Ca, error: &StoreError) -> StoreFinding {
    match error {
        StoreError::NoSuchCa { name, .. } => CA_PARENT.broken(format!(
            "the issuing CA of {} is {name}, which is not in the store",
            ca.name()
        )),
        error => CA_PARENT.broken(format!(
            "the issuing CA of {} can't be determined: {error}",
            ca.name()
        )),
    }
}

/// Returns why the path up to the root is not valid. Its expiry is another finding.
fn path_problem(ca: &Ca, ancestors: &[Ca]) -> Option<String> {
    let certificate = ca.certificate();
    if !certificate.is_ca() {
        return Some("the certificate is not a CA certificate".into());
    }
    if certificate
        .key_usage()
        .is_some_and(|usage| usage & KEY_CERT_SIGN == 0)
    {
        return Some("the keyUsage of the certificate lacks keyCertSign".into());
    }
    let above = ancestors.iter().map(Ca::certificate);
    let certificates: Vec<Certificate> =
        std::iter::once(certificate).chain(above).cloned().collect();
    for (index, below) in certificates.iter().enumerate() {
        let issuer = certificates.get(index + 1).unwrap_or(below);
        if !path::issued(issuer, below) {
            let (below, issuer) = (called(below), called(issuer));
            return Some(format!("{below} is not signed by {issuer}"));
        }
    }
    let begins = certificates.iter().map(|each| each.validity().not_before);
    let time = begins.max().expect("the certificate is one of them");
    let question = Question::at(time);
    judge(&certificates, &question)
        .err()
        .map(|refusal| refusal.to_string())
}

fn check_serial(ca: &Ca) -> Option<StoreFinding> {
    let certificate = ca.certificate();
    let bytes = certificate.serial_bytes();
    let problem = match certificate.serial() {
        Ok(_) => return None,
        Err(_) if bytes.first().is_some_and(|first| first & 0x80 != 0) => "is negative".into(),
        Err(error) => format!("is not valid: {error}"),
    };
    let name = ca.name();
    Some(SERIAL_UNUSUAL.broken(format!(
        "the serial number of the certificate of {name} {problem}"
    )))
}

fn check_begin(ca: &Ca, now: OffsetDateTime) -> Option<StoreFinding> {
    let begin = ca.certificate().validity().not_before;
    (now < begin).then(|| {
        let (name, at) = (ca.name(), rfc3339(begin));
        CA_NOT_YET_VALID.broken(format!(
            "{name} cannot sign yet: its certificate is not valid before {at}"
        ))
    })
}

fn check_end(ca: &Ca, soon: OffsetDateTime, now: OffsetDateTime) -> Option<StoreFinding> {
    let end = ca.certificate().validity().not_after;
    let (name, at) = (ca.name(), rfc3339(end));
    if end < now {
        return Some(CA_EXPIRED.broken(format!("the certificate of {name} expired at {at}")));
    }
    (end <= soon).then(|| {
        CA_ENDS_SOON
            .broken(format!("the certificate of {name} expires at {at}"))
            .with_remedy(remedy::Remedy::RenewCa { ca: name.clone() })
    })
}

fn check_revoked(ca: &Ca, above: Option<&Ca>) -> Option<StoreFinding> {
    let above = above?;
    let serial = ca.certificate().serial().ok()?;
    // A journal that can't be read is another finding.
    let revoked = above.revoked(&serial).ok()??;
    let (name, issuer) = (ca.name(), above.name());
    let (at, reason) = (rfc3339(revoked.revoked_at), revoked.reason);
    Some(CA_REVOKED.broken(format!(
        "{issuer} revoked the certificate of {name} at {at} ({reason})"
    )))
}

/// Checks that previous certificates have the same name and key, and files named by their fingerprints.
fn check_previous(ca: &Ca) -> Vec<StoreFinding> {
    let wrong = |message: String| PREVIOUS_CERTIFICATE.broken(message);
    let previous = match ca.previous_certificates() {
        Ok(previous) => previous,
        Err(error) => return vec![unreadable(PREVIOUS_CERTIFICATE, &error, ca.location())],
    };
    let mut findings = Vec::new();
    for seen in previous {
        let shown = &seen.location;
        let own = ca.certificate();
        let problem = match &seen.certificate {
            Err(error) => {
                findings.push(unreadable(PREVIOUS_CERTIFICATE, error, shown));
                continue;
            }
            Ok(certificate) => {
                if !seen.is_named_after(certificate) {
                    "does not match the fingerprint in its file name"
                } else if certificate.subject() != own.subject()
                    || certificate.public_key().spki() != own.public_key().spki()
                {
                    "does not have this CA's subject and key"
                } else {
                    continue;
                }
            }
        };
        findings.push(wrong(format!("{shown} {problem}")).at(shown));
    }
    findings
}

/// Checks a pending CA.
pub(crate) fn check_waiting(store: &Store, name: &CaName) -> Option<StoreFinding> {
    let waiting = match store.pending(name) {
        Ok(Some(waiting)) => waiting,
        Ok(None) => {
            let message = format!(
                "{name} has its certificate, but its CSR is still there; the next command removes the CSR"
            );
            return Some(
                LEFTOVER
                    .broken(message)
                    .healed_by(Remedy::Settle)
                    .about_named(name),
            );
        }
        Err(error) => {
            let finding = unreadable(WAITING_UNREADABLE, &error, store.location());
            return Some(finding.about_named(name));
        }
    };
    let problem = match waiting
        .key_file()
        .map(|content| content.map(|content| crate::key::KeyFile::parse(&content)))
    {
        Err(error) => {
            return Some(
                unreadable(WAITING_UNREADABLE, &error, store.location()).about_named(name),
            );
        }
        Ok(Some(Err(error))) => format!("the key of {name} can't be read: {error}"),
        Ok(Some(Ok(crate::key::KeyFile::Plain(key))))
            if key.public().spki() != waiting.request().public_key().spki() =>
        {
            format!("the key of {name} does not match its CSR")
        }
        Ok(Some(Ok(_)) | None) => return None,
    };
    Some(WAITING_UNREADABLE.broken(problem).about_named(name))
}
