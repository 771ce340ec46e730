//! Findings about a store, and their remedies.

use crate::ca::check::rule::CheckRule;
use crate::ca::finding::{Level, RuleFinding};
use crate::ca::remedy;
use crate::store::{Ca, CaName, Counter, Journal, Location, StoreError};
use crate::x509::Serial;
use std::collections::HashMap;
use std::thread;
use std::time::Duration;

/// Findings of one rule about one file that are reported one by one.
const MOST_ALIKE: usize = 20;

/// A finding about a store.
#[derive(Debug, Clone)]
pub(crate) struct StoreFinding {
    /// Rule, level and message.
    pub(crate) finding: RuleFinding,
    pub(crate) ca: Option<CaName>,
    /// The file or directory.
    pub(crate) path: Option<Location>,
    /// Line of the file, from 1.
    pub(crate) line: Option<usize>,
    /// Serial number of the certificate.
    pub(crate) serial: Option<Serial>,
    pub(crate) remedy: Option<Remedy>,
}

/// Repair of a finding.
#[derive(Debug, Clone)]
pub(crate) enum Remedy {
    /// Sets the unfinished line of a journal aside.
    SetAside(Journal),
    Raise(Counter, u128),
    /// Removes permissions that are not in these.
    Tighten(u32),
    /// Removes a file that an interrupted command left.
    TakeAway,
    /// Removes the key of a certificate that was never recorded.
    TakeLeafKeyAway,
    /// Completes a CA or removes it, as any command does.
    Settle,
    /// Writes the files made of published CRLs.
    WriteCopies,
    /// Publishes a CRL again.
    Restore(Vec<u8>),
}

impl StoreFinding {
    pub(crate) fn of(finding: RuleFinding) -> Self {
        Self {
            finding,
            ca: None,
            path: None,
            line: None,
            serial: None,
            remedy: None,
        }
    }

    pub(crate) fn level(&self) -> Level {
        self.finding.level
    }

    pub(crate) fn can_be_repaired(&self) -> bool {
        self.remedy.is_some()
    }

    pub(crate) fn about(self, ca: &Ca) -> Self {
        self.about_named(ca.name())
    }

    pub(crate) fn about_named(mut self, ca: &CaName) -> Self {
        self.ca = Some(ca.clone());
        self
    }

    pub(crate) fn at(mut self, location: impl Into<Location>) -> Self {
        self.path = Some(location.into());
        self
    }

    pub(crate) fn in_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn of_serial(mut self, serial: &Serial) -> Self {
        self.serial = Some(*serial);
        self
    }

    pub(crate) fn with_remedy(mut self, remedy: remedy::Remedy) -> Self {
        self.finding = self.finding.with_remedy(remedy);
        self
    }

    pub(crate) fn healed_by(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    pub(crate) fn healed_only_if(mut self, is_safe: bool) -> Self {
        self.remedy = self.remedy.filter(|_| is_safe);
        self
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        self.finding == other.finding
            && self.path == other.path
            && self.line == other.line
            && self.serial == other.serial
    }
}

/// Findings, with a limit for those of one rule about one file.
#[derive(Default)]
pub(crate) struct Found {
    findings: Vec<StoreFinding>,
    alike: HashMap<(&'static str, Option<Location>), usize>,
}

impl Found {
    pub(crate) fn push(&mut self, finding: StoreFinding) {
        let key = (finding.finding.rule, finding.path.clone());
        let count = self.alike.entry(key).or_default();
        *count += 1;
        if *count <= MOST_ALIKE {
            self.findings.push(finding);
        }
    }

    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = StoreFinding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    pub(crate) fn finish(self) -> Vec<StoreFinding> {
        let mut findings = self.findings;
        let cut = self
            .alike
            .into_iter()
            .filter(|(_, count)| *count > MOST_ALIKE);
        for ((rule, path), count) in cut {
            let last = findings
                .iter()
                .rfind(|finding| finding.finding.rule == rule && finding.path == path);
            let more = last.map(|last| StoreFinding {
                finding: RuleFinding {
                    message: format!("{} more like these", count - MOST_ALIKE),
                    remedy: None,
                    ..last.finding.clone()
                },
                line: None,
                serial: None,
                ..last.clone()
            });
            findings.extend(more);
        }
        findings
    }
}

/// Finds a file that can't be read, or one that is damaged by the rule.
pub(crate) fn unreadable(
    rule: &'static CheckRule,
    error: &StoreError,
    file: impl Into<Location>,
) -> StoreFinding {
    match error {
        StoreError::Damaged { path, problem } => rule.broken(format!("{path} {problem}")).at(path),
        StoreError::File(error) => {
            let message = format!("{error}: {}", error.source);
            crate::ca::check::rule::FILE_UNREADABLE
                .broken(message)
                .at(&error.path)
        }
        error => rule.broken(error.to_string()).at(file),
    }
}

/// Pauses in milliseconds for findings that a running command may be about to settle with its next file.
pub(crate) const SHORT: &[u64] = &[50, 250];

/// Repeats a look at files that another process may be writing: only what is found every time is a finding.
/// Each pause is in milliseconds.
pub(crate) fn settled(
    pauses: &[u64],
    mut look: impl FnMut() -> Vec<StoreFinding>,
) -> Vec<StoreFinding> {
    let mut findings = look();
    for pause in pauses {
        if findings.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(*pause));
        let mut again = look();
        again.retain(|finding| {
            findings
                .iter()
                .any(|before| before.is_about_the_same(finding))
        });
        findings = again;
    }
    findings
}
