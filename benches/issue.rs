#![allow(clippy::print_stdout, clippy::print_stderr)]
//! One certificate by one command: `pki issue` against other tools, as whole processes.
//!
//! `cargo bench --bench issue` measures, prints the tables and puts them into `docs/performance.md`;
//! `cargo bench --bench issue -- --rounds 5` has a quick look and leaves the page alone.

mod floor;
mod harness;
mod peers;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use floor::{EMPTY, Empty, Work};
use harness::{Comparison, Contender, Figure, Report, Round, rounds_asked};
use peers::{Authority, KeyKind, certtool, cfssl, minica, mkcert, openssl};
use store::Store;

const ISSUE: &str = "**pki issue**";
const CERTTOOL: &str = "certtool --generate-privkey, --generate-certificate";
const CFSSL: &str = "cfssl gencert";
const SIGNATURE: &str = "signature and verification";
const KEY: &str = "key, signature and verification";

fn main() -> Result<()> {
    if floor::is_asked()? {
        return Ok(());
    }
    let asked = rounds_asked()?;
    let rounds = |usual| asked.unwrap_or(usual);
    peers::require(&["openssl", "certtool", "cfssl", "mkcert", "minica", "strace"])?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-issue");
    fs::create_dir_all(&directory)?;

    let empty = Empty::new(&directory)?;

    let mut versions = vec![store::version()?];
    versions.extend(peers::versions()?);
    let mut report = Report::new("issue", &directory, &versions)?;
    report.add(&start(&empty, &directory.join("start"))?.run(rounds(200))?);
    report.add(&p256(&empty, &directory.join("p256"))?.run(rounds(50))?);
    report.add(&existing_request(&empty, &directory.join("rsa-request"))?.run(rounds(50))?);
    report.add(&rsa(&empty, &directory.join("rsa"))?.run(rounds(50))?);
    if asked.is_none() {
        report.write()?;
    }
    Ok(())
}

fn start(empty: &Empty, directory: &Path) -> Result<Comparison> {
    let nothing = |_: &Round| Ok(vec![Command::new("/bin/true")]);
    Ok(Comparison::new("Start-up", directory)?
        .with(empty.at_fixed_address())
        .with(empty.contender())
        .with(Contender::new("/bin/true, dynamic", nothing))
        .with(store::version_alone())
        .figure(
            Figure::wall("**pki --version**", &[EMPTY])
                .at_most(1.4)
                .bound_by("page faults: addresses that are relocated, and the heap"),
        ))
}

/// A store, and what the peers issue from.
struct Places {
    store: Store,
    authority: Authority,
    directory: PathBuf,
}

impl Places {
    fn new(kind: KeyKind, directory: &Path) -> Result<Self> {
        Ok(Self {
            store: Store::new(&directory.join("store"), kind)?,
            authority: Authority::new(&directory.join("authority"), kind)?,
            directory: directory.to_owned(),
        })
    }

    /// Adds the floors of a command: its process, its syncs and its cryptography.
    fn floors(
        &self,
        comparison: Comparison,
        empty: &Empty,
        command: &Contender,
        work: (&str, Work),
    ) -> Result<(Comparison, Vec<String>)> {
        let syncs = floor::syncs(command.rehearse(&self.directory.join("rehearsal"))?);
        let single = floor::single(work.0, &work.1);
        let floors = [empty.contender(), syncs, single];
        let names = floors.iter().map(|floor| floor.name().to_owned()).collect();
        let [process, syncs, single] = floors;
        Ok((comparison.with(process).with(syncs).with(single), names))
    }

    /// Adds all that make a key and a certificate.
    fn issuers(&self, comparison: Comparison) -> Result<Comparison> {
        let Self {
            store, authority, ..
        } = self;
        Ok(comparison
            .judged_by(client_of(store, authority)?)
            .with(store.issue())
            .with(store.issue_to_files())
            .with(openssl::issue(authority))
            .with(certtool::issue(authority))
            .with(cfssl::issue(authority))
            .with(mkcert::issue(authority)))
    }
}

fn p256(empty: &Empty, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new("P-256: a key and a client certificate", directory)?;
    let places = Places::new(KeyKind::P256, directory)?;
    let work = (SIGNATURE, Work::p256(0, 1, 1));
    let issue = places.store.issue();
    let (comparison, floors) = places.floors(comparison, empty, &issue, work)?;
    Ok(places
        .issuers(comparison)?
        .figure(
            Figure::wall(ISSUE, &floors)
                .at_most(1.8)
                .bound_by("the start of the process; files of the CA that are read several times"),
        )
        .figure(Figure::cpu(ISSUE, &floors))
        .figure(
            Figure::cpu(ISSUE, &[CERTTOOL])
                .at_most(0.4)
                .bound_by("the start of the process"),
        )
        .figure(
            Figure::cpu(ISSUE, &[CFSSL])
                .at_most(0.4)
                .bound_by("the start of the process"),
        )
        .figure(
            Figure::wall("**pki issue --out**", &[ISSUE]).bound_by("syncs of files and directory"),
        ))
}

/// Making an RSA key takes as long as luck has it; this is what issuing takes without it.
fn existing_request(empty: &Empty, directory: &Path) -> Result<Comparison> {
    let title = "RSA-2048: a client certificate for an existing CSR";
    let comparison = Comparison::new(title, directory)?;
    let places = Places::new(KeyKind::Rsa2048, directory)?;
    let request = places.authority.request()?;
    let sign = places.store.sign_request(request.clone());
    let work = Work {
        kind: KeyKind::Rsa2048,
        ..Work::p256(0, 1, 1)
    };
    let (comparison, floors) = places.floors(comparison, empty, &sign, (SIGNATURE, work))?;
    let authority = &places.authority;
    Ok(comparison
        .judged_by(client_of(&places.store, authority)?)
        .figure(
            Figure::wall(sign.name(), &floors).bound_by("as `pki issue`; files and their syncs"),
        )
        .with(sign)
        .with(openssl::sign_request(authority, request.clone()))
        .with(certtool::sign_request(authority, request.clone()))
        .with(cfssl::sign_request(authority, request)))
}

fn rsa(empty: &Empty, directory: &Path) -> Result<Comparison> {
    let comparison = Comparison::new("RSA-2048: a key and a client certificate", directory)?;
    let places = Places::new(KeyKind::Rsa2048, directory)?;
    let work = Work {
        kind: KeyKind::Rsa2048,
        ..Work::p256(1, 1, 1)
    };
    let issue = places.store.issue();
    let (comparison, floors) = places.floors(comparison, empty, &issue, (KEY, work))?;
    Ok(places
        .issuers(comparison)?
        .with(minica::issue(&places.authority))
        .figure(
            Figure::wall(ISSUE, &floors)
                .called("**pki issue**, RSA-2048")
                .bound_by("luck: the search for two primes"),
        ))
}

/// Accepts a client certificate of the store's CA or of the peers' CA.
fn client_of(
    store: &Store,
    authority: &Authority,
) -> Result<impl Fn(&str) -> Result<()> + 'static> {
    let both = authority.directory().join("both.pem");
    let certificates =
        [store.ca_certificate()?, authority.certificate.clone()].map(fs::read_to_string);
    fs::write(
        &both,
        certificates.into_iter().collect::<Result<String, _>>()?,
    )?;
    Ok(move |certificate: &str| openssl::verify_client(&both, certificate))
}
