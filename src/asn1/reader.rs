//! Reading DER that anyone may have written.

use super::{Malformed, tag};
use const_oid::ObjectIdentifier;

/// Element: its identifier byte, its contents, and the whole of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Identifier, length and contents.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The bytes of a BIT STRING, and how many bits of the last one are unused; those are zero
    /// (X.690 section 11.2.1).
    pub(crate) fn bits(&self) -> Result<(u8, &'a [u8]), Malformed> {
        const BAD: Malformed = Malformed::NotDer("a BIT STRING with wrong unused bits");
        let [unused @ 0..=7, bytes @ ..] = self.content else {
            return Err(BAD);
        };
        let padding = (1_u8 << unused) - 1;
        match bytes.last() {
            None if *unused > 0 => Err(BAD),
            Some(last) if last & padding != 0 => Err(BAD),
            _ => Ok((*unused, bytes)),
        }
    }

    /// The contents of a BIT STRING of whole bytes.
    pub(crate) fn whole_bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.bits()? {
            (0, bytes) => Ok(bytes),
            _ => Err(Malformed::Value("a BIT STRING does not end on a byte")),
        }
    }

    /// The contents of an INTEGER or ENUMERATED, which are as short as they can be (X.690 section
    /// 8.3.2).
    pub(crate) fn integer(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [] => Err(Malformed::NotDer("an INTEGER is empty")),
            [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(Malformed::LONG_INTEGER),
            content => Ok(content),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without leading zeros.
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], Malformed> {
        match self.integer()? {
            [0x80..=0xff, ..] => Err(Malformed::NEGATIVE),
            [0, rest @ ..] => Ok(rest),
            all => Ok(all),
        }
    }

    /// An INTEGER that fits 32 bits and is not negative.
    pub(crate) fn small(&self) -> Result<u32, Malformed> {
        let magnitude = self.unsigned()?;
        if magnitude.len() > 4 {
            return Err(Malformed::Value("an INTEGER is too large"));
        }
        Ok(magnitude
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    /// An OBJECT IDENTIFIER; each arc is as short as it can be (X.690 section 8.19.2).
    pub(crate) fn oid(&self) -> Result<ObjectIdentifier, Malformed> {
        if !has_minimal_arcs(self.content) {
            return Err(Malformed::BAD_OID);
        }
        ObjectIdentifier::from_bytes(self.content).map_err(|_| Malformed::BAD_OID)
    }

    /// Holds an element of any type to the DER of its universal type, if it has one. What is inside a
    /// SEQUENCE, a SET or another class is not looked at.
    pub(crate) fn check_value(&self) -> Result<(), Malformed> {
        let text = |is_text: bool| {
            let problem = Malformed::Value("a string has bytes that its type does not allow");
            is_text.then_some(()).ok_or(problem)
        };
        let are_characters = |size: usize| {
            let mut points = self.content.chunks(size);
            points.all(|point| {
                let value = point
                    .iter()
                    .fold(0, |value, byte| value << 8 | u32::from(*byte));
                point.len() == size && char::from_u32(value).is_some()
            })
        };
        match self.tag {
            tag::BOOLEAN => self.boolean().map(drop),
            tag::INTEGER | tag::ENUMERATED => self.integer().map(drop),
            tag::BIT_STRING => self.bits().map(drop),
            tag::NULL if !self.content.is_empty() => Err(Malformed::Value("a NULL is not empty")),
            tag::OBJECT_IDENTIFIER if !has_minimal_arcs(self.content) => Err(Malformed::BAD_OID),
            tag::UTF8_STRING => text(std::str::from_utf8(self.content).is_ok()),
            tag::BMP_STRING => text(are_characters(2)),
            tag::UNIVERSAL_STRING => text(are_characters(4)),
            tag::UTC_TIME | tag::GENERALIZED_TIME => super::parse_time(self).map(drop),
            // A SEQUENCE and a SET are constructed, and no other universal type is in DER.
            0x00 | 0x10 | 0x11 => Err(Malformed::NotDer("a type that does not exist")),
            0x20..0x40 if !matches!(self.tag, tag::SEQUENCE | tag::SET) => {
                Err(Malformed::NotDer("a constructed value of a primitive type"))
            }
            _ => Ok(()),
        }
    }

    /// A BOOLEAN; DER knows one TRUE.
    pub(crate) fn boolean(&self) -> Result<bool, Malformed> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Malformed::BAD_BOOLEAN),
        }
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn single(bytes: &'a [u8]) -> Result<Element<'a>, Malformed> {
        let mut reader = Self::new(bytes);
        let element = reader.any()?;
        reader.end()?;
        Ok(element)
    }

    /// The elements of the one SEQUENCE that `bytes` hold.
    pub(crate) fn sequence_of(bytes: &'a [u8], what: &'static str) -> Result<Self, Malformed> {
        let element = Self::single(bytes)?;
        if element.tag != tag::SEQUENCE {
            return Err(Malformed::Unexpected(what));
        }
        Ok(element.reader())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The identifier byte of the next element.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Returns the bytes that have not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn any(&mut self) -> Result<Element<'a>, Malformed> {
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
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, Malformed> {
        match self.peek() {
            None => Err(Malformed::Truncated),
            Some(found) if found == tag => self.any(),
            Some(_) => Err(Malformed::Unexpected(what)),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The next element, an OBJECT IDENTIFIER.
    pub(crate) fn oid(&mut self, what: &'static str) -> Result<ObjectIdentifier, Malformed> {
        self.expect(tag::OBJECT_IDENTIFIER, what)?.oid()
    }

    pub(crate) fn sequence(&mut self, what: &'static str) -> Result<Reader<'a>, Malformed> {
        Ok(self.expect(tag::SEQUENCE, what)?.reader())
    }

    /// The next element, an AlgorithmIdentifier (RFC 5280 section 4.1.1.2): an
    /// algorithm, and at most one value of any type.
    pub(crate) fn algorithm(&mut self, what: &'static str) -> Result<Element<'a>, Malformed> {
        let element = self.expect(tag::SEQUENCE, what)?;
        let mut fields = element.reader();
        fields.oid("an algorithm identifier")?;
        if !fields.is_empty() {
            fields.any()?.check_value()?;
        }
        fields.end()?;
        Ok(element)
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Malformed::BYTES_AFTER_END)
        }
    }
}

/// Returns whether `content` is arcs of an OBJECT IDENTIFIER, however large, none with a leading zero.
pub(crate) fn has_minimal_arcs(content: &[u8]) -> bool {
    let mut ended = true;
    content.iter().all(|byte| {
        let is_padded = ended && *byte == 0x80;
        ended = byte & 0x80 == 0;
        !is_padded
    }) && ended
        && !content.is_empty()
}

/// The lengths of the header and of the contents of the element at the start of `bytes`.
pub(super) fn header(bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    let [identifier, first, rest @ ..] = bytes else {
        return Err(Malformed::Truncated);
    };
    if identifier & 0x1f == 0x1f {
        return Err(Malformed::Value("a tag of several bytes is not supported"));
    }
    if first & 0x80 == 0 {
        return Ok((2, usize::from(*first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 {
        return Err(Malformed::INDEFINITE_LENGTH);
    }
    if count > 4 {
        return Err(Malformed::Value("a length over 4 GiB is not supported"));
    }
    let digits = rest.get(..count).ok_or(Malformed::Truncated)?;
    let length = digits
        .iter()
        .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    if length < 0x80 || digits[0] == 0 {
        return Err(Malformed::NotDer("a length has more bytes than necessary"));
    }
    Ok((2 + count, length))
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
                Malformed::NotDer("a length has more bytes than necessary"),
            ),
            (
                &[0x30, 0x82, 0x00, 0x80, 0],
                Malformed::NotDer("a length has more bytes than necessary"),
            ),
            (
                &[0x30, 0x83, 0x00, 0x01, 0x00],
                Malformed::NotDer("a length has more bytes than necessary"),
            ),
            (
                &[0x30, 0x85, 1, 0, 0, 0, 0],
                Malformed::Value("a length over 4 GiB is not supported"),
            ),
            (
                &[0x1f, 0x81, 0x00],
                Malformed::Value("a tag of several bytes is not supported"),
            ),
            (
                &[0x05, 0x00, 0x00],
                Malformed::NotDer("bytes after the end"),
            ),
        ] {
            assert_eq!(
                Reader::single(bytes).map(|_| ()),
                Err(expected),
                "{bytes:02x?}"
            );
        }
    }

    fn element(tag: u8, content: &[u8]) -> Element<'_> {
        Element {
            tag,
            content,
            whole: &[],
        }
    }

    #[test]
    fn unused_bits_are_at_most_seven_and_zero() {
        let bits = |content| element(tag::BIT_STRING, content).bits();
        assert_eq!(bits(&[5, 0x20]), Ok((5, &[0x20][..])));
        assert_eq!(bits(&[7, 0x80]), Ok((7, &[0x80][..])));
        assert_eq!(bits(&[0]), Ok((0, &[][..])));
        let wrong: [&[u8]; 6] = [&[], &[3], &[8, 0], &[5, 0x24], &[7, 0x81], &[1, 0xfe, 0x01]];
        for content in wrong {
            assert!(bits(content).is_err(), "{content:02x?}");
        }
    }

    #[test]
    fn integers_are_minimal() {
        let integer = |content| element(tag::INTEGER, content);
        for (content, magnitude) in [
            (&[0][..], &[][..]),
            (&[1], &[1]),
            (&[0x7f], &[0x7f]),
            (&[0, 0x80], &[0x80]),
            (&[1, 0], &[1, 0]),
        ] {
            assert_eq!(integer(content).unsigned(), Ok(magnitude));
        }
        for negative in [&[0x80][..], &[0xff], &[0xff, 0x7f]] {
            assert_eq!(integer(negative).integer(), Ok(negative));
            assert!(integer(negative).unsigned().is_err());
        }
        let wrong: [&[u8]; 6] = [
            &[],
            &[0, 0],
            &[0, 2],
            &[0, 0x7f],
            &[0xff, 0x80],
            &[0xff, 0xff, 1],
        ];
        for content in wrong {
            assert!(integer(content).integer().is_err(), "{content:02x?}");
            assert!(integer(content).small().is_err(), "{content:02x?}");
        }
    }

    #[test]
    fn booleans_are_00_or_ff() {
        let boolean = |content| element(tag::BOOLEAN, content).boolean();
        assert_eq!((boolean(&[0]), boolean(&[0xff])), (Ok(false), Ok(true)));
        let wrong: [&[u8]; 5] = [&[], &[1], &[0x7f], &[0xfe], &[0xff, 0xff]];
        assert!(wrong.into_iter().all(|content| boolean(content).is_err()));
    }

    #[test]
    fn object_identifiers_are_whole_and_minimal() {
        let is_oid = |content| element(tag::OBJECT_IDENTIFIER, content).oid().is_ok();
        assert!(is_oid(&[0x55, 0x1d, 0x0f]) && is_oid(&[0x2a, 0x86, 0x48]));
        let wrong: [&[u8]; 5] = [
            &[],
            &[0x55, 0x1d, 0x80, 0x0f],
            &[0x55, 0x80, 0x1d, 0x0f],
            &[0x55, 0x1d, 0x8f],
            &[0x80, 0x55],
        ];
        assert!(wrong.into_iter().all(|content| !is_oid(content)));
    }

    #[test]
    fn a_value_of_any_type_is_held_to_its_type() {
        let good: [&[u8]; 8] = [
            b"\x05\x00",
            b"\x02\x01\x80",
            b"\x30\x03abc",
            b"\x0c\x02\xc3\xa9",
            b"\x1e\x02ab",
            b"\xa0\x00",
            b"\x06\x03\x69\xff\x7f",
            b"\x17\x0d260101000000Z",
        ];
        let wrong: [&[u8]; 14] = [
            b"\x05\x01\x00",
            b"\x02\x02\x00\x01",
            b"\x0a\x00",
            b"\x01\x01\x01",
            b"\x03\x02\x01\x01",
            b"\x0c\x01\xff",
            b"\x1e\x01a",
            b"\x1c\x03abc",
            b"\x1e\x02\xd8\x00",
            b"\x1c\x04\x00\x11\x00\x00",
            b"\x06\x02\x55\x80",
            b"\x24\x00",
            b"\x10\x00",
            b"\x17\x0b2601010000Z",
        ];
        let check = |der| Reader::single(der).unwrap().check_value();
        good.into_iter()
            .for_each(|der| assert_eq!(check(der), Ok(()), "{der:02x?}"));
        wrong
            .into_iter()
            .for_each(|der| assert!(check(der).is_err(), "{der:02x?}"));
    }
}
