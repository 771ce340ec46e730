//! Certificates of a CA: reads every record, and verifies every certificate, on all cores.

use crate::asn1::Hex;
use crate::ca::authority::standing_certificates;
use crate::ca::check::finding::{Found, StoreFinding};
use crate::ca::check::journal::{line_finding, unread};
use crate::ca::check::keys::{OwnKey, Problem, leaf_key_problem};
use crate::ca::check::revoked::Revocations;
use crate::ca::check::rule::{
    CERTIFICATE_FLAW, CERTIFICATE_MISMATCH, CERTIFICATE_MISSING, CERTIFICATE_SIGNATURE,
    CERTIFICATE_UNREADABLE, RECORD_MISMATCH, REVOCATION_EXPIRY, SERIAL_DUPLICATE, SERIAL_GAP,
    SIGNATURE_NOT_CHECKED,
};
use crate::ca::profiles::Profiles;
use crate::ca::select::Status;
use crate::key::{KeyError, PublicKey};
use crate::store::{Ca, Issuance, Journal, LineProblem, Store};
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, GeneralName, Name, RecordedProfile, Serial};
use time::OffsetDateTime;

/// Bytes of a journal between reports of progress.
const STEP: u64 = 1 << 18;

/// Least number by which counters move up when a server is promoted or a store is restored.
const GAP: u128 = 1 << 32;

/// Basis for judging records.
pub(crate) struct Standard<'a> {
    ca: &'a Ca,
    profiles: &'a Profiles,
    own_key: &'a OwnKey,
    /// Serial numbers of stored keys, sorted.
    kept: &'a [Serial],
    revocations: &'a Revocations,
    /// Names and keys of the CA's certificate, and of the previous ones.
    issuers: Vec<(Name, PublicKey)>,
    /// The CA's certificates that are valid now; none if the one in force is not.
    standing: Vec<Certificate>,
    may_lack_certificates: bool,
    is_fixture: bool,
    now: OffsetDateTime,
}

/// Summary of the records.
#[derive(Default)]
pub(crate) struct Issued {
    /// Every serial number, sorted.
    pub(crate) serials: Vec<Serial>,
    /// Serial numbers of leaves that expire in the requested time.
    pub(crate) ending: Vec<Serial>,
    /// Serial numbers of live certificates that name as their issuer another certificate than the CA's valid ones.
    pub(crate) unverifiable: Vec<Serial>,
    /// The highest counter that a record names.
    pub(crate) counter: u128,
    /// The serial number of that record.
    newest: Option<Serial>,
    /// Whether every line of the journal could be read.
    pub(crate) is_whole: bool,
}

/// Judgement of one record.
struct Judged {
    serial: Serial,
    counter: u128,
    leaf_end: Option<OffsetDateTime>,
    is_unverifiable: bool,
    problems: Vec<Problem>,
}

impl<'a> Standard<'a> {
    pub(crate) fn of(
        store: &Store,
        ca: &'a Ca,
        profiles: &'a Profiles,
        own_key: &'a OwnKey,
        kept: &'a [Serial],
        revocations: &'a Revocations,
        now: OffsetDateTime,
    ) -> Self {
        let mut issuers: Vec<(Name, PublicKey)> = Vec::new();
        let previous = ca.previous_certificates().unwrap_or_default();
        let previous = previous
            .into_iter()
            .filter_map(|seen| seen.certificate.ok());
        for certificate in std::iter::once(ca.certificate().clone()).chain(previous) {
            let key = certificate.public_key();
            let is_known = issuers
                .iter()
                .any(|(name, known)| name == certificate.subject() && known.spki() == key.spki());
            if !is_known {
                issuers.push((certificate.subject().clone(), key.clone()));
            }
        }
        Self {
            ca,
            profiles,
            own_key,
            kept,
            revocations,
            issuers,
            // Certificates that can't be read are another finding.
            standing: match standing_certificates(store, ca, now) {
                Ok(standing) if Status::of_certificate(&standing[0], now) == Status::Valid => {
                    standing
                }
                _ => Vec::new(),
            },
            now,
            may_lack_certificates: store.may_lack_certificates(),
            is_fixture: store.is_fixture(),
        }
    }

