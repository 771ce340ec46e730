//! Requests to import a CA.

use crate::ca::import::locations::Source;
use crate::store::CaRecord;
use crate::x509::Certificate;

/// Protection of the keys of an imported CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyProtection {
    /// Under the passphrase that opened the CA's key; one that had none gets a new one.
    AsBefore,
    /// As the user says.
    Asked,
}

/// A CA to import.
pub(crate) struct ImportRequest {
    /// Its `ca.json`, without the parent.
    pub(crate) record: CaRecord,
    /// The program and the directory that it comes from.
    pub(crate) source: Source,
    /// Certificates of CAs above it.
    pub(crate) chain: Vec<Certificate>,
    /// Protection of its keys.
    pub(crate) protection: KeyProtection,
    /// Whether to import a part, if not all can be imported.
    pub(crate) partial: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
}

/// Numbers of certificates by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Neither revoked nor expired.
    pub(crate) valid: usize,
    /// Revoked.
    pub(crate) revoked: usize,
    /// Past their notAfter, and not revoked.
    pub(crate) expired: usize,
    /// Of all these, those that are recorded without their certificates.
    pub(crate) without_certificate: usize,
}
