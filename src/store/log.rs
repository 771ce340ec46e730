//! Log of a CA, from all of its journals: the events, with time and user.

use super::ca::Ca;
use super::database::Rows;
use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::journal::{self, Expected, SurveyedLine, Writer};
use super::layout::CaLayout;
use super::location::Location;
use super::record::{Change, ChangeLine, Issuance, RevocationLine, Revoked, SignedCrl, Stamped};
use crate::x509::Serial;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

/// A record of a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEntry {
    /// Time of recording. Earlier versions and other programs did not record it: then the time that the record
    /// itself has.
    pub(crate) at: OffsetDateTime,
    /// `USER@HOST`; `None` if it was not recorded.
    pub(crate) by: Option<String>,
    pub(crate) event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Issued(Box<Issuance>),
    Revoked { serial: Serial, revoked: Revoked },
    Released { serial: Serial },
    CrlSigned(SignedCrl),
    Changed(Change),
}

/// Entries of one journal.
pub(crate) type Log = Box<dyn Iterator<Item = Result<LogEntry, StoreError>>>;

impl Ca {
    /// Returns the entries of each journal, in the order of recording.
    pub(crate) fn logs(&self) -> Result<Vec<Log>, StoreError> {
        if let Some(rows) = self.rows() {
            return self.logs_of(rows);
        }
        let issued = read(
            journal::search(&self.layout()?.issued(), &[b""])?,
            issued_event,
        );
        let revoked = read(
            journal::search(&self.layout()?.revoked(), &[b""])?,
            revoked_event,
        );
        let crls = read(
            journal::search(&self.layout()?.signed_crls(), &[b""])?,
            crl_event,
        );
        let mut logs = vec![issued, revoked, crls];
        if let Some(changes) = self.changes()? {
            logs.push(read(changes, change_event));
        }
        Ok(logs)
    }

    /// Returns the same of a CA in a database.
    fn logs_of(&self, rows: &Rows) -> Result<Vec<Log>, StoreError> {
        let issued = rows.stamped_issuances();
        Ok(vec![
            read(issued, issued_event),
            read(self.read_rows(rows, "revocation", "number")?, revoked_event),
            read(self.read_rows(rows, "crl", "number")?, crl_event),
            read(self.read_rows(rows, "change", "id")?, change_event),
        ])
    }

    fn read_rows<T: DeserializeOwned + 'static>(
        &self,
        rows: &Rows,
        table: &'static str,
        order: &'static str,
    ) -> Result<impl Iterator<Item = Result<Stamped<T>, StoreError>> + use<T>, StoreError> {
        let (records, location) = (rows.records(table, order)?, rows.location("a record"));
        Ok(records.into_iter().map(move |record| {
            serde_json::from_str(&record)
                .map_err(|error| StoreError::damaged(&location, format!("cannot be read: {error}")))
        }))
    }

    /// Returns the lines of the journal of changes; there is none before the first change.
    fn changes<T: DeserializeOwned + Send + 'static>(
        &self,
    ) -> Result<Option<journal::Search<T>>, StoreError> {
        let path = self.layout()?.changes();
        if !file::stands(&path)? {
            return Ok(None);
        }
        Ok(Some(journal::search(&path, &[b""])?))
    }

    /// Returns the records of changes in the journal, with time and user.
    pub(super) fn stamped_changes(
        &self,
    ) -> Result<impl Iterator<Item = Result<Stamped<ChangeLine>, StoreError>> + use<>, StoreError>
    {
        Ok(self.changes()?.into_iter().flatten())
    }

    /// Counts the records of a change.
    pub(super) fn count_changes(&self, wanted: Change) -> Result<u64, StoreError> {
        let mut count = 0;
        if let Some(rows) = self.rows() {
            let lines = self.read_rows::<ChangeLine>(rows, "change", "id")?;
            for line in lines {
                count += u64::from(line?.record.change == wanted);
            }
            return Ok(count);
        }
        for line in self.changes()?.into_iter().flatten() {
            let line: ChangeLine = line?;
            count += u64::from(line.change == wanted);
        }
        Ok(count)
    }

    /// Records a change of a CA that no other process can change, durably.
    pub(super) fn append_change(&self, change: Change) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            return rows.record_change(change, self.operator.stamp());
        }
        let path = self.layout()?.changes();
        if !file::stands(&path)? {
            let nothing: [ChangeLine; 0] = [];
            let start = journal::start(CHANGES, self.name().as_str(), &nothing);
            file::write(&path, Access::Store, Existing::Keep, &start)
                .map_err(|error| error.source)?;
        }
        Writer::open(&path, &self.operator)?.append([ChangeLine { change }])
    }

    pub(crate) fn changes_location(&self) -> Location {
        self.location_of(CaLayout::changes, "the changes")
    }

    /// Reads every line of the journal of changes, damaged or not.
    pub(crate) fn survey_changes(
        &self,
        each: impl FnMut(SurveyedLine<()>),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            return self
                .read_rows::<ChangeLine>(rows, "change", "id")?
                .try_for_each(|line| line.map(drop));
        }
        let path = self.layout()?.changes();
        if !file::stands(&path)? {
            return Ok(());
        }
        let expected = Expected {
            journal: CHANGES,
            ca: self.name().as_str(),
        };
        journal::survey(&path, expected, |_: ChangeLine, _| (), each)
    }
}

fn issued_event(issuance: Issuance) -> (OffsetDateTime, Event) {
    (issuance.not_before, Event::Issued(Box::new(issuance)))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "all events are made of records"
)]
fn revoked_event(line: RevocationLine) -> (OffsetDateTime, Event) {
    let RevocationLine {
        serial,
        revoked,
        released_at,
        ..
    } = line;
    let Some(revoked) = revoked else {
        let at = released_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        return (at, Event::Released { serial });
    };
    (revoked.revoked_at, Event::Revoked { serial, revoked })
}

fn crl_event(crl: SignedCrl) -> (OffsetDateTime, Event) {
    (crl.this_update, Event::CrlSigned(crl))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "all events are made of records"
)]
fn change_event(line: ChangeLine) -> (OffsetDateTime, Event) {
    (OffsetDateTime::UNIX_EPOCH, Event::Changed(line.change))
}

/// Name of the journal of changes in its header.
pub(super) const CHANGES: &str = "changes";

/// Turns the lines of a journal into entries; `event` returns the time to use if none is recorded.
fn read<T: DeserializeOwned + Send + 'static>(
    lines: impl Iterator<Item = Result<Stamped<T>, StoreError>> + 'static,
    event: impl Fn(T) -> (OffsetDateTime, Event) + 'static,
) -> Log {
    Box::new(lines.map(move |line| {
        let Stamped { record, at, by } = line?;
        let (own, event) = event(record);
        Ok(LogEntry {
            at: at.unwrap_or(own),
            by,
            event,
        })
    }))
}
