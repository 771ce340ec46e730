#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Lists of many revocations: `pki crl` against `openssl ca -gencrl`, as whole processes.
//!
//! `cargo bench --bench crl` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench crl -- --rounds 1` has a quick look and leaves the page alone.

mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use harness::{Comparison, Report, rounds_asked};
use peers::{Authority, KeyKind, openssl};
use store::Store;
use store::revocations::revocations;

fn main() -> Result<()> {
    let asked = rounds_asked()?;
    peers::require(&["openssl"])?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-crl");
    fs::create_dir_all(&folder)?;

    let versions = [store::version()?, openssl::version()?];
    let mut report = Report::new("crl", &folder, &versions)?;
    for (count, rounds) in [(10_000_u32, 20), (100_000, 10), (1_000_000, 5)] {
        let comparison = list_of(count, &folder.join(count.to_string()))?;
        report.add(&comparison.run(asked.unwrap_or(rounds))?);
    }
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

/// A list of `count` revocations, as DER and as PEM.
fn list_of(count: u32, folder: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(&format!("A list of {count} revocations"), folder)?;
    let first = Store::new(&folder.join("first"), KeyKind::P256)?;
    let next = Store::new(&folder.join("next"), KeyKind::P256)?;
    let authority = Authority::new(&folder.join("authority"), KeyKind::P256)?;
    let all = revocations(count);
    first.revoke_all(&all)?;
    next.revoke_all(&all)?;
    openssl::revoke_all(&authority, &all)?;
    next.publish()?;
    Ok(comparison
        .with_short_warm_up()
        .judged_by(move |entries| {
            ensure!(
                entries == count.to_string(),
                "{entries} entries on the list"
            );
            Ok(())
        })
        .with(first.first_list())
        .with(next.next_list())
        .with(openssl::list(&authority)))
}
