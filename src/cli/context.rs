//! What every command has at hand.

use super::failure::{Failure, say};
use crate::store::{Observer, Store};

use crate::x509::validity::whole_second;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// The global options, and the one look at the clock.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: PathBuf,
    pub(super) no_input: bool,
    pub(super) now: OffsetDateTime,
    quiet: bool,
    verbose: bool,
}

impl Context {
    pub(super) fn new(store: Option<PathBuf>, no_input: bool, quiet: bool, verbose: bool) -> Self {
        let from_environment = || std::env::var_os("PKI_STORE").filter(|path| !path.is_empty());
        let store = store.or_else(|| from_environment().map(PathBuf::from));
        // Certificates, lists and records know no fractions of a second.
        let now = OffsetDateTime::now_utc();
        let store = store.unwrap_or_else(|| PathBuf::from("./pki"));
        Self {
            store,
            no_input,
            quiet,
            verbose,
            now: whole_second(now).unwrap_or(now),
        }
    }

    /// The time after so long, or the last that there is.
    pub(super) fn after(&self, duration: Duration) -> OffsetDateTime {
        let end = self.now.checked_add(duration);
        end.unwrap_or(PrimitiveDateTime::MAX.assume_utc())
    }

    pub(super) fn open_store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.store, self.observer())?)
    }

    /// Passes the store's notices on to the user.
    pub(super) fn observer(&self) -> Observer {
        let quiet = self.quiet;
        Arc::new(move |notice| {
            if !quiet {
                say(&format!("notice: {notice}\n"));
            }
        })
    }

    /// Something that the user did not ask for and wants to know.
    pub(super) fn notice(&self, text: impl Display) {
        if !self.quiet {
            say(&format!("notice: {text}\n"));
        }
    }

    /// Something that is not safe; no option silences it.
    pub(super) fn warning(text: impl Display) {
        say(&format!("warning: {text}\n"));
    }

    pub(super) fn notices<T: Display>(&self, notices: impl IntoIterator<Item = T>) {
        notices.into_iter().for_each(|notice| self.notice(notice));
    }

    /// Whether standard error is a terminal on which how far a command is may be shown.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Something that only the curious want to know.
    pub(super) fn detail(&self, text: impl Display) {
        if self.verbose && !self.quiet {
            say(&format!("{text}\n"));
        }
    }
}
