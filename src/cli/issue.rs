//! `pki issue`.

use super::context::Context;
use super::export::exported_files;
use super::failure::Failure;
use super::options::{LifetimeArgs, SubjectArgs};
use super::passphrase::{PassinArgs, PassoutArgs, Protecting, UserPassphrases};
use super::report::{Lines, Report};
use crate::ca::{
    CaError, Destination, FileKind, Issued, Issuer, KeyOutput, KeySource, LeafRequest, OpenExport,
    Purpose, Status, issue, protection_for, read_request,
};
use crate::key::{KeyType, Protection};
use crate::store::{CaName, Issuance, Revoked};
use crate::x509::general_name::GeneralNameError;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Fingerprint, GeneralName, Profile};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Issue a certificate and record it in the store
///
/// The key is made here and kept in the store, or stays where it is and a request (--csr) speaks for
/// it. With --out the files for its owner are written too, as `pki export` writes them.
#[derive(Args)]
pub(super) struct IssueArgs {
    /// The CA that issues
    #[arg(long, value_name = "NAME")]
    ca: CaName,
    #[command(flatten)]
    subject: SubjectArgs,
    /// client, server, peer, email, code-signing, ocsp, timestamp
    #[arg(long, value_name = "PROFILE", default_value_t)]
    profile: Profile,
    /// Alternative names: www.example.test, 10.0.0.1, a@example.test, https://…, or with dns: ip: email: uri: before them
    #[arg(long, value_name = "NAME,…")]
    san: Vec<String>,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    /// p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87 [default: p256]
    #[arg(long, value_name = "TYPE", conflicts_with = "csr")]
    key_type: Option<KeyType>,
    /// Certify the key of a request: its public key, subject and alternative names are taken
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    #[command(flatten)]
    passin: PassinArgs,
    #[command(flatten)]
    out: OutArgs,
}

/// Where the files for the owner go.
#[derive(Args)]
struct OutArgs {
    /// Also write the certificate, its chains and its key into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What the files are called [default: the common name]
    #[arg(long, value_name = "NAME", requires = "out")]
    name: Option<String>,
    /// Also write the certificate as DER
    #[arg(long, requires = "out")]
    der: bool,
    /// Replace files that are there already
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    passout: PassoutArgs,
}

/// What happens after the certificate is recorded.
struct Delivery {
    files: OpenExport,
    protection: Protection,
}

impl IssueArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        if !self.subject.is_given() && self.san.is_empty() && self.csr.is_none() {
            return Err(
                Failure::usage("there is none of --cn, --subject, --san and --csr")
                    .hint("`pki issue --ca NAME --cn NAME` issues a client certificate"),
            );
        }
        let store = context.open_store()?;
        store.ca(&self.ca)?;
        let mut passphrases = UserPassphrases::new(
            context,
            Some(&self.passin),
            Some(&self.out.passout),
            Protecting::Export,
        )?;
        let request = self.request()?;
        let files = self.open_files(&request)?;
        let issuer = Issuer::open(
            &store,
            &self.ca,
            Purpose::Certificates,
            &mut passphrases,
            context.now,
        )?;
        context.detail(format!("opened the key of {}", self.ca));
        let delivery = match files {
            Some((files, name)) => Some(Delivery::new(files, &name, &request, &mut passphrases)?),
            None => None,
        };
        let issued = issue(&issuer, request, context.now)?;
        context.notices(&issued.notices);
        let remedy = self.fetch_with(&issued.issuance);
        let files =
            match delivery {
                Some(delivery) => delivery.write(&issued, issuer.path()).map_err(|source| {
                    CaError::AfterCommit {
                        what: format!("the certificate {}", issued.issuance.serial),
                        remedy: remedy.clone(),
                        source: Box::new(source),
                    }
                })?,
                None => BTreeMap::new(),
            };
        let entry = CertificateEntry::new(&self.ca, &issued.issuance, files);
        Ok(Report::new(&entry, entry.text()).committed(remedy))
    }

    fn request(&self) -> Result<LeafRequest, Failure> {
        let names = self.san.iter().map(|list| GeneralName::parse_list(list));
        let names: Result<Vec<Vec<GeneralName>>, GeneralNameError> = names.collect();
        let key = match &self.csr {
            Some(path) => KeySource::Request {
                path: path.clone(),
                request: Box::new(read_request(path)?),
            },
            None => KeySource::Generate(self.key_type.unwrap_or_default()),
        };
        Ok(LeafRequest {
            subject: self.subject.resolve()?,
            alternative_names: names.map_err(CaError::from)?.concat(),
            profile: self.profile,
            lifetime: self.lifetime.lifetime(),
            key,
        })
    }

    /// Opens the files that are wanted: what hinders them has to show before anything is issued.
    fn open_files(&self, request: &LeafRequest) -> Result<Option<(OpenExport, String)>, Failure> {
        let Some(directory) = &self.out.out else {
            if self.out.passout.is_given() {
                return Err(Failure::usage(
                    "--passout and --no-passphrase are about the files of --out, which is not given",
                )
                .hint("the key stays in the store under the CA's passphrase; `pki export` gives it out"));
            }
            return Ok(None);
        };
        if directory.as_os_str() == "-" {
            return Err(Failure::usage(
                "--out is a folder here, for several files; - is none",
            ));
        }
        let common_name = || match (&request.subject, &request.key) {
            (Some(subject), _) => subject.common_name(),
            (None, KeySource::Request { request, .. }) => request.subject().common_name(),
            (None, KeySource::Generate(_)) => None,
        };
        let name = self
            .out
            .name
            .clone()
            .or_else(common_name)
            .unwrap_or_default();
        let destination = Destination {
            directory: directory.clone(),
            name: name.clone(),
            overwrite: self.out.force,
        };
        let key = matches!(request.key, KeySource::Generate(_));
        let kinds = FileKind::usual(true, key, self.out.der);
        Ok(Some((destination.open(&kinds)?, name)))
    }

    fn fetch_with(&self, issuance: &Issuance) -> String {
        let name = self
            .out
            .name
            .as_ref()
            .map(|name| format!(" --name {name}"))
            .unwrap_or_default();
        format!(
            "`pki export --ca {} --serial 0x{} --out DIR{name}` writes its files",
            self.ca, issuance.serial
        )
    }
}

