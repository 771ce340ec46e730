//! `pki bundle`.

use super::context::Context;
use super::failure::Failure;
use super::options::input;
use super::report::{Lines, Report};
use crate::ca::{
    Bundle, BundleFinding, BundleRequest, CaError, Changes, Foreign, Form, Level, PARTIES,
    RelyingParty, bundle, party, write_bundle,
};
use crate::store::CaName;
use crate::x509::Certificate;
use crate::x509::validity::rfc3339;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a trust store: one PEM of CA certificates
///
/// Each certificate once, every path complete to its root, each issuer after what it issued. A bundle
/// that is there already is replaced in one step. Nothing is written where the certificates break a rule;
/// --for adds the rules of who reads it. --check judges a file that is there, and exits with 3 where it
/// breaks one.
#[derive(Args)]
pub(super) struct BundleArgs {
    /// A CA of the store, with all above it [default: every CA]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Certificates from a file, PEM, DER or PKCS #7, made by anyone
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,
    /// Who reads it: its limits are held, and its form is written
    #[arg(long = "for", value_name = "TARGET", value_parser = relying_party())]
    party: Option<&'static RelyingParty>,
    /// Judge a file that is there, and write nothing; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "add", "out", "force"])]
    check: Option<PathBuf>,
    /// The file to write; - is standard output
    #[arg(long, value_name = "FILE", default_value = "truststore.pem")]
    out: PathBuf,
    /// Replace a file that is no bundle
    #[arg(long)]
    force: bool,
}

fn relying_party() -> impl TypedValueParser<Value = &'static RelyingParty> {
    PossibleValuesParser::new(PARTIES.iter().map(|party| party.name))
        .map(|name| party(&name).expect("clap took no other name"))
}

#[derive(Serialize)]
struct BundleReport {
    certificates: Vec<Entry>,
    findings: Vec<FindingEntry>,
    file: Option<String>,
    files: Vec<String>,
    changes: Option<ChangesEntry>,
}

#[derive(Serialize)]
struct Entry {
    subject: String,
    fingerprint_sha256: String,
    not_after: String,
}

#[derive(Serialize)]
struct FindingEntry {
    level: &'static str,
    rule: &'static str,
    message: String,
}

#[derive(Serialize)]
struct ChangesEntry {
    added: Vec<Entry>,
    removed: Vec<Entry>,
    kept: Vec<Entry>,
}

impl BundleArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        match &self.check {
            Some(file) => self.check(file, context),
            None => self.write(context),
        }
    }

    fn check(&self, file: &Path, context: &Context) -> Result<Report, Failure> {
        let foreign = Foreign::read(&input(file)?, self.party);
        let findings = foreign.judge(self.party, context.now);
        let fits = errors(&findings) == 0;
        let heading = verdict(&file.display().to_string(), self.party, &findings);
        let report = BundleReport {
            certificates: entries(&foreign.certificates),
            findings: finding_entries(&findings),
            file: Some(file.display().to_string()),
            files: vec![file.display().to_string()],
            changes: None,
        };
        Ok(Report::new(&report, finding_lines(&findings).under(&heading)).verdict(fits))
    }

    fn write(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let made = bundle(
            &store,
            &BundleRequest {
                cas: self.ca,
                files: self.add,
                party: self.party,
            },
        )?;
        let findings = made.judge(context.now);
        if errors(&findings) > 0 {
            return Ok(refused(&made, self.party, &findings));
        }
        if let Some(party) = self.party.filter(|party| party.form == Form::Pkcs12) {
            return Err(CaError::FormatNotYet { party: party.title }.into());
        }
        if self.out == Path::new("-") && !made.is_one_file() {
            return Err(Failure::usage(
                "--out - is one file, and the bundle is several: give the first of them",
            ));
        }
        findings.iter().for_each(Context::warning);
        if let Some(line) = setting(&made, self.party) {
            context.notice(format!(
                "the server has to be told of paths so long: {line}"
            ));
        }
        if self.out == Path::new("-") {
            return Ok(Report::raw(made.to_pem()));
        }
        let files = made.files(&self.out);
        let changes = write_bundle(&store, &files, self.force)?;
        let files: Vec<String> = files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        Ok(written(&made, &findings, files, changes.as_ref()))
    }
}

