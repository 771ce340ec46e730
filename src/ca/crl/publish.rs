//! Publishing: a new list, one that was signed ahead, or none where nothing is new.

use crate::ca::crl::chain::publish_pem;
use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::place::{Place, Target};
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::published::{
    holds_as_pem, read_published, read_published_at, refuse_other_pem, stage_pem,
};
use crate::ca::crl::recover::lock_lists;
use crate::ca::crl::sign::{Dating, NewList, Times, is_in_future, sign_list, this_update};
use crate::ca::error::CaError;
use crate::ca::issuance::End;
use crate::ca::issuance::{Issuer, Purpose};
use crate::ca::notice::Notice;
use crate::ca::passphrases::Passphrases;
use crate::ca::trust_store::targets::{RelyingParty, too_many_octets};
use crate::store::file::{self, Existing, Staged};
use crate::store::{Ca, FileError, Journal, LockedLists, SignedList, Store};
use crate::x509::crl::RevocationList;
use std::io::Write;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Days for which a list is valid where nothing else is said.
const DEFAULT_DAYS: u32 = 7;

/// What is wanted of a list.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// Where it is published.
    pub place: Place,
    /// When the list is to be replaced; the default is a week.
    pub end: Option<End>,
    /// Whether a list that is still good is left as it is.
    pub if_needed: bool,
    /// Rule for its thisUpdate.
    pub dating: Dating,
    /// Who reads it, where it is for somebody: its file is not larger than they take.
    pub party: Option<&'static RelyingParty>,
}

/// Where a published list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was signed now.
    Signed,
    /// It was signed ahead, and its time has come.
    SignedAhead,
    /// It was published before, and nothing is new.
    Kept,
}

/// A list that is published now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What the store knows of it.
    pub list: SignedList,
    /// Where it comes from.
    pub origin: Origin,
    /// The lists that were signed ahead and are still to come.
    pub ahead: Option<(usize, OffsetDateTime)>,
    /// Kind and path of its files.
    pub files: Vec<(&'static str, PathBuf)>,
    /// What the user wants to know.
    pub notices: Vec<Notice>,
}

/// Publishes a CA's list. One that was signed ahead and is due goes first, and needs no key; so does
/// with `if_needed` one that is published, if nothing is new and a third of its validity is left.
/// Otherwise a list is signed.
pub fn publish_list(
    store: &Store,
    ca: &Ca,
    request: &ListRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Published, CaError> {
    let place = &request.place;
    let mut notices = Vec::new();
    file::create_directories(&place.directory, place.access(ca))?;
    let recent = ca.recent_lists()?;
    let ahead = Ahead::of(ca, &recent, &ca.revocations_end()?, now);
    if matches!(ahead, Ahead::Due { .. })
        && takes_due(ca, request)?
        && let Some(mut published) =
            publish_due(lock_lists(ca, place, &mut notices)?, ca, request, now)?
    {
        published.notices.append(&mut notices);
        return Ok(published);
    }
    if request.if_needed
        && let Some((list, _)) = still_good(ca, place, &recent, now)?
    {
        stands_durably(ca, place, &[place.der(ca)])?;
        return Ok(Published {
            list,
            origin: Origin::Kept,
            ahead: None,
            files: kept_files(ca, place)?,
            notices: Vec::new(),
        });
    }
    let issuer = Issuer::open(store, ca.name(), Purpose::Lists, passphrases, now)
        .map_err(|error| ahead.explain(ca, error))?;
    let mut locked = lock_lists(ca, place, &mut notices)?;
    let Predecessor { der, targets } = Predecessor::read(ca, place, &locked)?;
    let predecessor = RevocationList::from_der(&der).ok();
    let (recent, dating) = (locked.recent(), request.dating);
    let this_update = this_update(predecessor.as_ref(), recent, dating, now, &mut notices);
    let end = request.end.unwrap_or(End::Days(DEFAULT_DAYS));
    let times = Times::resolve(ca, this_update, end, now, &mut notices)?;
    let entries = gather_entries(
        ca,
        predecessor.as_ref(),
        locked.recent(),
        locked.covers(),
        this_update,
        now,
    )?;
    let published = predecessor.as_ref().and_then(RevocationList::number);
    let number = locked.reserve_numbers(published, 1)?;
    let NewList {
        record, prepared, ..
    } = sign_list(&issuer, entries, times, number, locked.covers(), |der| {
        refuse_too_large(ca, request.party, der)?;
        Ok::<_, CaError>(stage(targets, der)?)
    })?;
    let staged = prepared?;
    locked.record(std::slice::from_ref(&record))?;
    let files = commit(ca, staged)?;
    locked.forget_ahead(..number);
    Ok(Published {
        list: record,
        origin: Origin::Signed,
        ahead: None,
        files,
        notices,
    })
}

/// What [`publish_list`] with `if_needed` would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing.
    Stands,
    /// Write the PEM file of the list that is published.
    Written,
    /// Publish another list.
    New,
}

