//! Many processes on one CA, readers beside a writer, and kill -9.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Sandbox;

const PROCESSES: usize = 8;
const EACH: usize = 50;
const JOURNAL: &str = "pki/intermediate0/issued.jsonl";

/// The serials in the CA's journal, in its order.
#[track_caller]
fn recorded(sandbox: &Sandbox) -> Vec<String> {
    let journal = sandbox.read(JOURNAL);
    // The first line says which journal it is.
    let records = journal.lines().skip(1).map(|line| {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("not a record: {error}\n{line}");
        });
        record["serial"].as_str().unwrap().to_owned()
    });
    records.collect()
}

#[track_caller]
fn assert_distinct(serials: &[String]) {
    let distinct = serials.iter().collect::<BTreeSet<_>>();
    assert_eq!(distinct.len(), serials.len(), "a serial twice: {serials:?}");
}

fn issue_one(sandbox: &Sandbox, name: &str) -> String {
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --cn")
        .arg(name)
        .succeeds();
    issued.json()["serial"].as_str().unwrap().to_owned()
}

#[test]
fn eight_issuing_processes_repeat_no_serial_number() {
    let sandbox = Sandbox::with_open_ca();
    let done = AtomicBool::new(false);
    let (printed, readings) = thread::scope(|scope| {
        let writers = (0..PROCESSES)
            .map(|process| {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    let names = (0..EACH).map(|n| format!("client-{process}-{n}"));
                    names
                        .map(|name| issue_one(sandbox, &name))
                        .collect::<Vec<_>>()
                })
            })
            .collect::<Vec<_>>();
        let reader = scope.spawn(|| {
            let mut readings = 0;
            while !done.load(Ordering::Relaxed) {
                let listed = sandbox
                    .pki("--format json list --ca intermediate0")
                    .succeeds();
                assert!(listed.json().is_array(), "{listed}");
                readings += 1;
            }
            readings
        });
        let serials = writers.into_iter().map(ScopedJoinHandle::join);
        let serials = serials.collect::<Vec<_>>();
        // Said before a writer's panic is passed on: the reader must end too.
        done.store(true, Ordering::Relaxed);
        let serials = serials.into_iter().flat_map(Result::unwrap);
        (serials.collect::<Vec<_>>(), reader.join().unwrap())
    });
    assert_eq!(printed.len(), PROCESSES * EACH);
    assert_distinct(&printed);
    assert!(readings > 0);

    let recorded = recorded(&sandbox);
    assert_eq!(
        recorded.iter().collect::<BTreeSet<_>>(),
        printed.iter().collect::<BTreeSet<_>>()
    );
    assert_eq!(recorded.len(), PROCESSES * EACH);
    let listed = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), PROCESSES * EACH);
}

/// What a reader of a list saw: that it is whole and good, as openssl says, its number, its serials.
fn read_list(sandbox: &Sandbox, file: &str) -> (u128, Vec<String>) {
    let read = sandbox
        .run(
            "openssl",
            "crl -noout -text -CAfile pki/intermediate0/ca.crt -in",
        )
        .arg(file)
        .succeeds();
    assert!(read.stderr.contains("verify OK"), "{read}");
    let (_, number) = read.stdout.split_once("X509v3 CRL Number:").unwrap();
    let number = number.trim_start().lines().next().unwrap().trim();
    let serials = read.stdout.lines();
    let serials = serials.filter_map(|line| line.trim().strip_prefix("Serial Number: "));
    (
        number.parse().unwrap(),
        serials.map(str::to_owned).collect(),
    )
}

#[test]
fn readers_see_complete_crls_that_only_grow() {
    let sandbox = Sandbox::with_open_ca();
    let names = (0..12).map(|n| format!("client-{n}")).collect::<Vec<_>>();
    let serials = names.iter().map(|cn| sandbox.issued("intermediate0", cn));
    let mut serials = serials.collect::<Vec<_>>();
    sandbox.pki("crl --to-pem --chain").succeeds();
    let done = AtomicBool::new(false);
    let finished = || done.load(Ordering::Relaxed);
    let reads = thread::scope(|scope| {
        let readers = ["crl", "crl.pem"].map(|end| {
            let file = format!("pki/crl/intermediate0.{end}");
            let (sandbox, finished) = (&sandbox, &finished);
            scope.spawn(move || {
                let (mut reads, mut last) = (0, (0, Vec::new()));
                while !finished() {
                    let now = read_list(sandbox, &file);
                    assert!(now.0 >= last.0, "{file}: {} after {}", now.0, last.0);
                    assert!(now.1.starts_with(&last.1), "{file} lost a revocation");
                    (reads, last) = (reads + 1, now);
                }
                reads
            })
        });
        let chain = scope.spawn(|| {
            let mut reads = 0;
            while !finished() {
                let line = "storeutl -noout -crls pki/crl/intermediate0.chain.crl.pem";
                let read = sandbox.run("openssl", line).succeeds();
                assert!(read.stdout.contains("Total found: 2"), "{read}");
                reads += 1;
            }
            reads
        });
        let writers = names.chunks(6).map(|names| {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for cn in names {
                    let line = format!("revoke --ca intermediate0 --cn {cn}");
                    sandbox.pki(&line).succeeds();
                    sandbox.pki("crl --to-pem --chain").succeeds();
                }
            })
        });
        let ended = writers.collect::<Vec<_>>().into_iter();
        let ended = ended.map(ScopedJoinHandle::join).collect::<Vec<_>>();
        // Said before a writer's panic is passed on: the readers must end too.
        done.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(Result::unwrap);
        let reads = readers.map(|reader| reader.join().unwrap());
        [reads[0], reads[1], chain.join().unwrap()]
    });
    assert!(reads.iter().all(|reads| *reads > 0), "{reads:?}");
    let (number, mut listed) = read_list(&sandbox, "pki/crl/intermediate0.crl");
    assert_eq!(number, 13);
    listed.sort_unstable();
    serials.sort_unstable();
    assert_eq!(listed, serials);
}

