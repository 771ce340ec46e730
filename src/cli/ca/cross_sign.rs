//! `pki ca cross-sign`: two roots that sign each other's keys.

use crate::ca::{CrossCertificate, Issuer, Purpose, cross_certify};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::passphrase::{PassinArgs, Protecting, UserPassphrases};
use crate::cli::report::Report;
use crate::store::CaName;
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;

/// Cross-sign two roots
///
/// Each root signs a certificate for the other's key (RFC 4210 section 4.4), so relying parties that trust one
/// of them accept chains of both.
#[derive(Args)]
pub(super) struct CrossSignArgs {
    /// A root
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    /// The other root
    #[arg(long = "with", value_name = "NAME")]
    other: CaName,
    #[command(flatten)]
    passin: PassinArgs,
}

#[derive(Serialize)]
pub(super) struct CrossEntry {
    ca: String,
    subject: String,
    serial: String,
    not_after: String,
}

impl CrossEntry {
    pub(super) fn of(cross: &[CrossCertificate]) -> Vec<Self> {
        let entry = |cross: &CrossCertificate| Self {
            ca: cross.issuer.to_string(),
            subject: cross.issuance.subject.clone(),
            serial: cross.issuance.serial.to_string(),
            not_after: rfc3339(cross.issuance.not_after),
        };
        cross.iter().map(entry).collect()
    }

    pub(super) fn line(&self) -> String {
        let Self {
            ca,
            subject,
            serial,
            not_after,
        } = self;
        format!("{ca} cross-signed {subject} until {not_after}: {serial}\n")
    }
}

#[derive(Serialize)]
struct CrossReport {
    ca: String,
    cross: Vec<CrossEntry>,
}

impl CrossSignArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if self.ca == self.other {
            return Err(Failure::usage("--with has to name another root than --ca"));
        }
        let store = context.open_store()?;
        let mut passphrases =
            UserPassphrases::new(context, Some(&self.passin), None, Protecting::NewCa)?;
        let mut open = |name: &CaName| {
            let purpose = Purpose::Certificates;
            Issuer::open(&store, name, purpose, &mut passphrases, context.now)
        };
        let (one, other) = (open(&self.ca)?, open(&self.other)?);
        let (cross, notices) = cross_certify(&one, &other, context.now)?;
        context.notices(notices);
        let report = CrossReport {
            ca: self.ca.to_string(),
            cross: CrossEntry::of(&cross),
        };
        let text: String = report.cross.iter().map(CrossEntry::line).collect();
        let remedy = format!("`pki list --ca {}` shows it", self.ca);
        Ok(Report::new(&report, text).committed(remedy))
    }
}
