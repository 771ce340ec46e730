//! Keys: algorithms, private keys, their files and their encryption.
//!
//! Private-key operations go through AWS-LC. Key bytes are held in memory that is wiped, and leave
//! it as PKCS#8 (RFC 5958) or in PKCS#12 (RFC 7292) only, encrypted unless the caller says [`Protection::None`].

mod algorithm;
mod encryption;
mod form;
mod iterations;
mod key_file;
mod old_encryption;
mod passphrase;
pub mod pkcs12;
mod private_key;
mod pss;
mod public_key;
mod rsa;
mod signature;
pub mod weak;

pub use algorithm::KeyType;
pub use encryption::{EncryptedKey, KeyEncryptionKey, Protection};
pub use key_file::KeyFile;
pub use passphrase::Passphrase;
pub use private_key::PrivateKey;
pub use pss::PssHash;
pub use public_key::{Curve, PublicKey, PublicKeyAlgorithm};
pub use signature::SignatureAlgorithm;

use crate::asn1::Malformed;
use crate::pem::PemError;

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is no PEM that can be read.
    #[error("the key is not readable PEM")]
    Pem(#[from] PemError),
    /// The file has no private key in a form that `pki` knows.
    #[error("there is no private key in it, but {found}")]
    NotAKey {
        /// What was found instead.
        found: String,
    },
    /// The key's structure is broken.
    #[error("the key's encoding is broken")]
    Malformed(#[from] Malformed),
    /// A key algorithm that `pki` does not sign with.
    #[error("keys of type {algorithm} can't be used here")]
    Unsupported {
        /// The algorithm's name or object identifier.
        algorithm: String,
    },
    /// The numbers in the key do not fit each other.
    #[error("the key's numbers don't fit each other: {reason}")]
    Inconsistent {
        /// AWS-LC's word for it.
        reason: String,
    },
    /// A public key that must not be certified.
    #[error("the public key is weak: {0}")]
    Weak(weak::WeakKey),
    /// The key is encrypted and the passphrase is not the right one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// A form that has no unencrypted variant.
    #[error("a PKCS #12 file needs a passphrase")]
    Unprotected,
    /// The key's encryption is one that `pki` does not open.
    #[error("its encryption can't be opened: {reason}")]
    Encryption {
        /// What is unusual about it.
        reason: String,
    },
    /// AWS-LC refused an operation that has no reason to fail.
    #[error("the cryptographic library failed to {operation}")]
    Library {
        /// What was asked of it.
        operation: &'static str,
    },
}

impl From<weak::WeakKey> for KeyError {
    fn from(weakness: weak::WeakKey) -> Self {
        Self::Weak(weakness)
    }
}
