//! `pki crl --for`: lists against the rules of those who read them, each where it is just held and
//! where it is just broken, by its name; and the files that readers want.

mod above;
mod daemons;
mod foreign;
mod hash_names;
mod hints;
mod limits;
mod live;
mod shapes;
mod soak;

use serde_json::Value;

use crate::run::Transcript;
use crate::sandbox::Sandbox;
use crate::targets::rules;

/// Nothing is signed or written: these errors and no others, whatever the format.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, line: &str, errors: &[&str]) -> Value {
    let before = sandbox.store_snapshot();
    let refused = sandbox.pki("--format json").words(line).ends_with(1);
    before.assert_unchanged(&sandbox.path("pki"));
    let report = refused.json();
    assert_eq!(rules(&report, "error"), errors, "{refused}");
    report
}

/// It is done, and these warnings are said.
#[track_caller]
fn assert_done(sandbox: &Sandbox, line: &str, warnings: &[&str]) -> Value {
    let done = sandbox.pki("--format json").words(line).succeeds();
    let report = done.json();
    assert_eq!(rules(&report, "error"), [""; 0], "{done}");
    assert_eq!(rules(&report, "warning"), warnings, "{done}");
    report
}

/// The lines of configuration that were said.
fn settings(said: &Transcript) -> Vec<String> {
    let lines = said.stderr.lines();
    let settings = lines.filter_map(|line| {
        let rest = line.strip_prefix("notice: set in the configuration")?;
        rest.strip_prefix(": ").or(rest.strip_prefix(' '))
    });
    settings.map(str::to_owned).collect()
}
