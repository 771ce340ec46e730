#![allow(clippy::print_stdout, clippy::print_stderr)]
//! One certificate by one command: `pki issue` against other tools, as whole processes.
//!
//! `cargo bench --bench issue` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench issue -- --rounds 5` has a quick look and leaves the page alone.

mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use harness::{Comparison, Contender, Report, Round, rounds_asked};
use peers::{Authority, KeyKind, certtool, cfssl, minica, mkcert, openssl};
use store::Store;

fn main() -> Result<()> {
    let asked = rounds_asked()?;
    let rounds = |usual| asked.unwrap_or(usual);
    peers::require(&["openssl", "certtool", "cfssl", "mkcert", "minica"])?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-issue");
    fs::create_dir_all(&folder)?;

    let mut versions = vec![store::version()?];
    versions.extend(peers::versions()?);
    let mut report = Report::new("issue", &folder, &versions)?;
    report.add(&new_key(KeyKind::P256, &folder.join("p256"))?.run(rounds(50))?);
    report.add(&existing_request(&folder.join("rsa-request"))?.run(rounds(50))?);
    report.add(&new_key(KeyKind::Rsa2048, &folder.join("rsa"))?.run(rounds(50))?);
    report.add(&start(&folder.join("start"))?.run(rounds(200))?);
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn new_key(kind: KeyKind, folder: &Path) -> Result<Comparison> {
    let title = match kind {
        KeyKind::P256 => "P-256: a key and a client certificate",
        KeyKind::Rsa2048 => "RSA-2048: a key and a client certificate",
    };
    let comparison = Comparison::new(title, folder)?;
    let store = Store::new(&folder.join("store"), kind)?;
    let authority = Authority::new(&folder.join("authority"), kind)?;
    let comparison = comparison
        .judged_by(client_of(&store, &authority)?)
        .with(store.issue())
        .with(store.issue_to_files())
        .with(openssl::issue(&authority))
        .with(certtool::issue(&authority))
        .with(cfssl::issue(&authority))
        .with(mkcert::issue(&authority));
    Ok(match kind {
        KeyKind::P256 => comparison,
        KeyKind::Rsa2048 => comparison.with(minica::issue(&authority)),
    })
}

/// Making an RSA key takes as long as luck has it; this is what issuing takes without it.
fn existing_request(folder: &Path) -> Result<Comparison> {
    let title = "RSA-2048: a client certificate for an existing CSR";
    let comparison = Comparison::new(title, folder)?;
    let store = Store::new(&folder.join("store"), KeyKind::Rsa2048)?;
    let authority = Authority::new(&folder.join("authority"), KeyKind::Rsa2048)?;
    let request = authority.request()?;
    Ok(comparison
        .judged_by(client_of(&store, &authority)?)
        .with(store.sign_request(request.clone()))
        .with(openssl::sign_request(&authority, request.clone()))
        .with(certtool::sign_request(&authority, request.clone()))
        .with(cfssl::sign_request(&authority, request)))
}

fn start(folder: &Path) -> Result<Comparison> {
    let nothing = |_: &Round| Ok(vec![Command::new("/bin/true")]);
    Ok(Comparison::new("Start-up", folder)?
        .with(Contender::new("/bin/true", nothing))
        .with(store::version_alone()))
}

/// Accepts a client certificate of the store's CA or of the peers' CA.
fn client_of(
    store: &Store,
    authority: &Authority,
) -> Result<impl Fn(&str) -> Result<()> + 'static> {
    let both = authority.folder().join("both.pem");
    let certificates =
        [store.ca_certificate()?, authority.certificate.clone()].map(fs::read_to_string);
    fs::write(
        &both,
        certificates.into_iter().collect::<Result<String, _>>()?,
    )?;
    Ok(move |certificate: &str| openssl::verify_client(&both, certificate))
}
