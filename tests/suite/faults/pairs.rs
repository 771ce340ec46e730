//! The pairs of commands whose answers are held to what power cuts leave.

use super::judge::{Verdict, ensure};
use super::pair::Pair;
use super::sweep::Sweep;
use super::{begin, files_are_written, is_revoked, lines};
use crate::sandbox::Sandbox;

const REVOKE: &str = "revoke --ca intermediate0 --cn victim";
const ISSUE: &str = "issue --ca intermediate0 --cn fresh";

/// The certificate is on record.
fn is_listed(sandbox: &Sandbox, ca: &str, cn: &str) -> Verdict {
    let line = format!("--format json list --ca {ca} --cn {cn}");
    let listed = sandbox.pki(&line).finish();
    let is_there =
        listed.status == Some(0) && listed.json().as_array().is_some_and(|all| !all.is_empty());
    ensure(is_there, || format!("{cn} is lost: {listed}"))
}

/// The published CRL is on record, and nothing was revoked since.
fn crl_is_current(sandbox: &Sandbox) -> Verdict {
    let line = "crl --ca intermediate0 --check";
    let checked = sandbox.pki(line).finish();
    ensure(checked.status == Some(0), || checked.to_string())
}

fn next_revoke_and_crl(_: &Sandbox) -> Vec<String> {
    lines(&[REVOKE, "crl"])
}

#[test]
fn revoking_what_a_killed_command_revoked() {
    Pair {
        first: REVOKE,
        second: Sweep {
            command: REVOKE,
            begin: begin(),
            done: |sandbox| is_revoked(sandbox, "victim"),
            next: next_revoke_and_crl,
        },
    }
    .run();
}

#[test]
fn a_crl_of_what_a_killed_command_revoked() {
    Pair {
        first: REVOKE,
        second: Sweep {
            command: "crl --ca intermediate0",
            begin: begin(),
            done: crl_is_current,
            next: next_revoke_and_crl,
        },
    }
    .run();
}

#[test]
fn issuing_after_a_killed_revocation() {
    Pair {
        first: REVOKE,
        second: Sweep {
            command: "issue --ca intermediate0 --cn fresh --out out --no-passphrase",
            begin: begin(),
            done: |sandbox| {
                is_listed(sandbox, "intermediate0", "fresh")?;
                files_are_written(sandbox, "out", "fresh")
            },
            next: next_revoke_and_crl,
        },
    }
    .run();
}

#[test]
fn a_crl_that_stands_after_a_killed_command_signed_it() {
    Pair {
        first: "crl --ca intermediate0",
        second: Sweep {
            command: "crl --ca intermediate0 --if-needed",
            begin: begin(),
            done: crl_is_current,
            next: next_revoke_and_crl,
        },
    }
    .run();
}

#[test]
fn a_crl_after_a_killed_command_signed_one() {
    Pair {
        first: "crl --ca intermediate0",
        second: Sweep {
            command: "crl --ca intermediate0",
            begin: begin(),
            done: crl_is_current,
            next: next_revoke_and_crl,
        },
    }
    .run();
}

#[test]
fn exporting_what_a_killed_command_issued() {
    Pair {
        first: ISSUE,
        second: Sweep {
            command: "export --ca intermediate0 --cn fresh --out out --no-passphrase",
            begin: begin(),
            done: |sandbox| {
                is_listed(sandbox, "intermediate0", "fresh")?;
                files_are_written(sandbox, "out", "fresh")
            },
            next: |_| lines(&[ISSUE, "crl"]),
        },
    }
    .run();
}

#[test]
fn revoking_what_a_killed_command_issued() {
    Pair {
        first: ISSUE,
        second: Sweep {
            command: "revoke --ca intermediate0 --cn fresh",
            begin: begin(),
            done: |sandbox| is_revoked(sandbox, "fresh"),
            next: |_| lines(&[ISSUE, "crl"]),
        },
    }
    .run();
}

#[test]
fn issuing_after_a_killed_command_issued() {
    Pair {
        first: ISSUE,
        second: Sweep {
            command: "issue --ca intermediate0 --cn other --out out --no-passphrase",
            begin: begin(),
            done: |sandbox| {
                is_listed(sandbox, "intermediate0", "other")?;
                files_are_written(sandbox, "out", "other")
            },
            next: |_| lines(&[ISSUE, "crl"]),
        },
    }
    .run();
}

#[test]
fn exporting_after_a_killed_export() {
    const EXPORT: &str = "export --ca intermediate0 --cn kept --out out --no-passphrase --force";
    Pair {
        first: EXPORT,
        second: Sweep {
            command: EXPORT,
            begin: begin(),
            done: |sandbox| files_are_written(sandbox, "out", "kept"),
            next: |_| lines(&[EXPORT]),
        },
    }
    .run();
}

#[test]
fn issuing_under_a_root_that_a_killed_command_made() {
    Pair {
        first: "root --name added --no-passphrase",
        second: Sweep {
            command: "issue --ca added --cn below",
            begin: begin(),
            done: |sandbox| {
                sandbox.pki("tree").succeeds();
                is_listed(sandbox, "added", "below")
            },
            next: |_| lines(&[ISSUE, "crl"]),
        },
    }
    .run();
}
