//! Revocations of a CA, numbered without gaps in the order of commits.

use super::session::Value;
use super::{Rows, stamped};
use crate::store::error::StoreError;
use crate::store::journal;
use crate::store::record::{Coverage, RevocationLine};
use crate::x509::Serial;
use postgres::Row;
use postgres::types::Type;

/// Rows that are read or written together.
const PAGE: i64 = 5000;

impl Rows {
    /// Calls `each` for the records that a condition admits, in their order, behind a number.
    fn revocations_where(
        &self,
        condition: &str,
        behind: u64,
        mut each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT number, record FROM pki.revocation WHERE ca = $1 AND number > $2 AND ({condition})
             ORDER BY number LIMIT {PAGE}"
        );
        let mut last = i64::try_from(behind).unwrap_or(i64::MAX);
        loop {
            let page = self
                .session
                .query(&sql, &[(&self.id, Type::INT4), (&last, Type::INT8)])?;
            for row in &page {
                last = row.get(0);
                each(self.parsed("a revocation", row.get(1))?);
            }
            if i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
                return Ok(());
            }
        }
    }

    pub(in crate::store) fn each_revocation(
        &self,
        each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        self.revocations_where("true", 0, each)
    }

    pub(in crate::store) fn revocations_behind(
        &self,
        place: &Coverage,
        each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        self.revocations_where("true", place.length, each)
    }

    /// Reads the records about serial numbers that were revoked before.
    pub(in crate::store) fn revocations_again(
        &self,
        each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        self.revocations_where("is_again", 0, each)
    }

    /// Reads the records about compromised keys: as of the last look, unless nobody else can add to them.
    pub(in crate::store) fn compromises(
        &self,
        each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        if self.session.is_in_transaction() {
            return self.revocations_where("is_compromise", 0, each);
        }
        let facts = self.session.facts()?;
        if let Some(below) = facts.below(self.id) {
            below.revocations.iter().cloned().for_each(each);
        }
        Ok(())
    }

    /// Reads the records about a certificate of a CA, as of the last look; `false` if it is none that was seen.
    pub(in crate::store) fn revocations_of_authority(
        &self,
        serial: &Serial,
        each: impl FnMut(RevocationLine),
    ) -> Result<bool, StoreError> {
        if self.session.is_in_transaction() {
            return Ok(false);
        }
        let facts = self.session.facts()?;
        let Some(below) = facts.below(self.id).filter(|below| below.has(serial)) else {
            return Ok(false);
        };
        let lines = below
            .revocations
            .iter()
            .filter(|line| line.serial == *serial);
        lines.cloned().for_each(each);
        Ok(true)
    }

    /// Reads the records about some serial numbers, in their order.
    pub(in crate::store) fn revocations_of<'s>(
        &self,
        serials: impl Iterator<Item = &'s Serial>,
        mut each: impl FnMut(RevocationLine),
    ) -> Result<(), StoreError> {
        let serials: Vec<&[u8]> = serials.map(Serial::magnitude).collect();
        for part in serials.chunks(usize::try_from(PAGE).unwrap_or(1)) {
            let rows = self.session.query(
                "SELECT record FROM pki.revocation WHERE ca = $1 AND serial = ANY($2) ORDER BY number",
                &[(&self.id, Type::INT4), (&part, Type::BYTEA_ARRAY)],
            )?;
            for row in rows {
                each(self.parsed("a revocation", row.get(0))?);
            }
        }
        Ok(())
    }

    /// Returns the end of the revocations, as it is now.
    pub(in crate::store) fn revocation_end(&self) -> Result<Coverage, StoreError> {
        self.end_with("")
    }

    fn end_with(&self, lock: &str) -> Result<Coverage, StoreError> {
        let sql = format!("SELECT number, \"check\" FROM pki.revocation_end WHERE ca = $1 {lock}");
        let row = self.session.query_opt(&sql, &[(&self.id, Type::INT4)])?;
        let row = row.ok_or_else(|| {
            StoreError::damaged(self.location("the end of the revocations"), "is missing")
        })?;
        Ok(coverage(&row))
    }

    /// Returns whether the revocations still have what they had at a place.
    pub(in crate::store) fn still_covers(&self, place: &Coverage) -> Result<bool, StoreError> {
        if place.length == 0 {
            return Ok(true);
        }
        let number = i64::try_from(place.length).unwrap_or(i64::MAX);
        let row = self.session.query_opt(
            "SELECT \"check\" FROM pki.revocation WHERE ca = $1 AND number = $2",
            &[(&self.id, Type::INT4), (&number, Type::INT8)],
        )?;
        Ok(row.is_some_and(|row| row.get::<_, &str>(0) == place.check))
    }

    /// Waits until nobody else revokes certificates of the CA.
    pub(in crate::store) fn revoking(&self) -> Result<Revoking, StoreError> {
        self.session.begin()?;
        let revoking = Revoking { rows: self.clone() };
        revoking.rows.end_with("FOR UPDATE")?;
        Ok(revoking)
    }
}

