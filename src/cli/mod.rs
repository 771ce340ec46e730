//! The command line: the only place with a terminal, a clock, and exit codes.

mod apply;
mod backup;
mod bundle;
mod ca;
mod change_passphrase;
mod check;
mod columns;
mod completions;
mod context;
mod crl;
mod database;
mod delivery;
mod describe;
mod export;
mod failure;
mod help;
mod import;
mod interrupt;
mod issue;
mod list;
mod log;
mod machines;
mod man;
mod notice;
mod ocsp;
mod options;
mod output;
mod passphrase;
mod profile;
mod progress;
mod publish;
pub(crate) mod reading;
mod remedy;
mod renew;
mod report;
mod request;
mod revoke;
mod root;
mod schema;
mod show;
mod steps;
mod subordinate;
mod table;
mod terminal;
mod tree;
mod unavailable;
mod verify;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use context::Context;
use failure::Failure;
use output::Format;
use report::Report;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// A private certificate authority in one command.
#[derive(Parser)]
#[command(name = "pki", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args)]
struct GlobalArgs {
    /// Directory of the store, or postgres://HOST/DATABASE [default: PKI_STORE, else ./pki]
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Format of results on standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    /// Never prompt; fail and name the option to use
    #[arg(long, global = true)]
    no_input: bool,
    /// Print nothing on success: no result, no notices, no progress; commands that answer, such as list, still do
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more details
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// The commands, their options, and the one that a command line speaks of.
macro_rules! commands {
    ($($name:literal $variant:ident($args:ty);)*) => {
        #[derive(Subcommand)]
        enum Command {
            $($variant(Box<$args>)),*
        }

        impl Command {
            fn run(self, context: &Context) -> Result<Report, Failure> {
                match self {
                    $(Self::$variant(args) => args.run(context)),*
                }
            }
        }

        impl Cli {
            /// Parses with the options of this command alone: to describe all of them takes longer
            /// than many a command does.
            fn parsed_as(name: &str, line: &[OsString]) -> Option<Self> {
                let root = GlobalArgs::augment_args(clap::Command::new("pki"));
                match name {
                    $($name => {
                        let own = <$args>::augment_args(clap::Command::new($name));
                        let mut matches = root.subcommand(own).try_get_matches_from(line).ok()?;
                        let (_, mut own) = matches.remove_subcommand()?;
                        Some(Self {
                            global: GlobalArgs::from_arg_matches_mut(&mut matches).ok()?,
                            command: Command::$variant(Box::new(
                                <$args>::from_arg_matches_mut(&mut own).ok()?,
                            )),
                        })
                    })*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    "root" Root(root::RootArgs);
    "subordinate" Subordinate(subordinate::SubordinateArgs);
    "issue" Issue(issue::IssueArgs);
    "request" Request(request::RequestArgs);
    "renew" Renew(renew::RenewArgs);
    "ca" Ca(ca::CaArgs);
    "passphrase" Passphrase(change_passphrase::PassphraseArgs);
    "export" Export(export::ExportArgs);
    "bundle" Bundle(bundle::BundleArgs);
    "revoke" Revoke(revoke::RevokeArgs);
    "crl" Crl(crl::CrlArgs);
    "ocsp" Ocsp(ocsp::OcspArgs);
    "publish" Publish(publish::PublishArgs);
    "list" List(list::ListArgs);
    "log" Log(log::LogArgs);
    "show" Show(show::ShowArgs);
    "tree" Tree(tree::TreeArgs);
    "verify" Verify(verify::VerifyArgs);
    "check" Check(check::CheckArgs);
    "import" Import(import::ImportArgs);
    "apply" Apply(apply::ApplyArgs);
    "profile" Profile(profile::ProfileArgs);
    "backup" Backup(backup::BackupArgs);
    "restore" Restore(backup::RestoreArgs);
    "completions" Completions(completions::CompletionsArgs);
    "man" Man(man::ManArgs);
}

impl Cli {
    fn parsed_as_any(line: &[OsString]) -> Result<Self, clap::Error> {
        // The version needs no command and no option.
        let root = clap::Command::new("pki").version(env!("CARGO_PKG_VERSION"));
        match root.try_get_matches_from(line) {
            Err(version) if version.kind() == ErrorKind::DisplayVersion => Err(version),
            _ => Self::from_arg_matches(&command().try_get_matches_from(line)?),
        }
    }

    /// Parses a command line. Where it can't be parsed by what the first word in it that names a command
    /// takes, it is looked at with all there is, to say what is wrong.
    fn parse(line: &[OsString]) -> Result<Self, clap::Error> {
        let words = line.iter().skip(1).filter_map(|word| word.to_str());
        let mut words = words.filter(|word| !word.starts_with('-'));
        words
            .find_map(|word| Self::parsed_as(word, line))
            .map_or_else(|| Self::parsed_as_any(line), Ok)
    }
}

/// Parses, runs, and writes the result.
pub fn main() -> ExitCode {
    keep_memory_private();
    completions::answer_a_shell();
    let line: Vec<OsString> = std::env::args_os().collect();
    let Cli { global, command } = match Cli::parse(&line) {
        Ok(cli) => cli,
        Err(error) => return failure::usage(error, Format::asked_for(&line)),
    };
    let GlobalArgs {
        store,
        format,
        no_input,
        quiet,
        verbose,
    } = global;
    let context = match Context::new(store, format, no_input, quiet, verbose) {
        Ok(context) => context,
        Err(failure) => return failure.write(format),
    };
    let rewrite = |text: &str| context.commands(text);
    match command.run(&context) {
        Ok(report) => report.with_commands(rewrite).write(format, quiet),
        Err(failure) => failure.with_commands(&rewrite).write(format),
    }
}

/// The command line as clap knows it: what the reference, man pages and completions are made of.
pub fn command() -> clap::Command {
    help::described(Cli::command())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Vec<OsString> {
        words.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_word_that_is_a_value_names_no_command() {
        let cli = Cli::parse(&line("pki --store issue list --cn root")).unwrap();
        assert!(matches!(cli.command, Command::List(_)));
        assert_eq!(cli.global.store, Some(PathBuf::from("issue")));
    }

    #[test]
    fn what_is_wrong_is_said_with_all_commands_in_mind() {
        let said = |words| match Cli::parse(&line(words)) {
            Ok(_) => String::new(),
            Err(error) => error.render().to_string(),
        };
        assert!(said("pki isue").contains("'issue'"));
        assert!(said("pki --help").contains("subordinate"));
        assert!(said("pki issue --frm x").contains("--from"));
    }
}
