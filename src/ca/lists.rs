//! Revocation lists: made of what is recorded, and published in one step.

use super::error::CaError;
use super::issuer::{Issuer, Purpose};
use super::lifetime::End;
use super::notice::Notice;
use super::passphrases::Passphrases;
use super::published::{read_published, refuse_other_files};
use crate::pem;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, LockedLists, SignedList, Store};
use crate::x509::crl::{Entry, Header, ListBuilder, RevocationList};
use crate::x509::validity::rfc3339;
use crate::x509::{Fingerprint, Serial};
use std::collections::HashSet;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Days for which a list is valid where nothing else is said.
pub const DEFAULT_DAYS: u32 = 7;

/// What is wanted of a list.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// The folder in which lists are published.
    pub directory: PathBuf,
    /// Whether a PEM file stands beside the DER.
    pub pem: bool,
    /// When the list is to be replaced; the default is a week.
    pub end: Option<End>,
    /// Whether a list that is still good is left as it is.
    pub if_needed: bool,
    /// Whether files that are no lists may be replaced.
    pub overwrite: bool,
}

/// A list that is published now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// cRLNumber.
    pub number: Option<u128>,
    /// thisUpdate.
    pub this_update: OffsetDateTime,
    /// nextUpdate.
    pub next_update: Option<OffsetDateTime>,
    /// How many entries it has.
    pub entries: usize,
    /// Whether it was signed now.
    pub signed: bool,
    /// Kind and path of the files that were written.
    pub files: Vec<(&'static str, PathBuf)>,
    /// What the user wants to know.
    pub notices: Vec<Notice>,
}

impl ListRequest {
    /// Where a CA's list is published, as DER.
    pub fn der_path(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl", ca.name()))
    }

    /// Where it is published as PEM.
    pub fn pem_path(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.crl.pem", ca.name()))
    }

    /// Whether the PEM file is written: where it is wanted, and where there is one already, which must
    /// not be left behind.
    pub(super) fn wants_pem(&self, ca: &Ca) -> bool {
        self.pem || self.pem_path(ca).exists()
    }

    /// Whether the chain's file is there already, and must not be left behind.
    pub fn has_chain(&self, ca: &Ca) -> bool {
        self.chain_path(ca).exists()
    }

    /// Where the lists of the CA and of all above it are published together.
    pub fn chain_path(&self, ca: &Ca) -> PathBuf {
        self.directory.join(format!("{}.chain.crl.pem", ca.name()))
    }
}

