//! The command line: the only place with a terminal, a clock, and exit codes.

mod apply;
mod bundle;
mod completions;
mod context;
mod crl;
mod delivery;
mod describe;
mod export;
mod failure;
mod import;
mod interrupt;
mod issue;
mod list;
mod machines;
mod options;
mod passphrase;
mod progress;
mod renew;
mod report;
mod revoke;
mod rollover;
mod root;
mod show;
mod steps;
mod subordinate;
mod succession;
mod table;
mod tree;
mod verify;

use clap::{CommandFactory, Parser, Subcommand};
use context::Context;
use failure::Failure;
use report::{Format, Report};
use std::path::PathBuf;
use std::process::ExitCode;

/// A private certificate authority in one command.
#[derive(Parser)]
#[command(
    name = "pki",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Start with:\n  pki root --name rootCA\n  pki subordinate --ca rootCA --name intermediate0\n  pki issue --ca intermediate0 --cn localclient --out ."
)]
struct Cli {
    /// The store's folder [default: PKI_STORE, else ./pki]
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    /// Never prompt: fail, and say which option to use
    #[arg(long, global = true)]
    no_input: bool,
    /// No notices and no progress
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Root(root::RootArgs),
    Subordinate(subordinate::SubordinateArgs),
    Issue(issue::IssueArgs),
    Renew(Box<renew::RenewArgs>),
    Export(export::ExportArgs),
    Bundle(bundle::BundleArgs),
    Revoke(revoke::RevokeArgs),
    Crl(crl::CrlArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Tree(tree::TreeArgs),
    Verify(verify::VerifyArgs),
    Import(import::ImportArgs),
    Apply(apply::ApplyArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

impl Command {
    fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Root(args) => args.run(context),
            Self::Subordinate(args) => args.run(context),
            Self::Issue(args) => args.run(context),
            Self::Renew(args) => args.run(context),
            Self::Export(args) => args.run(context),
            Self::Bundle(args) => args.run(context),
            Self::Revoke(args) => args.run(context),
            Self::Crl(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Tree(args) => args.run(context),
            Self::Verify(args) => args.run(context),
            Self::Import(args) => args.run(context),
            Self::Apply(args) => args.run(context),
            Self::Completions(args) => Ok(args.run()),
            Self::Man(args) => args.run(),
        }
    }
}

/// Parses, runs, and writes the result.
pub fn main() -> ExitCode {
    keep_memory_private();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let Cli {
        store,
        format,
        no_input,
        quiet,
        verbose,
        command,
    } = cli;
    let context = Context::new(store, no_input, quiet, verbose);
    match command.run(&context) {
        Ok(report) => report.in_store(&context).write(format),
        Err(failure) => failure.in_store(&context).write(),
    }
}

/// The command line as clap knows it: what the reference, man pages and completions are made of.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Keys are in this process's memory: no core file, and no other process may look into it.
fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    use signal_hook::consts::SIGXFSZ;
    use std::sync::Arc;
    // A system that refuses is no reason to refuse work; what can be had is taken.
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // A file that reaches the size limit is an error to be told, not a signal that kills; a handler
    // that only notes the signal lets the write fail instead.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
