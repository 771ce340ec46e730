//! One command, with every fault in the place of each of its system calls in turn.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

use super::judge::{
    CAS, Standing, Verdict, assert_jq_reads, assert_tidy, assert_unique, ensure, highest_counter,
    is_sound_or_mended,
};
use super::trace::{Call, Fault, record, run_with, unsynced};
use super::{page, power, shortage};

/// A command to be swept.
pub(super) struct Sweep {
    pub(super) command: &'static str,
    /// What it is run in; each point has a copy of its own.
    pub(super) begin: Sandbox,
    /// What has to stand when it says that it is done.
    pub(super) done: fn(&Sandbox) -> Verdict,
    /// What its users do next, whatever became of it.
    pub(super) next: fn(&Sandbox) -> Vec<String>,
}

/// A call, and what happens in its place.
type Point<'a> = (&'a Call, Fault);

/// How a faulted command may end, besides by a signal.
pub(super) const DONE: i32 = 0;
pub(super) const NOTHING_CHANGED: i32 = 1;
const COMMITTED: i32 = 4;

impl Sweep {
    /// Tries every point, and fails with all those that went wrong.
    #[track_caller]
    pub(super) fn run(self) {
        let sandbox = self.begin.copy();
        let calls = record(&sandbox, self.command);
        (self.done)(&sandbox).unwrap();
        assert_eq!(unsynced(&calls), Vec::<String>::new(), "{}", self.command);
        let points = points(&calls);
        // Every command goes on with what another left, so that even to look is to change.
        let standing = Standing::of(&self.begin.copy()).unwrap();
        let problems = each_of(&points, described, |point| {
            self.try_point(*point, &standing)
        });
        let (cuts, after_cuts) = power::cut(&self, &standing);
        let (shortages, in_shortage) = shortage::walk(&self, &standing);
        let changes = calls.iter().filter(|call| call.changes()).count();
        let kills = points.iter().filter(|(_, fault)| *fault == Fault::Kill);
        let tally = page::Tally {
            command: self.command,
            calls: calls.len(),
            changes,
            kills: kills.count(),
            points: points.len(),
            cuts,
            shortages,
        };
        // Past the capture of the test harness: the numbers are of interest when all is well.
        writeln!(std::io::stderr().lock(), "{tally}").unwrap();
        let problems = problems + &after_cuts + &in_shortage;
        assert!(problems.is_empty(), "pki {}\n{problems}", self.command);
        page::hold(&tally);
    }

    /// As [`Sweep::run`], without calls that fail: those of a command at work on several processors can't be
    /// counted.
    #[track_caller]
    pub(super) fn runs_short(self) {
        let standing = Standing::of(&self.begin.copy()).unwrap();
        let (cuts, after_cuts) = power::cut(&self, &standing);
        let (_, in_shortage) = shortage::walk(&self, &standing);
        let problems = after_cuts + &in_shortage;
        assert!(problems.is_empty(), "pki {}\n{problems}", self.command);
        assert!(cuts > 0, "pki {} has nothing to lose", self.command);
    }

    fn try_point(&self, point: Point<'_>, standing: &Standing) -> Verdict {
        // A call that strace counts differently this time is tried once more.
        for _ in 0..3 {
            let sandbox = self.begin.copy();
            let before = Snapshot::of(sandbox.folder());
            if let Some(transcript) = run_with(&sandbox, self.command, point.0, point.1) {
                return self
                    .judge(&sandbox, standing, &before, &transcript, point)
                    .map_err(|problem| format!("{problem}\n{transcript}"));
            }
        }
        Err("another call stands in its place each time".into())
    }

