//! thisUpdate and nextUpdate of CRLs.

use crate::ca::crl::error::CrlError;
use crate::ca::crl::request::AheadRequest;
use crate::ca::error::CaError;
use crate::ca::issuance::End;
use crate::ca::notice::{CrlNotice, Notice};
use crate::store::{Ca, SignedCrl};
use crate::x509::crl::Crl;
use crate::x509::validity::{Moment, rfc3339};
use time::{Duration, OffsetDateTime};

/// Days of validity of a CRL by default.
const DEFAULT_DAYS: u32 = 7;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}

impl Times {
    /// Holds the times to the calendar, to their order, and to the end of the CA, past which no CRL goes.
    pub(crate) fn resolve(
        ca: &Ca,
        this_update: OffsetDateTime,
        end: End,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, CaError> {
        let asked = match end {
            End::Days(days) => this_update.checked_add(Duration::days(days.into())),
            End::At(moment) => moment.resolve(now),
        };
        let asked = asked.ok_or_else(|| CrlError::NextUpdate {
            problem: "nextUpdate is after the year 9999".into(),
        })?;
        if asked <= this_update {
            let (next, this) = (rfc3339(asked), rfc3339(this_update));
            let problem = format!("nextUpdate {next} is not after thisUpdate {this}");
            return Err(CrlError::NextUpdate { problem }.into());
        }
        let last = ca.certificate().validity().not_after;
        if asked > last {
            notices.push(Notice::ValidityShortened { until: last });
        }
        Ok(Self {
            this_update,
            next_update: asked.min(last),
        })
    }
}

/// Distance that a thisUpdate may be ahead of the clock: hosts' clocks differ.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// Returns whether a thisUpdate is in the future, as no CRL of a right clock is.
pub(crate) fn is_in_future(this_update: OffsetDateTime, now: OffsetDateTime) -> bool {
    this_update - now > CLOCK_SKEW
}

/// Basis of the date of a new CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dating {
    /// The last CRL: thisUpdate never goes back, whatever the clock does.
    NotBack,
    /// The clock, since the last CRL was signed under a wrong one.
    Now,
}

/// thisUpdate of a CRL that is signed now. A pre-signed CRL counts once its time has come,
/// since it may be out. A published CRL that is dated in the future is none that was published in its
/// time, unless it is on record so: its date does not count.
pub(crate) fn this_update(
    predecessor: Option<&Crl<'_>>,
    recent: &[SignedCrl],
    dating: Dating,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> OffsetDateTime {
    let signed = recent
        .iter()
        .filter(|record| !record.ahead || record.this_update <= now)
        .map(|record| record.this_update);
    let signed = signed.fold(now, OffsetDateTime::max);
    let published = predecessor.map_or(signed, Crl::this_update);
    let is_told = published > signed || dating == Dating::Now;
    if is_told && is_in_future(published, now) {
        notices.push(
            CrlNotice::PublishedInFuture {
                this_update: published,
            }
            .into(),
        );
    }
    let this_update = match dating {
        Dating::Now => now,
        Dating::NotBack if is_in_future(published, now) => signed,
        Dating::NotBack => signed.max(published),
    };
    if is_in_future(this_update, now) {
        notices.push(CrlNotice::DatedInFuture { this_update }.into());
    } else if this_update > now {
        notices.push(CrlNotice::ClockBehind { this_update }.into());
    }
    this_update
}

/// Times of the next CRL, or of all that are signed ahead.
pub(crate) fn times(
    ca: &Ca,
    begin: OffsetDateTime,
    end: Option<End>,
    ahead: Option<AheadRequest>,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Times>, CaError> {
    if let Some(ahead) = ahead {
        return windows(ca, begin, end, ahead, notices);
    }
    let end = end.unwrap_or(End::Days(DEFAULT_DAYS));
    Ok(vec![Times::resolve(ca, begin, end, now, notices)?])
}

/// Times of CRLs that are signed ahead: as many as were asked for, or as the CA's own validity has room for.
fn windows(
    ca: &Ca,
    begin: OffsetDateTime,
    end: Option<End>,
    ahead: AheadRequest,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Times>, CaError> {
    let problem = |problem: String| CaError::from(CrlError::NextUpdate { problem });
    // The default allows publishing to be late by a third of the interval.
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
            .ok_or_else(|| problem("thisUpdate is after the year 9999".into()))?;
        if times.next_update <= next && times.next_update < last {
            return Err(problem(format!(
                "a CRL would expire at {}, before the thisUpdate of the next one, {}",
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
            "thisUpdate {begin} is not before the CA's notAfter {last}"
        )));
    }
    if windows.len() < ahead.count as usize {
        notices.push(
            CrlNotice::FewerAhead {
                count: windows.len(),
                until: last,
            }
            .into(),
        );
    }
    Ok(windows)
}
