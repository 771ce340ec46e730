//! Errors of keys and their passphrases.

use crate::key::{KeyError, KeyType, KeyUri};
use crate::store::Location;
use std::error::Error;
use std::fmt;

/// Reasons why a private key can't be opened, made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyUseError {
    /// A key of the store or of a file can't be opened.
    #[error("{} cannot be used", path.of_key())]
    Unusable { path: Location, source: KeyError },
    /// A key outside the store can't be reached or opened, or is not made.
    #[error("the key {uri} cannot be used")]
    Outside { uri: KeyUri, source: KeyError },
    #[error("the key {uri} is not found")]
    NotThere { uri: KeyUri },
    #[error("the key {uri} is of type {found}, not {asked}")]
    OtherType {
        uri: KeyUri,
        found: String,
        asked: KeyType,
    },
    #[error("no {secret} given for {key}")]
    NoPassphrase {
        key: String,
        secret: Secret,
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

/// Secret that opens a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    Passphrase,
    /// PIN of the token or service that has the key.
    Pin,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase",
            Self::Pin => "PIN",
        })
    }
}
