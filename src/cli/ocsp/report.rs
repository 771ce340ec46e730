//! Reports of `pki ocsp`.

use crate::ca::{PublishedResponses, ResponseState, ResponsesCheck, SingleCheck, SingleResponse};
use crate::cli::report::{Lines, Report};
use crate::store::Ca;
use crate::x509::Serial;
use crate::x509::validity::rfc3339;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Serialize)]
struct PublishedEntry {
    ca: String,
    certificates: usize,
    signed: usize,
    kept: usize,
    this_update: Option<String>,
    next_update: Option<String>,
    signer: Option<String>,
    directory: String,
}

#[derive(Serialize)]
struct SingleEntry {
    ca: String,
    serial: String,
    signed: bool,
    this_update: String,
    next_update: String,
    file: String,
}

#[derive(Serialize)]
struct CheckEntry {
    ca: String,
    status: &'static str,
    certificates: usize,
    next_update: Option<String>,
    directory: String,
    findings: Vec<FindingEntry>,
}

#[derive(Serialize)]
struct FindingEntry {
    status: &'static str,
    count: usize,
    serials: Vec<String>,
}

#[derive(Serialize)]
struct CheckedSingle {
    ca: String,
    serial: String,
    status: &'static str,
    next_update: Option<String>,
    file: String,
}

#[derive(Serialize)]
struct IndexEntry {
    ca: String,
    certificates: usize,
    files: BTreeMap<&'static str, String>,
}

/// Report of the responses of whole CAs.
pub(super) fn published(published: &[(Ca, PublishedResponses)]) -> Report {
    let mut text = String::new();
    let mut entries = Vec::new();
    for (ca, done) in published {
        let entry = PublishedEntry {
            ca: ca.name().to_string(),
            certificates: done.certificates,
            signed: done.signed,
            kept: done.kept,
            this_update: done.times.map(|times| rfc3339(times.this_update)),
            next_update: done.times.map(|times| rfc3339(times.next_update)),
            signer: done
                .signer
                .as_ref()
                .map(|signer| signer.subject().to_string()),
            directory: done.directory.display().to_string(),
        };
        let what = if done.signed == 0 { "kept" } else { "signed" };
        let heading = format!("{what} the OCSP responses of {}", entry.ca);
        let lines = Lines::default()
            .row("certificates", entry.certificates)
            .row("signed", entry.signed)
            .row("kept", entry.kept)
            .row_if("next update", entry.next_update.as_ref())
            .row_if("signer", entry.signer.as_ref())
            .row("directory", &entry.directory);
        text.push_str(&lines.under(&heading));
        entries.push(entry);
    }
    Report::new(&entries, text)
        .committed("the responses are written; `pki ocsp --check` checks them")
}

/// Report of the response of one certificate.
pub(super) fn single(ca: &Ca, done: &SingleResponse) -> Report {
    let times = done.times;
    let entry = SingleEntry {
        ca: ca.name().to_string(),
        serial: done.serial.to_string(),
        signed: done.is_new,
        this_update: rfc3339(times.this_update),
        next_update: rfc3339(times.next_update),
        file: done.path.display().to_string(),
    };
    let what = if entry.signed { "signed" } else { "kept" };
    let lines = Lines::default()
        .row("serial", &entry.serial)
        .row("next update", &entry.next_update)
        .row("file", &entry.file);
    let text = lines.under(&format!("{what} an OCSP response of {}", entry.ca));
    Report::new(&entry, text).committed("the response is written")
}

