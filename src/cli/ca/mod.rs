//! `pki ca`: commands about a CA itself.

mod cross_sign;
mod move_key;
mod rekey;
mod remove;
mod renew;

use super::context::Context;
use super::failure::Failure;
use super::report::Report;
use clap::{Args, Subcommand};

/// Renew, rekey, cross-sign or remove a CA, or move its key
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
    MoveKey(move_key::MoveKeyArgs),
    Remove(remove::CaRemoveArgs),
}

impl CaArgs {
    pub(super) fn run(self, context: &Context) -> Result<Report, Failure> {
        match self.command {
            CaCommand::Renew(args) => args.run(context),
            CaCommand::Rekey(args) => args.run(context),
            CaCommand::CrossSign(args) => args.run(context),
            CaCommand::MoveKey(args) => args.run(context),
            CaCommand::Remove(args) => args.run(context),
        }
    }
}
