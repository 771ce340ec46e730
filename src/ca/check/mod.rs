//! The whole store looked at: files, keys, journals, counters, certificates, lists. Nothing is changed
//! and no lock is taken; what may be damaged does not hinder from looking at the rest.
//!
//! Others may be at work meanwhile. Whatever one file says of another is read in the order in which
//! commands write: a revocation is read before what was issued, a journal before its counter, a list
//! before its record. What is left of doubt is looked at again.

mod authority;
mod crls;
mod files;
mod finding;
mod issued;
mod journal;
mod keys;
mod repair;
mod revoked;
mod rule;

pub use finding::StoreFinding;
pub use repair::{Repair, Repaired, repair};

use crate::ca::crl::Place;
use crate::ca::error::CaError;
use crate::ca::finding::Level;
use crate::ca::passphrases::Passphrases;
use crate::ca::remedy::Remedy;
use crate::store::{Ca, CaName, Counter, Journal, Observer, SeenCa, Store, StoreError};
use crls::Lists;
use finding::{Found, SHORT, unreadable};
use issued::{Issued, Standard};
use revoked::Revocations;
use rule::{CA_UNREADABLE, EXPIRING, ISSUER_CERTIFICATE, STORE_FORMAT};
use std::path::Path;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// How long before its end a CA's certificate is told to end soon.
const SOON: Duration = Duration::days(30);

/// What is wanted of a check.
pub struct CheckRequest<'a> {
    /// The CAs; all of the store where there is none.
    pub cas: Vec<CaName>,
    /// What ends within this time is told; where it is not given, CAs and certificates that end within
    /// 30 days, and lists in the last third of their time.
    pub within: Option<Duration>,
    /// Passphrases that open keys.
    pub passphrases: Option<&'a mut dyn Passphrases>,
    /// Whether passphrases that are not given are asked for; if not, those keys stay closed.
    pub asks: bool,
    /// Whether what may be another process's work in progress is looked at again before it is told.
    pub is_patient: bool,
    /// The time.
    pub now: OffsetDateTime,
    /// Is told how many octets of journals were read, as they are.
    pub progress: &'a dyn Fn(u64),
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

/// What a check came to.
#[derive(Default)]
pub struct Checkup {
    /// What was found, by CA.
    pub findings: Vec<StoreFinding>,
    /// The CAs.
    pub cas: usize,
    /// Those that wait for their certificates.
    pub waiting: usize,
    /// The certificates on record.
    pub certificates: usize,
    /// Those that are revoked.
    pub revoked: usize,
    /// The CAs of which a list is published.
    pub lists: usize,
    /// The CAs whose own keys were opened.
    pub keys: usize,
    /// The certificates of leaves that end within the time, and are not revoked.
    pub expiring: usize,
}

impl Checkup {
    /// How many findings there are of a level.
    pub fn count(&self, level: Level) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.level() == level).count()
    }

    /// Whether nothing is wrong; what is only to be known is nothing wrong.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.level() == Level::Notice)
    }
}

/// How many octets a check of these CAs reads, to tell how far it is.
pub fn octets_to_check(path: &Path, observer: Observer) -> u64 {
    let Ok((store, _)) = Store::look(path, observer) else {
        return 0;
    };
    let cas = store.look_at_cas().unwrap_or_default();
    let opened = cas.iter().filter_map(|(_, ca)| ca.as_ref().ok());
    opened.map(|ca| ca.journal_bytes(Journal::Issued)).sum()
}

