//! Lock of batches: a process that resumes one waits until no other is at work, and keeps others waiting.

use super::Rows;
use super::session::Session;
use crate::store::error::StoreError;
use crate::store::lock::Sharing;
use postgres::types::Type;

/// First part of the key of the lock; the second is the CA.
const BATCHES: i32 = 7_367_530;

/// Lock of a session. A process records by the connection that has the lock, and connects once: if the lock is lost,
/// so is the connection.
pub(in crate::store) struct BatchLock {
    session: Session,
    ca: i32,
    unlock: &'static str,
}

impl std::fmt::Debug for BatchLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchLock({})", self.ca)
    }
}

impl Rows {
    /// Waits for the lock, alone or with others that want it so.
    pub(in crate::store) fn lock_batches(&self, sharing: Sharing) -> Result<BatchLock, StoreError> {
        let (lock, unlock) = match sharing {
            Sharing::Alone => (
                "SELECT pg_advisory_lock($1, $2)",
                "SELECT pg_advisory_unlock($1, $2)",
            ),
            Sharing::Shared => (
                "SELECT pg_advisory_lock_shared($1, $2)",
                "SELECT pg_advisory_unlock_shared($1, $2)",
            ),
        };
        let values = [(&BATCHES as _, Type::INT4), (&self.id as _, Type::INT4)];
        self.session.query(lock, &values)?;
        // Others may have changed the store meanwhile.
        self.session.forget();
        Ok(BatchLock {
            session: self.session.clone(),
            ca: self.id,
            unlock,
        })
    }
}

impl Drop for BatchLock {
    fn drop(&mut self) {
        // A connection that is lost has no lock.
        let values = [(&BATCHES as _, Type::INT4), (&self.ca as _, Type::INT4)];
        let _ = self.session.query(self.unlock, &values);
    }
}
