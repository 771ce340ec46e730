//! Distinguished names (RFC 5280 section 4.1.2.4).

use super::attribute::{self, AttributeType};
use super::text::{Escaped, is_deceptive};
use crate::asn1::{Malformed, Reader, oid, sequence, tag};
use const_oid::ObjectIdentifier;
use std::fmt;

/// A name: its DER, untouched. Two names are equal when their bytes are.
///
/// An issuer that differs from its CA's subject by a byte, though it reads the same, makes some
/// relying parties reject a certificate and others miss a revocation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Vec<u8>);

/// One attribute of a name, with the index of the relative distinguished name that it is in.
#[derive(Debug, Clone)]
pub struct NameAttribute {
    /// Attributes with one index are one multi-valued RDN.
    pub rdn: usize,
    /// The attribute's type.
    pub kind: ObjectIdentifier,
    /// The value as text, if it is one of the string types.
    pub text: Option<String>,
    /// The value's DER.
    pub der: Vec<u8>,
}

/// Why a subject can't become a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is neither of the two notations.
    #[error(
        "{text:?} is not a distinguished name: write /C=JP/O=Example/CN=x or CN=x,O=Example,C=JP"
    )]
    Notation {
        /// What was written.
        text: String,
    },
    /// An attribute type that `pki` does not know.
    #[error("{kind:?} is not an attribute type that can be written here")]
    UnknownType {
        /// What was written.
        kind: String,
    },
    /// A value that the attribute's type does not allow.
    #[error("the value of {kind} {problem}: \"{}\"", Escaped(.value))]
    Value {
        /// The attribute's short name.
        kind: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Name {
    /// The name with these attributes, in this order, each an RDN of its own.
    pub fn from_attributes<'a>(
        attributes: impl IntoIterator<Item = (AttributeType, &'a str)>,
    ) -> Result<Self, NameError> {
        let rdns = attributes
            .into_iter()
            .map(|(kind, value)| kind.encode(value).map(|der| vec![der]))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::from_rdns(rdns))
    }

    /// A name that is nothing but a common name.
    pub fn from_common_name(common_name: &str) -> Result<Self, NameError> {
        Self::from_attributes([(attribute::COMMON_NAME, common_name)])
    }

    /// Reads `/C=JP/O=Example/OU=a/OU=b/CN=x`, or RFC 4514's `CN=x,OU=b,OU=a,O=Example,C=JP`, in
    /// which the order is the reverse. `+` joins the values of a multi-valued RDN in both.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let notation = || NameError::Notation {
            text: text.to_owned(),
        };
        let slashes = text.starts_with('/');
        let body = text.strip_prefix('/').unwrap_or(text);
        let mut rdns = Vec::new();
        for rdn in split(body, if slashes { '/' } else { ',' }) {
            let mut values = Vec::new();
            for assertion in split(rdn, '+') {
                let (kind, value) = assertion.split_once('=').ok_or_else(notation)?;
                let kind = kind.trim();
                let known = AttributeType::find(kind).ok_or_else(|| NameError::UnknownType {
                    kind: kind.to_owned(),
                })?;
                values.push(known.encode(&unescape(value).ok_or_else(notation)?)?);
            }
            rdns.push(values);
        }
        if !slashes {
            rdns.reverse();
        }
        Ok(Self::from_rdns(rdns))
    }

    /// DER demands the values of an RDN, a SET OF, in the order of their encodings.
    fn from_rdns(rdns: Vec<Vec<Vec<u8>>>) -> Self {
        Self(sequence(|name| {
            for mut values in rdns {
                values.sort();
                name.constructed(tag::SET, |rdn| {
                    values.iter().for_each(|value| rdn.raw(value));
                });
            }
        }))
    }

    /// Takes a name from elsewhere, if it has the structure of one.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let name = Self(der.to_vec());
        name.walk(|_, _, _| Ok(()))?;
        Ok(name)
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether the name has no attribute.
    pub fn is_empty(&self) -> bool {
        self.0 == [tag::SEQUENCE, 0]
    }

    /// Every attribute, in the order of the name.
    pub fn attributes(&self) -> Vec<NameAttribute> {
        let mut attributes = Vec::new();
        self.walk(|rdn, kind, value| {
            attributes.push(NameAttribute {
                rdn,
                kind,
                text: attribute::decode_text(&value),
                der: value.whole.to_vec(),
            });
            Ok(())
        })
        .expect("the structure was checked when the name was made");
        attributes
    }

    fn walk(
        &self,
        mut each: impl FnMut(usize, ObjectIdentifier, crate::asn1::Element<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut rdns = Reader::sequence_of(&self.0, "a Name")?;
        let mut index = 0;
        while !rdns.is_empty() {
            let mut rdn = rdns
                .expect(tag::SET, "a relative distinguished name")?
                .reader();
            if rdn.is_empty() {
                return Err(Malformed::Value("a relative distinguished name is empty"));
            }
            while !rdn.is_empty() {
                let mut pair = rdn.sequence("an attribute")?;
                let kind = pair
                    .expect(tag::OBJECT_IDENTIFIER, "an attribute type")?
                    .oid()?;
                let value = pair.any()?;
                pair.end()?;
                each(index, kind, value)?;
            }
            index += 1;
        }
        Ok(())
    }

    /// The last common name, which is the most specific one.
    pub fn common_name(&self) -> Option<String> {
        self.attributes()
            .into_iter()
            .rev()
            .find(|attribute| attribute.kind == oid::COMMON_NAME)
            .and_then(|attribute| attribute.text)
    }

    /// Every value of an attribute that is an e-mail address (PKCS #9).
    pub fn email_addresses(&self) -> impl Iterator<Item = String> {
        self.attributes()
            .into_iter()
            .filter(|attribute| attribute.kind == oid::EMAIL_ADDRESS)
            .filter_map(|attribute| attribute.text)
    }

    /// This name with a common name behind it.
    pub fn with_common_name(&self, common_name: &str) -> Result<Self, NameError> {
        let value = attribute::COMMON_NAME.encode(common_name)?;
        let rdns = Reader::sequence_of(&self.0, "a Name")
            .expect("the structure was checked when the name was made");
        Ok(Self(sequence(|name| {
            name.raw(rdns.rest());
            name.constructed(tag::SET, |rdn| rdn.raw(&value));
        })))
    }

    /// Whether every attribute is one that may stand in a certificate issued here; a name from a
    /// request is held to what a name on the command line is.
    pub fn check(&self) -> Result<(), NameError> {
        for attribute in self.attributes() {
            let short = attribute::short_name(&attribute.kind);
            let problem = |problem: &str, value: &str| NameError::Value {
                kind: short.clone(),
                value: value.to_owned(),
                problem: problem.to_owned(),
            };
            let Some(text) = &attribute.text else {
                return Err(problem("is not text", "…"));
            };
            match AttributeType::of(&attribute.kind) {
                Some(known) => known.check(text)?,
                None if text.chars().any(is_deceptive) => {
                    return Err(problem("has characters that can't be shown", text));
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// Splits at a separator that no backslash escapes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        if character == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
        }
        escaped = character == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

/// Undoes RFC 4514 section 2.4: `\,` and `\2C`; outer spaces count only where escaped.
fn unescape(value: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.trim_start_matches(' ').bytes();
    let mut kept = 0;
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            octets.push(byte);
            kept = if byte == b' ' { kept } else { octets.len() };
            continue;
        }
        let next = rest.next()?;
        if next.is_ascii_hexdigit() {
            let digits = [next, rest.next()?];
            octets.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            octets.push(next);
        }
        kept = octets.len();
    }
    octets.truncate(kept);
    String::from_utf8(octets).ok()
}

impl fmt::Display for Name {
    /// RFC 4514: the most specific attribute first. What could deceive a reader is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.attributes();
        let mut previous: Option<usize> = None;
        let last = attributes.last().map_or(0, |attribute| attribute.rdn);
        for rdn in (0..=last).rev() {
            for attribute in attributes.iter().filter(|attribute| attribute.rdn == rdn) {
                match previous {
                    None => {}
                    Some(index) if index == rdn => f.write_str("+")?,
                    Some(_) => f.write_str(",")?,
                }
                previous = Some(rdn);
                write!(f, "{}=", attribute::short_name(&attribute.kind))?;
                if let Some(text) = &attribute.text {
                    write_escaped(f, text)?
                } else {
                    f.write_str("#")?;
                    attribute
                        .der
                        .iter()
                        .try_for_each(|byte| write!(f, "{byte:02x}"))?;
                }
            }
        }
        Ok(())
    }
}

/// Escapes as RFC 4514 section 2.4 demands, and everything that could deceive as `\xx` octets.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let outer_space = character == ' ' && (index == 0 || index == last);
        let outer_hash = character == '#' && index == 0;
        if matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || outer_space
            || outer_hash
        {
            f.write_char('\\')?;
            f.write_char(character)?;
        } else if is_deceptive(character) {
            let mut buffer = [0; 4];
            character
                .encode_utf8(&mut buffer)
                .bytes()
                .try_for_each(|byte| write!(f, "\\{byte:02X}"))?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_give_the_same_name() {
        let slashes = Name::parse("/C=JP/O=Example/OU=a/OU=b/CN=x").unwrap();
        let commas = Name::parse("CN=x, OU=b, OU=a, O=Example, C=JP").unwrap();
        assert_eq!(slashes, commas);
        assert_eq!(slashes.to_string(), "CN=x,OU=b,OU=a,O=Example,C=JP");
        let components = Name::parse("/DC=com/DC=example/CN=a/b");
        assert!(components.is_err());
        assert_eq!(
            Name::parse("/DC=com/DC=example").unwrap().to_string(),
            "DC=example,DC=com"
        );
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for text in [
            "CN=a\\,b,O=c\\+d",
            "CN=\\ a\\ ",
            "CN=\\#x",
            "CN=a\\\\b",
            "CN=x+UID=u,O=y",
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!(Name::parse(&name.to_string()).unwrap(), name, "{text}");
        }
        assert_eq!(
            Name::parse("CN=J\\c3\\bcrgen")
                .unwrap()
                .common_name()
                .unwrap(),
            "Jürgen"
        );
    }

    #[test]
    fn what_could_deceive_is_refused_and_never_shown_raw() {
        for value in [
            "a\u{1b}[2Jb",
            "good.test\0.evil.test",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
        ] {
            assert!(Name::from_common_name(value).is_err(), "{value:?}");
        }
        let hostile = Name(sequence(|name| {
            name.constructed(tag::SET, |rdn| {
                rdn.sequence(|pair| {
                    pair.oid(&oid::COMMON_NAME);
                    pair.primitive(tag::UTF8_STRING, "a\u{1b}[2J\u{202e}".as_bytes());
                });
            });
        }));
        assert_eq!(hostile.to_string(), "CN=a\\1B[2J\\E2\\80\\AE");
        assert!(hostile.check().is_err());
    }

    #[test]
    fn bad_notations_and_types_are_named() {
        assert!(matches!(Name::parse("x"), Err(NameError::Notation { .. })));
        assert!(matches!(Name::parse(""), Err(NameError::Notation { .. })));
        assert!(matches!(
            Name::parse("/XX=y"),
            Err(NameError::UnknownType { .. })
        ));
        assert!(matches!(
            Name::parse("/C=Japan"),
            Err(NameError::Value { .. })
        ));
        assert!(matches!(
            Name::parse(&format!("/CN={}", "a".repeat(65))),
            Err(NameError::Value { .. })
        ));
        assert!(Name::parse(&format!("/CN={}", "ü".repeat(64))).is_ok());
    }
}
