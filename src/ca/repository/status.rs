//! `status.json`: what a repository holds, for programs.

use crate::ca::repository::contents::{CrlState, Repository, ShownCa};
use crate::x509::validity::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;

#[derive(Serialize)]
struct StatusFile<'a> {
    generated_at: String,
    base_url: Option<&'a str>,
    cas: Vec<CaEntry>,
}

#[derive(Serialize)]
struct CaEntry {
    ca: String,
    parent: Option<String>,
    subject: String,
    status: &'static str,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
    certificate: String,
    pkcs7: String,
    crl: Option<CrlEntry>,
}

#[derive(Serialize)]
struct CrlEntry {
    file: String,
    number: Option<String>,
    this_update: String,
    next_update: Option<String>,
    entries: usize,
    state: &'static str,
}

pub(super) fn to_json(repository: &Repository, now: OffsetDateTime) -> Vec<u8> {
    let file = StatusFile {
        generated_at: rfc3339(now),
        base_url: repository.base_url.as_deref(),
        cas: repository.cas.iter().map(|ca| entry(ca, now)).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&file).expect("a status is plain data");
    json.push(b'\n');
    json
}

fn entry(ca: &ShownCa, now: OffsetDateTime) -> CaEntry {
    let validity = ca.certificate.validity();
    let crl = ca.crl.as_ref().zip(ca.crl_path.as_ref());
    CaEntry {
        ca: ca.name.to_string(),
        parent: ca.parent.as_ref().map(ToString::to_string),
        subject: ca.certificate.subject().to_string(),
        status: ca.status.as_str(),
        not_before: rfc3339(validity.not_before),
        not_after: rfc3339(validity.not_after),
        fingerprint_sha256: ca.certificate.fingerprint().to_string(),
        certificate: ca.certificate_path.clone(),
        pkcs7: ca.pkcs7_path.clone(),
        crl: crl.map(|(crl, file)| CrlEntry {
            file: file.clone(),
            number: crl.number.map(|number| number.to_string()),
            this_update: rfc3339(crl.this_update),
            next_update: crl.next_update.map(rfc3339),
            entries: crl.entries,
            state: match crl.state(now) {
                CrlState::Current => "current",
                CrlState::ExpiresSoon => "expires-soon",
                CrlState::Expired => "expired",
            },
        }),
    }
}
