//! `pki ca`: commands about a CA itself.

mod cross_sign;
mod rekey;
mod remove;
mod renew;

use super::context::Context;
use super::failure::Failure;
use super::report::Report;
use clap::{Args, Subcommand};

/// Renew, rekey, cross-sign or remove a CA
#[derive(Args)]
pub(super) struct CaArgs {
    #[command(subcommand)]
    command: CaCommand,
}

#[derive(Subcommand)]
enum CaCommand {
    Renew(renew::CaRenewArgs),
    Rekey(Box<rekey::CaRekeyArgs>),
    CrossSign(cross_sign::CrossSignArgs),
    Remove(remove::CaRemoveArgs),
}

impl CaArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        match self.command {
            CaCommand::Renew(args) => args.run(context),
            CaCommand::Rekey(args) => args.run(context),
            CaCommand::CrossSign(args) => args.run(context),
            CaCommand::Remove(args) => args.run(context),
        }
    }
}
