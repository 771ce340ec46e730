#![allow(clippy::print_stdout, clippy::print_stderr)]
//! CRLs of many revocations: `pki crl` against `openssl ca -gencrl`, as whole processes.
//!
//! `cargo bench --bench crl` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench crl -- --rounds 1` has a quick look and leaves the page alone.

mod floor;
mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use harness::{Comparison, Figure, Report, rounds_asked};
use peers::{Authority, KeyKind, openssl};
use store::Store;
use store::revocations::revocations;

const NEXT: &str = "**pki crl --to-pem**, the next";
const FLOOR: &str =
    "journal read; SHA-256 and write of both files; a signature and its verification";
const OPENSSL: &str = "openssl ca -gencrl, openssl crl -outform DER";

/// Revocations of the largest CRL, for which the goals are.
const LARGEST: u32 = 1_000_000;

fn main() -> Result<()> {
    if floor::is_asked()? {
        return Ok(());
    }
    let asked = rounds_asked()?;
    peers::require(&["openssl", "strace"])?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-crl");
    fs::create_dir_all(&directory)?;

    let versions = [store::version()?, openssl::version()?];
    let mut report = Report::new("crl", &directory, &versions)?;
    for (count, rounds) in [(10_000_u32, 20), (100_000, 10), (LARGEST, 5)] {
        let comparison = list_of(count, &directory.join(count.to_string()))?;
        report.add(&comparison.run(asked.unwrap_or(rounds))?);
    }
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

/// A CRL of `count` revocations, as DER and as PEM.
fn list_of(count: u32, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(&format!("A CRL of {count} revocations"), directory)?;
    let first = Store::new(&directory.join("first"), KeyKind::P256)?;
    let next = Store::new(&directory.join("next"), KeyKind::P256)?;
    let authority = Authority::new(&directory.join("authority"), KeyKind::P256)?;
    let all = revocations(count);
    first.revoke_all(&all)?;
    next.revoke_all(&all)?;
    openssl::revoke_all(&authority, &all)?;
    next.publish()?;
    let floor = floor::crl(FLOOR, &next.revoked(), &next.crl_sizes()?);
    let called = |figure: Figure| figure.called(&format!("{NEXT} of {count}"));
    let goal = |most: f64, figure: Figure| match count {
        LARGEST => called(figure).at_most(most),
        _ => called(figure),
    };
    Ok(comparison
        .with_short_warm_up()
        .judged_by(move |entries| {
            ensure!(entries == count.to_string(), "{entries} entries in the CRL");
            Ok(())
        })
        .with(floor)
        .with(first.first_list())
        .with(next.next_list())
        .with(openssl::list(&authority))
        .figure(goal(3.0, Figure::wall(NEXT, &[FLOOR])).bound_by(
            "lines of the journal, read and checked; the new files and the published ones, read and hashed",
        ))
        .figure(called(Figure::cpu(NEXT, &[FLOOR])))
        .figure(called(Figure::wall(NEXT, &[OPENSSL])))
        .figure(
            goal(0.25, Figure::memory(NEXT, OPENSSL)).bound_by("the new CRL and the previous one"),
        ))
}
