//! Writing DER.

use super::tag;
use const_oid::ObjectIdentifier;

/// Collects DER; every method appends one element.
#[derive(Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

pub(crate) fn encode(content: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    // What fits most extensions, so that few buffers grow.
    let mut encoder = Encoder::with_capacity(64);
    content(&mut encoder);
    encoder.bytes
}

pub(crate) fn sequence(content: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    encode(|encoder| encoder.sequence(content))
}

impl Encoder {
    /// An encoder whose buffer does not grow, and so is not copied, up to `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Continues behind what is in a buffer already.
    pub(crate) fn onto(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends elements that are DER already, untouched.
    pub(crate) fn raw(&mut self, der: &[u8]) {
        self.bytes.extend_from_slice(der);
    }

    pub(crate) fn primitive(&mut self, tag: u8, content: &[u8]) {
        self.header(tag, content.len());
        self.bytes.extend_from_slice(content);
    }

    /// The identifier and length bytes of an element whose contents follow.
    pub(crate) fn header(&mut self, tag: u8, length: usize) {
        self.bytes.push(tag);
        let (bytes, used) = length_bytes(length);
        self.bytes.extend_from_slice(&bytes[..used]);
    }

    /// A constructed element around what `content` writes.
    pub(crate) fn constructed(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        // Most lengths fit the one byte that is kept free for them; longer ones move the contents.
        self.bytes.extend_from_slice(&[tag, 0]);
        let start = self.bytes.len();
        content(self);
        let (length, used) = length_bytes(self.bytes.len() - start);
        self.bytes[start - 1] = length[0];
        if used > 1 {
            self.bytes
                .splice(start..start, length[1..used].iter().copied());
        }
    }

    pub(crate) fn sequence(&mut self, content: impl FnOnce(&mut Self)) {
        self.constructed(tag::SEQUENCE, content);
    }

    /// `[number] EXPLICIT`.
    pub(crate) fn explicit(&mut self, number: u8, content: impl FnOnce(&mut Self)) {
        self.constructed(tag::explicit(number), content);
    }

    pub(crate) fn oid(&mut self, oid: &ObjectIdentifier) {
        self.primitive(tag::OBJECT_IDENTIFIER, oid.as_bytes());
    }

    /// A BOOLEAN that is TRUE; FALSE is always a default, which DER leaves out.
    pub(crate) fn boolean_true(&mut self) {
        self.primitive(tag::BOOLEAN, &[0xff]);
    }

    /// An INTEGER that is not negative, from its big-endian magnitude.
    pub(crate) fn unsigned(&mut self, magnitude: &[u8]) {
        self.integer_like(tag::INTEGER, magnitude);
    }

    /// As [`Encoder::unsigned`], under another tag (`[n] IMPLICIT INTEGER`).
    pub(crate) fn integer_like(&mut self, tag: u8, magnitude: &[u8]) {
        let significant = magnitude
            .iter()
            .position(|byte| *byte != 0)
            .map_or(&[][..], |first| &magnitude[first..]);
        let padded = significant.first().is_none_or(|byte| byte & 0x80 != 0);
        self.header(tag, significant.len() + usize::from(padded));
        if padded {
            self.bytes.push(0);
        }
        self.bytes.extend_from_slice(significant);
    }

    pub(crate) fn octet_string(&mut self, content: &[u8]) {
        self.primitive(tag::OCTET_STRING, content);
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bit_string(&mut self, content: &[u8]) {
        self.header(tag::BIT_STRING, content.len() + 1);
        self.bytes.push(0);
        self.bytes.extend_from_slice(content);
    }
}

/// The length bytes (X.690 section 10.1) and how many of them are used.
fn length_bytes(length: usize) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    if length < 0x80 {
        bytes[0] = u8::try_from(length).expect("checked to be under 0x80");
        return (bytes, 1);
    }
    let digits = length.to_be_bytes();
    let skip = digits.iter().take_while(|digit| **digit == 0).count();
    let used = digits.len() - skip;
    bytes[0] = 0x80 | u8::try_from(used).expect("a usize has at most eight bytes");
    bytes[1..=used].copy_from_slice(&digits[skip..]);
    (bytes, used + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_fewest_bytes() {
        for (length, expected) in [
            (0, &[0x00][..]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x80]),
            (0xff, &[0x81, 0xff]),
            (0x100, &[0x82, 0x01, 0x00]),
            (0x1_0000, &[0x83, 0x01, 0x00, 0x00]),
        ] {
            let (bytes, used) = length_bytes(length);
            assert_eq!(&bytes[..used], expected);
        }
    }

    #[test]
    fn integers_are_minimal_and_never_negative() {
        for (magnitude, expected) in [
            (&[][..], &[0x02, 1, 0][..]),
            (&[0, 0], &[0x02, 1, 0]),
            (&[0, 0x7f], &[0x02, 1, 0x7f]),
            (&[0x80], &[0x02, 2, 0, 0x80]),
            (&[0, 0, 1, 0], &[0x02, 2, 1, 0]),
        ] {
            assert_eq!(encode(|e| e.unsigned(magnitude)), expected);
        }
    }
}
