//! Certificates named by the rows of a table.

use crate::ca::error::CaError;
use crate::ca::revocation::{Revocable, Verdict};
use crate::ca::select::by_readings;
use crate::ca::select::error::SelectError;
use crate::store::Ca;
use crate::x509::Serial;
use crate::x509::serial::SerialReadings;
use std::collections::{HashMap, HashSet};

/// A row of a table.
pub(crate) struct RowVerdict {
    /// Readings of the serial number.
    pub(crate) readings: SerialReadings,
    /// The serial number as written, if it has two readings.
    pub(crate) text: Option<Box<str>>,
    pub(crate) verdict: Verdict,
}

/// The certificate of a row, and its verdict; or why there is none.
type RowTarget = Result<(Revocable, Verdict), CaError>;

/// Finds the certificates of all rows in one scan; or for each row why there is none.
pub(crate) fn find_all(
    ca: &Ca,
    rows: Vec<RowVerdict>,
) -> Result<impl Iterator<Item = RowTarget>, CaError> {
    let mut wanted: HashSet<Serial> = HashSet::with_capacity(rows.len());
    let mut compromised: HashSet<Serial> = HashSet::new();
    for RowVerdict {
        readings, verdict, ..
    } in &rows
    {
        let serials = std::iter::once(readings.first).chain(readings.other);
        wanted.extend(serials.clone());
        if verdict.is_compromise() {
            compromised.extend(serials);
        }
    }
    // Those whose key matters, and the CA's own.
    let mut whole = compromised.clone();
    whole.extend(ca.certificate().serial());
    let mut found: HashMap<Serial, Revocable> = HashMap::with_capacity(wanted.len());
    let mut unreadable = None;
    ca.each_issuance(
        &wanted,
        &whole,
        |brief, whole| match whole {
            Some(issuance) => {
                let with_key = compromised.contains(&issuance.serial);
                Revocable::with_key(ca, &issuance, with_key)
            }
            None => Ok(Revocable::of_brief(brief)),
        },
        |revocable| match revocable {
            Ok(revocable) => {
                found.entry(revocable.serial).or_insert(revocable);
            }
            Err(error) => {
                unreadable.get_or_insert(error);
            }
        },
    )?;
    if let Some(error) = unreadable {
        return Err(error);
    }
    let row = move |row: RowVerdict| {
        let find = |serial: &Serial| Ok(found.get(serial).cloned());
        let text = row.text.unwrap_or_default();
        let revocable = by_readings(ca, &text, &row.readings, find)?;
        let missing = || SelectError::NotFound {
            ca: ca.name().clone(),
            wanted: format!("with serial {}", row.readings.first),
        };
        Ok((revocable.ok_or_else(missing)?, row.verdict))
    };
    Ok(rows.into_iter().map(row))
}
