//! The system calls of a run of `pki` that touch its sandbox, as strace saw them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Run, Transcript};
use crate::sandbox::{STORE, Sandbox};

/// Where strace writes, in the sandbox.
const LOG: &str = "strace.log";

/// The calls with which a program reaches files, by name or by descriptor.
const CALLS: &str = "openat,statx,newfstatat,read,pread64,getdents64,write,pwrite64,fsync,\
                     fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,symlink,unlink,\
                     unlinkat,mkdir,mkdirat,rmdir,flock,fchmod,fchmodat,chmod";

/// What a store that is being restored as `new` is called until it is whole.
const RESTORED: &str = ".new.part";

/// Stands for a path where standard output is written to.
const STDOUT: &str = "standard output";

/// A system call on a file of the sandbox, or on standard output.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Which one it is among the calls of this name in the whole process.
    pub(crate) nth: usize,
    /// What it is about, seen from the sandbox's folder.
    pub(crate) path: PathBuf,
    /// The new name, where there is one.
    to: Option<PathBuf>,
    line: String,
}

/// What is made to happen instead of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The process ends before the call takes effect.
    Kill,
    /// The call fails with this error, and does nothing.
    Error(&'static str),
}

impl Call {
    /// Whether files are other than before when it succeeds, now or after a power cut.
    pub(crate) fn changes(&self) -> bool {
        match self.name.as_str() {
            "openat" => self.line.contains("O_CREAT"),
            "read" | "pread64" | "getdents64" | "statx" | "newfstatat" | "flock" => false,
            _ => true,
        }
    }

    /// What can happen to it. To end a process where it only reads is to end it at its next change.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = vec![Fault::Error("EIO")];
        if self.changes() {
            faults.extend([Fault::Kill, Fault::Error("ENOSPC")]);
        }
        if self.changes() || matches!(self.name.as_str(), "openat" | "flock") {
            faults.push(Fault::Error("EINTR"));
        }
        faults
    }

    /// Whether it goes on reading what the call before it read from.
    pub(crate) fn goes_on_from(&self, before: &Self) -> bool {
        let reads = matches!(self.name.as_str(), "read" | "pread64" | "getdents64");
        reads && self.name == before.name && self.path == before.path
    }

    /// Whether it is on the same file. The name of a key follows from its random serial number, a file
    /// without a name is shown by its number, and a folder is emptied in the order in which the file
    /// system has its files.
    fn is_like(&self, other: &Self) -> bool {
        let is_key = |path: &Path| path.extension().is_some_and(|end| end == "key");
        let both = |is: &dyn Fn(&Path) -> bool| is(&self.path) && is(&other.path);
        let any_name = self.name == "unlinkat" || both(&is_key) || both(&is_nameless);
        self.path == other.path || (any_name && self.path.parent() == other.path.parent())
    }

    pub(crate) fn is_stdout(&self) -> bool {
        self.path == Path::new(STDOUT)
    }

    fn succeeded(&self) -> bool {
        !self.line.contains(" = -1 ")
    }

    fn parse(line: &str, nth: usize, folder: &Path) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        // A descriptor shows what it stands for: `3</folder/file>`.
        let (descriptor, shown) = match rest.split_once('<') {
            Some((number, rest)) if number == "AT_FDCWD" || number.parse::<u32>().is_ok() => {
                (number, rest.split_once('>')?.0)
            }
            _ => ("", ""),
        };
        if name == "write" && descriptor == "1" {
            return Some(Self::new(name, nth, STDOUT.into(), None, line));
        }
        let by_descriptor = matches!(
            name,
            "read" | "pread64" | "getdents64" | "write" | "pwrite64" | "fsync" | "fdatasync"
        ) || matches!(name, "ftruncate" | "flock" | "fchmod");
        let base = if shown.is_empty() {
            folder
        } else {
            Path::new(shown)
        };
        let (path, to) = if by_descriptor {
            (base.to_owned(), None)
        } else {
            let mut names = rest.split('"').skip(1).step_by(2);
            let path = match names.next()? {
                // A file without a name gets one.
                open if open.starts_with("/proc/self/fd/") => folder.join(names.clone().next()?),
                path => base.join(path),
            };
            let renames = name.starts_with("rename") || name.starts_with("link");
            (
                path,
                names.next().filter(|_| renames).map(|to| folder.join(to)),
            )
        };
        let inside = |path: &Path| {
            let inside = path.strip_prefix(folder).ok()?;
            // Without the dots of `./pki`.
            Some(
                inside
                    .components()
                    .filter(|part| part.as_os_str() != ".")
                    .collect(),
            )
        };
        let to = to.as_deref().and_then(inside);
        Some(Self::new(name, nth, inside(&path)?, to, line))
    }

    fn new(name: &str, nth: usize, path: PathBuf, to: Option<PathBuf>, line: &str) -> Self {
        Self {
            name: name.into(),
            nth,
            path,
            to,
            line: line.into(),
        }
    }
}

/// Whether strace shows a file that has no name: `#` and its number.
fn is_nameless(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with('#'))
}

