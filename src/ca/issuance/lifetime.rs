//! Validity of a certificate: what was asked for, inside that of its CA.

use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::notice::{Notice, RenewalNotice};
use crate::x509::validity::{Moment, rfc3339, whole_second};
use crate::x509::{Certificate, Validity};
use time::{Duration, OffsetDateTime};

/// A validity that was asked for may end so long after the CA's, and is cut to it: `--days 365` means a year also
/// seconds after the CA was made for a year.
const TOLERANCE: Duration = Duration::HOUR;

/// The times that were asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lifetime {
    /// notBefore; now where it is not said.
    pub(crate) not_before: Option<Moment>,
    /// notAfter, or days from notBefore; a default of the command where it is not said.
    pub(crate) end: Option<End>,
}

/// End of a validity.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// Days after it begins.
    Days(u32),
    /// A time.
    At(Moment),
}

impl Lifetime {
    /// Returns the validity, inside that of the issuer. A default that exceeds it is shortened, with a notice, and
    /// so is a validity that was asked for and exceeds it by an hour at most; a longer one is an error.
    pub(crate) fn resolve(
        self,
        now: OffsetDateTime,
        default: Duration,
        issuer: Option<&Certificate>,
        notices: &mut Vec<Notice>,
    ) -> Result<Validity, CaError> {
        let problem = |problem: String| CaError::from(IssuanceError::Validity { problem });
        let off_the_calendar = || problem("it ends after the year 9999".into());
        let not_before = match self.not_before {
            Some(moment) => moment.resolve(now).ok_or_else(off_the_calendar)?,
            None => whole_second(now).ok_or_else(off_the_calendar)?,
        };
        let not_after = match self.end {
            Some(End::Days(days)) => not_before.checked_add(Duration::days(days.into())),
            Some(End::At(moment)) => moment.resolve(now),
            None => not_before.checked_add(default),
        };
        let mut not_after = not_after
            .filter(|end| end.year() <= 9999)
            .ok_or_else(off_the_calendar)?;
        if not_after <= not_before {
            let (end, begin) = (rfc3339(not_after), rfc3339(not_before));
            return Err(problem(format!(
                "notAfter {end} is not after notBefore {begin}"
            )));
        }
        if let Some(issuer) = issuer {
            let limits = issuer.validity();
            if not_before < limits.not_before {
                let (asked, limit) = (rfc3339(not_before), rfc3339(limits.not_before));
                return Err(problem(format!(
                    "notBefore {asked} is before the issuing CA's, {limit}"
                )));
            }
            if not_after > limits.not_after {
                let limit = rfc3339(limits.not_after);
                let is_far = not_after - limits.not_after > TOLERANCE;
                if self.end.is_some() && is_far || limits.not_after <= not_before {
                    let asked = rfc3339(not_after);
                    return Err(problem(format!(
                        "notAfter {asked} exceeds the issuing CA's, {limit}"
                    )));
                }
                not_after = limits.not_after;
                notices.push(Notice::ValidityShortened { until: not_after });
            }
        }
        Ok(Validity {
            not_before,
            not_after,
        })
    }
}

/// Returns the notices about a validity that replaces another.
pub(crate) fn compare(before: Validity, new: Validity, now: OffsetDateTime) -> Vec<Notice> {
    let mut notices = Vec::new();
    if now < before.not_before {
        let begins = before.not_before;
        notices.push(RenewalNotice::NotBegun { begins }.into());
    }
    if new.not_after < before.not_after {
        let (until, before) = (new.not_after, before.not_after);
        notices.push(RenewalNotice::EndsSooner { until, before }.into());
    }
    notices
}
