//! Distinguished names (RFC 5280 section 4.1.2.4).

use super::attribute::{self, AttributeType};
use super::text::{Escaped, is_deceptive};
use crate::asn1::{Element, Malformed, Reader, oid, sequence, tag};
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
    #[error("{kind:?} is not the name of an attribute type that is known here")]
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
    /// A name that takes more bytes than a certificate's may.
    #[error(
        "the name exceeds {MOST_BYTES} bytes (it has {bytes}); its largest attribute is {kind}"
    )]
    TooLong {
        /// The bytes of its DER.
        bytes: usize,
        /// The short name of its largest attribute.
        kind: String,
    },
    /// A multi-valued RDN that is not the SET OF that DER demands.
    #[error("the values of a relative distinguished name are not in the order of DER")]
    Order,
}

/// Bytes of a name in a certificate issued here; relying parties refuse far fewer attributes than
/// fit.
const MOST_BYTES: usize = 16 << 10;

/// Types of the values in a name: those that other programs read. OpenSSL reads no certificate with
/// another one in its names.
const VALUE_TYPES: [u8; 9] = [
    tag::BIT_STRING,
    tag::UTF8_STRING,
    tag::NUMERIC_STRING,
    tag::PRINTABLE_STRING,
    tag::TELETEX_STRING,
    tag::IA5_STRING,
    tag::UNIVERSAL_STRING,
    tag::BMP_STRING,
    tag::SEQUENCE,
];

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
                let known = AttributeType::parse(kind).ok_or_else(|| NameError::UnknownType {
                    kind: shortened(kind),
                })?;
                if !slashes && value.trim_start_matches(' ').starts_with('#') {
                    return Err(hexadecimal(&known, value));
                }
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
        mut each: impl FnMut(usize, ObjectIdentifier, Element<'_>) -> Result<(), Malformed>,
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
                if value.tag == tag::VISIBLE_STRING {
                    return Err(Malformed::Value(
                        "a value in a name is a VisibleString, which OpenSSL can't read there",
                    ));
                }
                if !VALUE_TYPES.contains(&value.tag) {
                    return Err(Malformed::Unexpected("a string in a name"));
                }
                value.check_value()?;
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

    /// Every common name, in the order of the name.
    pub fn common_names(&self) -> impl Iterator<Item = String> {
        self.texts_of(oid::COMMON_NAME)
    }

    /// Every value of an attribute that is an e-mail address (PKCS #9).
    pub fn email_addresses(&self) -> impl Iterator<Item = String> {
        self.texts_of(oid::EMAIL_ADDRESS)
    }

    fn texts_of(&self, kind: ObjectIdentifier) -> impl Iterator<Item = String> + use<> {
        self.attributes()
            .into_iter()
            .filter(move |attribute| attribute.kind == kind)
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

    /// A request's subject as it goes into a certificate: values of string types that certificates
    /// no longer get (RFC 5280 section 4.1.2.4) are written anew in those of their attribute types,
    /// and multi-valued RDNs are sorted; then it is checked as [`Name::check`] does.
    pub fn normalized(&self) -> Result<Self, NameError> {
        let mut rdns: Vec<Vec<Vec<u8>>> = Vec::new();
        for attribute in self.attributes() {
            if attribute.rdn == rdns.len() {
                rdns.push(Vec::new());
            }
            rdns[attribute.rdn].push(attribute.normalized()?);
        }
        let name = Self::from_rdns(rdns);
        name.check()?;
        Ok(name)
    }

    /// Whether every attribute is one that may stand in a certificate issued here; a name from a
    /// request is held to what a name on the command line is. Not for the names of CAs that are
    /// there already: those are copied, whatever they are.
    pub fn check(&self) -> Result<(), NameError> {
        let attributes = self.attributes();
        attributes.iter().try_for_each(NameAttribute::check)?;
        let bytes = self.0.len();
        if bytes > MOST_BYTES {
            let largest = attributes
                .iter()
                .max_by_key(|attribute| attribute.der.len());
            let kind = largest.expect("a name without attributes is short").kind;
            let kind = attribute::short_name(&kind);
            return Err(NameError::TooLong { bytes, kind });
        }
        if self.is_sorted() {
            Ok(())
        } else {
            Err(NameError::Order)
        }
    }

    /// Whether the values of every RDN, a SET OF, ascend (X.690 section 11.6).
    fn is_sorted(&self) -> bool {
        elements(&self.0)
            .flat_map(|name| elements(name.content))
            .all(|rdn| elements(rdn.content).is_sorted_by_key(|value| value.whole))
    }
}

/// The beginning of a text that may be very long, for an error.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The elements in `content`, up to the first that is broken.
fn elements(content: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut reader = Reader::new(content);
    std::iter::from_fn(move || reader.any().ok())
}

impl NameAttribute {
    /// The identifier octet of the value.
    fn string(&self) -> u8 {
        self.der[0]
    }

    fn problem(&self, problem: impl Into<String>) -> NameError {
        NameError::Value {
            kind: attribute::short_name(&self.kind),
            value: self.text.as_deref().map_or("…".to_owned(), shortened),
            problem: problem.into(),
        }
    }

    fn check(&self) -> Result<(), NameError> {
        let Some(text) = &self.text else {
            return Err(self.problem("is not text"));
        };
        let kind = AttributeType::of(&self.kind);
        kind.check(text)?;
        let string = self.string();
        let called = attribute::string_name(string);
        if !kind.admits(string) {
            return Err(self.problem(format!("has the string type {called}, which is not issued")));
        }
        if !attribute::holds(string, text) {
            return Err(self.problem(format!("has characters outside {called}")));
        }
        Ok(())
    }

    /// The AttributeTypeAndValue, in a string type that its type admits. A value that is in one
    /// already keeps its bytes.
    fn normalized(&self) -> Result<Vec<u8>, NameError> {
        let kind = AttributeType::of(&self.kind);
        match &self.text {
            Some(text) if kind.is_known() && !kind.admits(self.string()) => kind.encode(text),
            _ => Ok(sequence(|pair| {
                pair.oid(&self.kind);
                pair.raw(&self.der);
            })),
        }
    }
}

/// `#` begins the hexadecimal form of a value's BER (RFC 4514 section 2.4), which is not taken: it
/// would put bytes into a certificate that nobody reads before.
fn hexadecimal(kind: &AttributeType, value: &str) -> NameError {
    NameError::Value {
        kind: attribute::short_name(&kind.oid),
        value: value.to_owned(),
        problem: "is in the hexadecimal form, which is not read here (write \\# for a # in front)"
            .to_owned(),
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
        let rdns = attributes.chunk_by(|one, next| one.rdn == next.rdn);
        for (index, rdn) in rdns.rev().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            for (index, attribute) in rdn.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "+" })?;
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NameAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", attribute::short_name(&self.kind))?;
        if let Some(text) = &self.text {
            return write_escaped(f, text);
        }
        f.write_str("#")?;
        self.der.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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

    fn from_values(rdns: &[&[(ObjectIdentifier, u8, &[u8])]]) -> Name {
        let der = sequence(|name| {
            for values in rdns {
                name.constructed(tag::SET, |rdn| {
                    for (kind, string, value) in *values {
                        rdn.sequence(|pair| {
                            pair.oid(kind);
                            pair.primitive(*string, value);
                        });
                    }
                });
            }
        });
        Name::from_der(&der).unwrap()
    }

    #[test]
    fn values_that_other_programs_do_not_read_are_refused() {
        let of = |value: &[u8]| {
            Name::from_der(&sequence(|name| {
                name.constructed(tag::SET, |rdn| {
                    rdn.sequence(|pair| {
                        pair.oid(&oid::COMMON_NAME);
                        pair.raw(value);
                    });
                });
            }))
        };
        for value in [
            &b"\x13\x01a"[..],
            b"\x12\x011",
            b"\x03\x02\x00a",
            b"\x30\x00",
        ] {
            assert!(of(value).is_ok(), "{value:02x?}");
        }
        for value in [
            &b"\x1a\x01a"[..],
            b"\x1e\x03\0a\0",
            b"\x02\x01\x01",
            b"\x04\x01a",
            b"\x05\x00",
            b"\x80\x01a",
            b"\x0c\x01\xff",
        ] {
            assert!(of(value).is_err(), "{value:02x?}");
        }
    }

    #[test]
    fn attributes_and_names_have_upper_bounds() {
        let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.7");
        let long = "x".repeat(1_000_000);
        let of = |kind, value: &str| from_values(&[&[(kind, tag::UTF8_STRING, value.as_bytes())]]);
        assert_eq!(of(unknown, &long[..1024]).check(), Ok(()));
        assert_eq!(of(oid::COMMON_NAME, &long[..64]).check(), Ok(()));
        for (kind, length, called) in [
            (unknown, 1025, "1.3.6.1.4.1.99999.7"),
            (unknown, 1_000_000, "1.3.6.1.4.1.99999.7"),
            (oid::COMMON_NAME, 65, "CN"),
            (oid::ORGANIZATION_NAME, 1_000_000, "O"),
        ] {
            for error in [
                of(kind, &long[..length]).check(),
                of(kind, &long[..length]).normalized().map(drop),
            ] {
                let text = error.unwrap_err().to_string();
                assert!(text.contains(called) && text.len() < 300, "{text}");
            }
        }
        let value: &[_] = &[(unknown, tag::UTF8_STRING, &long.as_bytes()[..1024])];
        assert_eq!(from_values(&vec![value; 15]).check(), Ok(()));
        let error = from_values(&vec![value; 16]).check().unwrap_err();
        assert!(error.to_string().contains("1.3.6.1.4.1.99999.7"), "{error}");
    }

    #[test]
    fn string_types_that_certificates_do_not_get_are_refused_or_written_anew() {
        use oid::{COMMON_NAME, COUNTRY_NAME, DOMAIN_COMPONENT, EMAIL_ADDRESS, SERIAL_NUMBER};
        for (kind, string, value, normalized) in [
            (
                COMMON_NAME,
                tag::TELETEX_STRING,
                &b"J\xfcrgen"[..],
                "CN=Jürgen",
            ),
            (COMMON_NAME, tag::BMP_STRING, b"\0J\x65\xe5", "CN=J日"),
            (COMMON_NAME, tag::UNIVERSAL_STRING, b"\0\0\0x", "CN=x"),
            (COMMON_NAME, tag::IA5_STRING, b"a@x", "CN=a@x"),
            (COUNTRY_NAME, tag::UTF8_STRING, b"JP", "C=JP"),
            (SERIAL_NUMBER, tag::UTF8_STRING, b"1", "serialNumber=1"),
            (DOMAIN_COMPONENT, tag::UTF8_STRING, b"test", "DC=test"),
            (EMAIL_ADDRESS, tag::UTF8_STRING, b"a@x", "emailAddress=a@x"),
        ] {
            let name = from_values(&[&[(kind, string, value)]]);
            assert!(name.check().is_err(), "{name}");
            assert_eq!(name.normalized(), Name::parse(normalized));
        }
    }

    #[test]
    fn names_of_common_requests_keep_their_bytes() {
        let name = from_values(&[
            &[(oid::COUNTRY_NAME, tag::PRINTABLE_STRING, b"JP")],
            &[(oid::DOMAIN_COMPONENT, tag::IA5_STRING, b"test")],
            &[(oid::ORGANIZATION_NAME, tag::PRINTABLE_STRING, b"Example")],
            &[(oid::COMMON_NAME, tag::UTF8_STRING, "ü".as_bytes())],
            &[(oid::EMAIL_ADDRESS, tag::IA5_STRING, b"a@x.test")],
        ]);
        assert_eq!(name.check(), Ok(()));
        assert_eq!(name.normalized(), Ok(name));
    }

    #[test]
    fn strings_that_are_not_what_their_type_says_are_refused() {
        let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.7");
        for (kind, string, value) in [
            (oid::COMMON_NAME, tag::PRINTABLE_STRING, &b"a@b*"[..]),
            (unknown, tag::PRINTABLE_STRING, b"a@b*"),
            (unknown, tag::TELETEX_STRING, b"x"),
            (oid::COMMON_NAME, tag::TELETEX_STRING, b"a\x9b2J"),
            (oid::COUNTRY_NAME, tag::UTF8_STRING, b"jp"),
        ] {
            let name = from_values(&[&[(kind, string, value)]]);
            assert!(name.check().is_err(), "{name}");
            assert!(name.normalized().is_err(), "{name}");
        }
    }

    #[test]
    fn values_of_an_rdn_out_of_order_are_refused_or_sorted() {
        let user: (_, _, &[u8]) = (oid::USER_ID, tag::UTF8_STRING, b"u");
        let common: (_, _, &[u8]) = (oid::COMMON_NAME, tag::UTF8_STRING, b"x");
        let (one, other) = (
            from_values(&[&[user, common]]),
            from_values(&[&[common, user]]),
        );
        let sorted = Name::parse("CN=x+UID=u").unwrap();
        assert!([&one, &other].contains(&&sorted));
        for name in [one, other] {
            assert_eq!(name.check().is_ok(), name == sorted);
            assert_eq!(name.normalized().as_ref(), Ok(&sorted));
        }
    }

    #[test]
    fn the_hexadecimal_form_is_refused() {
        for text in ["CN=#0c0161", "O=x, CN= #0c0161", "CN=a+UID=#0c0161"] {
            let error = Name::parse(text).unwrap_err();
            assert!(error.to_string().contains("hexadecimal"), "{error}");
        }
        assert_eq!(Name::parse("CN=\\#x"), Name::parse("/CN=#x"));
    }

    /// Some 3 MB; a walk for each of them would take minutes.
    #[test]
    fn a_name_of_very_many_rdns_is_shown_in_no_time() {
        let value: &[_] = &[(oid::COMMON_NAME, tag::UTF8_STRING, &b"x"[..])];
        let name = from_values(&vec![value; 250_000]);
        let start = std::time::Instant::now();
        assert_eq!(name.to_string().len(), 250_000 * 5 - 1);
        assert!(start.elapsed().as_secs() < 20);
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
