//! Table of certificates: columns of fixed width in a pipe, of the terminal's width on a terminal.

use super::terminal::{Terminal, cut, width};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Number of columns.
const COLUMNS: usize = 6;
const HEADER: [&str; COLUMNS] = ["STATUS", "EXPIRES", "PROFILE", "CA", "SERIAL", "SUBJECT"];
const EXPIRES: usize = 1;
const PROFILE: usize = 2;
const CA: usize = 3;
const SUBJECT: usize = 5;

/// Widths in a pipe, where nothing is cut; the subject comes last and has none.
const PIPED: [usize; COLUMNS] = [13, 20, 14, 16, 20, 0];
/// Rows from which the widths on a terminal follow.
const MEASURED: usize = 200;
/// Length of the date of a time.
const DATE: usize = "2027-01-31".len();
/// Gap between columns on a terminal.
const GAP: usize = 2;
/// Width of the subject below which other columns are left out.
const LEAST_SUBJECT: usize = 16;
/// Width of the subject from which a time is shown to the second.
const AMPLE_SUBJECT: usize = 40;

/// Cells of one certificate, without what would steer a terminal.
pub(super) type Row = [String; COLUMNS];

/// Row as it is written into a pipe.
pub(super) fn piped(row: &Row) -> String {
    line_of(row.each_ref().map(String::as_str))
}

fn line_of(cells: [&str; COLUMNS]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(PIPED).take(SUBJECT) {
        write!(line, "{cell:width$} ").expect("a String takes everything");
    }
    line + cells[SUBJECT]
}

/// Table that is written row by row.
pub(super) struct Table {
    terminal: Option<Terminal>,
    layout: Option<Layout>,
    /// Rows that come before the layout of a terminal is known.
    measured: Vec<Row>,
    count: usize,
}

impl Table {
    /// Begins a table on standard output.
    pub(super) fn begin() -> Self {
        Self {
            terminal: Terminal::of_output(),
            layout: None,
            measured: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn add(&mut self, row: Row, out: &mut dyn Write) -> io::Result<()> {
        self.count += 1;
        let Some(terminal) = self.terminal else {
            if self.count == 1 {
                writeln!(out, "{}", line_of(HEADER))?;
            }
            return writeln!(out, "{}", piped(&row));
        };
        if let Some(layout) = &self.layout {
            return layout.write(&row, terminal, out);
        }
        self.measured.push(row);
        if self.measured.len() == MEASURED {
            self.settle(terminal, out)?;
        }
        Ok(())
    }

    /// Writes the rows that are left.
    pub(super) fn flush(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.terminal
            .map_or(Ok(()), |terminal| self.settle(terminal, out))
    }

    /// Ends a complete table: a terminal also shows the number of rows.
    pub(super) fn end(mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(terminal) = self.terminal else {
            return Ok(());
        };
        self.settle(terminal, out)?;
        let certificates = if self.count == 1 {
            "certificate"
        } else {
            "certificates"
        };
        writeln!(out, "{} {certificates}", self.count)
    }

    fn settle(&mut self, terminal: Terminal, out: &mut dyn Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.measured);
        if rows.is_empty() {
            return Ok(());
        }
        let layout = Layout::of(&rows, terminal.width());
        layout.write(&HEADER.map(str::to_owned), terminal, out)?;
        for row in &rows {
            layout.write(row, terminal, out)?;
        }
        self.layout = Some(layout);
        Ok(())
    }
}

/// Width of each column on a terminal; `None` leaves the column out.
#[derive(Debug, PartialEq, Eq)]
struct Layout([Option<usize>; COLUMNS]);

impl Layout {
    /// Fits the columns into a width: the subject gets what the others leave.
    fn of(rows: &[Row], all: usize) -> Self {
        let mut widths = HEADER.map(|title| Some(width(title)));
        for row in rows {
            for (most, cell) in widths.iter_mut().zip(row) {
                *most = (*most).max(Some(width(cell)));
            }
        }
        let left = |widths: &[Option<usize>; COLUMNS]| {
            let others = widths[..SUBJECT].iter().flatten();
            all.saturating_sub(others.map(|width| width + GAP).sum())
        };
        if left(&widths) < AMPLE_SUBJECT {
            widths[EXPIRES] = Some(DATE);
        }
        for column in [PROFILE, CA, EXPIRES] {
            if left(&widths) < LEAST_SUBJECT {
                widths[column] = None;
            }
        }
        widths[SUBJECT] = Some(left(&widths));
        Self(widths)
    }

    fn write(&self, row: &Row, terminal: Terminal, out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let Some(most) = self.0[column] else { continue };
            let cell = match column {
                // A date needs no mark that the time of day is left out.
                EXPIRES => &cell[..cell.len().min(most)],
                _ => &cut(cell, most),
            };
            let padding = match column {
                SUBJECT => 0,
                _ => most - width(cell) + GAP,
            };
            write!(line, "{}{:padding$}", terminal.status(cell), "")
                .expect("a String takes everything");
        }
        writeln!(out, "{}", line.trim_end())
    }
}
