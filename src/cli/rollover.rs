//! `pki renew --self`: a CA's own certificate under the same key.

use super::context::Context;
use super::failure::Failure;
use super::options::{input, is_standard_output};
use super::passphrase::{Protecting, UserPassphrases};
use super::renew::args::{CaRenewalArgs, RenewArgs, refuse};
use super::report::{Lines, Report};
use super::root::MadeCa;
use super::steps::{self, Step};
use super::succession::{crossed, succeeded};
use crate::ca::{
    CaError, IssuerError, OpenFile, RenewedCa, Session, certificates_in, install_renewed, renew_ca,
    request_renewal,
};
use crate::pem;
use crate::x509::validity::rfc3339;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `--self`, in whichever of its forms.
pub(super) fn run(args: &RenewArgs, context: &Context) -> Result<Report, Failure> {
    let CaRenewalArgs {
        request,
        install,
        chain,
        cross,
        ..
    } = &args.rollover;
    if !args.rekey {
        let new = args.rollover.given_for_a_new_ca();
        let named = [
            (args.cn.is_some(), "--cn with --self"),
            (args.name.is_some(), "--name with --self"),
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
    let renewed = renew_ca(
        &mut Session::new(&store, &mut passphrases, context.now),
        ca,
        args.lifetime(),
    );
    let renewed = renewed.map_err(|error| match error {
        CaError::Issuer(IssuerError::KeyElsewhere { ca: issuer }) if issuer == *ca => Failure::from(IssuerError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "run the same command on the machine with the root's key; then install the certificate here: `pki renew --ca {ca} --self --install CERT`"
            )),
        CaError::Issuer(IssuerError::KeyElsewhere { ca: issuer }) => Failure::from(IssuerError::KeyElsewhere { ca: issuer })
            .hint(format!(
                "write a CSR for it with `pki renew --ca {ca} --self --request FILE`, and install the certificate with --install"
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

fn write_request(args: &RenewArgs, path: &Path, context: &Context) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let mut passphrases =
        UserPassphrases::new(context, Some(&args.passin), None, Protecting::NewCa)?;
    let to_file = !is_standard_output(path);
    let file = to_file
        .then(|| OpenFile::open(path, args.out.force))
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
