//! Profiles as reports have them.

use crate::asn1::{Hex, oid};
use crate::ca::LeafProfile;
use crate::cli::report::Lines;
use crate::x509::extension::key_usage_names;
use serde::Serialize;
use std::fmt::Write as _;

/// A line of `pki profile list`.
#[derive(Serialize)]
pub(super) struct Summary {
    name: String,
    base: &'static str,
    extended_key_usage: Vec<String>,
    days: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_days: Option<u32>,
    /// Absent for a profile of pki.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

impl Summary {
    pub(super) fn of(profile: &LeafProfile) -> Self {
        Self {
            name: profile.to_string(),
            base: profile.base().as_str(),
            extended_key_usage: profile.purposes().iter().map(oid::called).collect(),
            days: profile.default_validity().whole_days(),
            max_days: profile.most_days(),
            hash: profile.custom().map(|custom| custom.hash().to_owned()),
        }
    }
}

/// Writes a table.
pub(super) fn listed(summaries: &[Summary]) -> String {
    let names = summaries.iter().map(|summary| summary.name.len());
    let width = names.max().unwrap_or_default().max(4);
    let mut text = format!(
        "{:width$}  {:12}  {:>5}  EXTENDED KEY USAGE\n",
        "NAME", "BASE", "DAYS"
    );
    for summary in summaries {
        let Summary {
            name, base, days, ..
        } = summary;
        let purposes = summary.extended_key_usage.join(", ");
        let base = if summary.hash.is_some() { base } else { "-" };
        writeln!(text, "{name:width$}  {base:12}  {days:>5}  {purposes}")
            .expect("a String takes everything");
    }
    text
}

/// Result of `pki profile show`.
#[derive(Serialize)]
pub(super) struct Description {
    #[serde(flatten)]
    summary: Summary,
    /// `null` if it follows from the key.
    key_usage: Option<Vec<&'static str>>,
    extensions: Vec<ExtensionEntry>,
    other_names: Vec<String>,
    subject: Option<String>,
}

#[derive(Serialize)]
struct ExtensionEntry {
    oid: String,
    critical: bool,
    value: String,
}

impl Description {
    pub(super) fn of(profile: &LeafProfile) -> Self {
        let custom = profile.custom();
        let usage = custom.and_then(|custom| custom.key_usage());
        let extensions = profile.extensions();
        let other_names = custom.map_or(&[][..], |custom| custom.other_names());
        Self {
            summary: Summary::of(profile),
            key_usage: usage.map(key_usage_names),
            extensions: extensions
                .iter()
                .map(|extension| ExtensionEntry {
                    oid: extension.oid.to_string(),
                    critical: extension.critical,
                    value: format!("{:x}", Hex(&extension.value)),
                })
                .collect(),
            other_names: other_names.iter().map(ToString::to_string).collect(),
            subject: custom
                .and_then(|custom| custom.subject())
                .map(ToString::to_string),
        }
    }

    /// Describes a profile of pki, which no file has.
    pub(super) fn text(&self) -> String {
        Lines::default()
            .row(
                "extended key usage",
                self.summary.extended_key_usage.join(", "),
            )
            .row("days", self.summary.days.to_string())
            .under(&format!("profile {} of pki", self.summary.name))
    }
}
