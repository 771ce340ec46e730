//! Certificates that a CA issued.

use super::ca::Ca;
use super::error::StoreError;
use super::journal;
use super::record::{self, BriefIssuance, Issuance, TableId};
use super::serial_filter::SerialFilter;
use crate::x509::Serial;
use std::collections::HashSet;

/// Number of bytes of a key that tell it from others.
const KEY_TAIL: usize = 48;

impl Ca {
    /// Reads every certificate that the CA issued, in the order of issuing.
    pub(crate) fn issuances(&self) -> Result<Issuances, StoreError> {
        self.issuances_with(b"")
    }

    pub(crate) fn issuance(&self, serial: &Serial) -> Result<Option<Issuance>, StoreError> {
        let needle = format!("\"serial\":\"{serial}\"");
        self.issuances_with(needle.as_bytes())?
            .find(|issuance| {
                issuance
                    .as_ref()
                    .map_or(true, |issuance| issuance.serial == *serial)
            })
            .transpose()
    }

    /// Calls `each` for what `make` makes, on any core, of every certificate with one of these serial
    /// numbers, in the order of issuing, after one look through the journal, all of which is proved. The
    /// whole record is read of those in `whole`.
    pub(crate) fn each_issuance<R: Send>(
        &self,
        serials: &HashSet<Serial>,
        whole: &HashSet<Serial>,
        make: impl Fn(&BriefIssuance<'_>, Option<Issuance>) -> R + Sync,
        each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        let filter = SerialFilter::new(serials);
        let read = |line: &[u8]| {
            let Some(brief) = filter.read(line, |brief: &BriefIssuance<'_>| &brief.serial)? else {
                return Ok(None);
            };
            let issuance = whole
                .contains(&brief.serial)
                .then(|| serde_json::from_slice(line));
            Ok(Some(make(&brief, issuance.transpose()?)))
        };
        journal::scan_lines(&self.layout.issued(), read, each)
    }

    /// Calls `each` for what `make` makes, on any core, of every certificate, in the order of issuing, after
    /// proof of all of the journal; `None` is left out.
    pub(crate) fn each_of_all<R: Send>(
        &self,
        make: impl Fn(&Issuance) -> Option<R> + Sync,
        each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        let read = |line: &[u8]| Ok(make(&serde_json::from_slice(line)?));
        journal::scan_lines(&self.layout.issued(), read, each)
    }

    /// Returns every certificate with this common name, in the order of issuing.
    pub(crate) fn issuances_named(&self, common_name: &str) -> Result<Vec<Issuance>, StoreError> {
        self.issuances_mentioning(common_name)?
            .filter(|issuance| {
                issuance
                    .as_ref()
                    .map_or(true, |issuance| issuance.cn == common_name)
            })
            .collect()
    }

    /// Finds every certificate whose record has a text as one of its values, and perhaps others, in the
    /// order of issuing; only their records are read.
    pub(crate) fn issuances_mentioning(&self, text: &str) -> Result<Issuances, StoreError> {
        let needle = serde_json::to_vec(text).expect("a string is plain data");
        self.issuances_with(&needle)
    }

    /// Finds the certificates that were issued from rows of a table, in the order of issuing.
    pub(crate) fn issuances_of_table(
        &self,
        table: TableId,
    ) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
        let needle = format!("\"row\":\"{table}-");
        let is_of_table =
            move |issuance: &Issuance| issuance.row.is_some_and(|row| row.batch.table == table);
        let found = self.issuances_with(needle.as_bytes())?;
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_table)))
    }

    /// Finds the certificates that were issued for entries of declarations, in the order of issuing.
    pub(crate) fn issuances_of_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
        let found = self.issuances_with(b"\"entry\":\"")?;
        let is_of_entry = |issuance: &Issuance| issuance.entry.is_some();
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_entry)))
    }

    pub(crate) fn last_issuance(&self) -> Result<Option<Issuance>, StoreError> {
        Ok(journal::backwards(&self.layout.issued(), |_| false)?.pop())
    }

    /// Returns the certificates that were issued since the serial counter was this, in the order of
    /// issuing.
    pub(crate) fn issuances_since(&self, counter: u128) -> Result<Vec<Issuance>, StoreError> {
        let is_new = |issuance: &Issuance| issuance.counter > counter;
        let mut issuances = journal::backwards(&self.layout.issued(), is_new)?;
        issuances.retain(is_new);
        issuances.reverse();
        Ok(issuances)
    }

    /// Returns every certificate that may be about a public key, in the order of issuing: those whose
    /// bytes have the last ones of the key's [`secret_part`](crate::key::PublicKey::secret_part) in them.
    pub(crate) fn issuances_about(&self, secret_part: &[u8]) -> Result<Vec<Issuance>, StoreError> {
        let tail = &secret_part[secret_part.len().saturating_sub(KEY_TAIL)..];
        self.issuances_holding(tail)?.collect()
    }

    /// Finds every certificate whose bytes have these in them, and perhaps others, in the order of
    /// issuing.
    pub(crate) fn issuances_holding(&self, bytes: &[u8]) -> Result<Issuances, StoreError> {
        let texts = record::base64_of_bytes_inside(bytes);
        let wanted = texts.each_ref().map(std::string::String::as_bytes);
        Ok(Issuances(journal::search(&self.layout.issued(), &wanted)?))
    }

    fn issuances_with(&self, text: &[u8]) -> Result<Issuances, StoreError> {
        Ok(Issuances(journal::search(&self.layout.issued(), &[text])?))
    }
}

/// Records of `issued.jsonl`, read one by one.
pub(crate) struct Issuances(journal::Search<Issuance>);

impl Iterator for Issuances {
    type Item = Result<Issuance, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
