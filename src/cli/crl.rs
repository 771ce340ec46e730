//! `pki crl`.

mod again;
mod files;
mod on_change;
mod report;
mod target;

use super::bundle::{errors, relying_party};
use super::context::Context;
use super::failure::Failure;
use super::options::{check_belonging, input, is_standard_output};
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::Report;
use crate::ca::{
    AheadRequest, CrlForm, CrlRequest, Dating, End, Origin, Place, Published, RelyingParty,
    Session, cas_read, check_crl, foreign_crl, judge_foreign_crl, judge_published, preview_crls,
    publish_crl, refuse_other_files_early, sign_ahead, write_foreign_crl,
};
use crate::pem;
use crate::store::{Ca, CaName, Store};
use crate::x509::validity::{Moment, parse_duration};
use clap::Args;
use report::CheckEntry;
use std::path::{Path, PathBuf};
use time::Duration;

/// Sign and publish CRLs (certificate revocation lists), convert one, or check them
///
/// Writes a CRL for each CA named, or for every CA with its key in the store: NAME.crl (DER), and with
/// --to-pem NAME.crl.pem. Existing CRLs are replaced in one step. --for writes the files that a load
/// balancer, server or library reads, and signs nothing if its rules are broken.
#[derive(Args)]
pub(super) struct CrlArgs {
    /// A CA of the store; repeatable [default: every CA with its key here]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// The directory to publish in [default: crl in the store]; with --in the file to write, - is standard output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also write PEM; with --in write PEM instead of DER
    #[arg(long, conflicts_with = "to_der")]
    to_pem: bool,
    /// With --in: write DER instead of PEM
    #[arg(long)]
    to_der: bool,
    /// Also write NAME.chain.crl.pem: the CRLs of the CA and of its issuing CAs
    #[arg(long, conflicts_with = "in")]
    chain: bool,
    /// Days until the next CRL [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["next_update", "in"])]
    days: Option<u32>,
    /// Time of the next CRL: 2027-01-31, RFC 3339, or from now as in 7d
    #[arg(long, value_name = "TIME", conflicts_with = "in")]
    next_update: Option<Moment>,
    /// The target: check its limits before signing, and write its files
    #[arg(long = "for", value_name = "TARGET", value_parser = relying_party())]
    party: Option<&'static RelyingParty>,
    /// Also write HASH.r0: the names by which OpenSSL finds CRLs in a directory
    #[arg(long, conflicts_with_all = ["in", "check"])]
    hash_names: bool,
    /// Sign only if a revocation is new or less than a third of the validity is left
    #[arg(long, conflicts_with = "in")]
    if_needed: bool,
    /// Date the new CRL now even if the last one is dated in the future, after the clock was ahead
    #[arg(long, conflicts_with_all = ["in", "if_needed", "check"])]
    date_now: bool,
    /// Pre-sign N CRLs, each for the time when the previous one expires; `pki crl` publishes them in turn without the key
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), requires = "every", conflicts_with_all = ["in", "if_needed", "check"])]
    ahead: Option<u32>,
    /// With --ahead: time from one CRL to the next, as in 30d
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    every: Option<Duration>,
    /// Sign nothing; exit with 3 if a published CRL is missing, stale, outdated or expires soon, or with --for breaks a rule; with --in check that CRL only
    #[arg(long, conflicts_with_all = ["to_pem", "to_der", "chain", "if_needed", "days", "next_update", "force"])]
    check: bool,
    /// With --check: CRLs that expire within this time are findings, as in 24h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
    /// Convert this CRL between PEM and DER; its bytes stay the same
    #[arg(long = "in", id = "in", value_name = "FILE", conflicts_with = "ca")]
    input: Option<PathBuf>,
    /// Run this with `sh -c` for each CA whose CRL changed, with PKI_CA, PKI_CRL, PKI_CRL_PEM and PKI_CRL_NUMBER set
    #[arg(long, value_name = "CMD", conflicts_with_all = ["in", "check"])]
    on_change: Option<String>,
    /// Replace files that are not CRLs
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

