//! The journals and counters of a CA.

/// The journals of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Issued certificates.
    Issued,
    /// Revocations.
    Revoked,
    /// Signed CRLs.
    Crls,
}

impl Journal {
    /// All journals.
    pub const ALL: [Self; 3] = [Self::Issued, Self::Revoked, Self::Crls];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Crls => "crls",
        }
    }
}

/// The counters of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Serial numbers.
    Serial,
    /// CRL numbers.
    CrlNumber,
}
