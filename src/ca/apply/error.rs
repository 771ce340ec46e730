//! Errors of applying a declaration. Nothing was changed.

/// Reasons why a declaration is not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// CAs of the store can't become what the declaration says.
    #[error("CAs of the store differ from the file: {}", .differences.join("; "))]
    OtherCas {
        /// Differences, each with the CA's name before it.
        differences: Vec<String>,
    },
    /// An output would break rules of its target.
    #[error("{what} would break rules of its target: {}", .rules.join("; "))]
    RulesBroken { what: String, rules: Vec<String> },
}
