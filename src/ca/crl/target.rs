//! Lists for a relying party: what it would find wrong with those that are about to be published, or
//! that are.

use crate::ca::crl::entries::gather_entries;
use crate::ca::crl::place::Place;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::publish::{ListRequest, still_good, takes_due};
use crate::ca::crl::published::read_published;
use crate::ca::error::CaError;
use crate::ca::trust_store::targets::{
    BundleFinding, JudgedList, Level, ListForm, RelyingParty, judge_lists, missing_list,
    outdated_list,
};
use crate::store::{Ca, Store, file};
use crate::x509::crl::RevocationList;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// What a party would find wrong with lists, and which more it takes.
pub struct Preview {
    /// What breaks a rule, errors first.
    pub findings: Vec<BundleFinding>,
    /// CAs above the chosen ones whose lists are needed and are not there, or are no longer good: new
    /// ones can be published here.
    pub also: Vec<Ca>,
}

/// Looks at lists before any of them is signed; needs no key. `ahead` is whether lists of the chosen CAs
/// are signed for the time to come.
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
        if ahead || can_publish(ca, now)? {
            judged.push(foresee(store, ca, request, ahead, now)?);
        } else {
            let (list, stuck) = what_stays(store, ca, &request.place, now)?;
            judged.extend(list);
            findings.extend(stuck);
        }
    }
    for above in others_above(store, chosen, party)? {
        if is_good(&above, &request.place, now)? {
            judged.extend(published(store, &above, &request.place)?);
        } else if can_publish(&above, now)? {
            judged.push(foresee(store, &above, request, false, now)?);
            also.push(above);
        } else {
            let (list, stuck) = what_stays(store, &above, &request.place, now)?;
            judged.extend(list);
            findings.extend(stuck);
        }
    }
    findings.extend(judge_lists(&judged, party, now));
    findings.sort_by_key(|finding| finding.level);
    Ok(Preview { findings, also })
}

/// Looks at lists that are published, and at the files that the party reads; `cas` are those that
/// [`cas_read`] gives for the chosen ones.
pub fn judge_published(
    store: &Store,
    chosen: &[Ca],
    cas: &[Ca],
    place: &Place,
    party: &RelyingParty,
    now: OffsetDateTime,
) -> Result<Vec<BundleFinding>, CaError> {
    let mut judged = Vec::new();
    let mut findings = Vec::new();
    for ca in cas {
        match published(store, ca, place)? {
            Some(list) => judged.push(list),
            None => findings.push(missing(ca, &place.der(ca))),
        }
    }
    for (ca, path) in files_read(store, chosen, cas, place, party)? {
        if !file::stands(&path)? && file::stands(&place.der(ca))? {
            findings.push(missing(ca, &path));
        }
    }
    findings.extend(judge_lists(&judged, party, now));
    findings.sort_by_key(|finding| finding.level);
    Ok(findings)
}

/// The chosen CAs, and those above them where the party needs their lists too.
pub fn cas_read(
    store: &Store,
    chosen: Vec<Ca>,
    party: Option<&RelyingParty>,
) -> Result<Vec<Ca>, CaError> {
    let above = match party {
        Some(party) => others_above(store, &chosen, party)?,
        None => Vec::new(),
    };
    Ok(chosen.into_iter().chain(above).collect())
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

/// Whether a new list of the CA can be had here: signed, or taken from those that were signed ahead.
fn can_publish(ca: &Ca, now: OffsetDateTime) -> Result<bool, CaError> {
    let ahead = Ahead::of(ca, &ca.recent_lists()?, &ca.revocations_end()?, now);
    Ok(ca.has_key()? || matches!(ahead, Ahead::Due { .. }))
}

/// Whether the published list of a CA needs none in its place: by the measure of `--if-needed`, or it is
/// the one of those that were signed ahead that is due.
fn is_good(ca: &Ca, place: &Place, now: OffsetDateTime) -> Result<bool, CaError> {
    let recent = ca.recent_lists()?;
    if let Ahead::Due { list, .. } = Ahead::of(ca, &recent, &ca.revocations_end()?, now) {
        let der = read_published(ca, place, &recent)?.unwrap_or_default();
        let published = RevocationList::from_der(&der).ok();
        return Ok(published.and_then(|list| list.number()) >= Some(list.number));
    }
    Ok(still_good(ca, place, &recent, now)?.is_some())
}

/// The list of a CA of which no other can be had here, and what is to be said of that.
fn what_stays(
    store: &Store,
    ca: &Ca,
    place: &Place,
    now: OffsetDateTime,
) -> Result<(Option<JudgedList>, Option<BundleFinding>), CaError> {
    let recent = ca.recent_lists()?;
    let Some(der) = read_published(ca, place, &recent)? else {
        return Ok((None, Some(missing(ca, &place.der(ca)))));
    };
    let judged = read(store, ca, &der)?;
    // That it is outside of its time is found without this.
    if judged.is_outside(now).is_some() {
        return Ok((Some(judged), None));
    }
    let list = RevocationList::from_der(&der).expect("it was read before");
    let mut without_news = ca.lists_without_news(now)?.into_iter();
    // Of the lists of a CA that never signed one here nothing is recorded.
    let is_known = without_news.any(|record| Some(record.number) == list.number());
    let stuck = if is_known || recent.is_empty() {
        let third = judged.validity().unwrap_or_default() / 3;
        judged.ends_within(third, Level::Warning, now)
    } else {
        Some(outdated_list(format!(
            "{} lacks what was recorded since",
            called(ca)
        )))
    };
    let stuck = stuck.map(|mut finding| {
        finding.message.push_str(", and its key is not here");
        finding
    });
    Ok((Some(judged), stuck))
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
    cas: &'a [Ca],
    place: &Place,
    party: &RelyingParty,
) -> Result<Vec<(&'a Ca, PathBuf)>, CaError> {
    Ok(match party.lists.form {
        ListForm::None | ListForm::Der => Vec::new(),
        ListForm::Pem | ListForm::PemOfPath => cas.iter().map(|ca| (ca, place.pem(ca))).collect(),
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
        let ahead = Ahead::of(ca, &recent, &covers, now);
        if let Ahead::Due { list, .. } = &ahead
            && takes_due(ca, request)?
        {
            return read(store, ca, &ca.list_signed_ahead(list)?);
        }
        if request.if_needed
            && let Some((_, der)) = still_good(ca, place, &recent, now)?
        {
            return read(store, ca, &der);
        }
    }
    let predecessor = read_published(ca, place, &recent)?.unwrap_or_default();
    // Revocations that the journal has lost are recorded again when it is signed, or nothing is.
    let last = recent.first();
    let is_covered = last.map_or(Ok(true), |last| ca.still_covers(&last.covers))?;
    let predecessor = RevocationList::from_der(&predecessor)
        .ok()
        .filter(|_| is_covered);
    let entries = gather_entries(ca, predecessor.as_ref(), &recent, &covers, now, now)?;
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
    let der = read_published(ca, place, &ca.recent_lists()?)?;
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
