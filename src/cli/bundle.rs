//! `pki bundle`.

use super::context::Context;
use super::failure::Failure;
use super::options::{certificates, check_belonging, input, is_standard_output};
use super::passphrase::{TrustStorePassphraseArgs, UserPassphrases};
use super::remedy::message_of;
use super::report::{Lines, Report};
use crate::ca::{
    Bundle, BundleFinding, BundleRequest, Changes, Foreign, Form, Level, PARTIES, ProtectedKey,
    RelyingParty, bundle, check_for_java, only_cas, party, passphrase_for, plural, write_bundle,
};
use crate::key::Passphrase;
use crate::store::CaName;
use crate::x509::Certificate;
use crate::x509::validity::rfc3339;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a trust store: one PEM file of CA certificates
///
/// Each certificate occurs once, every path is complete up to its root, and issuers follow the certificates
/// that they issued. An existing bundle is replaced in one step. The previous certificate of a renewed CA
/// stays in it until it expires. Nothing is written if the certificates break a rule. --for adds the rules of
/// a target; for java the file is PKCS #12 with a passphrase. --check checks an existing file and exits with
/// 3 if it breaks a rule.
#[derive(Args)]
pub(super) struct BundleArgs {
    /// A CA of the store, with its issuing CAs; repeatable [default: every CA]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Add the certificates of a file: PEM, DER, PKCS #7 or PKCS #12
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,
    /// The target: apply its limits and write its format
    #[arg(long = "for", value_name = "TARGET", value_parser = relying_party())]
    party: Option<&'static RelyingParty>,
    /// Check an existing file and write nothing; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "add", "out", "force"])]
    check: Option<PathBuf>,
    /// The file to write; - is standard output [default: truststore.pem, and truststore.p12 for java]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace a file that is not a bundle
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrases: TrustStorePassphraseArgs,
}

pub(super) fn relying_party() -> impl TypedValueParser<Value = &'static RelyingParty> {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
}

#[derive(Serialize)]
pub(super) struct FindingEntry {
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
        let opens = match &self.check {
            Some(_) => self.is_pkcs12(),
            None => !self.add.is_empty(),
        };
        let (has_passin, has_passout) = (
            self.passphrases.has_passin(),
            self.passphrases.has_passout(),
        );
        check_belonging(&[
            (
                "--passin",
                has_passin,
                "--add, or --check with --for java",
                opens,
            ),
            ("--passout", has_passout, "--for java", self.is_pkcs12()),
        ])?;
        match &self.check {
            Some(file) => self.check(file, context),
            None => self.write(context),
        }
    }

    fn is_pkcs12(&self) -> bool {
        self.party.is_some_and(|party| party.form == Form::Pkcs12)
    }

    fn check(&self, file: &Path, context: &Context) -> Result<Report, Failure> {
        let mut passphrases = UserPassphrases::of_trust_store(context, &self.passphrases)?;
        let foreign = Foreign::read(&input(file)?, self.party, &mut passphrases)?;
        let findings = foreign.judge(self.party, context.now);
        let fits = errors(&findings) == 0;
        let heading = verdict(&file.display().to_string(), self.party, &findings);
        let report = BundleReport {
            certificates: with_aliases(entries(&foreign.certificates), foreign.aliases),
            findings: finding_entries(&findings),
            file: Some(file.display().to_string()),
            files: vec![file.display().to_string()],
            changes: None,
        };
        Ok(Report::new(&report, finding_lines(&findings).under(&heading)).verdict(fits))
    }

    fn write(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let mut passphrases = UserPassphrases::of_trust_store(context, &self.passphrases)?;
        let made = bundle(
            &store,
            &BundleRequest {
                cas: self.ca.clone(),
                files: Vec::new(),
                given: self.given(&mut passphrases, context)?,
                party: self.party,
            },
            context.now,
        )?;
        let findings = made.judge(context.now);
        if errors(&findings) > 0 {
            return Ok(refused(&made, self.party, &findings));
        }
        let out = self.out();
        if is_standard_output(&out) && !made.is_one_file() {
            return Err(Failure::usage(
                "--out - is one file, but the bundle has several: give the name of the first",
            ));
        }
        let passphrase = self.passphrase(&mut passphrases)?;
        findings.iter().for_each(|finding| context.warning(finding));
        if let Some(line) = setting(&made, self.party) {
            context.notice(format!(
                "configure the server for paths of this length: {line}"
            ));
        }
        let files = made.files(&out, passphrase.as_ref())?;
        if is_standard_output(&out) {
            let content = files.into_iter().flat_map(|file| file.content);
            return Ok(Report::raw(content.collect::<Vec<u8>>()));
        }
        let changes = write_bundle(&store, &files, self.force, passphrase.as_ref())?;
        let files: Vec<String> = files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        Ok(written(&made, &findings, files, changes.as_ref()))
    }

    /// Reads the files to add; each certificate has to be a CA's.
    fn given(
        &self,
        passphrases: &mut UserPassphrases,
        context: &Context,
    ) -> Result<Vec<Certificate>, Failure> {
        let mut given = Vec::new();
        for path in &self.add {
            let each = certificates(path, passphrases, context)?;
            let is_one = each.len() == 1;
            let all: Result<Vec<_>, _> = each.into_iter().collect();
            let all = all.map_err(|unread| unread.into_error(is_one))?;
            given.extend(only_cas(path, all)?);
        }
        Ok(given)
    }

    fn out(&self) -> PathBuf {
        let usual = if self.is_pkcs12() {
            "truststore.p12"
        } else {
            "truststore.pem"
        };
        self.out.clone().unwrap_or_else(|| usual.into())
    }

    /// Asks for the passphrase of a PKCS #12 trust store, if one is written.
    fn passphrase(&self, passphrases: &mut UserPassphrases) -> Result<Option<Passphrase>, Failure> {
        if !self.is_pkcs12() {
            return Ok(None);
        }
        let passphrase = passphrase_for(ProtectedKey::outside("the trust store"), passphrases)?;
        passphrase.as_ref().map_or(Ok(()), check_for_java)?;
        Ok(passphrase)
    }
}

