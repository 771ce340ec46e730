#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Many certificates at once, and a store that has a million, as whole processes.
//!
//! `cargo bench --bench batch` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench batch -- --rounds 1` has a quick look and leaves the page alone.

mod harness;
mod peers;
mod store;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};

use harness::{Comparison, Contender, Report, rounds_asked};
use peers::{Authority, KeyKind, openssl};
use store::Store;
use store::applied;
use store::batches::table;

/// Certificates of the batch that is compared with the bare loop.
const BATCH: u32 = 20_000;
/// Certificates of the large store.
const MANY: u32 = 1_000_000;
/// How this program is told to be a bare loop, which one, and in which folder.
const BARE: &str = "--bare-loop";
const SIGNED: &str = "signed";
const VERIFIED: &str = "verified";
const WRITTEN: &str = "written";

/// Files of each certificate that `--out` gives.
const FILES: u32 = 4;
/// Files that are synced together, as a batch with files does it.
const SYNCED_TOGETHER: u32 = 500;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, what, folder] = arguments.as_slice()
        && first == BARE
    {
        return bare(what, Path::new(folder));
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

fn bare(what: &str, folder: &Path) -> Result<()> {
    match what {
        SIGNED => on_all_cores(BATCH, |count| keys_and_signatures(count, false)),
        VERIFIED => on_all_cores(BATCH, |count| keys_and_signatures(count, true)),
        WRITTEN => files(folder),
        other => bail!("there is no bare loop {other}"),
    }
}

fn on_all_cores(count: u32, each: impl Fn(u32) -> Result<()> + Copy + Send) -> Result<()> {
    let threads = u32::try_from(thread::available_parallelism()?.get())?;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(move || each(count / threads)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("it does not panic"))
    })
}

/// Keys and signatures: what no batch can be quicker than; and where each signature is verified, none that
/// does that.
fn keys_and_signatures(count: u32, verified: bool) -> Result<()> {
    let random = SystemRandom::new();
    let generate = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let issuer = generate().ok().context("no key")?;
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, issuer.public_key().as_ref())
        .ok()
        .context("no public key")?;
    let message = [0; 400];
    for _ in 0..count {
        std::hint::black_box(generate().ok().context("no key")?);
        let signature = issuer
            .sign(&random, &message)
            .ok()
            .context("no signature")?;
        if verified {
            let verdict = public.verify_sig(&message, signature.as_ref());
            verdict.ok().context("a signature that does not verify")?;
        }
        std::hint::black_box(signature);
    }
    Ok(())
}

/// As many files as the owners of a batch get, of the same size, with their names from the start and synced
/// in groups: what the file system takes for them.
fn files(folder: &Path) -> Result<()> {
    let folder = folder.join("files");
    fs::create_dir(&folder)?;
    let opened = fs::File::open(&folder)?;
    let content = [b'a'; 1000];
    for group in 0..BATCH * FILES / SYNCED_TOGETHER {
        for file in 0..SYNCED_TOGETHER {
            let path = folder.join(format!("device-{group}-{file}.crt"));
            fs::File::create_new(path)?.write_all(&content)?;
        }
        rustix::fs::syncfs(&opened)?;
    }
    Ok(())
}

fn batch(folder: &Path) -> Result<Comparison> {
    let comparison = Comparison::new(&format!("{BATCH} certificates from a table"), folder)?;
    let store = Store::new(&folder.join("store"), KeyKind::P256)?;
    let rows = folder.join("rows.csv");
    table(&rows, BATCH)?;
    Ok(comparison
        .with_short_warm_up()
        .with(bare_loop("keys and signatures alone", SIGNED)?)
        .with(bare_loop(
            "keys, signatures and their verification alone",
            VERIFIED,
        )?)
        .with(bare_loop("the owners' files alone", WRITTEN)?)
        .with(store.issue_table(rows.clone()))
        .with(store.issue_table_to_files(rows)))
}

fn bare_loop(called: &str, what: &'static str) -> Result<Contender> {
    let own = std::env::current_exe()?;
    let bare = Contender::new(called, move |round| {
        let mut bare = Command::new(&own);
        bare.args([BARE, what]).arg(round.folder());
        Ok(vec![bare])
    });
    Ok(bare.weighed())
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
