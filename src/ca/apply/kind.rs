//! Kinds of entries.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ca,
    Certificate,
    Crl,
    Bundle,
}

impl Kind {
    /// The name by which reports and files speak of it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Certificate => "certificate",
            Self::Crl => "crl",
            Self::Bundle => "bundle",
        }
    }
}
