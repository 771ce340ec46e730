//! Reports of `pki crl`.

use crate::ca::{BundleFinding, Freshness, Origin, Place, Published, RelyingParty};
use crate::cli::bundle::{FindingEntry, errors, finding_entries, finding_lines, verdict};
use crate::cli::report::{Lines, Report};
use crate::store::Ca;
use crate::x509::validity::rfc3339;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use time::OffsetDateTime;

#[derive(Serialize)]
struct ListEntry {
    ca: String,
    number: String,
    this_update: String,
    next_update: String,
    entries: usize,
    signed: bool,
    ahead: Option<AheadEntry>,
    files: BTreeMap<&'static str, String>,
}

/// The lists that are to come.
#[derive(Serialize)]
struct AheadEntry {
    lists: usize,
    until: String,
}

#[derive(Serialize)]
pub(super) struct CheckEntry {
    ca: String,
    status: &'static str,
    next_update: Option<String>,
    file: String,
}

/// Lists for a target, and what breaks its rules.
#[derive(Serialize)]
struct ForTarget<'a, T> {
    lists: &'a [T],
    findings: Vec<FindingEntry>,
}

/// A list that is in another form now.
#[derive(Serialize)]
struct ConvertedCrl {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingEntry>>,
}

/// A list that was written in another form.
pub(super) fn converted(
    out: &Path,
    party: Option<&RelyingParty>,
    findings: &[BundleFinding],
) -> Report {
    let file = out.display().to_string();
    let text = format!("wrote the CRL to {file}\n");
    let findings = party.map(|_| finding_entries(findings));
    Report::new(&ConvertedCrl { file, findings }, text).committed("the file is written")
}

/// Report of published CRLs, and of the rules of their target.
pub(super) fn checked(
    entries: &[CheckEntry],
    party: Option<&RelyingParty>,
    findings: &[BundleFinding],
) -> Report {
    let text: String = entries.iter().map(CheckEntry::line).collect();
    let fresh = status(Freshness::Fresh);
    let all_fresh = entries.iter().all(|entry| entry.status == fresh);
    let Some(party) = party else {
        return Report::new(&entries, text).verdict(all_fresh);
    };
    let heading = verdict("the set of CRLs", Some(party), findings);
    let text = text + &finding_lines(findings).under(&heading);
    let report = ForTarget {
        lists: entries,
        findings: finding_entries(findings),
    };
    Report::new(&report, text).verdict(all_fresh && errors(findings) == 0)
}

fn status(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Missing => "missing",
        Freshness::Stale => "stale",
        Freshness::InFuture => "in_future",
        Freshness::EndsSoon => "ends_soon",
        Freshness::Outdated => "outdated",
    }
}

impl CheckEntry {
    pub(super) fn of(
        ca: &Ca,
        place: &Place,
        freshness: Freshness,
        next_update: Option<OffsetDateTime>,
    ) -> Self {
        Self {
            ca: ca.name().to_string(),
            status: status(freshness),
            next_update: next_update.map(rfc3339),
            file: place.der(ca).display().to_string(),
        }
    }

    fn line(&self) -> String {
        let Self {
            ca,
            status,
            next_update,
            file,
        } = self;
        let until = next_update.as_deref().unwrap_or("never");
        match *status {
            "fresh" => format!("{ca}: fresh until {until}\n"),
            "missing" => format!("{ca}: missing: no CRL of this CA at {file}\n"),
            "stale" => format!("{ca}: stale since {until}\n"),
            "in_future" => {
                format!("{ca}: in the future: the thisUpdate of {file} is ahead of the clock\n")
            }
            "ends_soon" => format!("{ca}: expires soon, at {until}\n"),
            _ => {
                format!(
                    "{ca}: outdated: {file} or its PEM file lacks revocations that are on record\n"
                )
            }
        }
    }
}

/// The lists that are published; with `findings` where they are for somebody.
pub(super) fn published(
    published: &[(Ca, Published)],
    findings: Option<&[BundleFinding]>,
) -> Report {
    let mut text = String::new();
    let mut entries = Vec::new();
    for (ca, list) in published {
        let entry = ListEntry {
            ca: ca.name().to_string(),
            number: list.crl.number.to_string(),
            this_update: rfc3339(list.crl.this_update),
            next_update: rfc3339(list.crl.next_update),
            entries: list.crl.entries,
            signed: list.origin == Origin::Signed,
            ahead: list.ahead.map(|(lists, until)| AheadEntry {
                lists,
                until: rfc3339(until),
            }),
            files: list
                .files
                .iter()
                .map(|(kind, path)| (*kind, path.display().to_string()))
                .collect(),
        };
        let done = match list.origin {
            Origin::Signed => "signed the CRL of",
            Origin::SignedAhead => "published a pre-signed CRL of",
            Origin::Kept => "no new revocations: kept the CRL of",
        };
        let ahead = entry.ahead.as_ref();
        let mut lines = Lines::default()
            .row("number", &entry.number)
            .row("entries", entry.entries)
            .row("next update", &entry.next_update)
            .row_if(
                "ahead",
                ahead.map(|AheadEntry { lists, until }| format!("{lists} more, until {until}")),
            );
        for (kind, path) in &list.files {
            lines = lines.row(kind, path.display());
        }
        text.push_str(&lines.under(&format!("{done} {}", entry.ca)));
        entries.push(entry);
    }
    let report = match findings {
        None => Report::new(&entries, text),
        Some(findings) => Report::new(
            &ForTarget {
                lists: &entries,
                findings: finding_entries(findings),
            },
            text,
        ),
    };
    report.committed("the CRLs are published; `pki crl --check` checks them")
}
