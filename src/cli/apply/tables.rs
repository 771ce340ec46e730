//! A declaration as its file writes it: the tables of TOML, and the JSON Schema that is made of them.
//!
//! Doc comments of fields are texts of the schema.

use crate::ca::{CsrNames, Defect, ProfileTable, RelyingParty, named, party};
use crate::cli::options::{KeyUriArgs, LifetimeArgs, PolicyArgs, SubjectArgs, UrlArgs};
use crate::cli::root::CaSpec;
use crate::key::{KeyType, KeyUri};
use crate::x509::validity::{Moment, parse_duration};
use crate::x509::{GeneralName, Reason, Subtree};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use toml::Spanned;

/// CAs, certificates, CRLs and trust stores, for `pki apply`. Relative paths start from the directory of the
/// file.
// Read section by section, so that all that is wrong is named at once.
#[derive(JsonSchema)]
#[schemars(title = "pki apply", deny_unknown_fields)]
#[allow(dead_code, reason = "its fields are what the schema is made of")]
pub(super) struct File {
    /// Create a fixture store, in which certificates may have a defect.
    #[schemars(default)]
    fixture: bool,
    /// Defaults of certificates.
    #[schemars(default)]
    defaults: Option<Defaults>,
    /// Profiles of certificates, by their names.
    #[schemars(default)]
    profile: BTreeMap<String, ProfileTable>,
    /// CAs, by their names in the store.
    #[schemars(default)]
    ca: BTreeMap<String, CaTable>,
    /// Certificates, by unique names, which are also their common names and file names by default.
    #[schemars(default)]
    certificate: BTreeMap<String, CertificateTable>,
    /// Published CRLs, by the names of their CAs.
    #[schemars(default)]
    crl: BTreeMap<String, CrlTable>,
    /// Trust stores, by names for reports.
    #[schemars(default)]
    bundle: BTreeMap<String, BundleTable>,
}

/// JSON Schema of a declaration.
pub(super) fn schema() -> String {
    crate::cli::schema::of::<File>()
}

/// Defaults of certificates.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Defaults {
    /// The CA that issues.
    #[schemars(with = "Option<String>")]
    pub(super) ca: Option<Spanned<String>>,
    /// Profile of certificates: client, server, peer, email, code-signing, ocsp, timestamp, or one of this file or of the
    /// store.
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Spanned<String>>,
    /// Key type.
    #[schemars(with = "Option<KeyTypeName>")]
    pub(super) key_type: Option<Parsed<KeyType>>,
    /// Days of validity; 365 by default.
    pub(super) days: Option<NonZeroU32>,
    /// Time before their expiry at which certificates are renewed, as in "30d"; by default a third of
    /// the validity, and not more than 30 days.
    #[schemars(with = "Option<String>")]
    pub(super) renew_before: Option<Parsed<Span>>,
    /// Directory for the files of certificates; without it, none are written.
    pub(super) out: Option<PathBuf>,
    /// Write NAME.der too.
    pub(super) der: Option<bool>,
    /// Write NAME.p12 too, encrypted in this way.
    #[schemars(with = "Option<Pkcs12Name>")]
    pub(super) p12: Option<Parsed<Pkcs12>>,
    /// Write the keys among the files without a passphrase.
    pub(super) no_passphrase: Option<bool>,
}

/// A CA.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct CaTable {
    /// CA that signs it, of this file or of the store; a root has none.
    #[schemars(with = "Option<String>")]
    pub(super) parent: Option<Spanned<String>>,
    /// Common name; the name of the CA by default.
    pub(super) cn: Option<String>,
    /// The whole subject: "/C=JP/O=Example/CN=x" or "CN=x,O=Example,C=JP".
    pub(super) subject: Option<String>,
    /// Days of validity; 3650 by default.
    pub(super) days: Option<NonZeroU32>,
    /// End of the validity: "2030-01-31", RFC 3339, or from now as in "5y".
    #[schemars(with = "Option<String>")]
    pub(super) not_after: Option<Parsed<Moment>>,
    /// Start of the validity; now by default.
    #[schemars(with = "Option<String>")]
    pub(super) not_before: Option<Parsed<Moment>>,
    /// Key type; p256 by default.
    #[schemars(with = "Option<KeyTypeName>")]
    pub(super) key_type: Option<Parsed<KeyType>>,
    /// Place of its key outside the store: "pkcs11:…" (RFC 7512), or "NAME:…" for the helper pki-key-NAME. The key is
    /// generated if it is not there.
    #[schemars(with = "Option<String>")]
    pub(super) key_uri: Option<Parsed<KeyUri>>,
    /// Number of CAs that may be below it.
    pub(super) path_len: Option<u32>,
    /// Names that it may certify, and no others of their type: "dns:example.test", "ip:10.0.0.0/8".
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) permit: Vec<Parsed<Subtree>>,
    /// Names that it may not certify.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) exclude: Vec<Parsed<Subtree>>,
    /// URL of its CRL.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) crl_url: Vec<Parsed<Url>>,
    /// URL of its certificate.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) ca_issuers_url: Vec<Parsed<Url>>,
    /// URL of its OCSP responder.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) ocsp_url: Vec<Parsed<Url>>,
}

