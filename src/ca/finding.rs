//! What rules find in files that anyone may have made.
//!
//! A rule's name stays as it is: scripts read it.

use crate::ca::remedy::Remedy;

/// Whether a finding stops what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It would be refused, or trusted wrongly.
    Error,
    /// It works, and may not be what was meant.
    Warning,
    /// All is well, and this is to be known.
    Notice,
}

impl Level {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFinding {
    /// How bad it is.
    pub level: Level,
    /// The rule's name, in words joined by hyphens.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// Remedy that is said with it.
    pub remedy: Option<Remedy>,
}

impl RuleFinding {
    pub(crate) fn new(level: Level, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            level,
            rule,
            message: message.into(),
            remedy: None,
        }
    }

    pub(crate) fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Error, rule, message)
    }

    pub(crate) fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, rule, message)
    }

    pub(crate) fn with_remedy(self, remedy: Remedy) -> Self {
        Self {
            remedy: Some(remedy),
            ..self
        }
    }
}
