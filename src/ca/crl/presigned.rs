//! Lists that are signed ahead of their time, so that a CA's key can stay away: for roots that are
//! offline.
//!
//! All of them say what is revoked when they are signed. They are void as soon as anything else is
//! recorded; the store knows, because each list notes how much of the journal it covers.

use crate::ca::error::CaError;
use crate::store::{Ca, Coverage, SignedCrl};
use time::OffsetDateTime;

/// How the lists stand that a CA signed ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// There are none, or a list was signed since.
    None,
    /// One is due.
    Due {
        /// The one.
        list: SignedCrl,
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
    pub fn of(ca: &Ca, recent: &[SignedCrl], covers: &Coverage, now: OffsetDateTime) -> Self {
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
fn signed_together(recent: &[SignedCrl]) -> Vec<&SignedCrl> {
    let mut together: Vec<&SignedCrl> = Vec::new();
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
