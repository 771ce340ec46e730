//! Certificates that a CA issued: reserving their numbers, recording and finding them.

use super::Rows;
use super::session::{Value, is_repeated, is_repeated_row};
use super::writing::{NewKey, begin_of_hash, is_authority, write};
use crate::store::error::StoreError;
use crate::store::record::{Issuance, Stamped, TableId};
use crate::x509::Serial;
use postgres::Row;
use postgres::types::Type;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::vec;
use zeroize::Zeroizing;

/// Rows that are read together.
const PAGE: i64 = 2000;
/// Rows that are written by one statement.
const MOST_WRITTEN: usize = 2000;

const COLUMNS: &str = "id, record, der";

/// Certificates of a CA in the order of recording, read page by page.
pub(in crate::store) struct Pages {
    rows: Rows,
    /// Condition on a row, with the value of `$3`.
    condition: &'static str,
    value: Wanted,
    last: i64,
    page: vec::IntoIter<Row>,
    is_over: bool,
}

/// Value that wanted rows have.
pub(in crate::store) enum Wanted {
    Nothing,
    Text(String),
    Bytes(Vec<u8>),
    Number(i64),
}

impl Wanted {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Nothing => (&None::<String>, Type::TEXT),
            Self::Text(text) => (text, Type::TEXT),
            Self::Bytes(bytes) => (bytes, Type::BYTEA),
            Self::Number(number) => (number, Type::INT8),
        }
    }
}

impl Iterator for Pages {
    type Item = Result<Issuance, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row()?;
        Some(row.and_then(|row| self.rows.issuance_in(&row)))
    }
}

impl Pages {
    fn next_row(&mut self) -> Option<Result<Row, StoreError>> {
        loop {
            if let Some(row) = self.page.next() {
                self.last = row.get(0);
                return Some(Ok(row));
            }
            if self.is_over {
                return None;
            }
            match self.turn() {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
    }

    fn turn(&mut self) -> Result<Vec<Row>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM pki.certificate WHERE ca = $1 AND id > $2 AND ({}) ORDER BY id LIMIT {PAGE}",
            self.condition
        );
        let mut values: Vec<Value<'_>> =
            vec![(&self.rows.id, Type::INT4), (&self.last, Type::INT8)];
        if !matches!(self.value, Wanted::Nothing) {
            values.push(self.value.value());
        }
        let page = self.rows.session.query(&sql, &values)?;
        self.is_over = i64::try_from(page.len()).unwrap_or(PAGE) < PAGE;
        Ok(page)
    }
}

impl Rows {
    fn pages(&self, condition: &'static str, value: Wanted) -> Pages {
        Pages {
            rows: self.clone(),
            condition,
            value,
            last: 0,
            page: Vec::new().into_iter(),
            is_over: false,
        }
    }

    /// Reads the records of certificates with time and user; without the certificates.
    pub(in crate::store) fn stamped_issuances(
        &self,
    ) -> impl Iterator<Item = Result<Stamped<Issuance>, StoreError>> + use<> {
        let (rows, mut pages) = (self.clone(), self.issuances());
        std::iter::from_fn(move || {
            let row = pages.next_row()?;
            Some(row.and_then(|row| {
                let mut stamped: Stamped<Issuance> = rows.parsed("a record", row.get(1))?;
                stamped.record.der = row.get(2);
                Ok(stamped)
            }))
        })
    }

    fn issuance_in(&self, row: &Row) -> Result<Issuance, StoreError> {
        let issuance: Issuance = self.parsed("a record", row.get(1))?;
        Ok(Issuance {
            der: row.get(2),
            ..issuance
        })
    }

    pub(in crate::store) fn issuances(&self) -> Pages {
        self.pages("true", Wanted::Nothing)
    }

