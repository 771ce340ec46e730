//! `pki renew --self`: a CA's own certificate, and a CA in the place of another.

use super::context::Context;
use super::failure::Failure;
use super::options::{SubjectArgs, http_url, input};
use super::passphrase::{Protecting, UserPassphrases};
use super::renew::RenewArgs;
use super::report::Report;
use super::root::MadeCa;
use super::steps::{self, Change, Step};
use crate::ca::{
    CaError, CrossCertificate, Issuer, NewCa, OpenFile, Passphrases, Purpose, RenewedCa,
    Succession, certificates_in, create_root, create_subordinate, cross_certify, install_renewed,
    last_end, renew_ca, request_renewal, valid_of_key,
};
use crate::key::{KeyType, Passphrase};
use crate::pem;
use crate::store::{Ca, CaName, Store};
use crate::x509::Serial;
use crate::x509::validity::rfc3339;
use clap::Args;
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

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
    no_cross: bool,
    /// With --self --rekey: the new CA's whole subject [default: its name, as common name]
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
    /// With --self --rekey: another kind of key
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// With --self --rekey: where the new CA's list will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    crl_url: Vec<String>,
    /// With --self --rekey: where its certificate will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    ca_issuers_url: Vec<String>,
    /// With --self --rekey: where its OCSP responder will be [default: as before]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    ocsp_url: Vec<String>,
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
    steps: Vec<Step>,
}

