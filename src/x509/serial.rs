//! Serial numbers (RFC 5280 section 4.1.2.2).

use crate::asn1::{Encoder, Hex, tag};
use std::fmt;
use std::str::FromStr;

/// The most bytes that a serial number may have.
pub(crate) const MOST_BYTES: usize = 20;

/// A serial number as `pki` issues it and takes it: positive, at most twenty bytes as DER.
///
/// Held as the big-endian magnitude without leading zeros, in place: a million of them are no million
/// allocations. The length comes first, so that the order is that of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Serial {
    length: u8,
    bytes: [u8; MOST_BYTES],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SerialError {
    #[error("a serial number is greater than zero")]
    Zero,
    #[error("a serial number has at most 20 bytes")]
    TooLong,
    #[error("{text:?} is not a serial number: write it as hex digits, or decimal as dec:…")]
    Text { text: String },
}

impl Serial {
    /// From a big-endian magnitude; leading zeros don't count.
    pub(crate) fn from_magnitude(magnitude: &[u8]) -> Result<Self, SerialError> {
        let first = magnitude
            .iter()
            .position(|byte| *byte != 0)
            .ok_or(SerialError::Zero)?;
        let significant = &magnitude[first..];
        // A first bit of one costs a byte more as a DER INTEGER.
        if significant.len() + usize::from(significant[0] >> 7) > MOST_BYTES {
            return Err(SerialError::TooLong);
        }
        let mut bytes = [0; MOST_BYTES];
        bytes[..significant.len()].copy_from_slice(significant);
        let length = u8::try_from(significant.len()).expect("at most twenty bytes");
        Ok(Self { length, bytes })
    }

    /// A counter followed by 64 random bits: unique by the first, unpredictable by the second.
    ///
    /// The counter is what makes two serials differ in the leading 53 bits, which is all that a
    /// JavaScript number keeps of them.
    pub(crate) fn from_counter(counter: u128, random: u64) -> Result<Self, SerialError> {
        let mut magnitude = [0; 24];
        magnitude[..16].copy_from_slice(&counter.to_be_bytes());
        magnitude[16..].copy_from_slice(&random.to_be_bytes());
        if counter == 0 {
            return Err(SerialError::Zero);
        }
        Self::from_magnitude(&magnitude)
    }

    /// The counter in a serial that [`Serial::from_counter`] made.
    pub(crate) fn counter(&self) -> u128 {
        let magnitude = self.magnitude();
        let above = &magnitude[..magnitude.len().saturating_sub(8)];
        above
            .iter()
            .fold(0, |counter, byte| counter << 8 | u128::from(*byte))
    }

    /// The big-endian magnitude, without leading zeros.
    pub(crate) fn magnitude(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Returns whether these are the contents of the number as a DER INTEGER.
    pub(crate) fn is_integer(&self, contents: &[u8]) -> bool {
        let padding = usize::from(self.bytes[0] >> 7);
        let (zeros, magnitude) = contents.split_at_checked(padding).unwrap_or_default();
        zeros.iter().all(|byte| *byte == 0) && magnitude == self.magnitude()
    }

    pub(crate) fn encode(&self, encoder: &mut Encoder) {
        encoder.integer_like(tag::INTEGER, self.magnitude());
    }

    /// Returns the numbers that a user's text can mean; a bare number of decimal digits is read as hex, and as decimal
    /// only if the caller finds no certificate under the first reading.
    pub(crate) fn readings(text: &str) -> Result<SerialReadings, SerialError> {
        let bad = || SerialError::Text {
            text: text.to_owned(),
        };
        let trimmed = text.trim();
        if let Some(decimal) = trimmed.strip_prefix("dec:") {
            return Ok(SerialReadings {
                first: from_decimal(decimal).ok_or_else(bad)??,
                other: None,
            });
        }
        let digits: String = trimmed
            .chars()
            .filter(|character| *character != ':')
            .collect();
        let prefixed = digits
            .strip_prefix("0x")
            .or_else(|| digits.strip_prefix("0X"));
        let first = from_hex(prefixed.unwrap_or(&digits)).ok_or_else(bad)?;
        let bare = prefixed.is_none() && !trimmed.contains(':') && !trimmed.starts_with('0');
        let other = if bare {
            from_decimal(trimmed).and_then(Result::ok)
        } else {
            None
        };
        match (first, other) {
            (Ok(first), other) => Ok(SerialReadings {
                other: other.filter(|o| *o != first),
                first,
            }),
            (Err(error), None) => Err(error),
            (Err(_), Some(decimal)) => Ok(SerialReadings {
                first: decimal,
                other: None,
            }),
        }
    }
}

/// The one or two numbers that a serial's text can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SerialReadings {
    /// The reading as hex, or the only one.
    pub(crate) first: Serial,
    /// The reading as decimal, if the text allows it and it is another number.
    pub(crate) other: Option<Serial>,
}

