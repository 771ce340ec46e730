//! The rows of `pki revoke --from`.

use crate::ca::{CaError, Revocable, RowVerdict, Verdict, find_all};
use crate::cli::failure::Failure;
use crate::cli::table::{BadRow, Columns, Header, MOST_UNSOUND, Row, TableFile, refusal};
use crate::store::Ca;
use crate::x509::validity::Moment;
use crate::x509::{Reason, Serial};
use std::path::Path;
use time::OffsetDateTime;

const COLUMNS: &Columns = &Columns {
    names: &["serial", "reason", "date"],
    needed: &["serial"],
    header: Header::Optional,
};

/// Certificates with what is to be recorded about them, and what is wrong with other rows.
type Read = (Vec<(Revocable, Verdict)>, Vec<Failure>);

/// Reads a table, and finds what its rows are about.
pub(super) fn read(ca: &Ca, path: &Path, now: OffsetDateTime) -> Result<Read, Failure> {
    let (mut sound, mut verdicts, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    let table = TableFile::open(path)?;
    for (row, verdict) in rows(&table, now)? {
        match verdict {
            Ok(verdict) => {
                verdicts.push(verdict);
                sound.push((row.number, row.line));
            }
            Err(problem) => bad.push((row.number, problem)),
        }
        if bad.len() == MOST_UNSOUND {
            let bad = bad.into_iter().map(|(_, problem)| problem.into());
            return Err(refusal(bad.collect(), 0, "revoked"));
        }
    }
    let mut found = Vec::with_capacity(sound.len());
    for ((number, line), revocable) in sound.into_iter().zip(find_all(ca, verdicts)?) {
        match revocable {
            Ok(revocable) => found.push(revocable),
            // About the store, and not about the row.
            Err(error @ (CaError::Store(_) | CaError::File(_))) => return Err(error.into()),
            Err(error) => bad.push((number, table.bad(line, Some("serial"), error))),
        }
    }
    bad.sort_by_key(|(number, _)| *number);
    let bad = bad.into_iter().map(|(_, problem)| problem.into());
    Ok((found, bad.collect()))
}

/// The rows of a table, and what each is to record.
pub(in crate::cli) fn rows(
    table: &TableFile,
    now: OffsetDateTime,
) -> Result<impl Iterator<Item = (Row, Result<RowVerdict, BadRow>)>, Failure> {
    let rows = table.rows(COLUMNS)?;
    Ok(rows.map(move |row| {
        let verdict = verdict(&row, now);
        (row, verdict)
    }))
}

fn verdict(row: &Row, now: OffsetDateTime) -> Result<RowVerdict, BadRow> {
    row.check()?;
    let text = row
        .field("serial")
        .ok_or_else(|| row.bad(Some("serial"), "a serial number is required"))?;
    let readings = Serial::readings(text);
    let reason = row.parsed("reason", str::parse::<Reason>)?;
    let date = row.parsed("date", |text| {
        let moment = text.parse::<Moment>().map_err(|error| error.to_string())?;
        match moment.resolve(now) {
            None => Err("the date is outside the calendar".to_owned()),
            Some(date) if date > now => Err("the invalidity date is in the future".to_owned()),
            Some(date) => Ok(date),
        }
    })?;
    let readings = readings
        .map_err(|_| row.bad(Some("serial"), format!("{text:?} is not a serial number")))?;
    Ok(RowVerdict {
        text: readings.other.is_some().then(|| text.into()),
        readings,
        verdict: Verdict::Revoke {
            reason: reason.unwrap_or_default(),
            invalidity_date: date,
        },
    })
}
