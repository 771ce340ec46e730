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

/// Issue a certificate in the place of another: the same profile, subject and names
///
/// The key stays the same, unless --rekey makes a new one; what goes into the certificate beside it is
/// what `pki issue` writes today. The old one stays valid, unless --supersede revokes it.
///
/// With --self it is the CA's own certificate that is renewed, under the same key and name. With --rekey
/// another CA is made beside it, with a key of its own and its policy; roots then certify each other's
/// keys. What to do next, and when, is said.
#[derive(Args)]
pub(in crate::cli) struct RenewArgs {
    /// The CA that issued the certificate, or with --self the one that is renewed
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) ca: CaName,
    /// The certificate's common name; with --self --rekey the new CA's
    #[arg(long, value_name = "NAME", conflicts_with = "serial")]
    pub(in crate::cli) cn: Option<String>,
    /// The certificate's serial number: hex, or dec:…
    #[arg(long, value_name = "S")]
    pub(in crate::cli) serial: Option<String>,
    /// Every valid certificate that ends within this time, as in 30d, and has no successor yet
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["cn", "serial"])]
    pub(in crate::cli) expiring: Option<Duration>,
    /// The CA's own certificate
    #[arg(long = "self", conflicts_with_all = ["serial", "expiring", "supersede", "out", "der"])]
    pub(in crate::cli) own: bool,
    /// With a new key of the same kind; with --self it is that of a new CA, called --name
    #[arg(long)]
    pub(in crate::cli) rekey: bool,
    /// Revoke the old certificate, as superseded, when all else is done
    #[arg(long)]
    pub(in crate::cli) supersede: bool,
    /// Days of validity [default: as long as the one before]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "not_after")]
    pub(in crate::cli) days: Option<u32>,
    /// The end of the validity: 2027-01-31, RFC 3339, or from now as in 90d, 12h, 1y
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) not_after: Option<Moment>,
    #[command(flatten)]
    pub(in crate::cli) passin: PassinArgs,
    /// What the files are called, or with --self --rekey the new CA [default: the common name]
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
    /// With --self: write a request for a CA elsewhere to sign; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["install", "cross", "rekey", "days", "not_after"])]
    pub(in crate::cli) request: Option<PathBuf>,
    /// With --self: the certificate that came back, PEM or DER, perhaps with those above it; - is standard input
    #[arg(long, value_name = "CERT", conflicts_with_all = ["cross", "rekey", "days", "not_after", "passin"])]
    pub(in crate::cli) install: Option<PathBuf>,
    /// With --install: the certificates of the CAs above it, up to the root
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) chain: Vec<PathBuf>,
    /// With --self: have this root and another certify each other's keys
    #[arg(long, value_name = "ROOT", conflicts_with_all = ["rekey", "days", "not_after"])]
    pub(in crate::cli) cross: Option<CaName>,
    /// With --self --rekey: roots do not certify each other's keys
    #[arg(long)]
    pub(in crate::cli) no_cross: bool,
    /// With --self --rekey: the new CA's whole subject [default: its name, as common name]
    #[arg(long, value_name = "DN")]
    pub(in crate::cli) subject: Option<String>,
    /// With --self --rekey: another kind of key
    #[arg(long, value_name = "TYPE")]
    pub(in crate::cli) key_type: Option<KeyType>,
    /// With --self --rekey: where the new CA's list will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) crl_url: Vec<String>,
    /// With --self --rekey: where its certificate will be [default: as before, with the new name]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) ca_issuers_url: Vec<String>,
    /// With --self --rekey: where its OCSP responder will be [default: as before]
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
