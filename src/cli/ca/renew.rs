//! `pki ca renew`: a new certificate for the same key of a CA.

use crate::ca::{
    CaError, End, IssuerError, Lifetime, OpenFile, RenewedCa, Session, certificates_in,
    install_renewed, renew_ca, request_renewal,
};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::options::{check_belonging, input, is_standard_output};
use crate::cli::passphrase::{PassinArgs, Protecting, UserPassphrases};
use crate::cli::report::{Lines, Report};
use crate::cli::root::MadeCa;
use crate::cli::steps::{self, Step};
use crate::pem;
use crate::store::CaName;
use crate::x509::validity::{Moment, rfc3339};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Renew the certificate of a CA: the same key and subject
///
/// The parent CA signs it, or a root itself. For a parent CA on another machine, --request writes a CSR and
/// --install installs the new certificate. The report ends with the next steps and their times.
#[derive(Args)]
pub(super) struct CaRenewArgs {
    /// The CA to renew
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    #[command(flatten)]
    validity: ValidityArgs,
    /// Write a CSR for an offline parent CA; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["install", "days", "not_after"])]
    request: Option<PathBuf>,
    /// Install the new certificate, PEM or DER, with or without its chain; - is standard input
    #[arg(long, value_name = "CERT", conflicts_with_all = ["days", "not_after", "passin"])]
    install: Option<PathBuf>,
    /// With --install: the certificates of its issuing CAs, up to the root
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    #[command(flatten)]
    passin: PassinArgs,
    /// Replace an existing CSR file
    #[arg(long)]
    force: bool,
}

/// End of the validity of a new certificate of a CA.
#[derive(Args)]
pub(super) struct ValidityArgs {
    /// Days of validity [default: as before]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "not_after")]
    days: Option<u32>,
    /// Expiry: 2027-01-31, RFC 3339, or from now as in 90d, 12h, 1y
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    not_after: Option<Moment>,
}

impl ValidityArgs {
    pub(super) fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: None,
            end: self.days.map(End::Days).or(self.not_after.map(End::At)),
        }
    }
}

impl CaRenewArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let has_chain = !self.chain.is_empty();
        check_belonging(&[
            ("--chain", has_chain, "--install", self.install.is_some()),
            ("--force", self.force, "--request", self.request.is_some()),
        ])?;
        match (&self.request, &self.install) {
            (Some(file), _) => write_request(&self, file, context),
            (_, Some(file)) => installed(&self, file, context),
            _ => renewed(&self, context),
        }
    }
}

/// A CA whose certificate was renewed.
#[derive(Serialize)]
struct RenewedEntry {
    #[serde(flatten)]
    made: MadeCa,
    renews: Option<String>,
    previous: Option<String>,
    naming_previous: Option<NamingPreviousEntry>,
    steps: Vec<Step>,
}

/// Certificates that verify with a previous certificate of the CA alone.
#[derive(Serialize)]
struct NamingPreviousEntry {
    leaves: usize,
    cas: usize,
    until: String,
}

fn renewed(args: &CaRenewArgs, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let ca = &args.ca;
    let renewed = renew_ca(
        &mut Session::new(&store, &mut passphrases, context.now),
        ca,
        args.validity.lifetime(),
    );
    let renewed = renewed.map_err(|error| match error {
        CaError::Issuer(IssuerError::KeyElsewhere { ca: issuer }) if issuer == *ca => Failure::from(IssuerError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "run the same command on the machine with the root's key; then install the certificate here: `pki ca renew --ca {ca} --install CERT`"
            )),
        CaError::Issuer(IssuerError::KeyElsewhere { ca: issuer }) => Failure::from(IssuerError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "write a CSR for it with `pki ca renew --ca {ca} --request FILE`, and install the certificate with --install"
            )),
        other => other.into(),
    })?;
    Ok(report(&renewed, context))
}

fn installed(args: &CaRenewArgs, file: &Path, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let answer = certificates_in(&input(file)?)?;
    let mut above = Vec::new();
    for file in &args.chain {
        above.extend(certificates_in(&input(file)?)?);
    }
    let renewed = install_renewed(&store, &args.ca, file, &answer, &above, context.now)?;
    Ok(report(&renewed, context))
}

fn report(renewed: &RenewedCa, context: &Context) -> Report {
    let RenewedCa {
        ca,
        before,
        previous,
        naming_previous,
        notices,
    } = renewed;
    context.notices(notices);
    if let Some(naming) = naming_previous {
        context.warning(context.commands(&steps::names_previous(ca.name(), naming)));
    }
    let made = MadeCa::of(ca);
    let is_replaced = previous.is_some();
    let serial = before.serial().ok().filter(|_| is_replaced);
    let steps = if is_replaced {
        let ends = before.validity().not_after;
        let is_root = made.parent.is_none();
        let naming = naming_previous.as_ref();
        let steps = steps::after_renewal(ca.name(), is_root, ends, naming, context.now);
        steps::in_store(steps, context)
    } else {
        Vec::new()
    };
    let entry = RenewedEntry {
        renews: serial.map(|serial| serial.to_string()),
        previous: previous.as_ref().map(ToString::to_string),
        naming_previous: naming_previous.map(|naming| NamingPreviousEntry {
            leaves: naming.leaves,
            cas: naming.cas,
            until: rfc3339(naming.until),
        }),
        made,
        steps,
    };
    let mut text = entry
        .made
        .lines()
        .row_if("renews", entry.renews.as_ref())
        .row_if("previous", entry.previous.as_ref())
        .under(&format!("renewed the certificate of {}", ca.name()));
    if is_replaced {
        text += &steps::text(&entry.steps);
    }
    Report::new(&entry, text).committed(format!("`pki show --ca {}` shows it", ca.name()))
}

#[derive(Serialize)]
struct RequestEntry {
    ca: String,
    subject: String,
    key_type: String,
    request: String,
}

fn write_request(args: &CaRenewArgs, path: &Path, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let to_file = !is_standard_output(path);
    let file = to_file
        .then(|| OpenFile::open(path, args.force))
        .transpose()?;
    let request = request_renewal(
        &mut Session::new(&store, &mut passphrases, context.now),
        &args.ca,
    )?;
    let pem = pem::encode("CERTIFICATE REQUEST", request.der());
    let Some(file) = file else {
        return Ok(Report::raw(pem));
    };
    file.write(pem.as_bytes())?;
    let entry = RequestEntry {
        ca: args.ca.to_string(),
        subject: request.subject().to_string(),
        key_type: request.public_key().algorithm().to_string(),
        request: path.display().to_string(),
    };
    let text = Lines::default()
        .row("subject", &entry.subject)
        .row("key type", &entry.key_type)
        .row("request", &entry.request)
        .under(&format!("wrote a CSR for a new certificate of {}", args.ca));
    Ok(Report::new(&entry, text).committed("the file is written"))
}
