//! `pki import`.

use super::bundle::{FindingEntry, errors, finding_entries, finding_lines};
use super::context::Context;
use super::failure::Failure;
use super::options::{UrlArgs, input};
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    ImportOutcome, ImportRequest, Imported, KeyProtection, Layout, OldCrl, Source, Tally,
    certificates_in, import, plural,
};
use crate::key::KeyUri;
use crate::store::{CaName, CaRecord};
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Import a CA of openssl or easy-rsa, completely or not at all
///
/// Imports its key, every certificate of its index and every revocation; serial numbers and CRL numbers
/// continue. The directory is only read. Creates the store if there is none.
#[derive(Args)]
pub(super) struct ImportArgs {
    /// A directory of `openssl ca`, or one with the certificate and key of a CA that `openssl x509 -req -CA` used
    #[arg(long, value_name = "DIR", required_unless_present = "easy_rsa")]
    openssl: Option<PathBuf>,
    /// A directory of easy-rsa 3 or 2, or the directory pki or keys in it
    #[arg(long, value_name = "DIR", conflicts_with = "openssl")]
    easy_rsa: Option<PathBuf>,
    /// The CA's name in the store
    #[arg(long, value_name = "NAME")]
    name: CaName,
    /// The CA's certificate, if it is not in a usual place; it may be PKCS #12
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The CA's key; it may be PKCS #12
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The CA's key outside the store, in the place of --key: pkcs11:… (RFC 7512), or NAME:… for pki-key-NAME
    #[arg(long, value_name = "URI", conflicts_with = "key")]
    key_uri: Option<KeyUri>,
    /// The last CRL that the CA signed
    #[arg(long, value_name = "FILE")]
    crl: Option<PathBuf>,
    /// The index of certificates; serial and crlnumber are read from the same directory
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// A directory with certificates that it issued, PEM or DER, with any names; repeatable
    #[arg(long, value_name = "DIR")]
    certs: Vec<PathBuf>,
    /// The certificates of its issuing CAs, up to the root, if they are not in the store
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// Import what can be imported; problems of the rest are not errors
    #[arg(long)]
    partial: bool,
    /// Print what would be imported, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    urls: UrlArgs,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    passout: PassoutArgs,
}

#[derive(Serialize)]
struct ImportReport {
    ca: String,
    imported: bool,
    dry_run: bool,
    from: String,
    layout: &'static str,
    subject: String,
    not_after: String,
    fingerprint_sha256: String,
    parent: Option<String>,
    added: Vec<String>,
    certificates: TallyEntry,
    keys: usize,
    old_list: Option<OldCrlEntry>,
    highest_serial: Option<String>,
    next_serial: String,
    next_crl_number: String,
    asks_for_passphrase: bool,
    findings: Vec<FindingEntry>,
}

#[derive(Serialize)]
struct TallyEntry {
    valid: usize,
    revoked: usize,
    expired: usize,
    without_certificate: usize,
}

#[derive(Serialize)]
struct OldCrlEntry {
    file: String,
    number: Option<String>,
    this_update: String,
    entries: usize,
}

impl ImportArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let mut passphrases = UserPassphrases::with_new_cas(
            context,
            Some(&self.passin),
            Some(&self.passout),
            Protecting::NewCa,
        )?;
        let request = self.request()?;
        passphrases.check_names(std::slice::from_ref(&request.record.name))?;
        let imported = import(
            &context.store,
            context.operator(),
            &request,
            &mut passphrases,
            context.now,
        )?;
        Ok(report(&request, &imported))
    }

    fn request(self) -> Result<ImportRequest, Failure> {
        let (layout, directory) = match (self.openssl, self.easy_rsa) {
            (Some(directory), _) => (Layout::Openssl, directory),
            (None, Some(directory)) => (Layout::EasyRsa, directory),
            (None, None) => return Err(Failure::usage("--openssl or --easy-rsa is required")),
        };
        let mut chain = Vec::new();
        for file in &self.chain {
            chain.extend(certificates_in(&input(file)?)?);
        }
        Ok(ImportRequest {
            record: CaRecord {
                crl_urls: self.urls.crl_url,
                ca_issuers_urls: self.urls.ca_issuers_url,
                ocsp_urls: self.urls.ocsp_url,
                key_uri: self.key_uri,
                ..CaRecord::of_root(self.name)
            },
            source: Source {
                layout,
                directory,
                certificate: self.cert,
                key: self.key,
                crl: self.crl,
                index: self.index,
                certificates: self.certs,
            },
            chain,
            protection: if self.passout.is_given() {
                KeyProtection::Asked
            } else {
                KeyProtection::AsBefore
            },
            partial: self.partial,
            dry_run: self.dry_run,
        })
    }
}

