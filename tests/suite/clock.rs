//! `pki` under a clock that faketime sets; it sees no other.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::run::Run;
use crate::sandbox::Sandbox;

/// How faketime gets into a program: what it sets in the environment of one.
static LIBRARY: LazyLock<String> = LazyLock::new(|| {
    let sandbox = Sandbox::on_a_directory();
    let run = sandbox.run("faketime", "-f").arg("2026-01-01 00:00:00");
    let printed = run.words("printenv LD_PRELOAD").succeeds();
    printed.stdout.trim().to_owned()
});

impl Sandbox {
    /// `pki` at a moment as in `2026-02-01 12:00:00`, in UTC. The clock stands
    /// still there: what is written does not depend on how long a start takes.
    pub(crate) fn pki_at(&self, moment: &str, line: &str) -> Run {
        let run = self.run("faketime", "-f").arg(moment).env("TZ", "UTC");
        let run = run.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
    }

    /// The same as a process of its own, which can be killed: faketime starts a program below itself.
    pub(crate) fn pki_alone_at(&self, moment: &str, line: &str) -> Run {
        let run = self.pki(line).env("TZ", "UTC").env("FAKETIME", moment);
        run.env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("LD_PRELOAD", &*LIBRARY)
    }
}

/// Takes away what faketime leaves behind of a process that was killed.
pub(crate) fn forget_killed(process: u32) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        let _ = fs::remove_file(Path::new("/dev/shm").join(format!("{name}{process}")));
    }
}
