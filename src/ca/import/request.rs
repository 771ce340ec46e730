//! What is to be imported.

use super::places::Source;
use crate::store::CaRecord;
use crate::x509::Certificate;

/// How the keys of an imported CA are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProtection {
    /// Under the passphrase that opened the CA's key; one that had none gets a new one.
    AsBefore,
    /// As the user says.
    Asked,
}

/// What is to be taken over.
pub struct ImportRequest {
    /// What `ca.json` is to say, but for the parent.
    pub record: CaRecord,
    /// Where it comes from.
    pub source: Source,
    /// Certificates of CAs above it.
    pub chain: Vec<Certificate>,
    /// How its keys are written.
    pub protection: KeyProtection,
    /// Whether what can be taken is, though not all can be.
    pub partial: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Certificates by how they stand.
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
