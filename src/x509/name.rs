//! Distinguished names (RFC 5280 section 4.1.2.4).

mod notation;

use super::attribute::{self, AttributeType};
use super::text::Escaped;
use crate::asn1::{Element, Malformed, Reader, oid, sequence, tag};
use const_oid::ObjectIdentifier;
use std::fmt;

/// A name: its DER, untouched. Two names are equal when their bytes are.
///
/// An issuer that differs from its CA's subject by a byte, though it reads the same, makes some
/// relying parties reject a certificate and others miss a revocation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(Vec<u8>);

/// Attribute of a name, with the index of the relative distinguished name that it is in.
#[derive(Debug, Clone)]
pub(crate) struct NameAttribute {
    /// Attributes with one index are one multi-valued RDN.
    pub(crate) rdn: usize,
    pub(crate) kind: ObjectIdentifier,
    /// The value as text, if it is one of the string types.
    pub(crate) text: Option<String>,
    pub(crate) der: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error(
        "{text:?} is not a distinguished name: write /C=JP/O=Example/CN=x or CN=x,O=Example,C=JP"
    )]
    Notation { text: String },
    #[error("{kind:?} is not a known attribute type")]
    UnknownType { kind: String },
    #[error("the value of {kind} {problem}: \"{}\"", Escaped(.value))]
    Value {
        kind: String,
        value: String,
        problem: String,
    },
    #[error(
        "the name exceeds {MOST_BYTES} bytes (it has {bytes}); its largest attribute is {kind}"
    )]
    TooLong { bytes: usize, kind: String },
    #[error("the values of a relative distinguished name are not in DER order")]
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
    pub(crate) fn from_attributes<'a>(
        attributes: impl IntoIterator<Item = (AttributeType, &'a str)>,
    ) -> Result<Self, NameError> {
        let rdns = attributes
            .into_iter()
            .map(|(kind, value)| kind.encode(value).map(|der| vec![der]))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::from_rdns(rdns))
    }

    /// Returns the name without attributes.
    pub(crate) fn empty() -> Self {
        Self::from_attributes([]).expect("an empty name has no invalid attribute")
    }

    /// A name that is nothing but a common name.
    pub(crate) fn from_common_name(common_name: &str) -> Result<Self, NameError> {
        Self::from_attributes([(attribute::COMMON_NAME, common_name)])
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
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let name = Self(der.to_vec());
        name.walk(|_, _, _| Ok(()))?;
        Ok(name)
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0 == [tag::SEQUENCE, 0]
    }

    /// Every attribute, in the order of the name.
    pub(crate) fn attributes(&self) -> Vec<NameAttribute> {
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
                let kind = pair.oid("an attribute type")?;
                let value = pair.any()?;
                if value.tag == tag::VISIBLE_STRING {
                    return Err(Malformed::Value(
                        "a value in a name is a VisibleString, which OpenSSL can't read",
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
    pub(crate) fn common_name(&self) -> Option<String> {
        self.attributes()
            .into_iter()
            .rev()
            .find(|attribute| attribute.kind == oid::COMMON_NAME)
            .and_then(|attribute| attribute.text)
    }

    /// Every common name, in the order of the name.
    pub(crate) fn common_names(&self) -> impl Iterator<Item = String> {
        self.texts_of(oid::COMMON_NAME)
    }

    /// Every value of an attribute that is an e-mail address (PKCS #9).
    pub(crate) fn email_addresses(&self) -> impl Iterator<Item = String> {
        self.texts_of(oid::EMAIL_ADDRESS)
    }

    fn texts_of(&self, kind: ObjectIdentifier) -> impl Iterator<Item = String> + use<> {
        self.attributes()
            .into_iter()
            .filter(move |attribute| attribute.kind == kind)
            .filter_map(|attribute| attribute.text)
    }

    /// This name with a common name behind it.
    pub(crate) fn with_common_name(&self, common_name: &str) -> Result<Self, NameError> {
        let value = attribute::COMMON_NAME.encode(common_name)?;
        let rdns = Reader::sequence_of(&self.0, "a Name")
            .expect("the structure was checked when the name was made");
        Ok(Self(sequence(|name| {
            name.raw(rdns.rest());
            name.constructed(tag::SET, |rdn| rdn.raw(&value));
        })))
    }

    /// A CSR's subject as it goes into a certificate: values of string types that certificates
    /// no longer get (RFC 5280 section 4.1.2.4) are written anew in those of their attribute types,
    /// and multi-valued RDNs are sorted; then it is checked as [`Name::check`] does.
    pub(crate) fn normalized(&self) -> Result<Self, NameError> {
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

    /// Checks whether every attribute is one that may stand in a certificate issued here; a name from a
    /// CSR is held to what a name on the command line is. Not for the names of CAs that are
    /// there already: those are copied, whatever they are.
    pub(crate) fn check(&self) -> Result<(), NameError> {
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

    /// Returns whether the values of every RDN, a SET OF, ascend (X.690 section 11.6).
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
    /// The identifier byte of the value.
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
            return Err(self.problem(format!("has characters that {called} does not allow")));
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

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests;
