//! `pki ocsp` killed at its system calls: the directory of a CA is the old one or the new one, and the next run
//! completes.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::faults::judge::{Verdict, ensure};
use crate::faults::sweep::{each_of, is_whole};
use crate::faults::trace::{Call, Fault, record, run_with};
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

/// System calls from one kill to the next, but for those that give files their names; `make soak` kills at each.
const STRIDE: usize = 4;

/// Of so few calls all are tried.
const FEW: usize = 24;

const TREE: &str = "ocsp --ca intermediate0 --out responses";

/// Three leaves, of which `victim` is revoked after the responses were signed and `late` issued.
fn outdated() -> Sandbox {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn good",
        "issue --ca intermediate0 --cn victim",
        TREE,
        "ocsp --ca intermediate0 --cn victim --out staple",
        "issue --ca intermediate0 --cn late",
        "revoke --ca intermediate0 --cn victim",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// A command, and how what it leaves is judged.
struct Sweep {
    command: &'static str,
    begin: Sandbox,
    /// Whether files have the names that they had when the calls were recorded.
    same_names: bool,
    /// The state right after the kill.
    after_kill: fn(&Sandbox, &Snapshot) -> Verdict,
    /// The state after the next run.
    after_next: fn(&Sandbox) -> Verdict,
}

impl Sweep {
    #[track_caller]
    fn run(self) {
        let sandbox = self.begin.copy();
        let calls = record(&sandbox, self.command);
        (self.after_next)(&sandbox).unwrap();
        let points = points(&calls);
        assert!(points.len() > 5, "{} points", points.len());
        let collected = Sandbox::new();
        let number = AtomicUsize::new(0);
        let described =
            |call: &&Call| format!("{} {} on {}", call.name, call.nth, call.path.display());
        let problems = each_of(&points, described, |call| {
            let (sandbox, before) = self.killed_at(call)?;
            let problem = |problem| format!("after the kill: {problem}");
            (self.after_kill)(&sandbox, &before).map_err(problem)?;
            let next = sandbox.pki(self.command).arg("--if-needed").finish();
            ensure(next.status == Some(0), || next.to_string())?;
            (self.after_next)(&sandbox)?;
            let number = number.fetch_add(1, Ordering::Relaxed);
            for (index, file) in files(&sandbox, self.command).iter().enumerate() {
                collected.write(&format!("all/{number}-{index}"), fs::read(file).unwrap());
            }
            Ok(())
        });
        assert!(problems.is_empty(), "pki {}\n{problems}", self.command);
        // No response is older than the newest revocation on record.
        let revoked = newest_revocation(&self.begin);
        for read in collected.read_responses(&collected.files_below("all")) {
            assert!(read.this_update >= revoked, "{revoked} {read:?}");
        }
    }

    /// The files after the kill, and those before it.
    fn killed_at(&self, call: &Call) -> Result<(Sandbox, Snapshot), String> {
        for _ in 0..3 {
            let sandbox = self.begin.copy();
            let before = Snapshot::of(&sandbox.path(responses_of(self.command)));
            let ended = run_with(&sandbox, self.command, call, Fault::Kill);
            if ended.is_some() || !self.same_names {
                return Ok((sandbox, before));
            }
        }
        Err("another call stands in its place each time".into())
    }
}

fn responses_of(command: &str) -> &'static str {
    if command.contains("--cn") {
        "staple"
    } else {
        "responses"
    }
}

fn files(sandbox: &Sandbox, command: &str) -> Vec<std::path::PathBuf> {
    sandbox.files_below(responses_of(command))
}

/// All calls that give names or remove what was replaced, and each so many of the others that change something.
fn points(calls: &[Call]) -> Vec<&Call> {
    let calls: Vec<&Call> = calls.iter().filter(|call| call.changes()).collect();
    let stride = if is_whole() || calls.len() <= FEW {
        1
    } else {
        STRIDE
    };
    let calls = calls.into_iter().enumerate().filter(|(index, call)| {
        let names = call.name.starts_with("rename");
        names || index % stride == 0
    });
    calls.map(|(_, call)| call).collect()
}

