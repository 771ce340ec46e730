#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Many certificates at once, and a store that has a million, as whole processes.
//!
//! `cargo bench --bench batch` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench batch -- --rounds 1` has a quick look and leaves the page alone.

mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use harness::{Comparison, Contender, Report, rounds_asked};
use peers::{Authority, KeyKind, openssl};
use store::Store;
use store::applied;
use store::batches::table;

/// Certificates of the batch that is compared with the bare loop.
const BATCH: u32 = 20_000;
/// Certificates of the large store.
const MANY: u32 = 1_000_000;
/// How this program is told to run the bare loop.
const BARE: &str = "--bare-loop";

fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == BARE) {
        return bare_loop(BATCH);
    }
    let asked = rounds_asked()?;
    let rounds = |usual| asked.unwrap_or(usual);
    peers::require(&["openssl"])?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-batch");
    fs::create_dir_all(&folder)?;

    let versions = [store::version()?, openssl::version()?];
    let mut report = Report::new("batch", &folder, &versions)?;
    report.add(&batch(&folder.join("batch"))?.run(rounds(5))?);
    report.add(&hierarchy(&folder.join("hierarchy"))?.run(rounds(20))?);
    let place = folder.join("million");
    let store = Store::new(&cleared(&place)?.join("store"), KeyKind::P256)?;
    report.add(&end_to_end(&store, &place)?.run(1)?);
    report.add(&one_more(&store, &place)?.run(rounds(30))?);
    report.add(&one_among(&store, &place)?.run(rounds(10))?);
    fs::remove_dir_all(&place)?;
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn cleared(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(folder.to_owned())
}

/// Keys and signatures alone, on all cores: what no batch can be quicker than.
fn bare_loop(count: u32) -> Result<()> {
    let threads = u32::try_from(thread::available_parallelism()?.get())?;
    thread::scope(|scope| {
        let each = move || -> Result<()> {
            let random = SystemRandom::new();
            let generate = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
            let issuer = generate().ok().context("no key")?;
            let message = [0; 400];
            for _ in 0..count / threads {
                std::hint::black_box(generate().ok().context("no key")?);
                let signature = issuer
                    .sign(&random, &message)
                    .ok()
                    .context("no signature")?;
                std::hint::black_box(signature);
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(each)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("it does not panic"))
    })
}

fn batch(folder: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(&format!("{BATCH} certificates from a table"), folder)?;
    let store = Store::new(&folder.join("store"), KeyKind::P256)?;
    let rows = folder.join("rows.csv");
    table(&rows, BATCH)?;
    let own = std::env::current_exe()?;
    let bare = Contender::new("keys and signatures alone", move |_| {
        let mut bare = Command::new(&own);
        bare.arg(BARE);
        Ok(vec![bare])
    });
    Ok(comparison
        .with_short_warm_up()
        .with(bare.weighed())
        .with(store.issue_table(rows.clone()))
        .with(store.issue_table_to_files(rows)))
}

/// All that the fixtures are, and nothing left to do; and what openssl takes for as many certificates alone.
fn hierarchy(folder: &Path) -> Result<Comparison> {
    let title = format!(
        "A hierarchy of {} certificates from one file",
        applied::CERTIFICATES
    );
    let comparison = Comparison::new(&title, &folder.join("rounds"))?;
    let authority = Authority::new(&folder.join("authority"), KeyKind::P256)?;
    let recipe = openssl::issue(&authority).repeated(applied::CERTIFICATES);
    let called = format!("{}, {} times", recipe.name(), applied::CERTIFICATES);
    Ok(comparison
        .with(applied::apply())
        .with(applied::apply_again())
        .with(recipe.called(&called)))
}

/// From an empty store to a list, each step going on with what the one before has made.
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
    Ok(comparison
        .with(empty.issue().called("**pki issue**, an empty store"))
        .with(
            store
                .issue()
                .called(&format!("**pki issue**, a store of {MANY}")),
        ))
}

fn one_among(store: &Store, place: &Path) -> Result<Comparison> {
    let title = format!("One certificate among {MANY}");
    let comparison = Comparison::new(&title, &place.join("one-among"))?;
    let authority = Authority::new(&place.join("authority"), KeyKind::P256)?;
    openssl::issue_all(&authority, MANY)?;
    Ok(comparison
        .with_short_warm_up()
        .with(openssl::status(&authority, MANY - 77))
        .with(store.look("list --cn device-900077"))
        .with(store.look("list --san device-900077.example.test"))
        .with(store.look("show --cn device-900077"))
        .with(store.revoke_one("device-9000")))
}
