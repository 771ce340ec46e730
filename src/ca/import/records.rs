//! Records of the store, made of a CA's index, certificates and CRLs.

use crate::ca::RuleFinding;
use crate::ca::import::certificates::{Certificates, Found, without_certificate};
use crate::ca::import::index::{Broken, Revocation, Row};
use crate::ca::import::subject::is_oneline;
use crate::store::{Issuance, RevocationChange, Revoked};
use crate::x509::crl::ReadEntry;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Crl, Fingerprint, Reason, Serial};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use time::OffsetDateTime;

/// Age of a CRL: the last one, or one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    Last,
    Older,
}

/// Rule for a line that can't be skipped: a revocation would be lost.
pub(crate) const REVOCATION_UNREADABLE: &str = "revocation-unreadable";

pub(crate) struct Records<'a> {
    ca: &'a Certificate,
    /// Whether there is an index that ought to name every certificate and revocation.
    has_index: bool,
    now: OffsetDateTime,
    /// In the order of the index.
    pub(crate) issuances: Vec<Issuance>,
    /// Index of each serial number among them.
    places: HashMap<Serial, usize>,
    standings: HashMap<Serial, Revocation>,
    /// Serial numbers that are revoked without a known date or reason.
    unclear: HashSet<Serial>,
    pub(crate) findings: Vec<RuleFinding>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(ca: &'a Certificate, has_index: bool, now: OffsetDateTime) -> Self {
        Self {
            ca,
            has_index,
            now,
            issuances: Vec::new(),
            places: HashMap::new(),
            standings: HashMap::new(),
            unclear: HashSet::new(),
            findings: Vec::new(),
        }
    }

    fn found(&mut self, rule: &'static str, message: impl Into<String>) {
        self.findings.push(RuleFinding::error(rule, message));
    }

    /// Takes a row and its certificate.
    pub(crate) fn take_row(
        &mut self,
        row: Result<Row, Broken>,
        certificates: &mut Certificates,
        issued_in: &Path,
    ) {
        match row {
            Ok(row) => self.take_whole(&row, certificates, issued_in),
            Err(broken) => self.take_broken(broken, certificates),
        }
    }

    fn take_whole(&mut self, row: &Row, certificates: &mut Certificates, issued_in: &Path) {
        let Row { line, serial, .. } = *row;
        if self.places.contains_key(&serial) {
            let message = format!("line {line} of the index repeats the serial number {serial}");
            self.found("serial-twice", message);
        } else {
            let issuance = if let Some(found) = certificates.found.remove(&serial) {
                self.compared(row, found)
            } else {
                let file = issued_in.join(format!("{serial}.pem"));
                if !certificates.explained.contains(&file) {
                    let message = format!(
                        "line {line} of the index has the serial number {serial}, but its certificate is not found as {}",
                        file.display()
                    );
                    self.found("certificate-missing", message);
                }
                let subject: &[u8] = if row.is_nameless() { b"" } else { &row.subject };
                without_certificate(serial, subject, row.not_after, self.ca)
            };
            self.add(issuance);
        }
        if let Some(revocation) = row.revoked {
            self.revoke(line, serial, revocation);
        }
    }

    /// Compares a row with its certificate, whose record prevails.
    fn compared(&mut self, row: &Row, found: Found) -> Issuance {
        let Found {
            path,
            subject,
            issuance,
            ..
        } = found;
        let (line, shown) = (row.line, path.display());
        if issuance.not_after != row.not_after {
            let (row, certificate) = (rfc3339(row.not_after), rfc3339(issuance.not_after));
            let message = format!(
                "line {line} of the index expires at {row}, but {shown} expires at {certificate}"
            );
            self.found("row-and-certificate-differ", message);
        }
        let is_nameless = subject.is_empty() && row.is_nameless();
        if !is_nameless && !is_oneline(&row.subject, &subject) {
            let row = String::from_utf8_lossy(&row.subject);
            let message = format!(
                "line {line} of the index has the subject {row}, but {shown} has {subject}"
            );
            self.found("row-and-certificate-differ", message);
        }
        issuance
    }

    /// Takes a row that can't be read: if it may be a revocation, the certificate stays revoked.
    fn take_broken(&mut self, broken: Broken, certificates: &mut Certificates) {
        let Broken {
            line,
            problem,
            serial,
            may_revoke,
            not_after,
            subject,
        } = broken;
        let Some(serial) = serial else {
            return if may_revoke {
                let message = format!(
                    "line {line} of the index may revoke a certificate, but its serial number can't be read: {problem}"
                );
                self.found(REVOCATION_UNREADABLE, message);
            } else {
                self.found("row-broken", format!("line {line} of the index: {problem}"));
            };
        };
        self.found("row-broken", format!("line {line} of the index: {problem}"));
        if !self.places.contains_key(&serial) {
            let end = not_after.unwrap_or(self.ca.validity().not_after);
            let missing = || without_certificate(serial, &subject, end, self.ca);
            let found = certificates.found.remove(&serial);
            let issuance = found.map_or_else(missing, |found| found.issuance);
            self.add(issuance);
        }
        let is_known = self.is_revoked(&serial);
        if may_revoke && !is_known {
            let revocation = Revocation {
                at: self.now,
                reason: Reason::Unspecified,
                invalidity_date: None,
                is_lifted: false,
            };
            self.standings.insert(serial, revocation);
            self.unclear.insert(serial);
        }
    }

    fn add(&mut self, issuance: Issuance) {
        self.places.insert(issuance.serial, self.issuances.len());
        self.issuances.push(issuance);
    }

    fn revoke(&mut self, line: usize, serial: Serial, revocation: Revocation) {
        if revocation.is_lifted {
            let message = format!(
                "line {line} of the index has removeFromCRL for {serial}: its hold was lifted, so it is not on the next CRL"
            );
            self.findings
                .push(RuleFinding::warning("hold-lifted", message));
        }
        let is_outdone = |known: &Revocation| known.firmness() < revocation.firmness();
        let is_unclear = self.unclear.contains(&serial) && !revocation.is_lifted;
        if is_unclear || self.standings.get(&serial).is_none_or(is_outdone) {
            self.unclear.remove(&serial);
            self.standings.insert(serial, revocation);
        }
    }

    /// Takes the certificates that no row is about.
    pub(crate) fn take_others(&mut self, certificates: Certificates) {
        let mut others: Vec<Found> = certificates.found.into_values().collect();
        others.sort_by(|one, other| one.path.cmp(&other.path));
        for other in others {
            // The CA's own certificate need not have been issued by this CA.
            let is_own = other.issuance.is_of(self.ca);
            if is_own {
                continue;
            }
            if self.has_index {
                let message = format!("no line of the index matches {}", other.path.display());
                let rule = "row-missing";
                // Certificates of a directory named by the user may be missing in the index.
                self.findings.push(if other.is_collected {
                    RuleFinding::warning(rule, message)
                } else {
                    RuleFinding::error(rule, message)
                });
            }
            self.add(other.issuance);
        }
    }

    /// Compares a CRL: its entries stay revoked. Returns the serial numbers on it.
    pub(crate) fn compare(&mut self, path: &Path, crl: &Crl<'_>, age: Age) -> HashSet<Serial> {
        let mut listed = HashSet::new();
        for entry in crl.entries().flatten() {
            let Some(serial) = entry.serial() else {
                let message = format!(
                    "an entry of {} has a serial number that can't be recorded",
                    path.display()
                );
                self.found("serial-unusable", message);
                continue;
            };
            listed.insert(serial);
            self.compare_entry(path, serial, &entry, age);
        }
        listed
    }

    /// Returns whether every revocation is on a CRL with these serial numbers.
    pub(crate) fn are_all_in(&self, listed: &HashSet<Serial>) -> bool {
        let mut standings = self.standings.iter();
        standings.all(|(serial, revocation)| revocation.is_lifted || listed.contains(serial))
    }

    fn compare_entry(&mut self, path: &Path, serial: Serial, entry: &ReadEntry<'_>, age: Age) {
        let shown = path.display();
        let on_list = Revocation {
            at: entry.revoked_at,
            reason: if entry.removes {
                Reason::CertificateHold
            } else {
                entry.reason.unwrap_or_default()
            },
            invalidity_date: entry.invalidity_date,
            is_lifted: entry.removes,
        };
        match self.standings.get(&serial) {
            Some(recorded) if *recorded == on_list => {}
            Some(_) if self.unclear.contains(&serial) && !entry.removes => {
                self.unclear.remove(&serial);
                self.standings.insert(serial, on_list);
            }
            // Only a hold can have been lifted.
            Some(recorded) if recorded.is_lifted && on_list.firmness() == 2 => {
                let message = format!(
                    "{serial} is revoked permanently in {shown}, but the index has removeFromCRL for it"
                );
                self.found("revoked-on-list-only", message);
                self.standings.insert(serial, on_list);
            }
            // A hold may have been lifted since, or have become more.
            Some(recorded)
                if age == Age::Older && (on_list.firmness() < 2 || recorded.firmness() == 2) => {}
            Some(_) => {
                let message =
                    format!("{shown} and the index differ about {serial}; the index is used");
                self.findings
                    .push(RuleFinding::warning("list-and-index-differ", message));
            }
            None if entry.removes => {}
            None => {
                if self.has_index {
                    let message = format!("{serial} is revoked in {shown}, but not in the index");
                    self.found("revoked-on-list-only", message);
                }
                self.standings.insert(serial, on_list);
                if !self.places.contains_key(&serial) {
                    let end = self.ca.validity().not_after;
                    self.add(without_certificate(serial, b"", end, self.ca));
                }
            }
        }
    }

    /// Returns the revocations in the order in which they happened.
    pub(crate) fn changes(&self) -> Vec<RevocationChange> {
        let mut standings: Vec<(usize, &Revocation)> = self
            .standings
            .iter()
            .map(|(serial, revocation)| (self.places[serial], revocation))
            .collect();
        standings.sort_by_key(|(place, revocation)| (revocation.at, *place));
        let mut changes = Vec::with_capacity(standings.len());
        for (place, revocation) in standings {
            let issuance = &self.issuances[place];
            let revoked = Revoked {
                reason: revocation.reason,
                revoked_at: revocation.at,
                invalidity_date: revocation.invalidity_date,
                not_after: issuance.not_after,
                key: compromised_key(issuance, revocation.reason),
            };
            changes.push(RevocationChange::Revoke(issuance.serial, revoked));
            if revocation.is_lifted {
                changes.push(RevocationChange::Release(issuance.serial, revocation.at));
            }
        }
        changes
    }

    /// Returns whether a certificate is revoked now.
    pub(crate) fn is_revoked(&self, serial: &Serial) -> bool {
        let standing = self.standings.get(serial);
        standing.is_some_and(|revocation| !revocation.is_lifted)
    }
}

/// Returns the hash by which a revocation names a compromised key.
fn compromised_key(issuance: &Issuance, reason: Reason) -> Option<Fingerprint> {
    let der = issuance.der.as_deref().filter(|_| reason.is_compromise())?;
    let certificate = Certificate::from_der(der).ok()?;
    Some(Fingerprint::of(certificate.public_key().secret_part()))
}