fn renewed(args: &RenewArgs, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let ca = &args.ca;
    let renewed = renew_ca(&store, ca, args.lifetime(), &mut passphrases, context.now);
    let renewed = renewed.map_err(|error| match error {
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
        notices,
    } = renewed;
    context.notices(notices);
    let made = MadeCa::of(ca);
    let is_replaced = previous.is_some();
    let serial = before.serial().ok().filter(|_| is_replaced);
    let steps = if is_replaced {
        let ends = before.validity().not_after;
        steps::after_renewal(ca.name(), made.parent.is_none(), ends, context.now)
    } else {
        Vec::new()
    };
    let entry = RenewedEntry {
        renews: serial.map(|serial| serial.to_string()),
        previous: previous.as_ref().map(|path| path.display().to_string()),
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
    let to_file = path != Path::new("-");
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
    let text = super::report::Lines::default()
        .row("subject", &entry.subject)
        .row("key type", &entry.key_type)
        .row("request", &entry.request)
        .under(&format!(
            "wrote a request for a new certificate of {}",
            args.ca
        ));
    Ok(Report::new(&entry, text).committed("the file is written"))
}

#[derive(Serialize)]
struct CrossEntry {
    ca: String,
    subject: String,
    serial: String,
    not_after: String,
}

impl CrossEntry {
    fn of(cross: &[CrossCertificate]) -> Vec<Self> {
        let entry = |cross: &CrossCertificate| Self {
            ca: cross.issuer.to_string(),
            subject: cross.issuance.subject.clone(),
            serial: cross.issuance.serial.to_string(),
            not_after: rfc3339(cross.issuance.not_after),
        };
        cross.iter().map(entry).collect()
    }

    fn line(&self) -> String {
        let Self {
            ca,
            subject,
            serial,
            not_after,
        } = self;
        format!("{ca} certifies the key of {subject} until {not_after}: {serial}\n")
    }
}

#[derive(Serialize)]
struct CrossReport {
    ca: String,
    cross: Vec<CrossEntry>,
}

fn crossed(args: &RenewArgs, other: &CaName, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let mut open = |name: &CaName| {
        let purpose = Purpose::Certificates;
        Issuer::open(&store, name, purpose, &mut passphrases, context.now)
    };
    let (one, other) = (open(&args.ca)?, open(other)?);
    let (cross, notices) = cross_certify(&one, &other, context.now)?;
    context.notices(notices);
    let report = CrossReport {
        ca: args.ca.to_string(),
        cross: CrossEntry::of(&cross),
    };
    let text: String = report.cross.iter().map(CrossEntry::line).collect();
    let remedy = format!("`pki list --ca {}` shows it", args.ca);
    Ok(Report::new(&report, text).committed(remedy))
}

/// A CA in the place of another.
#[derive(Serialize)]
struct SucceededEntry {
    #[serde(flatten)]
    made: MadeCa,
    succeeds: String,
    cross: Vec<CrossEntry>,
    steps: Vec<Step>,
}

fn succeeded(args: &RenewArgs, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let old = store.ca(&args.ca)?;
    let mut notices = Vec::new();
    let new = succession(args)?.of(&old, &mut notices)?;
    store.check_free(&new.name)?;
    let standing = Standing::of(&store, &old, context)?;
    let mut passphrases = NewKnown {
        user: UserPassphrases::new(
            context,
            Some(&args.passin),
            Some(&args.out.passout),
            Protecting::NewCa,
        )?,
        new: format!("the key of {}", new.name),
        protected: None,
    };
    let (made, cross) = match &old.record().parent {
        Some(parent) => {
            let made = create_subordinate(&store, parent, &new, &mut passphrases, context.now)?;
            notices.extend(made.1);
            (made.0, Vec::new())
        }
        None => beside_root(args, &store, &old, &new, &mut passphrases, context)?,
    };
    context.notices(notices);
    Ok(succession_report(&old, &made, &cross, standing)
        .committed(format!("`pki show --ca {}` shows it", new.name)))
}

fn succession(args: &RenewArgs) -> Result<Succession, Failure> {
    let name = args.name.as_deref().ok_or_else(|| {
        Failure::usage("--self --rekey makes another CA, and --name has to say what it is called")
    })?;
    let name: CaName = name
        .parse()
        .map_err(|error| Failure::usage(format!("the value of --name can't be used: {error}")))?;
    let RolloverArgs {
        subject,
        key_type,
        crl_url,
        ca_issuers_url,
        ocsp_url,
        ..
    } = &args.rollover;
    Ok(Succession {
        name,
        subject: SubjectArgs::new(args.cn.clone(), subject.clone()).resolve()?,
        lifetime: args.lifetime(),
        key_type: *key_type,
        crl_urls: crl_url.clone(),
        ca_issuers_urls: ca_issuers_url.clone(),
        ocsp_urls: ocsp_url.clone(),
    })
}

/// A root beside another. That one's key is opened first, so that what hinders it shows before anything
/// is made.
fn beside_root(
    args: &RenewArgs,
    store: &Store,
    old: &Ca,
    new: &NewCa,
    passphrases: &mut NewKnown,
    context: &Context,
) -> Result<(Ca, Vec<CrossCertificate>), Failure> {
    let now = context.now;
    let old = if args.rollover.no_cross {
        None
    } else {
        let purpose = Purpose::Certificates;
        let opened = Issuer::open(store, old.name(), purpose, passphrases, now);
        Some(opened.map_err(|error| match error {
            error @ (CaError::KeyElsewhere { .. } | CaError::CaUnusable { .. }) => {
                Failure::from(error).hint("--no-cross makes the new root without it")
            }
            other => other.into(),
        })?)
    };
    let (made, notices) = create_root(&context.store, context.observer(), new, passphrases, now)?;
    context.notices(notices);
    let Some(old) = old else {
        return Ok((made, Vec::new()));
    };
    let name = made.name().clone();
    let crossed = Issuer::open(store, &name, Purpose::Certificates, passphrases, now)
        .and_then(|new| cross_certify(&old, &new, now));
    let (cross, notices) = crossed.map_err(|source| CaError::AfterCommit {
        what: format!("the root {name}"),
        remedy: format!(
            "`pki renew --ca {} --self --cross {name}` has the two certify each other's keys",
            args.ca
        ),
        source: Box::new(source),
    })?;
    context.notices(notices);
    Ok((made, cross))
}

/// What is to be known of a CA before another takes its place.
struct Standing<'a> {
    /// The CA above, and what it has issued to this one's key.
    parent: Option<(&'a CaName, Vec<Serial>)>,
    last_end: Option<OffsetDateTime>,
}

impl<'a> Standing<'a> {
    fn of(store: &Store, ca: &'a Ca, context: &Context) -> Result<Self, CaError> {
        let parent = match &ca.record().parent {
            Some(parent) => {
                let issuer = store.ca(parent)?;
                Some((
                    parent,
                    valid_of_key(&issuer, ca.certificate(), context.now)?,
                ))
            }
            None => None,
        };
        Ok(Self {
            parent,
            last_end: last_end(ca, context.now)?,
        })
    }
}

fn succession_report(
    old: &Ca,
    new: &Ca,
    cross: &[CrossCertificate],
    standing: Standing<'_>,
) -> Report {
    let serial_by = |issuer: &Ca| {
        let cross = cross.iter().find(|cross| cross.issuer == *issuer.name());
        cross.map(|cross| cross.issuance.serial)
    };
    let Standing { parent, last_end } = standing;
    let change = Change {
        old: old.name(),
        new: new.name(),
        parent,
        new_by_old: serial_by(old),
        old_by_new: serial_by(new),
        last_end,
    };
    let entry = SucceededEntry {
        made: MadeCa::of(new),
        succeeds: old.name().to_string(),
        cross: CrossEntry::of(cross),
        steps: steps::after_succession(&change),
    };
    let mut text = entry.made.lines().under(&format!(
        "made {} in the place of {}",
        new.name(),
        old.name()
    ));
    text.extend(entry.cross.iter().map(CrossEntry::line));
    text += &steps::text(&entry.steps);
    Report::new(&entry, text)
}

/// The passphrase of a key that was just made opens it again.
struct NewKnown {
    user: UserPassphrases,
    new: String,
    protected: Option<Passphrase>,
}

impl Passphrases for NewKnown {
    fn to_open(&mut self, key: &str) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        match &self.protected {
            Some(known) if key == self.new => Ok(known.clone()),
            _ => self.user.to_open(key),
        }
    }

    fn to_protect(
        &mut self,
        key: &str,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        self.protected = self.user.to_protect(key)?;
        Ok(self.protected.clone())
    }
}