/// Looks ahead; changes nothing.
pub fn outlook(ca: &Ca, request: &ListRequest, now: OffsetDateTime) -> Result<Outlook, CaError> {
    let place = &request.place;
    let recent = ca.recent_lists()?;
    let ahead = Ahead::of(ca, &recent, &ca.revocations_end()?, now);
    if matches!(ahead, Ahead::Due { .. }) && takes_due(ca, request)? {
        return Ok(Outlook::New);
    }
    let Some((_, der)) = still_good(ca, place, &recent, now)? else {
        return Ok(Outlook::New);
    };
    if place.wants_pem(ca)? && !holds_as_pem(&place.pem(ca), &[der]) {
        return Ok(Outlook::Written);
    }
    Ok(Outlook::Stands)
}

/// Whether a list that was signed ahead goes before a new one. Another end is asked of one that is
/// signed; where no key is here none is.
pub(crate) fn takes_due(ca: &Ca, request: &ListRequest) -> Result<bool, CaError> {
    Ok(request.end.is_none() || !ca.has_key()?)
}

/// Publishes what was signed ahead and is due now, if there is such a list.
pub(crate) fn publish_due(
    locked: LockedLists<'_>,
    ca: &Ca,
    request: &ListRequest,
    now: OffsetDateTime,
) -> Result<Option<Published>, CaError> {
    let place = &request.place;
    let Ahead::Due { list, left, until } = Ahead::of(ca, locked.recent(), locked.covers(), now)
    else {
        return Ok(None);
    };
    let predecessor = Predecessor::read(ca, place, &locked)?;
    let found = predecessor.list();
    let mut notices = Vec::new();
    let this_update = found.as_ref().map_or(now, RevocationList::this_update);
    let is_in_future = is_in_future(this_update, now);
    if is_in_future {
        notices.push(Notice::PublishedInFuture { this_update });
    }
    let published = found.as_ref().and_then(RevocationList::number);
    let is_replaced = is_in_future && request.dating == Dating::Now;
    let (list, files, origin) = if published >= Some(list.number) && !is_replaced {
        // Behind a clock that went back, one of those that are to come is out already.
        let mut recent = locked.recent().iter();
        let out = recent.find(|recent| Some(recent.number) == published);
        let list = out.cloned().unwrap_or(list);
        drop(locked);
        stands_durably(ca, place, &[place.der(ca)])?;
        (list, kept_files(ca, place)?, Origin::Kept)
    } else {
        let der = ca.list_signed_ahead(&list)?;
        ca.make_durable(Journal::Lists)?;
        let files = commit(ca, stage(predecessor.targets, &der)?)?;
        (list, files, Origin::SignedAhead)
    };
    Ok(Some(Published {
        list,
        origin,
        ahead: Some((left, until)),
        files,
        notices,
    }))
}

/// The list that is published where a new one will be.
pub(crate) struct Predecessor {
    /// Empty where there is none.
    der: Vec<u8>,
    targets: Targets,
}

/// Files that a new list is written to.
pub(crate) struct Targets {
    der: Target,
    pem: Option<Target>,
}

impl Predecessor {
    /// Refuses files that are no lists of this CA, unless they may be replaced.
    pub(crate) fn read(ca: &Ca, place: &Place, locked: &LockedLists<'_>) -> Result<Self, CaError> {
        let target = place.target(ca, place.der(ca))?;
        let found = read_published_at(ca, &target, locked.recent())?;
        if found.is_none() && !place.overwrite && file::stands(&target.file)? {
            return Err(CaError::WouldReplace {
                path: target.path,
                kind: "a list of this CA",
            });
        }
        let mut pem = None;
        if place.wants_pem(ca)? {
            let target = place.target(ca, place.pem(ca))?;
            refuse_other_pem(place, &target)?;
            pem = Some(target);
        }
        Ok(Self {
            der: found.unwrap_or_default(),
            targets: Targets { der: target, pem },
        })
    }

