//! Lists that are signed ahead of their time, so that a CA's key can stay away: for roots that are
//! offline.
//!
//! All of them say what is revoked when they are signed. They are void as soon as anything else is
//! recorded; the store knows, because each list notes how much of the journal it covers.

use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::publish::{
    ListRequest, Origin, Predecessor, Published, publish_due, refuse_too_large,
};
use crate::ca::crl::recover::lock_lists;
use crate::ca::crl::sign::{Times, sign_list, this_update};
use crate::ca::error::CaError;
use crate::ca::issuance::End;
use crate::ca::issuance::{Issuer, Purpose};
use crate::ca::notice::Notice;
use crate::ca::passphrases::Passphrases;
use crate::store::file;
use crate::store::{Ca, Coverage, LockedLists, SignedList, Store, StoreError};
use crate::x509::crl::RevocationList;
use crate::x509::validity::{Moment, rfc3339};
use time::{Duration, OffsetDateTime};

/// How many lists are signed ahead, and how far apart they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AheadRequest {
    /// How many, the one that begins now included.
    pub count: u32,
    /// From the thisUpdate of one to that of the next.
    pub every: Duration,
}

/// How the lists stand that a CA signed ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// There are none, or a list was signed since.
    None,
    /// One is due.
    Due {
        /// The one.
        list: SignedList,
        /// How many are to come after it.
        left: usize,
        /// When the last of them ends.
        until: OffsetDateTime,
    },
    /// What was recorded since makes them void, or may have been before the CA was restored.
    Void {
        /// How many there are.
        count: usize,
    },
    /// The last has ended, or the clock is behind the first.
    OutOfTime {
        /// When the last of them ends.
        until: OffsetDateTime,
    },
}

impl Ahead {
    /// Looks at a CA's recent lists, newest first, with the end of its revocations. What was signed before
    /// the CA came back from a backup may lack what was recorded before it was lost.
    pub fn of(ca: &Ca, recent: &[SignedList], covers: &Coverage, now: OffsetDateTime) -> Self {
        let ahead = signed_together(recent);
        let Some(last) = ahead.first() else {
            return Self::None;
        };
        if last.covers != *covers || ca.signed_before_restore(last) {
            return Self::Void { count: ahead.len() };
        }
        let until = last.next_update;
        let begun = ahead.iter().position(|list| list.this_update <= now);
        match begun {
            Some(left) if now <= ahead[left].next_update => Self::Due {
                list: ahead[left].clone(),
                left,
                until,
            },
            _ => Self::OutOfTime { until },
        }
    }

    /// Where a key can't be had, what was signed ahead was to make up for it: that is the first thing
    /// to say.
    pub(crate) fn explain(&self, ca: &Ca, error: CaError) -> CaError {
        let (ca, source) = (ca.name().clone(), Box::new(error));
        match *self {
            Self::None | Self::Due { .. } => *source,
            Self::Void { count } => CaError::AheadVoid { ca, count, source },
            Self::OutOfTime { until } => CaError::AheadOver { ca, until, source },
        }
    }
}

/// The lists that were signed ahead in the last go, newest first: those before them are gone.
fn signed_together(recent: &[SignedList]) -> Vec<&SignedList> {
    let mut together: Vec<&SignedList> = Vec::new();
    for list in recent.iter().take_while(|list| list.ahead) {
        let belongs = together.last().is_none_or(|next| match next.ahead_from {
            Some(first) => list.number >= first,
            // On record they are all alike; but each begins before the next.
            None => list.ahead_from.is_none() && list.this_update < next.this_update,
        });
        if !belongs {
            break;
        }
        together.push(list);
    }
    together
}

/// Signs a CA's next lists in one go, keeps them in the store, and publishes the first. Each begins
/// when it is due, and ends after the next one has begun.
pub fn sign_ahead(
    store: &Store,
    ca: &Ca,
    request: &ListRequest,
    ahead: AheadRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Published, CaError> {
    let place = &request.place;
    file::create_directories(&place.directory, place.access(ca))?;
    let issuer = Issuer::open(store, ca.name(), Purpose::Lists, passphrases, now)?;
    let mut notices = Vec::new();
    let mut locked = lock_lists(ca, place, &mut notices)?;
    let predecessor = Predecessor::read(ca, place, &locked)?;
    let predecessor = predecessor.list();
    let (recent, dating) = (locked.recent(), request.dating);
    let begin = this_update(predecessor.as_ref(), recent, dating, now, &mut notices);
    let windows = windows(ca, begin, request.end, ahead, &mut notices)?;
    let covers = locked.covers().clone();
    let recent = locked.recent();
    let entries = gather_entries(ca, predecessor.as_ref(), recent, &covers, begin, now)?;
    let published = predecessor.as_ref().and_then(RevocationList::number);
    let first = locked.reserve_numbers(published, windows.len())?;
    let keep = |locked: &mut LockedLists<'_>| -> Result<usize, CaError> {
        let mut records = Vec::with_capacity(windows.len());
        for (number, times) in (first..).zip(&windows) {
            let list = sign_list(&issuer, entries.clone(), *times, number, &covers, |_| ())?;
            refuse_too_large(ca, request.party, &list.der)?;
            locked.store_ahead(number, &list.der)?;
            records.push(SignedList {
                ahead: true,
                ahead_from: Some(first),
                ..list.record
            });
        }
        locked.record(&records)?;
        Ok(records.len())
    };
    let count = match keep(&mut locked) {
        Ok(count) => count,
        // They may be on record.
        Err(error @ CaError::Store(StoreError::Undecided { .. })) => return Err(error),
        Err(error) => {
            locked.forget_ahead(first..);
            return Err(error);
        }
    };
    locked.forget_ahead(..first);
    let published =
        publish_due(locked, ca, request, begin).map_err(|source| CaError::AfterCommit {
            what: format!("{count} lists of {}", ca.name()),
            remedy: format!("`pki crl --ca {}` publishes the one that is due", ca.name()),
            source: Box::new(source),
        })?;
    Ok(Published {
        origin: Origin::Signed,
        notices,
        ..published.expect("the first begins now")
    })
}

/// The times of every list: as many as were asked for, or as the CA's own validity has room for.
fn windows(
    ca: &Ca,
    begin: OffsetDateTime,
    end: Option<End>,
    ahead: AheadRequest,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Times>, CaError> {
    let problem = |problem: String| CaError::NextUpdate { problem };
    // The default leaves whoever publishes them a third of the interval to be late.
    let end = end.unwrap_or(End::At(Moment::FromNow(ahead.every + ahead.every / 3)));
    let last = ca.certificate().validity().not_after;
    let mut windows = Vec::new();
    let mut this_update = begin;
    let mut ignored = Vec::new();
    for _ in 0..ahead.count {
        if this_update >= last {
            break;
        }
        let times = Times::resolve(ca, this_update, end, this_update, &mut ignored)?;
        let next = this_update
            .checked_add(ahead.every)
            .ok_or_else(|| problem("a list would begin outside the calendar".into()))?;
        if times.next_update <= next && times.next_update < last {
            return Err(problem(format!(
                "a list would end at {}, and the next one begins at {}",
                rfc3339(times.next_update),
                rfc3339(next)
            )));
        }
        windows.push(times);
        this_update = next;
    }
    if windows.is_empty() {
        let (begin, last) = (rfc3339(begin), rfc3339(last));
        return Err(problem(format!(
            "the first list would begin at {begin}, and the CA ends at {last}"
        )));
    }
    if windows.len() < ahead.count as usize {
        notices.push(Notice::FewerAhead {
            count: windows.len(),
            until: last,
        });
    }
    Ok(windows)
}
