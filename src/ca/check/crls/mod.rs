//! CRLs of a CA: those on record, and the published one.

mod content;

use crate::ca::check::finding::{Found, Remedy, StoreFinding, settled, unreadable};
use crate::ca::check::journal::{line_finding, unread};
use crate::ca::check::revoked::Revocations;
use crate::ca::check::rule::{
    CRL_AHEAD, CRL_COVERS, CRL_MISSING, CRL_ORDER, CRL_SIGNATURE, CRL_UNPUBLISHED, CRL_UNREADABLE,
    CheckRule, FILE_UNREADABLE,
};
use crate::ca::crl::{Ahead, Place, is_crl_of};
use crate::ca::foreign::{Input, crls_in};
use crate::ca::remedy;
use crate::store::{Ca, Coverage, Journal, SignedCrl, Store, file};
use crate::x509::{Crl, Fingerprint};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// CRLs of a CA.
pub(crate) struct Crls<'a> {
    ca: &'a Ca,
    place: &'a Place,
    /// The published CRL, if it is one of this CA.
    published: Option<Vec<u8>>,
    /// Its record.
    record: Option<SignedCrl>,
    /// CRLs on record that may be published, newest first.
    recent: Vec<SignedCrl>,
    /// Number of those on record.
    count: usize,
    /// Whether the journal of CRLs could be read.
    is_readable: bool,
    /// Highest number on record.
    pub(crate) number: u128,
}

impl<'a> Crls<'a> {
    /// Reads the published CRL, and then the records: a CRL is recorded before it is published.
    pub(crate) fn read(ca: &'a Ca, place: &'a Place, found: &mut Found) -> Self {
        let published = file::read(&place.der(ca)).ok();
        let mut crls = Self {
            ca,
            place,
            published: published.filter(|der| is_crl_der_of(ca, der)),
            record: None,
            recent: Vec::new(),
            count: 0,
            is_readable: true,
            number: 0,
        };
        let number = crls.published_crl().and_then(|crl| crl.number());
        let path = ca.journal_location(Journal::Crls);
        let mut last: Option<SignedCrl> = None;
        let read = ca.survey_crls(|line| {
            if let Some(problem) = &line.problem {
                found.push(line_finding(ca, Journal::Crls, line.number, problem));
            }
            let Some(crl) = line.outcome else {
                return;
            };
            crls.count += 1;
            crls.number = crls.number.max(crl.number);
            let follows = last.as_ref().is_none_or(|last| crl.number > last.number);
            if !follows && line.problem.is_none() {
                let message = format!(
                    "{path} line {} has the CRL number {}, which is not above the previous one",
                    line.number, crl.number
                );
                let finding = CRL_ORDER.broken(message).at(&path).about(ca);
                found.push(finding.in_line(line.number));
            }
            if Some(crl.number) == number {
                crls.record = Some(crl.clone());
            }
            last = Some(crl);
        });
        match read {
            Err(error) => {
                crls.is_readable = false;
                found.push(unread(ca, Journal::Crls, &error));
            }
            // Errors are another finding.
            Ok(()) => crls.recent = ca.recent_crls().unwrap_or_default(),
        }
        crls
    }

    /// Extent of the journal of revocations when the published CRL was made.
    pub(crate) fn listed(&self) -> Option<&Coverage> {
        self.record.as_ref().map(|record| &record.covers)
    }

    pub(crate) fn is_published(&self) -> bool {
        self.published.is_some()
    }

