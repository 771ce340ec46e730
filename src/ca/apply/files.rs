//! Files of entries.

use crate::ca::export::Strength;
use std::path::PathBuf;

/// The files for the owner of an entry's certificate.
pub(crate) struct EntryFiles {
    /// The directory; created if it is missing.
    pub(crate) directory: PathBuf,
    /// Their name, without an ending.
    pub(crate) name: String,
    /// Whether the certificate is written as DER too.
    pub(crate) der: bool,
    /// Encryption of a PKCS #12 file, if one is written.
    pub(crate) pkcs12: Option<Strength>,
    /// Whether the key is encrypted.
    pub(crate) protected: bool,
}
