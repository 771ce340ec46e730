//! CAs in a database: made, completed, changed and removed, each in one transaction.

use super::facts::CaRow;
use super::session::{Session, is_repeated};
use super::writing::write;
use super::{Rows, nothing_revoked, revocations, stamp_of, stamped};
use crate::store::Operator;
use crate::store::error::StoreError;
use crate::store::history::History;
use crate::store::material::Material;
use crate::store::record::{CaRecord, Change, ChangeLine, RevocationLine, SignedCrl};
use crate::x509::{Certificate, Serial};
use postgres::types::Type;
use zeroize::Zeroizing;

/// Records of certificates that are written together.
const PART: usize = 1000;

/// Kind of a new CA: it has its certificate, or a CSR.
pub(in crate::store) enum Identity<'a> {
    Certificate(&'a Certificate),
    Request(&'a [u8]),
}

impl Session {
    /// Adds a CA, in a transaction that is still to be committed.
    pub(in crate::store) fn add(
        &self,
        material: &Material<'_>,
        operator: &Operator,
    ) -> Result<(), StoreError> {
        let identity = Identity::Certificate(material.certificate);
        let rows = self.insert(material.record, &identity, "ready", material.key_pem)?;
        let history = material.history;
        rows.start_counters(
            material.serial_counter,
            history.map_or(0, |history| history.crl_number),
        )?;
        // Others issued what a CA brings along.
        let stamp = stamp_of(operator, history.is_some());
        for part in material.issued.chunks(PART) {
            write(&rows, part, &[], &|_| stamp, None)?;
        }
        if let Some(change) = material.change {
            rows.record_change(change, operator.stamp())?;
        }
        history.map_or(Ok(()), |history| rows.add_history(history))
    }

    /// Adds a pending CA, in a transaction that is still to be committed.
    pub(in crate::store) fn add_pending(
        &self,
        record: &CaRecord,
        request: &[u8],
        key_pem: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.insert(record, &Identity::Request(request), "pending", key_pem)
            .map(drop)
    }

    /// Adds a CA without counters and records, in a transaction that is still to be committed.
    pub(in crate::store) fn add_bare(
        &self,
        record: &CaRecord,
        certificate: &Certificate,
        state: &str,
        key_pem: Option<&[u8]>,
    ) -> Result<Rows, StoreError> {
        self.insert(record, &Identity::Certificate(certificate), state, key_pem)
    }

    fn insert(
        &self,
        record: &CaRecord,
        identity: &Identity<'_>,
        state: &str,
        key_pem: Option<&[u8]>,
    ) -> Result<Rows, StoreError> {
        let (certificate, request) = match identity {
            Identity::Certificate(certificate) => (Some(certificate.der()), None),
            Identity::Request(request) => (None, Some(*request)),
        };
        let has_key = key_pem.is_some();
        let row = self.query_one(
            "INSERT INTO pki.ca (name, state, record, certificate, request, has_key)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            &[
                (&record.name.as_str(), Type::TEXT),
                (&state, Type::TEXT),
                (&text_of(record), Type::TEXT),
                (&certificate, Type::BYTEA),
                (&request, Type::BYTEA),
                (&has_key, Type::BOOL),
            ],
        );
        let row = row.map_err(|error| {
            if is_repeated(&error) {
                let name = record.name.clone();
                return StoreError::CaExists { name };
            }
            error
        })?;
        let rows = Rows {
            session: self.clone(),
            id: row.get(0),
            has_key,
            name: record.name.to_string(),
        };
        if let Some(pem) = key_pem {
            rows.set_key(pem)?;
        }
        Ok(rows)
    }

    /// Removes a CA, with all that is on record of it.
    pub(in crate::store) fn remove_row(&self, row: &CaRow) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM pki.serial_counter WHERE ca = $1",
            "DELETE FROM pki.certificate WHERE ca = $1",
            "DELETE FROM pki.leaf_key WHERE ca = $1",
            "DELETE FROM pki.revocation WHERE ca = $1",
            "DELETE FROM pki.authority WHERE ca = $1",
            "DELETE FROM pki.ca WHERE id = $1",
        ] {
            self.execute(sql, &[(&row.id, Type::INT4)])?;
        }
        Ok(())
    }

    /// Replaces the file of profiles.
    pub(in crate::store) fn set_profiles(&self, text: &str) -> Result<(), StoreError> {
        self.execute("UPDATE pki.store SET profiles = $1", &[(&text, Type::TEXT)])?;
        Ok(())
    }

    /// Does something alone that rests on nothing that was read, and commits it.
    pub(in crate::store) fn alone_anyway<R>(
        &self,
        work: impl FnOnce() -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.begin()?;
        let entered = self.enter_alone();
        let done = entered.and_then(|_| work());
        let done = done.and_then(|result| self.commit().map(|()| result));
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    /// Does something alone and commits it, if nothing changed since the last look.
    pub(in crate::store) fn alone<R>(
        &self,
        work: impl FnOnce() -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.begin_alone(self.facts()?.revision)?;
        let done = work().and_then(|result| self.commit().map(|()| result));
        if done.is_err() {
            self.roll_back();
        }
        done
    }
}

