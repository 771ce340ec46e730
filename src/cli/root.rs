//! `pki root`.

use super::context::Context;
use super::failure::Failure;
use super::options::{KeyUriArgs, LifetimeArgs, PolicyArgs, SubjectArgs, check_belonging};
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{NewCa, create_fixture_root, create_root};
use crate::key::KeyType;
use crate::store::{Ca, CaName, Location};
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Name};
use clap::Args;
use serde::Serialize;

/// Create a root CA: a key and a self-signed certificate
///
/// Creates the store if there is none.
#[derive(Args)]
pub(super) struct RootArgs {
    /// The CA's name in the store, and by default its common name
    #[arg(long, value_name = "NAME")]
    name: CaName,
    /// Create a fixture store for tests: in it, `pki issue` with --flaw issues certificates with a defect
    #[arg(long)]
    fixture: bool,
    #[command(flatten)]
    new: NewCaArgs,
    #[command(flatten)]
    passin: PassinArgs,
}

/// Arguments of a new root or subordinate CA.
#[derive(Args)]
pub(super) struct NewCaArgs {
    #[command(flatten)]
    pub(super) spec: CaSpec,
    #[command(flatten)]
    pub(super) passout: PassoutArgs,
}

/// Specification of a CA, given by options or by a declaration.
#[derive(Args)]
pub(super) struct CaSpec {
    #[command(flatten)]
    pub(super) subject: SubjectArgs,
    #[command(flatten)]
    pub(super) lifetime: LifetimeArgs,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87 [default: p256]
    #[arg(long, value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    #[command(flatten)]
    pub(super) key_uri: KeyUriArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

impl CaSpec {
    /// Returns the subject; by default the CA's name is its common name.
    pub(super) fn subject(&self, name: &str) -> Result<Name, Failure> {
        match self.subject.resolve()? {
            Some(subject) => Ok(subject),
            None => Ok(Name::from_common_name(name)?),
        }
    }

    pub(super) fn new_ca(self, name: CaName) -> Result<NewCa, Failure> {
        let subject = self.subject(name.as_str())?;
        Ok(NewCa {
            name,
            subject,
            lifetime: self.lifetime.lifetime(),
            length: None,
            key_type: self.key_type,
            usual_type: KeyType::default(),
            key_uri: self.key_uri.key_uri,
            path_length: self.policy.path_len,
            constraints: self.policy.constraints(),
            crl_urls: self.policy.urls.crl_url,
            ca_issuers_urls: self.policy.urls.ca_issuers_url,
            ocsp_urls: self.policy.urls.ocsp_url,
        })
    }
}

impl RootArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        let NewCaArgs { spec, passout } = self.new;
        spec.key_uri.check(&passout)?;
        check_belonging(&[(
            "--passin",
            self.passin.is_given(),
            "--key-uri",
            spec.key_uri.is_given(),
        )])?;
        let named = spec.key_uri.with_pin(&self.name).to_vec();
        let new = spec.new_ca(self.name)?;
        let mut passphrases = UserPassphrases::with_new_cas(
            context,
            Some(&self.passin),
            Some(&passout),
            Protecting::NewCa,
        )?;
        passphrases.check_names(&named)?;
        let create = if self.fixture {
            create_fixture_root
        } else {
            create_root
        };
        let (ca, notices) = create(
            &context.store,
            context.operator(),
            &new,
            &mut passphrases,
            context.now,
        )?;
        context.notices(notices);
        Ok(report(&ca, "root CA"))
    }
}

/// A CA that was made, here or elsewhere.
#[derive(Clone, Serialize)]
pub(super) struct MadeCa {
    pub(super) ca: Option<String>,
    pub(super) parent: Option<String>,
    subject: String,
    serial: String,
    key_type: String,
    path_length: Option<u32>,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
    pub(super) certificate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) added: Option<Vec<String>>,
}

impl MadeCa {
    /// Returns one whose certificate is in a file.
    pub(super) fn new(certificate: &Certificate, file: impl Into<Location>) -> Self {
        let validity = certificate.validity();
        Self {
            ca: None,
            parent: None,
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
            certificate: file.into().to_string(),
            added: None,
        }
    }

    /// Returns one of the store.
    pub(super) fn of(ca: &Ca) -> Self {
        Self {
            ca: Some(ca.name().to_string()),
            parent: ca.record().parent.as_ref().map(ToString::to_string),
            ..Self::new(ca.certificate(), ca.certificate_location())
        }
    }

    pub(super) fn lines(&self) -> Lines {
        Lines::default()
            .row_if("issuer", self.parent.as_ref())
            .row("subject", &self.subject)
            .row("serial", &self.serial)
            .row("key type", &self.key_type)
            .row_if("path length", self.path_length)
            .row("expires", &self.not_after)
            .row("certificate", &self.certificate)
    }
}

/// Report of a new CA.
pub(super) fn report(ca: &Ca, kind: &str) -> Report {
    let made = MadeCa::of(ca);
    let text = made
        .lines()
        .under(&format!("created the {kind} {}", ca.name()));
    Report::new(&made, text).committed(format!("`pki show --ca {}` shows it", ca.name()))
}
