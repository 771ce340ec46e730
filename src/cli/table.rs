//! Tables: CSV files (RFC 4180) that commands read row by row.
//!
//! A table is read more than once, first to see whether it is one: its size, its rows, their number. What
//! can't be read twice, such as standard input, is kept in memory meanwhile. The first row names the
//! columns, in any order. If a command takes tables without a header, the first row may also be a row like
//! the others, whose columns are then in the order of the documentation.

mod columns;
mod content;

pub(super) use columns::{Columns, Header};

use super::failure::Failure;
use crate::store::{FileError, TableId};
use content::{FromStart, exceeds, kept};
use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes over which a file is refused as a table.
const MOST_BYTES: u64 = 1 << 30;

/// Rows over which a table is refused.
const MOST_ROWS: u64 = 2_000_000;

/// Unsound rows after which a table is given up, whatever the others are.
pub(super) const MOST_UNSOUND: usize = 100_000;

/// A table that can be read more than once.
pub(super) struct TableFile {
    path: PathBuf,
    file: Arc<File>,
}

/// Defect of a row, with its place.
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

impl From<BadRow> for Failure {
    fn from(row: BadRow) -> Self {
        Self::bad_row(row.to_string())
    }
}

/// Returns the failure of rows that can't be used, when nothing was done; the first ones are named.
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
    columns: &'static Columns,
    /// The header, if there is one.
    header: Option<StringRecord>,
    /// The place in a row of each of the columns that there can be.
    places: Arc<[Option<usize>]>,
    reader: csv::Reader<FromStart>,
    count: u64,
    /// Whether no row follows that could be told from the one before.
    is_over: bool,
}

/// A row of a table.
pub(super) struct Row {
    /// Its number among the rows, from 1.
    pub(super) number: u64,
    /// The line of the file in which it begins.
    pub(super) line: u64,
    path: Arc<Path>,
    columns: &'static Columns,
    places: Arc<[Option<usize>]>,
    /// Its fields, or why they can't be told.
    fields: Result<StringRecord, String>,
}

impl TableFile {
    /// Opens a table; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let read = || {
            if path == Path::new("-") {
                return kept(io::stdin().lock());
            }
            let file = File::open(path)?;
            let found = file.metadata()?;
            match found.len() {
                _ if !found.is_file() => kept(file),
                length if length > MOST_BYTES => Err(exceeds("1 GiB")),
                _ => Ok(file),
            }
        };
        Self::from_file(called(path), read())
    }

    /// A table that is at hand.
    pub(super) fn of(path: &Path, content: &[u8]) -> Result<Self, Failure> {
        Self::from_file(path.to_owned(), kept(content))
    }

    fn from_file(path: PathBuf, file: io::Result<File>) -> Result<Self, Failure> {
        match file {
            Ok(file) => {
                let file = Arc::new(file);
                let table = Self { path, file };
                table.refuse_other_content()?;
                Ok(table)
            }
            Err(source) => Err(unread(path, source)),
        }
    }

    /// Path in errors.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Identifier by content.
    pub(super) fn id(&self) -> Result<TableId, Failure> {
        TableId::of(self.content_again()).map_err(|source| unread(self.path.clone(), source))
    }

    /// Its rows, from the first on.
    pub(super) fn rows(&self, columns: &'static Columns) -> Result<Rows, Failure> {
        let mut reader = self.reader();
        let mut first = StringRecord::new();
        reader.get_mut().allow_a_row();
        let is_there = reader.read_record(&mut first);
        let line = first.position().map_or(1, csv::Position::line);
        let bad = |problem: String| self.bad(line, None, problem);
        let places = match is_there {
            Ok(true) if columns.are_named_by(&first) => Some(columns.places(&first)),
            _ if columns.header == Header::Optional => None,
            Ok(true) => Some(Err(columns.no_header(&first))),
            Ok(false) => Some(Err(format!("the table is empty; {}", columns.wanted()))),
            Err(error) => Some(Err(unreadable(&error))),
        };
        let (header, places) = if let Some(places) = places {
            (Some(first), places.map_err(bad)?)
        } else {
            // What is wrong with the first row comes up when the rows are read.
            reader = self.reader();
            (None, (0..columns.names.len()).map(Some).collect())
        };
        Ok(Rows {
            path: self.path.clone().into(),
            columns,
            header,
            places: places.into(),
            reader,
            count: 0,
            is_over: false,
        })
    }

    /// Almost any content is a table of one column. A key taken for one would be recorded line by line, as
    /// names; a disk image would be one row.
    fn refuse_other_content(&self) -> Result<(), Failure> {
        let mut start = [0; 2];
        let read = self.file.read_at(&mut start, 0);
        let read = read.map_err(|source| unread(self.path.clone(), source))?;
        if matches!(&start[..read], b"\xff\xfe" | b"\xfe\xff") {
            return Err(self
                .bad(1, None, "the table is UTF-16: save it as UTF-8")
                .into());
        }
        let mut reader = self.reader();
        let mut row = ByteRecord::new();
        for count in 0.. {
            reader.get_mut().allow_a_row();
            let line = reader.position().line();
            let problem = match reader.read_byte_record(&mut row) {
                Ok(false) => break,
                Ok(true) if begins_pem(&row) => {
                    "a PEM object begins here, so that this is no table".into()
                }
                Ok(true) if memchr::memchr(0, row.as_slice()).is_some() => {
                    "it has NUL bytes: a table is text in UTF-8".into()
                }
                Ok(true) if count > MOST_ROWS => {
                    format!("the table has more than {MOST_ROWS} rows: split it")
                }
                Ok(true) => continue,
                Err(error) => unreadable(&error),
            };
            let line = row.position().map_or(line, csv::Position::line);
            return Err(self.bad(line, None, problem).into());
        }
        Ok(())
    }

    /// Returns the defect of a row of which only the line is known.
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
        FromStart::new(&self.file)
    }
}

