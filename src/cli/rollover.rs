//! `pki renew --self`: a CA's own certificate under the same key.

use super::context::Context;
use super::failure::Failure;
use super::options::{http_url, input, is_standard_output};
use super::passphrase::{Protecting, UserPassphrases};
use super::renew::RenewArgs;
use super::report::{Lines, Report};
use super::root::MadeCa;
use super::steps::{self, Step};
use super::succession::{crossed, succeeded};
use crate::ca::{
    CaError, OpenFile, RenewedCa, certificates_in, install_renewed, renew_ca, request_renewal,
};
use crate::key::KeyType;
use crate::pem;
use crate::store::CaName;
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What `--self` alone takes.
#[derive(Args)]
pub(super) struct RolloverArgs {
    /// With --self: write a request for a CA elsewhere to sign; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["install", "cross", "rekey", "days", "not_after"])]
    request: Option<PathBuf>,
    /// With --self: the certificate that came back, PEM or DER, perhaps with those above it; - is standard input
    #[arg(long, value_name = "CERT", conflicts_with_all = ["cross", "rekey", "days", "not_after", "passin"])]
    install: Option<PathBuf>,
    /// With --install: the certificates of the CAs above it, up to the root
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// With --self: have this root and another certify each other's keys
    #[arg(long, value_name = "ROOT", conflicts_with_all = ["rekey", "days", "not_after"])]
    cross: Option<CaName>,
    /// With --self --rekey: roots do not certify each other's keys
    #[arg(long)]
    pub(super) no_cross: bool,
    /// With --self --rekey: the new CA's whole subject [default: its name, as common name]
    #[arg(long, value_name = "DN")]
    pub(super) subject: Option<String>,
    /// With --self --rekey: another kind of key
    #[arg(long, value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    /// With --self --rekey: where the new CA's list will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) crl_url: Vec<String>,
    /// With --self --rekey: where its certificate will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) ca_issuers_url: Vec<String>,
    /// With --self --rekey: where its OCSP responder will be [default: as before]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) ocsp_url: Vec<String>,
}

impl RolloverArgs {
    /// Each option, and whether it was given.
    fn given(&self) -> [(bool, &'static str); 4] {
        [
            (self.request.is_some(), "--request"),
            (self.install.is_some(), "--install"),
            (self.cross.is_some(), "--cross"),
            (!self.chain.is_empty(), "--chain"),
        ]
    }

    fn given_for_a_new_ca(&self) -> [(bool, &'static str); 6] {
        [
            (self.no_cross, "--no-cross"),
            (self.subject.is_some(), "--subject"),
            (self.key_type.is_some(), "--key-type"),
            (!self.crl_url.is_empty(), "--crl-url"),
            (!self.ca_issuers_url.is_empty(), "--ca-issuers-url"),
            (!self.ocsp_url.is_empty(), "--ocsp-url"),
        ]
    }

    /// For a leaf none of them makes sense.
    pub(super) fn refuse_without_self(&self) -> Result<(), Failure> {
        let all = self.given().into_iter().chain(self.given_for_a_new_ca());
        refuse(all, "--self")
    }
}

fn refuse(
    options: impl IntoIterator<Item = (bool, &'static str)>,
    lacking: &str,
) -> Result<(), Failure> {
    match options.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, option)) => Err(Failure::usage(format!("{option} needs {lacking}"))),
        None => Ok(()),
    }
}

/// `--self`, in whichever of its forms.
pub(super) fn run(args: &RenewArgs, context: &Context) -> Result<Report, Failure> {
    let RolloverArgs {
        request,
        install,
        chain,
        cross,
        ..
    } = &args.rollover;
    if !args.rekey {
        let new = args.rollover.given_for_a_new_ca();
        let named = [
            (args.cn.is_some(), "--cn beside --self"),
            (args.name.is_some(), "--name beside --self"),
            (args.out.passout.is_given(), "a passphrase for a new key"),
        ];
        refuse(named.into_iter().chain(new), "--rekey")?;
    }
    let for_chain = !chain.is_empty() && install.is_none();
    let for_file = args.out.force && request.is_none();
    refuse([(for_chain, "--chain")], "--install")?;
    refuse([(for_file, "--force")], "--request")?;
    match (request, install, cross) {
        (Some(file), ..) => write_request(args, file, context),
        (_, Some(file), _) => installed(args, file, chain, context),
        (.., Some(other)) => crossed(args, other, context),
        _ if args.rekey => succeeded(args, context),
        _ => renewed(args, context),
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

fn renewed(args: &RenewArgs, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let ca = &args.ca;
    let renewed = renew_ca(&store, ca, args.lifetime(), &mut passphrases, context.now);
    let renewed = renewed.map_err(|error| match error {
        CaError::KeyElsewhere { ca: issuer } if issuer == *ca => Failure::from(CaError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "a root renews itself: where its key is, with the same command; `pki renew --ca {ca} --self --install CERT` takes what comes of it"
            )),
        CaError::KeyElsewhere { ca: issuer } => Failure::from(CaError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "`pki renew --ca {ca} --self --request FILE` writes a request for where it is, and --install takes what comes back"
            )),
        other => other.into(),
    })?;
    Ok(report(&renewed, context))
}

fn installed(
    args: &RenewArgs,
    file: &Path,
    chain: &[PathBuf],
    context: &Context,
) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let answer = certificates_in(&input(file)?)?;
    let mut above = Vec::new();
    for file in chain {
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
        previous: previous.as_ref().map(|path| path.display().to_string()),
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

fn write_request(args: &RenewArgs, path: &Path, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let to_file = !is_standard_output(path);
    let file = to_file
        .then(|| OpenFile::open(path, args.out.force))
        .transpose()?;
    let request = request_renewal(&store, &args.ca, &mut passphrases, context.now)?;
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
        .under(&format!(
            "wrote a request for a new certificate of {}",
            args.ca
        ));
    Ok(Report::new(&entry, text).committed("the file is written"))
}
