//! Lines of any journal, and the counter of it.

use crate::ca::check::finding::{Found, Remedy, StoreFinding, settled, unreadable};
use crate::ca::check::rule::{
    COUNTER_BEHIND, COUNTER_DAMAGED, JOURNAL_CHAIN, JOURNAL_HEADER, JOURNAL_MISSING,
    JOURNAL_RECORD, JOURNAL_TORN,
};
use crate::store::{Ca, Counter, Journal, LineProblem, Location, StoreError};

pub(crate) fn line_finding(
    ca: &Ca,
    journal: Journal,
    line: usize,
    problem: &LineProblem,
) -> StoreFinding {
    line_finding_at(ca, &ca.journal_location(journal), line, problem)
}

/// Reports the damaged lines of the journal of changes.
pub(crate) fn check_changes(ca: &Ca, found: &mut Found) {
    let path = ca.changes_location();
    let surveyed = ca.survey_changes(|line| {
        if let Some(problem) = &line.problem {
            found.push(line_finding_at(ca, &path, line.number, problem));
        }
    });
    if let Err(error) = surveyed {
        found.push(unreadable(JOURNAL_MISSING, &error, path).about(ca));
    }
}

fn line_finding_at(ca: &Ca, path: &Location, line: usize, problem: &LineProblem) -> StoreFinding {
    let (rule, problem) = match problem {
        LineProblem::Header(problem) => (JOURNAL_HEADER, problem),
        LineProblem::Chain(problem) => (JOURNAL_CHAIN, problem),
        LineProblem::Unreadable(problem) => (JOURNAL_RECORD, problem),
    };
    let message = format!("{path} line {line} {problem}");
    rule.broken(message).at(path).about(ca).in_line(line)
}

pub(crate) fn unread(ca: &Ca, journal: Journal, error: &StoreError) -> StoreFinding {
    unreadable(JOURNAL_MISSING, error, ca.journal_location(journal)).about(ca)
}

/// Finds a journal that ends in a line that was never acknowledged.
pub(crate) fn check_tail(ca: &Ca, journal: Journal, pauses: &[u64]) -> Vec<StoreFinding> {
    settled(pauses, || {
        // A journal that can't be read is another finding.
        let torn = ca.torn_bytes(journal).unwrap_or(0);
        let path = ca.journal_location(journal);
        let finding = (torn > 0).then(|| {
            JOURNAL_TORN
                .broken(format!(
                    "{path} ends with {torn} bytes of an incomplete line, which was never acknowledged"
                ))
                .at(&path)
                .about(ca)
                .healed_by(Remedy::SetAside(journal))
        });
        finding.into_iter().collect()
    })
}

/// Finds a counter that can't be used, or is behind its journal. A counter is raised before its journal is
/// written, so it is read after it.
pub(crate) fn check_counter(
    ca: &Ca,
    which: Counter,
    used: u128,
    pauses: &[u64],
) -> Vec<StoreFinding> {
    let path = ca.counter_location(which);
    settled(pauses, || {
        let finding = match ca.counter(which) {
            Err(error) => Some(counter_problem(ca, which, used, &error)),
            Ok(counter) if counter < used => {
                let message = format!("{path} has {counter}, but {used} is already in use");
                let remedy = Remedy::Raise(which, used);
                Some(COUNTER_BEHIND.broken(message).at(&path).healed_by(remedy))
            }
            Ok(_) => None,
        };
        finding
            .into_iter()
            .map(|finding| finding.about(ca))
            .collect()
    })
}

/// Reports a damaged counter, with the highest number known: the user has to decide on the next.
fn counter_problem(ca: &Ca, which: Counter, used: u128, error: &StoreError) -> StoreFinding {
    let mut finding = unreadable(COUNTER_DAMAGED, error, ca.counter_location(which));
    if matches!(error, StoreError::Damaged { .. }) {
        let known = format!("; the highest number known to be in use is {used}");
        finding.finding.message.push_str(&known);
    }
    finding
}
