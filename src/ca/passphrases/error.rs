//! Errors of keys and their passphrases.

use crate::key::KeyError;
use crate::store::Location;
use std::error::Error;

/// Reasons why a private key can't be opened, made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyUseError {
    /// A key of the store or of a file can't be opened.
    #[error("key {path} cannot be used")]
    Unusable { path: Location, source: KeyError },
    #[error("no passphrase given for {key}")]
    NoPassphrase {
        key: String,
        source: Box<dyn Error + Send + Sync>,
    },
    /// There are no random bytes, or no key can be made of them.
    #[error("key generation failed")]
    Randomness(#[source] KeyError),
    #[error("signing failed")]
    Signing(#[source] KeyError),
    /// A key can't be encrypted or written.
    #[error("the key cannot be encoded")]
    Encoding(#[source] KeyError),
    /// A signature, or the key in a certificate or CSR, is not right.
    #[error("verification failed")]
    Verification(#[source] KeyError),
}
