//! Journals whose last line is half written, or can't be made durable.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::run::{Transcript, assert_text};
use crate::sandbox::{STORE, Sandbox};

use super::begin;
use super::judge::{Standing, assert_jq_reads, assert_tidy, assert_unique};

const REVOKED: &str = "pki/intermediate0/revoked.jsonl";
const ISSUED: &str = "pki/intermediate0/issued.jsonl";

/// The length of a file in bytes.
fn length(sandbox: &Sandbox, path: &str) -> u64 {
    fs::metadata(sandbox.path(path)).unwrap().len()
}

/// `pki` with faults that strace puts in the place of its calls, in files of limited length.
fn run_with(sandbox: &Sandbox, injections: &[&str], limit: Option<u64>, line: &str) -> Transcript {
    let run = injections.iter().fold(
        sandbox.run("strace", "-o /dev/null -e trace=fdatasync,ftruncate"),
        |run, injection| run.arg("-e").arg(format!("inject={injection}")),
    );
    let run = match limit {
        Some(octets) => run.arg("prlimit").arg(format!("--fsize={octets}")),
        None => run,
    };
    run.arg(env!("CARGO_BIN_EXE_pki")).words(line).finish()
}

/// The file system takes a part of a line and no more, as it does when it is full.
#[test]
fn a_line_that_does_not_fit_is_taken_back_wherever_it_is_cut() {
    let sandbox = begin();
    let standing = Standing::of(&sandbox).unwrap();
    for (journal, line) in [
        (REVOKED, "revoke --ca intermediate0 --cn victim"),
        (ISSUED, "issue --ca intermediate0 --cn fresh"),
    ] {
        let before = sandbox.read(journal);
        for taken in [0, 1, 40, 90, 140] {
            let limit = length(&sandbox, journal) + taken;
            let full = sandbox
                .run("prlimit", "")
                .arg(format!("--fsize={limit}"))
                .arg(env!("CARGO_BIN_EXE_pki"))
                .words(line)
                .words("--format json")
                .ends_with(1);
            assert_eq!(full.error()["code"], "file-too-large", "{full}");
            assert!(full.stderr.contains(journal), "{full}");
            assert_eq!(sandbox.read(journal), before, "{taken} bytes were taken");
        }
    }
    assert_eq!(sandbox.names_in("pki/intermediate0/keys").len(), 7);
    let standing = standing.kept(&sandbox).unwrap();
    sandbox
        .pki("revoke --ca intermediate0 --cn victim")
        .succeeds();
    sandbox
        .pki("issue --ca intermediate0 --cn fresh")
        .succeeds();
    standing.kept(&sandbox).unwrap();
    assert_unique(&sandbox).unwrap();
}

/// The process is killed when a part of its line is on the disk, before it can take it back.
#[test]
fn a_line_that_a_kill_cut_is_set_aside() {
    let line = "revoke --ca intermediate0 --cn victim";
    let sandbox = begin();
    let standing = Standing::of(&sandbox).unwrap();
    let mut torn = 0;
    for taken in [1, 2, 40, 90, 140] {
        let before = sandbox.read(REVOKED);
        let limit = length(&sandbox, REVOKED) + taken;
        let killed = run_with(
            &sandbox,
            &["ftruncate:signal=SIGKILL:when=1"],
            Some(limit),
            line,
        );
        assert_eq!(killed.status, None, "{killed}");
        let cut = sandbox.read(REVOKED);
        assert_eq!(cut.len(), before.len() + usize::try_from(taken).unwrap());
        // Whoever reads passes over it.
        standing.kept(&sandbox).unwrap();
        let mended = sandbox.pki("crl --ca intermediate0").succeeds();
        assert!(mended.stderr.contains(REVOKED), "{mended}");
        assert_eq!(sandbox.read(REVOKED), before);
        torn += usize::try_from(taken).unwrap() + 1;
        assert_eq!(sandbox.read(format!("{REVOKED}.torn")).len(), torn);
    }
    sandbox.pki(line).succeeds();
    sandbox.pki("crl").succeeds();
    standing.kept(&sandbox).unwrap();
    assert_jq_reads(&sandbox).unwrap();
    assert_tidy(&sandbox).unwrap();
}

/// Of several pages that were appended at once, power was cut before some were on the disk, and after
/// others were: zeros, with whole lines behind them.
#[test]
fn a_hole_in_what_was_being_appended_is_a_torn_tail() {
    const PAGE: usize = 4096;
    let sandbox = begin();
    let rows: Vec<String> = (1..=12).map(|number| format!("many-{number}")).collect();
    sandbox.write("many.csv", "cn\n".to_owned() + &rows.join("\n"));
    let resume = "issue --ca intermediate0 --from many.csv --resume";
    let before = fs::read(sandbox.path(ISSUED)).unwrap();
    let standing = Standing::of(&sandbox).unwrap();
    sandbox.pki(resume).succeeds();
    let appended = fs::read(sandbox.path(ISSUED)).unwrap();
    let end_of_page = before.len().next_multiple_of(PAGE);
    let end_of_next = (end_of_page + PAGE).min(appended.len());
    for hole in [
        before.len()..end_of_page,
        end_of_page..end_of_next,
        before.len()..end_of_next,
    ] {
        let mut holed = appended.clone();
        holed[hole.clone()].fill(0);
        sandbox.write(ISSUED, &holed);
        // A reader passes over it, and nothing is damage.
        standing.kept(&sandbox).unwrap();
        let checked = sandbox.pki("check").finish();
        assert!(!checked.stdout.contains("damaged"), "{checked}");
        assert_eq!(fs::read(sandbox.path(ISSUED)).unwrap(), holed);
        let next = sandbox.pki(resume).succeeds();
        assert!(next.stderr.contains(ISSUED), "{next}");
        let now = fs::read(sandbox.path(ISSUED)).unwrap();
        assert!(now.starts_with(&before) && !now.contains(&0));
        let torn = fs::read(sandbox.path(format!("{ISSUED}.torn"))).unwrap();
        assert!(torn.contains(&0) && torn.ends_with(b"}\n\n"));
        fs::remove_file(sandbox.path(format!("{ISSUED}.torn"))).unwrap();
        standing.kept(&sandbox).unwrap();
        assert_jq_reads(&sandbox).unwrap();
        assert_unique(&sandbox).unwrap();
        let listed = sandbox.pki("list --ca intermediate0").succeeds().stdout;
        assert_eq!(listed.matches("CN=many-").count(), 12, "{listed}");
    }
}

