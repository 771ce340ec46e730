#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Many certificates at once, and a store that has a million, as whole processes.
//!
//! `cargo bench --bench batch` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench batch -- --rounds 1` has a quick look and leaves the page alone.

mod floor;
mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use floor::{EMPTY, Empty, Work};
use harness::{Comparison, Figure, Report, rounds_asked};
use peers::{Authority, KeyKind, openssl};
use store::batches::table;
use store::{Store, applied};

/// Certificates of the batch that is compared with its floors.
const BATCH: u32 = 20_000;
/// Certificates of the large store.
const MANY: u32 = 1_000_000;
/// Files that are synced together: those of 128 certificates, as a batch does it.
const TOGETHER: usize = 512;

const KEYS: &str = "keys, signatures and verifications on all cores";
const FILES: &str = "files of the same sizes in the same directory";
const JOURNAL: &str = "journal read";
const VERIFICATIONS: &str = "verifications on all cores";
const STATUS: &str = "openssl ca -status";

fn main() -> Result<()> {
    if floor::is_asked()? {
        return Ok(());
    }
    let asked = rounds_asked()?;
    let rounds = |usual| asked.unwrap_or(usual);
    peers::require(&["openssl", "strace"])?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-batch");
    fs::create_dir_all(&directory)?;
    let empty = Empty::new(&directory)?;

    let versions = [store::version()?, openssl::version()?];
    let mut report = Report::new("batch", &directory, &versions)?;
    report.add(&batch(&directory.join("batch"))?.run(rounds(5))?);
    report.add(&hierarchy(&empty, &directory.join("hierarchy"))?.run(rounds(20))?);
    let place = directory.join("million");
    let store = Store::new(&cleared(&place)?.join("store"), KeyKind::P256)?;
    report.add(&end_to_end(&store, &place)?.run(1)?);
    report.add(&one_more(&store, &place)?.run(rounds(30))?);
    report.add(&one_among(&store, &place)?.run(rounds(10))?);
    report.add(&check(&store, &place)?.run(rounds(2))?);
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn cleared(directory: &Path) -> Result<PathBuf> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    Ok(directory.to_owned())
}

fn batch(directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(&format!("{BATCH} certificates from a table"), directory)?;
    let store = Store::new(&directory.join("store"), KeyKind::P256)?;
    let rows = directory.join("rows.csv");
    table(&rows, BATCH)?;
    let with_files = store.issue_table_to_files(rows.clone());
    let (rehearsal, files) = (directory.join("rehearsal"), directory.join("files"));
    with_files.rehearse(&rehearsal)?;
    floor::manifest(&rehearsal.join("product/given"), &files)?;
    Ok(comparison
        .with_short_warm_up()
        .with(floor::on_all_cores(KEYS, &Work::p256(BATCH, BATCH, BATCH)))
        .with(floor::files(FILES, &files, TOGETHER))
        .figure(
            Figure::wall("**pki issue --from**", &[KEYS])
                .at_most(1.5)
                .bound_by("lint, DER, and a key file for each"),
        )
        .figure(Figure::cpu("**pki issue --from**", &[KEYS]))
        .figure(
            Figure::wall(with_files.name(), &[FILES])
                .at_most(1.2)
                .bound_by("the file system"),
        )
        .figure(Figure::cpu(with_files.name(), &[KEYS, FILES]))
        .with(store.issue_table(rows))
        .with(with_files))
}

