//! Attribute types of names: their short names, string types and limits.

use super::name::{NameError, shortened};
use super::text::is_deceptive;
use crate::asn1::{Element, oid, sequence, tag};
use const_oid::ObjectIdentifier;

/// An attribute type that can be written into a name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeType {
    pub(crate) oid: ObjectIdentifier,
    short: &'static str,
    alias: &'static str,
    syntax: Syntax,
    most: usize,
}

/// String types that a type's values may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// DirectoryString, of which certificates still get two choices (RFC 5280 section 4.1.2.4).
    Directory,
    Printable,
    /// PrintableString, or the NumericString that devices write: digits and spaces are in both.
    Serial,
    Ia5,
    /// PKCS9String: IA5String or DirectoryString (RFC 2985 section 5.4).
    Pkcs9,
    /// Unknown. The standards behind such types have these string types.
    Unknown,
}

/// Characters of an attribute whose type has no upper bound that is known here.
const MOST_CHARACTERS: usize = 1024;

pub(crate) const COMMON_NAME: AttributeType = KNOWN[0];

const fn text(
    oid: ObjectIdentifier,
    short: &'static str,
    alias: &'static str,
    most: usize,
) -> AttributeType {
    string(oid, short, alias, Syntax::Directory, most)
}

const fn string(
    oid: ObjectIdentifier,
    short: &'static str,
    alias: &'static str,
    syntax: Syntax,
    most: usize,
) -> AttributeType {
    AttributeType {
        oid,
        short,
        alias,
        syntax,
        most,
    }
}

/// Short names of RFC 4514 and openssl; upper bounds of RFC 5280 appendix A.1 and X.520. Text is a
/// UTF8String if the type allows it (RFC 5280 section 4.1.2.4).
const KNOWN: [AttributeType; 25] = [
    text(oid::COMMON_NAME, "CN", "commonName", 64),
    text(oid::ORGANIZATION_NAME, "O", "organizationName", 64),
    text(
        oid::ORGANIZATIONAL_UNIT_NAME,
        "OU",
        "organizationalUnitName",
        64,
    ),
    string(oid::COUNTRY_NAME, "C", "countryName", Syntax::Printable, 2),
    text(
        oid::STATE_OR_PROVINCE_NAME,
        "ST",
        "stateOrProvinceName",
        128,
    ),
    text(oid::LOCALITY_NAME, "L", "localityName", 128),
    string(
        oid::DOMAIN_COMPONENT,
        "DC",
        "domainComponent",
        Syntax::Ia5,
        63,
    ),
    text(oid::USER_ID, "UID", "userId", 256),
    string(oid::EMAIL_ADDRESS, "emailAddress", "E", Syntax::Ia5, 255),
    string(
        oid::SERIAL_NUMBER,
        "serialNumber",
        "serial",
        Syntax::Serial,
        64,
    ),
    text(oid::STREET_ADDRESS, "STREET", "streetAddress", 128),
    text(oid::POSTAL_CODE, "postalCode", "postalCode", 40),
    text(oid::TITLE, "title", "T", 64),
    text(oid::SURNAME, "SN", "surname", 128),
    text(oid::GIVEN_NAME, "GN", "givenName", 128),
    text(oid::INITIALS, "initials", "initials", 128),
    text(
        oid::GENERATION_QUALIFIER,
        "generationQualifier",
        "generationQualifier",
        128,
    ),
    string(
        oid::DN_QUALIFIER,
        "dnQualifier",
        "dnQualifier",
        Syntax::Printable,
        128,
    ),
    text(oid::PSEUDONYM, "pseudonym", "pseudonym", 128),
    text(oid::NAME, "name", "name", 128),
    text(oid::DESCRIPTION, "description", "description", 1024),
    text(
        oid::BUSINESS_CATEGORY,
        "businessCategory",
        "businessCategory",
        128,
    ),
    text(
        oid::ORGANIZATION_IDENTIFIER,
        "organizationIdentifier",
        "organizationIdentifier",
        256,
    ),
    string(
        oid::UNSTRUCTURED_NAME,
        "unstructuredName",
        "unstructuredName",
        Syntax::Pkcs9,
        255,
    ),
    text(
        oid::UNSTRUCTURED_ADDRESS,
        "unstructuredAddress",
        "unstructuredAddress",
        255,
    ),
];

