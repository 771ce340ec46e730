//! One target, replayed in a process of its own.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::MEMORY;
use super::inputs::Inputs;
use super::page::{self, Tally};
use super::targets::TARGETS;
use crate::sandbox::{Sandbox, repository};

/// Set in the process that does it: the file that says how far it is, and in the end what was done.
const PROGRESS: &str = "PKI_HOSTILE_PROGRESS";

/// Bytes that may be allocated at a time for each byte of an input, and beside them: the blocks in which
/// files are read.
const PER_OCTET: usize = 128;
const FIXED: usize = 4 << 20;

/// Memory of the whole process, with what the cryptographic library takes.
const ADDRESSES: u64 = 4 << 30;

/// What takes longer than this has no end. It is no limit of time: most take less than a millisecond.
const ENDLESS: Duration = Duration::from_secs(120);

pub(super) fn replay(target: &'static str) {
    match env::var_os(PROGRESS) {
        Some(progress) => execute(target, Path::new(&progress)),
        None => supervise(target),
    }
}

fn supervise(target: &'static str) {
    let sandbox = Sandbox::in_memory();
    let progress = sandbox.path("progress");
    let worker = Command::new(env::current_exe().unwrap())
        .args([&format!("hostile::{target}"), "--exact", "--nocapture"])
        .env(PROGRESS, &progress)
        .env("TMPDIR", sandbox.folder())
        .output()
        .unwrap();
    if worker.status.success() {
        let tally = Tally::read(target, &fs::read_to_string(&progress).unwrap());
        // Past the test harness, which shows what failing tests print.
        io::stdout().write_all(tally.in_words().as_bytes()).unwrap();
        return page::hold(&tally);
    }
    let input = input_at(target, &progress);
    let said = [worker.stdout, worker.stderr].concat();
    panic!(
        "{target}: {}\nthe input is {}\n{}",
        worker.status,
        input.display(),
        String::from_utf8_lossy(&said)
    );
}

/// The input at which the process was, made again and kept.
fn input_at(target: &str, progress: &Path) -> PathBuf {
    let index = fs::read(progress).unwrap_or_default();
    let index = index
        .first_chunk()
        .map_or(0, |index| usize::from_le_bytes(*index));
    let mut inputs = Inputs::of(target);
    let input = (0..=index).map(|index| inputs.input(index)).last();
    let folder = repository("target/hostile");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{target}-{index}"));
    fs::write(&path, input.unwrap()).unwrap();
    path
}

fn execute(target: &'static str, path: &Path) {
    let (_, function) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let limit = Rlimit {
        current: Some(ADDRESSES),
        maximum: Some(ADDRESSES),
    };
    setrlimit(Resource::As, limit).unwrap();
    let mut inputs = Inputs::of(target);
    let progress = File::create(path).unwrap();
    let watchdog = Watchdog::start();
    // What is made once is no matter of the input.
    function(&[]);
    for index in 0..inputs.executions {
        let input = inputs.input(index);
        progress.write_all_at(&index.to_le_bytes(), 0).unwrap();
        watchdog.executions.store(index, Ordering::Relaxed);
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        function(&input);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        assert!(
            taken <= FIXED + PER_OCTET * input.len(),
            "{taken} bytes are allocated for {}",
            input.len()
        );
    }
    let Inputs {
        stored,
        vectors,
        executions,
        ..
    } = inputs;
    fs::write(path, format!("{stored} {vectors} {executions}")).unwrap();
}

/// Ends the process when an execution has no end.
struct Watchdog {
    executions: Arc<AtomicUsize>,
    /// Gone when there is nothing to be watched any more.
    _end: mpsc::Sender<()>,
}

impl Watchdog {
    fn start() -> Self {
        let executions = Arc::new(AtomicUsize::new(usize::MAX));
        let watched = executions.clone();
        let (sender, end) = mpsc::channel::<()>();
        thread::spawn(move || {
            let mut last = None;
            while end.recv_timeout(ENDLESS) == Err(mpsc::RecvTimeoutError::Timeout) {
                let now = Some(watched.load(Ordering::Relaxed));
                if now == last {
                    let _ = io::stderr().write_all(b"this execution has no end\n");
                    std::process::abort();
                }
                last = now;
            }
        });
        Self {
            executions,
            _end: sender,
        }
    }
}
