//! What a process has seen in a database: the CAs, and how far their revocations go.

use super::session::Session;
use crate::store::error::StoreError;
use crate::store::name::CaName;
use crate::store::record::{CaRecord, Coverage};
use postgres::Row;
use std::collections::BTreeMap;

/// State of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum State {
    Ready,
    Pending,
    Removed,
}

/// CA in a database.
#[derive(Clone)]
pub(in crate::store) struct CaRow {
    pub(in crate::store) id: i32,
    pub(in crate::store) state: State,
    pub(in crate::store) record: CaRecord,
    pub(in crate::store) certificate: Option<Vec<u8>>,
    pub(in crate::store) request: Option<Vec<u8>>,
    pub(in crate::store) has_key: bool,
    /// End of its revocations.
    pub(in crate::store) end: Coverage,
}

/// The store at one moment.
pub(in crate::store) struct Facts {
    pub(in crate::store) revision: i64,
    pub(in crate::store) version: i32,
    pub(in crate::store) fixture: bool,
    pub(in crate::store) profiles: Option<String>,
    pub(in crate::store) cas: BTreeMap<CaName, CaRow>,
}

const FACTS: &str =
    "SELECT s.revision, s.version, s.fixture, s.profiles, c.id, c.name, c.state, c.record,
    c.certificate, c.request, c.has_key, e.number, e.\"check\"
    FROM pki.store s LEFT JOIN pki.ca c ON true LEFT JOIN pki.revocation_end e ON e.ca = c.id";

impl Facts {
    pub(super) fn read(session: &Session) -> Result<Self, StoreError> {
        let rows = session.query(FACTS, &[])?;
        let Some(first) = rows.first() else {
            return Err(StoreError::damaged(session.location("store"), "is empty"));
        };
        let mut facts = Self {
            revision: first.get(0),
            version: first.get(1),
            fixture: first.get(2),
            profiles: first.get(3),
            cas: BTreeMap::new(),
        };
        for row in rows
            .iter()
            .filter(|row| row.get::<_, Option<i32>>(4).is_some())
        {
            let (name, ca) = read_ca(session, row)?;
            facts.cas.insert(name, ca);
        }
        Ok(facts)
    }

    /// Returns the revision as a place.
    pub(in crate::store) fn place(&self) -> Coverage {
        Coverage {
            length: self.revision.unsigned_abs(),
            check: String::new(),
        }
    }

    /// Returns a CA in one of these states.
    pub(in crate::store) fn ca(&self, name: &CaName, state: State) -> Option<&CaRow> {
        self.cas.get(name).filter(|ca| ca.state == state)
    }

    /// Returns the CAs in one state, sorted by name.
    pub(in crate::store) fn in_state(
        &self,
        state: State,
    ) -> impl Iterator<Item = (&CaName, &CaRow)> {
        self.cas.iter().filter(move |(_, ca)| ca.state == state)
    }
}

fn read_ca(session: &Session, row: &Row) -> Result<(CaName, CaRow), StoreError> {
    let name: String = row.get(5);
    let place = session.location(&format!("CA {name}"));
    let damaged = |problem: String| StoreError::damaged(&place, problem);
    let record: CaRecord = serde_json::from_str(row.get(7))
        .map_err(|error| damaged(format!("cannot be read: {error}")))?;
    if record.name.as_str() != name {
        return Err(damaged(format!("has another CA's name: {}", record.name)));
    }
    let state = match row.get::<_, &str>(6) {
        "ready" => State::Ready,
        "pending" => State::Pending,
        _ => State::Removed,
    };
    let end = Coverage {
        length: u64::try_from(row.get::<_, Option<i64>>(11).unwrap_or(0)).unwrap_or(0),
        check: row.get::<_, Option<String>>(12).unwrap_or_default(),
    };
    let ca = CaRow {
        id: row.get(4),
        state,
        certificate: row.get(8),
        request: row.get(9),
        has_key: row.get(10),
        record,
        end,
    };
    Ok((ca.record.name.clone(), ca))
}
