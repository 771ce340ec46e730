//! Certificates that a CA issued.

use super::ca::Ca;
use super::database::Pages;
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
        match self.rows() {
            Some(rows) => Ok(Issuances::of(rows.issuances())),
            None => self.issuances_with(b""),
        }
    }

    pub(crate) fn issuance(&self, serial: &Serial) -> Result<Option<Issuance>, StoreError> {
        if let Some(rows) = self.rows() {
            return rows.issuance(serial);
        }
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
        mut each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            let found = rows.issuances_of(serials)?;
            found.iter().for_each(|issuance| {
                let is_whole = whole.contains(&issuance.serial);
                each(make(&issuance.brief(), is_whole.then(|| issuance.clone())));
            });
            return Ok(());
        }
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
        journal::scan_lines(&self.layout()?.issued(), read, each)
    }

    /// Calls `each` for what `make` makes, on any core, of every certificate, in the order of issuing, after
    /// proof of all of the journal; `None` is left out.
    pub(crate) fn each_of_all<R: Send>(
        &self,
        make: impl Fn(&Issuance) -> Option<R> + Sync,
        mut each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            for issuance in rows.issuances() {
                make(&issuance?).into_iter().for_each(&mut each);
            }
            return Ok(());
        }
        let read = |line: &[u8]| Ok(make(&serde_json::from_slice(line)?));
        journal::scan_lines(&self.layout()?.issued(), read, each)
    }

    /// Finds every certificate with a common name, and perhaps others, in the order of issuing.
    pub(crate) fn issuances_perhaps_named(&self, name: &str) -> Result<Issuances, StoreError> {
        match self.rows() {
            Some(rows) => Ok(Issuances::of(rows.issuances_named(name))),
            None => self.issuances_mentioning(name),
        }
    }

    /// Returns every certificate with this common name, in the order of issuing.
    pub(crate) fn issuances_named(&self, common_name: &str) -> Result<Vec<Issuance>, StoreError> {
        self.issuances_perhaps_named(common_name)?
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
        if let Some(rows) = self.rows() {
            return Ok(Issuances::of(rows.issuances_mentioning(text)));
        }
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
        let found = match self.rows() {
            Some(rows) => Issuances::of(rows.issuances_of_table(table)),
            None => self.issuances_with(needle.as_bytes())?,
        };
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_table)))
    }

    /// Finds the certificates that were issued for entries of declarations, in the order of issuing.
    pub(crate) fn issuances_of_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
        let found = match self.rows() {
            Some(rows) => Issuances::of(rows.issuances_of_entries()),
            None => self.issuances_with(b"\"entry\":\"")?,
        };
        let is_of_entry = |issuance: &Issuance| issuance.entry.is_some();
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_entry)))
    }

    pub(crate) fn last_issuance(&self) -> Result<Option<Issuance>, StoreError> {
        match self.rows() {
            Some(rows) => rows.last_issuance(),
            None => Ok(journal::backwards(&self.layout()?.issued(), |_| false)?.pop()),
        }
    }

    /// Returns the moment from which [`Ca::renewals_since`] finds certificates.
    pub(crate) fn renewals_from_now_on(&self) -> Result<RenewalMark, StoreError> {
        Ok(RenewalMark(match self.rows() {
            Some(rows) => u128::from(rows.session.look()?.revision.unsigned_abs()),
            None => self.last_issuance()?.map_or(0, |last| last.counter),
        }))
    }

    /// Returns the certificates that took the place of others since a moment, and perhaps others; moves the moment.
    pub(crate) fn renewals_since(
        &self,
        mark: &mut RenewalMark,
    ) -> Result<Vec<Issuance>, StoreError> {
        if let Some(rows) = self.rows() {
            let (before, now) = (mark.0, rows.session.facts()?.revision);
            mark.0 = u128::from(now.unsigned_abs());
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            return rows.renewals_since(before).collect();
        }
        let counter = mark.0;
        let is_new = |issuance: &Issuance| issuance.counter > counter;
        let mut issuances = journal::backwards(&self.layout()?.issued(), is_new)?;
        issuances.retain(is_new);
        issuances.reverse();
        if let Some(last) = issuances.last() {
            mark.0 = last.counter;
        }
        Ok(issuances)
    }

    /// Returns every certificate that may be about a public key, in the order of issuing: those whose
    /// bytes have the last ones of the key's [`secret_part`](crate::key::PublicKey::secret_part) in them.
    pub(crate) fn issuances_about(&self, secret_part: &[u8]) -> Result<Vec<Issuance>, StoreError> {
        if let Some(rows) = self.rows() {
            return rows.issuances_about(secret_part).collect();
        }
        let tail = &secret_part[secret_part.len().saturating_sub(KEY_TAIL)..];
        self.issuances_holding(tail)?.collect()
    }

    /// Finds every certificate whose bytes have these in them, and perhaps others, in the order of
    /// issuing.
    pub(crate) fn issuances_holding(&self, bytes: &[u8]) -> Result<Issuances, StoreError> {
        if let Some(rows) = self.rows() {
            return Ok(Issuances::of(rows.issuances_holding(bytes)));
        }
        let texts = record::base64_of_bytes_inside(bytes);
        let wanted = texts.each_ref().map(std::string::String::as_bytes);
        Ok(Issuances(Source::Journal(journal::search(
            &self.layout()?.issued(),
            &wanted,
        )?)))
    }

    fn issuances_with(&self, text: &[u8]) -> Result<Issuances, StoreError> {
        Ok(Issuances(Source::Journal(journal::search(
            &self.layout()?.issued(),
            &[text],
        )?)))
    }
}

/// Records of certificates, read one by one.
pub(crate) struct Issuances(Source);

enum Source {
    Journal(journal::Search<Issuance>),
    Rows(Pages),
}

impl Issuances {
    fn of(pages: Pages) -> Self {
        Self(Source::Rows(pages))
    }
}

impl Iterator for Issuances {
    type Item = Result<Issuance, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Journal(search) => search.next(),
            Source::Rows(pages) => pages.next(),
        }
    }
}

/// Moment in the records of a CA: a counter, or in a database a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RenewalMark(u128);
