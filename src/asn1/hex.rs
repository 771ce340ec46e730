//! Hexadecimal digits.

use std::fmt;

/// Bytes, shown with `{:x}` or `{:X}` as two digits each.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Hex<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, digits: &[u8; 16]) -> fmt::Result {
        for chunk in self.0.chunks(32) {
            let mut text = [0; 64];
            for (pair, byte) in text.chunks_exact_mut(2).zip(chunk) {
                pair[0] = digits[usize::from(byte >> 4)];
                pair[1] = digits[usize::from(byte & 15)];
            }
            let used = &text[..2 * chunk.len()];
            f.write_str(std::str::from_utf8(used).expect("digits are ASCII"))?;
        }
        Ok(())
    }
}

impl fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, b"0123456789abcdef")
    }
}

impl fmt::UpperHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, b"0123456789ABCDEF")
    }
}

/// Reads an even number of digits, in either case.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks() else {
        return None;
    };
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}
