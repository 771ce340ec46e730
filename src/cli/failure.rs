//! Errors on standard error, and exit codes.

mod code;
mod hint;

pub(super) use hint::REPLACE_CSR_NAMES;

use super::output::{Format, say, say_json};
use crate::ca::{
    CaError, DefectError, ExportError, IssuanceError, IssuerError, KeyUseError, PlacedProblem,
    ProfileError, RenewalError, RepositoryError, RevocationError,
};
use crate::store::file::Uncommitted;
use crate::store::{CaName, FileError, StoreError};
use crate::x509::general_name::GeneralNameError;
use crate::x509::name::NameError;
use crate::x509::text::{Escaped, harmless};
use clap::error::ContextValue;
use serde::Serialize;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

/// Done but for something after the commit.
const AFTER_COMMIT: u8 = 4;
/// Failed; nothing was changed.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

/// Why a command did not do what was asked: an error, a hint, an exit code.
pub(super) struct Failure {
    error: anyhow::Error,
    /// Code for scripts, as docs/json.md lists them.
    code: &'static str,
    hint: Option<String>,
    exit: u8,
    /// Other failures; each is written as it would be by itself.
    others: Vec<Self>,
}

impl Failure {
    /// Returns a failure of options that contradict each other.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            error: anyhow::Error::msg(message.into()),
            code: code::USAGE,
            hint: None,
            exit: USAGE,
            others: Vec::new(),
        }
    }

    /// Returns a failure that has no typed error.
    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            error: anyhow::Error::msg(message.into()),
            code,
            hint: None,
            exit: FAILED,
            others: Vec::new(),
        }
    }

    /// Returns the failure of a row, or of an entry of a file.
    pub(super) fn bad_row(message: impl Into<String>) -> Self {
        Self::plain(code::BAD_ROW, message)
    }

    /// The store has changed, and something after that failed.
    pub(super) fn after_commit(
        what: impl Into<String>,
        source: CaError,
        remedy: impl Into<String>,
    ) -> Self {
        let error = CaError::AfterCommit {
            what: what.into(),
            remedy: None,
            source: Box::new(source),
        };
        Self::from(error).hint(remedy)
    }

    /// Returns the failure of a command that runs after a CRL is published.
    pub(super) fn on_change(ca: &CaName, problem: &str) -> Self {
        let message = format!("the --on-change command failed for {ca}: {problem}");
        Self {
            exit: AFTER_COMMIT,
            ..Self::plain(code::ON_CHANGE, message)
        }
        .hint("the CRL is published; run the command again by hand")
    }

    /// Returns the error of a use case that it is about.
    pub(super) fn ca_error(&self) -> Option<&CaError> {
        self.error.downcast_ref()
    }

    /// Returns the failures of some of several CAs, if there are any. One error is written for each,
    /// and `remedy` is the hint if something was committed and none of them has one.
    pub(super) fn of_several(
        failures: Vec<impl Into<Self>>,
        any_done: bool,
        remedy: &str,
    ) -> Option<Self> {
        let mut failures: Vec<Self> = failures.into_iter().map(Into::into).collect();
        let committed = any_done || failures.iter().any(|failure| failure.exit == AFTER_COMMIT);
        let hinted = failures.iter().any(|failure| failure.hint.is_some());
        if let Some(last) = failures.last_mut().filter(|_| committed && !hinted) {
            last.hint = Some(remedy.into());
        }
        let others = failures.split_off(failures.len().min(1));
        let mut first = failures.pop()?;
        first.others = others;
        if committed {
            first.exit = AFTER_COMMIT;
        }
        Some(first)
    }

    /// Returns the failure of rows of a table; `more` is the number of those that are not named.
    pub(super) fn of_rows(mut rows: Vec<Self>, more: usize) -> Self {
        if more > 0 {
            let rows_are = if more == 1 { "row is" } else { "rows are" };
            rows.push(Self::bad_row(format!("{more} more {rows_are} invalid")));
        }
        let others = rows.split_off(rows.len().min(1));
        let mut first = rows
            .pop()
            .unwrap_or_else(|| Self::bad_row("the table has no rows"));
        first.others = others;
        first
    }

    /// Returns the failures of a file of profiles, each with its place.
    fn of_profiles(file: &str, problems: &[PlacedProblem]) -> Self {
        let failures = problems
            .iter()
            .map(|placed| Self::plain(code::INVALID_PROFILE, format!("{file} {placed}")));
        Self::of_rows(failures.collect(), 0)
    }

    /// Adds another failure behind these.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.others.push(other);
        self
    }

    /// Says what to do about all of it, behind the last.
    pub(super) fn hint_at_end(mut self, hint: String) -> Self {
        match self.others.last_mut() {
            Some(last) => last.hint = Some(hint),
            None => self.hint = Some(hint),
        }
        self
    }

    /// Returns the failure that ended a batch after so many of its rows were issued.
    pub(super) fn among_rows(mut self, issued: u64, count: u64) -> Self {
        if issued > 0 {
            let context =
                format!("{issued} of {count} rows are issued; then an error stopped the batch");
            let is_for_good = matches!(
                self.ca_error(),
                Some(
                    CaError::Issuer(IssuerError::RevokedCa { .. })
                        | CaError::Issuance(IssuanceError::CompromisedKey { .. })
                )
            );
            self.error = self.error.context(context);
            if !is_for_good {
                self.hint = Some("run the same command with --resume to continue".into());
            }
            self.exit = AFTER_COMMIT;
        }
        self
    }

    /// Says what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn into_error(self) -> anyhow::Error {
        self.error
    }

    /// Standard output could not be written to.
    pub(super) fn output(error: io::Error) -> Self {
        Self {
            error: anyhow::Error::new(error).context("could not write to standard output"),
            code: code::OUTPUT,
            hint: None,
            exit: FAILED,
            others: Vec::new(),
        }
    }

    /// The store has changed, and standard output could not be written to.
    pub(super) fn unwritten(error: io::Error, remedy: String) -> Self {
        let error = anyhow::Error::new(error)
            .context("the command is done, but its report could not be written to standard output");
        Self {
            error,
            code: code::OUTPUT,
            hint: Some(remedy),
            exit: AFTER_COMMIT,
            others: Vec::new(),
        }
    }

    /// The system's error, if it is that nobody reads standard output any more.
    pub(super) fn broken_pipe(&self) -> Option<io::Error> {
        let error = self.error.root_cause().downcast_ref::<io::Error>()?;
        (error.kind() == io::ErrorKind::BrokenPipe).then(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Rewrites the commands in hints, such as for another store.
    pub(super) fn with_commands(self, rewrite: &dyn Fn(&str) -> String) -> Self {
        let others = self.others.into_iter();
        Self {
            hint: self.hint.map(|hint| rewrite(&hint)),
            others: others.map(|other| other.with_commands(rewrite)).collect(),
            ..self
        }
    }

    /// Writes to standard error: as text, or as one JSON object on one line.
    pub(super) fn write(self, format: Format) -> ExitCode {
        match format {
            Format::Text => {
                say(&self.text());
                self.others.iter().for_each(|other| say(&other.text()));
            }
            Format::Json => say_json(&serde_json::json!({ "error": self.object() })),
        }
        ExitCode::from(self.exit)
    }

    /// Text that [`Failure::write`] writes.
    pub(super) fn said(&self) -> String {
        let others = self.others.iter().map(|other| harmless(&other.text()));
        std::iter::once(harmless(&self.text()))
            .chain(others)
            .collect()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (index, message) in self.messages().iter().enumerate() {
            let label = if index == 0 { "error" } else { "caused by" };
            // A file's name with a line break in it makes no line of its own.
            writeln!(text, "{label}: {}", Escaped(message)).expect("a String takes everything");
        }
        if let Some(hint) = &self.hint {
            writeln!(text, "hint: {}", Escaped(hint)).expect("a String takes everything");
        }
        text
    }

    fn object(&self) -> ErrorObject {
        let mut messages = self.messages().into_iter();
        ErrorObject {
            code: self.code,
            message: messages.next().unwrap_or_default(),
            causes: messages.collect(),
            hint: self.hint.clone(),
            others: self.others.iter().map(Self::object).collect(),
        }
    }

    /// The error's message, then those of its causes; a source that only repeats the message is left out.
    fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        messages.dedup();
        messages
    }
}