impl AttributeType {
    /// The type with this name, in any case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        KNOWN.into_iter().find(|kind| {
            kind.short.eq_ignore_ascii_case(name) || kind.alias.eq_ignore_ascii_case(name)
        })
    }

    /// The type with this name, or with this object identifier in dots, perhaps behind `OID.`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let dotted = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("OID.") => &text[4..],
            _ => text,
        };
        Self::find(text).or_else(|| dotted.parse().ok().map(|oid| Self::of(&oid)))
    }

    pub(crate) fn of(oid: &ObjectIdentifier) -> Self {
        let known = KNOWN.into_iter().find(|kind| kind.oid == *oid);
        known.unwrap_or(string(*oid, "", "", Syntax::Unknown, MOST_CHARACTERS))
    }

    /// Returns whether certificates get values of this type as this string type.
    pub(crate) fn admits(&self, string: u8) -> bool {
        match self.syntax {
            Syntax::Directory => is_directory_string(string),
            Syntax::Printable => string == tag::PRINTABLE_STRING,
            Syntax::Serial => matches!(string, tag::PRINTABLE_STRING | tag::NUMERIC_STRING),
            Syntax::Ia5 => string == tag::IA5_STRING,
            Syntax::Pkcs9 => string == tag::IA5_STRING || is_directory_string(string),
            Syntax::Unknown => {
                matches!(string, tag::IA5_STRING | tag::NUMERIC_STRING)
                    || is_directory_string(string)
            }
        }
    }

    /// Returns whether a value of another string type is written anew; of an unknown type it is not.
    pub(crate) fn is_known(&self) -> bool {
        self.syntax != Syntax::Unknown
    }

    /// The string type in which a value is written.
    fn string(&self, value: &str) -> u8 {
        match self.syntax {
            Syntax::Printable | Syntax::Serial => tag::PRINTABLE_STRING,
            Syntax::Ia5 => tag::IA5_STRING,
            Syntax::Pkcs9 if value.is_ascii() => tag::IA5_STRING,
            Syntax::Directory | Syntax::Pkcs9 | Syntax::Unknown => tag::UTF8_STRING,
        }
    }

    /// The AttributeTypeAndValue with this value.
    pub(crate) fn encode(&self, value: &str) -> Result<Vec<u8>, NameError> {
        self.check(value)?;
        Ok(sequence(|pair| {
            pair.oid(&self.oid);
            pair.primitive(self.string(value), value.as_bytes());
        }))
    }

    /// Checks whether the value is one that this type allows.
    pub(crate) fn check(&self, value: &str) -> Result<(), NameError> {
        let string = self.string(value);
        let problem = if value.is_empty() && self.is_known() {
            "is empty".to_owned()
        } else if value.chars().any(is_deceptive) {
            "has unprintable characters".to_owned()
        } else if value.chars().count() > self.most {
            format!("has more than {} characters", self.most)
        } else if self.oid == oid::COUNTRY_NAME && !is_country(value) {
            "is not a country code of two capital letters".to_owned()
        } else if string == tag::PRINTABLE_STRING && !holds(string, value) {
            "has characters that PrintableString does not allow".to_owned()
        } else if string == tag::IA5_STRING && !value.is_ascii() {
            "has characters outside ASCII".to_owned()
        } else {
            return Ok(());
        };
        Err(NameError::Value {
            kind: short_name(&self.oid),
            value: shortened(value),
            problem,
        })
    }
}

fn is_country(value: &str) -> bool {
    value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Returns whether a tag is one of the two choices of DirectoryString that certificates still get.
fn is_directory_string(string: u8) -> bool {
    matches!(string, tag::UTF8_STRING | tag::PRINTABLE_STRING)
}

/// Returns the ASN.1 name of a string type.
pub(crate) fn string_name(string: u8) -> &'static str {
    match string {
        tag::UTF8_STRING => "UTF8String",
        tag::NUMERIC_STRING => "NumericString",
        tag::PRINTABLE_STRING => "PrintableString",
        tag::IA5_STRING => "IA5String",
        tag::TELETEX_STRING => "TeletexString",
        tag::VISIBLE_STRING => "VisibleString",
        tag::UNIVERSAL_STRING => "UniversalString",
        tag::BMP_STRING => "BMPString",
        _ => "string of another type",
    }
}

/// Returns whether a string type has every character of a text (X.680 section 41.4 and table 9).
pub(crate) fn holds(string: u8, text: &str) -> bool {
    match string {
        tag::NUMERIC_STRING => text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_digit()),
        tag::PRINTABLE_STRING => text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)),
        tag::IA5_STRING => text.is_ascii(),
        _ => true,
    }
}

/// The short name of a type, or its object identifier.
pub(crate) fn short_name(oid: &ObjectIdentifier) -> String {
    match AttributeType::of(oid) {
        kind if kind.is_known() => kind.short.to_owned(),
        _ => oid.to_string(),
    }
}

/// The text of any of the string types, if it is well formed.
pub(crate) fn decode_text(value: &Element<'_>) -> Option<String> {
    match value.tag {
        tag::UTF8_STRING
        | tag::NUMERIC_STRING
        | tag::PRINTABLE_STRING
        | tag::IA5_STRING
        | tag::VISIBLE_STRING => String::from_utf8(value.content.to_vec()).ok(),
        // T.61 in practice is Latin-1.
        tag::TELETEX_STRING => Some(value.content.iter().map(|byte| char::from(*byte)).collect()),
        tag::BMP_STRING => {
            let units = value
                .content
                .chunks(2)
                .map(|unit| Some(u16::from_be_bytes(unit.try_into().ok()?)));
            String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
        }
        tag::UNIVERSAL_STRING => {
            let points = value.content.chunks(4);
            points
                .map(|point| char::from_u32(u32::from_be_bytes(point.try_into().ok()?)))
                .collect()
        }
        _ => None,
    }
}
