//! Snapshot of a database: the CAs, the CA certificates that they issued, and which of them are revoked.
//! It is read in one round trip.

use super::connect;
use super::session::Session;
use crate::asn1::from_hex;
use crate::store::error::StoreError;
use crate::store::name::CaName;
use crate::store::record::{CaRecord, Coverage, Issuance, RevocationLine};
use crate::x509::Serial;
use postgres::SimpleQueryRow;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

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

/// Settings that are looked at each time.
const SETTINGS: [&str; 5] = [
    "server_version_num",
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "server_encoding",
];

/// Rows of several kinds, each with the columns that it needs. Three statements take less time than one that unites
/// their rows.
const FACTS: &str = "
    SELECT 'store', version, revision, fixture, profiles, current_setting('server_version_num'),
        current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
        current_setting('server_encoding') FROM pki.store;
    SELECT state, id, has_key, name, record, certificate, request FROM pki.ca;
    SELECT kind, ca, number, record, der FROM pki.authority";

impl Facts {
    /// Reads them; `None` if there is no store.
    pub(super) fn read(session: &Session) -> Result<Option<Self>, StoreError> {
        let Some(rows) = session.query_at_once(FACTS)? else {
            return Ok(None);
        };
        let rows: Vec<Cells<'_>> = rows.iter().map(|row| Cells { session, row }).collect();
        let of_kind = |kind: &'static str| rows.iter().filter(move |row| row.text(0) == kind);
        let Some(store) = of_kind("store").next() else {
            return Err(StoreError::damaged(session.location("store"), "is empty"));
        };
        for (name, column) in SETTINGS.iter().zip(5..) {
            if let Some(problem) = connect::unsuitable(name, store.text(column)) {
                let path = session.location("");
                return Err(StoreError::Unsuitable { path, problem });
            }
        }
        let mut facts = Self {
            version: store.number(1)?,
            revision: store.number(2)?,
            fixture: store.flag(3),
            profiles: store.row.get(4).map(str::to_owned),
            cas: BTreeMap::new(),
            authorities: HashMap::new(),
        };
        for (kind, state) in [
            ("ready", State::Ready),
            ("pending", State::Pending),
            ("removed", State::Removed),
        ] {
            for row in of_kind(kind) {
                let ca = row.ca(state)?;
                facts.cas.insert(ca.record.name.clone(), ca);
            }
        }
        for row in in_order(of_kind("certificate"))? {
            let issuance = Issuance {
                der: row.bytes(4)?,
                ..row.parsed(3)?
            };
            let below = facts.authorities.entry(row.number(1)?).or_default();
            below.issued.push(issuance);
        }
        for row in in_order(of_kind("revocation"))? {
            let below = facts.authorities.entry(row.number(1)?).or_default();
            below.revocations.push(row.parsed(3)?);
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

    /// Returns the revision as a place, for each CA, sorted by name.
    pub(in crate::store) fn places(&self) -> Vec<(CaName, Coverage)> {
        let ready = self.in_state(State::Ready);
        ready
            .map(|(name, _)| (name.clone(), self.place()))
            .collect()
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

/// Returns records in the order of their numbers.
fn in_order<'r, 's: 'r>(
    rows: impl Iterator<Item = &'r Cells<'s>>,
) -> Result<Vec<&'r Cells<'s>>, StoreError> {
    let numbered: Result<Vec<(i64, &Cells<'_>)>, StoreError> =
        rows.map(|row| Ok((row.number(2)?, row))).collect();
    let mut numbered = numbered?;
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, row)| row).collect())
}

/// Row whose values are texts.
struct Cells<'s> {
    session: &'s Session,
    row: &'s SimpleQueryRow,
}

impl Cells<'_> {
    fn text(&self, column: usize) -> &str {
        self.row.get(column).unwrap_or_default()
    }

    fn flag(&self, column: usize) -> bool {
        self.text(column) == "t"
    }

    fn damaged(&self, problem: impl Into<String>) -> StoreError {
        StoreError::damaged(self.session.location("a record"), problem.into())
    }

    fn number<T: FromStr>(&self, column: usize) -> Result<T, StoreError> {
        let number = self.text(column).parse();
        number.map_err(|_| self.damaged("has no number"))
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = |text: &str| text.strip_prefix("\\x").and_then(from_hex);
        let text = self.row.get(column);
        text.map(|text| bytes(text).ok_or_else(|| self.damaged("is not in hexadecimal digits")))
            .transpose()
    }

    fn parsed<T: DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column))
            .map_err(|error| self.damaged(format!("cannot be read: {error}")))
    }

    fn ca(&self, state: State) -> Result<CaRow, StoreError> {
        let name = self.text(3);
        let damaged = |problem: String| {
            let place = self.session.location(&format!("CA {name}"));
            StoreError::damaged(place, problem)
        };
        let record: CaRecord = serde_json::from_str(self.text(4))
            .map_err(|error| damaged(format!("cannot be read: {error}")))?;
        if record.name.as_str() != name {
            return Err(damaged(format!("has another CA's name: {}", record.name)));
        }
        Ok(CaRow {
            id: self.number(1)?,
            state,
            has_key: self.flag(2),
            certificate: self.bytes(5)?,
            request: self.bytes(6)?,
            record,
        })
    }
}
