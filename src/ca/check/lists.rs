//! The lists of a CA: those on record, the one that is published, and what is made of it.

use super::super::foreign::{Input, lists_in};
use super::super::lists::{Ahead, Place, holds_as_pem, holds_chain, holds_hash_names, published};
use super::Found;
use super::finding::{LONG, Remedy, StoreFinding, settled};
use super::journal::{line_finding, unread};
use super::revoked::Revocations;
use super::rule::{
    CheckRule, FILE_UNREADABLE, LIST_AHEAD, LIST_COPY, LIST_COVERS, LIST_ENDS_SOON, LIST_FORGOTTEN,
    LIST_INCOMPLETE, LIST_MISSING, LIST_NUMBER, LIST_ORDER, LIST_OUTDATED, LIST_SIGNATURE,
    LIST_STALE, LIST_UNPUBLISHED, LIST_UNREADABLE, LIST_UNRECORDED,
};
use super::unreadable;
use crate::store::{Ca, Counter, Journal, SignedList, Store};
use crate::x509::validity::rfc3339;
use crate::x509::{Fingerprint, RevocationList, Serial};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What is known of a CA's lists.
pub(super) struct Lists<'a> {
    ca: &'a Ca,
    place: &'a Place,
    /// The list that is published, if it is one of this CA's.
    published: Option<Vec<u8>>,
    /// What is on record of that one.
    record: Option<SignedList>,
    /// Those on record, as far back as they may be published: the newest first.
    recent: Vec<SignedList>,
    /// How many there are on record.
    count: usize,
    /// The highest number of one on record.
    pub(super) number: u128,
}

impl<'a> Lists<'a> {
    /// Reads the published list, and then what is on record: a list is recorded before it is published.
    pub(super) fn read(ca: &'a Ca, place: &'a Place, found: &mut Found) -> Self {
        let published = std::fs::read(place.der(ca)).ok();
        let mut lists = Self {
            ca,
            place,
            published: published.filter(|der| is_list_of(ca, der)),
            record: None,
            recent: Vec::new(),
            count: 0,
            number: 0,
        };
        let number = lists.published_list().and_then(|list| list.number());
        let path = ca.journal_path(Journal::Lists);
        let mut last: Option<SignedList> = None;
        let read = ca.survey_lists(|line| {
            if let Some(problem) = &line.problem {
                found.push(line_finding(ca, Journal::Lists, line.number, problem));
            }
            let Some(list) = line.outcome else {
                return;
            };
            lists.count += 1;
            lists.number = lists.number.max(list.number);
            let follows = last.as_ref().is_none_or(|last| list.number > last.number);
            if !follows && line.problem.is_none() {
                let message = format!(
                    "{} line {} has the number {}, which is not above the one before",
                    path.display(),
                    line.number,
                    list.number
                );
                let finding = LIST_ORDER.broken(message).at(&path).about(ca);
                found.push(finding.in_line(line.number));
            }
            if Some(list.number) == number {
                lists.record = Some(list.clone());
            }
            last = Some(list);
        });
        match read {
            Err(error) => found.push(unread(ca, Journal::Lists, &error)),
            // What hinders has been found.
            Ok(()) => lists.recent = ca.recent_lists().unwrap_or_default(),
        }
        lists
    }

    /// How far the journal of revocations went when the published list was made.
    pub(super) fn listed(&self) -> u64 {
        self.record
            .as_ref()
            .map_or(0, |record| record.covers.length)
    }

    /// Whether a list of the CA is published.
    pub(super) fn is_published(&self) -> bool {
        self.published.is_some()
    }

