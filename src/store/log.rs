//! Log of a CA, from all of its journals: the events, with time and user.

use super::ca::Ca;
use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::journal::{self, Expected, SurveyedLine, Writer};
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
        let issued = read(
            journal::search(&self.layout.issued(), &[b""])?,
            |issuance| {
                let issuance: Issuance = issuance;
                (issuance.not_before, Event::Issued(Box::new(issuance)))
            },
        );
        let revoked = read(
            journal::search(&self.layout.revoked(), &[b""])?,
            |line: RevocationLine| {
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
            },
        );
        let crls = read(
            journal::search(&self.layout.signed_crls(), &[b""])?,
            |crl: SignedCrl| (crl.this_update, Event::CrlSigned(crl)),
        );
        let mut logs = vec![issued, revoked, crls];
        if let Some(changes) = self.changes()? {
            logs.push(read(changes, |line: ChangeLine| {
                (OffsetDateTime::UNIX_EPOCH, Event::Changed(line.change))
            }));
        }
        Ok(logs)
    }

    /// Returns the lines of the journal of changes; there is none before the first change.
    fn changes<T: DeserializeOwned + Send + 'static>(
        &self,
    ) -> Result<Option<journal::Search<T>>, StoreError> {
        let path = self.layout.changes();
        if !file::stands(&path)? {
            return Ok(None);
        }
        Ok(Some(journal::search(&path, &[b""])?))
    }

    /// Counts the records of a change.
    pub(super) fn count_changes(&self, wanted: Change) -> Result<u64, StoreError> {
        let mut count = 0;
        for line in self.changes()?.into_iter().flatten() {
            let line: ChangeLine = line?;
            count += u64::from(line.change == wanted);
        }
        Ok(count)
    }

    /// Records a change of a CA that no other process can change, durably.
    pub(super) fn append_change(&self, change: Change) -> Result<(), StoreError> {
        let path = self.layout.changes();
        if !file::stands(&path)? {
            let nothing: [ChangeLine; 0] = [];
            let start = journal::start(CHANGES, self.name().as_str(), &nothing);
            file::write(&path, Access::Store, Existing::Keep, &start)
                .map_err(|error| error.source)?;
        }
        Writer::open(&path, &self.operator)?.append([ChangeLine { change }])
    }

    pub(crate) fn changes_location(&self) -> Location {
        self.layout.changes().into()
    }

    /// Reads every line of the journal of changes, damaged or not.
    pub(crate) fn survey_changes(
        &self,
        each: impl FnMut(SurveyedLine<()>),
    ) -> Result<(), StoreError> {
        let path = self.layout.changes();
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

/// Name of the journal of changes in its header.
pub(super) const CHANGES: &str = "changes";

/// Turns the lines of a journal into entries; `event` returns the time to use if none is recorded.
fn read<T: DeserializeOwned + Send + 'static>(
    lines: journal::Search<Stamped<T>>,
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
