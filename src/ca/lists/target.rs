//! Lists for a relying party: what it would find wrong with those that are about to be published, or
//! that are.

use super::super::error::CaError;
use super::super::preflight::{
    BundleFinding, JudgedList, ListForm, RelyingParty, judge_lists, missing_list,
};
use super::ahead::Ahead;
use super::entries::gather_entries;
use super::place::Place;
use super::publish::{ListRequest, still_good};
use super::published::read_published;
use crate::store::{Ca, Store, file};
use crate::x509::crl::RevocationList;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// What a party would find wrong with lists, and which more it takes.
pub struct Preview {
    /// What breaks a rule, errors first.
    pub findings: Vec<BundleFinding>,
    /// CAs above the chosen ones whose lists are needed and are not there, or have ended: they can be
    /// signed here.
    pub also: Vec<Ca>,
}

/// Looks at lists before any of them is signed; needs no key. `ahead` is whether lists are signed for
/// the time to come.
pub fn preview_lists(
    store: &Store,
    chosen: &[Ca],
    request: &ListRequest,
    party: &RelyingParty,
    ahead: bool,
    now: OffsetDateTime,
) -> Result<Preview, CaError> {
    let mut judged = Vec::new();
    let mut findings = Vec::new();
    let mut also = Vec::new();
    if party.lists.form == ListForm::None {
        return Ok(Preview {
            findings: judge_lists(&judged, party, now),
            also,
        });
    }
    for ca in chosen {
        judged.push(foresee(store, ca, request, ahead, now)?);
    }
    for above in others_above(store, chosen, party)? {
        let list = published(store, &above, &request.place)?;
        let is_good = |list: &JudgedList| list.is_outside(now).is_none();
        if !list.as_ref().is_some_and(is_good) && can_publish(&above)? {
            judged.push(foresee(store, &above, request, false, now)?);
            also.push(above);
        } else if let Some(list) = list {
            judged.push(list);
        } else {
            let path = request.place.der(&above);
            findings.push(missing(&above, &path));
        }
    }
    findings.extend(judge_lists(&judged, party, now));
    Ok(Preview { findings, also })
}

/// Looks at lists that are published, and at the files that the party reads.
pub fn judge_published(
    store: &Store,
    chosen: &[Ca],
    place: &Place,
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Result<Vec<BundleFinding>, CaError> {
    let mut judged = Vec::new();
    let mut findings = Vec::new();
    let others = others_above(store, chosen, party)?;
    for ca in chosen.iter().chain(&others) {
        match published(store, ca, place)? {
            Some(list) => judged.push(list),
            None => findings.push(missing(ca, &place.der(ca))),
        }
    }
    for (ca, path) in files_read(store, chosen, &others, place, party)? {
        if !file::stands(&path)? && file::stands(&place.der(ca))? {
            findings.push(missing(ca, &path));
        }
    }
    findings.extend(judge_lists(&judged, party, now));
    findings.sort_by_key(|finding| finding.level);
    Ok(findings)
}

/// The CAs above the chosen ones, where the party needs their lists too.
fn others_above(store: &Store, chosen: &[Ca], party: &RelyingParty) -> Result<Vec<Ca>, CaError> {
    let mut others: Vec<Ca> = Vec::new();
    if party.lists.form.is_of_path() {
        for ca in chosen {
            for above in store.ancestors(ca)? {
                let mut known = chosen.iter().chain(&others);
                if known.all(|known| known.name() != above.name()) {
                    others.push(above);
                }
            }
        }
    }
    Ok(others)
}

/// Whether a list of the CA can be had here: signed, or taken from those that were signed ahead.
fn can_publish(ca: &Ca) -> Result<bool, CaError> {
    let ahead = ca.recent_lists()?.first().is_some_and(|list| list.ahead);
    Ok(ca.has_key()? || ahead)
}

fn missing(ca: &Ca, path: &Path) -> BundleFinding {
    missing_list(format!(
        "there is no list of {} at {}",
        ca.name(),
        path.display()
    ))
}

/// The files that the party reads, beside the DER: chains of the CAs that are above no other.
fn files_read<'a>(
    store: &Store,
    chosen: &'a [Ca],
    others: &'a [Ca],
    place: &Place,
    party: &RelyingParty,
) -> Result<Vec<(&'a Ca, PathBuf)>, CaError> {
    Ok(match party.lists.form {
        ListForm::None | ListForm::Der => Vec::new(),
        ListForm::Pem | ListForm::PemOfPath => {
            let all = chosen.iter().chain(others);
            all.map(|ca| (ca, place.pem(ca))).collect()
        }
        ListForm::Chain => {
            let lowest = above_no_other(store, chosen)?.into_iter();
            lowest.map(|ca| (ca, place.chain(ca))).collect()
        }
    })
}

/// Those of the CAs that are above no other of them.
pub fn above_no_other<'a>(store: &Store, cas: &'a [Ca]) -> Result<Vec<&'a Ca>, CaError> {
    let mut above = Vec::new();
    for ca in cas {
        above.extend(store.ancestors(ca)?);
    }
    let is_above = |ca: &&Ca| above.iter().any(|above| above.name() == ca.name());
    Ok(cas.iter().filter(|ca| !is_above(ca)).collect())
}

/// What will be published of a CA.
fn foresee(
    store: &Store,
    ca: &Ca,
    request: &ListRequest,
    signs_ahead: bool,
    now: OffsetDateTime,
) -> Result<JudgedList, CaError> {
    let place = &request.place;
    let recent = ca.recent_lists()?;
    let covers = ca.revocations_end()?;
    if !signs_ahead {
        let ahead = Ahead::of(&recent, &covers, now);
        if let (Ahead::Due { list, .. }, None) = (&ahead, request.end) {
            return read(store, ca, &ca.list_signed_ahead(list)?);
        }
        if request.if_needed
            && let Some((_, der)) = still_good(ca, place, &recent, now)?
        {
            return read(store, ca, &der);
        }
    }
    let predecessor = read_published(ca, &place.der(ca), &recent)?.unwrap_or_default();
    let predecessor = RevocationList::from_der(&predecessor).ok();
    let entries = gather_entries(ca, predecessor.as_ref(), &recent, &covers, now)?;
    let list = JudgedList::to_be_signed(
        called(ca),
        ca.certificate(),
        entries.len(),
        entries.least_octets(),
    );
    Ok(list.of(ca.certificate(), path_of(store, ca)?))
}

/// The list that is published of a CA, if there is one.
fn published(store: &Store, ca: &Ca, place: &Place) -> Result<Option<JudgedList>, CaError> {
    let der = read_published(ca, &place.der(ca), &ca.recent_lists()?)?;
    der.map(|der| read(store, ca, &der)).transpose()
}

fn read(store: &Store, ca: &Ca, der: &[u8]) -> Result<JudgedList, CaError> {
    let list = RevocationList::from_der(der).expect("it was read before");
    Ok(JudgedList::read(called(ca), &list).of(ca.certificate(), path_of(store, ca)?))
}

fn called(ca: &Ca) -> String {
    format!("the list of {}", ca.name())
}

/// How many CAs are on the path from this one to its root.
fn path_of(store: &Store, ca: &Ca) -> Result<usize, CaError> {
    Ok(store.ancestors(ca)?.len() + 1)
}
