//! Errors of exports. Nothing was written.

/// Reasons why a certificate is not exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("{name:?} can't be a file name")]
    FileName { name: String },
    #[error("{name:?} can't be the name of a Kubernetes Secret")]
    SecretName { name: String },
    /// A file that holds the key is wanted, and the key is not in the store.
    #[error("its key is not here, and without it there is no {what}")]
    KeyNeeded { what: &'static str },
    #[error("{party} does not take {what}")]
    NotTaken { party: &'static str, what: String },
}