fn coverage(row: &Row) -> Coverage {
    Coverage {
        length: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
        check: row.get(1),
    }
}

/// Transaction in which nobody else revokes certificates of a CA. It is given up unless it is recorded.
pub(in crate::store) struct Revoking {
    rows: Rows,
}

impl Drop for Revoking {
    fn drop(&mut self) {
        self.rows.session.roll_back();
    }
}

impl Revoking {
    /// Records changes, durably.
    pub(in crate::store) fn record(
        &mut self,
        lines: impl Iterator<Item = RevocationLine>,
        stamp: &str,
    ) -> Result<(), StoreError> {
        append(&self.rows, lines.map(|line| (line, stamp.to_owned())))?;
        self.rows.session.commit()
    }
}

/// Appends changes with their stamps, in a transaction in which nobody else does. The last step enters alone: those who
/// issue wait for no more than this.
pub(super) fn append(
    rows: &Rows,
    lines: impl Iterator<Item = (RevocationLine, String)>,
) -> Result<Coverage, StoreError> {
    let mut end = rows.end_with("FOR UPDATE")?;
    let behind = i64::try_from(end.length).unwrap_or(i64::MAX);
    let mut lines = lines.peekable();
    while lines.peek().is_some() {
        let page = usize::try_from(PAGE).unwrap_or(1);
        let part: Vec<(RevocationLine, String)> = lines.by_ref().take(page).collect();
        append_part(rows, &part, &mut end)?;
    }
    rows.session.execute(
        "SELECT pki.end_revocations($1, $2, $3, $4, $5)",
        &[
            (&rows.id, Type::INT4),
            (&behind, Type::INT8),
            (&i64::try_from(end.length).unwrap_or(i64::MAX), Type::INT8),
            (&end.check, Type::TEXT),
            (&rows.session.is_inside(), Type::BOOL),
        ],
    )?;
    Ok(end)
}

fn append_part(
    rows: &Rows,
    part: &[(RevocationLine, String)],
    end: &mut Coverage,
) -> Result<(), StoreError> {
    let (mut numbers, mut records, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for (line, stamp) in part {
        let record = stamped(line, stamp);
        end.length += 1;
        end.check = journal::check_after(&end.check, record.as_bytes());
        numbers.push(i64::try_from(end.length).unwrap_or(i64::MAX));
        checks.push(end.check.clone());
        records.push(record);
    }
    let serials: Vec<&[u8]> = part
        .iter()
        .map(|(line, _)| line.serial.magnitude())
        .collect();
    let again: Vec<bool> = part.iter().map(|(line, _)| line.again).collect();
    let compromised: Vec<bool> = part
        .iter()
        .map(|(line, _)| {
            line.revoked
                .is_some_and(|revoked| revoked.reason.is_compromise())
        })
        .collect();
    let values: [Value<'_>; 7] = [
        (&rows.id, Type::INT4),
        (&numbers, Type::INT8_ARRAY),
        (&serials, Type::BYTEA_ARRAY),
        (&again, Type::BOOL_ARRAY),
        (&compromised, Type::BOOL_ARRAY),
        (&records, Type::TEXT_ARRAY),
        (&checks, Type::TEXT_ARRAY),
    ];
    rows.session.execute(
        "WITH recorded AS (
            INSERT INTO pki.revocation (ca, number, serial, is_again, is_compromise, record, \"check\")
            SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7) RETURNING ca, number, serial, is_compromise, record)
         INSERT INTO pki.authority (ca, kind, number, serial, record)
         SELECT ca, 'revocation', number, serial, record FROM recorded WHERE is_compromise",
        &values,
    )?;
    Ok(())
}