/// Runs `pki` to its end, and gives its calls.
#[track_caller]
pub(crate) fn record(sandbox: &Sandbox, command: &str) -> Vec<Call> {
    traced(sandbox, command, &[&format!("trace={CALLS}")], &[]).succeeds();
    let log = sandbox.read(LOG);
    fs::remove_file(sandbox.path(LOG)).unwrap();
    let folder = sandbox.folder().canonicalize().unwrap();
    let mut counts = BTreeMap::<&str, usize>::new();
    let calls = log.lines().filter_map(|line| {
        let (name, _) = line.split_once('(')?;
        let nth = counts.entry(name).or_default();
        *nth += 1;
        Call::parse(line, *nth, &folder)
    });
    calls.filter(|call| call.path != Path::new(LOG)).collect()
}

/// Runs `pki` with a fault in the place of one call. `None` where the call was another one than
/// when it was recorded.
pub(crate) fn run_with(
    sandbox: &Sandbox,
    command: &str,
    call: &Call,
    fault: Fault,
) -> Option<Transcript> {
    let Call { name, nth, .. } = call;
    let what = match fault {
        Fault::Kill => "signal=SIGKILL".to_owned(),
        Fault::Error(error) => format!("error={error}"),
    };
    let trace = format!("trace={name}");
    let inject = format!("inject={name}:{what}:when={nth}");
    // Much faster, but it would let a process that is killed make its call first.
    let filter: &[&str] = match fault {
        Fault::Kill => &[],
        Fault::Error(_) => &["-f", "--seccomp-bpf"],
    };
    let transcript = traced(sandbox, command, &[&trace, &inject], filter).finish();
    let log = sandbox.read(LOG);
    fs::remove_file(sandbox.path(LOG)).unwrap();
    let folder = sandbox.folder().canonicalize().unwrap();
    let line = match fault {
        Fault::Kill => log.lines().find(|line| line.ends_with(" = ?")),
        Fault::Error(_) => log.lines().find(|line| line.ends_with("(INJECTED)")),
    };
    let line = line?.trim_start_matches(|first: char| first.is_ascii_digit() || first == ' ');
    let hit = Call::parse(line, *nth, &folder)?;
    hit.is_like(call).then_some(transcript)
}

fn traced(sandbox: &Sandbox, command: &str, expressions: &[&str], options: &[&str]) -> Run {
    let run = options.iter().fold(sandbox.run("strace", ""), Run::arg);
    let run = run.words("-y -s 0 -o").arg(LOG);
    expressions
        .iter()
        .fold(run, |run, expression| run.words("-e").arg(expression))
        .arg(env!("CARGO_BIN_EXE_pki"))
        .words(command)
}

/// What a power cut could have taken, where it must not: when a journal grows or a result gets its
/// name, all of the store that came before it; when the result is said, everything.
pub(crate) fn unsynced(calls: &[Call]) -> Vec<String> {
    let mut written = BTreeSet::<&Path>::new();
    let mut named = BTreeSet::<&Path>::new();
    let mut problems = Vec::new();
    for call in calls.iter().filter(|call| call.succeeded()) {
        let path = call.path.as_path();
        // A journal that is still in the making is written as any file is.
        let is_journal = path.extension().is_some_and(|end| end == "jsonl")
            && !path.to_string_lossy().contains("/.new-")
            && !path.starts_with(RESTORED);
        let in_store = |path: &&&Path| {
            let in_restored = path.starts_with(RESTORED) && path.as_os_str() != RESTORED;
            in_restored || (path.starts_with(STORE) && !path.starts_with("pki/crl"))
        };
        let waiting: Vec<&Path> = match call.name.as_str() {
            "write" if call.is_stdout() => written.iter().chain(&named).copied().collect(),
            "write" if is_journal => written.iter().chain(&named).copied().collect(),
            "rename" | "renameat2" | "linkat" => {
                let in_making = path.components().any(|part| {
                    let part = part.as_os_str().to_string_lossy();
                    part.starts_with(".new-") && path.parent() != Some(Path::new(STORE))
                });
                // What has its name inside a store without one needs that to last when the store gets one.
                let is_inside = path.starts_with(RESTORED) && path.as_os_str() != RESTORED;
                let beside = |file: &&&Path| !in_making || file.parent() == path.parent();
                let named = named.iter().filter(in_store).filter(beside);
                let named = named.filter(|_| !is_inside);
                written.iter().chain(named).copied().collect()
            }
            _ => Vec::new(),
        };
        for file in waiting {
            problems.push(format!(
                "{} is not durable before {}",
                file.display(),
                call.line
            ));
        }
        match call.name.as_str() {
            "write" | "pwrite64" | "ftruncate" if !call.is_stdout() => {
                written.insert(path);
            }
            "fsync" | "fdatasync" => {
                written.remove(path);
                named.retain(|file| file.parent() != Some(path));
            }
            // A lock that is gone is made again; a file in the making has no name yet.
            "openat"
                if call.changes()
                    && !path.ends_with("lock")
                    && path.extension().is_none_or(|end| end != "part") =>
            {
                named.insert(path);
            }
            "mkdir" => {
                named.insert(path);
            }
            "rename" | "renameat2" | "linkat" => {
                named.remove(path);
                named.extend(call.to.as_deref());
            }
            "unlink" => {
                named.remove(path);
            }
            _ => {}
        }
    }
    problems
}