    fn judge(
        &self,
        sandbox: &Sandbox,
        standing: &Standing,
        before: &Snapshot,
        transcript: &Transcript,
        (call, fault): Point<'_>,
    ) -> Verdict {
        let why = || says_why(transcript, call, fault);
        let differences = self.ends_truly(sandbox, before, transcript, why)?;
        let was_ended = transcript.status.is_some() || fault == Fault::Kill;
        ensure(was_ended, || "it was killed".into())?;
        let repeated = transcript.status == Some(DONE) && !call.changes();
        if differences.is_empty() || repeated {
            // It is what every point begins with, to the byte; or done as without the fault.
            return Ok(());
        }
        self.goes_on(sandbox, standing)?;
        if fault == Fault::Kill {
            assert_jq_reads(sandbox)?;
        }
        Ok(())
    }

    /// That the exit code says what has changed, and `why` what hindered it; and the files that are other
    /// than before.
    pub(super) fn ends_truly(
        &self,
        sandbox: &Sandbox,
        before: &Snapshot,
        transcript: &Transcript,
        why: impl Fn() -> Verdict,
    ) -> Result<Vec<String>, String> {
        let differences = before.differences(sandbox.folder());
        let mends = self.begin.path("pki/.new-added").exists();
        let changed = differences.iter().filter(|line| {
            // Any command, this one too, goes on with what another left unfinished.
            let is_mended = mends && (line.contains("/.new-added") || line.contains("/added"));
            !is_mended && !may_remain(sandbox, line)
        });
        let changed: Vec<&String> = changed.collect();
        match transcript.status {
            Some(DONE) => {
                (self.done)(sandbox)?;
                // What can't be cleared away now does not hinder a command, and is said.
                if !transcript.stderr.contains("can't be mended now") {
                    assert_tidy(sandbox)?;
                }
            }
            Some(NOTHING_CHANGED) => {
                // A backup before a removal is written first, and stays if the rest fails.
                let removes = self.command.starts_with("ca remove");
                let is_backup = |line: &&String| removes && line.ends_with("/backup.tar");
                let unchanged = changed.iter().all(is_backup);
                ensure(unchanged, || format!("exit 1, and {changed:?}"))?;
                why()?;
            }
            Some(COMMITTED) => {
                ensure(!changed.is_empty(), || "exit 4, and nothing changed".into())?;
                why()?;
                ensure(transcript.stderr.contains("\nhint: "), || "no hint".into())?;
            }
            None => {}
            Some(code) => return Err(format!("exit code {code}")),
        }
        Ok(differences)
    }

    /// That nothing is lost, that what is not right can be mended, and that the next command works and leaves
    /// nothing in the making.
    pub(super) fn goes_on(&self, sandbox: &Sandbox, standing: &Standing) -> Verdict {
        let faulted = standing.kept(sandbox)?;
        is_sound_or_mended(&sandbox.copy())?;
        let counters = CAS.map(|ca| highest_counter(sandbox, ca));
        let known = CAS.map(|ca| issued(sandbox, ca));
        for line in (self.next)(sandbox) {
            let next = sandbox.pki(&line).finish();
            let works = next.status == Some(DONE);
            ensure(works, || format!("the next command fails: {next}"))?;
        }
        for ((ca, counter), known) in CAS.iter().zip(counters).zip(known) {
            let issued_since = issued(sandbox, ca) > known;
            let rises = !issued_since || highest_counter(sandbox, ca) > counter;
            ensure(rises, || format!("{ca}: a counter twice"))?;
        }
        faulted.kept(sandbox)?;
        assert_unique(sandbox)?;
        assert_tidy(sandbox)
    }
}

/// Tries each, two at a time, and says what was wrong with which.
pub(crate) fn each_of<T: Sync>(
    points: &[T],
    described: impl Fn(&T) -> String + Sync,
    try_point: impl Fn(&T) -> Verdict + Sync,
) -> String {
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let verdict = |point: &T| {
        // What a command says that was to succeed is in the panic; which point it was is not.
        let tried = catch_unwind(AssertUnwindSafe(|| try_point(point)));
        tried.unwrap_or_else(|_| Err("it ended the test, as said above".into()))
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = verdict(point) {
                        let mut problems = problems.lock().unwrap();
                        writeln!(problems, "{}: {problem}", described(point)).unwrap();
                    }
                }
            });
        }
    });
    problems.into_inner().unwrap()
}

