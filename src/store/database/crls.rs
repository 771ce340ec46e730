//! CRLs that a CA signed. Who signs has a lease, and only its holder reserves numbers and records.

use super::connect::PATIENCE;
use super::{Rows, revocations, stamped};
use crate::store::Operator;
use crate::store::error::StoreError;
use crate::store::notice::Notice;
use crate::store::record::{Coverage, RevocationLine, SignedCrl};
use aws_lc_rs::rand;
use postgres::types::Type;
use std::ops::{Bound, RangeBounds};
use std::thread;
use std::time::Duration;

/// Seconds for which a lease keeps others away if its holder is gone.
const LEASE: f64 = 60.0;
/// Time between two tries to get a lease, and their number before the user is told, and at all.
const PAUSE: Duration = Duration::from_millis(50);
const TOLD_AFTER: u64 = 20;
const GIVEN_UP_AFTER: u64 = 20 * (PATIENCE + 10);

impl Rows {
    /// Reads signed CRLs, newest first, until `is_enough` has seen one that it does not admit.
    pub(in crate::store) fn crls_backwards(
        &self,
        goes_on: impl Fn(&SignedCrl) -> bool,
    ) -> Result<Vec<SignedCrl>, StoreError> {
        let mut crls: Vec<SignedCrl> = Vec::new();
        loop {
            let below = crls.last().map(|crl| crl.number.to_string());
            let page = self.session.query(
                "SELECT record FROM pki.crl WHERE ca = $1 AND ($2::text IS NULL OR number < $2::text::numeric)
                 ORDER BY number DESC LIMIT 100",
                &[(&self.id, Type::INT4), (&below, Type::TEXT)],
            )?;
            let is_last = page.len() < 100;
            for row in page {
                let crl: SignedCrl = self.parsed("a CRL", row.get(0))?;
                let is_enough = !goes_on(&crl);
                crls.push(crl);
                if is_enough {
                    return Ok(crls);
                }
            }
            if is_last {
                return Ok(crls);
            }
        }
    }

    pub(in crate::store) fn signed_crl(
        &self,
        number: u128,
    ) -> Result<Option<SignedCrl>, StoreError> {
        let row = self.session.query_opt(
            "SELECT record FROM pki.crl WHERE ca = $1 AND number = $2::text::numeric",
            &[(&self.id, Type::INT4), (&number.to_string(), Type::TEXT)],
        )?;
        row.map(|row| self.parsed("a CRL", row.get(0))).transpose()
    }

    pub(in crate::store) fn presigned_crl(
        &self,
        number: u128,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.session.query_opt(
            "SELECT der FROM pki.presigned_crl WHERE ca = $1 AND number = $2::text::numeric",
            &[(&self.id, Type::INT4), (&number.to_string(), Type::TEXT)],
        )?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Refuses a CA without a counter, for which nobody could wait.
    fn require_crl_counter(&self) -> Result<(), StoreError> {
        let row = self.session.query_opt(
            "SELECT FROM pki.crl_counter WHERE ca = $1",
            &[(&self.id, Type::INT4)],
        )?;
        let missing = || StoreError::damaged(self.location("the CRL number"), "is missing");
        row.map(drop).ok_or_else(missing)
    }

    /// Waits until nobody else signs CRLs of the CA.
    pub(in crate::store) fn lease(&self, operator: &Operator) -> Result<Lease, StoreError> {
        let mut bytes = [0; 8];
        rand::fill(&mut bytes).map_err(|_| StoreError::Randomness)?;
        let holder = i64::from_be_bytes(bytes);
        for tries in 1..=GIVEN_UP_AFTER {
            let row = self.session.query_opt(
                "UPDATE pki.crl_counter SET lease = $2, leased_until = clock_timestamp() + $3 * interval '1 second'
                 WHERE ca = $1 AND (leased_until IS NULL OR leased_until < clock_timestamp())
                 RETURNING number::text",
                &[(&self.id, Type::INT4), (&holder, Type::INT8), (&LEASE, Type::FLOAT8)],
            )?;
            if let Some(row) = row {
                let number = self.number("the CRL number", row.get(0))?;
                return Ok(Lease {
                    rows: self.clone(),
                    holder,
                    number,
                });
            }
            if tries == 1 {
                self.require_crl_counter()?;
            }
            if tries == TOLD_AFTER {
                operator.tell(&Notice::Waiting {
                    path: self.location("the CRLs"),
                });
            }
            thread::sleep(PAUSE);
        }
        Err(StoreError::Locked {
            path: self.location("the CRLs"),
            seconds: PATIENCE,
        })
    }
}

/// Right to sign CRLs of a CA, alone; given back when it is dropped.
pub(in crate::store) struct Lease {
    rows: Rows,
    holder: i64,
    /// Highest number that was reserved.
    pub(in crate::store) number: u128,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Otherwise it ends by itself.
        let _ = self.rows.session.execute(
            "UPDATE pki.crl_counter SET lease = NULL, leased_until = NULL WHERE ca = $1 AND lease = $2",
            &[(&self.rows.id, Type::INT4), (&self.holder, Type::INT8)],
        );
    }
}

