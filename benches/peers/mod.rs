//! The programs that `pki` is compared with, each the way its documentation tells to use it.
//!
//! All of them issue from one [`Authority`], and none of them syncs what it writes.

#![allow(
    dead_code,
    reason = "every benchmark includes these modules and uses a part of them"
)]

mod authority;
pub mod certtool;
pub mod cfssl;
pub mod minica;
pub mod mkcert;
pub mod openssl;

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

pub use authority::{Authority, KeyKind};

/// Fails with the remedy where a program is not installed.
pub fn require(programs: &[&'static str]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !is_installed(program))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "not installed: {}; run benches/setup first",
        missing.join(", ")
    )
}

/// Name and version of every program, for the report.
pub fn versions() -> Result<Vec<String>> {
    Ok(vec![
        openssl::version()?,
        certtool::version()?,
        cfssl::version()?,
        mkcert::version()?,
        minica::version()?,
    ])
}

fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|directory| directory.join(program).is_file())
}

/// A program and its arguments, separated by spaces.
fn command(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// Runs a program off the clock and takes what it says.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The first line of what a program says of itself.
fn first_line(line: &str) -> Result<String> {
    let said = output(&mut command(line))?;
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}
