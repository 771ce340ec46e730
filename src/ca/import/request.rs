//! Requests to import a CA.

use crate::ca::import::locations::Source;
use crate::store::CaRecord;
use crate::x509::Certificate;

/// Protection of the keys of an imported CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProtection {
    /// Under the passphrase that opened the CA's key; one that had none gets a new one.
    AsBefore,
    /// As the user says.
    Asked,
}

/// A CA to import.
pub struct ImportRequest {
    /// Its `ca.json`, without the parent.
    pub record: CaRecord,
    /// The program and the directory that it comes from.
    pub source: Source,
    /// Certificates of CAs above it.
    pub chain: Vec<Certificate>,
    /// Protection of its keys.
    pub protection: KeyProtection,
    /// Whether to import a part, if not all can be imported.
    pub partial: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Numbers of certificates by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Neither revoked nor expired.
    pub valid: usize,
    /// Revoked.
    pub revoked: usize,
    /// Past their notAfter, and not revoked.
    pub expired: usize,
    /// Of all these, those that are recorded without their certificates.
    pub without_certificate: usize,
}
