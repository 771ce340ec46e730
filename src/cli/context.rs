//! Context of a command.

use super::database::{is_default, is_with_password, store_address};
use super::failure::Failure;
use super::output::{Format, say, say_json};
use crate::key::Helpers;
use crate::store::{Address, Operator, Store};
use crate::x509::text::Escaped;
use crate::x509::validity::whole_second;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// The global options, and the one look at the clock.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: Address,
    pub(super) no_input: bool,
    /// The time, to the second: certificates, lists and records know no fractions of one.
    pub(super) now: OffsetDateTime,
    /// The same with its fractions, by which it differs from that of the command before.
    pub(super) moment: OffsetDateTime,
    format: Format,
    quiet: bool,
    verbose: bool,
    /// Option that names the store in commands; `None` if they find it by themselves.
    store_option: Option<String>,
}

/// Seconds that a helper for keys outside the store has for an answer.
const DEFAULT_KEY_TIMEOUT: u64 = 60;

/// Start of the names of variables with passphrases, which no other program gets.
const SECRET: &str = "PKI_PASSPHRASE";

/// Returns the names of the variables with passphrases and passwords.
pub(super) fn secret_variables() -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    let is_secret =
        |name: &OsString| name.to_string_lossy().starts_with(SECRET) || is_with_password(name);
    names.filter(is_secret).collect()
}

/// `PREFIX/libexec/pki`, if `pki` is in `PREFIX/bin`.
fn libexec() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.parent()?.join("libexec/pki"))
}

impl Context {
    pub(super) fn new(
        store: Option<PathBuf>,
        format: Format,
        no_input: bool,
        quiet: bool,
        verbose: bool,
    ) -> Result<Self, Failure> {
        let moment = OffsetDateTime::now_utc();
        let is_given = store.is_some();
        let store = store_address(store)?;
        // The variable with a URL holds for further commands too, and what is shown of it has no password.
        let is_shown = !is_default(&store) && (is_given || store.directory().is_some());
        Ok(Self {
            store_option: is_shown.then(|| {
                let shown = PathBuf::from(store.to_string());
                let shown = store.directory().unwrap_or(&shown);
                format!("--store {}", quoted(shown))
            }),
            store,
            no_input,
            format,
            quiet,
            verbose,
            now: whole_second(moment).unwrap_or(moment),
            moment,
        })
    }

    /// The time after so long, or the last that there is.
    pub(super) fn after(&self, duration: Duration) -> OffsetDateTime {
        let end = self.now.checked_add(duration);
        end.unwrap_or(PrimitiveDateTime::MAX.assume_utc())
    }

    /// A command line as it has to be given for this store.
    pub(super) fn command(&self, line: &str) -> String {
        match (&self.store_option, line.strip_prefix("pki ")) {
            (Some(option), Some(rest)) => format!("pki {option} {rest}"),
            _ => line.to_owned(),
        }
    }

    /// Text in which commands stand between backticks.
    pub(super) fn commands(&self, text: &str) -> String {
        match &self.store_option {
            Some(option) => text.replace("`pki ", &format!("`pki {option} ")),
            None => text.to_owned(),
        }
    }

    /// Returns the helper programs for keys outside the store: those of PKI_KEY_HELPERS, else of the directory for
    /// them beside that of `pki`.
    pub(super) fn helpers() -> Result<Helpers, Failure> {
        let given = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let directories = match given("PKI_KEY_HELPERS") {
            // An empty one would have the helper looked for in PATH.
            Some(named) => std::env::split_paths(&named)
                .filter(|directory| !directory.as_os_str().is_empty())
                .collect(),
            None => libexec().into_iter().collect(),
        };
        let patience = match given("PKI_KEY_TIMEOUT") {
            Some(text) => text.to_str().and_then(|seconds| seconds.parse().ok()),
            None => Some(DEFAULT_KEY_TIMEOUT),
        };
        let Some(patience) = patience.filter(|seconds| *seconds > 0) else {
            return Err(Failure::usage(
                "the value of PKI_KEY_TIMEOUT is not a number of seconds",
            ));
        };
        Ok(Helpers::new(
            directories,
            std::time::Duration::from_secs(patience),
            secret_variables(),
        ))
    }

    pub(super) fn open_store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.store, self.operator())?)
    }

    /// Returns the user, to whom the store's notices are passed on.
    pub(super) fn operator(&self) -> Operator {
        let context = self.clone();
        Operator::new(self.moment, move |notice| {
            if !context.quiet {
                context.tell("notice", &notice.to_string());
            }
        })
    }

    /// Something that the user did not ask for and wants to know.
    pub(super) fn notice(&self, text: impl Display) {
        if !self.quiet {
            self.tell("notice", &self.commands(&text.to_string()));
        }
    }

    /// Something that is not safe; no option silences it.
    pub(super) fn warning(&self, text: impl Display) {
        self.tell("warning", &text.to_string());
    }

    /// Writes a notice or warning to standard error: as text, or as a JSON object on one line.
    fn tell(&self, kind: &str, text: &str) {
        match self.format {
            Format::Text => say(&format!("{kind}: {}\n", Escaped(text))),
            Format::Json => say_json(&serde_json::json!({ kind: text })),
        }
    }

    pub(super) fn notices<T: Display>(&self, notices: impl IntoIterator<Item = T>) {
        notices.into_iter().for_each(|notice| self.notice(notice));
    }

    /// Returns whether standard error is a terminal on which how far a command is may be shown.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Something that only the curious want to know.
    pub(super) fn detail(&self, text: impl Display) {
        if self.verbose && !self.quiet {
            match self.format {
                Format::Text => say(&format!("{}\n", Escaped(&text.to_string()))),
                Format::Json => self.tell("detail", &text.to_string()),
            }
        }
    }
}

/// A path as one word of a shell's.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./@%+=:,-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
