//! Profiles that files define: held to the rules, and ready to use.

use crate::asn1::{from_hex, oid};
use crate::ca::profiles::purpose;
use crate::ca::profiles::rule::{ProfileProblem, Rule};
use crate::ca::profiles::subject::SubjectTemplate;
use crate::ca::profiles::table::{ExtensionTable, PolicyTable, ProfileTable};
use crate::x509::extension::key_usage;
use crate::x509::general_name::{is_one_value, object_identifier};
use crate::x509::{Extension, Fingerprint, GeneralName, Profile, RecordedProfile};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use const_oid::ObjectIdentifier;
use std::num::NonZeroU32;
use std::ops::Range;
use time::Duration;
use toml::Spanned;

/// Most items of an array.
const MOST_ITEMS: usize = 1000;

/// Problems that are named.
pub(super) const MOST_PROBLEMS: usize = 100;

/// Longest name of a profile, in bytes.
const MOST_NAME_BYTES: usize = 64;

/// Extensions that a profile may not give, and why.
const OWNED: [(ObjectIdentifier, &str); 16] = [
    (oid::BASIC_CONSTRAINTS, "a leaf is no CA"),
    (oid::SUBJECT_ALT_NAME, "each certificate has its own"),
    (oid::SUBJECT_KEY_IDENTIFIER, "it follows from the key"),
    (oid::AUTHORITY_KEY_IDENTIFIER, "it follows from the CA"),
    (oid::CRL_DISTRIBUTION_POINTS, "the CA has its URLs"),
    (oid::FRESHEST_CRL, "there are no delta CRLs"),
    (oid::AUTHORITY_INFO_ACCESS, "the CA has its URLs"),
    (oid::KEY_USAGE, "use key_usage"),
    (oid::EXT_KEY_USAGE, "use extended_key_usage"),
    (oid::CERTIFICATE_POLICIES, "use policies"),
    (oid::TLS_FEATURE, "use must_staple"),
    (oid::OCSP_NO_CHECK, "use base = \"ocsp\""),
    (oid::NAME_CONSTRAINTS, "only CAs have it"),
    (oid::POLICY_MAPPINGS, "only CAs have it"),
    (oid::POLICY_CONSTRAINTS, "only CAs have it"),
    (oid::INHIBIT_ANY_POLICY, "only CAs have it"),
];

/// Profile of a file.
#[derive(Debug, Clone)]
pub(crate) struct CustomProfile {
    name: String,
    hash: String,
    table: ProfileTable,
    base: Profile,
    purposes: Vec<ObjectIdentifier>,
    key_usage: Option<u16>,
    subject: Option<SubjectTemplate>,
    other_names: Vec<ObjectIdentifier>,
    extensions: Vec<Extension>,
    limits: Limits,
}

/// Validity of the certificates of a profile.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) days: Option<u32>,
    pub(crate) max_days: Option<u32>,
}

impl Limits {
    pub(crate) fn default_validity(self) -> Duration {
        let usual = self.max_days.map_or(365, |most| most.min(365));
        Duration::days(self.days.unwrap_or(usual).into())
    }
}

impl CustomProfile {
    /// Holds a table to the rules. `place` is that of its name.
    pub(crate) fn new(
        name: &str,
        place: &Range<usize>,
        table: ProfileTable,
    ) -> Result<Self, Vec<ProfileProblem>> {
        let mut reader = Reader {
            place: place.clone(),
            problems: Vec::new(),
        };
        reader.name(name);
        let base = reader.base(&table);
        let profile = Self {
            hash: hash(&table),
            purposes: reader.purposes(&table, base),
            key_usage: reader.key_usage(&table),
            subject: reader.subject(&table),
            other_names: reader.other_names(&table),
            limits: reader.limits(&table),
            extensions: reader.extensions(&table),
            name: name.to_owned(),
            base,
            table,
        };
        if reader.problems.is_empty() {
            Ok(profile)
        } else {
            Err(reader.problems)
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 of its table, in hex: that of the table as JSON, with the fields in their order.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    pub(crate) fn table(&self) -> &ProfileTable {
        &self.table
    }

    pub(crate) fn base(&self) -> Profile {
        self.base
    }

    pub(crate) fn purposes(&self) -> &[ObjectIdentifier] {
        &self.purposes
    }

    pub(crate) fn key_usage(&self) -> Option<u16> {
        self.key_usage
    }

    pub(crate) fn subject(&self) -> Option<&SubjectTemplate> {
        self.subject.as_ref()
    }

    pub(crate) fn other_names(&self) -> &[ObjectIdentifier] {
        &self.other_names
    }

    /// Returns the extensions that no other profile has: policies, must-staple, and those of the file.
    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns whether the file orders critical extensions.
    pub(crate) fn has_critical_extensions(&self) -> bool {
        self.extensions.iter().any(|extension| extension.critical)
    }
}

fn hash(table: &ProfileTable) -> String {
    let json = serde_json::to_vec(table).expect("a profile is plain data");
    Fingerprint::of(&json).to_string()
}

/// Returns the bits of keyUsage that a profile may have, by name.
pub(super) fn usages() -> impl Iterator<Item = (&'static str, u16)> {
    let bits = (0..).map(|index| 1 << index);
    let all = key_usage::NAMES.into_iter().zip(bits);
    all.filter(|(_, bit)| bit & CA_BITS == 0)
}

const CA_BITS: u16 = key_usage::KEY_CERT_SIGN | key_usage::CRL_SIGN;

/// Reads the fields of a table, and collects all that is wrong.
struct Reader {
    /// Place of the profile's name.
    place: Range<usize>,
    problems: Vec<ProfileProblem>,
}

impl Reader {
    /// Returns an array if it is not too long.
    fn list<'t, T>(&mut self, list: &'t [T]) -> &'t [T] {
        if list.len() <= MOST_ITEMS {
            return list;
        }
        let message = format!(
            "an array has {} items; at most {MOST_ITEMS} are supported",
            list.len()
        );
        self.problem(self.place.clone(), Rule::Value, message);
        &[]
    }

