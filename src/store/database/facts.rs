//! Snapshot of a database: the CAs, the CA certificates that they issued, and which of them are revoked.
//! It is read in one round trip.

use super::connect;
use super::session::Session;
use crate::store::error::StoreError;
use crate::store::name::CaName;
use crate::store::record::{CaRecord, Coverage, Issuance, RevocationLine};
use crate::x509::Serial;
use postgres::Row;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};

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

/// Records of other CAs below a CA, and of keys.
#[derive(Default)]
pub(super) struct Authorities {
    /// CA certificates that it issued, in their order.
    pub(super) issued: Vec<Issuance>,
    /// Revocations of these, and for a compromised key, in their order.
    pub(super) revocations: Vec<RevocationLine>,
}

impl Authorities {
    pub(super) fn has(&self, serial: &Serial) -> bool {
        self.issued
            .iter()
            .any(|issuance| issuance.serial == *serial)
    }
}

/// The store at one moment.
pub(in crate::store) struct Facts {
    pub(in crate::store) revision: i64,
    pub(in crate::store) version: i32,
    pub(in crate::store) fixture: bool,
    pub(in crate::store) profiles: Option<String>,
    pub(in crate::store) cas: BTreeMap<CaName, CaRow>,
    authorities: HashMap<i32, Authorities>,
}

/// Rows of several kinds, each with the columns that it needs.
const FACTS: &str = "
    SELECT 'store' AS kind, version AS ca, revision AS number, fixture AS flag, NULL AS name, profiles AS a,
        NULL AS b, NULL::bytea AS c, NULL::bytea AS d FROM pki.store
    UNION ALL SELECT state, c.id, e.number, has_key, name, record, e.\"check\", certificate, request
        FROM pki.ca c LEFT JOIN pki.revocation_end e ON e.ca = c.id
    UNION ALL SELECT 'authority', ca, id, true, NULL, record, NULL, der, NULL FROM pki.certificate WHERE is_ca
    UNION ALL SELECT 'revocation', r.ca, r.number, true, NULL, r.record, NULL, NULL, NULL FROM pki.revocation r
        WHERE is_compromise OR EXISTS
        (SELECT FROM pki.certificate x WHERE x.ca = r.ca AND x.serial = r.serial AND x.is_ca)
    UNION ALL SELECT 'setting', 0, 0, true, name, current_setting(name), NULL, NULL, NULL FROM unnest(ARRAY[
        'server_version_num', 'synchronous_commit', 'fsync', 'full_page_writes', 'server_encoding']) AS name
    ORDER BY 2, 3";

impl Facts {
    /// Reads them; `None` if there is no store.
    pub(super) fn read(session: &Session) -> Result<Option<Self>, StoreError> {
        let Some(rows) = session.query_if_there(FACTS)? else {
            return Ok(None);
        };
        let of_kind =
            |kind: &'static str| rows.iter().filter(move |row| row.get::<_, &str>(0) == kind);
        for row in of_kind("setting") {
            if let Some(problem) = connect::unsuitable(row.get(4), row.get(5)) {
                let path = session.location("");
                return Err(StoreError::Unsuitable { path, problem });
            }
        }
        let Some(store) = of_kind("store").next() else {
            return Err(StoreError::damaged(session.location("store"), "is empty"));
        };
        let mut facts = Self {
            version: store.get(1),
            revision: store.get(2),
            fixture: store.get(3),
            profiles: store.get(5),
            cas: BTreeMap::new(),
            authorities: HashMap::new(),
        };
        for (kind, state) in [
            ("ready", State::Ready),
            ("pending", State::Pending),
            ("removed", State::Removed),
        ] {
            for row in of_kind(kind) {
                let (name, ca) = read_ca(session, row, state)?;
                facts.cas.insert(name, ca);
            }
        }
        for row in of_kind("authority") {
            let issuance = Issuance {
                der: row.get(7),
                ..parsed(session, row)?
            };
            facts
                .authorities
                .entry(row.get(1))
                .or_default()
                .issued
                .push(issuance);
        }
        for row in of_kind("revocation") {
            let line = parsed(session, row)?;
            facts
                .authorities
                .entry(row.get(1))
                .or_default()
                .revocations
                .push(line);
        }
        Ok(Some(facts))
    }

    /// Returns the revision as a place.
    pub(in crate::store) fn place(&self) -> Coverage {
        Coverage {
            length: self.revision.unsigned_abs(),
            check: String::new(),
        }
    }

    /// Returns a CA in one state.
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

    /// Returns what is on record below a CA.
    pub(super) fn below(&self, ca: i32) -> Option<&Authorities> {
        self.authorities.get(&ca)
    }
}

fn parsed<T: DeserializeOwned>(session: &Session, row: &Row) -> Result<T, StoreError> {
    serde_json::from_str(row.get(5)).map_err(|error| {
        StoreError::damaged(
            session.location("a record"),
            format!("cannot be read: {error}"),
        )
    })
}

fn read_ca(session: &Session, row: &Row, state: State) -> Result<(CaName, CaRow), StoreError> {
    let name: String = row.get(4);
    let place = session.location(&format!("CA {name}"));
    let damaged = |problem: String| StoreError::damaged(&place, problem);
    let record: CaRecord = serde_json::from_str(row.get(5))
        .map_err(|error| damaged(format!("cannot be read: {error}")))?;
    if record.name.as_str() != name {
        return Err(damaged(format!("has another CA's name: {}", record.name)));
    }
    let end = Coverage {
        length: u64::try_from(row.get::<_, Option<i64>>(2).unwrap_or(0)).unwrap_or(0),
        check: row.get::<_, Option<String>>(6).unwrap_or_default(),
    };
    let ca = CaRow {
        id: row.get(1),
        state,
        has_key: row.get(3),
        certificate: row.get(7),
        request: row.get(8),
        record,
        end,
    };
    Ok((ca.record.name.clone(), ca))
}
