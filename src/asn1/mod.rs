//! DER, as X.690 section 10 restricts it: one encoding for one value.
//!
//! Written here because the bytes are what this program is about: names, keys and extensions
//! that came from elsewhere are copied, never decoded and encoded again.

#![allow(missing_docs)]

mod encoder;
mod hex;
mod malformed;
pub mod oid;
mod reader;
mod time;

pub use encoder::{Encoder, encode, sequence};
pub use hex::{Hex, from_hex};
pub use malformed::Malformed;
pub use reader::{Element, Reader, has_minimal_arcs};
pub use time::{encode_generalized_time, encode_time, parse_time};

/// Identifier bytes (X.690 section 8.1.2) that certificates, lists and keys use.
pub mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OBJECT_IDENTIFIER: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const NUMERIC_STRING: u8 = 0x12;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const VISIBLE_STRING: u8 = 0x1a;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;

    /// The identifier byte of a primitive, context-specific tag: `[number] IMPLICIT`.
    pub const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// The identifier byte of a constructed, context-specific tag: `[number] EXPLICIT`.
    pub const fn explicit(number: u8) -> u8 {
        0xa0 | number
    }
}
