#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Pre-signed OCSP responses for a whole CA, as one process.
//!
//! `cargo bench --bench ocsp` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench ocsp -- --rounds 1` has a quick look and leaves the page alone.

mod floor;
mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use floor::Work;
use harness::{Comparison, Figure, Report, rounds_asked};
use peers::KeyKind;
use store::Store;
use store::batches::table;

/// Certificates, and responses.
const COUNT: u32 = 100_000;

const OCSP: &str = "**pki ocsp --cert-id sha1**";
const SIGNATURES: &str = "signatures on all cores";
const VERIFIED: &str = "signatures and verifications on all cores";
const FILES: &str = "files of the same sizes in the same directories";

fn main() -> Result<()> {
    if floor::is_asked()? {
        return Ok(());
    }
    let asked = rounds_asked()?;
    peers::require(&["strace"])?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-ocsp");
    fs::create_dir_all(&directory)?;
    let mut report = Report::new("ocsp", &directory, &[store::version()?])?;
    report.add(&responses(&directory.join("rounds"))?.run(asked.unwrap_or(3))?);
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn responses(directory: &Path) -> Result<Comparison> {
    let title = format!("OCSP responses for {COUNT} certificates");
    let comparison = Comparison::new(&title, directory)?;
    let store = Store::new(&directory.join("store"), KeyKind::P256)?;
    let (rows, files) = (directory.join("rows.csv"), directory.join("files"));
    table(&rows, COUNT)?;
    store.fill(&rows)?;
    let respond = store.respond();
    let rehearsal = directory.join("rehearsal");
    respond.rehearse(&rehearsal)?;
    floor::manifest(&rehearsal.join("product/responses"), &files)?;
    Ok(comparison
        .with_short_warm_up()
        .with(floor::on_all_cores(SIGNATURES, &Work::p256(0, COUNT, 0)))
        .with(floor::on_all_cores(VERIFIED, &Work::p256(0, COUNT, COUNT)))
        .with(floor::files(FILES, &files, usize::MAX))
        .with(respond)
        .figure(
            Figure::wall(OCSP, &[SIGNATURES])
                .at_most(1.5)
                .bound_by("the verification of each signature, which takes longer than signing"),
        )
        .figure(Figure::wall(OCSP, &[VERIFIED]).bound_by("files: two names for each response"))
        .figure(Figure::cpu(OCSP, &[VERIFIED, FILES]))
        .figure(Figure::wall(OCSP, &[VERIFIED, FILES]).bound_by("the search in the journal")))
}
