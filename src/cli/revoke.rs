//! `pki revoke`.

pub(super) mod rows;

use super::context::Context;
use super::failure::Failure;
use super::options::{SelectorArgs, check_belonging};
use super::output::{Format, write_json};
use super::report::{Lines, Report};
use super::table::refusal;
use crate::ca::{
    Outcome, Selector, Target, Verdict, issuing_ca, plural, read_certificates, revoke, revoke_all,
};
use crate::store::{Ca, CaName, Store};
use crate::x509::Reason;
use crate::x509::validity::{Moment, rfc3339};
use clap::Args;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Revoke a certificate, or lift a hold
///
/// The revocation is recorded at once; relying parties see it in the next CRL (`pki crl`). The parent CA
/// revokes a CA.
#[derive(Args)]
#[group(id = "what", required = true, multiple = false, args = ["cn", "serial", "cert", "from"])]
pub(super) struct RevokeArgs {
    /// The CA that issued the certificate; --cert finds it
    #[arg(long, value_name = "NAME", required_unless_present = "cert")]
    ca: Option<CaName>,
    #[command(flatten)]
    selector: SelectorArgs,
    /// The certificate in a file; if it is not on record and the CA's key signed it, it is recorded first
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Revoke many: rows of serial[,reason[,invalidity date]]; - is standard input
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["reason", "invalidity_date", "release"])]
    from: Option<PathBuf>,
    /// Revoke the valid rows of --from even if others are invalid
    #[arg(long)]
    keep_going: bool,
    /// With --from: check the table, print what would be revoked, and revoke nothing
    #[arg(long)]
    dry_run: bool,
    /// Every live certificate with the common name
    #[arg(long, conflicts_with_all = ["serial", "cert", "from"])]
    all: bool,
    /// unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise, or the number
    #[arg(long, value_name = "REASON", default_value_t)]
    reason: Reason,
    /// Time since which the key may be compromised
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    invalidity_date: Option<Moment>,
    /// Lift a hold (certificateHold); other revocations are final
    #[arg(long, conflicts_with_all = ["reason", "invalidity_date"])]
    release: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    ca: &'a CaName,
    serial: String,
    reason: Option<&'static str>,
    revoked_at: Option<String>,
    already: bool,
    adopted: bool,
}

impl RevokeArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let is_table = self.from.is_some();
        check_belonging(&[
            ("--keep-going", self.keep_going, "--from", is_table),
            ("--dry-run", self.dry_run, "--from", is_table),
        ])?;
        let store = context.open_store()?;
        let target = self.target()?;
        let ca = self.ca(&store, target.as_ref())?;
        let several = self.all || self.from.is_some();
        let mut unsound = Vec::new();
        let outcomes = match (&self.from, &target) {
            (Some(path), _) => {
                let (verdicts, bad) = rows::read(&ca, path, context.now)?;
                if !bad.is_empty() && !self.keep_going {
                    return Err(refusal(bad, verdicts.len() as u64, "revoked"));
                }
                if self.dry_run {
                    return Ok(dry_run(ca.name(), verdicts.len(), bad));
                }
                unsound = bad;
                revoke_all(&store, &ca, &verdicts, context.now)?
            }
            (None, Some(target)) => {
                let verdict = self.verdict(context)?;
                revoke(&store, &ca, target, verdict, context.now)?
            }
            (None, None) => {
                return Err(Failure::usage(
                    "one of --serial, --cn, --cert or --from is required",
                ));
            }
        };
        context.notices(&outcomes.notices);
        let shown = format!("`pki list --ca {} --status revoked` shows it", ca.name());
        let is_news = outcomes.certificates.iter().any(|outcome| !outcome.already);
        let next = if is_news {
            context.commands(&format!("`pki crl --ca {}` publishes it\n", ca.name()))
        } else {
            String::new()
        };
        let report = report(ca.name().clone(), outcomes.certificates, several, next);
        let report = report.committed(shown);
        if unsound.is_empty() {
            return Ok(report);
        }
        Ok(report.failing(Failure::of_rows(unsound, 0)))
    }

    fn verdict(&self, context: &Context) -> Result<Verdict, Failure> {
        if self.release {
            return Ok(Verdict::Release);
        }
        Ok(Verdict::Revoke {
            reason: self.reason,
            invalidity_date: self.invalidity_date(context)?,
        })
    }

    fn invalidity_date(&self, context: &Context) -> Result<Option<OffsetDateTime>, Failure> {
        match self.invalidity_date {
            None => Ok(None),
            Some(moment) => match moment.resolve(context.now) {
                Some(date) => Ok(Some(date)),
                None => Err(Failure::usage(
                    "the invalidity date is outside the calendar",
                )),
            },
        }
    }

    /// The CA that is named, or the one that issued the certificate in the file.
    fn ca(&self, store: &Store, target: Option<&Target>) -> Result<Ca, Failure> {
        match (&self.ca, target) {
            (Some(name), _) => Ok(store.ca(name)?),
            (None, Some(Target::Certificate { path, certificate })) => {
                Ok(issuing_ca(store, path, certificate)?)
            }
            (None, _) => Err(Failure::usage("--ca is required")),
        }
    }

    fn target(&self) -> Result<Option<Target>, Failure> {
        if let Some(path) = &self.cert {
            let mut certificates = read_certificates(path)?;
            // Of a chain the first is the one it is about.
            return Ok(Some(Target::Certificate {
                path: path.clone(),
                certificate: Box::new(certificates.swap_remove(0)),
            }));
        }
        Ok(self.selector.selector()?.map(|selector| match selector {
            Selector::CommonName(name) if self.all => Target::AllNamed(name),
            selector => Target::Selected(selector),
        }))
    }
}

