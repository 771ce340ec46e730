//! Connection of a process to a database, and what it has seen there.

use super::connect::{self, PATIENCE};
use super::facts::Facts;
use super::url::DatabaseUrl;
use crate::store::error::StoreError;
use crate::store::location::Location;
use postgres::error::{DbError, SqlState};
use postgres::types::{ToSql, Type};
use postgres::{Client, Row, SimpleQueryMessage, SimpleQueryRow};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Value of a parameter, with its type: a statement is sent in one round trip.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// Database, to which a process connects once.
#[derive(Clone)]
pub(crate) struct Database {
    url: DatabaseUrl,
    session: Arc<Mutex<Option<Session>>>,
}

impl From<DatabaseUrl> for Database {
    fn from(url: DatabaseUrl) -> Self {
        Self {
            url,
            session: Arc::default(),
        }
    }
}

impl Database {
    pub(in crate::store) fn location(&self) -> Location {
        Location::in_database(&self.url.to_string(), "")
    }

    /// Returns the connection of this process; the schema need not be there.
    pub(super) fn session(&self) -> Result<Session, StoreError> {
        let mut known = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = known.as_ref() {
            return Ok(session.clone());
        }
        Ok(known.insert(Session::connect(&self.url)?).clone())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// One connection, for the time of a command.
#[derive(Clone)]
pub(in crate::store) struct Session(Arc<Inner>);

struct Inner {
    client: Mutex<Client>,
    /// The URL, without a password.
    shown: String,
    /// Facts at the last look.
    facts: Mutex<Option<Arc<Facts>>>,
    /// Flag of an open transaction that has entered alone.
    inside: AtomicBool,
    in_transaction: AtomicBool,
}

impl Session {
    fn connect(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let client = connect::connect(url)?;
        Ok(Self(Arc::new(Inner {
            client: Mutex::new(client),
            shown: url.to_string(),
            facts: Mutex::new(None),
            inside: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
        })))
    }

    /// Returns a row or table, as messages name it.
    pub(in crate::store) fn location(&self, what: &str) -> Location {
        Location::in_database(&self.0.shown, what)
    }

    fn client(&self) -> MutexGuard<'_, Client> {
        self.0.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let rows = self.client().query_typed(sql, values);
        rows.map_err(|error| self.failed(error))
    }

    /// Returns the rows of statements without parameters, in one round trip, as they are at one moment; `None` if
    /// there is no store.
    pub(super) fn query_at_once(
        &self,
        sql: &str,
    ) -> Result<Option<Vec<SimpleQueryRow>>, StoreError> {
        let messages = if self.is_in_transaction() {
            self.client().simple_query(sql)
        } else {
            self.client().simple_query(&format!("{AT_ONCE}; {sql}"))
        };
        match messages {
            Ok(messages) => Ok(Some(messages.into_iter().filter_map(row_in).collect())),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Returns the only row.
    pub(super) fn query_one(&self, sql: &str, values: &[Value<'_>]) -> Result<Row, StoreError> {
        let row = self.client().query_typed_one(sql, values);
        row.map_err(|error| self.failed(error))
    }

    pub(super) fn query_opt(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        let row = self.client().query_typed_opt(sql, values);
        row.map_err(|error| self.failed(error))
    }

    /// Runs a statement that commits by itself: if the connection is lost, it is not known whether it did.
    pub(super) fn commit_one(&self, sql: &str, values: &[Value<'_>]) -> Result<Row, StoreError> {
        let row = self.client().query_typed_one(sql, values);
        row.map_err(|error| {
            if self.is_in_transaction() {
                return self.failed(error);
            }
            self.undecided(error)
        })
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let count = self.client().execute_typed(sql, values);
        count.map_err(|error| self.failed(error))
    }

    /// Runs statements without parameters.
    pub(super) fn run(&self, sql: &str) -> Result<(), StoreError> {
        let done = self.client().batch_execute(sql);
        done.map_err(|error| self.failed(error))
    }

    /// Begins a transaction, unless one is open.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        if !self.is_in_transaction() {
            self.run("BEGIN")?;
            self.0.in_transaction.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Begins a transaction that sees the store at one moment, and changes nothing.
    pub(in crate::store) fn begin_snapshot(&self) -> Result<(), StoreError> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.0.in_transaction.store(true, Ordering::SeqCst);
        self.forget();
        Ok(())
    }

    /// Returns whether the store has no CA and no profile.
    pub(in crate::store) fn is_empty(&self) -> bool {
        let facts = self.facts();
        facts.is_ok_and(|facts| facts.cas.is_empty() && facts.profiles.is_none())
    }

    /// Begins a transaction in which nobody else issues or changes anything, if nothing changed since `seen`.
    pub(in crate::store) fn begin_alone(&self, seen: i64) -> Result<(), StoreError> {
        self.begin()?;
        let found = self.enter_alone()?;
        if found == seen {
            return Ok(());
        }
        self.roll_back();
        Err(StoreError::Overtaken {
            path: self.location(""),
        })
    }

    /// Keeps others from issuing and from changes until the transaction ends; returns the revision before.
    pub(in crate::store) fn enter_alone(&self) -> Result<i64, StoreError> {
        let row = self.query_one("SELECT pki.enter_alone()", &[])?;
        self.0.inside.store(true, Ordering::SeqCst);
        Ok(row.get(0))
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        self.0.in_transaction.load(Ordering::SeqCst)
    }

    /// Returns whether the open transaction has entered alone.
    pub(super) fn is_inside(&self) -> bool {
        self.is_in_transaction() && self.0.inside.load(Ordering::SeqCst)
    }

    /// Commits the open transaction, if there is one.
    pub(in crate::store) fn commit(&self) -> Result<(), StoreError> {
        if !self.is_in_transaction() {
            return Ok(());
        }
        self.ended();
        let done = self.client().batch_execute("COMMIT");
        done.map_err(|error| self.undecided(error))
    }

    /// Gives up the open transaction, if there is one.
    pub(in crate::store) fn roll_back(&self) {
        if self.is_in_transaction() {
            self.ended();
            // A connection that is lost has no transaction.
            let _ = self.client().batch_execute("ROLLBACK");
        }
    }

    fn ended(&self) {
        self.0.in_transaction.store(false, Ordering::SeqCst);
        self.0.inside.store(false, Ordering::SeqCst);
        self.forget();
    }

    /// Looks again at the next question.
    pub(super) fn forget(&self) {
        *self.facts_slot() = None;
    }

    pub(super) fn has_facts(&self) -> bool {
        self.facts_slot().is_some()
    }

    fn facts_slot(&self) -> MutexGuard<'_, Option<Arc<Facts>>> {
        self.0.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the facts of the last look.
    pub(in crate::store) fn facts(&self) -> Result<Arc<Facts>, StoreError> {
        if let Some(known) = self.facts_slot().as_ref() {
            return Ok(Arc::clone(known));
        }
        let read = self.facts_if_there()?;
        read.ok_or_else(|| StoreError::NoStore {
            path: self.location(""),
        })
    }

    /// Returns the facts, as of now; `None` if there is no store.
    pub(super) fn facts_if_there(&self) -> Result<Option<Arc<Facts>>, StoreError> {
        let read = Facts::read(self)?.map(Arc::new);
        self.facts_slot().clone_from(&read);
        Ok(read)
    }

    /// Looks again; what was seen is read again only if it changed. Whoever commits a decision compares what it
    /// rests on, so that a look before it need not be the latest.
    pub(in crate::store) fn look(&self) -> Result<Arc<Facts>, StoreError> {
        let known = self.facts_slot().as_ref().map(|facts| facts.revision);
        if let Some(known) = known {
            let row = self.query_one("SELECT revision FROM pki.store", &[])?;
            if row.get::<_, i64>(0) != known {
                self.forget();
            }
        }
        self.facts()
    }

    /// Error of a statement that changed nothing.
    pub(super) fn failed(&self, error: postgres::Error) -> StoreError {
        let path = self.location("");
        match error.code() {
            Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => StoreError::Locked {
                path,
                seconds: PATIENCE,
            },
            _ => StoreError::Database {
                path,
                source: error,
            },
        }
    }

    /// Error of a statement that the server may have carried out, unless it said that it did not.
    fn undecided(&self, error: postgres::Error) -> StoreError {
        if error.as_db_error().is_some() {
            return self.failed(error);
        }
        StoreError::Undecided {
            path: self.location(""),
            source: Box::new(error),
        }
    }
}

/// The first of several statements that are sent together, and so are one transaction.
const AT_ONCE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

fn row_in(message: SimpleQueryMessage) -> Option<SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

/// Returns whether a statement failed since the tables of a store are missing.
fn is_missing(error: &postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::UNDEFINED_TABLE) || code == Some(&SqlState::INVALID_SCHEMA_NAME)
}

/// Returns whether a statement failed since a row with these values is there already.
pub(super) fn is_repeated(error: &StoreError) -> bool {
    matches!(error, StoreError::Database { source, .. }
        if source.code() == Some(&SqlState::UNIQUE_VIOLATION))
}

/// Returns whether a statement failed since the row of a table has its certificate already.
pub(super) fn is_repeated_row(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else {
        return false;
    };
    let constraint = source.as_db_error().and_then(DbError::constraint);
    constraint == Some("certificate_row")
}
