//! Formats of output, and lines of standard error.

use super::terminal::Terminal;
use crate::x509::text::{harmless, harmless_json};
use clap::ValueEnum;
use serde::Serialize;
use std::ffi::OsString;
use std::io::{self, Write};

/// Format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

impl Format {
    /// Looks for `--format json` in a command line that cannot be parsed.
    pub(super) fn asked_for(line: &[OsString]) -> Self {
        let mut pairs = line.windows(2);
        let is_json = pairs.any(|pair| pair[0] == "--format" && pair[1] == "json")
            || line.iter().any(|word| word == "--format=json");
        if is_json { Self::Json } else { Self::Text }
    }
}

/// Writes JSON on one line, without its end.
pub(super) fn write_json(out: &mut dyn Write, data: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(data).expect("reports are plain data");
    out.write_all(harmless_json(json).as_bytes())
}

/// JSON array on standard output, written item by item: one document, or nothing if it fails before the
/// first item.
#[derive(Default)]
pub(super) struct JsonArray {
    has_items: bool,
}

impl JsonArray {
    pub(super) fn add(&mut self, item: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        let before = if self.has_items { ",\n  " } else { "[\n  " };
        out.write_all(before.as_bytes())?;
        self.has_items = true;
        write_json(out, item)
    }

    /// Ends the array; one that is not complete is left out if it has no items.
    pub(super) fn end(self, is_complete: bool, out: &mut dyn Write) -> io::Result<()> {
        match (self.has_items, is_complete) {
            (true, _) => writeln!(out, "\n]"),
            (false, true) => writeln!(out, "[]"),
            (false, false) => Ok(()),
        }
    }
}

/// Writes to standard error. An error is ignored: the exit code tells what the command did.
pub(super) fn say(text: &str) {
    let text = harmless(text);
    let text = match Terminal::of_errors() {
        Some(terminal) => terminal.labels(&text),
        None => text.as_str().into(),
    };
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes data to standard error as JSON on one line, in one call: other processes may write there too.
pub(super) fn say_json(data: &impl Serialize) {
    let mut line = Vec::new();
    let written = write_json(&mut line, data).and_then(|()| line.write_all(b"\n"));
    let _ = written.and_then(|()| io::stderr().write_all(&line));
}