    fn problem(&mut self, place: Range<usize>, rule: Rule, message: impl Into<String>) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        self.problems.push(ProfileProblem {
            place,
            rule: Some(rule),
            message: message.into(),
        });
    }

    fn name(&mut self, name: &str) {
        let has_usual_bytes = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_taken = |name: &str| {
            !matches!(
                RecordedProfile::from(name.to_ascii_lowercase()),
                RecordedProfile::Custom(_)
            )
        };
        let problem = if !name.starts_with(|first: char| first.is_ascii_alphanumeric())
            || name.len() > MOST_NAME_BYTES
            || !name.bytes().all(has_usual_bytes)
        {
            "is not a name: use at most 64 letters, digits, '.', '_' and '-', and begin with a letter or digit"
        } else if is_taken(name) {
            "is the name of a profile that is built in"
        } else {
            return;
        };
        self.problem(
            self.place.clone(),
            Rule::Name,
            format!("{name:?} {problem}"),
        );
    }

    fn base(&mut self, table: &ProfileTable) -> Profile {
        let Some(base) = &table.base else {
            return Profile::default();
        };
        base.get_ref().parse().unwrap_or_else(|error| {
            self.problem(base.span(), Rule::Value, format!("{error}"));
            Profile::default()
        })
    }

    fn purposes(&mut self, table: &ProfileTable, base: Profile) -> Vec<ObjectIdentifier> {
        let Some(ordered) = &table.extended_key_usage else {
            return base.purposes().to_vec();
        };
        if ordered.is_empty() {
            let message = "extended_key_usage is empty: name the purposes";
            self.problem(self.place.clone(), Rule::Value, message);
        }
        let mut purposes = Vec::new();
        for text in self.list(ordered) {
            let place = text.span();
            match purpose::parse(text.get_ref()) {
                Ok(purpose) if purposes.contains(&purpose) => {
                    self.twice(place, text.get_ref());
                }
                Ok(purpose) => {
                    self.purpose(place, &purpose, base);
                    purposes.push(purpose);
                }
                Err(problem) => self.problem(place, Rule::Value, problem),
            }
        }
        if base == Profile::Ocsp && purposes != [oid::OCSP_SIGNING] {
            let message = "with base = \"ocsp\", OCSPSigning has to be the only purpose";
            self.problem(self.place.clone(), Rule::OcspSigning, message);
        }
        if let (Some(first), true) = (ordered.first(), purposes.len() > 1)
            && purposes.contains(&oid::TIME_STAMPING)
        {
            let message = "timeStamping has to be the only purpose";
            self.problem(first.span(), Rule::TimeStamping, message);
        }
        purposes
    }

    fn purpose(&mut self, place: Range<usize>, purpose: &ObjectIdentifier, base: Profile) {
        if *purpose == oid::ANY_EXTENDED_KEY_USAGE {
            let message = "anyExtendedKeyUsage allows every use: name the purposes";
            self.problem(place, Rule::AnyPurpose, message);
        } else if *purpose == oid::OCSP_SIGNING && base != Profile::Ocsp {
            let message = "OCSPSigning makes a responder of the CA: use base = \"ocsp\"";
            self.problem(place, Rule::OcspSigning, message);
        }
    }

    fn twice(&mut self, place: Range<usize>, what: &str) {
        self.problem(place, Rule::Duplicate, format!("{what:?} is given twice"));
    }

    fn key_usage(&mut self, table: &ProfileTable) -> Option<u16> {
        let ordered = table.key_usage.as_ref()?;
        if ordered.is_empty() {
            let message = "key_usage is empty: name the usages";
            self.problem(self.place.clone(), Rule::Value, message);
        }
        let mut bits = 0;
        for text in self.list(ordered) {
            let name = text.get_ref();
            let mut names = key_usage::NAMES.into_iter().zip(0..);
            let known = names.find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((known, index)) = known else {
                let names: Vec<&str> = usages().map(|(name, _)| name).collect();
                let message = format!("{name:?} is not a key usage; use {}", names.join(", "));
                self.problem(text.span(), Rule::Value, message);
                continue;
            };
            let bit = 1 << index;
            if bit & CA_BITS != 0 {
                let message = format!("{known} is for CAs only");
                self.problem(text.span(), Rule::CaBits, message);
            } else if bits & bit != 0 {
                self.twice(text.span(), name);
            }
            bits |= bit;
        }
        let only = key_usage::ENCIPHER_ONLY | key_usage::DECIPHER_ONLY;
        if bits & only != 0 && bits & key_usage::KEY_AGREEMENT == 0 {
            let message = "encipherOnly and decipherOnly need keyAgreement";
            self.problem(self.place.clone(), Rule::Value, message);
        }
        Some(bits)
    }

    fn subject(&mut self, table: &ProfileTable) -> Option<SubjectTemplate> {
        let text = table.subject.as_ref()?;
        let template = SubjectTemplate::parse(text.get_ref());
        template
            .map_err(|problem| self.problem(text.span(), Rule::Value, problem))
            .ok()
    }

    fn other_names(&mut self, table: &ProfileTable) -> Vec<ObjectIdentifier> {
        let mut kinds = Vec::new();
        for text in self.list(&table.other_names) {
            let kind = match text.get_ref().as_str() {
                "upn" => Ok(oid::USER_PRINCIPAL_NAME),
                "krb5" => Ok(oid::KERBEROS_PRINCIPAL),
                oid => object_identifier(oid),
            };
            match kind {
                Ok(kind) if kinds.contains(&kind) => self.twice(text.span(), text.get_ref()),
                Ok(kind) => kinds.push(kind),
                Err(problem) => {
                    let message = format!("{:?}: {problem}", text.get_ref());
                    self.problem(text.span(), Rule::Value, message);
                }
            }
        }
        kinds
    }

    fn limits(&mut self, table: &ProfileTable) -> Limits {
        let of =
            |days: &Option<Spanned<NonZeroU32>>| days.as_ref().map(|days| days.get_ref().get());
        let limits = Limits {
            days: of(&table.days),
            max_days: of(&table.max_days),
        };
        if let (Some(days), Some(most)) = (limits.days, limits.max_days)
            && days > most
            && let Some(place) = table.days.as_ref().map(Spanned::span)
        {
            let message = format!("{days} days exceed the max_days of {most}");
            self.problem(place, Rule::Days, message);
        }
        limits
    }

    fn extensions(&mut self, table: &ProfileTable) -> Vec<Extension> {
        let mut extensions = Vec::new();
        let policies = self.policies(&table.policies);
        if !policies.is_empty() {
            extensions.push(Extension::certificate_policies(&policies));
        }
        if table.must_staple {
            extensions.push(Extension::must_staple());
        }
        for extension in self.list(&table.extensions) {
            let place = extension.span();
            match extension_of(extension.get_ref()) {
                Ok(read) if extensions.iter().any(|other| other.oid == read.oid) => {
                    self.twice(place, &extension.get_ref().oid);
                }
                Ok(read) => extensions.push(read),
                Err((rule, problem)) => self.problem(place, rule, problem),
            }
        }
        extensions
    }

    fn policies(
        &mut self,
        tables: &[Spanned<PolicyTable>],
    ) -> Vec<(ObjectIdentifier, Option<String>)> {
        let mut policies: Vec<(ObjectIdentifier, Option<String>)> = Vec::new();
        for policy in self.list(tables) {
            let (place, PolicyTable { oid, cps }) = (policy.span(), policy.get_ref());
            match object_identifier(oid) {
                Ok(identifier) if policies.iter().any(|(known, _)| *known == identifier) => {
                    self.twice(place.clone(), oid);
                }
                Ok(oid::ANY_POLICY) => {
                    let message = "anyPolicy is not a policy of a certificate: name the policies";
                    self.problem(place.clone(), Rule::Value, message);
                }
                Ok(identifier) => policies.push((identifier, cps.clone())),
                Err(problem) => {
                    self.problem(place.clone(), Rule::Value, format!("{oid:?}: {problem}"));
                }
            }
            if let Some(Err(error)) = cps.as_deref().map(GeneralName::uri) {
                self.problem(place, Rule::Value, error.to_string());
            }
        }
        policies
    }
}

fn extension_of(table: &ExtensionTable) -> Result<Extension, (Rule, String)> {
    let ExtensionTable {
        oid,
        hex,
        base64,
        critical,
    } = table;
    let identifier =
        object_identifier(oid).map_err(|problem| (Rule::Value, format!("{oid:?}: {problem}")))?;
    if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| *owned == identifier) {
        let name = oid::called(&identifier);
        let message = format!("a profile does not give the extension {name}: {reason}");
        return Err((Rule::OwnedExtension, message));
    }
    let value = match (hex, base64) {
        (Some(hex), None) => from_hex(hex),
        (None, Some(text)) => STANDARD.decode(text).ok(),
        _ => {
            let message = "the value of an extension is given with hex or with base64";
            return Err((Rule::Value, message.into()));
        }
    };
    let value = value.filter(|value| is_one_value(value)).ok_or_else(|| {
        let message = format!("the value of extension {identifier} is not one DER value");
        (Rule::ExtensionValue, message)
    })?;
    Ok(Extension {
        oid: identifier,
        critical: *critical,
        value,
    })
}
