//! Writing certificates and keys of leaves, column by column.

use super::session::Value;
use super::{Rows, stamped};
use crate::store::error::StoreError;
use crate::store::record::{BatchRow, Issuance};
use crate::x509::{Certificate, Fingerprint, RecordedProfile, Serial};
use postgres::types::Type;
use zeroize::Zeroizing;

/// Key of a leaf that is recorded together with its certificate.
pub(super) type NewKey = (Serial, Zeroizing<Vec<u8>>);

/// Returns whether a certificate is that of a CA.
pub(super) fn is_authority(issuance: &Issuance) -> bool {
    match issuance.profile {
        RecordedProfile::Subordinate | RecordedProfile::Imported => {
            let read = issuance.der.as_deref().map(Certificate::from_der);
            read.is_some_and(|read| read.is_ok_and(|certificate| certificate.is_ca()))
        }
        _ => false,
    }
}

const RECORD: &str =
    "SELECT pki.record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const RECORD_ALONE: &str =
    "SELECT pki.record_alone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Stamp of each of several records.
pub(super) type Stamps<'a> = dyn Fn(usize) -> &'a str + 'a;

/// Writes certificates and keys of leaves. With `compared`, the revision of the last look and whether the store gets
/// another one; returns `false` if it was not the same.
pub(super) fn write(
    rows: &Rows,
    issuances: &[Issuance],
    keys: &[NewKey],
    stamps: &Stamps<'_>,
    compared: Option<(i64, bool)>,
) -> Result<bool, StoreError> {
    let session = &rows.session;
    let (expected, own) = match compared {
        Some((seen, false)) => (seen, None),
        Some((seen, true)) => {
            let own = seen + 1;
            let expected = if session.is_inside() { own } else { seen };
            (expected, Some(own))
        }
        None => {
            let row = session.query_one("SELECT revision FROM pki.store", &[])?;
            (row.get(0), Some(row.get(0)))
        }
    };
    if let ([leaf], None) = (issuances, own)
        && keys.iter().all(|(serial, _)| *serial == leaf.serial)
    {
        return write_leaf(rows, leaf, keys.first(), stamps(0), expected);
    }
    let column = Columns::of(issuances, stamps);
    let key_serials: Vec<&[u8]> = keys.iter().map(|(serial, _)| serial.magnitude()).collect();
    let pems: Vec<&[u8]> = keys.iter().map(|(_, pem)| pem.as_slice()).collect();
    let mut values: Vec<Value<'_>> = vec![
        (&rows.id, Type::INT4),
        (&expected, Type::INT8),
        (&own, Type::INT8),
        (&column.serials, Type::BYTEA_ARRAY),
        (&column.counters, Type::TEXT_ARRAY),
        (&column.cns, Type::TEXT_ARRAY),
        (&column.keys, Type::INT8_ARRAY),
        (&column.renewed, Type::BYTEA_ARRAY),
        (&column.rows, Type::TEXT_ARRAY),
        (&column.entries, Type::BOOL_ARRAY),
        (&column.records, Type::TEXT_ARRAY),
        (&column.ders, Type::BYTEA_ARRAY),
        (&key_serials, Type::BYTEA_ARRAY),
        (&pems, Type::BYTEA_ARRAY),
    ];
    let row = if own.is_none() {
        session.commit_one(RECORD, &values)?
    } else {
        values.push((&column.cas, Type::BOOL_ARRAY));
        session.commit_one(RECORD_ALONE, &values)?
    };
    Ok(row.get::<_, Option<bool>>(0) == Some(true))
}

/// Writes the certificate of a leaf and its key; a statement with single values takes less time than one with columns.
fn write_leaf(
    rows: &Rows,
    leaf: &Issuance,
    key: Option<&NewKey>,
    stamp: &str,
    expected: i64,
) -> Result<bool, StoreError> {
    let row = rows.session.commit_one(
        "SELECT pki.record_leaf($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            (&rows.id, Type::INT4),
            (&expected, Type::INT8),
            (&leaf.serial.magnitude(), Type::BYTEA),
            (&leaf.counter.to_string(), Type::TEXT),
            (&leaf.cn.as_str(), Type::TEXT),
            (&key_of(leaf), Type::INT8),
            (&leaf.row.as_ref().map(text_of_row), Type::TEXT),
            (&record_of(leaf, stamp), Type::TEXT),
            (&leaf.der.as_deref(), Type::BYTEA),
            (&key.map(|(_, pem)| pem.as_slice()), Type::BYTEA),
        ],
    )?;
    Ok(row.get(0))
}

/// Values of rows, column by column.
struct Columns<'a> {
    serials: Vec<&'a [u8]>,
    counters: Vec<String>,
    cns: Vec<&'a str>,
    keys: Vec<Option<i64>>,
    renewed: Vec<Option<&'a [u8]>>,
    rows: Vec<Option<String>>,
    entries: Vec<bool>,
    cas: Vec<bool>,
    records: Vec<String>,
    ders: Vec<Option<&'a [u8]>>,
}

impl<'a> Columns<'a> {
    fn of(issuances: &'a [Issuance], stamps: &Stamps<'_>) -> Self {
        fn each<'a, T>(issuances: &'a [Issuance], of: impl FnMut(&'a Issuance) -> T) -> Vec<T> {
            issuances.iter().map(of).collect()
        }
        Self {
            serials: each(issuances, |it| it.serial.magnitude()),
            counters: each(issuances, |it| it.counter.to_string()),
            cns: each(issuances, |it| it.cn.as_str()),
            keys: each(issuances, key_of),
            renewed: each(issuances, |it| it.renews.as_ref().map(Serial::magnitude)),
            rows: each(issuances, |it| it.row.as_ref().map(text_of_row)),
            entries: each(issuances, |it| it.entry.is_some()),
            cas: each(issuances, is_authority),
            records: issuances
                .iter()
                .enumerate()
                .map(|(index, it)| record_of(it, stamps(index)))
                .collect(),
            ders: each(issuances, |it| it.der.as_deref()),
        }
    }
}

/// Returns a record without the certificate, which has a column.
fn record_of(issuance: &Issuance, stamp: &str) -> String {
    let without = Issuance {
        der: None,
        ..issuance.clone()
    };
    stamped(&without, stamp)
}

/// Returns the row of a table as records have it.
fn text_of_row(row: &BatchRow) -> String {
    let json = serde_json::to_value(row).expect("a row is plain data");
    json.as_str().unwrap_or_default().to_owned()
}

fn key_of(issuance: &Issuance) -> Option<i64> {
    let certificate = Certificate::from_der(issuance.der.as_deref()?).ok()?;
    Some(begin_of_hash(certificate.public_key().secret_part()))
}

/// Returns the begin of the hash of the secret part of a key, by which certificates about it are found.
pub(super) fn begin_of_hash(secret_part: &[u8]) -> i64 {
    let mut begin = [0; 8];
    begin.copy_from_slice(&Fingerprint::of(secret_part).as_bytes()[..8]);
    i64::from_be_bytes(begin)
}
