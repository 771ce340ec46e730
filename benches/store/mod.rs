//! `pki` itself, with a store that holds one CA without a passphrase.

#![allow(
    dead_code,
    reason = "every benchmark includes this module and uses a part of it"
)]

pub mod applied;
pub mod batches;
pub mod revocations;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::harness::{Contender, Round};
use crate::peers::{KeyKind, openssl};

use revocations::Revocation;

const CA: &str = "benchmark";

/// The program: that of `PKI`, which `make bench` sets to the static one of `make build`, or else the one that cargo built.
pub fn program() -> OsString {
    std::env::var_os("PKI").unwrap_or_else(|| env!("CARGO_BIN_EXE_pki").into())
}

/// A store to issue from.
#[derive(Clone)]
pub struct Store {
    directory: PathBuf,
    kind: KeyKind,
}

impl Store {
    /// Makes the store and its CA.
    pub fn new(directory: &Path, kind: KeyKind) -> Result<Self> {
        fs::create_dir_all(directory)?;
        Self::at(directory.join("pki"), kind)
    }

    /// The same in a database.
    pub fn in_database(url: &str, kind: KeyKind) -> Result<Self> {
        Self::at(url.into(), kind)
    }

    fn at(directory: PathBuf, kind: KeyKind) -> Result<Self> {
        let store = Self { directory, kind };
        run(store.command("root --no-passphrase --name").args([
            CA,
            "--key-type",
            store.key_type(),
        ]))?;
        Ok(store)
    }

    /// The CA's certificate, written to a file.
    pub fn ca_certificate(&self) -> Result<PathBuf> {
        let directory = self.directory.with_file_name("ca");
        run(self
            .command("export --ca")
            .arg(CA)
            .arg("--out")
            .arg(&directory))?;
        Ok(directory.join(CA).with_extension("crt"))
    }

    /// A key and a client certificate, both in the store.
    pub fn issue(&self) -> Contender {
        let store = self.clone();
        Contender::new("**pki issue**", move |round| {
            Ok(vec![store.issue_command(round)])
        })
    }

    /// The same, and both in files as well.
    pub fn issue_to_files(&self) -> Contender {
        let store = self.clone();
        Contender::new("**pki issue --out**", move |round| {
            let mut issue = store.issue_command(round);
            issue.args(["--out", "given", "--no-passphrase"]);
            Ok(vec![issue])
        })
        .product_in(|round| format!("given/{}.crt", round.common_name()))
    }

    /// A client certificate for an existing CSR, in the store and in a file.
    pub fn sign_request(&self, request: PathBuf) -> Contender {
        let store = self.clone();
        Contender::new("**pki issue --csr --out**", move |_| {
            let mut issue = store.command("issue --out given --ca");
            issue.arg(CA).arg("--csr").arg(&request);
            Ok(vec![issue])
        })
        .product_in(|_| "given/request.crt".to_owned())
    }

    /// Has all of these revoked.
    pub fn revoke_all(&self, all: &[Revocation]) -> Result<()> {
        revocations::append(&self.revoked(), all)
    }

    /// Publishes a list.
    pub fn publish(&self) -> Result<()> {
        run(self.command("crl --to-pem --ca").arg(CA))
    }

    /// The first list, as DER and as PEM.
    pub fn first_list(&self) -> Contender {
        let store = self.clone();
        self.list("**pki crl --to-pem**, the first", move || {
            let lists = store.lists();
            if lists.exists() {
                fs::remove_dir_all(lists)?;
            }
            Ok(())
        })
    }

    /// A list in the place of one with the same entries.
    pub fn next_list(&self) -> Contender {
        self.list("**pki crl --to-pem**, the next", || Ok(()))
    }

    fn list(&self, name: &str, prepare: impl Fn() -> Result<()> + 'static) -> Contender {
        let (store, lists) = (self.clone(), self.lists());
        Contender::new(name, move |_| {
            prepare()?;
            let mut command = store.command("crl --to-pem --ca");
            command.arg(CA);
            Ok(vec![command])
        })
        .product_from(move |_| openssl::entries(&lists.join(CA).with_extension("crl")))
        .weighed()
    }

    /// Journal of certificates.
    pub fn issued(&self) -> PathBuf {
        self.directory.join(CA).join("issued.jsonl")
    }

    /// Journal of revocations.
    pub fn revoked(&self) -> PathBuf {
        self.directory.join(CA).join("revoked.jsonl")
    }

    /// Sizes of the published CRL, as DER and as PEM.
    pub fn crl_sizes(&self) -> Result<[u64; 2]> {
        let size = |ending: &str| {
            let crl = self.lists().join(CA).with_extension(ending);
            let metadata = fs::metadata(&crl).with_context(|| crl.display().to_string())?;
            anyhow::Ok(metadata.len())
        };
        Ok([size("crl")?, size("crl.pem")?])
    }

    /// Checks the whole store.
    pub fn check(&self) -> Contender {
        let store = self.clone();
        Contender::new("**pki check**", move |_| Ok(vec![store.command("check")])).weighed()
    }

    /// Signs OCSP responses for all certificates, in a new directory.
    pub fn respond(&self) -> Contender {
        let store = self.clone();
        Contender::new("**pki ocsp --cert-id sha1**", move |_| {
            let mut respond = store.command("ocsp --cert-id sha1 --out responses --ca");
            respond.arg(CA);
            Ok(vec![respond])
        })
        .weighed()
    }

    fn lists(&self) -> PathBuf {
        self.directory.join("crl")
    }

    fn issue_command(&self, round: &Round) -> Command {
        let mut issue = self.command("issue --ca");
        issue.args([CA, "--key-type", self.key_type()]);
        issue.args(["--cn", &round.common_name()]);
        issue
    }

    /// Issues a certificate off the clock.
    pub fn issue_to(&self, common_name: &str) -> Result<()> {
        let mut issue = self.command("issue --ca");
        run(issue.args([CA, "--key-type", self.key_type(), "--cn", common_name]))
    }

    fn key_type(&self) -> &'static str {
        match self.kind {
            KeyKind::P256 => "p256",
            KeyKind::Rsa2048 => "rsa2048",
        }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(program());
        command
            .arg("--store")
            .arg(&self.directory)
            .args(words.split(' '));
        command
    }
}

/// `pki --version`: the process and nothing else.
pub fn version_alone() -> Contender {
    Contender::new("**pki --version**", |_| {
        let mut version = Command::new(program());
        version.arg("--version");
        Ok(vec![version])
    })
}

/// Name and version.
pub fn version() -> Result<String> {
    let output = Command::new(program())
        .arg("--version")
        .output()
        .context("pki does not start")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("pki does not start")?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
