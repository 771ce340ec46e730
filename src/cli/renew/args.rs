//! Arguments of `pki renew`.

use crate::ca::{End, Lifetime, Selector};
use crate::cli::delivery::OutArgs;
use crate::cli::failure::Failure;
use crate::cli::list::duration;
use crate::cli::options::{http_url, readings};
use crate::cli::passphrase::PassinArgs;
use crate::key::KeyType;
use crate::store::CaName;
use crate::x509::validity::Moment;
use clap::Args;
use std::path::PathBuf;
use time::Duration;

/// Renew a certificate: the same profile, subject and SANs
///
/// The key stays the same, unless --rekey makes a new one. The other extensions are those that `pki issue`
/// writes today. The old certificate stays valid, unless --supersede revokes it.
///
/// --self renews the CA's own certificate with the same key and name. --self --rekey creates another CA with
/// a new key and the same policy; roots are cross-signed. The report ends with the next steps and their
/// times.
#[derive(Args)]
pub(in crate::cli) struct RenewArgs {
    /// The CA that issued the certificate, or with --self the CA to renew
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) ca: CaName,
    /// The certificate's common name; with --self --rekey the new CA's
    #[arg(long, value_name = "NAME", conflicts_with = "serial")]
    pub(in crate::cli) cn: Option<String>,
    /// The certificate's serial number: hex, or dec:…
    #[arg(long, value_name = "S")]
    pub(in crate::cli) serial: Option<String>,
    /// Renew every valid certificate that expires within this time, as in 30d, and is not renewed yet
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["cn", "serial"])]
    pub(in crate::cli) expiring: Option<Duration>,
    /// Renew the CA's own certificate
    #[arg(long = "self", conflicts_with_all = ["serial", "expiring", "supersede", "out", "der"])]
    pub(in crate::cli) own: bool,
    /// Use a new key of the same type; with --self create a new CA, named by --name
    #[arg(long)]
    pub(in crate::cli) rekey: bool,
    /// Revoke the old certificate as superseded at the end
    #[arg(long)]
    pub(in crate::cli) supersede: bool,
    /// Days of validity [default: as before]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "not_after")]
    pub(in crate::cli) days: Option<u32>,
    /// Expiry: 2027-01-31, RFC 3339, or from now as in 90d, 12h, 1y
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) not_after: Option<Moment>,
    #[command(flatten)]
    pub(in crate::cli) passin: PassinArgs,
    /// Name of the files [default: the common name]; with --self --rekey the name of the new CA
    #[arg(long, value_name = "NAME", conflicts_with = "expiring")]
    pub(in crate::cli) name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) out: OutArgs,
    #[command(flatten)]
    pub(in crate::cli) rollover: CaRenewalArgs,
}

impl RenewArgs {
    pub(in crate::cli) fn selector(&self) -> Result<Option<Selector>, Failure> {
        Ok(match (&self.serial, &self.cn) {
            (Some(text), _) => Some(Selector::Serial(text.clone(), readings(text)?)),
            (None, Some(cn)) => Some(Selector::CommonName(cn.clone())),
            (None, None) => None,
        })
    }

    pub(in crate::cli) fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: None,
            end: self.days.map(End::Days).or(self.not_after.map(End::At)),
        }
    }
}

/// Options of `--self`.
#[derive(Args)]
pub(in crate::cli) struct CaRenewalArgs {
    /// With --self: write a CSR for an offline CA; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["install", "cross", "rekey", "days", "not_after"])]
    pub(in crate::cli) request: Option<PathBuf>,
    /// With --self: install the new certificate, PEM or DER, with or without its chain; - is standard input
    #[arg(long, value_name = "CERT", conflicts_with_all = ["cross", "rekey", "days", "not_after", "passin"])]
    pub(in crate::cli) install: Option<PathBuf>,
    /// With --install: the certificates of its issuing CAs, up to the root
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) chain: Vec<PathBuf>,
    /// With --self: cross-sign this root and another
    #[arg(long, value_name = "ROOT", conflicts_with_all = ["rekey", "days", "not_after"])]
    pub(in crate::cli) cross: Option<CaName>,
    /// With --self --rekey: do not cross-sign the roots
    #[arg(long)]
    pub(in crate::cli) no_cross: bool,
    /// With --self --rekey: the new CA's whole subject [default: its name, as common name]
    #[arg(long, value_name = "DN")]
    pub(in crate::cli) subject: Option<String>,
    /// With --self --rekey: another key type
    #[arg(long, value_name = "TYPE")]
    pub(in crate::cli) key_type: Option<KeyType>,
    /// With --self --rekey: URL of the new CA's CRL [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) crl_url: Vec<String>,
    /// With --self --rekey: URL of its certificate [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) ca_issuers_url: Vec<String>,
    /// With --self --rekey: URL of its OCSP responder [default: as before]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) ocsp_url: Vec<String>,
}

impl CaRenewalArgs {
    /// Each option, and whether it was given.
    pub(in crate::cli) fn given(&self) -> [(bool, &'static str); 4] {
        [
            (self.request.is_some(), "--request"),
            (self.install.is_some(), "--install"),
            (self.cross.is_some(), "--cross"),
            (!self.chain.is_empty(), "--chain"),
        ]
    }

    pub(in crate::cli) fn given_for_a_new_ca(&self) -> [(bool, &'static str); 6] {
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
    pub(in crate::cli) fn refuse_without_self(&self) -> Result<(), Failure> {
        let all = self.given().into_iter().chain(self.given_for_a_new_ca());
        refuse(all, "--self")
    }
}

pub(in crate::cli) fn refuse(
    options: impl IntoIterator<Item = (bool, &'static str)>,
    lacking: &str,
) -> Result<(), Failure> {
    match options.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, option)) => Err(Failure::usage(format!("{option} needs {lacking}"))),
        None => Ok(()),
    }
}
