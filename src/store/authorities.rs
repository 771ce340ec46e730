//! CA certificates that a CA issued, found without reading all that it issued.

use super::ca::Ca;
use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::journal::{self, search, search_behind};
use super::record::{Coverage, Issuance};
use crate::x509::Certificate;
use serde::{Deserialize, Serialize};

/// Bytes that stand in the records of CA certificates, and of leaves only if they were imported.
const MARKS: [&[u8]; 2] = [b"\"profile\":\"subordinate\"", b"\"profile\":\"imported\""];

/// Bytes of the journal that are searched anew each time before the cache is written.
const MOST_SEARCHED: u64 = 64 * 1024;

/// `authorities.json`: derived from `issued.jsonl`, and written anew if it is not there.
#[derive(Serialize, Deserialize)]
struct Cache {
    covers: Coverage,
    records: Vec<Issuance>,
}

impl Ca {
    /// Returns how far the journal of certificates goes: as long as it is the same, nothing was issued. In a database
    /// it is the same as long as only leaves are issued.
    pub(crate) fn issuances_end(&self) -> Result<Coverage, StoreError> {
        match self.rows() {
            Some(rows) => Ok(rows.session.facts()?.place()),
            None => journal::end(&self.layout()?.issued()),
        }
    }

    /// Returns the records of CA certificates that the CA issued to others before an end of the journal, in the order
    /// of issuing; perhaps also later ones. Reads what was issued since the cache was written.
    pub(crate) fn issued_authorities(&self, end: &Coverage) -> Result<Vec<Issuance>, StoreError> {
        if let Some(rows) = self.rows() {
            return rows.issued_authorities();
        }
        let path = self.layout()?.issued();
        let cached = self.cached_authorities();
        let searched = cached.as_ref().map_or(0, |cache| cache.covers.length);
        let found = match &cached {
            Some(cache) if cache.covers == *end => return Ok(cached.expect("it is there").records),
            Some(cache) => search_behind(&path, &cache.covers, &MARKS)?,
            None => search(&path, &MARKS)?,
        };
        let mut records = cached.map(|cache| cache.records).unwrap_or_default();
        for issuance in found {
            let issuance: Issuance = issuance?;
            let certificate = issuance.der.as_deref().map(Certificate::from_der);
            if certificate.is_some_and(|read| read.is_ok_and(|certificate| certificate.is_ca()))
                && !records.iter().any(|known| known.serial == issuance.serial)
            {
                records.push(issuance);
            }
        }
        if end.length.saturating_sub(searched) > MOST_SEARCHED {
            let cache = Cache {
                covers: end.clone(),
                records,
            };
            let content = serde_json::to_vec(&cache).expect("records are plain data");
            let path = self.layout()?.authorities();
            // Without it the same is found, only later.
            let _ = file::write(&path, Access::Store, Existing::Replace, &content);
            return Ok(cache.records);
        }
        Ok(records)
    }

    /// Returns the cache, unless it can't be read or is about another journal, as after a restore.
    fn cached_authorities(&self) -> Option<Cache> {
        let layout = self.layout().ok()?;
        let content = file::read_if_there(&layout.authorities()).ok()??;
        let cache: Cache = serde_json::from_slice(&content).ok()?;
        let is_current = journal::still_covers(&layout.issued(), &cache.covers);
        is_current
            .is_ok_and(|is_current| is_current)
            .then_some(cache)
    }
}
