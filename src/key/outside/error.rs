//! Errors of keys outside the store.

use super::message::Code;
use std::io;
use std::path::PathBuf;

/// Reasons why a helper program does not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    #[error("the key helper {program} is not found{}", looked_for_in(.directories))]
    NotFound {
        program: String,
        directories: Vec<PathBuf>,
    },
    #[error("the key helper {} cannot be started", program.display())]
    NotStarted { program: PathBuf, source: io::Error },
    /// It speaks another version of the protocol.
    #[error(
        "the key helper {program} speaks version {found} of the protocol, and {known} is required"
    )]
    Version {
        program: String,
        found: u32,
        known: u32,
    },
    #[error("the key helper {program} ended before it answered{}", with_words(.said))]
    Ended {
        program: String,
        /// Its last words on standard error.
        said: String,
    },
    #[error("the key helper {program} did not answer within {seconds} s")]
    NoAnswer { program: String, seconds: u64 },
    #[error("the answer of the key helper {program} is not understood: {problem}")]
    NotUnderstood { program: String, problem: String },
    /// The helper's own error.
    #[error("{program}: {message}")]
    Answered {
        program: String,
        code: Code,
        message: String,
    },
    #[error("{length} bytes are too much for a key helper to sign; at most {most} are")]
    TooLong { length: usize, most: usize },
}

impl HelperError {
    /// Returns the code of the helper's own error.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Answered { code, .. } => Some(*code),
            _ => None,
        }
    }
}

fn looked_for_in(directories: &[PathBuf]) -> String {
    let names: Vec<_> = directories
        .iter()
        .map(|directory| directory.display().to_string())
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" in {}", names.join(", "))
}

fn with_words(said: &str) -> String {
    if said.is_empty() {
        return String::new();
    }
    format!(": {said}")
}
