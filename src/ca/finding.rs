//! Findings of rules. A rule's name never changes: scripts read it.

use crate::ca::remedy::Remedy;

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It would be refused, or trusted wrongly.
    Error,
    /// It works, and may not be intended.
    Warning,
    /// Nothing is wrong; this is for information.
    Notice,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleFinding {
    pub(crate) level: Level,
    /// Name of the rule, words joined by hyphens.
    pub(crate) rule: &'static str,
    pub(crate) message: String,
    /// Remedy that is said with it.
    pub(crate) remedy: Option<Box<Remedy>>,
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
            remedy: Some(Box::new(remedy)),
            ..self
        }
    }
}