/// How many certificates a CA has recorded.
fn issued(sandbox: &Sandbox, ca: &str) -> usize {
    sandbox
        .read(format!("pki/{ca}/issued.jsonl"))
        .lines()
        .count()
}

/// Whether every error is tried at every call, as for `make soak` and for the numbers on the page. Otherwise
/// one of them is at each call that changes something, and at every fourth of the others; and every kill.
pub(crate) fn is_whole() -> bool {
    ["SOAK", "UPDATE_REFERENCE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| value == "1"))
}

/// What happens to the calls; of those that go on reading a file, to the first.
fn points(calls: &[Call]) -> Vec<Point<'_>> {
    let mut points = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        if index > 0 && call.goes_on_from(&calls[index - 1]) {
            continue;
        }
        let (kills, errors): (Vec<_>, Vec<_>) = call
            .faults()
            .into_iter()
            .partition(|fault| *fault == Fault::Kill);
        let of_call = |fault| (call, fault);
        points.extend(kills.into_iter().map(of_call));
        if is_whole() {
            points.extend(errors.into_iter().map(of_call));
        } else if call.changes() || index % 4 == 0 {
            points.push((call, errors[index % errors.len()]));
        }
    }
    points
}

fn described((call, fault): &Point<'_>) -> String {
    let fault = match fault {
        Fault::Kill => "SIGKILL",
        Fault::Error(error) => error,
    };
    let Call {
        name, nth, path, ..
    } = call;
    format!("{fault} at {name} {nth} on {}", path.display())
}

/// What a command that failed may leave: a number that is not used, a lock, an empty folder, an
/// empty store, a store of a format that nothing in it needs yet.
fn may_remain(sandbox: &Sandbox, difference: &str) -> bool {
    let (kind, path) = difference.split_once(": ").unwrap();
    let path = Path::new(path);
    let name = path.file_name().unwrap().to_string_lossy();
    match kind {
        "changed" => matches!(&*name, "serial" | "crlnumber"),
        "new" if path.is_dir() => {
            fs::read_dir(path).unwrap().next().is_none() || is_empty_store(path)
        }
        "new" => name == "lock" || (name == "store.json" && is_empty_store(&sandbox.path("new"))),
        _ => false,
    }
}

fn is_empty_store(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten();
    names
        .map(|entry| entry.unwrap().file_name())
        .all(|name| name == "lock" || name == "store.json")
}

/// The error names the system's reason, and the file or the folder that it is in.
fn says_why(transcript: &Transcript, call: &Call, fault: Fault) -> Verdict {
    let reason = match fault {
        Fault::Error("EIO") => "Input/output error",
        Fault::Error("ENOSPC") => "No space left on device",
        Fault::Error("EINTR") => "Interrupted system call",
        _ => return Err("a killed process has no exit code".into()),
    };
    let stderr = &transcript.stderr;
    ensure(stderr.contains("error: "), || "no error is said".into())?;
    ensure(stderr.contains(reason), || {
        format!("{reason:?} is not said")
    })?;
    let name = call.path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_start_matches(".new-").trim_start_matches('.');
    let name = name.trim_end_matches(".part");
    let folder = call.path.parent().and_then(Path::file_name);
    let folder = folder.is_some_and(|folder| stderr.contains(&*folder.to_string_lossy()));
    // Of a directory that is removed with everything in it, the directory.
    let mut folders = call.path.ancestors().filter_map(Path::file_name);
    let removed = folders.any(|name| {
        let name = name.to_string_lossy();
        name.ends_with(".part") && stderr.contains(&*name)
    });
    let is_named = stderr.contains(name) || folder || removed;
    ensure(is_named, || format!("{name} is not named"))
}
