//! `pki crl`.

use super::context::Context;
use super::failure::Failure;
use super::options::input;
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    AheadRequest, CaError, End, Freshness, ListRequest, Origin, Place, Published, chains_below,
    check_list, foreign_list, publish_chain, publish_list, sign_ahead, write_foreign_list,
};
use crate::pem;
use crate::store::{Ca, CaName, Store};
use crate::x509::validity::{Moment, parse_duration, rfc3339};
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use time::Duration;

/// Sign revocation lists and publish them, convert one, or watch over them
///
/// A list for each CA named, or for every CA whose key is in the store: NAME.crl (DER), and with --to-pem
/// NAME.crl.pem, replaced in one step.
#[derive(Args)]
pub(super) struct CrlArgs {
    /// A CA of the store [default: every CA whose key is here]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// The folder to publish in [default: crl in the store]; with --in the file to write, - is standard output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// PEM too; with --in PEM instead of DER
    #[arg(long, conflicts_with = "to_der")]
    to_pem: bool,
    /// With --in: DER instead of PEM
    #[arg(long, requires = "in")]
    to_der: bool,
    /// Also NAME.chain.crl.pem: the lists of the CA and of all above it
    #[arg(long, conflicts_with = "in")]
    chain: bool,
    /// Days until the next list [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["next_update", "in"])]
    days: Option<u32>,
    /// When the next list will come: 2027-01-31, RFC 3339, or from now as in 7d
    #[arg(long, value_name = "TIME", conflicts_with = "in")]
    next_update: Option<Moment>,
    /// Sign only where a revocation is new, or less than a third of the validity is left
    #[arg(long, conflicts_with = "in")]
    if_needed: bool,
    /// Sign N lists at once, each for when the one before it gets old; `pki crl` publishes them in turn, without the key
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), requires = "every", conflicts_with_all = ["in", "if_needed", "check"])]
    ahead: Option<u32>,
    /// With --ahead: from the beginning of one list to that of the next, as in 30d
    #[arg(long, value_name = "DURATION", value_parser = interval, requires = "ahead")]
    every: Option<Duration>,
    /// Sign nothing: exit 3 where a published list is missing, stale, behind the store, or ends soon
    #[arg(long, conflicts_with_all = ["in", "to_pem", "chain", "if_needed", "days", "next_update"])]
    check: bool,
    /// With --check: what «soon» means
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "check")]
    within: Option<Duration>,
    /// Convert this list, made by anyone: the same bytes, PEM or DER
    #[arg(long = "in", id = "in", value_name = "FILE", conflicts_with = "ca")]
    input: Option<PathBuf>,
    /// Replace files that are no lists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passin: PassinArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a duration such as 24h".into())
}

fn interval(text: &str) -> Result<Duration, String> {
    duration(text)
        .ok()
        .filter(|interval| interval.is_positive())
        .ok_or_else(|| "write a duration such as 30d".into())
}

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
struct CheckEntry {
    ca: String,
    status: &'static str,
    next_update: Option<String>,
    file: String,
}

