#![allow(clippy::print_stdout, clippy::print_stderr)]
//! A store in PostgreSQL, on the loopback address, as whole processes.
//!
//! `cargo bench --bench postgres` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench postgres -- --rounds 1` has a quick look and leaves the page alone.

mod database;
mod floor;
mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use database::{Server, slow_path};
use floor::Work;
use harness::{Comparison, Contender, Figure, Report, rounds_asked};
use peers::KeyKind;
use store::Store;
use store::batches::table;

/// Certificates of the batch.
const BATCH: u32 = 20_000;
/// Certificates of the large store.
const MANY: u32 = 10_000_000;
/// Certificates that the clients of a slow network issue.
const OVER_NETWORK: u32 = 160;
/// Latency that is added to a round trip.
const LATENCY: Duration = Duration::from_millis(5);

const DIRECTORY: &str = "**pki issue**, a directory";
const DATABASE: &str = "**pki issue**, a database";
const CONNECTION: &str = "a connection";
const ROUND_TRIPS: &str = "4 round trips";
const KEYS: &str = "keys, signatures and verifications on all cores";
const PAUSE: &str = "10 ms";

fn main() -> Result<()> {
    if floor::is_asked()? || database::is_asked()? {
        return Ok(());
    }
    let asked = rounds_asked()?;
    let rounds = |usual| asked.unwrap_or(usual);
    peers::require(&["strace", "xargs"])?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-postgres");
    fs::create_dir_all(&directory)?;
    let server = Server::start()?;
    let mut report = Report::new(
        "postgres",
        &directory,
        &[store::version()?, server.version()?],
    )?;
    report.add(&one(&server, &directory.join("one"))?.run(rounds(50))?);
    report.add(&over_network(&server, &directory.join("network"))?.run(rounds(5))?);
    report.add(&batch(&server, &directory.join("batch"))?.run(rounds(5))?);
    report.add(&one_among(&server, &directory.join("one-among"))?.run(rounds(20))?);
    fs::remove_dir_all(&directory)?;
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn one(server: &Server, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(
        "One certificate, in a directory and in a database",
        directory,
    )?;
    let in_directory = Store::new(&directory.join("store"), KeyKind::P256)?;
    let url = server.database("one")?;
    let in_database = Store::in_database(&url, KeyKind::P256)?;
    Ok(comparison
        .with(in_directory.issue().called(DIRECTORY))
        .with(database::connection(CONNECTION, &url))
        .with(database::round_trips(ROUND_TRIPS, &url, 4))
        .with(in_database.issue().called(DATABASE))
        .figure(
            Figure::wall(DATABASE, &[DIRECTORY, CONNECTION, ROUND_TRIPS])
                .at_most(1.2)
                .bound_by("the work of the server: a new process, and two commits"),
        ))
}

/// Several clients wait at the same time.
fn over_network(server: &Server, directory: &Path) -> Result<Comparison> {
    let title = format!(
        "{OVER_NETWORK} certificates over a network with {} ms of latency",
        LATENCY.as_millis()
    );
    let comparison = Comparison::new(&title, directory)?;
    let url = server.database("network")?;
    Store::in_database(&url, KeyKind::P256)?;
    let url = slow_path(&url, server.port, LATENCY)?;
    let clients = |count: u32| {
        let (url, called) = (url.clone(), format!("**pki issue**, {count} at a time"));
        Contender::new(called, move |round| {
            let issue = "issue --ca benchmark --key-type p256 --cn";
            let mut all = Command::new("sh");
            all.arg("-c").arg(format!(
                "seq {OVER_NETWORK} | xargs -P {count} -I % {} {issue} {}-%",
                store::program().display(),
                round.common_name(),
            ));
            all.env("PKI_STORE", &url);
            Ok(vec![all])
        })
    };
    let (one, eight) = (clients(1), clients(8));
    let figure = Figure::wall(eight.name(), &[one.name()]);
    Ok(comparison
        .with_short_warm_up()
        .with(one)
        .with(eight)
        .figure(
            figure
                .at_most(0.167)
                .bound_by("the cores, which the server and the clients share"),
        ))
}

fn batch(server: &Server, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(
        &format!("{BATCH} certificates from a table, in a database"),
        directory,
    )?;
    let rows = directory.join("rows.csv");
    fs::create_dir_all(directory)?;
    table(&rows, BATCH)?;
    let store = Store::in_database(&server.database("batch")?, KeyKind::P256)?;
    Ok(comparison
        .with_short_warm_up()
        .with(floor::on_all_cores(KEYS, &Work::p256(BATCH, BATCH, BATCH)))
        .with(store.issue_table(rows))
        .figure(
            Figure::wall("**pki issue --from**", &[KEYS])
                .at_most(1.25)
                .bound_by("the server, which needs a core for what it stores"),
        ))
}

fn one_among(server: &Server, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(
        &format!("One certificate among {MANY} in a database"),
        directory,
    )?;
    let url = server.database("many")?;
    let store = Store::in_database(&url, KeyKind::P256)?;
    server.fill("many", MANY, |name| store.issue_to(name))?;
    let show = store.look("show --cn device-05000077");
    let list = store.look("list --cn device-05000077");
    let figure = |of: &Contender| {
        let figure = Figure::wall(of.name(), &[CONNECTION, PAUSE]);
        figure.at_most(1.0).bound_by("the start of the process")
    };
    let (of_show, of_list) = (figure(&show), figure(&list));
    Ok(comparison
        .with(database::connection(CONNECTION, &url))
        .with(Contender::new(PAUSE, |_| {
            let mut sleep = Command::new("sleep");
            sleep.arg("0.01");
            Ok(vec![sleep])
        }))
        .with(show)
        .with(list)
        .figure(of_show)
        .figure(of_list))
}
