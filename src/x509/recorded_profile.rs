//! Profiles of recorded certificates: those of leaves and of CAs.

use super::profile::Profile;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Profile of a recorded certificate. Stored as its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum RecordedProfile {
    Leaf(Profile),
    Root,
    Subordinate,
    Cross,
    /// A certificate of another program that fits no profile.
    Imported,
    /// The name of a profile that a file defines, or one that is not known here.
    Custom(String),
}

impl RecordedProfile {
    const CAS: [Self; 4] = [Self::Root, Self::Subordinate, Self::Cross, Self::Imported];

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Leaf(profile) => profile.as_str(),
            Self::Root => "root",
            Self::Subordinate => "subordinate",
            Self::Cross => "cross",
            Self::Imported => "imported",
            Self::Custom(name) => name,
        }
    }

    /// Returns whether it is of a leaf: an imported certificate is taken for one.
    pub(crate) fn is_of_a_leaf(&self) -> bool {
        !matches!(self, Self::Root | Self::Subordinate | Self::Cross)
    }

    /// Returns the profile of `pki` of a leaf, if it has one.
    pub(crate) fn leaf(&self) -> Option<Profile> {
        match self {
            Self::Leaf(profile) => Some(*profile),
            // Names of profiles are read in any case.
            Self::Custom(name) => name.parse().ok(),
            Self::Root | Self::Subordinate | Self::Cross | Self::Imported => None,
        }
    }
}

impl From<Profile> for RecordedProfile {
    fn from(profile: Profile) -> Self {
        Self::Leaf(profile)
    }
}

impl From<String> for RecordedProfile {
    fn from(name: String) -> Self {
        let leaves = Profile::ALL.into_iter().map(Self::Leaf);
        let mut known = leaves.chain(Self::CAS);
        known
            .find(|known| known.as_str() == name)
            .unwrap_or(Self::Custom(name))
    }
}

impl From<RecordedProfile> for String {
    fn from(profile: RecordedProfile) -> Self {
        profile.as_str().to_owned()
    }
}

impl fmt::Display for RecordedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_to_the_byte() {
        for name in ["client", "Client", "root", "imported", "of a later version"] {
            let profile = RecordedProfile::from(name.to_owned());
            assert_eq!(String::from(profile), name);
        }
    }

    #[test]
    fn leaves_are_told_from_cas() {
        let leaf = |name: &str| RecordedProfile::from(name.to_owned()).leaf();
        assert_eq!(leaf("server"), Some(Profile::Server));
        assert_eq!(leaf("Server"), Some(Profile::Server));
        for name in ["root", "subordinate", "cross", "imported", "unknown"] {
            assert_eq!(leaf(name), None, "{name}");
        }
    }
}
