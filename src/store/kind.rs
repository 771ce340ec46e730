//! The journals and counters of a CA.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    Issued,
    Revoked,
    Crls,
}

impl Journal {
    pub(crate) const ALL: [Self; 3] = [Self::Issued, Self::Revoked, Self::Crls];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Crls => "crls",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    Serial,
    CrlNumber,
}
