//! Check of the rows of a table, before anything is issued.

use super::rows::{COLUMNS, CertificateRow, Defaults, kinds};
use crate::ca::{DryRun, ExportPlace, Issuer, Notice, TableRow, on_all_cores};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::{MOST_UNSOUND, TableFile, refusal};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Rows that are looked at together.
const GROUP: usize = 4096;

/// Bytes of rows over which no more of them are looked at together.
const GROUP_LENGTH: usize = 4 << 20;

/// Result of the check of the rows.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) makes_keys: bool,
    pub(super) unsound: BTreeMap<u64, Failure>,
}

/// Holds rows to all that they will be held to when they are issued.
pub(super) struct RowCheck<'a> {
    dry_run: DryRun<'a>,
    /// The folder of the files, and whether DER is among them.
    place: Option<(&'a ExportPlace, bool)>,
    issued: &'a HashSet<u64>,
    /// Base names of the files of the rows so far.
    names: HashSet<String>,
    notices: HashSet<String>,
    context: &'a Context,
}

/// A row that can be issued.
struct Sound {
    name: String,
    notices: Vec<Notice>,
}

impl<'a> RowCheck<'a> {
    /// `place` is the folder of the rows' files, and whether DER is among them; `issued` are the rows
    /// that have their certificates.
    pub(super) fn new(
        issuer: &'a Issuer,
        place: Option<(&'a ExportPlace, bool)>,
        issued: &'a HashSet<u64>,
        context: &'a Context,
    ) -> Self {
        Self {
            dry_run: DryRun::new(issuer, context.now),
            place,
            issued,
            names: HashSet::new(),
            notices: HashSet::new(),
            context,
        }
    }

    pub(super) fn look_at(
        &mut self,
        table: &TableFile,
        defaults: &Arc<Defaults>,
    ) -> Result<Seen, Failure> {
        let rows = table.rows(COLUMNS)?;
        let mut rows = rows.map(|row| CertificateRow::new(row, defaults));
        let mut seen = Seen::default();
        loop {
            let group = next_group(&mut rows);
            if group.is_empty() {
                return Ok(seen);
            }
            let checked: Vec<Result<Sound, Failure>> =
                on_all_cores(group.iter().collect(), |row| self.check(row));
            for (row, checked) in group.iter().zip(checked) {
                seen.count += 1;
                seen.makes_keys |= row.makes_key();
                let named = checked.and_then(|sound| self.take_note(row, sound));
                if let Err(failure) = named {
                    seen.unsound.insert(row.number(), failure);
                }
            }
            if seen.unsound.len() >= MOST_UNSOUND {
                return Err(refusal(seen.unsound.into_values().collect(), 0, "issued"));
            }
        }
    }

    fn check(&self, row: &CertificateRow) -> Result<Sound, Failure> {
        let request = row.request()?;
        let name = row.file_name().map(ToOwned::to_owned);
        let name = name.unwrap_or_else(|| request.file_name());
        if self.issued.contains(&row.number()) {
            return Ok(Sound {
                name,
                notices: Vec::new(),
            });
        }
        if let Some((folder, der)) = self.place {
            let there = folder.check(&name, &kinds(row, der));
            there.map_err(|error| row.unplaced(error))?;
        }
        let checked = self.dry_run.check(request);
        let notices = checked.map_err(|error| row.refused(error))?;
        Ok(Sound { name, notices })
    }

    fn take_note(&mut self, row: &CertificateRow, sound: Sound) -> Result<(), Failure> {
        let Sound { name, notices } = sound;
        if self.place.is_some() && !self.names.insert(name.clone()) {
            let problem = format!("another row has the file name {name:?}");
            return Err(row.bad("name", problem));
        }
        for notice in notices {
            let text = notice.to_string();
            if self.notices.insert(text.clone()) {
                self.context.notice(format!("{}: {text}", row.place()));
            }
        }
        Ok(())
    }
}

/// As many rows as are looked at together.
fn next_group(rows: &mut impl Iterator<Item = CertificateRow>) -> Vec<CertificateRow> {
    let mut group = Vec::new();
    let mut length = 0;
    while group.len() < GROUP
        && length < GROUP_LENGTH
        && let Some(row) = rows.next()
    {
        length += row.length();
        group.push(row);
    }
    group
}

impl Seen {
    /// Returns the failure of rows that can't be issued, when none was.
    pub(super) fn refusal(self) -> Failure {
        let sound = self.count - self.unsound.len() as u64;
        refusal(self.unsound.into_values().collect(), sound, "issued")
    }
}