    fn published_crl(&self) -> Option<Crl<'_>> {
        let der = self.published.as_deref()?;
        Crl::from_der(der).ok()
    }

    fn broken(&self, rule: &'static CheckRule, message: String) -> StoreFinding {
        rule.broken(message)
            .at(self.place.der(self.ca))
            .about(self.ca)
    }

    /// Compares the CRLs with the revocations. `pauses` are for the work of other commands.
    pub(crate) fn check(
        &self,
        store: &Store,
        revocations: &Revocations,
        now: OffsetDateTime,
        within: Option<Duration>,
        pauses: &[u64],
    ) -> Vec<StoreFinding> {
        let mut found = Found::default();
        // A damaged journal does not tell what is missing.
        if revocations.is_whole {
            found.extend(self.check_covers());
        }
        found.extend(self.check_ahead(now));
        found.extend(self.check_last_date(now));
        match self.published_crl() {
            None => found.extend(self.check_absent(revocations, pauses)),
            Some(crl) => {
                found.extend(self.check_number(&crl));
                found.extend(self.check_entries(&crl, revocations, now));
                found.extend(self.check_times(&crl, now, within));
                found.extend(self.check_news(&crl, revocations, now, pauses));
                found.extend(settled(pauses, || self.check_copies(store, now)));
            }
        }
        found.finish()
    }

    /// Finds a journal of revocations that has lost lines of which CRLs were made.
    fn check_covers(&self) -> Option<StoreFinding> {
        let last = self.recent.first()?;
        let path = self.ca.journal_location(Journal::Revoked);
        // A journal that can't be read is found elsewhere.
        let covers = self.ca.still_covers(&last.covers).unwrap_or(true);
        (!covers).then(|| {
            let number = last.number;
            let message = format!("{path} has lost revocations that CRL number {number} covers");
            CRL_COVERS.broken(message).at(&path).about(self.ca)
        })
    }

    /// Finds pre-signed CRLs that are missing or damaged.
    fn check_ahead(&self, now: OffsetDateTime) -> Vec<StoreFinding> {
        let Ok(covers) = self.ca.revocations_end() else {
            return Vec::new();
        };
        if !matches!(
            Ahead::of(self.ca, &self.recent, &covers, now),
            Ahead::Due { .. }
        ) {
            return Vec::new();
        }
        let to_come = self
            .recent
            .iter()
            .filter(|crl| crl.ahead && crl.next_update > now);
        let first = self.recent.first().and_then(|last| last.ahead_from);
        let kept = to_come.filter(|crl| first.is_none_or(|first| crl.number >= first));
        let problem = |crl: &SignedCrl| {
            let error = self.ca.presigned_crl(crl).err()?;
            let path = self.ca.presigned_crl_location(crl.number);
            Some(unreadable(CRL_AHEAD, &error, &path).about(self.ca))
        };
        kept.filter_map(problem).collect()
    }

    /// Finds what is in the place of a CRL that is not published.
    fn check_absent(&self, revocations: &Revocations, pauses: &[u64]) -> Vec<StoreFinding> {
        let path = self.place.der(self.ca);
        let shown = path.display();
        let name = self.ca.name();
        let healed = |finding: StoreFinding| match self.restorable() {
            Some(der) => finding.healed_by(Remedy::Restore(der)),
            None => finding,
        };
        match file::read(&path) {
            Ok(der) if Crl::from_der(&der).is_err() => {
                let message = format!("{shown} is not a CRL");
                vec![healed(self.broken(CRL_UNREADABLE, message))]
            }
            Ok(der) if is_crl_der_of(self.ca, &der) => Vec::new(),
            Ok(_) => {
                let message = format!("{shown} is not signed with the key of {name}");
                vec![healed(self.broken(CRL_SIGNATURE, message))]
            }
            Err(error) if !error.is_missing() => {
                vec![self.broken(FILE_UNREADABLE, format!("{error}: {}", error.source))]
            }
            Err(_) if self.copies().iter().any(|copy| copy.exists()) => {
                let message = format!("{shown} is missing, but its copies exist");
                settled(pauses, || {
                    let is_missing = !path.exists();
                    let finding = healed(self.broken(CRL_MISSING, message.clone()));
                    is_missing.then_some(finding).into_iter().collect()
                })
            }
            Err(_) => self.unpublished(revocations).into_iter().collect(),
        }
    }

    /// Notes that no CRL is published here: CRLs may be published in other directories.
    fn unpublished(&self, revocations: &Revocations) -> Option<StoreFinding> {
        let name = self.ca.name();
        let directory = self.place.directory.display();
        let revoked = revocations.count();
        let finding = match (self.count, revoked) {
            (0, 0) => return None,
            (0, _) => CRL_UNPUBLISHED
                .broken(format!(
                    "{name} has revoked certificates, but no signed CRL"
                ))
                .with_remedy(remedy::Remedy::SignCrl { ca: name.clone() }),
            _ => CRL_UNPUBLISHED.broken(format!(
                "{name} has signed CRLs, but none is in {directory}"
            )),
        };
        Some(finding.about(self.ca))
    }

    /// Files made of the CRL.
    fn copies(&self) -> [PathBuf; 2] {
        [self.place.pem(self.ca), self.place.chain(self.ca)]
    }

    /// Returns the newest CRL on record, if there is a copy of it in the store. An older one is never
    /// published again.
    fn restorable(&self) -> Option<Vec<u8>> {
        let last = self.recent.iter().find(|crl| !crl.ahead && !crl.imported)?;
        if self.recent.first()?.number != last.number {
            return None;
        }
        let copies = self.copies();
        let crls = copies
            .iter()
            .filter_map(|copy| crls_in(&Input::read(copy).ok()?).ok());
        crls.flatten().find(|der| {
            Fingerprint::of(der).to_string() == last.sha256 && is_crl_der_of(self.ca, der)
        })
    }
}

pub(crate) fn is_crl_der_of(ca: &Ca, der: &[u8]) -> bool {
    Crl::from_der(der).is_ok_and(|crl| is_crl_of(ca, &crl))
}
