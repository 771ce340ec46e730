//! One run of one program, and its transcript.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use expect_test::Expect;
use serde_json::Value;

use crate::engine::OwnDatabase;
use crate::normalise::normalised;
use crate::sandbox::STORE;

/// A program about to be run in a sandbox: no environment but `PATH` and
/// `HOME`, nothing on its standard input, no terminal.
#[must_use = "a run that is only described has not happened"]
pub(crate) struct Run {
    program: OsString,
    args: Vec<OsString>,
    command: Command,
    stdin: Option<Vec<u8>>,
    /// Database of the store, and the folder that a copy of it is shown in.
    database: Option<(Arc<OwnDatabase>, PathBuf)>,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(&program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .env("HOME", folder);
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            command,
            stdin: None,
            database: None,
        }
    }

    /// With the store in a database.
    pub(crate) fn in_database(self, database: &Arc<OwnDatabase>) -> Self {
        let folder = self.command.get_current_dir().expect("it has one");
        let place = (Arc::clone(database), folder.to_owned());
        let run = self.env("PKI_STORE", database.url());
        Self {
            database: Some(place),
            ..run
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self.command.arg(arg);
        self
    }

    /// The words of a line; an argument with spaces in it goes through [`Run::arg`].
    pub(crate) fn words(self, line: &str) -> Self {
        line.split_whitespace().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(input.into());
        self
    }

    /// Starts it with its outputs readable through the child.
    pub(crate) fn spawn(self) -> Child {
        if let Some((database, _)) = &self.database {
            self.show_store();
            database.has_started();
        }
        self.started()
    }

    fn started(mut self) -> Child {
        let mut child = self
            .command
            .stdin(match self.stdin {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        if let Some(input) = &self.stdin {
            // A program that refuses early may close its input unread.
            let _ = child.stdin.take().unwrap().write_all(input);
        }
        child
    }

    /// Starts it with its input open for the caller to write to.
    pub(crate) fn spawn_open(mut self) -> Child {
        if let Some((database, _)) = &self.database {
            self.show_store();
            database.has_started();
        }
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    /// Shows a program the files of the store that it names.
    fn show_store(&self) {
        let names_store = |arg: &OsString| {
            let arg = arg.to_string_lossy();
            let mut paths = arg.match_indices("pki/");
            arg == STORE || paths.any(|(at, _)| !arg[..at].ends_with(is_in_a_path))
        };
        if let Some((database, folder)) = &self.database
            && self.args.iter().any(names_store)
        {
            database.show_in(folder);
        }
    }

    /// Returns whether CRLs are in a directory `crl` since the command says so.
    fn names_crls(&self) -> bool {
        let mut pairs = self.args.windows(2);
        let is_out = pairs.any(|pair| pair == ["--out", "crl"]);
        is_out || self.args.iter().any(|arg| arg == "publish")
    }

    /// Runs it to its end, however that ends.
    pub(crate) fn finish(self) -> Transcript {
        let words = std::iter::once(&self.program).chain(&self.args);
        let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>();
        let line = line.join(" ");
        let database = self.database.clone().map(|(database, _)| database);
        self.show_store();
        let is_openssl = self.program == "openssl";
        let names_crls = self.names_crls();
        let output = self.started().wait_with_output().unwrap();
        if let Some(database) = &database
            && !is_openssl
        {
            database.has_changed();
        }
        let said = |bytes| match &database {
            None => text(bytes),
            Some(database) => database.as_on_a_directory(&text(bytes), !names_crls),
        };
        Transcript {
            line,
            status: output.status.code(),
            stdout: said(output.stdout),
            stderr: said(output.stderr),
        }
    }

    /// Runs it and requires exit code 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Transcript {
        self.ends_with(0)
    }

    /// Runs it and requires this exit code.
    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Transcript {
        let transcript = self.finish();
        assert_eq!(transcript.status, Some(status), "{transcript}");
        transcript
    }

    /// Runs it with `--format json`, requires this exit code, no report on stdout and an error of this code, and
    /// returns stderr as text, [`normalised`].
    #[track_caller]
    pub(crate) fn refusal(self, status: i32, code: &str) -> String {
        let transcript = self.words("--format json").ends_with(status);
        // Some commands have opened an array by then.
        let items = transcript.stdout.trim_matches(['[', ']', '\n']);
        assert_eq!(items, "", "{transcript}");
        assert_eq!(transcript.error()["code"], code, "{transcript}");
        normalised(&transcript.text_of_stderr())
    }

    /// Requires a [`Run::refusal`] of this code and this text.
    #[track_caller]
    pub(crate) fn refuses(self, status: i32, code: &str, said: Expect) {
        assert_text(&self.refusal(status, code), said);
    }
}

/// Returns whether a character may be in a path, except at its beginning.
fn is_in_a_path(character: char) -> bool {
    character.is_alphanumeric() || "/-_".contains(character)
}

/// Compares a message or report with its snapshot, which `make snapshots` writes anew.
#[track_caller]
pub(crate) fn assert_text(is: &str, should_be: Expect) {
    static SEEN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    // expect-test finds no literal that rustfmt moved to a line of its own, as it does with a long single line.
    let is_whole = is.is_empty() || is.ends_with('\n');
    let is = is.to_owned() + if is_whole { "" } else { "\n" };
    let place = should_be.position.to_string();
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = seen.insert(place, is.clone());
    drop(seen);
    // expect-test would write a second text over the wrong bytes.
    match before {
        Some(before) => assert_same(&is, &before),
        None => should_be.assert_eq(&is),
    }
}

/// Two texts side by side, as they would be read, where they differ.
#[track_caller]
pub(crate) fn assert_same(is: &str, should_be: &str) {
    assert!(is == should_be, "--- is\n{is}--- should be\n{should_be}---");
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"))
}

/// What was run, what it said, and how it ended.
pub(crate) struct Transcript {
    line: String,
    /// None where a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Transcript {
    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// The notices, warnings and errors that `--format json` writes to stderr, as they stand there without it.
    #[track_caller]
    pub(crate) fn text_of_stderr(&self) -> String {
        let mut text = String::new();
        for line in self.stderr.lines() {
            let document: BTreeMap<String, Value> =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}\n{self}"));
            for (kind, message) in &document {
                match message {
                    Value::String(message) => writeln!(text, "{kind}: {message}").unwrap(),
                    error => write_error(&mut text, error),
                }
            }
        }
        text
    }

    /// The error object that `--format json` writes as the last line of stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().next_back().unwrap_or_default();
        let document: Value =
            serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}\n{self}"));
        let error = &document["error"];
        assert!(error.is_object(), "{self}");
        error.clone()
    }
}

fn write_error(text: &mut String, error: &Value) {
    let mut line = |label, message: &Value| {
        if let Some(message) = message.as_str() {
            writeln!(text, "{label}: {message}").unwrap();
        }
    };
    line("error", &error["message"]);
    let causes = error["causes"].as_array();
    causes
        .into_iter()
        .flatten()
        .for_each(|cause| line("caused by", cause));
    line("hint", &error["hint"]);
    let others = error["others"].as_array();
    others
        .into_iter()
        .flatten()
        .for_each(|other| write_error(text, other));
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "$ {}\n--- stdout\n{}--- stderr\n{}--- exit code {:?}",
            self.line, self.stdout, self.stderr, self.status
        )
    }
}
