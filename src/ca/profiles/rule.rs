//! Rules for profiles. A rule's name never changes: scripts and people look for it.

use std::fmt;
use std::ops::Range;

/// Rule that a profile keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A name that is not one, or that is taken.
    Name,
    /// An extension that another field gives, or that pki decides.
    OwnedExtension,
    /// anyExtendedKeyUsage.
    AnyPurpose,
    /// OCSPSigning in a profile that does not build on `ocsp`.
    OcspSigning,
    /// timeStamping beside another purpose (RFC 3161 section 2.3).
    TimeStamping,
    /// keyCertSign or cRLSign.
    CaBits,
    /// A value that is not one DER value.
    ExtensionValue,
    /// The same purpose, policy, otherName type or extension twice.
    Duplicate,
    /// `days` above `max_days`.
    Days,
    /// A value that can't be used.
    Value,
}

impl Rule {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 10] = [
        Self::Name,
        Self::OwnedExtension,
        Self::AnyPurpose,
        Self::OcspSigning,
        Self::TimeStamping,
        Self::CaBits,
        Self::ExtensionValue,
        Self::Duplicate,
        Self::Days,
        Self::Value,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "profile-name",
            Self::OwnedExtension => "profile-owned-extension",
            Self::AnyPurpose => "profile-any-purpose",
            Self::OcspSigning => "profile-ocsp-signing",
            Self::TimeStamping => "profile-time-stamping",
            Self::CaBits => "profile-ca-bits",
            Self::ExtensionValue => "profile-extension-value",
            Self::Duplicate => "profile-duplicate",
            Self::Days => "profile-days",
            Self::Value => "profile-value",
        }
    }
}

/// A problem in a file of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileProblem {
    /// Bytes of the text that it is about.
    pub(crate) place: Range<usize>,
    /// The rule that is broken; `None` if the file can't be read.
    pub(crate) rule: Option<Rule>,
    pub(crate) message: String,
}

impl fmt::Display for ProfileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.rule {
            Some(rule) => write!(f, " ({})", rule.as_str()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_rule() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/profiles.md"));
        for rule in Rule::ALL {
            let row = format!("| `{}` | ", rule.as_str());
            assert!(page.contains(&row), "{row}");
        }
    }
}