/// Values of hex digits by their bytes; of other bytes more than 15.
const HEX_VALUES: [u8; 256] = {
    let mut values = [0x80; 256];
    let mut value: u8 = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

fn from_hex(digits: &str) -> Option<Result<Serial, SerialError>> {
    let digits = Some(digits.as_bytes()).filter(|digits| !digits.is_empty())?;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = &digits[zeros..];
    if digits.len() > 2 * MOST_BYTES {
        let are_digits = digits.iter().all(u8::is_ascii_hexdigit);
        return are_digits.then_some(Err(SerialError::TooLong));
    }
    let mut all = 0;
    let mut value = |digit: u8| {
        let value = HEX_VALUES[usize::from(digit)];
        all |= value;
        value
    };
    let mut magnitude = [0u8; MOST_BYTES];
    let (first, pairs) = digits.as_rchunks::<2>();
    let start = MOST_BYTES - pairs.len();
    for (byte, [high, low]) in magnitude[start..].iter_mut().zip(pairs) {
        *byte = value(*high) << 4 | value(*low);
    }
    if let [digit] = first {
        magnitude[start - 1] = value(*digit);
    }
    (all < 16).then(|| Serial::from_magnitude(&magnitude))
}

fn from_decimal(digits: &str) -> Option<Result<Serial, SerialError>> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut magnitude = [0u8; MOST_BYTES];
    for digit in digits.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in magnitude.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            *byte = u8::try_from(carry & 0xff).expect("masked to a byte");
            carry >>= 8;
        }
        if carry != 0 {
            return Some(Err(SerialError::TooLong));
        }
    }
    Some(Serial::from_magnitude(&magnitude))
}

impl fmt::Display for Serial {
    /// Uppercase hex, two digits a byte, without separators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::UpperHex::fmt(&Hex(self.magnitude()), f)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    /// Reads hex as [`Display`](fmt::Display) writes it.
    fn from_str(text: &str) -> Result<Self, SerialError> {
        from_hex(text).unwrap_or_else(|| {
            Err(SerialError::Text {
                text: text.to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(hex: &str) -> Serial {
        hex.parse().unwrap()
    }

    #[test]
    fn twenty_bytes_fit_and_twenty_one_do_not() {
        assert!(Serial::from_magnitude(&[0x7f; 20]).is_ok());
        assert_eq!(
            Serial::from_magnitude(&[0x80; 20]),
            Err(SerialError::TooLong)
        );
        assert_eq!(Serial::from_magnitude(&[1; 21]), Err(SerialError::TooLong));
        assert_eq!(Serial::from_magnitude(&[0, 0]), Err(SerialError::Zero));
        assert!(Serial::from_counter((1 << 95) - 1, u64::MAX).is_ok());
        assert_eq!(Serial::from_counter(1 << 95, 0), Err(SerialError::TooLong));
    }

    #[test]
    fn the_contents_of_its_integer_are_those_that_are_written() {
        for text in ["01", "7F", "80", "0100", "FF00", "8000000000000001"] {
            let der = crate::asn1::encode(|encoder| serial(text).encode(encoder));
            assert!(serial(text).is_integer(&der[2..]), "{text}");
            for other in [&[0, 1][..], &[0x80], &[0xff, 0], &[0, 0x7f], &[0], &[]] {
                assert_eq!(serial(text).is_integer(other), der[2..] == *other, "{text}");
            }
        }
    }

    #[test]
    fn the_counter_comes_first_and_reads_back() {
        let made = Serial::from_counter(0x0102, 0x00ff).unwrap();
        assert_eq!(made.to_string(), "010200000000000000FF");
        assert_eq!(made.counter(), 0x0102);
        assert_eq!(serial("FF").counter(), 0);
    }

    #[test]
    fn every_notation_means_the_same_number() {
        for text in [
            "03A5B1",
            "3a5b1",
            "0x03a5b1",
            "03:A5:B1",
            "0003A5B1",
            "dec:239025",
        ] {
            assert_eq!(
                Serial::readings(text).unwrap().first,
                serial("03A5B1"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_too_long_in_every_notation() {
        // 2^159 - 1 is the greatest serial; 2^159, and from 2^160 on what would wrap round.
        let greatest = "730750818665451459101842416358141509827966271487";
        let read = Serial::readings(&format!("dec:{greatest}")).unwrap();
        assert_eq!(read.first, serial(&format!("7F{}", "FF".repeat(19))));
        for text in [
            "dec:730750818665451459101842416358141509827966271488",
            "dec:1461501637330902918203684832716283019655932542975",
            "dec:1461501637330902918203684832716283019655932542976",
            "dec:1461501637330902918203684832716283019655932542981",
            "dec:14615016373309029182036848327162830196559325429760",
            "dec:99999999999999999999999999999999999999999999999999999999999999999999",
            "0x8000000000000000000000000000000000000000",
            "0x10000000000000000000000000000000000000001",
        ] {
            assert_eq!(Serial::readings(text), Err(SerialError::TooLong), "{text}");
        }
        // As hex it does not fit, as decimal it does.
        let readings = Serial::readings(greatest).unwrap();
        assert_eq!((readings.first, readings.other), (read.first, None));
    }

    #[test]
    fn leading_zeros_do_not_count() {
        for text in [
            format!("0x{}1A", "0".repeat(60)),
            format!("dec:{}26", "0".repeat(60)),
        ] {
            assert_eq!(
                Serial::readings(&text).unwrap().first,
                serial("1A"),
                "{text}"
            );
        }
    }

    #[test]
    fn serials_are_ordered_as_numbers() {
        let ordered = ["01", "7F", "80", "FF", "0100", "FFFF", "010000"].map(serial);
        assert!(ordered.is_sorted());
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn only_a_bare_number_has_two_readings() {
        let readings = Serial::readings("1000").unwrap();
        assert_eq!(readings.first, serial("1000"));
        assert_eq!(readings.other, Some(serial("03E8")));
        for text in ["0x1000", "10:00", "01000", "dec:1000", "10A0", "7"] {
            assert_eq!(Serial::readings(text).unwrap().other, None, "{text}");
        }
        for text in ["", "xyz", "dec:1f", "0", "-1", "dec:"] {
            assert!(Serial::readings(text).is_err(), "{text}");
        }
    }
}
