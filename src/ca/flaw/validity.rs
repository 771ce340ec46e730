//! The validity of certificates whose flaw it is, and of others.

use super::Flaw;
use crate::ca::error::CaError;
use crate::ca::issue::DEFAULT_VALIDITY;
use crate::ca::lifetime::{End, Lifetime};
use crate::ca::notice::Notice;
use crate::x509::validity::{Moment, rfc3339};
use crate::x509::{Certificate, Validity};
use time::{Duration, OffsetDateTime};

/// Since when what is expired has been, where nothing else is said.
const EXPIRED_SINCE: Duration = Duration::days(1);

/// How long what is valid for too long is, where nothing else is said: 50 years.
const TOO_LONG: Duration = Duration::days(50 * 365);

impl Flaw {
    /// The validity that is asked for, where the flaw is none of that; else one that has it.
    pub(super) fn validity(
        self,
        issuer: &Certificate,
        asked: Lifetime,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Validity, CaError> {
        let ends = issuer.validity().not_after;
        match self {
            Self::Expired => {
                let validity = ended(asked, now).resolve(now, DEFAULT_VALIDITY, None, notices)?;
                has_flaw(validity.not_after < now, || {
                    let end = rfc3339(validity.not_after);
                    format!("it would end at {end}, and what is expired has ended")
                })?;
                Ok(validity)
            }
            Self::NotYetValid => {
                // Far enough from now that it stays so for long, and inside its CA's all the same.
                let later = Moment::At(now + (ends - now) / 2);
                let later = Lifetime {
                    not_before: asked.not_before.or(Some(later)),
                    ..asked
                };
                let validity = later.resolve(now, DEFAULT_VALIDITY, Some(issuer), notices)?;
                has_flaw(validity.not_before > now, || {
                    let begin = rfc3339(validity.not_before);
                    format!("it would begin at {begin}, and what is not yet valid begins later")
                })?;
                Ok(validity)
            }
            Self::WeakValidity => {
                let begin = Lifetime { end: None, ..asked };
                begin.resolve(now, Duration::SECOND, Some(issuer), &mut Vec::new())?;
                let long = Lifetime {
                    end: asked.end.or(Some(End::At(Moment::FromNow(TOO_LONG)))),
                    ..asked
                };
                let validity = long.resolve(now, DEFAULT_VALIDITY, None, notices)?;
                has_flaw(validity.not_after > ends, || {
                    let (end, ends) = (rfc3339(validity.not_after), rfc3339(ends));
                    format!(
                        "it would end at {end}, and what is valid for too long outlasts its CA, which ends at {ends}"
                    )
                })?;
                Ok(validity)
            }
            Self::Revoked | Self::WrongPurpose | Self::NoSan | Self::OtherCa | Self::SelfSigned => {
                asked.resolve(now, DEFAULT_VALIDITY, Some(issuer), notices)
            }
        }
    }
}

/// What is asked for, ended by now; that its end is a time to come is not looked at.
fn ended(asked: Lifetime, now: OffsetDateTime) -> Lifetime {
    let length = match asked.end {
        Some(End::Days(days)) => Duration::days(days.into()),
        Some(End::At(_)) | None => DEFAULT_VALIDITY,
    };
    let end = match (asked.not_before, asked.end) {
        (Some(_), Some(End::Days(_))) => return asked,
        (_, Some(End::At(end))) => end,
        _ => Moment::FromNow(-EXPIRED_SINCE),
    };
    let begin = end.resolve(now).and_then(|end| end.checked_sub(length));
    Lifetime {
        not_before: asked.not_before.or(begin.map(Moment::At)),
        end: Some(End::At(end)),
    }
}

/// Times that were asked for and leave nothing of the flaw are refused.
fn has_flaw(has_it: bool, problem: impl FnOnce() -> String) -> Result<(), CaError> {
    if has_it {
        return Ok(());
    }
    Err(CaError::Validity { problem: problem() })
}
