//! Kinds of defects.

use crate::store::StoreError;
use std::fmt;
use std::str::FromStr;

/// Defect of a certificate in a fixture store.
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
    /// It has no SANs.
    NoSan,
    /// Another CA of the same name has signed it, with another key.
    OtherCa,
    /// It is valid for decades, and longer than its CA.
    WeakValidity,
    /// Its own key has signed it.
    SelfSigned,
}

/// An unknown defect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a flaw; there are expired, not-yet-valid, revoked, wrong-purpose, no-san, other-ca, weak-validity and self-signed"
)]
pub struct UnknownFlaw(pub String);

/// Reasons to issue no certificate with a defect. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FlawError {
    /// The store is not a fixture store.
    #[error("no certificate is issued here with the flaw {flaw}")]
    NotHere {
        /// The defect.
        flaw: Flaw,
        /// The error of the store.
        source: StoreError,
    },
    /// A self-signed certificate needs its private key, and there is only a CSR.
    #[error("a self-signed certificate is signed with its own key, which a request does not have")]
    KeyElsewhere,
    /// The certificate has no SAN to leave out.
    #[error("the certificate would have no alternative name without the flaw either")]
    NoNames,
}

impl Flaw {
    /// All defects, in the order of the documentation.
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

    /// Name in options, reports and records.
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

    /// Lint rules that a certificate with the defect may break.
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
