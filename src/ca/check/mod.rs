//! Check of the whole store: files, keys, journals, counters, certificates, CRLs. Nothing is changed
//! and no lock is taken; damage does not keep the rest from being checked.
//!
//! Other commands may be running meanwhile. Files that refer to each other are read in the order in which
//! commands write them: revocations before the certificates issued, a journal before its counter, a CRL
//! before its record. Doubtful findings are looked at again.

mod authority;
mod crls;
mod files;
mod finding;
mod issued;
mod journal;
mod keys;
mod profiles;
mod repair;
mod revoked;
mod rule;

pub(crate) use finding::StoreFinding;
pub(crate) use repair::{Repair, Repaired, repair};

use crate::ca::crl::Place;
use crate::ca::error::CaError;
use crate::ca::finding::Level;
use crate::ca::passphrases::Passphrases;
use crate::ca::profiles::Profiles;
use crate::ca::remedy::Remedy;
use crate::store::{Address, Ca, CaName, Counter, Journal, Operator, SeenCa, Store, StoreError};
use crls::Crls;
use finding::{Found, SHORT, unreadable};
use issued::{Issued, Standard};
use revoked::Revocations;
use rule::{CA_UNREADABLE, EXPIRING, ISSUER_CERTIFICATE, STORE_FORMAT};
use std::thread;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// Time before the expiry of a CA's certificate in which it is reported.
const SOON: Duration = Duration::days(30);

pub(crate) struct CheckRequest<'a> {
    /// CAs; all of the store if empty.
    pub(crate) cas: Vec<CaName>,
    /// Time in which an expiry is reported; by default 30 days for CAs and certificates, and the last third of
    /// the validity for CRLs.
    pub(crate) within: Option<Duration>,
    /// Passphrases that open keys.
    pub(crate) passphrases: Option<&'a mut dyn Passphrases>,
    /// Whether the user is asked for passphrases that are not given; if not, those keys stay closed.
    pub(crate) asks: bool,
    /// Whether findings that may be another process's work in progress are looked at again.
    pub(crate) is_patient: bool,
    pub(crate) now: OffsetDateTime,
    /// Called with the number of bytes of journals that were read since.
    pub(crate) progress: &'a dyn Fn(u64),
}

impl CheckRequest<'_> {
    /// Pauses before findings that may be another process's work are looked at again.
    fn pauses(&self) -> &'static [u64] {
        if self.is_patient { SHORT } else { &[] }
    }
}

/// Directory of the store in which CRLs are published.
fn published_in(store: &Store) -> Place {
    Place {
        directory: store.published_crls(),
        pem: false,
        overwrite: true,
    }
}

/// Result of a check.
#[derive(Default)]
pub(crate) struct Checkup {
    /// Findings by CA.
    pub(crate) findings: Vec<StoreFinding>,
    /// Number of CAs.
    pub(crate) cas: usize,
    /// Number of pending CAs.
    pub(crate) waiting: usize,
    /// Number of certificates on record.
    pub(crate) certificates: usize,
    /// Number of those that are revoked.
    pub(crate) revoked: usize,
    /// Number of CAs with a published CRL.
    pub(crate) crls: usize,
    /// Number of CAs whose own keys were opened.
    pub(crate) keys: usize,
    /// Number of leaves that expire within the time, and are not revoked.
    pub(crate) expiring: usize,
}

impl Checkup {
    pub(crate) fn count(&self, level: Level) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.level() == level).count()
    }

    /// Returns whether there are only notices.
    pub(crate) fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.level() == Level::Notice)
    }
}

/// Returns the number of bytes that a check reads, to report progress.
pub(crate) fn bytes_to_check(address: &Address, operator: Operator) -> u64 {
    let Ok((store, _)) = Store::look(address, operator) else {
        return 0;
    };
    let cas = store.look_at_cas().unwrap_or_default();
    let opened = cas.iter().filter_map(|(_, ca)| ca.as_ref().ok());
    opened.map(|ca| ca.journal_bytes(Journal::Issued)).sum()
}

/// Checks the store in a directory.
pub(crate) fn check(
    address: &Address,
    operator: Operator,
    request: &mut CheckRequest<'_>,
) -> Result<Checkup, CaError> {
    let (store, problem) = Store::look(address, operator)?;
    let mut checkup = Checkup::default();
    let format = problem.map(|problem| unreadable(STORE_FORMAT, &problem, store.format_location()));
    checkup.findings.extend(format);
    let first = checkup.findings.len();
    let pauses = request.pauses();
    let cas = store.look_at_cas()?;
    let waiting = store.pending_names()?;
    refuse_unknown(&request.cas, &cas, &waiting)?;
    let named = request.cas.clone();
    // To look at each of many files takes one core.
    let files = thread::scope(|scope| {
        let files = scope.spawn(|| files::check_files(&store, &named, pauses));
        check_contents(&store, cas, &waiting, request, &mut checkup)?;
        Ok::<_, CaError>(files.join().expect("it does not panic"))
    })?;
    checkup.findings.splice(first..first, files);
    checkup.findings.sort_by(|one, other| {
        let key = |finding: &StoreFinding| (finding.ca.clone(), finding.level());
        key(one).cmp(&key(other))
    });
    Ok(checkup)
}

