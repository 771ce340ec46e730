//! docs/durability-tests.md, held to what the sweeps counted.

use std::fmt;
use std::fs;
use std::sync::Mutex;

use crate::sandbox::repository;

use super::sweep::is_whole;

const PAGE: &str = "docs/durability-tests.md";

/// What a sweep went through.
pub(super) struct Tally {
    pub(super) command: &'static str,
    /// System calls on files of the sandbox and on standard output.
    pub(super) calls: usize,
    /// Those of them that change something.
    pub(super) changes: usize,
    pub(super) kills: usize,
    pub(super) points: usize,
    /// What power cuts can leave.
    pub(super) cuts: usize,
    /// How often there was too little of something, and once enough of it.
    pub(super) shortages: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            calls,
            changes,
            kills,
            points,
            cuts,
            shortages,
        } = self;
        let failures = points - kills;
        write!(
            f,
            "| `pki {command}` | {calls} | {changes} | {kills} | {failures} | {cuts} | {shortages} |"
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
    let numbers = numbers.collect::<Vec<_>>();
    assert_eq!(numbers.len(), 6, "{PAGE}: {row}");
    let counted = [
        (tally.calls, true),
        (tally.changes, true),
        (tally.kills, true),
        (tally.points - tally.kills, is_whole()),
        (tally.cuts, true),
        (tally.shortages, is_whole()),
    ];
    let mut pairs = numbers.iter().zip(counted);
    assert!(
        pairs.all(|(said, (counted, is_all))| !is_all || counted * 4 >= said * 3),
        "{PAGE} says more than was swept; UPDATE_REFERENCE=1 writes it anew\n{row}\n{tally}"
    );
}

/// Tally of what two commands, one after the other, went through.
pub(super) struct PairTally<'a> {
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    /// Kills of the first that leave something unsynced.
    pub(super) kills: usize,
    /// Number of states that power cuts can leave after the second.
    pub(super) cuts: usize,
}

impl PairTally<'_> {
    fn start(&self) -> String {
        format!("| `pki {}` | `pki {}` | ", self.first, self.second)
    }
}

impl fmt::Display for PairTally<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} | {} |", self.start(), self.kills, self.cuts)
    }
}

/// The page has a row for both commands, and there were not many fewer states than it says.
#[track_caller]
pub(super) fn hold_pair(tally: &PairTally<'_>) {
    let _writing = WRITING.lock().unwrap();
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let start = tally.start();
    let row = page.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("{PAGE} has no row {start}"));
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, page.replace(row, &tally.to_string())).unwrap();
        return;
    }
    let numbers = row[start.len()..].split('|').map(str::trim);
    let numbers: Vec<usize> = numbers.filter_map(|number| number.parse().ok()).collect();
    let [kills, cuts] = numbers[..] else {
        panic!("{PAGE}: {row}");
    };
    assert!(
        tally.kills * 4 >= kills * 3 && tally.cuts * 4 >= cuts * 3,
        "{PAGE} says more than was swept; UPDATE_REFERENCE=1 writes it anew\n{row}\n{tally}"
    );
}
