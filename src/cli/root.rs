//! `pki root`.

use super::context::Context;
use super::failure::Failure;
use super::options::{LifetimeArgs, PolicyArgs, SubjectArgs};
use super::passphrase::{PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{CaError, NewCa, create_root};
use crate::key::KeyType;
use crate::store::{Ca, CaName};
use crate::x509::validity::rfc3339;
use crate::x509::{Name, NameConstraints};
use clap::Args;
use serde::Serialize;

/// Make a root CA: a key, and a certificate that it signs itself
///
/// Makes the store too, where there is none yet.
#[derive(Args)]
pub(super) struct RootArgs {
    /// The CA's name in the store, and its common name unless --cn or --subject say another
    #[arg(long, value_name = "NAME")]
    name: CaName,
    #[command(flatten)]
    new: NewCaArgs,
}

/// What root and subordinate CAs have alike.
#[derive(Args)]
pub(super) struct NewCaArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87
    #[arg(long, value_name = "TYPE", default_value_t)]
    key_type: KeyType,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    pub(super) passout: PassoutArgs,
}

impl NewCaArgs {
    pub(super) fn new_ca(&self, name: &CaName) -> Result<NewCa, Failure> {
        let subject = match self.subject.resolve()? {
            Some(subject) => subject,
            None => Name::from_common_name(name.as_str()).map_err(CaError::from)?,
        };
        let PolicyArgs {
            path_len,
            permit,
            exclude,
            crl_url,
            ca_issuers_url,
            ocsp_url,
        } = &self.policy;
        Ok(NewCa {
            name: name.clone(),
            subject,
            lifetime: self.lifetime.lifetime(),
            key_type: self.key_type,
            path_length: *path_len,
            constraints: NameConstraints {
                permitted: permit.clone(),
                excluded: exclude.clone(),
            },
            crl_urls: crl_url.clone(),
            ca_issuers_urls: ca_issuers_url.clone(),
            ocsp_urls: ocsp_url.clone(),
        })
    }
}

impl RootArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let new = self.new.new_ca(&self.name)?;
        let mut passphrases =
            UserPassphrases::new(context, None, Some(&self.new.passout), Protecting::NewCa)?;
        let (ca, notices) = create_root(
            &context.store,
            context.observer(),
            &new,
            &mut passphrases,
            context.now,
        )?;
        context.notices(notices);
        Ok(report(&ca, "root CA"))
    }
}

#[derive(Serialize)]
struct MadeCa {
    ca: String,
    parent: Option<String>,
    subject: String,
    serial: String,
    key_type: String,
    path_length: Option<u32>,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
    certificate: String,
}

/// What was made, and how to see it again.
pub(super) fn report(ca: &Ca, kind: &str) -> Report {
    let certificate = ca.certificate();
    let validity = certificate.validity();
    let made = MadeCa {
        ca: ca.name().to_string(),
        parent: ca.record().parent.as_ref().map(ToString::to_string),
        subject: certificate.subject().to_string(),
        serial: certificate
            .serial()
            .map(|serial| serial.to_string())
            .unwrap_or_default(),
        key_type: certificate.public_key().algorithm().to_string(),
        path_length: certificate
            .basic_constraints()
            .and_then(|basic| basic.path_length),
        not_before: rfc3339(validity.not_before),
        not_after: rfc3339(validity.not_after),
        fingerprint_sha256: certificate.fingerprint().to_string(),
        certificate: ca.certificate_path().display().to_string(),
    };
    let text = Lines::default()
        .row_if("under", made.parent.as_ref())
        .row("subject", &made.subject)
        .row("serial", &made.serial)
        .row("key type", &made.key_type)
        .row_if("path length", made.path_length)
        .row("valid until", &made.not_after)
        .row("certificate", &made.certificate)
        .under(&format!("made the {kind} {}", made.ca));
    Report::new(&made, text).committed(format!("`pki show --ca {}` shows it", made.ca))
}
