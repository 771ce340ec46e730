//! Words of the remedies that errors and findings carry.

use crate::ca::{Remedy, RuleFinding};
use std::fmt;

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignCrlAgain => {
                f.write_str("run the same command again: it signs another CRL with the next number")
            }
            Self::WriteFilesAgain => {
                f.write_str("run the same command again to write the missing files")
            }
            Self::WriteCsrAgain => f.write_str("run the same command again to write it"),
            Self::InstallAgain => {
                f.write_str("if `pki tree` shows the CA as pending, run the same command again")
            }
            Self::ImportAgain => {
                f.write_str("if `pki tree` does not show the CA, run the same command again")
            }
            Self::MoveKeyAgain => f.write_str("run the same command again to remove the key file"),
            Self::CompletedByNext => {
                f.write_str("the next command completes it; then `pki tree` shows it")
            }
            Self::RemovedByNext => f.write_str("the next command removes the old keys"),
            Self::PublishPresigned { ca } => {
                write!(f, "publish the due one with `pki crl --ca {ca}`")
            }
            Self::Revoke { ca, serial } => {
                write!(f, "`pki revoke --ca {ca} --serial 0x{serial}` revokes it")
            }
            Self::CrossSign { ca, other } => write!(
                f,
                "issue the other one with `pki ca cross-sign --ca {ca} --with {other}`"
            ),
            Self::InstallRenewed { ca, signer, serial } => write!(
                f,
                "`pki export --ca {signer} --serial 0x{serial} --out DIR --name {ca}` writes it, and `pki ca renew --ca {ca} --install DIR/{ca}.crt` puts it in its place"
            ),
            Self::RenewCa { ca } => write!(f, "`pki ca renew --ca {ca}` renews it"),
            Self::ListExpiring { ca, days } => {
                write!(f, "`pki list --ca {ca} --expiring {days}d` shows them")
            }
            Self::DateCrlNow { ca } => write!(
                f,
                "if the clock is right, `pki crl --ca {ca} --date-now` signs one dated now"
            ),
            Self::SignCrl { ca } => write!(f, "`pki crl --ca {ca}` does"),
            Self::SignNextCrl { ca } => write!(f, "`pki crl --ca {ca}` signs the next"),
            Self::CheckForJava => f.write_str("check it as a trust store with --for java"),
        }
    }
}

/// Returns the message of a finding, with its remedy.
pub(super) fn message_of(finding: &RuleFinding) -> String {
    match &finding.remedy {
        Some(remedy) => format!("{}; {remedy}", finding.message),
        None => finding.message.clone(),
    }
}

impl fmt::Display for RuleFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", message_of(self), self.rule)
    }
}
