//! Errors of keys and their passphrases.

use crate::key::KeyError;
use crate::store::Location;
use std::error::Error;

/// Reasons why a private key can't be opened, made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyUseError {
    /// A key of the store or of a file can't be opened.
    #[error("the key {path} can't be used")]
    Unusable { path: Location, source: KeyError },
    #[error("there is no passphrase for {key}")]
    NoPassphrase {
        key: String,
        source: Box<dyn Error + Send + Sync>,
    },
    /// There are no random bytes, or no key can be made of them.
    #[error("a key could not be made")]
    Randomness(#[source] KeyError),
    #[error("a key could not be made")]
    Signing(#[source] KeyError),
    /// A key can't be encrypted or written.
    #[error("a key could not be made")]
    Encoding(#[source] KeyError),
    /// A signature, or the key in a certificate or CSR, is not right.
    #[error("a key could not be made")]
    Verification(#[source] KeyError),
}