fn report(request: &ImportRequest, imported: &Imported) -> Report {
    let (name, findings) = (&request.record.name, &imported.findings);
    let entry = ImportReport::of(request, imported);
    let text = entry.text(imported) + &finding_text(imported);
    let report = Report::new(&entry, text);
    match imported.outcome {
        ImportOutcome::Done { .. } => report.committed(format!("`pki show --ca {name}` shows it")),
        ImportOutcome::DryRun { .. } => report.answer(),
        ImportOutcome::Refused { has_part } => {
            let count = plural(errors(findings), "error");
            let remedy = if has_part {
                "fix the findings, or import the rest with --partial"
            } else {
                "fix the lines of the index that revocation-unreadable names: --partial skips no revocation"
            };
            report.failing(
                Failure::plain(
                    "import-incomplete",
                    format!("{name} was not imported: {count}"),
                )
                .hint(remedy),
            )
        }
    }
}

impl ImportReport {
    fn of(request: &ImportRequest, imported: &Imported) -> Self {
        let certificate = &imported.certificate;
        let Tally {
            valid,
            revoked,
            expired,
            without_certificate,
        } = imported.tally;
        let (parent, added) = match &imported.outcome {
            ImportOutcome::Done { ca, added } => (ca.record().parent.as_ref(), added.as_slice()),
            ImportOutcome::DryRun { .. } | ImportOutcome::Refused { .. } => (None, &[][..]),
        };
        Self {
            ca: request.record.name.to_string(),
            imported: matches!(imported.outcome, ImportOutcome::Done { .. }),
            dry_run: request.dry_run,
            from: request.source.directory.display().to_string(),
            layout: request.source.layout.as_str(),
            subject: certificate.subject().to_string(),
            not_after: rfc3339(certificate.validity().not_after),
            fingerprint_sha256: certificate.fingerprint().to_string(),
            parent: parent.map(ToString::to_string),
            added: added.iter().map(ToString::to_string).collect(),
            certificates: TallyEntry {
                valid,
                revoked,
                expired,
                without_certificate,
            },
            keys: imported.keys,
            old_list: imported.old_list.as_ref().map(OldCrlEntry::of),
            highest_serial: imported.highest_serial.map(|serial| serial.to_string()),
            next_serial: imported.next_serial.to_string(),
            next_crl_number: imported.next_crl_number.to_string(),
            asks_for_passphrase: matches!(imported.outcome, ImportOutcome::DryRun { asks: true }),
            findings: finding_entries(&imported.findings),
        }
    }

    fn text(&self, imported: &Imported) -> String {
        let (name, from, layout) = (&self.ca, &self.from, self.layout);
        let heading = match imported.outcome {
            ImportOutcome::Done { .. } => format!("imported {name} from {from} ({layout})"),
            ImportOutcome::DryRun { .. } => format!("would import {name} from {from} ({layout})"),
            ImportOutcome::Refused { .. } => format!("can't import {name} from {from} ({layout})"),
        };
        let is_done = self.imported;
        Lines::default()
            .row_if("issuer", self.parent.as_ref())
            .row("subject", &self.subject)
            .row("expires", &self.not_after)
            .row("certificates", self.certificates.text())
            .row_if("keys of them", (self.keys > 0).then_some(self.keys))
            .row_if("last CRL", self.old_list.as_ref().map(OldCrlEntry::text))
            .row("next serial", format!("{} or above", self.next_serial))
            .row("next CRL", format!("number {}", self.next_crl_number))
            .row_if(
                "added",
                (!self.added.is_empty())
                    .then(|| format!("{}, without keys", self.added.join(", "))),
            )
            .row_if(
                "asks for",
                self.asks_for_passphrase
                    .then(|| format!("a passphrase for the key of {name}")),
            )
            .row_if(
                "do next",
                is_done.then(|| format!("`pki crl --ca {name}` signs its first CRL")),
            )
            .under(&heading)
    }
}

impl TallyEntry {
    fn text(&self) -> String {
        let Self {
            valid,
            revoked,
            expired,
            without_certificate,
        } = self;
        let counts = format!("{valid} valid, {revoked} revoked, {expired} expired");
        match without_certificate {
            0 => counts,
            missing => format!("{counts}; {missing} of them without a certificate file"),
        }
    }
}

impl OldCrlEntry {
    fn of(list: &OldCrl) -> Self {
        Self {
            file: list.path.display().to_string(),
            number: list.number.map(|number| number.to_string()),
            this_update: rfc3339(list.this_update),
            entries: list.entries,
        }
    }

    fn text(&self) -> String {
        let number = self.number.as_deref().unwrap_or("none");
        let entries = match self.entries {
            1 => "1 entry".to_owned(),
            count => format!("{count} entries"),
        };
        format!(
            "{}, number {number}, of {}, {entries}",
            self.file, self.this_update
        )
    }
}

fn finding_text(imported: &Imported) -> String {
    let findings = &imported.findings;
    if findings.is_empty() {
        return String::new();
    }
    let count = plural(findings.len(), "finding");
    finding_lines(findings).under(&count)
}
