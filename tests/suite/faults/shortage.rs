//! Limits that are there: a disk that is full, one without inodes, files that can't grow, and a file system
//! that can't be written. Each is walked up from nothing at all, until the command has what it takes.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::room::Room;
use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::snapshot::Snapshot;

use super::judge::{Standing, Verdict, ensure};
use super::sweep::{DONE, NOTHING_CHANGED, Sweep, each_of, is_whole};

/// What there is only so much of.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Pages,
    Inodes,
    /// Bytes of each file that is written.
    FileSize,
    /// Nothing can be written.
    ReadOnly,
}

impl Kind {
    fn reason(self) -> &'static str {
        match self {
            Self::Pages | Self::Inodes => "No space left on device (os error 28)",
            Self::FileSize => "File too large (os error 27)",
            Self::ReadOnly => "Read-only file system (os error 30)",
        }
    }

    /// The next amount to be tried; none where one is all there is.
    fn after(self, amount: u64) -> Option<u64> {
        match self {
            Self::ReadOnly => None,
            Self::FileSize if is_whole() => Some(amount + amount / 3 + 30),
            Self::FileSize => Some(4 * amount + 30),
            Self::Pages | Self::Inodes if is_whole() => Some(amount + amount / 8 + 1),
            Self::Pages | Self::Inodes => Some(2 * amount + 1),
        }
    }
}

/// How often a command had too little, and what was wrong then.
pub(super) fn walk(sweep: &Sweep, standing: &Standing) -> (usize, String) {
    let kinds = [Kind::Pages, Kind::Inodes, Kind::FileSize, Kind::ReadOnly];
    let count = AtomicUsize::new(0);
    let described = |kind: &Kind| format!("too little: {kind:?}");
    let problems = each_of(&kinds, described, |kind| {
        let mut amount = Some(0);
        while let Some(some) = amount {
            count.fetch_add(1, Ordering::Relaxed);
            let enough = try_with(sweep, standing, *kind, some)
                .map_err(|problem| format!("{some}: {problem}"))?;
            amount = kind.after(some).filter(|_| !enough);
        }
        Ok(())
    });
    (count.into_inner(), problems)
}

/// Whether it was enough.
fn try_with(sweep: &Sweep, standing: &Standing, kind: Kind, amount: u64) -> Result<bool, String> {
    let mut room = Room::new();
    let sandbox = sweep.begin.copy_into(room.sandbox());
    let before = Snapshot::of(sandbox.folder());
    let mut run = sandbox.pki(sweep.command);
    match kind {
        Kind::Pages => room.leave_pages(amount),
        Kind::Inodes => room.leave_inodes(amount),
        Kind::ReadOnly => room.be_read_only(),
        Kind::FileSize => {
            run = sandbox
                .run("prlimit", "")
                .arg(format!("--fsize={amount}"))
                .arg(env!("CARGO_BIN_EXE_pki"))
                .words(sweep.command);
        }
    }
    let transcript = run.finish();
    room.has_room();
    judge(sweep, standing, &sandbox, &before, &transcript, kind)
        .map_err(|problem| format!("{problem}\n{transcript}"))?;
    Ok(transcript.status == Some(DONE))
}

fn judge(
    sweep: &Sweep,
    standing: &Standing,
    sandbox: &Sandbox,
    before: &Snapshot,
    transcript: &Transcript,
    kind: Kind,
) -> Verdict {
    ensure(transcript.status.is_some(), || "it was killed".into())?;
    let differences =
        sweep.ends_truly(sandbox, before, transcript, || says_why(transcript, kind))?;
    differences.iter().try_for_each(|line| is_no_part(line))?;
    if transcript.status == Some(NOTHING_CHANGED) {
        let silent = transcript.stdout.is_empty();
        ensure(silent, || "exit 1, and something is said to be done".into())?;
    }
    if differences.is_empty() {
        return Ok(());
    }
    sweep.goes_on(sandbox, standing)
}

/// There is a fact, and the system's reason for it.
fn says_why(transcript: &Transcript, kind: Kind) -> Verdict {
    let cause = format!("\ncaused by: {}\n", kind.reason());
    let stderr = &transcript.stderr;
    let is_said = stderr.contains("error: ") && stderr.contains(&cause);
    ensure(is_said, || format!("{:?} is not said", kind.reason()))
}

/// What has come to be has been written to its end.
fn is_no_part(difference: &str) -> Verdict {
    let (_, path) = difference.split_once(": ").unwrap();
    let Ok(content) = fs::read(path) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&content);
    let count = |mark: &str| text.matches(mark).count();
    let is_whole = count("-----BEGIN ") == count("-----END ");
    let is_lock = path.ends_with("/lock");
    ensure(is_whole && (is_lock || !content.is_empty()), || {
        format!("{path} is written in part")
    })
}
