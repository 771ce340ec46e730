//! Notices of what the store did or met.

use super::location::Location;
use super::name::CaName;
use crate::x509::validity::rfc3339;
use time::OffsetDateTime;

/// Notice for the user of what the store did or met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    Waiting {
        path: Location,
    },
    TornLine {
        path: Location,
        aside: Location,
    },
    /// The clock is before the time of a backup that is restored.
    ClockBehind {
        now: OffsetDateTime,
        made_at: OffsetDateTime,
    },
    /// A CA that was left unfinished can't be completed or removed now.
    Unsettled {
        name: CaName,
        problem: String,
    },
    /// A change of a CA's passphrase was interrupted; the keys that do not count are removed.
    KeysSettled {
        name: CaName,
    },
    /// A CA that was left unfinished was completed, or removed.
    UnfinishedCa {
        name: CaName,
        completed: bool,
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Waiting { path } => {
                write!(f, "waiting for another process that holds {path}")
            }
            Self::TornLine { path, aside } => write!(
                f,
                "{path} ended in an incomplete line, which was never acknowledged; it was moved to {aside}"
            ),
            Self::ClockBehind { now, made_at } => write!(
                f,
                "the clock ({}) is before the time of the backup ({}): set the clock; serial counters and CRL numbers continue from ten years after the backup",
                rfc3339(*now),
                rfc3339(*made_at)
            ),
            Self::Unsettled { name, problem } => {
                write!(
                    f,
                    "an interrupted command left {name} incomplete, and it cannot be repaired now: {problem}"
                )
            }
            Self::KeysSettled { name } => write!(
                f,
                "an interrupted command had left keys of {name} that do not count; they were removed"
            ),
            Self::UnfinishedCa {
                name,
                completed: true,
            } => {
                write!(
                    f,
                    "an interrupted command had left {name} incomplete; it is complete now"
                )
            }
            Self::UnfinishedCa {
                name,
                completed: false,
            } => {
                write!(
                    f,
                    "an interrupted command had left {name} incomplete; it was removed"
                )
            }
        }
    }
}
