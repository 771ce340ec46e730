//! Kinds of flaws.

use crate::store::StoreError;
use std::fmt;
use std::str::FromStr;

/// What is wrong with a certificate on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is no longer valid.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is revoked.
    Revoked,
    /// Its key purposes are others than those of its profile.
    WrongPurpose,
    /// It has no alternative names.
    NoSan,
    /// Another CA of the same name has signed it, with another key.
    OtherCa,
    /// It is valid for decades, and longer than its CA.
    WeakValidity,
    /// Its own key has signed it.
    SelfSigned,
}

/// A flaw that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a flaw; there are expired, not-yet-valid, revoked, wrong-purpose, no-san, other-ca, weak-validity and self-signed"
)]
pub struct UnknownFlaw(pub String);

/// Why a certificate is not issued with a flaw. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FlawError {
    /// The store is for certificates that are right.
    #[error("no certificate is issued here with the flaw {flaw}")]
    NotHere {
        /// The flaw.
        flaw: Flaw,
        /// What the store is.
        source: StoreError,
    },
    /// What signs itself needs its private key, which a request does not bring.
    #[error("a self-signed certificate is signed with its own key, which a request does not have")]
    KeyElsewhere,
    /// What would be left out is not there.
    #[error("the certificate would have no alternative name without the flaw either")]
    NoNames,
}

impl Flaw {
    /// Every flaw, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::WrongPurpose,
        Self::NoSan,
        Self::OtherCa,
        Self::WeakValidity,
        Self::SelfSigned,
    ];

    /// The name by which options, reports and records speak of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::WrongPurpose => "wrong-purpose",
            Self::NoSan => "no-san",
            Self::OtherCa => "other-ca",
            Self::WeakValidity => "weak-validity",
            Self::SelfSigned => "self-signed",
        }
    }

    /// The rules that a certificate with it may break.
    pub(in crate::ca) fn broken_rules(self) -> &'static [&'static str] {
        match self {
            // What has expired may have begun before its CA was made.
            Self::Expired | Self::WeakValidity => &["validity_is_inside_that_of_the_ca"],
            Self::SelfSigned => &["issuer_may_sign_certificates"],
            Self::NotYetValid
            | Self::Revoked
            | Self::WrongPurpose
            | Self::NoSan
            | Self::OtherCa => &[],
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Flaw {
    type Err = UnknownFlaw;

    fn from_str(text: &str) -> Result<Self, UnknownFlaw> {
        Self::ALL
            .into_iter()
            .find(|flaw| flaw.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownFlaw(text.to_owned()))
    }
}