    /// Reads the whole journal. `soon` is the time until which a certificate expires soon.
    pub(crate) fn survey(
        &self,
        soon: OffsetDateTime,
        found: &mut Found,
        progress: &dyn Fn(u64),
    ) -> Issued {
        let mut issued = Issued {
            is_whole: true,
            ..Issued::default()
        };
        let mut out_of_place = Vec::new();
        let mut told = 0;
        let judge = |issuance, follows| self.judge(&issuance, follows);
        let path = self.ca.journal_location(Journal::Issued);
        let read = self.ca.survey_issuances(judge, |line| {
            if line.progress() - told >= STEP {
                progress(line.progress() - told);
                told = line.progress();
            }
            if let Some(problem) = &line.problem {
                issued.is_whole = false;
                found.push(line_finding(self.ca, Journal::Issued, line.number, problem));
            }
            let Some(judged) = line.outcome else {
                return;
            };
            for (rule, message) in judged.problems {
                let message = format!("{path} line {}: {message}", line.number);
                let finding = rule.broken(message).at(&path).about(self.ca);
                found.push(finding.in_line(line.number).of_serial(&judged.serial));
            }
            if judged.counter > issued.counter {
                let gap = judged.counter - issued.counter;
                if let Some(last) = issued.newest.filter(|_| gap >= GAP) {
                    found.extend(self.gap(&last));
                }
                issued.counter = judged.counter;
                issued.newest = Some(judged.serial);
            }
            if judged
                .leaf_end
                .is_some_and(|end| (self.now..=soon).contains(&end))
            {
                issued.ending.push(judged.serial);
            }
            if judged.is_unverifiable {
                issued.unverifiable.push(judged.serial);
            }
            match line.problem {
                // The change to the line is the finding, not its consequences.
                Some(LineProblem::Chain(_)) => out_of_place.push(judged.serial),
                _ => issued.serials.push(judged.serial),
            }
        });
        if let Err(error) = read {
            issued.is_whole = false;
            found.push(unread(self.ca, Journal::Issued, &error));
        }
        if let (Ok(true), Some(last)) = (self.ca.was_promoted(), &issued.newest) {
            found.extend(self.gap(last));
        }
        issued.serials.sort_unstable();
        found.extend(self.duplicates(&issued.serials));
        issued.serials.extend(out_of_place);
        issued.serials.sort_unstable();
        issued.serials.dedup();
        issued
    }

    /// Reports that records may be missing behind one: an asynchronous standby may lack what the server before it had
    /// acknowledged. In a directory, only a restore leaves such a gap, which is no news.
    fn gap(&self, last: &Serial) -> Option<StoreFinding> {
        let path = self.ca.journal_location(Journal::Issued);
        self.ca.is_in_database().then(|| {
            let message = format!(
                "certificates that were issued after {last} may be missing: the server was promoted, or the store restored"
            );
            let finding = SERIAL_GAP.broken(message).at(path).about(self.ca);
            finding.of_serial(last)
        })
    }

