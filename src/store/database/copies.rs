//! Everything of a CA, to carry it to another place or to check it.

use super::writing::write;
use super::{Rows, nothing_revoked, revocations};
use crate::store::error::StoreError;
use crate::store::journal::{self, LineProblem};
use crate::store::kind::Counter;
use crate::store::record::{Coverage, Issuance, RevocationLine};
use crate::x509::Serial;
use postgres::types::Type;

/// Rows that are read together.
const PAGE: i64 = 1000;

impl Rows {
    /// Returns the serial counter and the CRL number.
    pub(in crate::store) fn counters(&self) -> Result<(u128, u128), StoreError> {
        let row = self.session.query_opt(
            "SELECT s.counter::text, n.number::text FROM pki.serial_counter s
             JOIN pki.crl_counter n ON n.ca = s.ca WHERE s.ca = $1",
            &[(&self.id, Type::INT4)],
        )?;
        let row =
            row.ok_or_else(|| StoreError::damaged(self.location("the counters"), "is missing"))?;
        Ok((
            self.number("the serial counter", row.get(0))?,
            self.number("the CRL number", row.get(1))?,
        ))
    }

    /// Raises a counter to at least a number.
    pub(in crate::store) fn raise(&self, which: Counter, least: u128) -> Result<(), StoreError> {
        let sql = match which {
            Counter::Serial => "SELECT pki.raise_counter($1, $2)",
            Counter::CrlNumber => {
                "UPDATE pki.crl_counter SET number = greatest(number, $2::numeric) WHERE ca = $1"
            }
        };
        let values = [
            (&self.id as _, Type::INT4),
            (&least.to_string() as _, Type::TEXT),
        ];
        self.session.query(sql, &values).map(drop)
    }

    /// Returns whether the timeline changed since a serial number was reserved last.
    pub(in crate::store) fn was_promoted(&self) -> Result<bool, StoreError> {
        let row = self.session.query_opt(
            "SELECT timeline <> pki.timeline() FROM pki.serial_counter WHERE ca = $1",
            &[(&self.id, Type::INT4)],
        )?;
        Ok(row.is_some_and(|row| row.get(0)))
    }

    /// Returns the records of revocations as they are kept, in their order.
    pub(in crate::store) fn revocation_texts(&self) -> Result<Vec<String>, StoreError> {
        self.records("revocation", "number")
    }

    /// Calls `each` for every revocation, with its number and what is wrong with it.
    pub(in crate::store) fn survey_revocations(
        &self,
        mut each: impl FnMut(u64, Option<LineProblem>, RevocationLine),
    ) -> Result<(), StoreError> {
        let rows = self.session.query(
            "SELECT number, \"check\", record FROM pki.revocation WHERE ca = $1 ORDER BY number",
            &[(&self.id, Type::INT4)],
        )?;
        let mut before = nothing_revoked();
        for row in &rows {
            let number = u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
            let (check, record): (&str, &str) = (row.get(1), row.get(2));
            let follows = number == before.length + 1
                && check == journal::check_after(&before.check, record.as_bytes());
            let problem = (!follows)
                .then(|| LineProblem::Chain("does not follow from the record before it".into()));
            before = Coverage {
                length: number,
                check: check.to_owned(),
            };
            each(number, problem, self.parsed("a revocation", record)?);
        }
        if before == self.revocation_end()? {
            return Ok(());
        }
        let problem = "is not that of the last revocation";
        Err(StoreError::damaged(
            self.location("the end of the revocations"),
            problem,
        ))
    }

    /// Calls `each` for every key of a leaf.
    pub(in crate::store) fn each_leaf_key(
        &self,
        mut each: impl FnMut(Serial, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut last: Vec<u8> = Vec::new();
        loop {
            let page = self.session.query(
                "SELECT serial, pem FROM pki.leaf_key WHERE ca = $1 AND serial > $2 ORDER BY serial LIMIT $3",
                &[(&self.id, Type::INT4), (&last, Type::BYTEA), (&PAGE, Type::INT8)],
            )?;
            for row in &page {
                last = row.get(0);
                each(self.serial_in(&last)?, row.get(1))?;
            }
            if i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
                return Ok(());
            }
        }
    }

    /// Returns the serial numbers of the keys of leaves.
    pub(in crate::store) fn leaf_key_serials(&self) -> Result<Vec<Serial>, StoreError> {
        let rows = self.session.query(
            "SELECT serial FROM pki.leaf_key WHERE ca = $1 ORDER BY serial",
            &[(&self.id, Type::INT4)],
        )?;
        rows.iter().map(|row| self.serial_in(row.get(0))).collect()
    }

    fn serial_in(&self, magnitude: &[u8]) -> Result<Serial, StoreError> {
        Serial::from_magnitude(magnitude)
            .map_err(|error| StoreError::damaged(self.location("a key"), error.to_string()))
    }

    /// Returns the pre-signed CRLs that are kept, with their numbers.
    pub(in crate::store) fn presigned_crls(&self) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        let rows = self.session.query(
            "SELECT number::text, der FROM pki.presigned_crl WHERE ca = $1 ORDER BY number",
            &[(&self.id, Type::INT4)],
        )?;
        let read =
            |row: &postgres::Row| Ok((self.number("a pre-signed CRL", row.get(0))?, row.get(1)));
        rows.iter().map(read).collect()
    }

    /// Keeps a pre-signed CRL until it is due.
    pub(in crate::store) fn keep_presigned(
        &self,
        number: u128,
        der: &[u8],
    ) -> Result<(), StoreError> {
        self.session.execute(
            "INSERT INTO pki.presigned_crl (ca, number, der) VALUES ($1, $2::text::numeric, $3)",
            &[
                (&self.id, Type::INT4),
                (&number.to_string(), Type::TEXT),
                (&der, Type::BYTEA),
            ],
        )?;
        Ok(())
    }

    /// Writes records of certificates that another store had, with their stamps, in a transaction that has entered
    /// alone.
    pub(in crate::store) fn write_brought(
        &self,
        issuances: &[Issuance],
        stamps: &[String],
    ) -> Result<(), StoreError> {
        if issuances.is_empty() {
            return Ok(());
        }
        write(self, issuances, &[], &|index| stamps[index].as_str(), None).map(drop)
    }

    /// Appends revocations that another store had, with their stamps; returns the end.
    pub(in crate::store) fn append_brought(
        &self,
        lines: Vec<(RevocationLine, String)>,
    ) -> Result<Coverage, StoreError> {
        revocations::append(self, lines.into_iter())
    }

    /// Returns the end of the revocations of a CA that has none.
    pub(in crate::store) fn nothing_revoked() -> Coverage {
        nothing_revoked()
    }
}