impl Lease {
    fn lost(&self) -> StoreError {
        StoreError::LeaseLost {
            path: self.rows.location("the CRLs"),
        }
    }

    /// Reserves numbers above all that were and above `least`, durably; returns the last.
    pub(in crate::store) fn reserve(
        &mut self,
        least: u128,
        count: usize,
    ) -> Result<u128, StoreError> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let row = self.rows.session.query_one(
            "SELECT pki.reserve_crls($1, $2, $3, $4)",
            &[
                (&self.rows.id, Type::INT4),
                (&self.holder, Type::INT8),
                (&least.to_string(), Type::TEXT),
                (&count, Type::INT4),
            ],
        )?;
        let last: Option<&str> = row.get(0);
        self.number = self
            .rows
            .number("the CRL number", last.ok_or_else(|| self.lost())?)?;
        Ok(self.number)
    }

    /// Records CRLs, durably, if the lease is still held: a process that got it since may have signed newer ones.
    pub(in crate::store) fn record(
        &self,
        crls: &[SignedCrl],
        stamp: &str,
    ) -> Result<(), StoreError> {
        let session = &self.rows.session;
        let numbers: Vec<String> = crls.iter().map(|crl| crl.number.to_string()).collect();
        let ahead: Vec<bool> = crls.iter().map(|crl| crl.ahead).collect();
        let records: Vec<String> = crls.iter().map(|crl| stamped(crl, stamp)).collect();
        let row = session.commit_one(
            "WITH held AS (SELECT ca FROM pki.crl_counter WHERE ca = $1 AND lease = $2 FOR UPDATE),
             recorded AS (INSERT INTO pki.crl (ca, number, ahead, record)
                SELECT held.ca, u.number::numeric, u.ahead, u.record
                FROM held, unnest($3, $4, $5) AS u(number, ahead, record) RETURNING 1)
             SELECT count(*) FROM recorded",
            &[
                (&self.rows.id, Type::INT4),
                (&self.holder, Type::INT8),
                (&numbers, Type::TEXT_ARRAY),
                (&ahead, Type::BOOL_ARRAY),
                (&records, Type::TEXT_ARRAY),
            ],
        )?;
        if usize::try_from(row.get::<_, i64>(0)).ok() == Some(crls.len()) {
            return Ok(());
        }
        Err(self.lost())
    }

    /// Keeps a CRL until it is due.
    pub(in crate::store) fn keep(&self, number: u128, der: &[u8]) -> Result<(), StoreError> {
        self.rows.keep_presigned(number, der)
    }

    /// Removes kept CRLs: none of them will be published.
    pub(in crate::store) fn forget(&self, numbers: &impl RangeBounds<u128>) {
        let bound = |bound: Bound<&u128>, step: u128| match bound {
            Bound::Included(number) => Some((number + step).to_string()),
            Bound::Excluded(number) => Some((number + 1 - step).to_string()),
            Bound::Unbounded => None,
        };
        // From the first number on, and below the one behind the last.
        let first = bound(numbers.start_bound(), 0);
        let end = match numbers.end_bound() {
            Bound::Excluded(number) => Some(number.to_string()),
            other => bound(other, 1),
        };
        // Nothing reads them; the next CRL that is signed has them removed.
        let _ = self.rows.session.execute(
            "DELETE FROM pki.presigned_crl WHERE ca = $1
             AND ($2::text IS NULL OR number >= $2::text::numeric)
             AND ($3::text IS NULL OR number < $3::text::numeric)",
            &[
                (&self.rows.id, Type::INT4),
                (&first, Type::TEXT),
                (&end, Type::TEXT),
            ],
        );
    }

    /// Records revocations that were lost, durably; returns the end.
    pub(in crate::store) fn record_again(
        &self,
        lines: impl Iterator<Item = RevocationLine>,
        stamp: &str,
    ) -> Result<Coverage, StoreError> {
        let session = &self.rows.session;
        session.begin()?;
        let recorded = revocations::append(&self.rows, lines.map(|line| (line, stamp.to_owned())))
            .and_then(|end| session.commit().map(|()| end));
        if recorded.is_err() {
            session.roll_back();
        }
        recorded
    }
}
