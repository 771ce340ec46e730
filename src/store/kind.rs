//! The journals and counters of a CA.

/// The journals of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// What it issued.
    Issued,
    /// What it revoked.
    Revoked,
    /// The lists that it signed.
    Lists,
}

impl Journal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Issued, Self::Revoked, Self::Lists];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Lists => "crls",
        }
    }
}

/// The counters of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// That of serial numbers.
    Serial,
    /// That of the numbers of lists.
    ListNumber,
}
