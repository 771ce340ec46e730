//! Quick reading of `revoked.jsonl`: a CRL may be made of millions of its lines.

use super::{RevocationLine, Revoked};
use crate::x509::Fingerprint;
use crate::x509::validity::parse_rfc3339;
use memchr::memchr;

impl RevocationLine {
    /// Reads a line, as serde does.
    pub(in crate::store) fn read(line: &[u8]) -> serde_json::Result<Self> {
        read_usual(line).map_or_else(|| serde_json::from_slice(line), Ok)
    }
}

/// Reads a line about a first revocation in the form in which it is written; `None` for any other.
fn read_usual(line: &[u8]) -> Option<RevocationLine> {
    let mut rest = Rest(std::str::from_utf8(line).ok()?);
    rest.pass("{\"serial\":\"")?;
    let serial = rest.string()?.parse().ok()?;
    rest.pass(",\"revoked\":{\"reason\":\"")?;
    let reason = rest.string()?.parse().ok()?;
    rest.pass(",\"at\":\"")?;
    let revoked_at = parse_rfc3339(rest.string()?)?;
    let invalidity_date = match rest.pass(",\"invalidity_date\":\"") {
        Some(()) => Some(parse_rfc3339(rest.string()?)?),
        None => None,
    };
    rest.pass(",\"not_after\":\"")?;
    let not_after = parse_rfc3339(rest.string()?)?;
    let key = match rest.pass(",\"key\":\"") {
        Some(()) => Some(Fingerprint::parse(rest.string()?)?),
        None => None,
    };
    rest.pass("}")?;
    rest.pass_journal_fields()?;
    Some(RevocationLine {
        again: false,
        serial,
        revoked: Some(Revoked {
            reason,
            revoked_at,
            invalidity_date,
            not_after,
            key,
        }),
        released_at: None,
    })
}

/// Part of a line that was not read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn pass(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Returns the string that began here, which is ASCII without escapes.
    fn string(&mut self) -> Option<&'a str> {
        let (text, rest) = self.0.split_at(memchr(b'"', self.0.as_bytes())?);
        let is_plain = |byte: u8| matches!(byte, b' '..=b'[' | b']'..=b'~');
        self.0 = &rest[1..];
        // Without a way out, so that many bytes are looked at together.
        let are_plain = text.bytes().fold(true, |all, byte| all & is_plain(byte));
        are_plain.then_some(text)
    }

    /// Passes the fields that the journal adds to a record, up to the end.
    fn pass_journal_fields(&mut self) -> Option<()> {
        if self.pass(",\"at\":\"").is_some() {
            self.string()?;
            self.pass(",\"by\":\"")?;
            self.string()?;
        }
        if self.pass(",\"append_start\":").is_some() {
            let digits = self.0.bytes().take_while(u8::is_ascii_digit);
            let (number, rest) = self.0.split_at(digits.count());
            self.0 = rest;
            // JSON has no other number that begins with zero, and serde none that is larger than any.
            (number.len() < 20 && number.starts_with(|first| matches!(first, '1'..='9')))
                .then_some(())?;
        }
        self.pass(",\"check\":\"")?;
        self.string()?;
        (self.0 == "}").then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"serial":"0A1B","revoked":{"reason":"keyCompromise","at":"2026-01-01T00:00:00Z","invalidity_date":"2025-01-01T00:00:00Z","not_after":"2035-01-01T00:00:00Z","key":"KEY"},"at":"2026-01-01T00:00:00.5Z","by":"me@here","append_start":117,"check":"0123"}"#;

    fn line() -> String {
        LINE.replace("KEY", &"5a".repeat(32))
    }

    #[test]
    fn the_usual_form_is_read_quickly_and_as_serde_does() {
        let whole = line();
        let parts = [
            ",\"invalidity_date\":\"2025-01-01T00:00:00Z\"",
            &whole[whole.find(",\"key\"").unwrap()..whole.find("},\"at\"").unwrap()],
            ",\"at\":\"2026-01-01T00:00:00.5Z\",\"by\":\"me@here\"",
            ",\"append_start\":117",
        ];
        for left_out in 0..16 {
            let mut line = whole.clone();
            for (bit, part) in parts.iter().enumerate() {
                if left_out >> bit & 1 == 1 {
                    line = line.replace(part, "");
                }
            }
            let slowly: RevocationLine = serde_json::from_slice(line.as_bytes()).unwrap();
            assert_eq!(read_usual(line.as_bytes()), Some(slowly), "{line}");
        }
    }

    #[test]
    fn any_byte_that_is_missing_or_another_is_judged_as_serde_does() {
        let line = line().into_bytes();
        for at in 0..line.len() {
            let mut changed = vec![[&line[..at], &line[at + 1..]].concat(), line[..at].to_vec()];
            for byte in *b"\"\\,:{}0a \0\x1f\x7f\xff" {
                let mut other = line.clone();
                other[at] = byte;
                changed.push(other);
                changed.push([&line[..at], &[byte], &line[at..]].concat());
            }
            for line in changed {
                let slowly = serde_json::from_slice::<RevocationLine>(&line);
                if let Some(quickly) = read_usual(&line) {
                    assert_eq!(quickly, slowly.unwrap(), "{}", line.escape_ascii());
                }
            }
        }
    }
}
