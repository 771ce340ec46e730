//! The `pki` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    pki::cli::main()
}
