//! `pki check`.

use super::context::Context;
use super::failure::Failure;
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::progress::Progress;
use super::remedy::message_of;
use super::report::{Lines, Report};
use crate::ca::{
    CheckRequest, Checkup, Level, Repair, Repaired, StoreFinding, bytes_to_check, check, plural,
    repair,
};
use crate::store::{CaName, Location};
use crate::x509::validity::parse_duration;
use clap::Args;
use serde::Serialize;
use time::Duration;

/// Check the whole store; exit with 3 if there are errors or warnings
///
/// Checks files, permissions, journals, counters, keys, CRLs, and every certificate with its signature. It
/// changes nothing and takes no lock, so it can run at any time. --repair repairs what is safe to repair; it
/// never changes a record.
#[derive(Args)]
pub(super) struct CheckArgs {
    /// Check only this CA; repeatable [default: every CA]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Repair what is safe to repair; keep copies in the store's directory .repair-TIME
    #[arg(long)]
    repair: bool,
    /// Report what expires within this time: days, or 12h, 90d, 1y [default: 30 days; CRLs: the last third of their validity]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    within: Option<Duration>,
    /// Open every key, and prompt for missing passphrases [default: open only keys with a passphrase from --passin or the environment]
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    passin: PassinArgs,
}

#[derive(Serialize)]
struct CheckReport {
    findings: Vec<FindingEntry>,
    cas: usize,
    waiting: usize,
    certificates: usize,
    revoked: usize,
    expiring: usize,
    lists: usize,
    keys: usize,
    repairs: Vec<RepairEntry>,
}

#[derive(Serialize)]
struct FindingEntry {
    level: &'static str,
    rule: &'static str,
    message: String,
    ca: Option<String>,
    path: Option<String>,
    line: Option<usize>,
    serial: Option<String>,
    repairable: bool,
}

#[derive(Serialize)]
struct RepairEntry {
    rule: &'static str,
    message: String,
    ca: Option<String>,
    path: Option<String>,
    copy: Option<String>,
}

/// A number of days, or a duration with its unit.
fn days(text: &str) -> Result<Duration, String> {
    let days = text
        .parse::<u32>()
        .ok()
        .map(|days| Duration::days(days.into()));
    let duration = days.or_else(|| parse_duration(text));
    duration
        .filter(|duration| !duration.is_negative())
        .ok_or_else(|| {
            "it is neither a number of days nor a duration such as 12h, 90d or 1y".into()
        })
}

impl CheckArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let mut passphrases =
            UserPassphrases::new(context, Some(&self.passin), None, Protecting::NewCa)?;
        let bytes = bytes_to_check(&context.store, context.operator());
        let progress = Progress::of_bytes(context, "checking", bytes);
        let mut request = CheckRequest {
            cas: self.ca,
            within: self.within,
            passphrases: Some(&mut passphrases),
            asks: self.keys,
            is_patient: !self.repair,
            now: context.now,
            progress: &|bytes| progress.advance_bytes(bytes),
        };
        let path = &context.store;
        if !self.repair {
            let checkup = check(path, context.operator(), &mut request)?;
            drop(progress);
            return Ok(report(&checkup, &[], context));
        }
        let Repaired {
            checkup,
            repairs,
            failures,
        } = repair(path, &context.operator(), &mut request)?;
        drop(progress);
        let any_done = !repairs.is_empty();
        let remedy = "run the same command again to continue with the rest";
        let report = report(&checkup, &repairs, context).committed(remedy);
        Ok(match Failure::of_several(failures, any_done, remedy) {
            Some(failure) => report.failing(failure),
            None => report,
        })
    }
}

fn report(checkup: &Checkup, repairs: &[Repair], context: &Context) -> Report {
    let Checkup {
        findings,
        cas,
        waiting,
        certificates,
        revoked,
        crls,
        keys,
        expiring,
    } = checkup;
    let data = CheckReport {
        findings: findings.iter().map(FindingEntry::of).collect(),
        cas: *cas,
        waiting: *waiting,
        certificates: *certificates,
        revoked: *revoked,
        expiring: *expiring,
        lists: *crls,
        keys: *keys,
        repairs: repairs.iter().map(RepairEntry::of).collect(),
    };
    let text = repaired(repairs) + &grouped(findings) + &context.commands(&summary(checkup));
    Report::new(&data, text).verdict(checkup.is_sound())
}

impl FindingEntry {
    fn of(finding: &StoreFinding) -> Self {
        Self {
            level: finding.level().as_str(),
            rule: finding.finding.rule,
            message: message_of(&finding.finding),
            ca: finding.ca.as_ref().map(ToString::to_string),
            path: shown(finding.path.as_ref()),
            line: finding.line,
            serial: finding.serial.map(|serial| serial.to_string()),
            repairable: finding.can_be_repaired(),
        }
    }
}

impl RepairEntry {
    fn of(repair: &Repair) -> Self {
        Self {
            rule: repair.rule,
            message: repair.message.clone(),
            ca: repair.ca.as_ref().map(ToString::to_string),
            path: shown(repair.path.as_ref()),
            copy: shown(repair.copy.as_ref()),
        }
    }
}

fn shown(location: Option<&Location>) -> Option<String> {
    location.map(ToString::to_string)
}

fn repaired(repairs: &[Repair]) -> String {
    if repairs.is_empty() {
        return String::new();
    }
    let lines = repairs.iter().fold(Lines::default(), |lines, repair| {
        lines.row(repair.rule, &repair.message)
    });
    lines.under("repaired")
}

/// The findings under the CAs that they are about; those about none are the store's.
fn grouped(findings: &[StoreFinding]) -> String {
    let groups = findings.chunk_by(|one, other| one.ca == other.ca);
    let texts = groups.map(|group| {
        let lines = group.iter().fold(Lines::default(), |lines, finding| {
            let label = format!("{}: {}", finding.level().as_str(), finding.finding.rule);
            lines.row(&label, message_of(&finding.finding))
        });
        let ca = group.first().and_then(|finding| finding.ca.as_ref());
        lines.under(ca.map_or("the store", CaName::as_str))
    });
    texts.collect()
}

/// As in `store ok: 3 CAs, 1,204 certificates, 12 revoked`, or `2 errors, 1 warning`.
fn summary(checkup: &Checkup) -> String {
    if checkup.is_sound() {
        let certificates = counted(checkup.certificates, "certificate");
        let cas = counted(checkup.cas, "CA");
        let waiting = match checkup.waiting {
            0 => String::new(),
            count => format!(", {} pending", grouped_digits(count)),
        };
        let revoked = grouped_digits(checkup.revoked);
        return format!("store ok: {cas}{waiting}, {certificates}, {revoked} revoked\n");
    }
    let levels = [
        (checkup.count(Level::Error), "error"),
        (checkup.count(Level::Warning), "warning"),
    ];
    let counts = levels.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| plural(*count, word)).collect();
    let wrong = checkup.findings.iter();
    let wrong = wrong.filter(|finding| finding.level() != Level::Notice);
    let mendable = wrong.filter(|finding| finding.can_be_repaired()).count();
    let mends = match mendable {
        0 => String::new(),
        count => format!("; `pki check --repair` repairs {count} of them"),
    };
    format!("{}{mends}\n", counts.join(", "))
}

fn counted(count: usize, word: &str) -> String {
    let digits = grouped_digits(count);
    format!("{digits} {word}{}", if count == 1 { "" } else { "s" })
}

/// A number with a comma before every three digits.
fn grouped_digits(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
