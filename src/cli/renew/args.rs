//! Arguments of `pki renew`.

use crate::ca::{End, Lifetime, Selector};
use crate::cli::delivery::OutArgs;
use crate::cli::failure::Failure;
use crate::cli::list::duration;
use crate::cli::options::{ProfilesArgs, readings};
use crate::cli::passphrase::PassinArgs;
use crate::store::CaName;
use crate::x509::validity::Moment;
use clap::Args;
use time::Duration;

/// Renew a certificate: the same profile, subject and SANs
///
/// The key stays the same, unless --rekey makes a new one. The other extensions are those that `pki issue`
/// writes today. The old certificate stays valid, unless --supersede revokes it. `pki ca renew` renews a CA.
#[derive(Args)]
pub(in crate::cli) struct RenewArgs {
    /// The issuing CA
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) ca: CaName,
    /// The certificate's common name
    #[arg(long, value_name = "NAME", conflicts_with = "serial")]
    pub(in crate::cli) cn: Option<String>,
    /// The certificate's serial number: hex, or dec:…
    #[arg(long, value_name = "S")]
    pub(in crate::cli) serial: Option<String>,
    /// Renew every valid certificate that expires within this time, as in 30d, and is not renewed yet
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["cn", "serial"])]
    pub(in crate::cli) expiring: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) profiles: ProfilesArgs,
    /// Use a new key of the same type
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
    /// Name of the files [default: the common name, or the first SAN]
    #[arg(long, value_name = "NAME", conflicts_with = "expiring")]
    pub(in crate::cli) name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) out: OutArgs,
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