fn text_of(record: &CaRecord) -> String {
    serde_json::to_string(record).expect("a record is plain data")
}

impl Rows {
    /// Waits until nobody else replaces the CA's key, in a transaction.
    pub(in crate::store) fn lock_key(&self) -> Result<(), StoreError> {
        self.session.begin()?;
        let sql = "SELECT 1 FROM pki.ca_key WHERE ca = $1 FOR UPDATE";
        let locked = self.session.query(sql, &[(&self.id, Type::INT4)]).map(drop);
        if locked.is_err() {
            self.session.roll_back();
        }
        self.session.forget();
        locked
    }

    /// Replaces the key of a leaf.
    pub(in crate::store) fn set_leaf_key(
        &self,
        serial: &Serial,
        pem: &[u8],
    ) -> Result<(), StoreError> {
        self.session.execute(
            "UPDATE pki.leaf_key SET pem = $3 WHERE ca = $1 AND serial = $2",
            &[
                (&self.id, Type::INT4),
                (&serial.magnitude(), Type::BYTEA),
                (&pem, Type::BYTEA),
            ],
        )?;
        Ok(())
    }

    pub(in crate::store) fn set_key(&self, pem: &[u8]) -> Result<(), StoreError> {
        self.session.execute(
            "INSERT INTO pki.ca_key (ca, pem) VALUES ($1, $2) ON CONFLICT (ca) DO UPDATE SET pem = excluded.pem",
            &[(&self.id, Type::INT4), (&pem, Type::BYTEA)],
        )?;
        Ok(())
    }