/// Looks at the store in a folder.
pub fn check(
    path: &Path,
    observer: Observer,
    request: &mut CheckRequest<'_>,
) -> Result<Checkup, CaError> {
    let (store, problem) = Store::look(path, observer)?;
    let mut checkup = Checkup::default();
    let format = problem.map(|problem| unreadable(STORE_FORMAT, &problem, &store.format_path()));
    checkup.findings.extend(format);
    let pauses = request.pauses();
    let cas = store.look_at_cas()?;
    let waiting = store.pending_names()?;
    refuse_unknown(&request.cas, &cas, &waiting)?;
    checkup
        .findings
        .extend(files::check_files(&store, &request.cas, pauses));
    let is_chosen = |name: &CaName| request.cas.is_empty() || request.cas.contains(name);
    let chosen: Vec<_> = cas
        .into_iter()
        .filter(|(name, _)| is_chosen(name))
        .collect();
    for name in waiting.iter().filter(|name| is_chosen(name)) {
        checkup.waiting += 1;
        checkup
            .findings
            .extend(authority::check_waiting(&store, name));
    }
    for (name, ca) in chosen {
        checkup.cas += 1;
        match ca {
            Ok(ca) => check_ca(&store, &ca, request, &mut checkup)?,
            Err(error) => {
                let finding = unreadable(CA_UNREADABLE, &error, store.path());
                checkup.findings.push(finding.about_named(&name));
            }
        }
    }
    checkup.findings.sort_by(|one, other| {
        let key = |finding: &StoreFinding| (finding.ca.clone(), finding.level());
        key(one).cmp(&key(other))
    });
    Ok(checkup)
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
    request: &mut CheckRequest<'_>,
    checkup: &mut Checkup,
) -> Result<(), CaError> {
    let (within, now, pauses) = (request.within, request.now, request.pauses());
    let soon = now.checked_add(within.unwrap_or(SOON));
    let soon = soon.unwrap_or(PrimitiveDateTime::MAX.assume_utc());
    let mut found = Found::default();
    found.extend(authority::check_authority(store, ca, soon, now));
    // The lifetime of what is lent ends with this call.
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
    let lists = Lists::read(ca, &place, &mut found);
    let revocations = Revocations::survey(ca, lists.listed(), &mut found);
    found.extend(lists.check(store, &revocations, now, within, pauses));
    let standard = Standard::of(store, ca, &own_key, &kept, &revocations, now);
    let issued = standard.survey(soon, &mut found, request.progress);
    found.extend(unverifiable(ca, &issued));
    // Of a journal that is damaged nothing can be said to be missing.
    if issued.is_whole {
        let unknown = revocations.unknown(ca, &issued.serials);
        // A journal that has lost records may have lost those of keys, too.
        let may_heal = unknown.is_empty() && revocations.is_whole;
        found.extend(unknown);
        let unrecorded = keys::check_unrecorded(ca, &kept, &issued.serials, pauses).into_iter();
        found.extend(unrecorded.map(|finding| finding.healed_only_if(may_heal)));
    }
    found.extend(
        Journal::ALL
            .map(|journal| journal::check_tail(ca, journal, pauses))
            .concat(),
    );
    for (which, used) in [
        (Counter::Serial, issued.counter),
        (Counter::CrlNumber, lists.number),
    ] {
        found.extend(journal::check_counter(ca, which, used, pauses));
    }
    let expiring = check_expiring(ca, &issued, &revocations, within, &mut found);
    checkup.certificates += issued.serials.len();
    checkup.revoked += revocations.count();
    checkup.lists += usize::from(lists.is_published());
    checkup.keys += usize::from(own_key.was_opened);
    checkup.expiring += expiring;
    checkup.findings.extend(found.finish());
    Ok(())
}

/// What relying parties refuse that compare the serial number of the issuer's certificate.
fn unverifiable(ca: &Ca, issued: &Issued) -> Option<StoreFinding> {
    let first = issued.unverifiable.first()?;
    let (name, count) = (ca.name(), issued.unverifiable.len());
    let name_one = if count == 1 {
        "certificate names"
    } else {
        "certificates name"
    };
    let message = format!(
        "{count} {name_one} as the issuer a certificate of {name} that is expired, revoked or not in the store, the first with serial number {first}: OpenSSL and Java refuse them"
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
            "certificate ends"
        } else {
            "certificates end"
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
