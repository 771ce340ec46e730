//! Entry for fuzzing and for tests with hostile input: one function for each parser of input from outside.
//!
//! Each takes any bytes, and panics if an invariant does not hold. `fuzz/targets` makes the files that some
//! of them read, and lists all of them.

pub mod encodings;
pub mod import;
pub mod keys;
pub mod objects;
pub mod store;
pub mod tables;
pub mod words;

use crate::ca::{Passphrases, ProtectedKey};
use crate::key::Passphrase;
use crate::x509::text::{Escaped, is_deceptive};
use std::error::Error;
use time::OffsetDateTime;
use time::macros::datetime;

/// Current time of every target.
const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

/// Iteration count up to which files are opened: more is slow on purpose.
const FEW_ITERATIONS: u64 = 10_000;

/// Passphrase of the files in the corpora.
const PASSPHRASE: &str = "secret";

/// Asserts that an error, once escaped, does not steer a terminal, nor do its causes.
fn said(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push('\n');
        text.push_str(&error.to_string());
        cause = error.source();
    }
    harmless(&Escaped(&text).to_string());
}

/// Asserts that nothing in a text but its line breaks steers a terminal.
fn harmless(text: &str) {
    let steers = |character: char| character != '\n' && is_deceptive(character);
    assert!(!text.contains(steers), "{text:?}");
}

/// Source of the one passphrase, for every key.
struct Known;

impl Passphrases for Known {
    fn to_open(
        &mut self,
        _key: ProtectedKey<'_>,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        Ok(Passphrase::new(PASSPHRASE.to_owned().into()))
    }

    fn to_protect(
        &mut self,
        _key: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}
