//! Place of a store and of its CAs: a directory, or a database.

use super::database::{BatchLock, Rows, Session};
use super::error::StoreError;
use super::layout::{CaLayout, StoreLayout};
use super::lock::Lock;

#[derive(Clone)]
pub(super) enum Place {
    Directory(StoreLayout),
    Database(Session),
}

#[derive(Clone)]
pub(super) enum CaPlace {
    Directory(CaLayout),
    Database(Rows),
}

/// Right to change a store or a CA, alone. In a database nothing is locked: what was read is compared when the
/// change is committed.
#[derive(Debug)]
pub(super) enum Hold {
    Lock { _lock: Lock },
    Compared,
    Batches { _lock: BatchLock },
}

impl From<Lock> for Hold {
    fn from(lock: Lock) -> Self {
        Self::Lock { _lock: lock }
    }
}

/// Error of an operation that works on files.
pub(super) fn not_supported(session: &Session) -> StoreError {
    StoreError::NotInDatabase {
        path: session.location(""),
    }
}
