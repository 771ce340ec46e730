//! Reading DER that anyone may have written.

use super::tag;
use const_oid::ObjectIdentifier;

/// Why bytes are not the DER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end inside an element.
    #[error("it ends in the middle of a value")]
    Truncated,
    /// An indefinite or needlessly long length, a multi-octet tag, or bytes after the end.
    #[error("it is not DER: {0}")]
    NotDer(&'static str),
    /// Another element than the structure has in this place.
    #[error("{0} was expected in its place")]
    Unexpected(&'static str),
    /// The structure is right and the value is not allowed in it.
    #[error("{0}")]
    Value(&'static str),
}

/// One element: its identifier octet, its contents, and the whole of it.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The contents octets.
    pub content: &'a [u8],
    /// Identifier, length and contents.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the elements inside this one.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The contents of a BIT STRING of whole octets.
    pub fn whole_octets(&self) -> Result<&'a [u8], Malformed> {
        match self.content.split_first() {
            Some((0, octets)) => Ok(octets),
            Some(_) => Err(Malformed::Value("a BIT STRING does not end on an octet")),
            None => Err(Malformed::Value("a BIT STRING is empty")),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without leading zeros.
    pub fn unsigned(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [] => Err(Malformed::Value("an INTEGER is empty")),
            [first, ..] if first & 0x80 != 0 => Err(Malformed::Value("an INTEGER is negative")),
            [0, rest @ ..] => Ok(rest),
            all => Ok(all),
        }
    }

    /// An INTEGER that fits 32 bits and is not negative.
    pub fn small(&self) -> Result<u32, Malformed> {
        let magnitude = self.unsigned()?;
        if magnitude.len() > 4 {
            return Err(Malformed::Value("an INTEGER is too large"));
        }
        Ok(magnitude
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&self) -> Result<ObjectIdentifier, Malformed> {
        ObjectIdentifier::from_bytes(self.content)
            .map_err(|_| Malformed::Value("an OBJECT IDENTIFIER is not well formed"))
    }

    /// A BOOLEAN; DER knows one TRUE.
    pub fn boolean(&self) -> Result<bool, Malformed> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Malformed::Value("a BOOLEAN is neither TRUE nor FALSE")),
        }
    }

    /// A named-bit list of up to sixteen bits: bit `n` of the result is bit `n` of the list.
    pub fn named_bits(&self) -> Result<u16, Malformed> {
        let [unused, octets @ ..] = self.content else {
            return Err(Malformed::Value("a BIT STRING is empty"));
        };
        if *unused > 7 || octets.len() > 2 || (octets.is_empty() && *unused != 0) {
            return Err(Malformed::Value("a list of named bits is not well formed"));
        }
        let mut padded = [0; 2];
        padded[..octets.len()].copy_from_slice(octets);
        Ok(u16::from_be_bytes(padded).reverse_bits())
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the elements in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The one element that `bytes` hold.
    pub fn single(bytes: &'a [u8]) -> Result<Element<'a>, Malformed> {
        let mut reader = Self::new(bytes);
        let element = reader.any()?;
        reader.end()?;
        Ok(element)
    }

    /// The elements of the one SEQUENCE that `bytes` hold.
    pub fn sequence_of(bytes: &'a [u8], what: &'static str) -> Result<Self, Malformed> {
        let element = Self::single(bytes)?;
        if element.tag != tag::SEQUENCE {
            return Err(Malformed::Unexpected(what));
        }
        Ok(element.reader())
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The identifier octet of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Result<Element<'a>, Malformed> {
        let (header, length) = header(self.rest)?;
        let end = header.checked_add(length).ok_or(Malformed::Truncated)?;
        if end > self.rest.len() {
            return Err(Malformed::Truncated);
        }
        let (whole, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Element {
            tag: whole[0],
            content: &whole[header..],
            whole,
        })
    }

    /// The next element, which has to have this tag.
    pub fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, Malformed> {
        match self.peek() {
            None => Err(Malformed::Truncated),
            Some(found) if found == tag => self.any(),
            Some(_) => Err(Malformed::Unexpected(what)),
        }
    }

    /// The next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The elements of the next SEQUENCE.
    pub fn sequence(&mut self, what: &'static str) -> Result<Reader<'a>, Malformed> {
        Ok(self.expect(tag::SEQUENCE, what)?.reader())
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Malformed::NotDer("there are bytes after the end"))
        }
    }
}

/// The lengths of the header and of the contents of the element at the start of `bytes`.
pub(super) fn header(bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    let [identifier, first, rest @ ..] = bytes else {
        return Err(Malformed::Truncated);
    };
    if identifier & 0x1f == 0x1f {
        return Err(Malformed::NotDer("a tag of several octets"));
    }
    if first & 0x80 == 0 {
        return Ok((2, usize::from(*first)));
    }
    let octets = usize::from(first & 0x7f);
    if octets == 0 {
        return Err(Malformed::NotDer("an indefinite length"));
    }
    if octets > 4 {
        return Err(Malformed::NotDer("a length over 4 GiB"));
    }
    let digits = rest.get(..octets).ok_or(Malformed::Truncated)?;
    let length = digits
        .iter()
        .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    if length < 0x80 || digits[0] == 0 {
        return Err(Malformed::NotDer("a length in more octets than it needs"));
    }
    Ok((2 + octets, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_der_is_named() {
        for (bytes, expected) in [
            (&[][..], Malformed::Truncated),
            (&[0x30], Malformed::Truncated),
            (&[0x30, 0x05, 1], Malformed::Truncated),
            (&[0x30, 0x82, 1], Malformed::Truncated),
            (
                &[0x30, 0x80, 0, 0],
                Malformed::NotDer("an indefinite length"),
            ),
            (
                &[0x30, 0x81, 0x01, 0],
                Malformed::NotDer("a length in more octets than it needs"),
            ),
            (
                &[0x30, 0x85, 1, 0, 0, 0, 0],
                Malformed::NotDer("a length over 4 GiB"),
            ),
            (
                &[0x1f, 0x81, 0x00],
                Malformed::NotDer("a tag of several octets"),
            ),
            (
                &[0x05, 0x00, 0x00],
                Malformed::NotDer("there are bytes after the end"),
            ),
        ] {
            assert_eq!(
                Reader::single(bytes).map(|_| ()),
                Err(expected),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn named_bits_are_read_from_the_first_octet_on() {
        let element = |content| Element {
            tag: tag::BIT_STRING,
            content,
            whole: &[],
        };
        assert_eq!(element(&[1, 0x06]).named_bits(), Ok(0b110_0000));
        assert_eq!(element(&[7, 0, 0x80]).named_bits(), Ok(1 << 8));
        assert!(element(&[]).named_bits().is_err());
        assert!(element(&[3]).named_bits().is_err());
    }
}
