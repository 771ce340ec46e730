//! A hierarchy with thirty certificates, from `fixtures/mutual-tls.toml`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{program, run};
use crate::harness::{Contender, Round};

const FILE: &str = "mutual-tls.toml";

/// Certificates that the file describes, besides those of CAs.
pub const CERTIFICATES: usize = 30;

/// CAs that the file describes.
pub const CAS: usize = 3;

/// All of it, in a new store.
pub fn apply() -> Contender {
    Contender::new("**pki apply**, a new store", |round| {
        Ok(vec![command(round)?])
    })
    .product_in(|_| "certs/good.crt".to_owned())
}

/// Once more, where nothing is left to do.
pub fn apply_again() -> Contender {
    Contender::new("**pki apply**, again", |round| {
        run(command(round)?.current_dir(round.directory()))?;
        Ok(vec![command(round)?])
    })
}

fn command(round: &Round) -> Result<Command> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(FILE);
    round.write(FILE, &std::fs::read_to_string(file)?)?;
    let mut apply = Command::new(program());
    apply.args(["--store", "pki", "apply", FILE, "--no-passphrase"]);
    Ok(apply)
}
