//! Revocations for compromised keys.

use super::ca::Ca;
use super::error::StoreError;
use super::journal::search_lines;
use super::place::CaPlace;
use super::record::RevocationLine;
use crate::x509::{Fingerprint, Serial};
use memchr::memmem;
use std::collections::HashMap;

/// Bytes of lines about compromised keys, and of no others.
const COMPROMISE: &[u8] = b"Compromise\"";

/// Digits of the hash of a key.
const HASH_DIGITS: usize = 64;

impl Ca {
    /// Returns every certificate that was revoked for a compromised key, which is for good, with the
    /// key's hash: see [`Revoked::key`]. With `keys` it leaves out those about other keys.
    pub(crate) fn compromised(
        &self,
        keys: Option<&[Fingerprint]>,
    ) -> Result<HashMap<Serial, Option<Fingerprint>>, StoreError> {
        let filter = keys.map(KeyFilter::new);
        let read = move |line: &[u8]| match &filter {
            Some(filter) if filter.is_about_other(line) => Ok(None),
            _ => RevocationLine::read(line).map(Some),
        };
        let mut compromised = HashMap::new();
        let mut take = |line: RevocationLine| {
            if let Some(revoked) = line.revoked
                && revoked.reason.is_compromise()
            {
                compromised.insert(line.serial, revoked.key);
            }
        };
        match &self.place {
            CaPlace::Directory(layout) => {
                for line in search_lines(&layout.revoked(), &[COMPROMISE], read)? {
                    take(line?);
                }
            }
            CaPlace::Database(rows) => rows.compromises(take)?,
        }
        Ok(compromised)
    }
}

/// Filter of lines of `revoked.jsonl` by key: thousands of them are not parsed.
struct KeyFilter {
    field: memmem::Finder<'static>,
    keys: Vec<String>,
}

impl KeyFilter {
    fn new(keys: &[Fingerprint]) -> Self {
        Self {
            field: memmem::Finder::new("\"key\":\""),
            keys: keys.iter().map(Fingerprint::to_string).collect(),
        }
    }

    /// Returns whether a line has the hash of a key, in the form in which it is written, and of none of these.
    fn is_about_other(&self, line: &[u8]) -> bool {
        let begin = self
            .field
            .find(line)
            .map(|at| at + self.field.needle().len());
        let rest = begin.map(|begin| &line[begin..]);
        let Some((hash, [b'"', ..])) = rest.and_then(|rest| rest.split_at_checked(HASH_DIGITS))
        else {
            return false;
        };
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        // Without an early end it takes a tenth of the time.
        let are_digits = hash.iter().fold(true, |all, byte| all & is_digit(byte));
        are_digits && !self.keys.iter().any(|key| key.as_bytes() == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_the_whole_hash_of_another_key_are_left_out() {
        let (wanted, also, other) = ([0x0a; 32], [0xff; 32], "0b".repeat(32));
        let filter = KeyFilter::new(&[wanted, also].map(Fingerprint));
        let wanted = "0a".repeat(32);
        let names_other = |fields: &str| {
            let line = format!("{{\"serial\":\"01\",\"revoked\":{{{fields}}},\"by\":\"a\"}}");
            filter.is_about_other(line.as_bytes())
        };
        assert!(names_other(&format!("\"key\":\"{other}\"")));
        for read in [
            format!("\"key\":\"{wanted}\""),
            format!("\"key\":\"{}\"", wanted.to_uppercase()),
            format!("\"key\":\"{}\"", other.to_uppercase()),
            format!("\"key\":\"{other}0b\""),
            format!("\"key\": \"{other}\""),
            format!("\"key\":\"{}\"", &other[1..]),
            format!("\"key\":\"x{}\"", &other[1..]),
            format!("\"at\":\"\\\"key\\\":\\\"{other}\""),
            "\"reason\":\"keyCompromise\"".to_owned(),
        ] {
            assert!(!names_other(&read), "{read}");
        }
    }
}