impl CaTable {
    pub(super) fn spec(self) -> CaSpec {
        let days = self.days.map(NonZeroU32::get);
        CaSpec {
            subject: SubjectArgs::new(self.cn, self.subject),
            lifetime: LifetimeArgs::new(days, of(self.not_after), of(self.not_before)),
            key_type: of(self.key_type),
            key_uri: KeyUriArgs {
                key_uri: of(self.key_uri),
            },
            policy: PolicyArgs {
                path_len: self.path_len,
                permit: all(self.permit),
                exclude: all(self.exclude),
                urls: UrlArgs {
                    crl_url: urls(self.crl_url),
                    ca_issuers_url: urls(self.ca_issuers_url),
                    ocsp_url: urls(self.ocsp_url),
                },
            },
        }
    }
}

fn of<T>(value: Option<Parsed<T>>) -> Option<T> {
    value.map(|Parsed(value)| value)
}

fn all<T>(values: Vec<Parsed<T>>) -> Vec<T> {
    values.into_iter().map(|Parsed(value)| value).collect()
}

fn urls(urls: Vec<Parsed<Url>>) -> Vec<String> {
    urls.into_iter().map(|Parsed(Url(url))| url).collect()
}

/// A certificate.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct CertificateTable {
    /// The CA that issues it, of this file or of the store.
    #[schemars(with = "Option<String>")]
    pub(super) ca: Option<Spanned<String>>,
    /// The common name.
    pub(super) cn: Option<String>,
    /// The whole subject: "/C=JP/O=Example/CN=x" or "CN=x,O=Example,C=JP".
    pub(super) subject: Option<String>,
    /// SANs (subject alternative names): "www.example.test", "10.0.0.1", "a@example.test", "https://…".
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) san: Vec<Parsed<AlternativeNames>>,
    /// Its profile: client, server, peer, email, code-signing, ocsp, timestamp, or one of this file or of the store.
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Spanned<String>>,
    /// Days of validity.
    pub(super) days: Option<NonZeroU32>,
    /// End of the validity: "2027-01-31", RFC 3339, or from now as in "90d".
    #[schemars(with = "Option<String>")]
    pub(super) not_after: Option<Parsed<Moment>>,
    /// Start of the validity; now by default.
    #[schemars(with = "Option<String>")]
    pub(super) not_before: Option<Parsed<Moment>>,
    /// Key type.
    #[schemars(with = "Option<KeyTypeName>")]
    pub(super) key_type: Option<Parsed<KeyType>>,
    /// File with a CSR, whose key, subject and SANs are used.
    pub(super) csr: Option<PathBuf>,
    /// Use the names of the CSR in addition to cn, subject and san ("add"), or ignore them ("replace").
    #[schemars(with = "Option<CsrNamesName>")]
    pub(super) csr_names: Option<Parsed<CsrNames>>,
    /// Time before its expiry at which it is renewed, as in "30d".
    #[schemars(with = "Option<String>")]
    pub(super) renew_before: Option<Parsed<Span>>,
    /// Directory for its files.
    pub(super) out: Option<PathBuf>,
    /// Name of its files.
    pub(super) name: Option<String>,
    /// Write NAME.der too.
    pub(super) der: Option<bool>,
    /// Write NAME.p12 too, encrypted in this way.
    #[schemars(with = "Option<Pkcs12Name>")]
    pub(super) p12: Option<Parsed<Pkcs12>>,
    /// Write the key among its files without a passphrase.
    pub(super) no_passphrase: Option<bool>,
    /// Its defect, in a fixture store.
    #[schemars(with = "Option<FlawName>")]
    pub(super) flaw: Option<Parsed<Defect>>,
    /// Its revocation.
    pub(super) revoked: Option<RevokedTable>,
}

