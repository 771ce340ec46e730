//! The hash under which OpenSSL looks for a name in a directory (`X509_NAME_hash`).

use super::attribute::decode_text;
use super::name::Name;
use crate::asn1::{Element, Reader, encode, sequence, tag};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

impl Name {
    /// The first four bytes of the SHA-1 hash of the canonical form, the least significant first; it is
    /// written as eight hex digits. In the canonical form strings are UTF-8 and in lower case, and blanks
    /// in them single and inside; there is no SEQUENCE around it.
    pub(crate) fn openssl_hash(&self) -> u32 {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.canonical());
        let first = digest.as_ref().first_chunk();
        u32::from_le_bytes(*first.expect("a SHA-1 hash has 20 bytes"))
    }

    fn canonical(&self) -> Vec<u8> {
        let name = Reader::sequence_of(self.der(), "a Name");
        let mut rdns = name.expect("the structure was checked when the name was made");
        encode(|canonical| {
            while let Ok(rdn) = rdns.any() {
                let mut values = Vec::new();
                let mut pairs = rdn.reader();
                while let Ok(pair) = pairs.any() {
                    values.push(canonical_attribute(&pair));
                }
                values.sort();
                canonical.constructed(tag::SET, |rdn| {
                    values.iter().for_each(|value| rdn.raw(value));
                });
            }
        })
    }
}

fn canonical_attribute(pair: &Element<'_>) -> Vec<u8> {
    let mut fields = pair.reader();
    sequence(|canonical| {
        while let Ok(field) = fields.any() {
            match text_bytes(&field) {
                Some(text) => canonical.primitive(tag::UTF8_STRING, &folded(&text)),
                None => canonical.raw(field.whole),
            }
        }
    })
}

/// The UTF-8 of a string as OpenSSL reads it: strings of one byte a character are Latin-1. `None` for
/// what is no string, and what it can't read as one.
fn text_bytes(value: &Element<'_>) -> Option<Vec<u8>> {
    let points: Option<String> = match value.tag {
        tag::UTF8_STRING => return Some(value.content.to_vec()),
        tag::PRINTABLE_STRING | tag::TELETEX_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            Some(value.content.iter().map(|byte| char::from(*byte)).collect())
        }
        // A surrogate is no character to it, though UTF-16 has pairs of them.
        tag::BMP_STRING => {
            let units = value.content.chunks(2);
            units
                .map(|unit| char::from_u32(u16::from_be_bytes(unit.try_into().ok()?).into()))
                .collect()
        }
        tag::UNIVERSAL_STRING => decode_text(value),
        _ => None,
    };
    points.map(String::into_bytes)
}

/// ASCII in lower case; blanks cut off at the ends, and one for several between.
fn folded(text: &[u8]) -> Vec<u8> {
    let words = text.split(|byte| is_blank(*byte));
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    words.join(&b' ').to_ascii_lowercase()
}

/// C's isspace.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
