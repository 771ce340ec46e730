//! A process that holds a key: nobody else looks into it, and it leaves no image of itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// A root under [`PASSPHRASE`].
fn with_protected_root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.with_passphrase("root --name rootCA").succeeds();
    sandbox
}

/// A `pki` that has been stopped in its work, its key open: it waits for a lock that we hold.
struct Waiting {
    process: Child,
    /// Unlocked when it is closed.
    _lock: fs::File,
}

impl Waiting {
    fn of(sandbox: &Sandbox, run: Run) -> Self {
        let lock = fs::File::create(sandbox.path("pki/rootCA/lock")).unwrap();
        lock.lock().unwrap();
        let mut process = run.env("PKI_PASSPHRASE", PASSPHRASE).spawn();
        let mut notice = String::new();
        BufReader::new(process.stderr.take().unwrap())
            .read_line(&mut notice)
            .unwrap();
        assert!(notice.contains("waiting"), "{notice}");
        Self {
            process,
            _lock: lock,
        }
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.process.id())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_process_with_a_key_dumps_no_core_and_survives_sigxfsz() {
    const SIGXFSZ: u32 = 25;
    let sandbox = with_protected_root();
    let waiting = Waiting::of(&sandbox, sandbox.pki("issue --ca rootCA --cn client"));

    let limits = fs::read_to_string(waiting.proc("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core = core.unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");

    let status = fs::read_to_string(waiting.proc("status")).unwrap();
    let signals = |field: &str| {
        let bits = status.lines().find_map(|line| line.strip_prefix(field));
        u64::from_str_radix(bits.unwrap().trim(), 16).unwrap()
    };
    let handled = signals("SigIgn:") | signals("SigCgt:");
    assert!(handled & (1 << (SIGXFSZ - 1)) != 0, "{status}");
}

/// The signals for which the kernel writes a core file, in a shell that allows as large a one as it may.
#[test]
fn a_signal_that_ends_a_process_with_a_key_writes_no_core_file() {
    let sandbox = with_protected_root();
    let in_shell = |script: &str| {
        let script = format!("ulimit -S -c \"$(ulimit -H -c)\"; {script}");
        // Whoever starts the tests in the background has them ignore SIGQUIT.
        let run = sandbox.run("env", "--default-signal sh -c");
        run.arg(script).arg("sh")
    };
    for signal in [Signal::QUIT, Signal::ABORT, Signal::TRAP] {
        let run = in_shell("exec \"$@\"").arg(env!("CARGO_BIN_EXE_pki"));
        let mut waiting = Waiting::of(&sandbox, run.words("issue --ca rootCA --cn client"));
        kill_process(waiting.pid(), signal).unwrap();
        let ended = waiting.process.wait().unwrap();
        assert_eq!(ended.signal(), Some(signal.as_raw()));
        assert!(!ended.core_dumped(), "{signal:?}");
        assert_eq!(sandbox.names_in("."), ["pki"], "{signal:?}");
    }
    // In the same shell another program does leave one, where the machine has it done at all.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let other = in_shell("test \"$(ulimit -c)\" != 0 && kill -QUIT $$").spawn();
    let other = other.wait_with_output().unwrap().status;
    let is_file = !pattern.starts_with('|') && !pattern.trim().is_empty();
    assert!(
        other.code() == Some(1) || !is_file || other.core_dumped(),
        "{other}"
    );
}

/// The kernel gives `/proc/PID` to root where a process may not be dumped or
/// traced. Under root that shows nothing, so `pki` is run as somebody else.
#[test]
fn a_process_with_a_key_cannot_be_traced_by_its_own_user() {
    const NOBODY: u32 = 65_534;
    let sandbox = with_protected_root();
    let binary = sandbox.path("pki-binary");
    fs::copy(env!("CARGO_BIN_EXE_pki"), &binary).unwrap();
    let is_root = fs::metadata(sandbox.folder()).unwrap().uid() == 0;
    if is_root {
        give(sandbox.folder(), NOBODY);
    }
    let as_nobody = |program: &str| {
        if is_root {
            let to_nobody = format!("--reuid {NOBODY} --regid {NOBODY} --clear-groups");
            sandbox.run("setpriv", &to_nobody).arg(program)
        } else {
            Run::new(program, sandbox.folder())
        }
    };
    let run = as_nobody(binary.to_str().unwrap());
    let waiting = Waiting::of(&sandbox, run.words("issue --ca rootCA --cn client"));
    let environment = fs::metadata(waiting.proc("environ")).unwrap();
    assert_eq!(environment.uid(), 0, "others of its user can read it");
    for file in ["environ", "mem", "maps", "auxv"] {
        let refused = as_nobody("head")
            .words("-c 1")
            .arg(waiting.proc(file))
            .ends_with(1);
        assert!(refused.stderr.contains("Permission denied"), "{refused}");
    }
    let process = waiting.process.id().to_string();
    let refused = as_nobody("strace").arg("-p").arg(process).ends_with(1);
    assert!(
        refused.stderr.contains("Operation not permitted"),
        "{refused}"
    );
}

fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}
