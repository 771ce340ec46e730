//! The published CRL: its number, its entries, its times, and the files made of it.

use crate::ca::check::crls::{Crls, is_crl_der_of};
use crate::ca::check::finding::{Remedy, StoreFinding, settled};
use crate::ca::check::revoked::Revocations;
use crate::ca::check::rule::{
    CRL_COPY, CRL_COPY_BEHIND, CRL_ENDS_SOON, CRL_FORGOTTEN, CRL_FUTURE, CRL_INCOMPLETE,
    CRL_NUMBER, CRL_OUTDATED, CRL_STALE, CRL_UNREADABLE, CRL_UNRECORDED, CheckRule,
};
use crate::ca::crl::{
    Ahead, PublishedCrl, holds_as_pem, holds_hash_names, is_in_future, published,
};
use crate::ca::foreign::{Input, crls_in};
use crate::ca::remedy;
use crate::store::{Ca, Counter, Journal, Store, file};
use crate::x509::validity::rfc3339;
use crate::x509::{Crl, Fingerprint, Serial};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// Limit of the time in which a command publishes the CRLs of many CAs.
const AT_WORK: Duration = Duration::minutes(10);

impl Crls<'_> {
    pub(crate) fn check_number(&self, crl: &Crl<'_>) -> Option<StoreFinding> {
        let shown = self.place.der(self.ca);
        let shown = shown.display();
        let name = self.ca.name();
        // Of a CA that never signed a CRL here none is on record.
        if !self.is_readable || (self.count == 0 && !self.ca.has_key().unwrap_or(true)) {
            return None;
        }
        let Some(number) = crl.number() else {
            return Some(self.broken(
                CRL_UNRECORDED,
                format!("{shown} has no CRL number, but every CRL of {name} has one"),
            ));
        };
        let highest = self
            .ca
            .counter(Counter::CrlNumber)
            .unwrap_or(u128::MAX)
            .max(self.number);
        if number > highest {
            let message = format!(
                "{shown} has the CRL number {number}, but the highest on record is {highest}: the store is older than the CRL"
            );
            return Some(self.broken(CRL_NUMBER, message));
        }
        let fingerprint = Fingerprint::of(crl.der()).to_string();
        let is_recorded = self
            .record
            .as_ref()
            .is_some_and(|record| record.sha256 == fingerprint);
        (!is_recorded).then(|| {
            let message = format!("{shown} has the CRL number {number}, but the record of that number is missing or of another CRL");
            self.broken(CRL_UNRECORDED, message)
        })
    }

    /// Finds certificates that the CRL lacks though they were revoked when it was made and had not expired, and
    /// entries that are not on record.
    pub(crate) fn check_entries(
        &self,
        crl: &Crl<'_>,
        revocations: &Revocations,
        now: OffsetDateTime,
    ) -> Vec<StoreFinding> {
        let path = self.place.der(self.ca);
        let shown = path.display();
        let mut entries: Vec<Serial> = Vec::new();
        for entry in crl.entries() {
            match entry {
                Ok(entry) => entries.extend(entry.serial()),
                Err(error) => {
                    let message = format!("{shown} has an entry that can't be read: {error}");
                    return vec![self.broken(CRL_UNREADABLE, message)];
                }
            }
        }
        entries.sort_unstable();
        let mut findings = Vec::new();
        let has_to_be_there = |end: OffsetDateTime| end >= crl.this_update().min(now);
        for (serial, standing) in &revocations.standings {
            let missing = standing.when_listed.is_some_and(has_to_be_there)
                && entries.binary_search(serial).is_err();
            if missing {
                let message =
                    format!("{shown} lacks {serial}, which was revoked before the CRL was signed");
                findings.push(self.broken(CRL_INCOMPLETE, message).of_serial(serial));
            }
        }
        // A damaged journal does not tell what is missing.
        if revocations.is_whole && (self.count > 0 || self.ca.has_key().unwrap_or(false)) {
            for serial in entries {
                if !revocations.standings.contains_key(&serial) {
                    let message =
                        format!("{shown} has {serial}, but the store has no revocation of it");
                    findings.push(self.broken(CRL_FORGOTTEN, message).of_serial(&serial));
                }
            }
        }
        findings.sort_by_key(|finding| finding.serial);
        findings
    }

    /// Finds a last CRL on record that is dated in the future: the next one is dated after it.
    pub(crate) fn check_last_date(&self, now: OffsetDateTime) -> Option<StoreFinding> {
        let last = self.recent.iter().find(|crl| !crl.ahead)?;
        let is_published = self.published_crl().and_then(|crl| crl.number()) == Some(last.number);
        (!is_published && is_in_future(last.this_update, now)).then(|| {
            let path = self.ca.journal_location(Journal::Crls);
            self.in_future(last.this_update).at(&path)
        })
    }

    fn in_future(&self, this_update: OffsetDateTime) -> StoreFinding {
        let ca = self.ca.name().clone();
        let at = rfc3339(this_update);
        let message = format!("the CRL of {ca} is dated in the future ({at})");
        self.broken(CRL_FUTURE, message)
            .with_remedy(remedy::Remedy::DateCrlNow { ca })
    }

    pub(crate) fn check_times(
        &self,
        crl: &Crl<'_>,
        now: OffsetDateTime,
        within: Option<Duration>,
    ) -> Option<StoreFinding> {
        let name = self.ca.name();
        let Some(end) = crl.next_update() else {
            return Some(self.broken(CRL_STALE, format!("the CRL of {name} has no nextUpdate")));
        };
        if is_in_future(crl.this_update(), now) {
            return Some(self.in_future(crl.this_update()));
        }
        let at = rfc3339(end);
        if end < now {
            return Some(self.broken(CRL_STALE, format!("the CRL of {name} expired at {at}")));
        }
        let soon = within.unwrap_or((end - crl.this_update()) / 3);
        (end - now < soon).then(|| {
            let message = format!("the CRL of {name} expires at {at}");
            self.broken(CRL_ENDS_SOON, message)
                .with_remedy(remedy::Remedy::SignNextCrl { ca: name.clone() })
        })
    }

    /// Finds a CRL that lacks news.
    pub(crate) fn check_news(
        &self,
        crl: &Crl<'_>,
        revocations: &Revocations,
        now: OffsetDateTime,
        pauses: &[u64],
    ) -> Option<StoreFinding> {
        let name = self.ca.name();
        let number = crl.number()?;
        let covers = self.ca.revocations_end().ok()?;
        let due = match Ahead::of(self.ca, &self.recent, &covers, now) {
            Ahead::Due { crl, .. } => Some(crl.number),
            _ => self
                .recent
                .iter()
                .find(|crl| !crl.ahead)
                .map(|crl| crl.number),
        };
        if let Some(newer) = due.filter(|newer| *newer > number) {
            // It is recorded before it is published.
            let passing = settled(pauses, || {
                let published = file::read(&self.place.der(self.ca)).unwrap_or_default();
                let published = Crl::from_der(&published).ok().and_then(|crl| crl.number());
                let message = format!(
                    "the CRL of {name} has the number {number}, but number {newer} is newer"
                );
                let finding = self.broken(CRL_OUTDATED, message);
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
            let certificates = if changed == 1 {
                "certificate was"
            } else {
                "certificates were"
            };
            let message = format!(
                "{changed} {certificates} revoked or released since the CRL of {name} was signed"
            );
            self.broken(CRL_OUTDATED, message)
                .with_remedy(remedy::Remedy::SignNextCrl { ca: name.clone() })
        })
    }

    /// Finds files made of another CRL than the published one.
    pub(crate) fn check_copies(&self, store: &Store, now: OffsetDateTime) -> Vec<StoreFinding> {
        let Ok(own) = published(self.ca, self.place) else {
            return Vec::new();
        };
        let [pem, chain] = self.copies();
        let own = (self.ca, &own);
        let mut findings = Vec::new();
        if pem.exists() && !holds_as_pem(&pem, &[own.1]) {
            findings.push(self.copy_differs(&pem, &[own], now));
        }
        // A missing CA above, or its missing CRL, is another finding.
        if let Ok(above) = store.ancestors(self.ca)
            && chain.exists()
            && let Ok(crls) = above
                .iter()
                .map(|above| published(above, self.place))
                .collect::<Result<Vec<_>, _>>()
        {
            let path: Vec<Original<'_>> = std::iter::once(own)
                .chain(above.iter().zip(&crls))
                .collect();
            let crls: Vec<_> = path.iter().map(|(_, crl)| *crl).collect();
            if !holds_as_pem(&chain, &crls) {
                findings.push(self.copy_differs(&chain, &path, now));
            }
        }
        if let Ok(false) = holds_hash_names(self.ca, self.place, own.1.der()) {
            let rule = self.copy_rule(true, &[own], now);
            let of = numbered(&[own]);
            let message = format!("a file named by the hash of the issuer is not a copy of {of}");
            findings.push(self.broken(rule, message).healed_by(Remedy::WriteCopies));
        }
        findings
    }

    fn copy_differs(
        &self,
        copy: &Path,
        originals: &[Original<'_>],
        now: OffsetDateTime,
    ) -> StoreFinding {
        let crls = Input::read(copy).and_then(|input| crls_in(&input));
        let is_older = crls.is_ok_and(|crls| {
            let mut pairs = crls.iter().zip(originals);
            crls.len() == originals.len() && pairs.all(|(der, (ca, _))| is_crl_der_of(ca, der))
        });
        let message = format!(
            "{} is not a copy of {}",
            copy.display(),
            numbered(originals)
        );
        let finding = self.copy_rule(is_older, originals, now).broken(message);
        finding
            .at(copy)
            .about(self.ca)
            .healed_by(Remedy::WriteCopies)
    }

    /// Returns the rule for an outdated copy. A command that publishes CRLs writes the copies after the last:
    /// until then older ones are normal.
    fn copy_rule(
        &self,
        is_older: bool,
        originals: &[Original<'_>],
        now: OffsetDateTime,
    ) -> &'static CheckRule {
        let published = originals.iter().filter_map(|(ca, _)| {
            let metadata = std::fs::metadata(self.place.der(ca)).ok()?;
            Some(metadata.mtime())
        });
        let age = published.max().map(|newest| now.unix_timestamp() - newest);
        let is_young = age.is_some_and(|age| age < AT_WORK.whole_seconds());
        if is_older && is_young {
            CRL_COPY_BEHIND
        } else {
            CRL_COPY
        }
    }
}

/// A CA, and its published CRL.
type Original<'a> = (&'a Ca, &'a PublishedCrl);

/// Names published CRLs, as in `list 3 of intermediate0 and list 1 of rootCA`.
fn numbered(originals: &[Original<'_>]) -> String {
    let called = |(ca, crl): &Original<'_>| match crl.number() {
        Some(number) => format!("CRL {number} of {}", ca.name()),
        None => format!("the CRL of {}", ca.name()),
    };
    let called: Vec<String> = originals.iter().map(called).collect();
    called.join(" and ")
}