/// Returns how errors call a table.
fn called(path: &Path) -> PathBuf {
    if path == Path::new("-") {
        return "standard input".into();
    }
    path.to_owned()
}

/// Failure to read a table.
fn unread(path: PathBuf, source: io::Error) -> Failure {
    FileError {
        operation: "read",
        path,
        source,
    }
    .into()
}

fn begins_pem(row: &ByteRecord) -> bool {
    let lines = row
        .iter()
        .flat_map(|field| field.split(|byte| *byte == b'\n'));
    let mut lines = lines.map(<[u8]>::trim_ascii_start);
    lines.any(|line| line.starts_with(b"-----BEGIN "))
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.is_over {
            return None;
        }
        let mut fields = StringRecord::new();
        let line = self.reader.position().line();
        self.reader.get_mut().allow_a_row();
        let (line, fields) = match self.reader.read_record(&mut fields) {
            Ok(false) => return None,
            Ok(true) => (
                fields.position().map_or(line, csv::Position::line),
                match self.problem(&fields) {
                    Some(problem) => Err(problem),
                    None => Ok(fields),
                },
            ),
            Err(error) => {
                self.is_over = error.is_io_error();
                let line = error.position().map_or(line, csv::Position::line);
                (line, Err(unreadable(&error)))
            }
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

impl Rows {
    /// Why a row is none, though its fields can be read: it is a comment, its fields are not separated by
    /// commas, or it is the header of another table.
    fn problem(&self, fields: &StringRecord) -> Option<String> {
        if let Some(header) = &self.header {
            let pairs = fields.iter().zip(header);
            let mut pairs = pairs.map(|(field, name)| field.eq_ignore_ascii_case(name));
            if fields.len() == header.len() && pairs.all(|is_same| is_same) {
                return Some("the header is repeated".into());
            }
        }
        let first = fields.get(0)?;
        let problem = if first.starts_with('#') {
            "a table has no comments: put a value that begins with # in quotes"
        } else if first.contains(';') {
            "commas separate fields: put a value with ; in quotes"
        } else {
            return None;
        };
        (!self.is_quoted(fields.position()?.byte())).then(|| problem.into())
    }

    /// Returns whether the row that begins here, perhaps behind blank lines, has its first field in quotes.
    fn is_quoted(&self, at: u64) -> bool {
        let mut start = [0; 64];
        let read = self.reader.get_ref().file.read_at(&mut start, at);
        let start = start[..read.unwrap_or(0)].trim_ascii_start();
        start
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(start)
            .starts_with(b"\"")
    }
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".into(),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

impl Row {
    /// The bytes of its fields.
    pub(super) fn length(&self) -> usize {
        self.fields
            .as_ref()
            .map_or(0, |fields| fields.as_slice().len())
    }

    /// A field; `None` where it is empty or not there.
    pub(super) fn field(&self, column: &str) -> Option<&str> {
        let place = self.places[self.columns.position(column)?]?;
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

    pub(super) fn place(&self) -> String {
        format!("{} line {}", self.path.display(), self.line)
    }

    /// Returns a defect of the row.
    pub(super) fn bad(&self, column: Option<&'static str>, problem: impl Display) -> BadRow {
        BadRow {
            path: self.path.to_path_buf(),
            line: self.line,
            column,
            problem: problem.to_string(),
        }
    }

    /// Checks whether it can be read, and has no field too many.
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
                format!("field {} has no column: the header has {known}", place + 1),
            )),
            None => Ok(()),
        }
    }
}