impl CrlArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let (every, within) = (self.every.is_some(), self.within.is_some());
        check_belonging(&[
            ("--every", every, "--ahead", self.ahead.is_some()),
            ("--within", within, "--check", self.check),
            ("--to-der", self.to_der, "--in", self.input.is_some()),
        ])?;
        if let Some(path) = &self.input {
            return self.convert(path, context);
        }
        if self.out.as_deref().is_some_and(is_standard_output) {
            return Err(Failure::usage("--out has to be a directory here, not -"));
        }
        let store = context.open_store()?;
        let form = self.party.map(|party| party.crls.form);
        let place = Place {
            directory: self.out.clone().unwrap_or_else(|| store.published_crls()),
            pem: self.to_pem || form.is_some_and(CrlForm::has_pem_files),
            overwrite: self.force,
        };
        if self.check {
            return self.check(&store, &place, context);
        }
        if self.ahead.is_some() && matches!(self.next_update, Some(Moment::At(_))) {
            return Err(Failure::usage(
                "--ahead signs CRLs that expire one after the other, so --next-update has to be a duration such as 40d",
            ));
        }
        self.publish(&store, place, context)
    }

    fn convert(&self, path: &Path, context: &Context) -> Result<Report, Failure> {
        if self.check && self.party.is_none() {
            return Err(Failure::usage("--check with --in needs --for TARGET"));
        }
        if self.check && self.out.is_some() {
            return Err(Failure::usage(
                "--check with --in writes nothing: remove --out",
            ));
        }
        let to_pem = match (self.party, self.to_pem, self.to_der) {
            (None, false, false) => {
                return Err(Failure::usage("--in needs --to-pem or --to-der"));
            }
            (Some(party), _, true) if party.crls.form.is_pem() => {
                return Err(Failure::usage(format!(
                    "{} reads PEM: remove --to-der",
                    party.title
                )));
            }
            (_, true, _) => true,
            (_, _, true) => false,
            (Some(party), ..) => party.crls.form != CrlForm::Der,
        };
        let file = input(path)?;
        let der = foreign_crl(&file)?;
        // What is converted gets the form of the target.
        let file = self.check.then_some(file);
        let mut findings = Vec::new();
        if let Some(party) = self.party {
            findings =
                judge_foreign_crl(path, &der, file.as_ref(), party, self.within, context.now);
            if self.check || errors(&findings) > 0 {
                return Ok(target::judged(path, party, &findings, self.check));
            }
            target::tell(context, party, &findings);
        }
        let content = if to_pem {
            pem::encode("X509 CRL", &der).into_bytes()
        } else {
            der
        };
        match self.out.as_deref() {
            None => Ok(Report::raw(content)),
            Some(out) if is_standard_output(out) => Ok(Report::raw(content)),
            Some(out) => {
                write_foreign_crl(out, &content, self.force)?;
                Ok(report::converted(out, self.party, &findings))
            }
        }
    }

    fn selected(&self, store: &Store, with_key_only: bool) -> Result<Vec<Ca>, Failure> {
        match self.ca.as_slice() {
            [] => {
                let mut selected = Vec::new();
                for ca in store.cas()? {
                    // Without a key nothing more is signed ahead.
                    let has_crls = self.ahead.is_none() && has_ahead(&ca)?;
                    if !with_key_only || ca.has_key()? || has_crls {
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

    fn request(&self, place: Place) -> CrlRequest {
        CrlRequest {
            place,
            end: self.days.map(End::Days).or(self.next_update.map(End::At)),
            if_needed: self.if_needed,
            dating: if self.date_now {
                Dating::Now
            } else {
                Dating::NotBack
            },
            party: self.party,
        }
    }

    /// One CA that fails does not stop the others; the exit code tells.
    fn publish(&self, store: &Store, place: Place, context: &Context) -> Result<Report, Failure> {
        let request = self.request(place);
        let mut cas = self.selected(store, true)?;
        if cas.is_empty() {
            return Err(Failure::plain(
                "key-not-in-store",
                "the store has no CA with its key here",
            )
            .hint("choose one with --ca"));
        }
        let mut findings = Vec::new();
        let mut settings = None;
        let chosen = cas.len();
        if let Some(party) = self.party {
            let ahead = self.ahead.is_some();
            let preview = preview_crls(store, &cas, &request, party, ahead, context.now)?;
            if errors(&preview.findings) > 0 {
                return Ok(target::refused(party, &preview.findings));
            }
            target::tell(context, party, &preview.findings);
            findings = preview.findings;
            let named = self.hash_names;
            settings = Some(target::settings(store, &cas, &request.place, party, named)?);
            context.notices(preview.also.iter().map(|ca| {
                format!(
                    "{} also needs the CRL of {}, which is due",
                    party.title,
                    ca.name()
                )
            }));
            let all = cas_read(store, cas.clone(), Some(party))?;
            cas.extend(preview.also);
            for ca in &all {
                let is_new = cas.iter().any(|new| new.name() == ca.name());
                self.refuse_other_files(ca, &request.place, is_new)?;
            }
        }
        let mut failures = Vec::new();
        let mut published =
            self.publish_each(store, cas, chosen, &request, &mut failures, context)?;
        let place = &request.place;
        failures.extend(self.publish_chains(store, place, &mut published, context));
        failures.extend(self.publish_others(store, place, &mut published));
        if let Some(line) = &self.on_change {
            let has_all_files = |crl: &Published| {
                !self.wants_chain() || crl.files.iter().any(|(kind, _)| *kind == "chain")
            };
            failures.extend(on_change::run_for_each(line, &published, has_all_files));
        }
        let any_signed = published
            .iter()
            .any(|(_, list)| list.origin != Origin::Kept);
        if let Some(settings) = settings.filter(|_| failures.is_empty()) {
            settings.tell(context, any_signed);
        }
        let report = report::published(&published, self.party.map(|_| findings.as_slice()));
        let remedy = self.remedy_for_others();
        Ok(match Failure::of_several(failures, any_signed, &remedy) {
            Some(failure) => report.failing(failure),
            None => report,
        })
    }

    /// Publishes a CRL for each CA; the first `chosen` of them were asked for.
    fn publish_each(
        &self,
        store: &Store,
        cas: Vec<Ca>,
        chosen: usize,
        request: &CrlRequest,
        failures: &mut Vec<Failure>,
        context: &Context,
    ) -> Result<Vec<(Ca, Published)>, Failure> {
        let mut passphrases =
            UserPassphrases::new(context, Some(&self.passin), None, Protecting::NewCa)?;
        let mut session = Session::new(store, &mut passphrases, context.now);
        let mut published: Vec<(Ca, Published)> = Vec::new();
        for (index, ca) in cas.into_iter().enumerate() {
            let free = if self.party.is_some() {
                Ok(())
            } else {
                let (chain, named) = (self.wants_chain(), self.hash_names);
                refuse_other_files_early(&ca, &request.place, chain, named)
            };
            let done = free.and_then(|()| match (self.ahead, self.every) {
                (Some(count), Some(every)) if index < chosen => {
                    let ahead = AheadRequest { count, every };
                    sign_ahead(&mut session, &ca, request, ahead)
                }
                _ => publish_crl(&mut session, &ca, request),
            });
            match done {
                Ok(list) => {
                    context.notices(
                        list.notices
                            .iter()
                            .map(|notice| format!("{}: {notice}", ca.name())),
                    );
                    published.push((ca, list));
                }
                Err(error) => failures.push(error.into()),
            }
        }
        Ok(published)
    }

    fn check(&self, store: &Store, place: &Place, context: &Context) -> Result<Report, Failure> {
        let mut entries = Vec::new();
        let chosen = self.selected(store, false)?;
        let count = chosen.len();
        let cas = cas_read(store, chosen, self.party)?;
        for ca in &cas {
            let within = self.within.unwrap_or(Duration::ZERO);
            let (freshness, next_update) = check_crl(store, ca, place, within, context.now)?;
            entries.push(CheckEntry::of(ca, place, freshness, next_update));
        }
        let findings = match self.party {
            Some(party) => judge_published(store, &cas[..count], &cas, place, party, context.now)?,
            None => Vec::new(),
        };
        Ok(report::checked(&entries, self.party, &findings))
    }
}

/// A CA whose key is elsewhere may have left lists for the time to come.
fn has_ahead(ca: &Ca) -> Result<bool, Failure> {
    Ok(ca.recent_crls()?.first().is_some_and(|list| list.ahead))
}