/// All that the fixtures are, and nothing left to do; and what openssl takes for as many certificates alone.
fn hierarchy(empty: &Empty, directory: &Path) -> Result<Comparison> {
    let count = applied::CERTIFICATES;
    let title = format!("A hierarchy of {count} certificates from one file");
    let comparison = Comparison::new(&title, &directory.join("rounds"))?;
    let authority = Authority::new(&directory.join("authority"), KeyKind::P256)?;
    let recipe = openssl::issue(&authority).repeated(count);
    let called = format!("{}, {count} times", recipe.name());
    let apply = applied::apply();
    let syncs = floor::syncs(apply.rehearse(&directory.join("rehearsal"))?);
    let all = u32::try_from(count + applied::CAS)?;
    let work = format!("{all} keys, signatures and verifications");
    let floors = [EMPTY, syncs.name(), &work];
    Ok(comparison
        .figure(
            Figure::wall(apply.name(), &floors)
                .bound_by("names, permissions and directories of 150 files"),
        )
        .figure(Figure::wall("**pki apply**, again", &[EMPTY]).bound_by("every file is compared"))
        .with(empty.contender())
        .with(syncs)
        .with(floor::single(&work, &Work::p256(all, all, all)))
        .with(apply)
        .with(applied::apply_again())
        .with(recipe.called(&called)))
}

/// From an empty store to a CRL, each step continuing with what the one before has made.
fn end_to_end(store: &Store, place: &Path) -> Result<Comparison> {
    let title = format!("A store of {MANY} certificates, from its beginning");
    let comparison = Comparison::new(&title, &place.join("steps"))?;
    let rows = place.join("rows.csv");
    table(&rows, MANY)?;
    Ok(comparison
        .without_warm_up()
        .with(store.issue_table(rows))
        .with(store.look("list --status valid"))
        .with(store.revoke_table(100_000))
        .with(store.list_of_all())
        .with(store.look("list --status revoked")))
}

fn one_more(store: &Store, place: &Path) -> Result<Comparison> {
    let comparison = Comparison::new("One more certificate", &place.join("one-more"))?;
    let empty = Store::new(&place.join("one-more/store"), KeyKind::P256)?;
    let (few, many) = (
        "**pki issue**, an empty store".to_owned(),
        format!("**pki issue**, a store of {MANY}"),
    );
    Ok(comparison
        .with(empty.issue().called(&few))
        .with(store.issue().called(&many))
        .figure(
            Figure::wall(&many, &[&few])
                .bound_by("the journal of revocations, copied from the page cache"),
        ))
}

fn one_among(store: &Store, place: &Path) -> Result<Comparison> {
    let title = format!("One certificate among {MANY}");
    let comparison = Comparison::new(&title, &place.join("one-among"))?;
    let authority = Authority::new(&place.join("authority"), KeyKind::P256)?;
    openssl::issue_all(&authority, MANY)?;
    let by_serial = store.look(&format!("show --serial {}", store.serial(900_077)?));
    let by_serial = by_serial.called("**pki show --serial**");
    let comparison = comparison
        .with_short_warm_up()
        .with(floor::read(JOURNAL, &store.issued()))
        .with(openssl::status(&authority, MANY - 77))
        .with(store.look("list --san device-900077.example.test"))
        .with(store.revoke_one("device-9000"));
    let found = [
        store.look("list --cn device-900077"),
        store.look("show --cn device-900077"),
        by_serial,
    ];
    Ok(found.into_iter().fold(comparison, |comparison, search| {
        let name = search.name().to_owned();
        let bound = "the journal, copied from the page cache on all cores";
        comparison
            .with(search)
            .figure(Figure::wall(&name, &[STATUS]).at_most(0.1).bound_by(bound))
            .figure(Figure::wall(&name, &[JOURNAL]).bound_by(bound))
    }))
}

/// The whole store, with every signature.
fn check(store: &Store, place: &Path) -> Result<Comparison> {
    let title = format!("The check of a store of {MANY} certificates");
    let comparison = Comparison::new(&title, &place.join("check"))?;
    Ok(comparison
        .without_warm_up()
        .with(floor::on_all_cores(VERIFICATIONS, &Work::p256(0, 0, MANY)))
        .with(store.check())
        .figure(
            Figure::wall("**pki check**", &[VERIFICATIONS])
                .at_most(1.3)
                .bound_by("every key of the store, opened and compared; DER and journal lines"),
        )
        .figure(Figure::cpu("**pki check**", &[VERIFICATIONS])))
}
