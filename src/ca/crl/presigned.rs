//! Pre-signed CRLs, for offline CAs: signed ahead of their time, and published without the key.
//!
//! All of them hold what is revoked when they are signed. They are void as soon as anything else is
//! recorded: each record notes how much of the journal its CRL covers.

use crate::ca::crl::error::CrlError;
use crate::ca::error::CaError;
use crate::store::{Ca, Coverage, SignedCrl};
use time::OffsetDateTime;

/// State of a CA's pre-signed CRLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// There are none, or another CRL was signed since.
    None,
    Due {
        crl: SignedCrl,
        /// Number of those to come after it.
        left: usize,
        /// End of the last.
        until: OffsetDateTime,
    },
    /// Void: something was recorded since, or may have been before the CA was restored.
    Void { count: usize },
    /// The last has expired, or the clock is behind the first.
    OutOfTime {
        /// End of the last.
        until: OffsetDateTime,
    },
}

impl Ahead {
    /// Judges a CA's recent CRLs, newest first. `covers` is the end of its revocations. CRLs signed before the
    /// CA was restored from a backup may lack revocations that were recorded before it was lost.
    pub(crate) fn of(
        ca: &Ca,
        recent: &[SignedCrl],
        covers: &Coverage,
        now: OffsetDateTime,
    ) -> Self {
        let ahead = signed_together(recent);
        let Some(last) = ahead.first() else {
            return Self::None;
        };
        if last.covers != *covers || ca.signed_before_restore(last) {
            return Self::Void { count: ahead.len() };
        }
        let until = last.next_update;
        let begun = ahead.iter().position(|crl| crl.this_update <= now);
        match begun {
            Some(left) if now <= ahead[left].next_update => Self::Due {
                crl: ahead[left].clone(),
                left,
                until,
            },
            _ => Self::OutOfTime { until },
        }
    }

    /// Puts the state of the pre-signed CRLs before an error about the key, which they were to replace.
    pub(crate) fn explain(&self, ca: &Ca, error: CaError) -> CaError {
        let (ca, source) = (ca.name().clone(), Box::new(error));
        match *self {
            Self::None | Self::Due { .. } => *source,
            Self::Void { count } => CrlError::PresignedOutdated { ca, count, source }.into(),
            Self::OutOfTime { until } => CrlError::PresignedExpired { ca, until, source }.into(),
        }
    }
}

/// Returns the CRLs that were signed ahead together last, newest first.
fn signed_together(recent: &[SignedCrl]) -> Vec<&SignedCrl> {
    let mut together: Vec<&SignedCrl> = Vec::new();
    for crl in recent.iter().take_while(|crl| crl.ahead) {
        let belongs = together.last().is_none_or(|next| match next.ahead_from {
            Some(first) => crl.number >= first,
            // Records of older versions are all alike; but each CRL begins before the next.
            None => crl.ahead_from.is_none() && crl.this_update < next.this_update,
        });
        if !belongs {
            break;
        }
        together.push(crl);
    }
    together
}
