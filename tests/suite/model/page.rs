//! docs/durability-tests.md, held to what was tried.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use crate::sandbox::repository;

use super::Engine;
use super::world::Done;

const PAGE: &str = "docs/durability-tests.md";

/// Returns the start of the row for the run.
fn start(engine: Engine) -> &'static str {
    match engine {
        Engine::Directory => "| `make test` | ",
        Engine::Database => "| `make test`, in a database | ",
    }
}

/// What all cases came to.
#[derive(Default)]
pub(super) struct Tally {
    cases: usize,
    steps: usize,
    at_once: usize,
    killed: usize,
    commands: BTreeMap<String, (usize, usize)>,
}

impl Tally {
    pub(super) fn add(&mut self, done: &Done) {
        self.cases += 1;
        self.steps += done.steps;
        self.at_once += done.at_once;
        self.killed += done.killed;
        for (name, (all, refused)) in &done.commands {
            let counts = self.commands.entry(name.clone()).or_default();
            counts.0 += all;
            counts.1 += refused;
        }
    }

    fn numbers(&self) -> [usize; 6] {
        let sum = |count: fn(&(usize, usize)) -> usize| self.commands.values().map(count).sum();
        let (all, refused) = (sum(|counts| counts.0), sum(|counts| counts.1));
        [
            self.cases,
            self.steps,
            self.at_once,
            all,
            refused,
            self.killed,
        ]
    }

    fn row(&self, start: &str) -> String {
        let numbers = self.numbers().map(|number| number.to_string());
        format!("{start}{} |", numbers.join(" | "))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cases, steps, at_once, all, refused, killed] = self.numbers();
        write!(
            f,
            "{cases} cases, {steps} steps, {at_once} of several commands; \
             {all} commands, {refused} refused, {killed} killed:"
        )?;
        for (name, (all, refused)) in &self.commands {
            write!(f, " {name} {all}/{refused}")?;
        }
        Ok(())
    }
}

/// The page has a row for a short run, and there was not much less than it says.
#[track_caller]
pub(super) fn hold(engine: Engine, tally: &Tally, is_long: bool) {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        // The page does not speak of it.
        return;
    }
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let start = start(engine);
    let row = page.lines().find(|line| line.starts_with(start));
    let row = row.unwrap_or_else(|| panic!("{PAGE} has no row {start}"));
    let now = tally.row(start);
    if !is_long && std::env::var_os("UPDATE_REFERENCE").is_some_and(|value| value == "1") {
        fs::write(&path, page.replace(row, &now)).unwrap();
        return;
    }
    let numbers = row[start.len()..].split('|').map(str::trim);
    let numbers: Vec<usize> = numbers.filter_map(|number| number.parse().ok()).collect();
    assert_eq!(numbers.len(), tally.numbers().len(), "{PAGE}: {row}");
    // How many are killed and refused is a matter of chance.
    let mut pairs = numbers.iter().zip(tally.numbers()).take(4);
    assert!(
        pairs.all(|(said, tried)| tried * 2 >= *said),
        "{PAGE} says more than was tried; UPDATE_REFERENCE=1 writes it anew\n{row}\n{now}"
    );
}