/// An error with `--format json`.
#[derive(Serialize)]
struct ErrorObject {
    code: &'static str,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    /// Errors beside it, such as those of other rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Self>,
}

/// Writes clap's error; help and version are no errors.
pub(super) fn usage(mut error: clap::Error, format: Format) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => Failure::output(error).write(format),
        };
    }
    escape_quoted(&mut error);
    let text = error.render().to_string();
    match format {
        Format::Text => say(&text),
        Format::Json => return usage_failure(&text).write(format),
    }
    ExitCode::from(USAGE)
}

/// Reads clap's text: the error, perhaps a tip, and how the command is used, each in its own paragraph.
fn usage_failure(text: &str) -> Failure {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let failure = Failure::usage(words(message.strip_prefix("error: ").unwrap_or(message)));
    let mut lines = rest.lines().map(str::trim);
    match lines.find_map(|line| line.strip_prefix("tip: ").or(line.strip_prefix("Usage: "))) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Makes what clap repeats of the command line harmless, and leaves out a passphrase in the wrong place.
fn escape_quoted(error: &mut clap::Error) {
    let escaped = |text: &str| match text.split_once("pass:") {
        Some((before, _)) => format!("{}pass:…", Escaped(before)),
        None => Escaped(text).to_string(),
    };
    let quoted = error.context().filter_map(|(kind, value)| {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(escaped(text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| escaped(text)).collect())
            }
            ContextValue::StyledStrs(texts) => {
                let texts = texts.iter().map(|text| escaped(&text.to_string()).into());
                ContextValue::StyledStrs(texts.collect())
            }
            _ => return None,
        };
        Some((kind, value))
    });
    for (kind, value) in quoted.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
}

impl From<CaError> for Failure {
    fn from(error: CaError) -> Self {
        if let CaError::Profile(ProfileError::Invalid { file, problems }) = &error {
            return Self::of_profiles(file, problems);
        }
        let hint = hint::of(&error);
        let exit = match &error {
            CaError::AfterCommit { .. }
            | CaError::Revocation(RevocationError::OnlyAdopted { .. })
            | CaError::InPlace { .. }
            | CaError::Store(StoreError::Undecided { .. }) => AFTER_COMMIT,
            _ => FAILED,
        };
        Self {
            code: code::of(&error),
            error: error.into(),
            hint,
            exit,
            others: Vec::new(),
        }
    }
}

/// Errors that are a [`CaError`] first.
macro_rules! from_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                CaError::from(error).into()
            }
        })*
    };
}

from_errors!(
    StoreError,
    FileError,
    Uncommitted,
    ExportError,
    IssuanceError,
    IssuerError,
    KeyUseError,
    ProfileError,
    RenewalError,
    RepositoryError,
    DefectError,
    NameError,
    GeneralNameError
);
