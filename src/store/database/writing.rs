//! Writing certificates and keys of leaves, column by column.

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
    let is_inside = session.is_inside();
    let (seen, counts) = match compared {
        Some(compared) => compared,
        None => (
            session
                .query_one("SELECT revision - 1 FROM pki.store", &[])?
                .get(0),
            true,
        ),
    };
    let column = Columns::of(issuances, stamps);
    let key_serials: Vec<&[u8]> = keys.iter().map(|(serial, _)| serial.magnitude()).collect();
    let pems: Vec<&[u8]> = keys.iter().map(|(_, pem)| pem.as_slice()).collect();
    let row = session.commit_one(
        "SELECT pki.record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        &[
            (&rows.id, Type::INT4),
            (&seen, Type::INT8),
            (&counts, Type::BOOL),
            (&is_inside, Type::BOOL),
            (&column.serials, Type::BYTEA_ARRAY),
            (&column.counters, Type::TEXT_ARRAY),
            (&column.cns, Type::TEXT_ARRAY),
            (&column.profiles, Type::TEXT_ARRAY),
            (&column.ends, Type::INT8_ARRAY),
            (&column.keys, Type::BYTEA_ARRAY),
            (&column.renewed, Type::BYTEA_ARRAY),
            (&column.batches, Type::TEXT_ARRAY),
            (&column.rows, Type::TEXT_ARRAY),
            (&column.entries, Type::BOOL_ARRAY),
            (&column.cas, Type::BOOL_ARRAY),
            (&column.records, Type::TEXT_ARRAY),
            (&column.ders, Type::BYTEA_ARRAY),
            (&key_serials, Type::BYTEA_ARRAY),
            (&pems, Type::BYTEA_ARRAY),
        ],
    )?;
    Ok(row.get(0))
}

/// Values of rows, column by column.
struct Columns<'a> {
    serials: Vec<&'a [u8]>,
    counters: Vec<String>,
    cns: Vec<&'a str>,
    profiles: Vec<String>,
    ends: Vec<i64>,
    keys: Vec<Option<Vec<u8>>>,
    renewed: Vec<Option<&'a [u8]>>,
    batches: Vec<Option<String>>,
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
            profiles: each(issuances, |it| it.profile.to_string()),
            ends: each(issuances, |it| it.not_after.unix_timestamp()),
            keys: each(issuances, key_hash),
            renewed: each(issuances, |it| it.renews.as_ref().map(Serial::magnitude)),
            rows: each(issuances, |it| it.row.as_ref().map(text_of_row)),
            batches: each(issuances, |it| {
                it.row.map(|row| row.batch.table.to_string())
            }),
            entries: each(issuances, |it| it.entry.is_some()),
            cas: each(issuances, is_authority),
            records: issuances
                .iter()
                .enumerate()
                .map(|(index, it)| {
                    let without = Issuance {
                        der: None,
                        ..it.clone()
                    };
                    stamped(&without, stamps(index))
                })
                .collect(),
            ders: each(issuances, |it| it.der.as_deref()),
        }
    }
}

/// Returns the row of a table as records have it.
fn text_of_row(row: &BatchRow) -> String {
    let json = serde_json::to_value(row).expect("a row is plain data");
    json.as_str().unwrap_or_default().to_owned()
}

fn key_hash(issuance: &Issuance) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(issuance.der.as_deref()?).ok()?;
    Some(
        Fingerprint::of(certificate.public_key().secret_part())
            .as_bytes()
            .to_vec(),
    )
}
