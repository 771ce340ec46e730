//! Number of syncs of a process, counted by strace in a run off the clock.

use std::process::Command;

use anyhow::{Context, Result};

use super::contender::followed_by;

const CALLS: &str = "fsync,fdatasync,syncfs,sync_file_range";

/// The command under strace, which stops it at these system calls alone.
pub fn traced((index, command): (usize, &Command)) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-c", "--seccomp-bpf", "-e", &format!("trace={CALLS}")]);
    traced.args(["-o", &file(index)]);
    followed_by(traced, command)
}

/// File of the counts, in the directory of the round.
pub fn file(index: usize) -> String {
    format!("{index}.syncs")
}

/// Reads the summary of strace: the fourth column has the calls.
pub fn counted(summary: &str) -> Result<u64> {
    let is_call = |line: &&str| {
        let last = line.split_whitespace().last().unwrap_or_default();
        CALLS.split(',').any(|call| call == last)
    };
    summary
        .lines()
        .filter(is_call)
        .map(|line| {
            let calls = line.split_whitespace().nth(3);
            let calls = calls.context("strace prints the number of calls")?;
            Ok(calls.parse::<u64>()?)
        })
        .sum::<Result<u64>>()
}
