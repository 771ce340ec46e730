//! `pki log`.

use super::context::Context;
use super::failure::Failure;
use super::output::{Format, JsonArray};
use super::report::Report;
use super::terminal::{Terminal, cut};
use crate::ca::ByTime;
use crate::store::{Ca, CaName, Change, Event, Log, LogEntry};
use crate::x509::text::Escaped;
use crate::x509::validity::{Moment, rfc3339};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use time::OffsetDateTime;

/// Show who issued, revoked and signed what, and when
///
/// Reads the records of the CAs, in the order of recording: certificates issued and revoked, CRLs signed, and
/// changes of the CAs themselves. Records of earlier versions and imported ones have no user and host.
#[derive(Args)]
pub(super) struct LogArgs {
    /// Only records of this CA; repeatable
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Only records since this time: 2027-01-31, RFC 3339, or how long ago, as in 30d
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
}

/// Widths of the user, the CA and the event in a pipe; a terminal has no room for padding.
const PIPED: [usize; 3] = [20, 16, 18];

/// A record as it is reported.
#[derive(Serialize)]
struct Entry {
    at: String,
    user: Option<String>,
    host: Option<String>,
    ca: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<usize>,
}

impl LogArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let cas: Vec<Ca> = match self.ca.as_slice() {
            [] => {
                let mut cas = store.cas()?;
                cas.extend(store.removed_cas()?);
                cas
            }
            names => {
                let cas = names.iter().map(|name| store.ca_or_removed(name));
                cas.collect::<Result<_, _>>()?
            }
        };
        let since = self.since.and_then(|since| match since {
            Moment::At(time) => Some(time),
            Moment::FromNow(duration) => context.now.checked_sub(duration),
        });
        Ok(Report::stream(move |format, out| write(&cas, since, format, out)).answer())
    }
}

fn write(
    cas: &[Ca],
    since: Option<OffsetDateTime>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut array = JsonArray::default();
    let terminal = Terminal::of_output();
    let written = each_entry(cas, since, |entry| match (format, terminal) {
        (Format::Text, None) => writeln!(out, "{}", entry.line(PIPED)),
        (Format::Text, Some(terminal)) => {
            let line = entry.line([0; 3]);
            writeln!(out, "{}", cut(&line, terminal.width()))
        }
        (Format::Json, _) => array.add(&entry, out),
    });
    match format {
        Format::Text => written,
        Format::Json => {
            let ended = array.end(written.is_ok(), out);
            written.and_then(|()| ended.map_err(Failure::output))
        }
    }
}

/// Calls `each` for every record since a time, in the order of recording.
fn each_entry(
    cas: &[Ca],
    since: Option<OffsetDateTime>,
    mut each: impl FnMut(Entry) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut names = Vec::new();
    let mut logs: Vec<Log> = Vec::new();
    for ca in cas {
        for log in ca.logs()? {
            names.push(ca.name());
            logs.push(log);
        }
    }
    for entry in ByTime::new(logs, |entry: &LogEntry| entry.at) {
        let (index, entry) = entry?;
        if since.is_none_or(|since| entry.at >= since) {
            each(Entry::of(names[index], entry)).map_err(Failure::output)?;
        }
    }
    Ok(())
}

impl Entry {
    fn of(ca: &CaName, entry: LogEntry) -> Self {
        let LogEntry { at, by, event } = entry;
        // No host has an @ in its name.
        let by = by.as_deref().and_then(|by| by.rsplit_once('@'));
        let plain = Self {
            at: rfc3339(at),
            user: by.map(|(user, _)| user.to_owned()),
            host: by.map(|(_, host)| host.to_owned()),
            ca: ca.to_string(),
            event: "",
            serial: None,
            subject: None,
            profile: None,
            reason: None,
            number: None,
            entries: None,
        };
        match event {
            Event::Issued(issuance) => Self {
                event: "issued",
                serial: Some(issuance.serial.to_string()),
                subject: Some(issuance.subject),
                profile: Some(issuance.profile.to_string()),
                ..plain
            },
            Event::Revoked { serial, revoked } => Self {
                event: "revoked",
                serial: Some(serial.to_string()),
                reason: Some(revoked.reason.as_str()),
                ..plain
            },
            Event::Released { serial } => Self {
                event: "released",
                serial: Some(serial.to_string()),
                ..plain
            },
            Event::CrlSigned(crl) => Self {
                event: "crl-signed",
                number: Some(crl.number.to_string()),
                entries: Some(crl.entries),
                ..plain
            },
            Event::Changed(change) => Self {
                event: match change {
                    Change::Installed => "installed",
                    Change::Imported => "imported",
                    Change::Restored => "restored",
                    Change::PassphraseChanged => "passphrase-changed",
                    Change::KeyMoved => "key-moved",
                    Change::Removed => "removed",
                },
                ..plain
            },
        }
    }

    /// Returns a line; `widths` are those of the user, the CA and the event.
    fn line(&self, [user_width, ca_width, event_width]: [usize; 3]) -> String {
        let Self {
            at,
            user,
            host,
            ca,
            event,
            serial,
            subject,
            profile,
            reason,
            number,
            entries,
        } = self;
        let by = match (user, host) {
            (Some(user), Some(host)) => format!("{user}@{host}"),
            _ => "-".to_owned(),
        };
        let counted = entries.map(|entries| format!("entries {entries}"));
        let parts = [
            serial.clone(),
            number.as_ref().map(|number| format!("number {number}")),
            counted,
            profile.clone(),
            reason.map(str::to_owned),
            subject.clone(),
        ];
        let what = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let line = format!("{at} {by:user_width$} {ca:ca_width$} {event:event_width$} {what}");
        Escaped(line.trim_end()).to_string()
    }
}
