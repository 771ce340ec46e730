//! Profiles as files write them.
//!
//! Doc comments of fields are texts of the JSON Schema.

use crate::ca::profiles::custom::usages;
use crate::ca::schema::named;
use crate::x509::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use toml::Spanned;

/// A profile of certificates.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of a profile")]
#[schemars(inline)]
pub(crate) struct ProfileTable {
    /// Profile of pki that it builds on: client (the default), server, peer, email, code-signing, ocsp or timestamp. It
    /// decides which names are needed, and every extension that no other field gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BaseName>")]
    pub(crate) base: Option<Spanned<String>>,
    /// Extended key usage: names such as "clientAuth", or object identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) extended_key_usage: Option<Vec<Spanned<String>>>,
    /// Key usage, by the names of RFC 5280.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<UsageName>>")]
    pub(crate) key_usage: Option<Vec<Spanned<String>>>,
    /// Days of validity if none are asked for; 365 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NonZeroU32>")]
    pub(crate) days: Option<Spanned<NonZeroU32>>,
    /// Largest number of days of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NonZeroU32>")]
    pub(crate) max_days: Option<Spanned<NonZeroU32>>,
    /// Subject of certificates for which only a common name is given; "{cn}" is that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) subject: Option<Spanned<String>>,
    /// Types of otherName that SANs may have, by object identifier or as "upn" and "krb5"; of a CSR, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub(crate) other_names: Vec<Spanned<String>>,
    /// Whether the server has to staple an OCSP response (RFC 7633).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) must_staple: bool,
    /// Certificate policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<PolicyTable>")]
    pub(crate) policies: Vec<Spanned<PolicyTable>>,
    /// Other extensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ExtensionTable>")]
    pub(crate) extensions: Vec<Spanned<ExtensionTable>>,
}

/// A certificate policy.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table { oid, cps }")]
#[schemars(inline)]
pub(crate) struct PolicyTable {
    /// Its object identifier.
    pub(crate) oid: String,
    /// URL of its certification practice statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cps: Option<String>,
}

/// An extension.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table { oid, hex or base64, critical }"
)]
#[schemars(inline)]
pub(crate) struct ExtensionTable {
    /// Its object identifier.
    pub(crate) oid: String,
    /// Its value: DER in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
    /// Its value: DER in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base64: Option<String>,
    /// Whether programs that do not know it refuse the certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) critical: bool,
}

named! {
    pub(crate) BaseName: Profile::ALL.map(Profile::as_str).to_vec();
    pub(crate) UsageName: usages().map(|(name, _)| name).collect();
}