/// Zeros in what was acknowledged before the last append are damage: the command stops.
#[test]
fn zeros_in_what_was_acknowledged_are_damage() {
    let sandbox = begin();
    sandbox.pki("issue --ca intermediate0 --cn last").succeeds();
    let whole = fs::read(sandbox.path(ISSUED)).unwrap();
    let newlines: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    let mut zeroed = whole.clone();
    zeroed[newlines[1] + 1..newlines[2]].fill(0);
    sandbox.write(ISSUED, &zeroed);
    for line in ["list", "backup backup.tar"] {
        let stopped = sandbox.pki(line).words("--format json").ends_with(1);
        assert_eq!(stopped.error()["code"], "store-damaged", "{stopped}");
    }
    sandbox.pki("check --repair").ends_with(3);
    assert_eq!(fs::read(sandbox.path(ISSUED)).unwrap(), zeroed);
}

/// A disk that syncs nothing and takes nothing back: what was appended can be read, and may be gone
/// after a power cut. Neither «done» nor «nothing changed» would be true.
#[test]
fn a_record_neither_synced_nor_removed_is_undecided() {
    let mut said = BTreeSet::new();
    for (sync, line) in [
        (1, "revoke --ca intermediate0 --cn victim"),
        // The first is that of the serial counter.
        (2, "issue --ca intermediate0 --cn fresh"),
    ] {
        let sync = format!("fdatasync:error=EIO:when={sync}+");
        for stays in [&[&*sync, "ftruncate:error=EIO"][..], &[&*sync]] {
            let sandbox = begin();
            let standing = Standing::of(&sandbox).unwrap();
            let undecided = run_with(&sandbox, stays, None, &format!("--format json {line}"));
            assert_eq!(undecided.status, Some(4), "{undecided}");
            assert_eq!(undecided.error()["code"], "commit-undecided");
            said.insert(undecided.text_of_stderr());
            // Whichever it is, it is whole: a certificate that is there has its key.
            let standing = standing.kept(&sandbox).unwrap();
            let named = "--format json list --ca intermediate0 --cn fresh";
            let listed = sandbox.pki(named).succeeds().json();
            for issued in listed.as_array().unwrap() {
                let serial = issued["serial"].as_str().unwrap();
                let key = format!("pki/intermediate0/keys/{serial}.key");
                assert!(sandbox.path(key).exists(), "{serial} lost its key");
            }
            sandbox.pki(line).succeeds();
            standing.kept(&sandbox).unwrap();
            assert_unique(&sandbox).unwrap();
        }
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: the new records in ./pki/intermediate0/issued.jsonl could be neither made durable nor removed
            caused by: could not sync ./pki/intermediate0/issued.jsonl
            caused by: Input/output error (os error 5)
            hint: check the disk; then `pki list` shows which records exist
            error: the new records in ./pki/intermediate0/revoked.jsonl could be neither made durable nor removed
            caused by: could not sync ./pki/intermediate0/revoked.jsonl
            caused by: Input/output error (os error 5)
            hint: check the disk; then `pki list` shows which records exist
        "#]],
    );
}

/// A sync that failed is not tried again, and what it was to keep is not acknowledged: the kernel
/// would say that all is well, and have forgotten the data.
#[test]
fn a_sync_that_failed_is_not_repeated_in_hope() {
    let sandbox = begin();
    for (call, line) in [
        ("fdatasync", "revoke --ca intermediate0 --cn victim"),
        ("fdatasync", "issue --ca intermediate0 --cn fresh"),
        (
            "fsync",
            "crl --in pki/crl/rootCA.crl --to-pem --out converted.pem",
        ),
    ] {
        let before = sandbox.store_snapshot();
        let failed = sandbox
            .run("strace", "-y -s 0 -o strace.log -e")
            .arg("trace=fsync,fdatasync,ftruncate,unlink")
            .arg("-e")
            .arg(format!("inject={call}:error=EIO:when=1"))
            .arg(env!("CARGO_BIN_EXE_pki"))
            .words(line)
            .ends_with(1);
        assert!(failed.stderr.contains("Input/output error"), "{failed}");
        let log = sandbox.read("strace.log");
        let mut after = log.lines().skip_while(|line| !line.ends_with("(INJECTED)"));
        let file = after.next().unwrap().split(['(', ')']).nth(1).unwrap();
        let again = after
            .take_while(|line| !line.starts_with("ftruncate"))
            .find(|line| line.contains("sync") && line.contains(file));
        assert_eq!(again, None, "{log}");
        let changed = before.differences(&sandbox.path(STORE));
        let allowed = |line: &String| line.ends_with("intermediate0/serial");
        assert!(changed.iter().all(allowed), "{changed:?}");
    }
}
