//! Errors of exports. Nothing was written.

/// Reasons why a certificate is not exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("{name:?} is not a safe file name")]
    FileName { name: String },
    #[error("{name:?} is not a valid name of a Kubernetes Secret")]
    SecretName { name: String },
    /// A file that holds the key is wanted, and the key is not in the store.
    #[error("its key is not in the store, and {what} needs it")]
    KeyNeeded { what: &'static str },
    #[error("{party} does not accept {what}")]
    NotTaken { party: &'static str, what: String },
}