/// Report of a check of whole CAs.
pub(super) fn checked(checked: &[(&Ca, ResponsesCheck)]) -> Report {
    let mut text = String::new();
    let mut entries = Vec::new();
    for (ca, check) in checked {
        let findings = check.findings.iter();
        let findings: Vec<FindingEntry> = findings
            .map(|(state, affected)| FindingEntry {
                status: status(*state),
                count: affected.count,
                serials: affected.serials.iter().map(Serial::to_string).collect(),
            })
            .collect();
        let worst = check.findings.last_key_value();
        let entry = CheckEntry {
            ca: ca.name().to_string(),
            status: worst.map_or(status(ResponseState::Current), |(state, _)| status(*state)),
            certificates: check.certificates,
            next_update: check.next_update.map(rfc3339),
            directory: check.directory.display().to_string(),
            findings,
        };
        text.push_str(&lines_of(check, &entry));
        entries.push(entry);
    }
    let all_current = checked.iter().all(|(_, check)| check.findings.is_empty());
    Report::new(&entries, text).verdict(all_current)
}

fn lines_of(check: &ResponsesCheck, entry: &CheckEntry) -> String {
    let until = entry.next_update.as_deref().unwrap_or("never");
    if check.findings.is_empty() {
        let count = entry.certificates;
        return format!("{}: {count} current until {until}\n", entry.ca);
    }
    let mut lines = Lines::default();
    for (state, affected) in &check.findings {
        let serials: Vec<String> = affected.serials.iter().map(Serial::to_string).collect();
        let mut named = serials.join(", ");
        if affected.count > serials.len() {
            named.push_str(", …");
        }
        let (count, of) = (affected.count, entry.certificates);
        lines = lines.row(label(*state), format!("{count} of {of}: {named}"));
    }
    lines.under(&format!(
        "{}: not all responses in {} are current",
        entry.ca, entry.directory
    ))
}

/// Report of a check of one file.
pub(super) fn checked_single(ca: &Ca, checked: &SingleCheck) -> Report {
    let entry = CheckedSingle {
        ca: ca.name().to_string(),
        serial: checked.serial.to_string(),
        status: status(checked.state),
        next_update: checked.next_update.map(rfc3339),
        file: checked.path.display().to_string(),
    };
    let until = entry.next_update.as_deref().unwrap_or("never");
    let state = checked.state;
    let text = match state {
        ResponseState::Current => format!("{}: current until {until}\n", entry.file),
        _ => format!("{}: {}{}\n", entry.file, label(state), reason(state)),
    };
    Report::new(&entry, text).verdict(state == ResponseState::Current)
}

/// Report of an index.
pub(super) fn index(ca: &Ca, path: &Path, count: usize) -> Report {
    let file = path.display().to_string();
    let attributes = format!("{file}.attr");
    let text = Lines::default()
        .row("certificates", count)
        .row("index", &file)
        .row("attributes", &attributes)
        .under(&format!("wrote the index of {}", ca.name()));
    let entry = IndexEntry {
        ca: ca.name().to_string(),
        certificates: count,
        files: BTreeMap::from([("index", file), ("attributes", attributes)]),
    };
    Report::new(&entry, text).committed("the index is written")
}

fn status(state: ResponseState) -> &'static str {
    match state {
        ResponseState::Current => "current",
        ResponseState::EndsSoon => "ends_soon",
        ResponseState::Outdated => "outdated",
        ResponseState::InFuture => "in_future",
        ResponseState::Expired => "expired",
        ResponseState::OtherSigner => "signer_invalid",
        ResponseState::Invalid => "invalid",
        ResponseState::Missing => "missing",
    }
}

fn label(state: ResponseState) -> &'static str {
    match state {
        ResponseState::Current => "current",
        ResponseState::EndsSoon => "expires soon",
        ResponseState::Outdated => "outdated",
        ResponseState::InFuture => "dated in the future",
        ResponseState::Expired => "expired",
        ResponseState::OtherSigner => "signer not valid",
        ResponseState::Invalid => "invalid",
        ResponseState::Missing => "missing",
    }
}

fn reason(state: ResponseState) -> &'static str {
    match state {
        ResponseState::Outdated => ": it differs from the record, or is older than a revocation",
        ResponseState::InFuture => ": its thisUpdate is after the present time",
        ResponseState::OtherSigner => {
            ": its signer is neither the CA nor a valid responder of the CA"
        }
        ResponseState::Invalid => {
            ": it is not a response about this certificate, or its signature is wrong"
        }
        _ => "",
    }
}