impl CrlArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if let Some(path) = &self.input {
            return self.convert(path);
        }
        if self.out.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage(
                "--out is a folder here, for several files; - is none",
            ));
        }
        let store = context.open_store()?;
        let place = Place {
            directory: self.out.clone().unwrap_or_else(|| store.published_lists()),
            pem: self.to_pem,
            overwrite: self.force,
        };
        if self.check {
            return self.check(&store, &place, context);
        }
        if self.ahead.is_some() && matches!(self.next_update, Some(Moment::At(_))) {
            return Err(Failure::usage(
                "--ahead signs lists that end one after the other, so --next-update has to be a duration, as in 40d",
            ));
        }
        self.publish(&store, place, context)
    }

    fn convert(&self, path: &Path) -> Result<Report, Failure> {
        if !self.to_pem && !self.to_der {
            return Err(Failure::usage(
                "--in needs --to-pem or --to-der: what the list is to become",
            ));
        }
        let der = foreign_list(&input(path)?)?;
        let content = if self.to_pem {
            pem::encode("X509 CRL", &der).into_bytes()
        } else {
            der
        };
        match self.out.as_deref() {
            None => Ok(Report::raw(content)),
            Some(out) if out == Path::new("-") => Ok(Report::raw(content)),
            Some(out) => {
                write_foreign_list(out, &content, self.force)?;
                let file = out.display().to_string();
                let text = format!("wrote the list to {file}\n");
                Ok(Report::new(&serde_json::json!({ "file": file }), text)
                    .committed("the file is written"))
            }
        }
    }

    fn selected(&self, store: &Store, with_key_only: bool) -> Result<Vec<Ca>, Failure> {
        match self.ca.as_slice() {
            [] => {
                let mut selected = Vec::new();
                for ca in store.cas()? {
                    if !with_key_only || ca.has_key()? || has_ahead(&ca)? {
                        selected.push(ca);
                    }
                }
                Ok(selected)
            }
            names => Ok(names
                .iter()
                .map(|name| store.ca(name))
                .collect::<Result<_, _>>()?),
        }
    }

    /// One CA that fails does not stop the others; the exit code tells.
    fn publish(&self, store: &Store, place: Place, context: &Context) -> Result<Report, Failure> {
        let request = ListRequest {
            place,
            end: self.days.map(End::Days).or(self.next_update.map(End::At)),
            if_needed: self.if_needed,
        };
        let cas = self.selected(store, true)?;
        if cas.is_empty() {
            return Err(
                Failure::plain("there is no CA in the store whose key is here")
                    .hint("name one with --ca"),
            );
        }
        let mut passphrases =
            UserPassphrases::new(context, Some(&self.passin), None, Protecting::NewCa)?;
        let mut failures = Vec::new();
        let mut published: Vec<(Ca, Published)> = Vec::new();
        for ca in cas {
            let done = match (self.ahead, self.every) {
                (Some(count), Some(every)) => {
                    let ahead = AheadRequest { count, every };
                    sign_ahead(store, &ca, &request, ahead, &mut passphrases, context.now)
                }
                _ => publish_list(store, &ca, &request, &mut passphrases, context.now),
            };
            match done {
                Ok(list) => {
                    context.notices(
                        list.notices
                            .iter()
                            .map(|notice| format!("{}: {notice}", ca.name())),
                    );
                    published.push((ca, list));
                }
                Err(error) => failures.push(error),
            }
        }
        failures.extend(self.publish_chains(store, &request.place, &mut published, context));
        let any_signed = published
            .iter()
            .any(|(_, list)| list.origin != Origin::Kept);
        let report = report(&published);
        let remedy = "the other lists stand; `pki crl --if-needed` signs what is missing";
        Ok(match Failure::of_several(failures, any_signed, remedy) {
            Some(failure) => report.failing(failure),
            None => report,
        })
    }

    /// Where it is wanted, and where there is one already that would be left behind; gives what failed.
    fn publish_chains(
        &self,
        store: &Store,
        place: &Place,
        published: &mut [(Ca, Published)],
        context: &Context,
    ) -> Vec<CaError> {
        let mut failures = Vec::new();
        let mut done = BTreeSet::new();
        for (ca, list) in &mut *published {
            done.insert(ca.name().clone());
            let chain = match place.has_chain(ca) {
                Ok(false) if !self.chain => continue,
                Ok(_) => publish_chain(store, ca, place),
                Err(error) => Err(error),
            };
            match chain {
                Ok(path) => list.files.push(("chain", path)),
                Err(error) => failures.push(after_signing(list, error)),
            }
        }
        let new = published
            .iter()
            .filter(|(_, list)| list.origin != Origin::Kept);
        for (ca, list) in new {
            let written = chains_below(store, ca, place).and_then(|below| {
                let others = below
                    .iter()
                    .filter(|other| done.insert(other.name().clone()));
                others
                    .map(|other| publish_chain(store, other, place))
                    .collect::<Result<Vec<_>, _>>()
            });
            match written {
                Ok(paths) => context.notices(paths.iter().map(|path| {
                    format!("the new list of {} is in {} too", ca.name(), path.display())
                })),
                Err(error) => failures.push(after_signing(list, error)),
            }
        }
        failures
    }

    fn check(&self, store: &Store, place: &Place, context: &Context) -> Result<Report, Failure> {
        let mut entries = Vec::new();
        let mut text = String::new();
        for ca in self.selected(store, false)? {
            let within = self.within.unwrap_or(Duration::ZERO);
            let (freshness, next_update) = check_list(store, &ca, place, within, context.now)?;
            let entry = CheckEntry {
                ca: ca.name().to_string(),
                status: status(freshness),
                next_update: next_update.map(rfc3339),
                file: place.der(&ca).display().to_string(),
            };
            text.push_str(&entry.line());
            entries.push(entry);
        }
        let all_fresh = entries
            .iter()
            .all(|entry| entry.status == status(Freshness::Fresh));
        Ok(Report::new(&entries, text).verdict(all_fresh))
    }
}

/// A CA whose key is elsewhere may have left lists for the time to come.
fn has_ahead(ca: &Ca) -> Result<bool, Failure> {
    Ok(ca.recent_lists()?.first().is_some_and(|list| list.ahead))
}

/// Where the list itself was signed, what fails behind it fails after the commit.
fn after_signing(list: &Published, error: CaError) -> CaError {
    if list.origin == Origin::Kept {
        return error;
    }
    CaError::AfterCommit {
        what: "the new list".into(),
        remedy: "`pki crl --chain --if-needed` writes the chain when the other lists are there"
            .into(),
        source: Box::new(error),
    }
}

fn status(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Missing => "missing",
        Freshness::Stale => "stale",
        Freshness::EndsSoon => "ends_soon",
        Freshness::Outdated => "outdated",
    }
}

impl CheckEntry {
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
            "missing" => format!("{ca}: missing: no list of it at {file}\n"),
            "stale" => format!("{ca}: stale since {until}\n"),
            "ends_soon" => format!("{ca}: ends soon, at {until}\n"),
            _ => {
                format!(
                    "{ca}: outdated: {file} or a PEM file beside it lacks what was recorded since\n"
                )
            }
        }
    }
}

fn report(published: &[(Ca, Published)]) -> Report {
    let mut text = String::new();
    let mut entries = Vec::new();
    for (ca, list) in published {
        let entry = ListEntry {
            ca: ca.name().to_string(),
            number: list.list.number.to_string(),
            this_update: rfc3339(list.list.this_update),
            next_update: rfc3339(list.list.next_update),
            entries: list.list.entries,
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
            Origin::Signed => "signed a list of",
            Origin::SignedAhead => "published a list that was signed ahead, of",
            Origin::Kept => "nothing is new: kept the list of",
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
    Report::new(&entries, text)
        .committed("the lists are published; `pki crl --check` looks at them")
}
