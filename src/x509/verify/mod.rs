//! Verification of a certificate: its path to a trusted one, by RFC 5280 section 6.1, with policies as
//! RFC 9618 has them; and, of revocation, by CRLs that are handed in (section 6.3).
//!
//! The rules here name the certificate and the fact. What passes them is judged once more, by
//! rustls-webpki if it can: who is called valid was held to both.

mod crls;
mod ocsp;
mod policies;
mod problem;
mod refusal;
mod rules;
mod scope;
mod search;
mod second;

pub(crate) use crls::check_crls;
pub(crate) use ocsp::check_responses;
pub(crate) use policies::PolicyInputs;
pub(crate) use problem::{CrlProblem, OcspProblem};
pub(crate) use refusal::{Refusal, called, serial_text};
pub(crate) use search::{Paths, Trust};

use super::general_name::dns_name;
use super::{Certificate, Profile};
use rustls_pki_types::{DnsName, ServerName};
use std::net::IpAddr;
use std::str::FromStr;
use time::OffsetDateTime;

#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) time: OffsetDateTime,
    /// For what; `None` for anything.
    pub(crate) purpose: Option<Profile>,
    /// As which host.
    pub(crate) hostname: Option<Hostname>,
    /// Under which certificate policies.
    pub(crate) policies: PolicyInputs,
}

impl Question {
    /// Asks whether a certificate is valid at a time, for anything.
    pub(crate) fn at(time: OffsetDateTime) -> Self {
        Self {
            time,
            purpose: None,
            hostname: None,
            policies: PolicyInputs::default(),
        }
    }
}

/// Judges a path, whose signatures were verified as it was built: the certificate first, the
/// trusted one last.
pub(crate) fn judge(path: &[Certificate], question: &Question) -> Result<(), Refusal> {
    rules::check(path, question)?;
    policies::check(path, &question.policies)?;
    second::check(path, question)
}

/// A host's name or address, as a client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hostname(ServerName<'static>);

/// A text that is neither a host's name nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a host name nor an IP address")]
pub(crate) struct HostnameError(String);

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, HostnameError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(ServerName::IpAddress(address.into())));
        }
        let bad = || HostnameError(text.to_owned());
        let name = dns_name(text, false).map_err(|_| bad())?;
        let name = DnsName::try_from(name).map_err(|_| bad())?;
        Ok(Self(ServerName::DnsName(name)))
    }
}

impl std::fmt::Display for Hostname {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_str())
    }
}
