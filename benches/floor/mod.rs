//! The least that a machine must do for a piece of work: floors, which take their turns as contenders do.
//!
//! The benchmark executes itself with `floor KIND …` for the parts of a command: whole processes are compared with
//! whole processes. Parts of a command of a few milliseconds print their own times, without the start of the process:
//! that is the floor [`EMPTY`].

#![allow(
    dead_code,
    unused_imports,
    reason = "every benchmark includes this module and uses a part of it"
)]

mod bytes;
mod empty;
mod files;
mod signatures;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::harness::{Contender, of_this_process};

pub use empty::{EMPTY, Empty};
pub use files::manifest;
pub use signatures::Work;

/// Makes this program a floor.
const FLOOR: &str = "floor";

/// Returns whether this process was started as a floor, and has now done its work.
pub fn is_asked() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((FLOOR, rest)) = arguments
        .split_first()
        .map(|(first, rest)| (&**first, rest))
    else {
        return Ok(false);
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match rest.as_slice() {
        ["signatures", rest @ ..] => signatures::run(rest)?,
        ["syncs", count] => files::syncs(count.parse()?)?,
        ["files", manifest, together] => files::create(Path::new(manifest), together.parse()?)?,
        ["read", file] => bytes::read(Path::new(file))?,
        ["crl", journal, sizes @ ..] => bytes::crl(Path::new(journal), sizes)?,
        other => bail!("there is no floor {other:?}"),
    }
    Ok(true)
}

/// As many syncs of a file that has grown by a record.
pub fn syncs(count: u64) -> Contender {
    let count = count.to_string();
    contender(&format!("{count} syncs"), &["syncs", &count]).timing_itself()
}

/// The cryptography of one command, on one thread.
pub fn single(called: &str, work: &Work) -> Contender {
    signatures(called, work, "one").timing_itself()
}

/// The cryptography of a batch, on all cores.
pub fn on_all_cores(called: &str, work: &Work) -> Contender {
    signatures(called, work, "all").weighed()
}

fn signatures(called: &str, work: &Work, threads: &str) -> Contender {
    let work = work.to_string();
    let words: Vec<&str> = ["signatures"]
        .into_iter()
        .chain(work.split(' '))
        .chain([threads])
        .collect();
    contender(called, &words)
}

/// Creation of the files of a [`manifest`], synced after every `together` of them.
pub fn files(called: &str, manifest: &Path, together: usize) -> Contender {
    let manifest = manifest.display().to_string();
    contender(called, &["files", &manifest, &together.to_string()]).weighed()
}

/// Reading a file once.
pub fn read(called: &str, file: &Path) -> Contender {
    contender(called, &["read", &file.display().to_string()]).weighed()
}

/// Reading the journal of revocations, SHA-256 and writing of files of the same sizes, a signature and its
/// verification.
pub fn crl(called: &str, journal: &Path, sizes: &[u64]) -> Contender {
    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let journal = journal.display().to_string();
    let sizes = sizes.iter().map(String::as_str);
    let words: Vec<&str> = ["crl", &journal].into_iter().chain(sizes).collect();
    contender(called, &words).weighed()
}

fn contender(called: &str, words: &[&str]) -> Contender {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    Contender::new(called, move |_| {
        let mut floor = Command::new(std::env::current_exe()?);
        floor.arg(FLOOR).args(&words);
        Ok(vec![floor])
    })
}

/// Does the work, and prints the wall time and the CPU time that it took, in nanoseconds.
fn timed(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let cpu = of_this_process()?;
    let start = Instant::now();
    work()?;
    let wall = start.elapsed();
    let cpu = of_this_process()?.saturating_sub(cpu);
    println!("{} {}", wall.as_nanos(), cpu.as_nanos());
    Ok(())
}
