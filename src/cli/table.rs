//! Tables: CSV files (RFC 4180) that commands read row by row.
//!
//! A table is read twice, first to see whether every row is sound; what can't be read twice, such as
//! standard input, is kept in memory meanwhile. The first row names the columns, in any order, or
//! is a row like the others, whose columns are then in the order of the documentation.

use super::failure::Failure;
use crate::store::{FileError, TableId};
use csv::{ReaderBuilder, StringRecord, Trim};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names of columns, in the order in which a row without a header has them.
pub(super) type Columns = &'static [&'static str];

/// A table that can be read more than once.
pub(super) struct TableFile {
    path: PathBuf,
    file: Arc<File>,
}

/// What is wrong with a row, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", self.place())]
pub(super) struct BadRow {
    path: PathBuf,
    line: u64,
    column: Option<&'static str>,
    problem: String,
}

impl BadRow {
    fn place(&self) -> String {
        let Self {
            path, line, column, ..
        } = self;
        let column = column.map_or_else(String::new, |name| format!(", column {name}"));
        format!("{} line {line}{column}", path.display())
    }
}

/// That rows are not sound, and that nothing was done because of them; the first ones are named.
pub(super) fn refusal(mut unsound: Vec<Failure>, sound: u64, done: &str) -> Failure {
    const MOST_NAMED: usize = 20;
    let more = unsound.len().saturating_sub(MOST_NAMED);
    unsound.truncate(MOST_NAMED);
    let hint = format!("nothing was {done}");
    Failure::of_rows(unsound, more).hint_at_end(match sound {
        0 => hint,
        _ => format!("{hint}; --keep-going leaves these rows out"),
    })
}

/// The rows of a table, read as they are asked for.
pub(super) struct Rows {
    path: Arc<Path>,
    columns: Columns,
    /// The place in a row of each of the columns that there can be.
    places: Arc<[Option<usize>]>,
    reader: csv::Reader<FromStart>,
    count: u64,
}

/// A row of a table.
pub(super) struct Row {
    /// Its number among the rows, from 1.
    pub(super) number: u64,
    /// The line of the file in which it begins.
    pub(super) line: u64,
    path: Arc<Path>,
    columns: Columns,
    places: Arc<[Option<usize>]>,
    /// Its fields, or why they can't be told.
    fields: Result<StringRecord, String>,
}

