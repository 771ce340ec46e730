//! Revocations of a CA.

use crate::ca::check::finding::{Found, StoreFinding};
use crate::ca::check::journal::{line_finding, unread};
use crate::ca::check::rule::{JOURNAL_RECORD, REVOCATION_ORDER, REVOCATION_UNKNOWN};
use crate::store::{Ca, Coverage, Journal, LineProblem, RevocationChange};
use crate::x509::Serial;
use std::collections::HashMap;
use time::OffsetDateTime;

/// Standing of a certificate that was revoked once.
#[derive(Default, Clone, Copy)]
pub(crate) struct Standing {
    /// Its notAfter, if it is revoked now.
    pub(crate) now: Option<OffsetDateTime>,
    /// The same, when the published CRL was made.
    pub(crate) when_listed: Option<OffsetDateTime>,
}

/// Summary of the journal of revocations.
#[derive(Default)]
pub(crate) struct Revocations {
    /// Every certificate that ever was revoked.
    pub(crate) standings: HashMap<Serial, Standing>,
    /// Whether every line of the journal could be read.
    pub(crate) is_whole: bool,
}

impl Revocations {
    /// Reads the whole journal; `listed` is how far it went when the published CRL was made.
    pub(crate) fn survey(ca: &Ca, listed: Option<&Coverage>, found: &mut Found) -> Self {
        let mut revocations = Self {
            is_whole: true,
            ..Self::default()
        };
        let path = ca.journal_location(Journal::Revoked);
        let read = ca.survey_revocations(|line| {
            if let Some(problem) = &line.problem {
                revocations.is_whole = false;
                found.push(line_finding(ca, Journal::Revoked, line.number, problem));
            }
            let at = |finding: StoreFinding| finding.at(&path).about(ca).in_line(line.number);
            let place = format!("{path} line {}", line.number);
            let is_listed = listed.is_some_and(|listed| line.is_covered_by(listed));
            match line.outcome {
                None => {}
                Some(None) => {
                    let message = format!("{place} neither revokes nor releases");
                    found.push(at(JOURNAL_RECORD.broken(message)));
                }
                Some(Some(change)) => {
                    let problem = revocations.apply(&change, is_listed);
                    // The change to the line is the finding, not its consequences.
                    let is_in_place = !matches!(line.problem, Some(LineProblem::Chain(_)));
                    if let Some(problem) = problem.filter(|_| is_in_place) {
                        let finding = REVOCATION_ORDER.broken(format!("{place} {problem}"));
                        found.push(at(finding).of_serial(&serial_of(&change)));
                    }
                }
            }
        });
        if let Err(error) = read {
            revocations.is_whole = false;
            found.push(unread(ca, Journal::Revoked, &error));
        }
        revocations
    }

    fn apply(&mut self, change: &RevocationChange, is_listed: bool) -> Option<String> {
        let serial = serial_of(change);
        let is_known = self.standings.contains_key(&serial);
        let standing = self.standings.entry(serial).or_default();
        standing.now = match change {
            RevocationChange::Revoke(_, revoked) | RevocationChange::RevokeAgain(_, revoked) => {
                Some(revoked.not_after)
            }
            RevocationChange::Release(..) => None,
        };
        if is_listed {
            standing.when_listed = standing.now;
        }
        match change {
            RevocationChange::Revoke(..) if is_known => Some(format!(
                "revokes {serial} a second time as if for the first time"
            )),
            RevocationChange::RevokeAgain(..) | RevocationChange::Release(..) if !is_known => Some(
                format!("changes a revocation of {serial} that is not on record"),
            ),
            _ => None,
        }
    }

    /// Number of certificates that are revoked now.
    pub(crate) fn count(&self) -> usize {
        let standings = self.standings.values();
        standings.filter(|standing| standing.now.is_some()).count()
    }

    /// Finds revocations of certificates that the CA never issued, whose records were read after them.
    pub(crate) fn unknown(&self, ca: &Ca, issued: &[Serial]) -> Vec<StoreFinding> {
        let path = ca.journal_location(Journal::Revoked);
        let is_unknown = |serial: &&Serial| issued.binary_search(serial).is_err();
        let mut unknown: Vec<&Serial> = self.standings.keys().filter(is_unknown).collect();
        unknown.sort_unstable();
        let finding = |serial: &Serial| {
            let message = format!("{path} revokes {serial}, which the CA has not issued");
            let finding = REVOCATION_UNKNOWN.broken(message).at(&path).about(ca);
            finding.of_serial(serial)
        };
        unknown.into_iter().map(finding).collect()
    }
}

fn serial_of(change: &RevocationChange) -> Serial {
    match change {
        RevocationChange::Revoke(serial, _)
        | RevocationChange::RevokeAgain(serial, _)
        | RevocationChange::Release(serial, _) => *serial,
    }
}