/// As openssl reads a journal: the newest time of revocation in the index.
fn newest_revocation(sandbox: &Sandbox) -> String {
    let listed = sandbox.pki("list --ca intermediate0 --status revoked --format json");
    let listed = listed.succeeds().json();
    let listed = listed.as_array().unwrap().iter();
    let times = listed.map(|entry| entry["revoked_at"].as_str().unwrap().to_owned());
    times.max().unwrap_or_default()
}

/// Parses each response with openssl, and returns whether there are any.
fn openssl_reads(sandbox: &Sandbox, files: &[std::path::PathBuf]) -> Verdict {
    for file in files {
        let read = sandbox
            .run("openssl", "ocsp -noverify -resp_text -respin")
            .arg(file)
            .finish();
        let is_read = read.stdout.contains("OCSP Response Status: successful");
        ensure(is_read, || read.to_string())?;
    }
    Ok(())
}

/// Entries under the name of the CA, hidden files beside it or not.
fn old_or_new(sandbox: &Sandbox, before: &Snapshot) -> Verdict {
    let directory = sandbox.path("responses");
    let differences = before.differences(&directory);
    let of_ca = format!("{}/", directory.join("intermediate0").display());
    let changed = differences.iter().any(|line| line.contains(&of_ca));
    if !changed {
        return Ok(());
    }
    openssl_reads(
        sandbox,
        &sandbox.files_below("responses/intermediate0/staple"),
    )?;
    is_complete(sandbox)
}

/// `pki ocsp --check` finds nothing.
fn is_complete(sandbox: &Sandbox) -> Verdict {
    let check = sandbox.pki("ocsp --ca intermediate0 --check --out responses");
    let check = check.finish();
    ensure(check.status == Some(0), || check.to_string())
}

fn is_complete_and_tidy(sandbox: &Sandbox) -> Verdict {
    is_complete(sandbox)?;
    let names = sandbox.names_in("responses");
    ensure(names == ["intermediate0"], || format!("{names:?}"))?;
    let check = sandbox.pki("check").finish();
    ensure(check.status == Some(0), || check.to_string())
}

#[test]
fn a_killed_run_leaves_the_old_or_the_new_responses() {
    Sweep {
        command: TREE,
        begin: outdated(),
        same_names: true,
        after_kill: old_or_new,
        after_next: is_complete_and_tidy,
    }
    .run();
}

/// Killed in the first run, which issues the responder too.
#[test]
fn a_killed_first_run_leaves_all_responses_or_none() {
    let sandbox = Sandbox::with_open_ca();
    for line in [
        "issue --ca intermediate0 --cn good",
        "issue --ca intermediate0 --cn victim",
        "revoke --ca intermediate0 --cn victim",
    ] {
        sandbox.pki(line).succeeds();
    }
    Sweep {
        command: TREE,
        begin: sandbox,
        same_names: false,
        after_kill: |sandbox, _| {
            if !sandbox.path("responses/intermediate0").exists() {
                return Ok(());
            }
            is_complete(sandbox)
        },
        after_next: is_complete_and_tidy,
    }
    .run();
}

#[test]
fn a_killed_run_leaves_the_old_or_the_new_file() {
    Sweep {
        command: "ocsp --ca intermediate0 --cn victim --out staple",
        begin: outdated(),
        same_names: true,
        after_kill: |sandbox, before| {
            let staple = sandbox.path("staple/victim.ocsp");
            openssl_reads(sandbox, std::slice::from_ref(&staple))?;
            let differences = before.differences(&sandbox.path("staple"));
            let changed = differences.iter().any(|line| line.ends_with("victim.ocsp"));
            ensure(!changed || is_current(sandbox), || "neither".into())
        },
        after_next: |sandbox| {
            let names = sandbox.names_in("staple");
            ensure(names == ["victim.ocsp"], || format!("{names:?}"))?;
            ensure(is_current(sandbox), || "not current".into())
        },
    }
    .run();
}

fn is_current(sandbox: &Sandbox) -> bool {
    let check = "ocsp --check --ca intermediate0 --cn victim --out staple";
    sandbox.pki(check).finish().status == Some(0)
}

crate::engine::soak_in_a_database! {
    a_killed_run_leaves_the_old_or_the_new_responses, a_killed_first_run_leaves_all_responses_or_none,
    a_killed_run_leaves_the_old_or_the_new_file,
}
