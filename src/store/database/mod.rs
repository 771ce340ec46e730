//! Stores in PostgreSQL, for CAs that several hosts issue from.
//!
//! * Numbers are reserved by an UPDATE that commits by itself. Nothing is locked while something is signed.
//! * What is decided on is compared when the decision is committed: the revision of the store counts every change
//!   but the issuing of leaves. See `pki.record` in the schema.
//! * Revocations are numbered without gaps, under the lock of a row, so that the numbers are in the order of commits.
//! * CRLs are signed under a lease. The numbers are reserved and the CRLs recorded only by its holder.

mod authorities;
mod batches;
mod certificates;
mod connect;
mod copies;
mod crls;
mod facts;
mod revocations;
mod schema;
mod session;
mod tls;
mod url;
mod writing;

pub(super) use batches::BatchLock;
pub(super) use certificates::{Issuing, Pages};
pub(super) use crls::Lease;
pub(super) use facts::{CaRow, Facts, State};
pub(super) use revocations::Revoking;
pub(crate) use session::Database;
pub(super) use session::Session;
pub(crate) use url::{BadUrl, DatabaseUrl};

use super::Operator;
use super::error::StoreError;
use super::location::Location;
use super::record::Coverage;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// CA in a database.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) session: Session,
    pub(super) id: i32,
    pub(super) has_key: bool,
    pub(super) name: String,
}

impl Rows {
    pub(super) fn of(session: &Session, row: &CaRow) -> Self {
        Self {
            session: session.clone(),
            id: row.id,
            has_key: row.has_key,
            name: row.record.name.to_string(),
        }
    }

    /// Returns something of the CA, as messages name it.
    pub(super) fn location(&self, what: &str) -> Location {
        self.session.location(&format!("{what} of {}", self.name))
    }

    /// Reads a record, which the store has written.
    pub(super) fn parsed<T: DeserializeOwned>(
        &self,
        what: &str,
        record: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(record).map_err(|error| {
            StoreError::damaged(self.location(what), format!("cannot be read: {error}"))
        })
    }

    fn number(&self, what: &str, text: &str) -> Result<u128, StoreError> {
        text.parse()
            .map_err(|_| StoreError::damaged(self.location(what), "is not a number"))
    }
}

/// Serializes a record with the stamp of who recorded it, as a journal has it.
fn stamped(record: &impl Serialize, stamp: &str) -> String {
    let mut json = serde_json::to_string(record).expect("records are plain data");
    let closing = json.pop();
    debug_assert_eq!(closing, Some('}'));
    json + stamp + "}"
}

/// Returns the stamp of records that a CA brings along: others issued them.
fn stamp_of(operator: &Operator, is_brought: bool) -> &str {
    if is_brought { "" } else { operator.stamp() }
}

/// The end of revocations of a CA that has none.
fn nothing_revoked() -> Coverage {
    Coverage {
        length: 0,
        check: super::journal::CHECK_OF_NOTHING.to_owned(),
    }
}
