//! DER, as X.690 section 10 restricts it: one encoding for one value.
//!
//! Written here because the bytes are what this program is about: names, keys and extensions
//! that came from elsewhere are copied, never decoded and encoded again.

#![allow(missing_docs)]

mod encoder;
mod hex;
mod malformed;
pub(crate) mod oid;
mod reader;
mod time;

pub(crate) use encoder::{Encoder, encode, sequence};
pub(crate) use hex::{Hex, from_hex};
pub(crate) use malformed::Malformed;
pub(crate) use reader::{Element, Reader, has_minimal_arcs};
pub(crate) use time::{encode_generalized_time, encode_time, parse_time};

/// Identifier bytes (X.690 section 8.1.2) that certificates, lists and keys use.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const NUMERIC_STRING: u8 = 0x12;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// The identifier byte of a primitive, context-specific tag: `[number] IMPLICIT`.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// The identifier byte of a constructed, context-specific tag: `[number] EXPLICIT`.
    pub(crate) const fn explicit(number: u8) -> u8 {
        0xa0 | number
    }
}
