//! Results on standard output: made once, written as text or JSON.

use super::failure::Failure;
use super::output::Format;
use super::terminal::Terminal;
use crate::x509::text::{Escaped, harmless, harmless_json};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// Exit code of a check that says no.
const CHECK_SAYS_NO: u8 = 3;

/// Writes a result that is too large to be held, as text or JSON.
type Stream = Box<dyn FnOnce(Format, &mut dyn Write) -> Result<(), Failure>>;

enum Body {
    Document { json: Value, text: String },
    Raw(Vec<u8>),
    Stream(Stream),
}

/// Result of a command, and its exit code.
pub(super) struct Report {
    body: Body,
    exit: u8,
    /// Whether the result is what the command was run for: `-q` does not silence it.
    is_answer: bool,
    committed: Option<String>,
    failure: Option<Failure>,
}

impl Report {
    /// A result as data and as text.
    pub(super) fn new(data: &impl Serialize, text: impl Into<String>) -> Self {
        let json = serde_json::to_value(data).expect("reports are plain data");
        Self {
            body: Body::Document {
                json,
                text: text.into(),
            },
            exit: 0,
            is_answer: false,
            committed: None,
            failure: None,
        }
    }

    /// A file that goes to standard output as it is, whatever the format.
    pub(super) fn raw(content: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Body::Raw(content.into()),
            exit: 0,
            is_answer: true,
            committed: None,
            failure: None,
        }
    }

    /// A result that is written as it is made.
    pub(super) fn stream(
        stream: impl FnOnce(Format, &mut dyn Write) -> Result<(), Failure> + 'static,
    ) -> Self {
        Self {
            body: Body::Stream(Box::new(stream)),
            exit: 0,
            is_answer: false,
            committed: None,
            failure: None,
        }
    }

    /// The result of a command that changed the store: how to see it again is said where it can't
    /// be written.
    pub(super) fn committed(mut self, remedy: impl Into<String>) -> Self {
        self.committed = Some(remedy.into());
        self
    }

    /// Marks the result as what the command was run for: `-q` does not silence it.
    pub(super) fn answer(mut self) -> Self {
        self.is_answer = true;
        self
    }

    /// The answer of a check: exit code 3 where it is no.
    pub(super) fn verdict(mut self, yes: bool) -> Self {
        self.exit = if yes { 0 } else { CHECK_SAYS_NO };
        self.answer()
    }

    /// Adds a failure; it is written after the result, and gives the exit code.
    pub(super) fn failing(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// Rewrites the commands in hints, such as for another store.
    pub(super) fn with_commands(self, rewrite: impl Fn(&str) -> String) -> Self {
        Self {
            committed: self.committed.map(|remedy| rewrite(&remedy)),
            failure: self.failure.map(|failure| failure.with_commands(&rewrite)),
            ..self
        }
    }

    /// The result as text and as data, if it is one that is held.
    pub(super) fn document(self) -> Option<(String, Value)> {
        match self.body {
            Body::Document { json, text } => Some((text, json)),
            Body::Raw(_) | Body::Stream(_) => None,
        }
    }

    pub(super) fn write(self, format: Format, quiet: bool) -> ExitCode {
        let Self {
            body,
            exit,
            is_answer,
            committed,
            failure,
        } = self;
        let is_silent = quiet && !is_answer && failure.is_none() && format == Format::Text;
        let stdout: Box<dyn Write> = if is_silent {
            Box::new(io::sink())
        } else {
            Box::new(io::stdout().lock())
        };
        let mut out = BufWriter::with_capacity(64 * 1024, stdout);
        let written = match body {
            Body::Document { json, .. } if format == Format::Json => {
                let text = serde_json::to_string_pretty(&json).expect("reports are plain data");
                writeln!(out, "{}", harmless_json(text))
            }
            Body::Document { text, .. } => {
                let text = harmless(&text);
                let text = match Terminal::of_output() {
                    Some(terminal) => terminal.report(&text),
                    None => text.as_str().into(),
                };
                out.write_all(text.as_bytes())
            }
            Body::Raw(content) => out.write_all(&content),
            Body::Stream(stream) => match stream(format, &mut out) {
                Ok(()) => Ok(()),
                Err(failure) => {
                    if let Some(error) = failure.broken_pipe() {
                        Err(error)
                    } else {
                        let _ = out.flush();
                        return failure.write(format);
                    }
                }
            },
        };
        match (written.and_then(|()| out.flush()), committed) {
            (Ok(()), _) => {
                failure.map_or_else(|| ExitCode::from(exit), |failure| failure.write(format))
            }
            (Err(error), Some(remedy)) => Failure::unwritten(error, remedy).write(format),
            // Whoever reads has seen enough, as in `pki list | head`.
            (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(exit),
            (Err(error), None) => Failure::output(error).write(format),
        }
    }
}

/// Aligned lines of a label and a value.
#[derive(Default)]
pub(super) struct Lines {
    rows: Vec<(String, String)>,
}

impl Lines {
    /// Adds a line; what comes from certificates is made harmless.
    pub(super) fn row(mut self, label: &str, value: impl std::fmt::Display) -> Self {
        self.rows
            .push((label.to_owned(), Escaped(&value.to_string()).to_string()));
        self
    }

    /// Adds a line if there is something to say.
    pub(super) fn row_if(self, label: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.row(label, value),
            None => self,
        }
    }

    /// The lines under a heading.
    pub(super) fn under(self, heading: &str) -> String {
        let width = self
            .rows
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or(0);
        let mut text = format!("{}\n", Escaped(heading));
        for (label, value) in &self.rows {
            writeln!(text, "  {label:width$}  {value}").expect("a String takes everything");
        }
        text
    }
}