fn errors(findings: &[BundleFinding]) -> usize {
    let levels = findings.iter().map(|finding| finding.level);
    levels.filter(|level| *level == Level::Error).count()
}

/// The line of a server's configuration without which it refuses the longest paths.
fn setting(bundle: &Bundle, party: Option<&RelyingParty>) -> Option<String> {
    let depth = party?.verify_depth.as_ref()?;
    depth.line(bundle.longest_path())
}

/// Nothing was written: the findings, and what to do about them.
fn refused(bundle: &Bundle, party: Option<&RelyingParty>, findings: &[BundleFinding]) -> Report {
    let report = BundleReport {
        certificates: entries(&bundle.certificates),
        findings: finding_entries(findings),
        file: None,
        files: Vec::new(),
        changes: None,
    };
    let heading = verdict("the bundle", party, findings);
    let failure = Failure::plain("nothing was written: the bundle breaks rules")
        .hint("choose other CAs with --ca, or mend what the findings name");
    Report::new(&report, finding_lines(findings).under(&heading)).failing(failure)
}

fn written(
    bundle: &Bundle,
    findings: &[BundleFinding],
    files: Vec<String>,
    changes: Option<&Changes>,
) -> Report {
    let certificates = entries(&bundle.certificates);
    let ends = bundle.certificates.iter();
    let ends = ends.map(|certificate| certificate.validity().not_after);
    let heading = format!(
        "wrote {} to {}, the first to end at {}",
        plural(certificates.len(), "certificate"),
        files.join(", "),
        ends.min().map(rfc3339).unwrap_or_default()
    );
    let mut lines = Lines::default();
    for (index, entry) in certificates.iter().enumerate() {
        lines = lines.row(&(index + 1).to_string(), entry.text());
    }
    let changes = changes.map(ChangesEntry::of);
    for (label, certificates) in changes.iter().flat_map(ChangesEntry::labelled) {
        for certificate in certificates {
            lines = lines.row(label, certificate.text());
        }
    }
    let report = BundleReport {
        certificates,
        findings: finding_entries(findings),
        file: files.first().cloned(),
        files,
        changes,
    };
    Report::new(&report, lines.under(&heading)).committed("the bundle is written")
}

impl Entry {
    fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            fingerprint_sha256: certificate.fingerprint().to_string(),
            not_after: rfc3339(certificate.validity().not_after),
        }
    }

    fn text(&self) -> String {
        format!("{}, until {}", self.subject, self.not_after)
    }
}

fn entries(certificates: &[Certificate]) -> Vec<Entry> {
    certificates.iter().map(Entry::of).collect()
}

impl ChangesEntry {
    fn of(changes: &Changes) -> Self {
        Self {
            added: entries(&changes.added),
            removed: entries(&changes.removed),
            kept: entries(&changes.kept),
        }
    }

    fn labelled(&self) -> [(&'static str, &[Entry]); 3] {
        [
            ("added", &self.added),
            ("removed", &self.removed),
            ("kept", &self.kept),
        ]
    }
}

fn finding_entries(findings: &[BundleFinding]) -> Vec<FindingEntry> {
    let entry = |finding: &BundleFinding| FindingEntry {
        level: finding.level.as_str(),
        rule: finding.rule,
        message: finding.message.clone(),
    };
    findings.iter().map(entry).collect()
}

fn finding_lines(findings: &[BundleFinding]) -> Lines {
    findings.iter().fold(Lines::default(), |lines, finding| {
        let label = format!("{}: {}", finding.level.as_str(), finding.rule);
        lines.row(&label, &finding.message)
    })
}

/// As in `truststore.pem does not fit alb: 2 errors, 1 warning`.
fn verdict(what: &str, party: Option<&RelyingParty>, findings: &[BundleFinding]) -> String {
    let errors = errors(findings);
    let whom = party.map_or_else(
        || "the general rules".to_owned(),
        |party| party.title.to_owned(),
    );
    let verdict = if errors == 0 { "fits" } else { "does not fit" };
    let counts = [(errors, "error"), (findings.len() - errors, "warning")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    if counts.is_empty() {
        return format!("{what} {verdict} {whom}");
    }
    format!("{what} {verdict} {whom}: {}", counts.join(", "))
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
