//! `pki crl --on-change`: a command for each CA whose CRL changed.

use crate::ca::{Origin, Published};
use crate::cli::context::secret_variables;
use crate::cli::failure::Failure;
use crate::store::Ca;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Runs the command once for each CA whose CRL was replaced, with all of its files; returns a failure for each
/// command that failed.
pub(super) fn run_for_each(
    line: &str,
    published: &[(Ca, Published)],
    has_all_files: impl Fn(&Published) -> bool,
) -> Vec<Failure> {
    let changed = published
        .iter()
        .filter(|(_, crl)| crl.origin != Origin::Kept && has_all_files(crl));
    let failed = changed.filter_map(|(ca, crl)| {
        let problem = match run(line, ca, crl) {
            Ok(status) if status.success() => return None,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Some(Failure::on_change(ca.name(), &problem))
    });
    failed.collect()
}

/// Runs `sh -c`. Its output goes to standard error: standard output is for the result.
fn run(line: &str, ca: &Ca, crl: &Published) -> io::Result<ExitStatus> {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .env("PKI_CA", ca.name().as_str())
        .env("PKI_CRL", file_of(crl, "der"))
        .env("PKI_CRL_PEM", file_of(crl, "pem"))
        .env("PKI_CRL_NUMBER", crl.crl.number.to_string());
    for name in secret_variables() {
        command.env_remove(name);
    }
    command.status()
}

/// Returns the absolute path of a file of the CRL; empty if it was not written.
fn file_of(crl: &Published, kind: &str) -> PathBuf {
    let file = crl.files.iter().find(|(of, _)| *of == kind);
    let path = file.map_or(Path::new(""), |(_, path)| path);
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
