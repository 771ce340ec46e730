//! Errors of applying a declaration. Nothing was changed.

/// Reasons why a declaration is not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// CAs of the store can't become what the declaration says.
    #[error("what is in the store is not what the file says: {}", .differences.join("; "))]
    OtherCas {
        /// Differences, each with the CA's name before it.
        differences: Vec<String>,
    },
    /// An output would break rules of its target.
    #[error("{what} would break rules: {}", .rules.join("; "))]
    RulesBroken { what: String, rules: Vec<String> },
}
