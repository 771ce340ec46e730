//! Key helper of `pki` for keys in tokens: smart cards, HSMs, TPMs and other devices with a PKCS #11 module.
//!
//! `pki` starts it and speaks with it by lines of JSON; docs/key-helpers.md describes them. Private keys stay in
//! the token. `pki-key-pkcs11 list` prints tokens and keys.

mod actions;
mod command;
mod devices;
mod generate;
mod import;
mod lines;
mod list;
#[path = "../../key/outside/message.rs"]
#[allow(dead_code, reason = "`pki` uses the rest of the messages")]
mod message;
mod module;
mod new_key;
mod objects;
mod pkcs8;
mod problem;
mod public;
mod serve;
mod sign;
mod signature;
mod spki;
mod token;
mod uri;

use clap::{CommandFactory, Parser, Subcommand};
use command::{Format, ListArgs, complain, print_list};
use devices::Devices;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Key helper of pki for keys in PKCS #11 tokens (smart cards, HSMs, TPMs).
///
/// `pki` starts this program for keys with a `pkcs11:` URI. `list` prints tokens and keys, with URIs for the option
/// --key-uri of pki.
#[derive(Parser)]
#[command(name = "pki-key-pkcs11", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print tokens and their keys
    List(ListArgs),
}

fn main() -> ExitCode {
    keep_memory_private();
    let cli = Cli::parse();
    let output = match own_output() {
        Ok(output) => output,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: standard output: {error}");
            return ExitCode::FAILURE;
        }
    };
    match cli.command {
        Some(Command::List(args)) => run_list(&args, output),
        None if io::stdin().is_terminal() => {
            let help = Cli::command().render_long_help();
            let _ = write!(io::stderr(), "{help}");
            ExitCode::from(2)
        }
        None => run_protocol(output),
    }
}

fn run_list(args: &ListArgs, mut output: File) -> ExitCode {
    // Not parsed by clap, which would repeat a PIN that is given in its place.
    let pin = match args.passin.as_deref().map(str::parse).transpose() {
        Ok(pin) => pin,
        Err(failure) => {
            complain(failure, args.format);
            return ExitCode::from(2);
        }
    };
    match print_list(args, pin.as_ref(), &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(failure, args.format);
            ExitCode::FAILURE
        }
    }
}

fn run_protocol(output: File) -> ExitCode {
    // Ctrl-C reaches every process of the terminal. `pki` may finish what it began: the end of its requests
    // ends this process.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default());
    let default = std::env::var_os("PKI_PKCS11_MODULE").filter(|path| !path.is_empty());
    let devices = Devices::new(default.map(Into::into));
    let served = serve::serve(&devices, io::stdin().lock(), output);
    devices.finish();
    match served {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let message = format!("standard input: {error}");
            let failure = problem::Failure::new(message::Code::Failed, message);
            complain(failure, Format::Text);
            ExitCode::FAILURE
        }
    }
}

/// Standard output for answers alone: what a module prints goes to standard error.
fn own_output() -> io::Result<File> {
    let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(own.into())
}

/// PINs and keys to import are in this process's memory: no core file, and no other process may look into it.
fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // A system that refuses is no reason to refuse work.
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
