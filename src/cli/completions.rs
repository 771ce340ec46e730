//! `pki completions`, and the answers to the shells.

use super::context::Context;
use super::database::store_address;
use super::failure::Failure;
use super::report::Report;
use crate::ca::Profiles;
use crate::key::KeyType;
use crate::store::{Address, Store};
use crate::x509::{Profile, Reason};
use clap::{Arg, Args};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use std::ffi::OsString;
use std::path::PathBuf;

/// Variable by which a shell asks for completions.
const VARIABLE: &str = "PKI_COMPLETE";

/// Print the completions of a shell
///
/// The script asks pki for the values that fit: commands, options, CAs of the store, profiles, key types,
/// reasons.
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self, _: &Context) -> Result<Report, Failure> {
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell.to_string());
        let shell = shell.expect("clap took no other shell");
        let mut script = Vec::new();
        shell
            .write_registration(VARIABLE, "pki", "pki", "pki", &mut script)
            .map_err(Failure::output)?;
        Ok(Report::raw(script))
    }
}

/// Answers a shell that asks for completions, and ends the process.
pub(super) fn answer_a_shell() {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(super::command)
            .var(VARIABLE)
            .complete();
    }
}

/// Adds the values that fit an option.
pub(super) fn with_candidates(arg: Arg) -> Arg {
    let values: fn() -> Vec<CompletionCandidate> = match arg.get_id().as_str() {
        "ca" | "other" | "via" => cas,
        "profile" => {
            || named(store_of_line().map_or_else(Vec::new, |store| Profiles::names_in(&store)))
        }
        "purpose" => || named(Profile::ALL.map(Profile::as_str)),
        "key_type" => || named(KeyType::ALL.map(KeyType::as_str)),
        "reason" => || named(Reason::ALL.map(Reason::as_str)),
        _ => return arg,
    };
    arg.add(ArgValueCandidates::new(values))
}

fn named<T: Into<OsString>>(names: impl IntoIterator<Item = T>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the CAs of the store.
fn cas() -> Vec<CompletionCandidate> {
    let names = store_of_line().and_then(|store| Store::ca_names_in(&store).ok());
    let names = names.unwrap_or_default();
    named(names.iter().map(|name| name.as_str().to_owned()))
}

/// Returns the store that the line names, or the usual one.
fn store_of_line() -> Option<Address> {
    let line: Vec<OsString> = std::env::args_os().collect();
    let given = line.iter().enumerate().find_map(|(index, word)| {
        if word == "--store" {
            return line.get(index + 1).map(PathBuf::from);
        }
        word.to_str()?.strip_prefix("--store=").map(PathBuf::from)
    });
    store_address(given).ok()
}