/// Signs and publishes a CA's list; with `if_needed` only where there is news, or less than a third of
/// the published list's validity is left. No key is opened otherwise.
pub fn publish_list(
    store: &Store,
    ca: &Ca,
    request: &ListRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Published, CaError> {
    refuse_other_files(ca, request)?;
    file::create_directories(&request.directory)?;
    if request.if_needed
        && let Some(standing) = standing_list(ca, request, now)?
    {
        return Ok(standing);
    }
    let issuer = Issuer::open(store, ca.name(), Purpose::Lists, passphrases, now)?;
    let mut locked = ca.lock_lists()?;
    let predecessor = read_published(ca, &request.der_path(ca))?;
    let predecessor = predecessor
        .as_deref()
        .map(RevocationList::from_der)
        .transpose();
    let predecessor = predecessor.expect("it was read before");
    let mut notices = Vec::new();
    let header = Times::resolve(
        ca,
        request,
        predecessor.as_ref(),
        locked.last(),
        now,
        &mut notices,
    )?;
    let made = sign_list(&issuer, &mut locked, predecessor.as_ref(), header)?;
    let files = write_files(ca, request, &made.der)?;
    Ok(Published {
        number: Some(made.record.number),
        this_update: made.record.this_update,
        next_update: Some(made.record.next_update),
        entries: made.record.entries,
        signed: true,
        files,
        notices,
    })
}

/// thisUpdate and nextUpdate.
#[derive(Clone, Copy)]
struct Times {
    this_update: OffsetDateTime,
    next_update: OffsetDateTime,
}

impl Times {
    /// thisUpdate never goes back, whatever the clock does; nextUpdate is not past the CA's end.
    fn resolve(
        ca: &Ca,
        request: &ListRequest,
        predecessor: Option<&RevocationList<'_>>,
        last: Option<&SignedList>,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, CaError> {
        let before = [
            predecessor.map(RevocationList::this_update),
            last.map(|last| last.this_update),
        ];
        let this_update = before.into_iter().flatten().fold(now, OffsetDateTime::max);
        if this_update > now {
            notices.push(Notice::ClockBehind { this_update });
        }
        let off_the_calendar = || CaError::NextUpdate {
            problem: "nextUpdate is outside the calendar".into(),
        };
        let end = ca.certificate().validity().not_after;
        let asked = match request.end {
            None => this_update.checked_add(Duration::days(DEFAULT_DAYS.into())),
            Some(End::Days(days)) => this_update.checked_add(Duration::days(days.into())),
            Some(End::At(moment)) => moment.resolve(now),
        };
        let asked = asked.ok_or_else(off_the_calendar)?;
        if asked <= this_update {
            let problem = format!(
                "nextUpdate would be {}, and thisUpdate {}",
                rfc3339(asked),
                rfc3339(this_update)
            );
            return Err(CaError::NextUpdate { problem });
        }
        if asked > end {
            notices.push(Notice::ValidityShortened { until: end });
        }
        Ok(Self {
            this_update,
            next_update: asked.min(end),
        })
    }
}

struct MadeList {
    der: Vec<u8>,
    record: SignedList,
}

/// Reserves the number, signs, proves what was signed, and records it.
fn sign_list(
    issuer: &Issuer,
    locked: &mut LockedLists<'_>,
    predecessor: Option<&RevocationList<'_>>,
    times: Times,
) -> Result<MadeList, CaError> {
    let ca = issuer.ca();
    let Times {
        this_update,
        next_update,
    } = times;
    let builder = gather_entries(ca, predecessor, this_update)?;
    let entries = builder.len();
    let number = locked.reserve_number(predecessor.and_then(RevocationList::number))?;
    let key_identifier = issuer.key_identifier();
    let issuer_name = ca.certificate().subject();
    let header = Header {
        issuer: issuer_name,
        key_identifier: &key_identifier,
        this_update,
        next_update,
        number,
    };
    let der = issuer.sign_list(builder, &header)?;
    let record = SignedList {
        number,
        this_update,
        next_update,
        entries,
        covers: locked.covers().clone(),
        sha256: Fingerprint::of(&der).to_string(),
    };
    locked.record(record.clone())?;
    Ok(MadeList { der, record })
}

/// Every certificate that is revoked, in the order of revocation. One that had expired when the
/// predecessor was made has been on a list beyond its validity, and leaves (section 3.3).
fn gather_entries(
    ca: &Ca,
    predecessor: Option<&RevocationList<'_>>,
    this_update: OffsetDateTime,
) -> Result<ListBuilder, CaError> {
    let mut builder = ListBuilder::new(ca.certificate().subject());
    let mut before = predecessor
        .map(RevocationList::entries)
        .into_iter()
        .flatten()
        .peekable();
    let mut followed = 0;
    ca.each_revoked(|serial, revoked| {
        // Both are in the order of revocation, so that one look ahead finds what is on both.
        let listed = before
            .peek()
            .is_some_and(|entry| entry.as_ref().is_ok_and(|entry| entry.is(serial)));
        if listed {
            before.next();
            followed += 1;
        }
        let has_been_listed = predecessor.is_some_and(|list| {
            // What is not on it and was recorded before it was made, left with an earlier one.
            list.this_update() > revoked.not_after
                && (listed || revoked.revoked_at < list.this_update())
        });
        if !has_been_listed {
            builder.push(&Entry {
                serial,
                revoked_at: revoked.revoked_at.min(this_update),
                reason: revoked.reason,
                invalidity_date: revoked.invalidity_date,
            });
        }
    })?;
    if before.next().is_some() {
        refuse_to_shrink(ca, predecessor)?;
    }
    Ok(builder)
}

/// Whoever holds the predecessor knows of revocations; none of them may be forgotten but by release.
fn refuse_to_shrink(ca: &Ca, predecessor: Option<&RevocationList<'_>>) -> Result<(), CaError> {
    let known: HashSet<Serial> = ca.ever_revoked()?;
    let mut lost = Vec::new();
    for entry in predecessor
        .map(RevocationList::entries)
        .into_iter()
        .flatten()
    {
        match entry.ok().and_then(|entry| entry.serial()) {
            Some(serial) if !known.contains(&serial) => lost.push(serial),
            _ => {}
        }
    }
    if lost.is_empty() {
        Ok(())
    } else {
        Err(CaError::ListWouldShrink {
            ca: ca.name().clone(),
            serials: lost,
        })
    }
}

/// The published list, if it is still good: nothing was recorded since, and at least a third of its
/// validity is left. A PEM file that is wanted and missing is written, for which no key is needed.
fn standing_list(
    ca: &Ca,
    request: &ListRequest,
    now: OffsetDateTime,
) -> Result<Option<Published>, CaError> {
    let path = request.der_path(ca);
    let (Some(der), Some(last)) = (read_published(ca, &path)?, ca.last_list()?) else {
        return Ok(None);
    };
    let third = (last.next_update - last.this_update) / 3;
    let is_last = Fingerprint::of(&der).to_string() == last.sha256;
    let has_news = ca.revocations_end()? != last.covers;
    if !is_last || has_news || now < last.this_update || last.next_update - now < third {
        return Ok(None);
    }
    let mut files = vec![("der", path)];
    let pem_path = request.pem_path(ca);
    if request.wants_pem(ca) {
        let text = pem::encode("X509 CRL", &der);
        if std::fs::read(&pem_path).ok().as_deref() != Some(text.as_bytes()) {
            file::write(&pem_path, Access::Umask, Existing::Replace, text.as_bytes())?;
        }
        files.push(("pem", pem_path));
    }
    Ok(Some(Published {
        number: Some(last.number),
        this_update: last.this_update,
        next_update: Some(last.next_update),
        entries: last.entries,
        signed: false,
        files,
        notices: Vec::new(),
    }))
}

fn write_files(
    ca: &Ca,
    request: &ListRequest,
    der: &[u8],
) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
    let write = || -> Result<Vec<(&'static str, PathBuf)>, CaError> {
        let path = request.der_path(ca);
        file::write(&path, Access::Umask, Existing::Replace, der)?;
        let mut files = vec![("der", path)];
        if request.wants_pem(ca) {
            let path = request.pem_path(ca);
            let text = pem::encode("X509 CRL", der);
            file::write(&path, Access::Umask, Existing::Replace, text.as_bytes())?;
            files.push(("pem", path));
        }
        Ok(files)
    };
    write().map_err(|source| CaError::AfterCommit {
        what: format!("a new list of {}", ca.name()),
        remedy: "run the same command again: it signs another list, with the next number".into(),
        source: Box::new(source),
    })
}
