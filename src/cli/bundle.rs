//! `pki bundle`.

use super::context::Context;
use super::failure::Failure;
use super::report::{Lines, Report};
use crate::ca::{Bundle, BundleRequest, bundle, write_bundle};
use crate::store::CaName;
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a trust store: one PEM of CA certificates
///
/// Each certificate once, every path complete to its root, each issuer after what it issued. A bundle
/// that is there already is replaced in one step.
#[derive(Args)]
pub(super) struct BundleArgs {
    /// A CA of the store, with all above it [default: every CA]
    #[arg(long, value_name = "NAME")]
    ca: Vec<CaName>,
    /// Certificates from a file, PEM or DER, made by anyone
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,
    /// The file to write; - is standard output
    #[arg(long, value_name = "FILE", default_value = "truststore.pem")]
    out: PathBuf,
    /// Replace a file that is no bundle
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct BundleReport {
    certificates: Vec<Entry>,
    findings: Vec<()>,
    file: String,
}

#[derive(Serialize)]
struct Entry {
    subject: String,
    fingerprint_sha256: String,
    not_after: String,
}

impl BundleArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let store = context.open_store()?;
        let made = bundle(
            &store,
            &BundleRequest {
                cas: self.ca,
                files: self.add,
            },
        )?;
        if self.out == Path::new("-") {
            return Ok(Report::raw(made.to_pem()));
        }
        write_bundle(&store, &made, &self.out, self.force)?;
        Ok(report(&made, &self.out))
    }
}

fn report(bundle: &Bundle, file: &Path) -> Report {
    let certificates: Vec<Entry> = bundle
        .certificates
        .iter()
        .map(|certificate| Entry {
            subject: certificate.subject().to_string(),
            fingerprint_sha256: certificate.fingerprint().to_string(),
            not_after: rfc3339(certificate.validity().not_after),
        })
        .collect();
    let lines = certificates
        .iter()
        .enumerate()
        .fold(Lines::default(), |lines, (index, entry)| {
            lines.row(
                &(index + 1).to_string(),
                format!("{}, until {}", entry.subject, entry.not_after),
            )
        });
    let count = certificates.len();
    let plural = if count == 1 { "" } else { "s" };
    let heading = format!("wrote {count} certificate{plural} to {}", file.display());
    let report = BundleReport {
        certificates,
        findings: Vec::new(),
        file: file.display().to_string(),
    };
    Report::new(&report, lines.under(&heading)).committed("the bundle is written")
}
