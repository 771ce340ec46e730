//! Files of entries.

use crate::ca::export::Strength;
use std::path::PathBuf;

/// The files for the owner of an entry's certificate.
pub struct EntryFiles {
    /// The directory; created if it is missing.
    pub directory: PathBuf,
    /// Their name, without an ending.
    pub name: String,
    /// Whether the certificate is written as DER too.
    pub der: bool,
    /// Encryption of a PKCS #12 file, if one is written.
    pub pkcs12: Option<Strength>,
    /// Whether the key is encrypted.
    pub protected: bool,
}