    pub(crate) fn list(&self) -> Option<RevocationList<'_>> {
        RevocationList::from_der(&self.der).ok()
    }
}

/// The published list, if it is still good: nothing was recorded since, and at least a third of its
/// validity is left.
pub(crate) fn still_good(
    ca: &Ca,
    place: &Place,
    recent: &[SignedList],
    now: OffsetDateTime,
) -> Result<Option<(SignedList, Vec<u8>)>, CaError> {
    if recent.first().is_none_or(|last| last.ahead) {
        return Ok(None);
    }
    let Some(der) = read_published(ca, place, recent)? else {
        return Ok(None);
    };
    let published = RevocationList::from_der(&der).expect("it was read before");
    // It need not be the last: others may have been signed for other folders.
    let mut without_news = ca.lists_without_news(now)?.into_iter();
    let on_record = without_news.find(|record| Some(record.number) == published.number());
    let good = on_record.filter(|list| {
        let third = (list.next_update - list.this_update) / 3;
        now >= list.this_update && list.next_update - now >= third
    });
    Ok(good.map(|list| (list, der)))
}

/// Makes durable what says that a published CRL is good: the process that wrote it may have been killed.
/// `files` are those of it that are as they should be.
pub(crate) fn stands_durably(ca: &Ca, place: &Place, files: &[PathBuf]) -> Result<(), CaError> {
    ca.make_durable(Journal::Revoked)?;
    ca.make_durable(Journal::Lists)?;
    let mut directories = vec![place.directory.clone()];
    for path in files {
        let file = place.target(ca, path.clone())?.file;
        let directory = file::folder_of(&file);
        if !directories.iter().any(|other| other == directory) {
            directories.push(directory.to_owned());
        }
    }
    Ok(directories
        .iter()
        .try_for_each(|directory| file::sync(directory))?)
}

/// A list that its reader would not take does not leave.
pub(crate) fn refuse_too_large(
    ca: &Ca,
    party: Option<&RelyingParty>,
    der: &[u8],
) -> Result<(), CaError> {
    let Some(party) = party else { return Ok(()) };
    match too_many_octets(party, der.len()) {
        Some((octets, most)) => Err(CaError::ListTooLarge {
            ca: ca.name().clone(),
            party: party.title,
            octets,
            most,
        }),
        None => Ok(()),
    }
}

/// The files of a list that is published already. A PEM file that is wanted and missing, or another
/// list, is written: no key is needed for it.
fn kept_files(ca: &Ca, place: &Place) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
    let mut files = vec![("der", place.der(ca))];
    if place.wants_pem(ca)? {
        files.push(("pem", publish_pem(ca, place)?));
    }
    Ok(files)
}

/// Files that are written and durable, and have no name yet: the kind and the path of each.
pub(crate) struct StagedFiles(Vec<(&'static str, PathBuf, Staged)>);

/// Writes a list's files without showing them.
fn stage(targets: Targets, der: &[u8]) -> Result<StagedFiles, FileError> {
    let Targets { der: target, pem } = targets;
    let mut staged = Staged::new(&target.file, target.access, Existing::Replace)?;
    staged.fill(|file| file.write_all(der))?;
    let mut files = vec![("der", target.path, staged)];
    if let Some(target) = pem {
        let pem = stage_pem(&target, Existing::Replace, &[der])?;
        files.push(("pem", target.path, pem));
    }
    for (_, _, file) in &mut files {
        file.sync()?;
    }
    Ok(StagedFiles(files))
}

/// Gives the files of a list that is on record their names.
pub(crate) fn commit(
    ca: &Ca,
    staged: StagedFiles,
) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
    let named = staged
        .0
        .into_iter()
        .map(|(kind, path, file)| ((kind, path), file));
    let (names, files): (Vec<_>, Vec<_>) = named.unzip();
    file::commit_all(files).map_err(|source| CaError::AfterCommit {
        what: format!("a new list of {}", ca.name()),
        remedy: "run the same command again: it signs another list, with the next number".into(),
        source: Box::new(source.into()),
    })?;
    Ok(names)
}
