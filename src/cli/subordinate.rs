//! `pki subordinate`.

use super::context::Context;
use super::failure::Failure;
use super::machines::{self, Signing};
use super::options::check_belonging;
use super::passphrase::{PassinArgs, Protecting, UserPassphrases};
use super::report::Report;
use super::root::{NewCaArgs, report};
use crate::ca::{Session, create_subordinate};
use crate::store::CaName;
use clap::Args;
use std::path::PathBuf;

/// Create a CA under a CA of the store, or under an offline CA
///
/// Path length and validity stay within those of the parent. If the two are on different machines, --request
/// makes the key and a CSR on one, and the same CSR if it is run again. --csr signs it on the other, using its
/// public key and subject, and creates no CA in the store. --install installs the certificate, which may be
/// followed by its chain.
#[derive(Args)]
pub(super) struct SubordinateArgs {
    /// The parent CA; not with --request or --install
    #[arg(long, visible_alias = "parent", value_name = "NAME", required_unless_present_any = ["request", "install"])]
    ca: Option<CaName>,
    /// The CA's name in the store, and by default its common name; not with --csr
    #[arg(long, value_name = "NAME", required_unless_present = "csr")]
    name: Option<CaName>,
    /// Sign the CSR of a CA on another machine; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "request", "install", "key_type", "key_uri", "crl_url", "ca_issuers_url", "ocsp_url", "passout", "no_passphrase"])]
    csr: Option<PathBuf>,
    /// With --csr: the file to write the certificate to [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Make a key and write a CSR for an offline parent CA; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "install", "days", "not_after", "not_before", "path_len", "permit", "exclude"])]
    request: Option<PathBuf>,
    /// Install the certificate for the CSR (PEM or DER); - is standard input
    #[arg(long, value_name = "CERT", conflicts_with_all = ["ca", "cn", "subject", "key_type", "key_uri", "days", "not_after", "not_before", "path_len", "permit", "exclude", "crl_url", "ca_issuers_url", "ocsp_url", "passin", "passout", "no_passphrase"])]
    install: Option<PathBuf>,
    /// With --install: the certificates of its issuing CAs, up to the root
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// With --csr or --request: replace an existing file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    new: NewCaArgs,
    #[command(flatten)]
    passin: PassinArgs,
}

impl SubordinateArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self {
            ca,
            name,
            csr,
            out,
            request,
            install,
            chain,
            force,
            new,
            passin,
        } = self;
        let has_output = csr.is_some() || request.is_some();
        check_belonging(&[
            ("--out", out.is_some(), "--csr", csr.is_some()),
            ("--chain", !chain.is_empty(), "--install", install.is_some()),
            ("--force", force, "--csr or --request", has_output),
            (
                "--passin",
                passin.is_given(),
                "--key-uri",
                request.is_none() || new.spec.key_uri.is_given(),
            ),
        ])?;
        new.spec.key_uri.check(&new.passout)?;
        match (csr, request, install) {
            (Some(csr), ..) => {
                let signing = Signing {
                    parent: &stated(ca, "--ca")?,
                    csr: &csr,
                    out: out.as_deref(),
                    force,
                };
                machines::sign(&signing, &new, &passin, context)
            }
            (_, Some(file), _) => {
                let name = stated(name, "--name")?;
                machines::request(&name, &file, force, new, &passin, context)
            }
            (.., Some(file)) => machines::install(&stated(name, "--name")?, &file, &chain, context),
            (None, None, None) => {
                let (ca, name) = (stated(ca, "--ca")?, stated(name, "--name")?);
                subordinate(&ca, name, new, &passin, context)
            }
        }
    }
}

fn stated(name: Option<CaName>, option: &str) -> Result<CaName, Failure> {
    name.ok_or_else(|| Failure::usage(format!("{option} is required")))
}

fn subordinate(
    parent: &CaName,
    name: CaName,
    new: NewCaArgs,
    passin: &PassinArgs,
    context: &Context,
) -> Result<Report, Failure> {
    let store = context.open_store()?;
    let passout = Some(&new.passout);
    let mut passphrases =
        UserPassphrases::with_new_cas(context, Some(passin), passout, Protecting::NewCa)?;
    passphrases.check_names(new.spec.key_uri.with_pin(&name))?;
    let new = new.spec.new_ca(name)?;
    let mut session = Session::new(&store, &mut passphrases, context.now);
    let ca = create_subordinate(&mut session, parent, &new)?;
    context.notices(session.notices);
    Ok(report(&ca, "CA"))
}
