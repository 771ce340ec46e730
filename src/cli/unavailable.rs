//! Passphrases that are not available.

use std::error::Error;

/// Why there is no passphrase, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{fact}")]
pub(super) struct Unavailable {
    fact: String,
    pub(super) hint: Option<&'static str>,
}

pub(super) fn unavailable(
    fact: impl Into<String>,
    hint: Option<&'static str>,
) -> Box<dyn Error + Send + Sync> {
    Box::new(Unavailable {
        fact: fact.into(),
        hint,
    })
}
