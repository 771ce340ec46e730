//! Revocation lists: made of what is recorded, and published in one step.

use super::error::{CaError, InputError};
use super::foreign::Input;
use super::issuer::{Issuer, Purpose};
use super::lifetime::End;
use super::notice::Notice;
use super::passphrases::Passphrases;
use crate::pem;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, LockedLists, SignedList, Store};
use crate::x509::crl::{Entry, Header, ListBuilder, RevocationList};
use crate::x509::validity::rfc3339;
use crate::x509::{Fingerprint, Serial};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
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
        let off_the_calendar = || CaError::Validity {
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
            return Err(CaError::Validity { problem });
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
/// predecessor was made and is on it has been on a list beyond its validity, and leaves (section 3.3).
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
        let expired = predecessor.is_some_and(|list| list.this_update() > revoked.not_after);
        if !(listed && expired) {
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
    if request.pem {
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
        file::create_directories(&request.directory)?;
        let path = request.der_path(ca);
        file::write(&path, Access::Umask, Existing::Replace, der)?;
        let mut files = vec![("der", path)];
        if request.pem {
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

/// What is published at a path, if it is a list of this CA, signed with its key.
pub fn read_published(ca: &Ca, path: &Path) -> Result<Option<Vec<u8>>, CaError> {
    let der = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Input::read(path)?.into_content(),
        _ => return Ok(None),
    };
    let is_ours = RevocationList::from_der(&der).is_ok_and(|list| {
        list.issuer() == ca.certificate().subject()
            && list.verify_signature(ca.certificate().public_key()).is_ok()
    });
    Ok(is_ours.then_some(der))
}

/// A file that is no list of this CA is not replaced unasked.
fn refuse_other_files(ca: &Ca, request: &ListRequest) -> Result<(), CaError> {
    if request.overwrite {
        return Ok(());
    }
    let der_path = request.der_path(ca);
    if std::fs::symlink_metadata(&der_path).is_ok() && read_published(ca, &der_path)?.is_none() {
        return Err(CaError::WouldReplace {
            path: der_path,
            kind: "a list of this CA",
        });
    }
    let pem_path = request.pem_path(ca);
    if request.pem && std::fs::symlink_metadata(&pem_path).is_ok() && !holds_only_lists(&pem_path) {
        return Err(CaError::WouldReplace {
            path: pem_path,
            kind: "a list",
        });
    }
    Ok(())
}

/// Whether a file is made of PEM lists alone.
fn holds_only_lists(path: &Path) -> bool {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let objects = if is_file {
        Input::read(path).and_then(|input| input.objects()).ok()
    } else {
        None
    };
    objects.is_some_and(|objects| {
        !objects.is_empty() && objects.iter().all(|object| object.label == "X509 CRL")
    })
}

/// Publishes the lists of a CA and of all above it in one PEM file: what servers want that check the
/// whole path.
pub fn publish_chain(store: &Store, ca: &Ca, request: &ListRequest) -> Result<PathBuf, CaError> {
    let mut text = String::new();
    for member in std::iter::once(ca.clone()).chain(store.ancestors(ca)?) {
        let path = request.der_path(&member);
        let der = read_published(&member, &path)?.ok_or_else(|| CaError::NoPublishedList {
            ca: member.name().clone(),
            path,
        })?;
        text.push_str(&pem::encode("X509 CRL", &der));
    }
    let path = request.chain_path(ca);
    if !request.overwrite && std::fs::symlink_metadata(&path).is_ok() && !holds_only_lists(&path) {
        return Err(CaError::WouldReplace {
            path,
            kind: "a list",
        });
    }
    file::write(&path, Access::Umask, Existing::Replace, text.as_bytes())?;
    Ok(path)
}

/// How a CA's published list stands, for monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It is good.
    Fresh,
    /// There is none, or what is there is none of this CA's.
    Missing,
    /// Its nextUpdate has passed, or it has none.
    Stale,
    /// It ends within the time that was asked about.
    EndsSoon,
    /// Something was revoked or released since it was made.
    Outdated,
}

/// Looks at a CA's published list; needs no key.
pub fn check_list(
    ca: &Ca,
    request: &ListRequest,
    within: Duration,
    now: OffsetDateTime,
) -> Result<(Freshness, Option<OffsetDateTime>), CaError> {
    let Some(der) = read_published(ca, &request.der_path(ca))? else {
        return Ok((Freshness::Missing, None));
    };
    let list = RevocationList::from_der(&der).expect("it was read before");
    let Some(next_update) = list.next_update() else {
        return Ok((Freshness::Stale, None));
    };
    let last = ca.last_list()?;
    let outdated = match last {
        Some(last) => last.covers != ca.revocations_end()? || list.number() != Some(last.number),
        None => true,
    };
    let freshness = if now > next_update {
        Freshness::Stale
    } else if next_update - now < within {
        Freshness::EndsSoon
    } else if outdated {
        Freshness::Outdated
    } else {
        Freshness::Fresh
    };
    Ok((freshness, Some(next_update)))
}

/// The one list in a file, PEM or DER, made by anyone: its DER, untouched.
pub fn foreign_list(input: &Input) -> Result<Vec<u8>, CaError> {
    let wrong = |source: InputError| CaError::Input {
        path: input.path().to_owned(),
        expected: "a certificate revocation list",
        source,
    };
    let objects = input.objects()?;
    let [object] = objects.as_slice() else {
        return Err(wrong(InputError::Other(format!(
            "it holds {} objects",
            objects.len()
        ))));
    };
    if object.label != "X509 CRL" {
        return Err(wrong(InputError::Other(format!(
            "it holds {:?}",
            object.label
        ))));
    }
    let list = RevocationList::from_der(&object.der).map_err(|error| wrong(error.into()))?;
    for entry in list.entries() {
        entry.map_err(|error| wrong(error.into()))?;
    }
    Ok(object.der.to_vec())
}

/// Writes a list in the place of nothing, of another list, or with `overwrite` of any file.
pub fn write_foreign_list(path: &Path, content: &[u8], overwrite: bool) -> Result<(), CaError> {
    let is_list = || {
        Input::read(path)
            .and_then(|input| foreign_list(&input))
            .is_ok()
    };
    let found = std::fs::symlink_metadata(path);
    if found.is_ok_and(|found| !found.is_file() || !(overwrite || is_list())) {
        return Err(CaError::WouldReplace {
            path: path.to_owned(),
            kind: "a list",
        });
    }
    Ok(file::write(
        path,
        Access::Umask,
        Existing::Replace,
        content,
    )?)
}