    pub(in crate::store) fn remove_key(&self) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM pki.ca_key WHERE ca = $1",
            "UPDATE pki.ca SET has_key = false WHERE id = $1",
        ] {
            self.session.execute(sql, &[(&self.id, Type::INT4)])?;
        }
        Ok(())
    }

    pub(in crate::store) fn start_counters(
        &self,
        counter: u128,
        crl_number: u128,
    ) -> Result<(), StoreError> {
        let end = nothing_revoked();
        for (sql, number) in [
            (
                "INSERT INTO pki.serial_counter (ca, counter, timeline)
                 VALUES ($1, $2::text::numeric, pki.timeline())",
                counter,
            ),
            (
                "INSERT INTO pki.crl_counter (ca, number, timeline)
                 VALUES ($1, $2::text::numeric, pki.timeline())",
                crl_number,
            ),
        ] {
            let number = number.to_string();
            self.session
                .execute(sql, &[(&self.id, Type::INT4), (&number, Type::TEXT)])?;
        }
        self.session.execute(
            "INSERT INTO pki.revocation_end (ca, number, \"check\") VALUES ($1, 0, $2)",
            &[(&self.id, Type::INT4), (&end.check, Type::TEXT)],
        )?;
        Ok(())
    }

    fn add_history(&self, history: &History) -> Result<(), StoreError> {
        let lines = history.revocations.iter();
        let lines = lines.map(|change| (RevocationLine::from(change), String::new()));
        let end = revocations::append(self, lines)?;
        if let Some(crl) = &history.last_crl {
            let covers = if crl.is_complete {
                end
            } else {
                nothing_revoked()
            };
            self.add_crl(&crl.record_covering(covers), "")?;
        }
        for part in history.leaf_keys.chunks(PART) {
            self.add_leaf_keys(part)?;
        }
        Ok(())
    }

    /// Adds a CRL that was signed elsewhere.
    pub(in crate::store) fn add_crl(&self, crl: &SignedCrl, stamp: &str) -> Result<(), StoreError> {
        self.session.execute(
            "INSERT INTO pki.crl (ca, number, ahead, record) VALUES ($1, $2::text::numeric, $3, $4)",
            &[
                (&self.id, Type::INT4),
                (&crl.number.to_string(), Type::TEXT),
                (&crl.ahead, Type::BOOL),
                (&stamped(crl, stamp), Type::TEXT),
            ],
        )?;
        Ok(())
    }

    /// Adds keys of leaves.
    pub(in crate::store) fn add_leaf_keys(
        &self,
        keys: &[(Serial, Zeroizing<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        let serials: Vec<&[u8]> = keys.iter().map(|(serial, _)| serial.magnitude()).collect();
        let pems: Vec<&[u8]> = keys.iter().map(|(_, pem)| pem.as_slice()).collect();
        self.session.execute(
            "INSERT INTO pki.leaf_key (ca, serial, pem) SELECT $1, * FROM unnest($2, $3)",
            &[
                (&self.id, Type::INT4),
                (&serials, Type::BYTEA_ARRAY),
                (&pems, Type::BYTEA_ARRAY),
            ],
        )?;
        Ok(())
    }

    /// Removes keys of leaves for which no certificate was recorded.
    pub(in crate::store) fn remove_leaf_keys(&self, serials: &[Serial]) -> Result<(), StoreError> {
        let serials: Vec<&[u8]> = serials.iter().map(Serial::magnitude).collect();
        self.session.execute(
            "DELETE FROM pki.leaf_key k WHERE ca = $1 AND serial = ANY($2) AND NOT EXISTS
             (SELECT FROM pki.certificate c WHERE c.ca = k.ca AND c.serial = k.serial)",
            &[(&self.id, Type::INT4), (&serials, Type::BYTEA_ARRAY)],
        )?;
        Ok(())
    }

    pub(in crate::store) fn record_change(
        &self,
        change: Change,
        stamp: &str,
    ) -> Result<(), StoreError> {
        let line = ChangeLine { change };
        let name = serde_json::to_value(change).expect("a name is plain data");
        self.session.execute(
            "INSERT INTO pki.change (ca, change, record) VALUES ($1, $2, $3)",
            &[
                (&self.id, Type::INT4),
                (&name.as_str(), Type::TEXT),
                (&stamped(&line, stamp), Type::TEXT),
            ],
        )?;
        Ok(())
    }

    /// Replaces the certificate in force, in a transaction that has entered alone; keeps and returns that one.
    pub(in crate::store) fn replace_certificate(
        &self,
        certificate: &Certificate,
    ) -> Result<Certificate, StoreError> {
        let row = self.session.query_one(
            "SELECT certificate FROM pki.ca WHERE id = $1",
            &[(&self.id, Type::INT4)],
        )?;
        let before = Certificate::from_der(row.get(0)).map_err(|error| {
            let problem = format!("cannot be read: {error}");
            StoreError::damaged(self.location("the certificate"), problem)
        })?;
        self.keep_previous(&before)?;
        self.session.execute(
            "UPDATE pki.ca SET certificate = $2 WHERE id = $1",
            &[(&self.id, Type::INT4), (&certificate.der(), Type::BYTEA)],
        )?;
        Ok(before)
    }

    /// Keeps a certificate before the one in force.
    pub(in crate::store) fn keep_previous(&self, before: &Certificate) -> Result<(), StoreError> {
        self.session.execute(
            "INSERT INTO pki.previous_certificate (ca, fingerprint, certificate) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            &[
                (&self.id, Type::INT4),
                (&before.fingerprint().to_string(), Type::TEXT),
                (&before.der(), Type::BYTEA),
            ],
        )?;
        Ok(())
    }

    /// Returns the certificates before the one in force, by the fingerprints under which they are kept.
    pub(in crate::store) fn previous_certificates(
        &self,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = self.session.query(
            "SELECT fingerprint, certificate FROM pki.previous_certificate WHERE ca = $1 ORDER BY fingerprint",
            &[(&self.id, Type::INT4)],
        )?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub(in crate::store) fn set_record(&self, record: &CaRecord) -> Result<(), StoreError> {
        self.session.execute(
            "UPDATE pki.ca SET record = $2 WHERE id = $1",
            &[(&self.id, Type::INT4), (&text_of(record), Type::TEXT)],
        )?;
        Ok(())
    }

    /// Makes a CA one that was removed: it keeps its records and numbers, without its keys.
    pub(in crate::store) fn remove(&self, stamp: &str) -> Result<(), StoreError> {
        self.record_change(Change::Removed, stamp)?;
        for sql in [
            "UPDATE pki.ca SET state = 'removed', has_key = false WHERE id = $1",
            "DELETE FROM pki.ca_key WHERE ca = $1",
            "DELETE FROM pki.leaf_key WHERE ca = $1",
            "DELETE FROM pki.presigned_crl WHERE ca = $1",
        ] {
            self.session.execute(sql, &[(&self.id, Type::INT4)])?;
        }
        Ok(())
    }

    /// Returns the records of a table of the CA in their order, with time and user.
    pub(in crate::store) fn records(
        &self,
        table: &'static str,
        order: &'static str,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!("SELECT record FROM pki.{table} WHERE ca = $1 ORDER BY {order}");
        let rows = self.session.query(&sql, &[(&self.id, Type::INT4)])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
