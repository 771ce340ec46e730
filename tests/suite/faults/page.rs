//! docs/durability.md, held to what the sweeps counted.

use std::fmt;
use std::fs;
use std::sync::Mutex;

use crate::sandbox::repository;

const PAGE: &str = "docs/durability.md";

/// What a sweep went through.
pub(super) struct Tally {
    pub(super) command: &'static str,
    /// System calls on files of the sandbox and on standard output.
    pub(super) calls: usize,
    /// Those of them that change something.
    pub(super) changes: usize,
    pub(super) kills: usize,
    pub(super) points: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            calls,
            changes,
            kills,
            points,
        } = self;
        let failures = points - kills;
        write!(
            f,
            "| `pki {command}` | {calls} | {changes} | {kills} | {failures} |"
        )
    }
}

/// Sweeps end at the same time; one writes the page at a time.
static WRITING: Mutex<()> = Mutex::new(());

/// The page has a row for the command, and there were not many fewer points than it says: which calls
/// a program makes is a matter of its standard library and of the file system too.
#[track_caller]
pub(super) fn hold(tally: &Tally) {
    let _writing = WRITING.lock().unwrap();
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let start = format!("| `pki {}` | ", tally.command);
    let row = page.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("{PAGE} has no row {start}"));
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, page.replace(row, &tally.to_string())).unwrap();
        return;
    }
    let numbers = row[start.len()..].split('|').map(str::trim);
    let numbers = numbers.filter_map(|number| number.parse::<usize>().ok());
    let swept = [
        tally.calls,
        tally.changes,
        tally.kills,
        tally.points - tally.kills,
    ];
    let numbers = numbers.collect::<Vec<_>>();
    assert_eq!(numbers.len(), swept.len(), "{PAGE}: {row}");
    let mut pairs = numbers.iter().zip(swept);
    assert!(
        pairs.all(|(said, swept)| swept * 4 >= said * 3),
        "{PAGE} says more than was swept; UPDATE_REFERENCE=1 writes it anew\n{row}\n{tally}"
    );
}

/// What the page promises is held to by the tests that it names: each is there.
#[test]
fn every_test_that_the_page_names_is_in_the_suite() {
    assert!(hold_to_its_tests(PAGE) > 10);
}

/// How many tests a page names, each of which is there.
#[track_caller]
pub(crate) fn hold_to_its_tests(path: &str) -> usize {
    let page = fs::read_to_string(repository(path)).unwrap();
    let spans = page.split('`').skip(1).step_by(2);
    let tests: Vec<&str> = spans.filter(|span| span.contains("::")).collect();
    for test in &tests {
        let (module, name) = test.rsplit_once("::").unwrap();
        let folder = if module.starts_with("store::") {
            "src"
        } else {
            "tests/suite"
        };
        let file = format!("{folder}/{}.rs", module.replace("::", "/"));
        let source = fs::read_to_string(repository(&file)).unwrap_or_default();
        let is_there = source
            .split("#[test]\n")
            .any(|item| item.trim_start().starts_with(&format!("fn {name}(")));
        assert!(is_there, "{path}: there is no test {test} in {file}");
    }
    tests.len()
}
