//! Profiles: what a certificate is for, and the extensions that follow.

use super::extension::{Extension, key_usage};
use super::general_name::GeneralName;
use crate::asn1::oid;
use crate::key::{PublicKey, PublicKeyAlgorithm};
use const_oid::ObjectIdentifier;
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Profile {
    #[default]
    Client,
    Server,
    Peer,
    /// Signed and encrypted mail (S/MIME).
    Email,
    CodeSigning,
    /// An OCSP responder of its CA.
    Ocsp,
    Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp")]
pub(crate) struct UnknownProfile(pub(crate) String);

impl Profile {
    pub(crate) const ALL: [Self; 7] = [
        Self::Client,
        Self::Server,
        Self::Peer,
        Self::Email,
        Self::CodeSigning,
        Self::Ocsp,
        Self::Timestamp,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Peer => "peer",
            Self::Email => "email",
            Self::CodeSigning => "code-signing",
            Self::Ocsp => "ocsp",
            Self::Timestamp => "timestamp",
        }
    }

    pub(crate) fn purposes(self) -> &'static [ObjectIdentifier] {
        match self {
            Self::Client => &[oid::CLIENT_AUTH],
            Self::Server => &[oid::SERVER_AUTH],
            Self::Peer => &[oid::SERVER_AUTH, oid::CLIENT_AUTH],
            Self::Email => &[oid::EMAIL_PROTECTION],
            Self::CodeSigning => &[oid::CODE_SIGNING],
            Self::Ocsp => &[oid::OCSP_SIGNING],
            Self::Timestamp => &[oid::TIME_STAMPING],
        }
    }

    pub(crate) fn key_usage(self, key: &PublicKey) -> u16 {
        let transport = matches!(self, Self::Client | Self::Server | Self::Peer | Self::Email)
            && matches!(key.algorithm(), PublicKeyAlgorithm::Rsa { .. });
        key_usage::DIGITAL_SIGNATURE
            | if transport {
                key_usage::KEY_ENCIPHERMENT
            } else {
                0
            }
    }

    pub(crate) fn consistent_key_usage(self) -> u16 {
        use key_usage::{CONTENT_COMMITMENT, DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_ENCIPHERMENT};
        match self {
            Self::Client | Self::Peer => DIGITAL_SIGNATURE | KEY_AGREEMENT,
            Self::Server => DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT,
            Self::Email => {
                DIGITAL_SIGNATURE | CONTENT_COMMITMENT | KEY_ENCIPHERMENT | KEY_AGREEMENT
            }
            Self::CodeSigning => DIGITAL_SIGNATURE,
            Self::Ocsp | Self::Timestamp => DIGITAL_SIGNATURE | CONTENT_COMMITMENT,
        }
    }

    pub(crate) fn extensions(self) -> Vec<Extension> {
        if self == Self::Ocsp {
            vec![Extension::ocsp_no_check()]
        } else {
            Vec::new()
        }
    }

    pub(crate) fn alternative_name_of(self, common_name: &str) -> Option<GeneralName> {
        match self {
            Self::Server | Self::Peer => match GeneralName::parse(common_name) {
                Ok(name @ (GeneralName::Dns(_) | GeneralName::Ip(_))) => Some(name),
                _ => None,
            },
            Self::Email => GeneralName::email(common_name).ok(),
            _ => None,
        }
    }

    pub(crate) fn required_name(self) -> Option<&'static str> {
        match self {
            Self::Server | Self::Peer => Some("a host name or an IP address"),
            Self::Email => Some("an e-mail address"),
            _ => None,
        }
    }

    pub(crate) fn has_required_name(self, names: &[GeneralName]) -> bool {
        match self {
            Self::Server | Self::Peer => names
                .iter()
                .any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_))),
            Self::Email => names
                .iter()
                .any(|name| matches!(name, GeneralName::Email(_))),
            _ => true,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}
