//! Looking for many serial numbers in a journal: almost every line is about none of them.

use super::record::AGAIN;
use crate::x509::Serial;
use memchr::memchr;
use serde::Deserialize;
use std::collections::HashSet;
use xxhash_rust::xxh3::xxh3_64;

/// Bits for each serial number: of two hundred lines about others one is read in vain.
const BITS_EACH: usize = 16;
const FEWEST_BITS: usize = 1 << 12;

/// Serial numbers that are looked for.
pub(super) struct SerialFilter<'a> {
    serials: &'a HashSet<Serial>,
    /// Two bits of these are set for the text of each; they are few enough to stay at hand.
    bits: Vec<u64>,
}

impl<'a> SerialFilter<'a> {
    pub(super) fn new(serials: &'a HashSet<Serial>) -> Self {
        let count = (serials.len() * BITS_EACH).max(FEWEST_BITS);
        let mut serial_filter = Self {
            serials,
            bits: vec![0; count.next_power_of_two() / 64],
        };
        for serial in serials {
            for (word, bit) in serial_filter.places(serial.to_string().as_bytes()) {
                serial_filter.bits[word] |= bit;
            }
        }
        serial_filter
    }

    /// Reads a line of `issued.jsonl` or `revoked.jsonl`, if it is about one of them.
    pub(super) fn read<'l, T: Deserialize<'l>>(
        &self,
        line: &'l [u8],
        serial: impl Fn(&T) -> &Serial,
    ) -> serde_json::Result<Option<T>> {
        if !self.may_be_in(line) {
            return Ok(None);
        }
        let record = serde_json::from_slice(line)?;
        Ok(Some(record).filter(|record| self.serials.contains(serial(record))))
    }

    /// The serial number is the first field, or the one behind `again`. A line that begins otherwise has to
    /// be read, to be judged.
    fn may_be_in(&self, line: &[u8]) -> bool {
        let fields = line.strip_prefix(AGAIN).or(line.strip_prefix(b"{"));
        let rest = fields.and_then(|fields| fields.strip_prefix(b"\"serial\":\""));
        let text = rest.and_then(|rest| Some(&rest[..memchr(b'"', rest)?]));
        text.is_none_or(|text| {
            let places = self.places(text);
            places.iter().all(|(word, bit)| self.bits[*word] & bit != 0)
        })
    }

    /// Where the bits of a text are.
    fn places(&self, text: &[u8]) -> [(usize, u64); 2] {
        let hash = xxh3_64(text);
        [hash, hash >> 32].map(|hash| {
            let word = usize::try_from((hash & u64::from(u32::MAX)) / 64).unwrap_or(0);
            (word & (self.bits.len() - 1), 1 << (hash % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::RevocationLine;

    fn serial(number: u64) -> Serial {
        Serial::from_counter(1, number).unwrap()
    }

    #[test]
    fn lines_about_them_are_read_and_hardly_any_others() {
        let serials = (0..20_000).step_by(2).map(serial).collect();
        let serial_filter = SerialFilter::new(&serials);
        let mut in_vain = 0;
        for number in 0..20_000 {
            let serial = serial(number);
            let fields =
                format!("\"serial\":\"{serial}\",\"released_at\":\"2026-01-01T00:00:00Z\"}}");
            for begin in ["{", "{\"again\":true,"] {
                let line = format!("{begin}{fields}");
                let read =
                    serial_filter.read(line.as_bytes(), |line: &RevocationLine| &line.serial);
                let is_one = serials.contains(&serial);
                assert_eq!(read.unwrap().is_some(), is_one, "{line}");
                in_vain += usize::from(!is_one && serial_filter.may_be_in(line.as_bytes()));
            }
        }
        assert!(in_vain < 20_000 / 10, "{in_vain}");
    }

    #[test]
    fn a_line_that_begins_otherwise_is_read() {
        let serials = HashSet::from([serial(7)]);
        let serial_filter = SerialFilter::new(&serials);
        let read = |line: &str| {
            let read = serial_filter.read(line.as_bytes(), |line: &RevocationLine| &line.serial);
            read.map(|line| line.map(|line| line.serial))
        };
        let seven = serial(7);
        let line =
            format!("{{ \"released_at\":\"2026-01-01T00:00:00Z\", \"serial\": \"{seven}\" }}");
        assert_eq!(read(&line).unwrap(), Some(seven));
        assert!(read("{\"serial\":7}").is_err());
        assert!(read("").is_err());
    }
}
