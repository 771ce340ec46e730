//! The DER cursor beside the der crate: what the cursor takes, the crate takes for the same.

use crate::asn1::{Element, Reader, encode, parse_time, tag};
use der::Decode;
use der::asn1::{
    AnyRef, BitStringRef, BmpString, GeneralizedTime, IntRef, Null, ObjectIdentifier, UintRef,
    UtcTime, Utf8StringRef,
};
use time::OffsetDateTime;
use time::macros::datetime;

/// Bytes of an element's contents that are read as a value.
const LONGEST_VALUE: usize = 64;

/// Every element in the input, and every value that each of them would be under another tag.
pub fn der(data: &[u8]) {
    let mut readers = vec![Reader::new(data)];
    while let Some(mut reader) = readers.pop() {
        same_length(reader.rest());
        let Ok(element) = reader.any() else {
            continue;
        };
        readers.push(reader);
        let content = &element.content[..element.content.len().min(LONGEST_VALUE)];
        numbers(content);
        strings(content);
        times(content);
        if element.tag & 0x20 != 0 {
            readers.push(element.reader());
        }
    }
}

/// Of lengths both take the same. The crate knows fewer types, so the tag is one that both know.
fn same_length(bytes: &[u8]) {
    let [identifier, rest @ ..] = bytes else {
        return;
    };
    if identifier & 0x1f == 0x1f {
        return;
    }
    // A length in one byte or two, and its contents.
    let bytes = [&[tag::OCTET_STRING], &rest[..rest.len().min(300)]].concat();
    let ours = Reader::new(&bytes).any().map(|element| element.content);
    let theirs = AnyRef::from_der_partial(&bytes).map(|(any, _)| any.value());
    assert_eq!(ours.ok(), theirs.ok(), "{bytes:02x?}");
}

fn numbers(content: &[u8]) {
    let (integer, whole) = value(tag::INTEGER, content);
    let is_integer = IntRef::from_der(&whole).is_ok();
    assert_eq!(integer.integer().is_ok(), is_integer, "{whole:02x?}");
    let unsigned = integer.unsigned().ok();
    let theirs = UintRef::from_der(&whole).ok();
    let theirs = theirs.as_ref().map(UintRef::as_bytes);
    assert_eq!(unsigned.map(significant), theirs.map(significant));
    assert_eq!(integer.small().ok(), u32::from_der(&whole).ok());
    let (boolean, whole) = value(tag::BOOLEAN, content);
    assert_eq!(boolean.boolean().ok(), bool::from_der(&whole).ok());
}

/// Without leading zeros.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// Of some the cursor takes less: no unused bits that are set, no arcs with a leading zero.
fn strings(content: &[u8]) {
    let (bits, whole) = value(tag::BIT_STRING, content);
    if let Ok(bits) = bits.bits() {
        let theirs = BitStringRef::from_der(&whole).expect("the crate takes it");
        assert_eq!(bits, (theirs.unused_bits(), theirs.raw_bytes()));
    }
    let (identifier, whole) = value(tag::OBJECT_IDENTIFIER, content);
    if let Ok(oid) = identifier.oid() {
        assert_eq!(ObjectIdentifier::from_der(&whole), Ok(oid));
    }
    let (null, whole) = value(tag::NULL, content);
    assert_eq!(null.check_value().is_ok(), Null::from_der(&whole).is_ok());
    let (utf8, whole) = value(tag::UTF8_STRING, content);
    let is_utf8 = Utf8StringRef::from_der(&whole).is_ok();
    assert_eq!(utf8.check_value().is_ok(), is_utf8);
    let (bmp, whole) = value(tag::BMP_STRING, content);
    // U+FFFF, a noncharacter, is taken by the cursor alone.
    let has_last = content.chunks(2).any(|unit| unit == [0xff, 0xff]);
    assert!(has_last || bmp.check_value().is_err() || BmpString::from_der(&whole).is_ok());
}

/// The crate holds no time before 1970.
fn times(content: &[u8]) {
    const FIRST: OffsetDateTime = datetime!(1970-01-01 0:00 UTC);
    let (utc, whole) = value(tag::UTC_TIME, content);
    let theirs = UtcTime::from_der(&whole).map(|time| time.to_unix_duration());
    let (generalized, whole) = value(tag::GENERALIZED_TIME, content);
    let other = GeneralizedTime::from_der(&whole).map(|time| time.to_unix_duration());
    for (element, theirs) in [(utc, theirs), (generalized, other)] {
        let ours = parse_time(&element).ok().filter(|time| *time >= FIRST);
        let seconds = ours.map(|time| (time - FIRST).whole_seconds().unsigned_abs());
        let theirs = theirs.ok().map(|time| time.as_secs());
        assert_eq!(seconds, theirs, "{content:02x?}");
    }
}

/// The contents under a tag, for the cursor and for the crate.
fn value(tag: u8, content: &[u8]) -> (Element<'_>, Vec<u8>) {
    let element = Element {
        tag,
        content,
        whole: &[],
    };
    (element, encode(|der| der.primitive(tag, content)))
}