    fn duplicates(&self, sorted: &[Serial]) -> Vec<StoreFinding> {
        let path = self.ca.journal_location(Journal::Issued);
        let mut twice: Vec<&Serial> = sorted
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| &pair[0])
            .collect();
        twice.dedup();
        let finding = |serial: &Serial| {
            let message = format!("{path} has several records of the serial number {serial}");
            let finding = SERIAL_DUPLICATE.broken(message).at(&path).about(self.ca);
            finding.of_serial(serial)
        };
        twice.into_iter().map(finding).collect()
    }

    /// Judges a record; on any core.
    fn judge(&self, issuance: &Issuance, follows: bool) -> Judged {
        let mut judged = Judged {
            serial: issuance.serial,
            counter: if follows { issuance.counter } else { 0 },
            leaf_end: issuance
                .profile
                .is_of_a_leaf()
                .then_some(issuance.not_after),
            is_unverifiable: false,
            problems: Vec::new(),
        };
        if !follows {
            return judged;
        }
        if issuance.flaw.is_some() && !self.is_fixture {
            let message = "it has a defect, but the store is not a fixture store".to_owned();
            judged.problems.push((CERTIFICATE_FLAW, message));
        }
        let certificate = match issuance.der.as_deref().map(Certificate::from_der) {
            None => {
                if !self.may_lack_certificates {
                    let message = "it has no certificate".to_owned();
                    judged.problems.push((CERTIFICATE_MISSING, message));
                }
                None
            }
            Some(Err(error)) => {
                let message = format!("its certificate can't be read: {error}");
                judged.problems.push((CERTIFICATE_UNREADABLE, message));
                None
            }
            Some(Ok(certificate)) => {
                judged
                    .problems
                    .extend(self.certificate_problem(issuance, &certificate));
                judged
                    .problems
                    .extend(record_problem(issuance, &certificate, self.profiles));
                judged.is_unverifiable = self.is_unverifiable(issuance, &certificate);
                Some(certificate)
            }
        };
        judged.problems.extend(self.revocation_problem(issuance));
        if self.kept.binary_search(&issuance.serial).is_ok() {
            let serial = &issuance.serial;
            let problem = leaf_key_problem(self.ca, self.own_key, serial, certificate.as_ref());
            judged.problems.extend(problem);
        }
        judged
    }

    /// Returns whether a live certificate names the CA as its issuer, and none of its valid certificates.
    fn is_unverifiable(&self, issuance: &Issuance, certificate: &Certificate) -> bool {
        let standing = self.revocations.standings.get(&issuance.serial);
        let is_live = issuance.not_after >= self.now
            && issuance.flaw.is_none()
            && standing.is_none_or(|standing| standing.now.is_none());
        let names_ca = |ca: &Certificate| {
            certificate.names_as_issuer(ca)
                && certificate.public_key().spki() != ca.public_key().spki()
        };
        is_live
            && self.standing.first().is_some_and(names_ca)
            && !self
                .standing
                .iter()
                .any(|standing| certificate.names_certificate(standing))
    }

    /// Compares the certificate's expiry with that in its revocation: one that expires earlier leaves the CRL
    /// too early.
    fn revocation_problem(&self, issuance: &Issuance) -> Option<Problem> {
        let expiry = self.revocations.standings.get(&issuance.serial)?.now?;
        (expiry != issuance.not_after).then(|| {
            let (expiry, not_after) = (rfc3339(expiry), rfc3339(issuance.not_after));
            let message =
                format!("its certificate expires at {not_after}, but its revocation says {expiry}");
            (REVOCATION_EXPIRY, message)
        })
    }

    fn certificate_problem(
        &self,
        issuance: &Issuance,
        certificate: &Certificate,
    ) -> Option<Problem> {
        if certificate.serial().ok() != Some(issuance.serial) {
            return Some(mismatch("serial number"));
        }
        if certificate.subject().to_string() != issuance.subject {
            return Some(mismatch("subject"));
        }
        let validity = certificate.validity();
        if (validity.not_before, validity.not_after) != (issuance.not_before, issuance.not_after) {
            return Some(mismatch("validity"));
        }
        if issuance.flaw.is_some() {
            // Another key may have signed it, on purpose.
            return None;
        }
        let mut keys = self
            .issuers
            .iter()
            .filter(|(name, _)| name == certificate.issuer())
            .map(|(_, key)| key)
            .peekable();
        if keys.peek().is_none() {
            let message = format!(
                "its certificate names {} as its issuer",
                certificate.issuer()
            );
            return Some((CERTIFICATE_MISMATCH, message));
        }
        let mut problem = None;
        for key in keys {
            match certificate.verify_signature(key) {
                Ok(()) => return None,
                Err(KeyError::Unsupported { algorithm }) => {
                    let message = format!(
                        "the signature of its certificate can't be verified: {algorithm} is not supported"
                    );
                    problem = Some((SIGNATURE_NOT_CHECKED, message));
                }
                Err(_) => {
                    let message = "its certificate is not signed with the CA's key".to_owned();
                    problem = Some((CERTIFICATE_SIGNATURE, message));
                }
            }
        }
        problem
    }
}

/// Compares the searchable fields of a record with its certificate.
fn record_problem(
    issuance: &Issuance,
    certificate: &Certificate,
    profiles: &Profiles,
) -> Option<Problem> {
    let names = certificate.subject_alt_names().into_iter();
    let what = if certificate.subject().common_name().unwrap_or_default() != issuance.cn {
        "cn"
    } else if names.len() != issuance.sans.len()
        || !names
            .zip(&issuance.sans)
            .all(|(name, text)| is_written_as(&name, text))
    {
        "sans"
    } else if issuance.flaw.is_none() && !is_of_profile(certificate, issuance, profiles) {
        "profile"
    } else {
        return None;
    };
    let message = format!("its {what} differs from its certificate");
    Some((RECORD_MISMATCH, message))
}

/// Returns whether a certificate may be of a profile. A leaf that was imported may be anything but a CA.
fn is_of_profile(certificate: &Certificate, issuance: &Issuance, profiles: &Profiles) -> bool {
    let profile = &issuance.profile;
    match profile.leaf() {
        Some(profile) => {
            !certificate.is_ca() && certificate.extended_key_usage() == profile.purposes()
        }
        None => match profile {
            RecordedProfile::Root => certificate.is_ca() && certificate.is_self_issued(),
            RecordedProfile::Subordinate | RecordedProfile::Cross => certificate.is_ca(),
            // One that has changed since, or is not in the store, tells nothing.
            RecordedProfile::Custom(name) => profiles.custom(name).is_none_or(|custom| {
                issuance.profile_hash.as_deref() != Some(custom.hash())
                    || certificate.extended_key_usage() == custom.purposes()
            }),
            _ => true,
        },
    }
}

/// Returns whether a record names a SAN so. Earlier versions wrote every otherName and registeredID as DER in hex.
fn is_written_as(name: &GeneralName, text: &str) -> bool {
    let is_old = |der: &[u8]| text == format!("other:{:x}", Hex(der));
    name.to_string() == text || matches!(name, GeneralName::Other(der) if is_old(der))
}

fn mismatch(what: &str) -> Problem {
    let message = format!("its certificate has another {what} than the record");
    (CERTIFICATE_MISMATCH, message)
}
