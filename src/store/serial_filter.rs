//! Filter of journal lines by serial number: almost every line is about another one.

use super::record::AGAIN;
use crate::x509::Serial;
use memchr::memchr;
use serde::Deserialize;
use std::collections::HashSet;

/// Serial numbers that are looked for.
pub(super) struct SerialFilter<'a> {
    serials: &'a HashSet<Serial>,
    /// The same as text: most lines are not parsed.
    texts: HashSet<Vec<u8>>,
}

impl<'a> SerialFilter<'a> {
    pub(super) fn new(serials: &'a HashSet<Serial>) -> Self {
        let text = |serial: &Serial| serial.to_string().into_bytes();
        Self {
            serials,
            texts: serials.iter().map(text).collect(),
        }
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

    /// Looks at the serial number, which is the first field, or the one behind `again`. A line that begins
    /// otherwise has to be read, to be judged.
    fn may_be_in(&self, line: &[u8]) -> bool {
        let fields = line.strip_prefix(AGAIN).or(line.strip_prefix(b"{"));
        let rest = fields.and_then(|fields| fields.strip_prefix(b"\"serial\":\""));
        let text = rest.and_then(|rest| Some(&rest[..memchr(b'"', rest)?]));
        text.is_none_or(|text| self.texts.contains(text))
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
    fn lines_about_them_are_read_and_no_others() {
        let serials = (0..20_000).step_by(2).map(serial).collect();
        let filter = SerialFilter::new(&serials);
        for number in 0..20_000 {
            let serial = serial(number);
            let fields =
                format!("\"serial\":\"{serial}\",\"released_at\":\"2026-01-01T00:00:00Z\"}}");
            for begin in ["{", "{\"again\":true,"] {
                let line = format!("{begin}{fields}");
                let read = filter.read(line.as_bytes(), |line: &RevocationLine| &line.serial);
                let is_one = serials.contains(&serial);
                assert_eq!(read.unwrap().is_some(), is_one, "{line}");
                assert_eq!(filter.may_be_in(line.as_bytes()), is_one, "{line}");
            }
        }
    }

    #[test]
    fn a_line_that_begins_otherwise_is_read() {
        let serials = HashSet::from([serial(7)]);
        let filter = SerialFilter::new(&serials);
        let read = |line: &str| {
            let read = filter.read(line.as_bytes(), |line: &RevocationLine| &line.serial);
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
