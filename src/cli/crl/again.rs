//! Remedies for CRLs of which only some were published, or not in every file.

use super::CrlArgs;
use crate::ca::{CaError, CrlError, Grammar, Origin, Published};
use crate::cli::failure::Failure;
use std::fmt::Write as _;

impl CrlArgs {
    /// Returns the failure of a step after the CRL; if the CRL was signed, it comes after the commit.
    pub(super) fn after_signing(&self, list: &Published, error: CaError) -> Failure {
        if list.origin == Origin::Kept {
            return error.into();
        }
        let again = self.again();
        let remedy = match error {
            CaError::WouldReplace { .. } if !self.force => {
                format!("`{again} --force` replaces it and writes the other files")
            }
            CaError::Crl(CrlError::NotPublished { .. }) if self.wants_chain() => {
                format!("`{again}` writes the chain file once the other CRLs exist")
            }
            _ => format!("fix the cause, then `{again}` writes the other files"),
        };
        Failure::after_commit("the new CRL", error, remedy)
    }

    /// Returns the remedy if the CRLs of some CAs were published, and those of others not.
    pub(super) fn remedy_for_others(&self) -> String {
        if self.ahead.is_some() {
            return "the other CRLs are signed; run the command again with --ca for the missing ones"
                .into();
        }
        format!(
            "the other CRLs are signed; `{}` signs the missing ones",
            self.again()
        )
    }

    /// The command that leaves what is good as it is, and makes what was asked for.
    fn again(&self) -> String {
        let mut line = "pki crl".to_owned();
        for ca in &self.ca {
            write!(line, " --ca {ca}").expect("a String takes everything");
        }
        if let Some(party) = self.party {
            write!(line, " --for {}", party.name).expect("a String takes everything");
        }
        if let Some(out) = &self.out {
            let out = Grammar::Shell.quote(&out.display().to_string());
            write!(line, " --out {out}").expect("a String takes everything");
        }
        for (option, given) in [
            (" --to-pem", self.to_pem),
            (" --chain", self.chain),
            (" --hash-names", self.hash_names),
            (" --if-needed", true),
            (" --force", self.force),
        ] {
            if given {
                line.push_str(option);
            }
        }
        line
    }
}
