//! Contents of a CA's files, read and compared.

use crate::ca::foreign::Input;
use crate::ca::import::authority::Authority;
use crate::ca::import::certificates::Certificates;
use crate::ca::import::index;
use crate::ca::import::leaf_keys::LeafKeys;
use crate::ca::import::locations::Places;
use crate::ca::import::numbers::Numbers;
use crate::ca::import::old_crls::OldCrls;
use crate::ca::import::records::{Age, REVOCATION_UNREADABLE, Records};
use crate::ca::import::request::Tally;
use crate::ca::{CaError, Level, RuleFinding, Status};
use crate::store::{Issuance, RevocationChange};
use crate::x509::extension::key_usage::CRL_SIGN;
use crate::x509::lint::{Candidate, lint};
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Crl};
use time::OffsetDateTime;

pub(crate) struct Taken {
    pub(crate) issued: Vec<Issuance>,
    pub(crate) revocations: Vec<RevocationChange>,
    revoked: Vec<bool>,
    pub(crate) numbers: Numbers,
    pub(crate) crls: OldCrls,
    /// Whether every revocation is on the last CRL.
    pub(crate) is_crl_complete: bool,
    pub(crate) keys: LeafKeys,
    findings: Vec<RuleFinding>,
}

impl Taken {
    pub(crate) fn read(
        places: &Places,
        authority: &mut Authority,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let findings = std::mem::take(&mut authority.findings);
        let ca = &authority.certificate;
        let mut numbers = Numbers::read(places)?;
        let index = places.index.as_deref().map(Input::read).transpose()?;
        let mut certificates = Certificates::read(&places.issued, ca)?;
        certificates.collect(&places.collected, ca)?;
        let keys = LeafKeys::read(
            &places.keys,
            certificates.found.values(),
            &mut authority.unlocked,
        )?;
        let mut records = Records::new(ca, index.is_some(), now);
        records.findings = findings;
        records.findings.append(&mut certificates.findings);
        if index.is_none() {
            records.findings.push(without_index(&certificates, ca));
        }
        for row in index::rows(index.as_ref().map_or(&[], Input::content)) {
            records.take_row(row, &mut certificates, &places.issued_in);
        }
        let others = std::mem::take(&mut certificates.not_taken);
        records.take_others(certificates);
        let mut crls = OldCrls::read(&places.crls, ca)?;
        records.findings.append(&mut crls.findings);
        let is_crl_complete = compare(&mut records, &crls);
        for (_, crl) in crls.newest_first() {
            numbers.saw_crl(&crl)?;
        }
        if ca.is_self_signed() {
            numbers.saw_own(ca);
        }
        let revocations = records.changes();
        let issued = std::mem::take(&mut records.issuances);
        let serials = issued.iter().map(|issuance| issuance.serial);
        serials.chain(others).for_each(|serial| numbers.saw(serial));
        numbers.judge_files(places);
        let revoked = issued.iter();
        let revoked = revoked.map(|issuance| records.is_revoked(&issuance.serial));
        Ok(Self {
            revoked: revoked.collect(),
            issued,
            revocations,
            numbers,
            crls,
            is_crl_complete,
            keys,
            findings: records.findings,
        })
    }

    /// Warns of limits of the CA itself.
    pub(crate) fn judge(&mut self, path: &[Certificate], now: OffsetDateTime) {
        let ca = &path[0];
        let mut warn = |rule, message: String| {
            self.findings.push(RuleFinding::warning(rule, message));
        };
        let end = ca.validity().not_after;
        if now > end {
            let message = format!("the CA expired at {}, so it can't sign", rfc3339(end));
            warn("ca-expired", message);
        }
        if ca.key_usage().is_some_and(|usage| usage & CRL_SIGN == 0) {
            let message = "its keyUsage lacks cRLSign, so it can't sign CRLs".to_owned();
            warn("ca-signs-no-lists", message);
        }
        let candidate = Candidate {
            certificate: ca,
            issuers: &path[1..],
        };
        for finding in lint(&candidate) {
            warn("ca-certificate", finding.to_string());
        }
        if self.crls.last().is_none() && !self.revocations.is_empty() {
            let message = "no CRL found to compare the index with".to_owned();
            warn("old-list-missing", message);
        }
    }

    /// Returns whether a part can be imported: not if a revocation would be lost.
    pub(crate) fn has_part(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.all(|finding| finding.rule != REVOCATION_UNREADABLE)
    }

    /// Returns all findings, errors first. If a part is enough, only a lost revocation is an error.
    pub(crate) fn findings(&mut self, partial: bool) -> Vec<RuleFinding> {
        let mut findings = std::mem::take(&mut self.findings);
        findings.append(&mut self.numbers.findings);
        findings.append(&mut self.keys.findings);
        if partial {
            for finding in &mut findings {
                if finding.rule != REVOCATION_UNREADABLE {
                    finding.level = Level::Warning;
                }
            }
        }
        findings.sort_by_key(|finding| finding.level);
        findings
    }

    pub(crate) fn tally(&self, now: OffsetDateTime) -> Tally {
        let mut tally = Tally::default();
        for (issuance, is_revoked) in self.issued.iter().zip(&self.revoked) {
            tally.without_certificate += usize::from(issuance.der.is_none());
            match (is_revoked, Status::of(issuance, None, now)) {
                (true, _) => tally.revoked += 1,
                (false, Status::Expired) => tally.expired += 1,
                (false, _) => tally.valid += 1,
            }
        }
        tally
    }
}

/// Warns of an import without an index.
fn without_index(certificates: &Certificates, ca: &Certificate) -> RuleFinding {
    let found = certificates.found.values();
    let issued = found.filter(|found| !found.issuance.is_of(ca));
    let unknown = match issued.count() {
        0 => "certificates issued earlier are unknown".to_owned(),
        1 => "one certificate issued earlier was found".to_owned(),
        count => format!("{count} certificates issued earlier were found"),
    };
    let message = format!(
        "no index of certificates found: {unknown}; others are recorded when they are revoked"
    );
    RuleFinding::warning("index-missing", message)
}

/// Compares the last CRL, and then every other: certificates revoked on an older one alone stay revoked.
/// Returns whether every revocation is on the last.
fn compare(records: &mut Records<'_>, crls: &OldCrls) -> bool {
    let last = crls.last();
    let is_last = |crl: &Crl<'_>| {
        let last = last.as_ref();
        last.is_some_and(|(_, last)| last.der() == crl.der())
    };
    let listed = last
        .as_ref()
        .map(|(path, crl)| records.compare(path, crl, Age::Last));
    for (path, crl) in crls.newest_first() {
        if !is_last(&crl) {
            records.compare(path, &crl, Age::Older);
        }
    }
    listed.is_some_and(|listed| records.are_all_in(&listed))
}
