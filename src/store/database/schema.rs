//! Versions of the schema. Each is a script, applied once, in a transaction of its own.

use super::connect;
use super::session::{Database, Session};
use crate::store::error::StoreError;
use postgres::types::Type;

/// Scripts of the versions, from the first on.
const VERSIONS: [&str; 1] = [include_str!("schema/1.sql")];

fn current() -> i32 {
    i32::try_from(VERSIONS.len()).expect("there are few")
}

impl Session {
    /// Connects to a database; `None` if it has no store.
    pub(in crate::store) fn open(database: &Database) -> Result<Option<Self>, StoreError> {
        let session = database.session()?;
        let facts = if session.has_facts() {
            Some(session.look()?)
        } else {
            session.facts_if_there()?
        };
        let Some(found) = facts.map(|facts| facts.version) else {
            return Ok(None);
        };
        if found > current() {
            return Err(StoreError::Newer {
                path: session.location(""),
                found: found.unsigned_abs(),
                known: current().unsigned_abs(),
            });
        }
        if found < current() {
            session.raise(false)?;
            session.forget();
        }
        Ok(Some(session))
    }

    /// Makes a store in a database that has none, and connects.
    pub(in crate::store) fn create(database: &Database, fixture: bool) -> Result<Self, StoreError> {
        let session = database.session()?;
        session.raise(fixture)?;
        Ok(session)
    }

    fn has_store(&self) -> Result<bool, StoreError> {
        let row = self.query_one("SELECT to_regclass('pki.store') IS NOT NULL", &[])?;
        Ok(row.get(0))
    }

    /// Refuses a server that would lose what it acknowledged, before anything is made in it.
    fn require_settings(&self) -> Result<(), StoreError> {
        let settings = self.query("SELECT name, setting FROM pg_catalog.pg_settings", &[])?;
        let problem = settings
            .iter()
            .find_map(|row| connect::unsuitable(row.get(0), row.get(1)));
        problem.map_or(Ok(()), |problem| {
            let path = self.location("");
            Err(StoreError::Unsuitable { path, problem })
        })
    }

    /// Applies the versions that are missing, alone: who waited finds them applied.
    fn raise(&self, fixture: bool) -> Result<(), StoreError> {
        self.begin()?;
        let raised = self.apply_missing(fixture);
        match raised {
            Ok(()) => self.commit(),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    fn apply_missing(&self, fixture: bool) -> Result<(), StoreError> {
        self.require_settings()?;
        self.run("SELECT pg_advisory_xact_lock(7367529, 0)")?;
        let version = if self.has_store()? {
            self.query_one("SELECT version FROM pki.store", &[])?.get(0)
        } else {
            0
        };
        let applied = usize::try_from(version).unwrap_or(0);
        for script in VERSIONS.iter().skip(applied) {
            self.run(script)?;
        }
        if version == 0 {
            self.execute(
                "INSERT INTO pki.store (version, fixture) VALUES ($1, $2)",
                &[(&current(), Type::INT4), (&fixture, Type::BOOL)],
            )?;
        } else {
            let sql = "UPDATE pki.store SET version = greatest(version, $1)";
            self.execute(sql, &[(&current(), Type::INT4)])?;
        }
        Ok(())
    }
}