/// A revocation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct RevokedTable {
    /// Reason, by its name in RFC 5280, as in "keyCompromise".
    #[schemars(with = "Option<ReasonName>")]
    pub(super) reason: Option<Parsed<Reason>>,
    /// Time since which the key was suspect: "2026-01-31", RFC 3339, or before now as in "-2d".
    #[schemars(with = "Option<String>")]
    pub(super) invalidity_date: Option<Parsed<Moment>>,
}

/// A published CRL.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct CrlTable {
    /// Days until the next CRL; 7 by default.
    pub(super) days: Option<NonZeroU32>,
    /// Time of the next CRL: "2027-01-31", RFC 3339, or from now as in "12h".
    #[schemars(with = "Option<String>")]
    pub(super) next_update: Option<Parsed<Moment>>,
    /// Directory to publish in; crl in the store by default.
    pub(super) out: Option<PathBuf>,
    /// Write NAME.crl.pem too.
    #[serde(default)]
    pub(super) to_pem: bool,
    /// Write NAME.chain.crl.pem too: the CRLs of the CA and of all above it.
    #[serde(default)]
    pub(super) chain: bool,
    /// Program that reads it: its limits are held, and its files are written.
    #[serde(rename = "for")]
    #[schemars(with = "Option<TargetName>")]
    pub(super) party: Option<Parsed<Target>>,
}

/// A trust store.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BundleTable {
    /// CAs, each with all above it; every CA of the store by default.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) ca: Vec<Spanned<String>>,
    /// Files with certificates of any CA: PEM, DER or PKCS #7.
    #[serde(default)]
    pub(super) add: Vec<PathBuf>,
    /// Program that reads it: its limits are held, and its form is written.
    #[serde(rename = "for")]
    #[schemars(with = "Option<TargetName>")]
    pub(super) party: Option<Parsed<Target>>,
    /// File; NAME.pem by default.
    pub(super) out: Option<PathBuf>,
}

/// Text that is parsed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// Length of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) time::Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span = parse_duration(text).filter(|span| !span.is_negative());
        span.map(Self)
            .ok_or_else(|| format!("{text:?} is not a duration such as 30d, 12h or 1y"))
    }
}

/// SANs in one text.
pub(super) struct AlternativeNames(pub(super) Vec<GeneralName>);

impl FromStr for AlternativeNames {
    type Err = crate::x509::general_name::GeneralNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        GeneralName::parse_list(text).map(Self)
    }
}

/// URL at which something is fetched.
pub(super) struct Url(pub(super) String);

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        crate::cli::options::http_url(text)
            .map(Self)
            .map_err(|problem| format!("{text:?} can't be used: {problem}"))
    }
}

/// Encryption of a PKCS #12 file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pkcs12(pub(super) crate::ca::Strength);

impl FromStr for Pkcs12 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "modern" => Ok(Self(crate::ca::Strength::Modern)),
            "compat" => Ok(Self(crate::ca::Strength::Compatible)),
            _ => Err(format!("{text:?} is neither modern nor compat")),
        }
    }
}

/// Target of a file.
#[derive(Clone, Copy)]
pub(super) struct Target(pub(super) &'static RelyingParty);

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let targets = target_names().join(", ");
        party(text)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not one of {targets}"))
    }
}

fn target_names() -> Vec<&'static str> {
    let names = crate::ca::PARTIES.iter().map(|party| party.name);
    // Its trust store is PKCS #12, under a passphrase.
    names.filter(|name| *name != "java").collect()
}

named! {
    KeyTypeName: KeyType::ALL.map(KeyType::as_str).to_vec();
    ReasonName: Reason::ALL.map(Reason::as_str).to_vec();
    CsrNamesName: vec!["add", "replace"];
    Pkcs12Name: vec!["modern", "compat"];
    FlawName: Defect::ALL.map(Defect::as_str).to_vec();
    TargetName: target_names();
}
