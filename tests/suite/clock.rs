//! `pki` under a clock that faketime sets; it sees no other.

use crate::run::Run;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// `pki` at a moment as in `2026-02-01 12:00:00`, in UTC. The clock stands
    /// still there: what is written does not depend on how long a start takes.
    pub(crate) fn pki_at(&self, moment: &str, line: &str) -> Run {
        let run = self.run("faketime", "-f").arg(moment).env("TZ", "UTC");
        let run = run.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        run.arg(env!("CARGO_BIN_EXE_pki")).words(line)
    }
}
