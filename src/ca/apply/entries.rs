//! Decisions about entries: the certificates that were issued for one are compared with it.

use crate::ca::apply::declaration::{Entry, USUAL_RENEW_BEFORE};
use crate::ca::apply::step::Action;
use crate::ca::error::CaError;
use crate::ca::fixture::Defect;
use crate::ca::issuance::{CsrNames, End, KeySource, LeafRequest, Lifetime};
use crate::store::{Ca, EntryId, Issuance, Revoked, Standing, WishId};
use crate::x509::validity::{Moment, rfc3339};
use crate::x509::{Fingerprint, Name};
use serde_json::json;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A certificate that was issued for an entry, and how it stands.
pub(crate) struct Record {
    pub(crate) issuance: Issuance,
    pub(crate) revoked: Option<Revoked>,
}

/// Certificates that a CA issued for entries, in the order of issuing.
#[derive(Default)]
pub(crate) struct Records(BTreeMap<String, Vec<Record>>);

impl Records {
    pub(crate) fn read(ca: &Ca) -> Result<Self, CaError> {
        let mut records = Self::default();
        let mut standings = None;
        for issuance in ca.issuances_of_entries()? {
            let issuance = issuance?;
            let Some(entry) = &issuance.entry else {
                continue;
            };
            let standings = match &mut standings {
                Some(known) => known,
                None => standings.insert(ca.standings()?),
            };
            let standing = standings.get(&issuance.serial).copied();
            let record = Record {
                revoked: standing.and_then(Standing::revoked),
                issuance: issuance.clone(),
            };
            records
                .0
                .entry(entry.name.clone())
                .or_default()
                .push(record);
        }
        Ok(records)
    }

    /// Returns the records of one entry.
    pub(crate) fn of(&self, name: &str) -> &[Record] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The last of each entry, by name.
    pub(crate) fn last_of_each(&self) -> impl Iterator<Item = (&str, &Record)> {
        let lasts = self.0.iter();
        lasts.filter_map(|(name, records)| Some((name.as_str(), records.last()?)))
    }
}

impl Record {
    /// Returns whether it is of use to anybody.
    pub(crate) fn is_live(&self, now: OffsetDateTime) -> bool {
        self.revoked.is_none() && now <= self.issuance.not_after
    }
}

pub(crate) enum Decision<'a> {
    /// It has its certificate.
    Keep(&'a Record),
    /// A certificate is issued, and why.
    Issue(Action, Option<String>),
}

/// Hash of an entry, without the place of its files and its revocation.
pub(crate) fn id_of(entry: &Entry) -> EntryId {
    let LeafRequest {
        subject,
        alternative_names,
        profile,
        lifetime: Lifetime { not_before, end },
        key,
    } = &entry.request;
    let names: Vec<String> = alternative_names.iter().map(ToString::to_string).collect();
    let mut wish = json!({
        "subject": subject.as_ref().map(Name::to_string),
        "san": names,
        "profile": profile.name(),
        "not_before": not_before.map(moment),
        "end": end.map(|end| match end {
            End::Days(days) => format!("{days} days"),
            End::At(at) => moment(at),
        }),
        "flaw": entry.flaw.map(Defect::as_str),
        "key": match key {
            KeySource::Generate(kind) => kind.to_string(),
            KeySource::Request { request, .. } => Fingerprint::of(request.der()).to_string(),
        },
    });
    // Entries of older versions have no such member, and stay what they are.
    if let KeySource::Request {
        names: CsrNames::Replace,
        ..
    } = key
    {
        wish["csr_names"] = json!("replace");
    }
    if let Some(custom) = profile.custom() {
        wish["profile_hash"] = json!(custom.hash());
    }
    EntryId {
        name: entry.name.clone(),
        wish: WishId::of(wish.to_string().as_bytes()),
    }
}

fn moment(moment: Moment) -> String {
    match moment {
        Moment::At(time) => rfc3339(time),
        Moment::FromNow(duration) => format!("{}s", duration.whole_seconds()),
    }
}

/// Compares an entry with what was issued for it.
pub(crate) fn decide<'a>(
    entry: &Entry,
    id: &EntryId,
    records: &'a [Record],
    ca: &Ca,
    now: OffsetDateTime,
) -> Decision<'a> {
    let is_same = |record: &&Record| record.issuance.entry.as_ref() == Some(id);
    let counts = |record: &&Record| entry.revoked.is_some() || record.revoked.is_none();
    if let Some(record) = records.iter().rev().filter(counts).find(is_same) {
        if is_due(entry, &record.issuance, ca, now) {
            let end = rfc3339(record.issuance.not_after);
            let ends = if record.issuance.not_after < now {
                "expired"
            } else {
                "expires"
            };
            let reason = format!("{} {ends} at {end}", record.issuance.serial);
            return Decision::Issue(Action::Renew, Some(reason));
        }
        return Decision::Keep(record);
    }
    if let Some(live) = records.iter().rev().find(|record| record.is_live(now)) {
        let Issuance {
            serial, not_after, ..
        } = &live.issuance;
        let reason = format!(
            "the entry differs from certificate {serial}, which stays valid until {}",
            rfc3339(*not_after)
        );
        return Decision::Issue(Action::Reissue, Some(reason));
    }
    let revoked = records.iter().rev().find(|record| record.revoked.is_some());
    let reason = revoked.map(|record| format!("{} is revoked", record.issuance.serial));
    Decision::Issue(Action::Issue, reason)
}

/// Returns whether a certificate ends so soon that its successor is issued.
fn is_due(entry: &Entry, issuance: &Issuance, ca: &Ca, now: OffsetDateTime) -> bool {
    if entry.flaw == Some(Defect::Expired) {
        return false;
    }
    let length = issuance.not_after - issuance.not_before;
    let before = entry
        .renew_before
        .unwrap_or_else(|| USUAL_RENEW_BEFORE.min(length / 3));
    if issuance.not_after - now >= before || before >= length {
        return false;
    }
    let lifetime = entry.request.lifetime;
    let issuer = Some(ca.certificate());
    let length = entry.request.profile.default_validity();
    match lifetime.resolve(now, length, issuer, &mut Vec::new()) {
        // One that would end no later is no successor; one that is meant to have ended has none.
        Ok(next) => next.not_after > issuance.not_after && next.not_after > now,
        // Issuing says what is wrong.
        Err(_) => true,
    }
}