impl Delivery {
    fn new(
        files: OpenExport,
        name: &str,
        request: &LeafRequest,
        passphrases: &mut UserPassphrases,
    ) -> Result<Self, Failure> {
        let protection = match request.key {
            KeySource::Generate(_) => {
                protection_for(&format!("the exported key of {name}"), passphrases)?
            }
            KeySource::Request { .. } => Protection::None,
        };
        Ok(Self { files, protection })
    }

    fn write(
        self,
        issued: &Issued,
        path: &[Certificate],
    ) -> Result<BTreeMap<&'static str, String>, CaError> {
        let Self { files, protection } = self;
        let key = issued.key.as_ref().map(|key| KeyOutput {
            key,
            protection: &protection,
            passphrase: None,
        });
        Ok(exported_files(&files.write(
            &issued.certificate,
            path,
            key.as_ref(),
        )?))
    }
}

/// A certificate as `issue` and `list` report it.
#[derive(Serialize)]
pub(super) struct CertificateEntry {
    ca: String,
    serial: String,
    subject: String,
    sans: Vec<String>,
    profile: String,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl CertificateEntry {
    fn new(ca: &CaName, issuance: &Issuance, files: BTreeMap<&'static str, String>) -> Self {
        Self {
            files: Some(files),
            ..Self::listed(ca, issuance, None)
        }
    }

    /// As it stands in a list.
    pub(super) fn listed(
        ca: &CaName,
        issuance: &Issuance,
        standing: Option<(Status, Option<&Revoked>)>,
    ) -> Self {
        let revoked = standing.and_then(|(_, revoked)| revoked);
        Self {
            ca: ca.to_string(),
            serial: issuance.serial.to_string(),
            subject: issuance.subject.clone(),
            sans: issuance.sans.clone(),
            profile: issuance.profile.clone(),
            not_before: rfc3339(issuance.not_before),
            not_after: rfc3339(issuance.not_after),
            fingerprint_sha256: Fingerprint::of(&issuance.der).to_string(),
            files: None,
            status: standing.map(|(status, _)| status.as_str()),
            revoked_at: revoked.map(|revoked| rfc3339(revoked.revoked_at)),
            reason: revoked.map(|revoked| revoked.reason.as_str()),
        }
    }

    fn text(&self) -> String {
        let names = (!self.sans.is_empty()).then(|| self.sans.join(", "));
        let mut lines = Lines::default()
            .row("serial", &self.serial)
            .row("subject", &self.subject)
            .row_if("names", names)
            .row("valid until", &self.not_after);
        for (kind, path) in self.files.iter().flatten() {
            lines = lines.row(kind, path);
        }
        lines.under(&format!(
            "issued a {} certificate under {}",
            self.profile, self.ca
        ))
    }
}
