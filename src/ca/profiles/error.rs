//! Errors of profiles. Nothing was changed.

use crate::ca::profiles::rule::ProfileProblem;
use std::fmt;

/// Reasons why a profile is not used or not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    #[error("{name:?} is not a profile; use {}", one_of(known))]
    NotFound {
        name: String,
        /// Names of the profiles that can be used.
        known: Vec<String>,
    },
    /// A file of profiles breaks rules, or can't be read.
    #[error("the profiles in {file} cannot be used")]
    Invalid {
        file: String,
        problems: Vec<PlacedProblem>,
    },
    /// The file of the store can't be used.
    #[error("the profiles of the store cannot be used: {problem}")]
    Broken { problem: String },
    #[error("the store would have more than 1 MiB of profiles")]
    TooLarge,
    /// A profile of the store has the name, and differs.
    #[error("profile {name} already exists and differs")]
    Exists { name: String },
    #[error("{file} has no table [profile.NAME]")]
    Empty { file: String },
}

/// Lists names, as in "a, b or c".
fn one_of(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// Problem in a file of profiles, and its place.
#[derive(Debug)]
pub(crate) struct PlacedProblem {
    /// From 1.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) column: usize,
    pub(crate) problem: ProfileProblem,
}

impl fmt::Display for PlacedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            problem,
        } = self;
        write!(f, "line {line}, column {column}: {problem}")
    }
}