    pub(in crate::store) fn issuance(
        &self,
        serial: &Serial,
    ) -> Result<Option<Issuance>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM pki.certificate WHERE ca = $1 AND serial = $2");
        let row = self.session.query_opt(
            &sql,
            &[(&self.id, Type::INT4), (&serial.magnitude(), Type::BYTEA)],
        )?;
        row.map(|row| self.issuance_in(&row)).transpose()
    }

    /// Returns the certificates with these serial numbers, in the order of recording.
    pub(in crate::store) fn issuances_of(
        &self,
        serials: &HashSet<Serial>,
    ) -> Result<Vec<Issuance>, StoreError> {
        let serials: Vec<&[u8]> = serials.iter().map(Serial::magnitude).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM pki.certificate WHERE ca = $1 AND serial = ANY($2) ORDER BY id"
        );
        let rows = self.session.query(
            &sql,
            &[(&self.id, Type::INT4), (&serials, Type::BYTEA_ARRAY)],
        )?;
        rows.iter().map(|row| self.issuance_in(row)).collect()
    }

    pub(in crate::store) fn issuances_named(&self, cn: &str) -> Pages {
        self.pages("cn = $3", Wanted::Text(cn.to_owned()))
    }

    /// Finds records that have a text as one of their values.
    pub(in crate::store) fn issuances_mentioning(&self, text: &str) -> Pages {
        let text = serde_json::to_string(text).expect("a string is plain data");
        self.pages("position($3 IN record) > 0", Wanted::Text(text))
    }

    pub(in crate::store) fn issuances_of_table(&self, table: TableId) -> Pages {
        self.pages("row ^@ $3", Wanted::Text(format!("{table}-")))
    }

    pub(in crate::store) fn issuances_of_entries(&self) -> Pages {
        self.pages("is_entry", Wanted::Nothing)
    }

    /// Returns the CA certificates that the CA issued, as of the last look.
    pub(in crate::store) fn issued_authorities(&self) -> Result<Vec<Issuance>, StoreError> {
        let facts = self.session.facts()?;
        Ok(facts
            .below(self.id)
            .map(|below| below.issued.clone())
            .unwrap_or_default())
    }

    pub(in crate::store) fn issuances_about(&self, secret_part: &[u8]) -> Pages {
        self.pages("key = $3", Wanted::Number(begin_of_hash(secret_part)))
    }

    pub(in crate::store) fn issuances_holding(&self, bytes: &[u8]) -> Pages {
        self.pages("position($3 IN der) > 0", Wanted::Bytes(bytes.to_vec()))
    }

    /// Finds certificates that took the place of others, recorded since the store had a revision.
    pub(in crate::store) fn renewals_since(&self, revision: i64) -> Pages {
        self.pages(
            "renews IS NOT NULL AND revision > $3",
            Wanted::Number(revision),
        )
    }

    pub(in crate::store) fn last_issuance(&self) -> Result<Option<Issuance>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM pki.certificate WHERE ca = $1 ORDER BY id DESC LIMIT 1");
        let row = self.session.query_opt(&sql, &[(&self.id, Type::INT4)])?;
        row.map(|row| self.issuance_in(&row)).transpose()
    }

    pub(in crate::store) fn leaf_key(
        &self,
        serial: &Serial,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = self.session.query_opt(
            "SELECT pem FROM pki.leaf_key WHERE ca = $1 AND serial = $2",
            &[(&self.id, Type::INT4), (&serial.magnitude(), Type::BYTEA)],
        )?;
        Ok(row.map(|row| Zeroizing::new(row.get(0))))
    }

    pub(in crate::store) fn key(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let sql = "SELECT pem FROM pki.ca_key WHERE ca = $1";
        let row = self.session.query_opt(sql, &[(&self.id, Type::INT4)])?;
        Ok(row.map(|row| Zeroizing::new(row.get(0))))
    }

    /// Prepares to issue: whatever is decided from now on is compared when it is recorded.
    pub(in crate::store) fn issuing(&self) -> Result<Issuing, StoreError> {
        let seen = self.session.facts()?.revision;
        Ok(Issuing {
            rows: self.clone(),
            seen,
            counter: None,
            keys: Mutex::default(),
        })
    }
}

/// Issuing by a CA in a database. Nothing is locked.
pub(in crate::store) struct Issuing {
    rows: Rows,
    /// Revision of the store on which all decisions rest.
    seen: i64,
    counter: Option<u128>,
    keys: Mutex<Vec<NewKey>>,
}