    fn published_list(&self) -> Option<RevocationList<'_>> {
        let der = self.published.as_deref()?;
        RevocationList::from_der(der).ok()
    }

    fn broken(&self, rule: &'static CheckRule, message: String) -> StoreFinding {
        rule.broken(message)
            .at(&self.place.der(self.ca))
            .about(self.ca)
    }

    /// Holds the lists to what was revoked. `pauses` are for what another command may be at.
    pub(super) fn check(
        &self,
        store: &Store,
        revocations: &Revocations,
        now: OffsetDateTime,
        within: Option<Duration>,
        pauses: &[u64],
    ) -> Vec<StoreFinding> {
        let mut found = Found::default();
        found.extend(self.check_covers());
        found.extend(self.check_ahead(now));
        match self.published_list() {
            None => found.extend(self.check_absent(revocations, pauses)),
            Some(list) => {
                found.extend(self.check_number(&list));
                found.extend(self.check_entries(&list, revocations));
                found.extend(self.check_times(&list, now, within));
                found.extend(self.check_news(&list, revocations, now, pauses));
                let pauses = if pauses.is_empty() { pauses } else { LONG };
                found.extend(settled(pauses, || self.check_copies(store)));
            }
        }
        found.finish()
    }

    /// That the journal of revocations still has everything that lists were made of.
    fn check_covers(&self) -> Option<StoreFinding> {
        let last = self.recent.first()?;
        let path = self.ca.journal_path(Journal::Revoked);
        // A journal that can't be read is found elsewhere.
        let covers = self.ca.still_covers(&last.covers).unwrap_or(true);
        (!covers).then(|| {
            let number = last.number;
            let message = format!(
                "{} has lost revocations that list number {number} was made of",
                path.display()
            );
            LIST_COVERS.broken(message).at(&path).about(self.ca)
        })
    }

    /// That the lists which are still to come are kept.
    fn check_ahead(&self, now: OffsetDateTime) -> Vec<StoreFinding> {
        let Ok(covers) = self.ca.revocations_end() else {
            return Vec::new();
        };
        if !matches!(Ahead::of(&self.recent, &covers, now), Ahead::Due { .. }) {
            return Vec::new();
        }
        let to_come = self
            .recent
            .iter()
            .filter(|list| list.ahead && list.next_update > now);
        let first = self.recent.first().and_then(|last| last.ahead_from);
        let kept = to_come.filter(|list| first.is_none_or(|first| list.number >= first));
        let problem = |list: &SignedList| {
            let error = self.ca.list_signed_ahead(list).err()?;
            let path = self.ca.list_ahead_path(list.number);
            Some(unreadable(LIST_AHEAD, &error, &path).about(self.ca))
        };
        kept.filter_map(problem).collect()
    }

    /// There is no list of the CA under its name: what is there, and whether there has to be one.
    fn check_absent(&self, revocations: &Revocations, pauses: &[u64]) -> Vec<StoreFinding> {
        let path = self.place.der(self.ca);
        let shown = path.display();
        let name = self.ca.name();
        let healed = |finding: StoreFinding| match self.restorable() {
            Some(der) => finding.healed_by(Remedy::Restore(der)),
            None => finding,
        };
        match std::fs::read(&path) {
            Ok(der) if RevocationList::from_der(&der).is_err() => {
                let message = format!("{shown} is not a revocation list");
                vec![healed(self.broken(LIST_UNREADABLE, message))]
            }
            Ok(der) if is_list_of(self.ca, &der) => Vec::new(),
            Ok(_) => {
                let message = format!("{shown} is not a list that the key of {name} signed");
                vec![healed(self.broken(LIST_SIGNATURE, message))]
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                vec![self.broken(FILE_UNREADABLE, format!("could not read {shown}: {error}"))]
            }
            Err(_) if self.copies().iter().any(|copy| copy.exists()) => {
                let message = format!("{shown} is missing, and what is made of it is there");
                settled(pauses, || {
                    let is_missing = !path.exists();
                    let finding = healed(self.broken(LIST_MISSING, message.clone()));
                    is_missing.then_some(finding).into_iter().collect()
                })
            }
            Err(_) => self.unpublished(revocations).into_iter().collect(),
        }
    }

    /// What is only to be known: lists may go to other folders.
    fn unpublished(&self, revocations: &Revocations) -> Option<StoreFinding> {
        let name = self.ca.name();
        let folder = self.place.directory.display();
        let revoked = revocations.count();
        let message = match (self.count, revoked) {
            (0, 0) => return None,
            (0, _) => format!(
                "{name} has revoked certificates and signed no list; `pki crl --ca {name}` does"
            ),
            _ => format!("{name} has signed lists, and none is in {folder}"),
        };
        Some(LIST_UNPUBLISHED.broken(message).about(self.ca))
    }

    /// The files that are made of the list.
    fn copies(&self) -> [PathBuf; 2] {
        [self.place.pem(self.ca), self.place.chain(self.ca)]
    }

    /// The newest list on record that goes to its place, if a copy of it is anywhere in the store. An
    /// older one is never put there: lists don't go back.
    fn restorable(&self) -> Option<Vec<u8>> {
        let last = self
            .recent
            .iter()
            .find(|list| !list.ahead && !list.imported)?;
        if self.recent.first()?.number != last.number {
            return None;
        }
        let copies = self.copies();
        let lists = copies
            .iter()
            .filter_map(|copy| lists_in(&Input::read(copy).ok()?).ok());
        lists
            .flatten()
            .find(|der| Fingerprint::of(der).to_string() == last.sha256 && is_list_of(self.ca, der))
    }

    fn check_number(&self, list: &RevocationList<'_>) -> Option<StoreFinding> {
        let shown = self.place.der(self.ca);
        let shown = shown.display();
        let name = self.ca.name();
        // Of the lists of a CA that never signed one here nothing is recorded.
        if self.count == 0 && !self.ca.has_key().unwrap_or(true) {
            return None;
        }
        let Some(number) = list.number() else {
            return Some(self.broken(
                LIST_UNRECORDED,
                format!("{shown} has no number, and {name} signs none without"),
            ));
        };
        let highest = self
            .ca
            .counter(Counter::ListNumber)
            .unwrap_or(u128::MAX)
            .max(self.number);
        if number > highest {
            let message = format!(
                "{shown} has the number {number}, and the store knows of none above {highest}: the store is older than the list"
            );
            return Some(self.broken(LIST_NUMBER, message));
        }
        let fingerprint = Fingerprint::of(list.der()).to_string();
        let is_recorded = self
            .record
            .as_ref()
            .is_some_and(|record| record.sha256 == fingerprint);
        (!is_recorded).then(|| {
            let message = format!("{shown} has the number {number}, and another list of that number is on record, or none");
            self.broken(LIST_UNRECORDED, message)
        })
    }

    /// That everything is on the list that was revoked when it was made and had not expired, and that
    /// nothing is on it that the store has forgotten.
    fn check_entries(
        &self,
        list: &RevocationList<'_>,
        revocations: &Revocations,
    ) -> Vec<StoreFinding> {
        let path = self.place.der(self.ca);
        let shown = path.display();
        let mut entries: Vec<Serial> = Vec::new();
        for entry in list.entries() {
            match entry {
                Ok(entry) => entries.extend(entry.serial()),
                Err(error) => {
                    let message = format!("{shown} has an entry that can't be read: {error}");
                    return vec![self.broken(LIST_UNREADABLE, message)];
                }
            }
        }
        entries.sort_unstable();
        let mut findings = Vec::new();
        let has_to_be_there = |end: OffsetDateTime| end >= list.this_update();
        for (serial, standing) in &revocations.standings {
            let missing = standing.when_listed.is_some_and(has_to_be_there)
                && entries.binary_search(serial).is_err();
            if missing {
                let message = format!("{shown} lacks {serial}, which was revoked when it was made");
                findings.push(self.broken(LIST_INCOMPLETE, message).of_serial(serial));
            }
        }
        // Of a journal that is damaged nothing can be said to be forgotten.
        if revocations.is_whole && (self.count > 0 || self.ca.has_key().unwrap_or(false)) {
            for serial in entries {
                if !revocations.standings.contains_key(&serial) {
                    let message = format!(
                        "{shown} has {serial}, which the store does not know to be revoked"
                    );
                    findings.push(self.broken(LIST_FORGOTTEN, message).of_serial(&serial));
                }
            }
        }
        findings.sort_by_key(|finding| finding.serial);
        findings
    }

    fn check_times(
        &self,
        list: &RevocationList<'_>,
        now: OffsetDateTime,
        within: Option<Duration>,
    ) -> Option<StoreFinding> {
        let name = self.ca.name();
        let Some(end) = list.next_update() else {
            return Some(self.broken(
                LIST_STALE,
                format!("the list of {name} does not say when it ends"),
            ));
        };
        let at = rfc3339(end);
        if end < now {
            return Some(self.broken(LIST_STALE, format!("the list of {name} ended at {at}")));
        }
        let soon = within.unwrap_or((end - list.this_update()) / 3);
        (end - now < soon).then(|| {
            let message =
                format!("the list of {name} ends at {at}; `pki crl --ca {name}` signs the next");
            self.broken(LIST_ENDS_SOON, message)
        })
    }

    /// Whether there is something newer to publish.
    fn check_news(
        &self,
        list: &RevocationList<'_>,
        revocations: &Revocations,
        now: OffsetDateTime,
        pauses: &[u64],
    ) -> Option<StoreFinding> {
        let name = self.ca.name();
        let number = list.number()?;
        let covers = self.ca.revocations_end().ok()?;
        let due = match Ahead::of(&self.recent, &covers, now) {
            Ahead::Due { list, .. } => Some(list.number),
            _ => self
                .recent
                .iter()
                .find(|list| !list.ahead)
                .map(|list| list.number),
        };
        if let Some(newer) = due.filter(|newer| *newer > number) {
            // It is recorded before it is published.
            let passing = settled(pauses, || {
                let published = std::fs::read(self.place.der(self.ca)).unwrap_or_default();
                let published = RevocationList::from_der(&published)
                    .ok()
                    .and_then(|list| list.number());
                let message = format!(
                    "the list of {name} has the number {number}, and number {newer} is newer"
                );
                let finding = self.broken(LIST_OUTDATED, message);
                (published < Some(newer))
                    .then_some(finding)
                    .into_iter()
                    .collect()
            });
            return passing.into_iter().next();
        }
        let standings = revocations.standings.values();
        let changed = standings
            .filter(|standing| standing.now != standing.when_listed)
            .count();
        (changed > 0 && self.record.is_some()).then(|| {
            let message = format!(
                "{changed} certificates were revoked or released since the list of {name} was made; `pki crl --ca {name}` signs the next"
            );
            self.broken(LIST_OUTDATED, message)
        })
    }

    /// That what is made of the published list is made of this one.
    fn check_copies(&self, store: &Store) -> Vec<StoreFinding> {
        let Ok(der) = published(self.ca, self.place) else {
            return Vec::new();
        };
        let [pem, chain] = self.copies();
        let mut findings = Vec::new();
        let mut differs = |path: &Path, of: &str, remedy: Option<Remedy>| {
            let message = format!("{} is not made of {of}", path.display());
            findings.push(StoreFinding {
                remedy,
                ..LIST_COPY.broken(message).at(path).about(self.ca)
            });
        };
        let written = || Some(Remedy::WriteCopies);
        if pem.exists() && !holds_as_pem(&pem, &[&der]) {
            differs(&pem, "the published list", written());
        }
        if chain.exists() && !holds_chain(store, self.ca, self.place) {
            let above = store.ancestors(self.ca).unwrap_or_default();
            let is_known = above
                .iter()
                .all(|above| published(above, self.place).is_ok());
            let of = "the published lists of the CA and of all above it";
            differs(&chain, of, is_known.then(written).flatten());
        }
        if let Ok(false) = holds_hash_names(self.ca, self.place, &der) {
            let of = "what stands under the names of its hash beside it";
            differs(&self.place.der(self.ca), of, written());
        }
        findings
    }
}

/// Whether these are the bytes of a list of this CA.
fn is_list_of(ca: &Ca, der: &[u8]) -> bool {
    RevocationList::from_der(der).is_ok_and(|list| {
        let certificate = ca.certificate();
        list.issuer() == certificate.subject()
            && list.verify_signature(certificate.public_key()).is_ok()
    })
}
