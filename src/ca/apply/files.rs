//! Files of entries.

use crate::ca::export::Strength;
use std::path::PathBuf;

/// The files for the owner of an entry's certificate.
pub struct EntryFiles {
    /// The folder; made where it is missing.
    pub directory: PathBuf,
    /// What they are called.
    pub name: String,
    /// Whether the certificate is wanted as DER too.
    pub der: bool,
    /// Whether a PKCS #12 file is wanted too, and how it is encrypted.
    pub pkcs12: Option<Strength>,
    /// Whether the key among them is put under a passphrase.
    pub protected: bool,
}