impl TableFile {
    /// Opens a table; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |source| FileError {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        let file = if path == Path::new("-") {
            kept(io::stdin().lock()).map_err(failed)?
        } else {
            let file = File::open(path).map_err(failed)?;
            if file.metadata().map_err(failed)?.is_file() {
                file
            } else {
                kept(file).map_err(failed)?
            }
        };
        Ok(Self {
            path: called(path),
            file: Arc::new(file),
        })
    }

    /// A table that is at hand.
    pub(super) fn of(path: &Path, content: &[u8]) -> Result<Self, Failure> {
        let failed = |source| FileError {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(kept(content).map_err(failed)?),
        })
    }

    /// What errors call it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What tells it from other tables.
    pub(super) fn id(&self) -> Result<TableId, Failure> {
        TableId::of(self.content_again()).map_err(|source| {
            FileError {
                operation: "read",
                path: self.path.clone(),
                source,
            }
            .into()
        })
    }

    /// Its rows, from the first on. `needed` are the columns one of which a header has to name.
    pub(super) fn rows(&self, columns: Columns, needed: &[&str]) -> Result<Rows, Failure> {
        self.refuse_pem()?;
        let mut reader = self.reader();
        let mut first = StringRecord::new();
        // What is wrong with the first row comes up when the rows are read.
        let is_there = reader.read_record(&mut first).unwrap_or(false);
        let places = if is_there && is_header(&first, columns) {
            let places = named_columns(&first, columns, needed);
            places.map_err(|problem| BadRow {
                path: self.path.clone(),
                line: 1,
                column: None,
                problem,
            })?
        } else {
            reader = self.reader();
            (0..columns.len()).map(Some).collect()
        };
        Ok(Rows {
            path: self.path.clone().into(),
            columns,
            places: places.into(),
            reader,
            count: 0,
        })
    }

    /// Almost any text is a table of one column. A key taken for one would be recorded line by line, as
    /// names.
    fn refuse_pem(&self) -> Result<(), Failure> {
        for (line, content) in (1..).zip(BufReader::new(self.content_again()).split(b'\n')) {
            let content = content.map_err(|source| FileError {
                operation: "read",
                path: self.path.clone(),
                source,
            })?;
            if content.trim_ascii_start().starts_with(b"-----BEGIN ") {
                return Err(BadRow {
                    path: self.path.clone(),
                    line,
                    column: None,
                    problem: "a PEM object begins here, so that this is no table".into(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// That something is wrong with a row of which only the line is known.
    pub(super) fn bad(
        &self,
        line: u64,
        column: Option<&'static str>,
        problem: impl Display,
    ) -> BadRow {
        BadRow {
            path: self.path.clone(),
            line,
            column,
            problem: problem.to_string(),
        }
    }

    fn reader(&self) -> csv::Reader<FromStart> {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(self.content_again())
    }

    fn content_again(&self) -> FromStart {
        FromStart {
            file: self.file.clone(),
            offset: 0,
        }
    }
}

/// What errors call a table.
fn called(path: &Path) -> PathBuf {
    if path == Path::new("-") {
        return "standard input".into();
    }
    path.to_owned()
}

/// What can be read only once, in memory.
fn kept(mut from: impl Read) -> io::Result<File> {
    let mut file = File::from(memfd_create("table", MemfdFlags::CLOEXEC)?);
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

/// Reads a file from its start, wherever others are in it.
struct FromStart {
    file: Arc<File>,
    offset: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}

fn column_named(name: &str, columns: Columns) -> Option<usize> {
    columns
        .iter()
        .position(|column| column.eq_ignore_ascii_case(name))
}

fn is_header(row: &StringRecord, columns: Columns) -> bool {
    row.iter()
        .any(|field| column_named(field, columns).is_some())
}

/// The place of each column in a header.
fn named_columns(
    header: &StringRecord,
    columns: Columns,
    needed: &[&str],
) -> Result<Vec<Option<usize>>, String> {
    let mut places = vec![None; columns.len()];
    for (place, name) in header.iter().enumerate() {
        let Some(column) = column_named(name, columns) else {
            let known = columns.join(", ");
            return Err(format!("there is no column {name:?}; there are {known}"));
        };
        if places[column].replace(place).is_some() {
            return Err(format!("the column {name} is named twice"));
        }
    }
    let is_there = |name: &&str| column_named(name, columns).is_some_and(|it| places[it].is_some());
    if !needed.iter().any(is_there) {
        return Err(format!("there is no column {}", needed.join(" or ")));
    }
    Ok(places)
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let mut fields = StringRecord::new();
        let line = self.reader.position().line();
        let (line, fields) = match self.reader.read_record(&mut fields) {
            Ok(false) => return None,
            Ok(true) => (
                fields.position().map_or(line, csv::Position::line),
                Ok(fields),
            ),
            Err(error) => (
                error.position().map_or(line, csv::Position::line),
                Err(unreadable(&error)),
            ),
        };
        self.count += 1;
        Some(Row {
            number: self.count,
            path: self.path.clone(),
            columns: self.columns,
            places: self.places.clone(),
            line,
            fields,
        })
    }
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".into(),
        csv::ErrorKind::Io(error) => format!("it can't be read: {error}"),
        _ => error.to_string(),
    }
}

impl Row {
    /// A field; `None` where it is empty or not there.
    pub(super) fn field(&self, column: &str) -> Option<&str> {
        let place = self.places[column_named(column, self.columns)?]?;
        let field = self.fields.as_ref().ok()?.get(place)?;
        (!field.is_empty()).then_some(field)
    }

    /// A field, read by `parse`.
    pub(super) fn parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, BadRow> {
        let parsed = self.field(column).map(parse).transpose();
        parsed.map_err(|error| self.bad(Some(column), error))
    }

    /// Where it stands.
    pub(super) fn place(&self) -> String {
        format!("{} line {}", self.path.display(), self.line)
    }

    /// That something is wrong with it.
    pub(super) fn bad(&self, column: Option<&'static str>, problem: impl Display) -> BadRow {
        BadRow {
            path: self.path.to_path_buf(),
            line: self.line,
            column,
            problem: problem.to_string(),
        }
    }

    /// Whether it can be read, and has no field too many.
    pub(super) fn check(&self) -> Result<(), BadRow> {
        let fields = self
            .fields
            .as_ref()
            .map_err(|problem| self.bad(None, problem))?;
        let known = self
            .places
            .iter()
            .flatten()
            .max()
            .map_or(0, |last| last + 1);
        match fields
            .iter()
            .enumerate()
            .skip(known)
            .find(|(_, field)| !field.is_empty())
        {
            Some((place, _)) => Err(self.bad(
                None,
                format!("field {} has no column: there are {known}", place + 1),
            )),
            None => Ok(()),
        }
    }
}