impl Issuing {
    /// Looks again: the decisions are to be made again.
    pub(in crate::store) fn look_again(&mut self) -> Result<(), StoreError> {
        self.seen = self.rows.session.look()?.revision;
        self.keys().clear();
        Ok(())
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, Vec<NewKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves so many numbers, durably; returns the last. After a failover those of the first statement are left out.
    pub(in crate::store) fn reserve(&mut self, count: usize) -> Result<u128, StoreError> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let values: [Value<'_>; 2] = [(&self.rows.id, Type::INT4), (&count, Type::INT4)];
        let session = &self.rows.session;
        let row = session.query_opt(
            "UPDATE pki.serial_counter SET counter = counter + $2::numeric WHERE ca = $1
             RETURNING counter::text, timeline, pg_walfile_name(pg_current_wal_lsn())",
            &values,
        )?;
        let row = match row {
            Some(row) if is_of_timeline(row.get(2), row.get(1)) => row,
            _ => session.query_one("SELECT pki.reserve_serials($1, $2)", &values)?,
        };
        self.took_counter(&row)
    }

    pub(in crate::store) fn raise(&mut self, least: u128) -> Result<u128, StoreError> {
        let row = self.rows.session.query_one(
            "SELECT pki.raise_counter($1, $2)",
            &[
                (&self.rows.id, Type::INT4),
                (&least.to_string(), Type::TEXT),
            ],
        )?;
        self.took_counter(&row)
    }

    fn took_counter(&mut self, row: &Row) -> Result<u128, StoreError> {
        let counter: Option<&str> = row.get(0);
        let place = "the serial counter";
        let counter =
            counter.ok_or_else(|| StoreError::damaged(self.rows.location(place), "is missing"))?;
        let counter = self.rows.number(place, counter)?;
        self.counter = Some(counter);
        Ok(counter)
    }

    /// Returns the highest number in use, as far as is known.
    pub(in crate::store) fn counter(&self) -> Option<u128> {
        self.counter
    }

    pub(in crate::store) fn keep_key(&self, serial: &Serial, pem: &[u8]) {
        self.keys().push((*serial, Zeroizing::new(pem.to_vec())));
    }

    /// Records certificates and the keys that were kept, durably, and with them whatever the open transaction has;
    /// refuses if anything but leaves was recorded since the look.
    pub(in crate::store) fn record(
        &mut self,
        issuances: &[Issuance],
        stamp: &str,
    ) -> Result<(), StoreError> {
        let session = self.rows.session.clone();
        // Few at once, so that a statement fits into a message.
        if issuances.len() > MOST_WRITTEN {
            session.begin()?;
        }
        let recorded = self.record_parts(issuances, stamp);
        let recorded = recorded.and_then(|()| session.commit());
        if recorded.is_err() {
            session.roll_back();
            session.forget();
        } else if issuances.iter().any(counts) {
            session.forget();
        }
        recorded.map_err(|error| self.explained(error, issuances))
    }

    fn record_parts(&self, issuances: &[Issuance], stamp: &str) -> Result<(), StoreError> {
        let counts = issuances.iter().any(counts);
        let session = &self.rows.session;
        if counts && issuances.len() > MOST_WRITTEN && !session.is_inside() {
            session.begin_alone(self.seen)?;
        }
        for part in issuances.chunks(MOST_WRITTEN) {
            if !write(
                &self.rows,
                part,
                &self.keys(),
                &|_| stamp,
                Some((self.seen, counts)),
            )? {
                return Err(StoreError::Overtaken {
                    path: session.location(""),
                });
            }
            self.keys().clear();
        }
        Ok(())
    }

    fn explained(&self, error: StoreError, issuances: &[Issuance]) -> StoreError {
        if is_repeated_row(&error) {
            // Another process went on with the same batch.
            let path = self.rows.session.location("");
            return StoreError::Overtaken { path };
        }
        if is_repeated(&error) {
            // Another process recorded the very same, as when both adopt it.
            if let [issuance] = issuances
                && let Ok(Some(known)) = self.rows.issuance(&issuance.serial)
                && known.der == issuance.der
            {
                let path = self.rows.session.location("");
                return StoreError::Overtaken { path };
            }
            // A counter gives out no number twice: somebody has set it back.
            let problem = "gave out a serial number that is on record";
            return StoreError::damaged(self.rows.location("the serial counter"), problem);
        }
        error
    }
}

/// Returns whether a file of the WAL, whose name begins with its timeline, is of one.
fn is_of_timeline(wal_file: &str, timeline: i32) -> bool {
    wal_file.starts_with(&format!("{timeline:08X}"))
}

/// Returns whether later decisions depend on a record: it may be made once only, or its subject is a CA's.
fn counts(issuance: &Issuance) -> bool {
    issuance.renews.is_some() || issuance.entry.is_some() || is_authority(issuance)
}