pub(super) fn errors(findings: &[BundleFinding]) -> usize {
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
    let failure = Failure::plain(
        "target-rules-broken",
        "nothing was written: the bundle breaks rules of the target",
    )
    .hint("choose other CAs with --ca, or fix the findings");
    Report::new(&report, finding_lines(findings).under(&heading)).failing(failure)
}

fn written(
    bundle: &Bundle,
    findings: &[BundleFinding],
    files: Vec<String>,
    changes: Option<&Changes>,
) -> Report {
    let aliases = bundle.aliases().unwrap_or_default();
    let aliases = aliases.into_iter().map(Some).collect();
    let certificates = with_aliases(entries(&bundle.certificates), aliases);
    let ends = bundle.certificates.iter();
    let ends = ends.map(|certificate| certificate.validity().not_after);
    let heading = format!(
        "wrote {} to {}; the first expires at {}",
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
            alias: None,
        }
    }

    fn text(&self) -> String {
        let alias = self.alias.as_ref().map(|alias| format!(", alias {alias}"));
        let alias = alias.unwrap_or_default();
        format!("{}, expires {}{alias}", self.subject, self.not_after)
    }
}

fn entries(certificates: &[Certificate]) -> Vec<Entry> {
    certificates.iter().map(Entry::of).collect()
}

/// The same entries, with what a PKCS #12 trust store calls them.
fn with_aliases(mut entries: Vec<Entry>, aliases: Vec<Option<String>>) -> Vec<Entry> {
    for (entry, alias) in entries.iter_mut().zip(aliases) {
        entry.alias = alias;
    }
    entries
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

pub(super) fn finding_entries(findings: &[BundleFinding]) -> Vec<FindingEntry> {
    let entry = |finding: &BundleFinding| FindingEntry {
        level: finding.level.as_str(),
        rule: finding.rule,
        message: message_of(finding),
    };
    findings.iter().map(entry).collect()
}

pub(super) fn finding_lines(findings: &[BundleFinding]) -> Lines {
    findings.iter().fold(Lines::default(), |lines, finding| {
        let label = format!("{}: {}", finding.level.as_str(), finding.rule);
        lines.row(&label, message_of(finding))
    })
}

/// As in `truststore.pem does not fit alb: 2 errors, 1 warning`.
pub(super) fn verdict(
    what: &str,
    party: Option<&RelyingParty>,
    findings: &[BundleFinding],
) -> String {
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