/// Checks profiles, pending CAs and CAs.
fn check_contents(
    store: &Store,
    cas: Vec<SeenCa>,
    waiting: &[CaName],
    request: &mut CheckRequest<'_>,
    checkup: &mut Checkup,
) -> Result<(), CaError> {
    let (profiles, problems) = profiles::check_profiles(store);
    checkup.findings.extend(problems);
    let named = request.cas.clone();
    let is_chosen = |name: &CaName| named.is_empty() || named.contains(name);
    for name in waiting.iter().filter(|name| is_chosen(name)) {
        checkup.waiting += 1;
        checkup
            .findings
            .extend(authority::check_waiting(store, name));
    }
    for (name, ca) in cas.into_iter().filter(|(name, _)| is_chosen(name)) {
        checkup.cas += 1;
        match ca {
            Ok(ca) => check_ca(store, &ca, &profiles, request, checkup)?,
            Err(error) => {
                let finding = unreadable(CA_UNREADABLE, &error, store.location());
                checkup.findings.push(finding.about_named(&name));
            }
        }
    }
    Ok(())
}

fn refuse_unknown(chosen: &[CaName], cas: &[SeenCa], waiting: &[CaName]) -> Result<(), CaError> {
    let known = || cas.iter().map(|(name, _)| name).chain(waiting);
    match chosen
        .iter()
        .find(|name| !known().any(|known| known == *name))
    {
        None => Ok(()),
        Some(name) => Err(StoreError::NoSuchCa {
            name: name.clone(),
            known: known().cloned().collect(),
        }
        .into()),
    }
}

fn check_ca(
    store: &Store,
    ca: &Ca,
    profiles: &Profiles,
    request: &mut CheckRequest<'_>,
    checkup: &mut Checkup,
) -> Result<(), CaError> {
    let (within, now, pauses) = (request.within, request.now, request.pauses());
    let soon = now.checked_add(within.unwrap_or(SOON));
    let soon = soon.unwrap_or(PrimitiveDateTime::MAX.assume_utc());
    let mut found = Found::default();
    found.extend(authority::check_authority(store, ca, soon, now));
    // Reborrows for this call.
    let passphrases = request
        .passphrases
        .as_mut()
        .map(|lent| &mut **lent as &mut dyn Passphrases)
        .filter(|lent| request.asks || lent.is_given(ca.name()));
    let (own_key, problem) = keys::check_own_key(ca, passphrases)?;
    found.extend(problem);
    let mut kept = ca.leaf_key_serials().unwrap_or_default();
    kept.sort_unstable();
    let place = published_in(store);
    let crls = Crls::read(ca, &place, &mut found);
    let revocations = Revocations::survey(ca, crls.listed(), &mut found);
    found.extend(crls.check(store, &revocations, now, within, pauses));
    let standard = Standard::of(store, ca, profiles, &own_key, &kept, &revocations, now);
    let issued = standard.survey(soon, &mut found, request.progress);
    found.extend(unverifiable(ca, &issued));
    // A damaged journal does not tell what is missing.
    if issued.is_whole {
        let unknown = revocations.unknown(ca, &issued.serials);
        // A journal that has lost records may have lost those of keys, too.
        let may_heal = unknown.is_empty() && revocations.is_whole;
        found.extend(unknown);
        let unrecorded = keys::check_unrecorded(ca, &kept, &issued.serials, pauses).into_iter();
        found.extend(unrecorded.map(|finding| finding.healed_only_if(may_heal)));
    }
    journal::check_changes(ca, &mut found);
    found.extend(
        Journal::ALL
            .map(|journal| journal::check_tail(ca, journal, pauses))
            .concat(),
    );
    for (which, used) in [
        (Counter::Serial, issued.counter),
        (Counter::CrlNumber, crls.number),
    ] {
        found.extend(journal::check_counter(ca, which, used, pauses));
    }
    let expiring = check_expiring(ca, &issued, &revocations, within, &mut found);
    checkup.certificates += issued.serials.len();
    checkup.revoked += revocations.count();
    checkup.crls += usize::from(crls.is_published());
    checkup.keys += usize::from(own_key.was_opened);
    checkup.expiring += expiring;
    checkup.findings.extend(found.finish());
    Ok(())
}

/// Reports certificates refused by relying parties that compare the serial number of the issuer's certificate.
fn unverifiable(ca: &Ca, issued: &Issued) -> Option<StoreFinding> {
    let first = issued.unverifiable.first()?;
    let (name, count) = (ca.name(), issued.unverifiable.len());
    let name_one = if count == 1 {
        "certificate names"
    } else {
        "certificates name"
    };
    let message = format!(
        "{count} {name_one} an expired, revoked or missing certificate of {name} as issuer, the first with serial number {first}: OpenSSL and Java reject them"
    );
    Some(ISSUER_CERTIFICATE.broken(message).about(ca))
}

fn check_expiring(
    ca: &Ca,
    issued: &Issued,
    revocations: &Revocations,
    within: Option<Duration>,
    found: &mut Found,
) -> usize {
    let standings = &revocations.standings;
    let is_revoked = |serial| {
        standings
            .get(serial)
            .is_some_and(|standing| standing.now.is_some())
    };
    let count = issued
        .ending
        .iter()
        .filter(|serial| !is_revoked(*serial))
        .count();
    if count > 0 {
        let days = within.unwrap_or(SOON).whole_days().max(1);
        let certificates = if count == 1 {
            "certificate expires"
        } else {
            "certificates expire"
        };
        let message = format!("{count} {certificates} within {days} days");
        let remedy = Remedy::ListExpiring {
            ca: ca.name().clone(),
            days,
        };
        found.push(EXPIRING.broken(message).with_remedy(remedy).about(ca));
    }
    count
}
