//! docs/hostile-input.md, held to what was replayed.

use std::fs;
use std::sync::Mutex;

use crate::sandbox::repository;

const PAGE: &str = "docs/hostile-input.md";

/// What a target was replayed with.
pub(super) struct Tally {
    target: &'static str,
    /// Stored inputs, test vectors, executions.
    numbers: [usize; 3],
}

impl Tally {
    /// Reads the numbers.
    pub(super) fn read(target: &'static str, numbers: &str) -> Self {
        let numbers = numbers.split(' ').map(|number| number.parse().unwrap());
        let numbers: Vec<usize> = numbers.collect();
        Self {
            target,
            numbers: numbers.try_into().unwrap(),
        }
    }

    /// A line about it.
    pub(super) fn in_words(&self) -> String {
        let Self { target, numbers } = self;
        let [stored, vectors, executions] = numbers;
        format!(
            "{target}: {stored} stored inputs, {vectors} test vectors, {executions} executions\n"
        )
    }
}

/// Targets end at the same time; one writes the page at a time.
static WRITING: Mutex<()> = Mutex::new(());

/// The page has a row for the target, and there was not much less than it says.
#[track_caller]
pub(super) fn hold(tally: &Tally) {
    let _writing = WRITING.lock().unwrap();
    let Tally { target, numbers } = tally;
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let start = format!("| `{target}` | ");
    let row = page.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("{PAGE} has no row {start}"));
    let what = row[start.len()..].split(" | ").next().unwrap();
    let [stored, vectors, executions] = numbers;
    let written = format!("{start}{what} | {stored} | {vectors} | {executions} |");
    if std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, page.replace(row, &written)).unwrap();
        return;
    }
    let said = row.trim_end_matches('|').rsplit('|').take(numbers.len());
    let said = said.map(|number| number.trim().parse::<usize>().unwrap_or(usize::MAX));
    let mut pairs = said.zip(numbers.iter().rev());
    assert!(
        pairs.all(|(said, replayed)| replayed * 4 >= said.saturating_mul(3)),
        "{PAGE} says more than was replayed; UPDATE_REFERENCE=1 writes it anew\n{row}\n{written}"
    );
}