impl<'a> Entry<'a> {
    fn new(ca: &'a CaName, outcome: &Outcome) -> Self {
        Self {
            ca,
            serial: outcome.serial.to_string(),
            reason: outcome.revoked.map(|revoked| revoked.reason.as_str()),
            revoked_at: outcome.revoked.map(|revoked| rfc3339(revoked.revoked_at)),
            already: outcome.already,
            adopted: outcome.adopted,
        }
    }

    fn line(&self) -> String {
        let Self {
            ca,
            serial,
            reason,
            revoked_at,
            already,
            ..
        } = self;
        match (reason, revoked_at) {
            (Some(reason), Some(at)) if *already => {
                format!("{serial} of {ca} was revoked already, at {at} ({reason})\n")
            }
            (Some(reason), Some(at)) => format!("revoked {serial} of {ca} at {at} ({reason})\n"),
            _ => format!("released {serial} of {ca}\n"),
        }
    }
}

/// Result of a run that revokes nothing.
#[derive(Serialize)]
struct DryRunReport {
    ca: String,
    dry_run: bool,
    rows: usize,
    invalid: usize,
}

fn dry_run(ca: &CaName, rows: usize, bad: Vec<Failure>) -> Report {
    let report = DryRunReport {
        ca: ca.to_string(),
        dry_run: true,
        rows: rows + bad.len(),
        invalid: bad.len(),
    };
    let text = Lines::default()
        .row_if("invalid", (!bad.is_empty()).then_some(bad.len()))
        .under(&format!(
            "would revoke {} of {ca}",
            plural(rows, "certificate")
        ));
    let report = Report::new(&report, text).answer();
    if bad.is_empty() {
        return report;
    }
    report.failing(Failure::of_rows(bad, 0))
}

/// Returns a document for one certificate; for several an object a line.
///
/// Text ends with the next step.
fn report(ca: CaName, outcomes: Vec<Outcome>, several: bool, next: String) -> Report {
    if let [outcome] = outcomes.as_slice()
        && !several
    {
        let entry = Entry::new(&ca, outcome);
        return Report::new(&entry, entry.line() + &next);
    }
    Report::stream(move |format, out| {
        let written = write_lines(&ca, &outcomes, format, out).and_then(|()| match format {
            Format::Text => out.write_all(next.as_bytes()),
            Format::Json => Ok(()),
        });
        written.map_err(Failure::output)
    })
}

fn write_lines(
    ca: &CaName,
    outcomes: &[Outcome],
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    for outcome in outcomes {
        let entry = Entry::new(ca, outcome);
        match format {
            Format::Text => out.write_all(entry.line().as_bytes())?,
            Format::Json => {
                write_json(out, &entry)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}
