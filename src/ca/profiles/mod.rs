//! Profiles of leaves: those of `pki`, and those that files define.
//!
//! A file has tables `[profile.NAME]`. Everything wrong in it is named at once, with its place, before anything is
//! issued.

mod custom;
mod difference;
pub(crate) mod error;
mod file;
mod purpose;
mod rule;
mod subject;
mod table;

pub(crate) use custom::CustomProfile;
pub(crate) use difference::changed_extensions;
pub(crate) use file::{Addition, Profiles, add_profiles};
pub(crate) use table::ProfileTable;

use crate::key::PublicKey;
use crate::x509::{Extension, Profile, RecordedProfile};
use const_oid::ObjectIdentifier;
use std::fmt;
use std::sync::Arc;
use time::Duration;

/// Validity of a leaf by default.
pub(crate) const DEFAULT_VALIDITY: Duration = Duration::days(365);

/// Profile of a leaf.
#[derive(Debug, Clone)]
pub(crate) enum LeafProfile {
    Known(Profile),
    Custom(Arc<CustomProfile>),
}

impl LeafProfile {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known(profile) => profile.as_str(),
            Self::Custom(profile) => profile.name(),
        }
    }

    /// Returns the profile of `pki` that it is or builds on: it decides which names are needed.
    pub(crate) fn base(&self) -> Profile {
        match self {
            Self::Known(profile) => *profile,
            Self::Custom(profile) => profile.base(),
        }
    }

    pub(crate) fn custom(&self) -> Option<&Arc<CustomProfile>> {
        match self {
            Self::Known(_) => None,
            Self::Custom(profile) => Some(profile),
        }
    }

    pub(crate) fn purposes(&self) -> &[ObjectIdentifier] {
        match self {
            Self::Known(profile) => profile.purposes(),
            Self::Custom(profile) => profile.purposes(),
        }
    }

    pub(crate) fn key_usage(&self, key: &PublicKey) -> u16 {
        let ordered = self.custom().and_then(|custom| custom.key_usage());
        ordered.unwrap_or_else(|| self.base().key_usage(key))
    }

    /// Returns the extensions beside basicConstraints, keyUsage, extKeyUsage, subjectAltName, and those about the CA.
    pub(crate) fn extensions(&self) -> Vec<Extension> {
        let mut extensions = self.base().extensions();
        if let Self::Custom(profile) = self {
            extensions.extend_from_slice(profile.extensions());
        }
        extensions
    }

    /// Returns the validity if none is asked for.
    pub(crate) fn default_validity(&self) -> Duration {
        self.custom().map_or(DEFAULT_VALIDITY, |custom| {
            custom.limits().default_validity()
        })
    }

    /// Returns the longest validity.
    pub(crate) fn most_days(&self) -> Option<u32> {
        self.custom().and_then(|custom| custom.limits().max_days)
    }

    /// Returns whether its certificates may have an otherName of a type. UPNs and Kerberos principals may always be
    /// given by the user.
    pub(crate) fn allows_other_name(&self, kind: &ObjectIdentifier) -> bool {
        self.custom()
            .is_some_and(|custom| custom.other_names().contains(kind))
    }
}

impl From<Profile> for LeafProfile {
    fn from(profile: Profile) -> Self {
        Self::Known(profile)
    }
}

impl Default for LeafProfile {
    fn default() -> Self {
        Profile::default().into()
    }
}

impl From<&LeafProfile> for RecordedProfile {
    fn from(profile: &LeafProfile) -> Self {
        match profile {
            LeafProfile::Known(profile) => Self::Leaf(*profile),
            LeafProfile::Custom(profile) => Self::Custom(profile.name().to_owned()),
        }
    }
}

impl fmt::Display for LeafProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