/// util-linux's `flock` holding a CA's lock until its input is closed.
struct Holder(Child);

impl Holder {
    fn of(sandbox: &Sandbox, lock: &str) -> Self {
        let mut holder = std::process::Command::new("flock")
            .arg(sandbox.path(lock))
            .args(["sh", "-c", "echo held; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flock runs");
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(holder)
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Closing its input ends it; a test that failed leaves it to this.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn readers_need_no_lock_and_writers_report_that_they_wait() {
    let sandbox = Sandbox::with_open_ca();
    sandbox
        .pki("issue --ca intermediate0 --cn before --out before --no-passphrase")
        .succeeds();
    let holder = Holder::of(&sandbox, "pki/intermediate0/lock");

    let mut waiting = sandbox.pki("issue --ca intermediate0 --cn after").spawn();
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    let mut notice = String::new();
    stderr.read_line(&mut notice).unwrap();
    assert!(notice.contains("waiting"), "{notice}");

    for reader in [
        "list --ca intermediate0",
        "show --ca intermediate0 --cn before",
        "tree",
        "export --ca intermediate0 --cn before --out again --no-passphrase",
        "bundle --out truststore.pem",
    ] {
        sandbox.pki(reader).succeeds();
    }
    assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");

    holder.release();
    assert!(waiting.wait().unwrap().success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(recorded(&sandbox).len(), 2, "{rest}");
}

#[test]
fn another_ca_of_the_store_issues_while_one_is_locked() {
    let sandbox = Sandbox::with_open_ca();
    let holder = Holder::of(&sandbox, "pki/intermediate0/lock");
    sandbox.pki("issue --ca rootCA --cn elsewhere").succeeds();
    holder.release();
}

/// Spread over the whole life of an issue, which is a few milliseconds.
fn some_moment() -> Duration {
    Duration::from_micros(RandomState::new().hash_one("moment") % 12_000)
}

#[test]
fn kill_9_leaves_a_store_that_issues_and_repeats_no_serial() {
    const ROUNDS: usize = 40;
    let sandbox = Sandbox::with_open_ca();
    let acknowledged = thread::scope(|scope| {
        let workers = (0..4)
            .map(|worker| {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    let rounds = (0..ROUNDS).map(|n| format!("killed-{worker}-{n}"));
                    let ended = rounds.filter_map(|name| issue_and_kill(sandbox, &name));
                    ended.collect::<Vec<_>>()
                })
            })
            .collect::<Vec<_>>();
        let serials = workers.into_iter().map(|worker| worker.join().unwrap());
        serials.flatten().collect::<Vec<_>>()
    });
    assert_distinct(&acknowledged);

    let next = issue_one(&sandbox, "after-the-kills");
    assert!(!acknowledged.contains(&next), "{next} was given out before");
    let listed = sandbox
        .pki("--format json list --ca intermediate0")
        .succeeds();
    let recorded = recorded(&sandbox);
    assert_eq!(listed.json().as_array().unwrap().len(), recorded.len());
    assert_distinct(&recorded);
    for serial in &acknowledged {
        assert!(
            recorded.contains(serial),
            "{serial} was printed, not recorded"
        );
    }
}

/// Issues, killed at some moment. The serial, where it had been printed before.
fn issue_and_kill(sandbox: &Sandbox, name: &str) -> Option<String> {
    let mut issuing = sandbox
        .pki("--format json issue --ca intermediate0 --cn")
        .arg(name)
        .spawn();
    thread::sleep(some_moment());
    issuing.kill().unwrap();
    let output = issuing.wait_with_output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(printed["serial"].as_str().unwrap().to_owned())
}

#[test]
fn a_torn_last_line_of_the_journal_is_said_and_set_aside() {
    let sandbox = Sandbox::with_open_ca();
    let first = issue_one(&sandbox, "first");
    let whole = sandbox.read(JOURNAL);
    let last = whole.lines().last().unwrap();
    sandbox.write(JOURNAL, format!("{whole}{}", &last[..last.len() / 2]));
    let issued = sandbox
        .pki("--format json issue --ca intermediate0 --cn second")
        .succeeds();
    assert!(!issued.stderr.is_empty(), "nothing was said");
    let second = issued.json()["serial"].as_str().unwrap().to_owned();
    assert_eq!(recorded(&sandbox), [first, second]);
}

#[test]
fn an_older_serial_counter_put_back_repeats_no_serial() {
    let sandbox = Sandbox::with_open_ca();
    let older = sandbox.read("pki/intermediate0/serial");
    let first = issue_one(&sandbox, "first");
    sandbox.write("pki/intermediate0/serial", older);
    let second = issue_one(&sandbox, "second");
    // The counter comes before sixteen random hex digits.
    let counter = |serial: &str| u64::from_str_radix(&serial[..serial.len() - 16], 16).unwrap();
    assert!(counter(&second) > counter(&first), "{first}, {second}");
}

crate::engine::soak_in_a_database! {
    eight_issuing_processes_repeat_no_serial_number,
}
