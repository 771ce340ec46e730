//! Keys: algorithms, private keys, their files and their encryption.
//!
//! Private-key operations go through AWS-LC. Key bytes are held in memory that is wiped, and leave
//! it as PKCS#8 (RFC 5958) or in PKCS#12 (RFC 7292) only, encrypted unless the caller says [`Protection::None`].

#![allow(missing_docs)]

mod algorithm;
mod encryption;
mod form;
mod iterations;
mod key_file;
mod old_encryption;
mod outside;
mod passphrase;
pub(crate) mod pkcs12;
mod private_key;
mod pss;
mod public_key;
mod rsa;
mod signature;
pub(crate) mod weak;

pub(crate) use algorithm::KeyType;
pub(crate) use encryption::{EncryptedKey, KeyEncryptionKey, Protection};
pub(crate) use key_file::KeyFile;
pub(crate) use outside::{Code, Found, HelperError, Helpers, KeyPlace, KeyUri};
pub(crate) use passphrase::Passphrase;
pub(crate) use private_key::PrivateKey;
pub(crate) use pss::PssHash;
pub(crate) use public_key::{Curve, PublicKey, PublicKeyAlgorithm};
pub(crate) use signature::SignatureAlgorithm;

use crate::asn1::Malformed;
use crate::pem::PemError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the key is not valid PEM")]
    Pem(#[from] PemError),
    /// Other objects stand in the file of a key.
    #[error("its file has other objects beside it")]
    NotAlone,
    #[error("it contains no private key, but {found}")]
    NotAKey { found: String },
    #[error("its encoding is invalid")]
    Malformed(#[from] Malformed),
    #[error("keys of type {algorithm} are not supported")]
    Unsupported { algorithm: String },
    #[error("the key's numbers are inconsistent: {reason}")]
    Inconsistent { reason: String },
    #[error("the signature is invalid: {0}")]
    Signature(&'static str),
    #[error("the public key is weak: {0}")]
    Weak(weak::WeakKey),
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The bytes of a key outside the store are not here.
    #[error("the key is outside the store")]
    Outside,
    #[error(transparent)]
    Helper(#[from] HelperError),
    #[error("a PKCS #12 file needs a passphrase")]
    Unprotected,
    #[error("its encryption is not supported: {reason}")]
    Encryption { reason: String },
    #[error("the cryptographic library failed to {operation}")]
    Library { operation: &'static str },
}

impl KeyError {
    /// Returns whether another passphrase or PIN may open the key.
    pub(crate) fn is_wrong_secret(&self) -> bool {
        match self {
            Self::WrongPassphrase => true,
            Self::Helper(error) => error.code() == Some(Code::PinWrong),
            _ => false,
        }
    }
}

impl From<weak::WeakKey> for KeyError {
    fn from(weakness: weak::WeakKey) -> Self {
        Self::Weak(weakness)
    }
}
