//! Attribute types of names: their short names, string types and limits.

use super::name::{NameError, shortened};
use super::text::is_deceptive;
use crate::asn1::{Element, oid, sequence, tag};
use const_oid::ObjectIdentifier;

/// An attribute type that can be written into a name.
#[derive(Debug, Clone, Copy)]
pub struct AttributeType {
    /// The object identifier.
    pub oid: ObjectIdentifier,
    /// The name by which it is shown, and read.
    pub short: &'static str,
    alias: &'static str,
    string: u8,
    most: usize,
}

/// The common name.
pub const COMMON_NAME: AttributeType = KNOWN[0];

const fn text(
    oid: ObjectIdentifier,
    short: &'static str,
    alias: &'static str,
    most: usize,
) -> AttributeType {
    AttributeType {
        oid,
        short,
        alias,
        string: tag::UTF8_STRING,
        most,
    }
}

const fn string(
    oid: ObjectIdentifier,
    short: &'static str,
    alias: &'static str,
    string: u8,
    most: usize,
) -> AttributeType {
    AttributeType {
        oid,
        short,
        alias,
        string,
        most,
    }
}

/// Short names of RFC 4514 and openssl; upper bounds of RFC 5280 appendix A.1 and X.520. Text is a
/// UTF8String where the type allows it (RFC 5280 section 4.1.2.4).
const KNOWN: [AttributeType; 23] = [
    text(oid::COMMON_NAME, "CN", "commonName", 64),
    text(oid::ORGANIZATION_NAME, "O", "organizationName", 64),
    text(
        oid::ORGANIZATIONAL_UNIT_NAME,
        "OU",
        "organizationalUnitName",
        64,
    ),
    string(
        oid::COUNTRY_NAME,
        "C",
        "countryName",
        tag::PRINTABLE_STRING,
        2,
    ),
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
        tag::IA5_STRING,
        63,
    ),
    text(oid::USER_ID, "UID", "userId", 256),
    string(
        oid::EMAIL_ADDRESS,
        "emailAddress",
        "E",
        tag::IA5_STRING,
        255,
    ),
    string(
        oid::SERIAL_NUMBER,
        "serialNumber",
        "serial",
        tag::PRINTABLE_STRING,
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
        tag::PRINTABLE_STRING,
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
];

impl AttributeType {
    /// The type with this name, in any case.
    pub fn find(name: &str) -> Option<Self> {
        KNOWN.into_iter().find(|kind| {
            kind.short.eq_ignore_ascii_case(name) || kind.alias.eq_ignore_ascii_case(name)
        })
    }

    /// The type with this object identifier.
    pub fn of(oid: &ObjectIdentifier) -> Option<Self> {
        KNOWN.into_iter().find(|kind| kind.oid == *oid)
    }

    /// Whether a value of this type may be a string of this type: a DirectoryString is a UTF8String
    /// or a PrintableString (RFC 5280 section 4.1.2.4); the others have one string type each.
    pub fn admits(&self, string: u8) -> bool {
        string == self.string || self.string == tag::UTF8_STRING && is_directory_string(string)
    }

    /// The AttributeTypeAndValue with this value.
    pub fn encode(&self, value: &str) -> Result<Vec<u8>, NameError> {
        self.check(value)?;
        Ok(sequence(|pair| {
            pair.oid(&self.oid);
            pair.primitive(self.string, value.as_bytes());
        }))
    }

    /// Whether the value is one that this type allows.
    pub fn check(&self, value: &str) -> Result<(), NameError> {
        let problem = if value.is_empty() {
            "is empty".to_owned()
        } else if value.chars().any(is_deceptive) {
            "has characters that can't be shown".to_owned()
        } else if value.chars().count() > self.most {
            format!("has more than {} characters", self.most)
        } else if self.oid == oid::COUNTRY_NAME && !is_country(value) {
            "is not a country of two capital letters".to_owned()
        } else if self.string == tag::PRINTABLE_STRING && !value.bytes().all(is_printable) {
            "has characters outside PrintableString".to_owned()
        } else if self.string == tag::IA5_STRING && !value.is_ascii() {
            "has characters outside ASCII".to_owned()
        } else {
            return Ok(());
        };
        Err(NameError::Value {
            kind: self.short.to_owned(),
            value: shortened(value),
            problem,
        })
    }
}

fn is_country(value: &str) -> bool {
    value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether a tag is one of the two choices of DirectoryString that certificates still get.
pub fn is_directory_string(string: u8) -> bool {
    matches!(string, tag::UTF8_STRING | tag::PRINTABLE_STRING)
}

/// What ASN.1 calls a string type.
pub fn string_name(string: u8) -> &'static str {
    match string {
        tag::UTF8_STRING => "UTF8String",
        tag::PRINTABLE_STRING => "PrintableString",
        tag::IA5_STRING => "IA5String",
        tag::TELETEX_STRING => "TeletexString",
        tag::VISIBLE_STRING => "VisibleString",
        tag::UNIVERSAL_STRING => "UniversalString",
        tag::BMP_STRING => "BMPString",
        _ => "string of another kind",
    }
}

/// X.680 section 41.4.
pub fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// The short name of a type, or its object identifier.
pub fn short_name(oid: &ObjectIdentifier) -> String {
    AttributeType::of(oid).map_or_else(|| oid.to_string(), |kind| kind.short.to_owned())
}

/// The text of any of the string types, if it is well formed.
pub fn decode_text(value: &Element<'_>) -> Option<String> {
    match value.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            String::from_utf8(value.content.to_vec()).ok()
        }
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
