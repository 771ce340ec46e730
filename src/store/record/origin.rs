//! Rows of tables and entries of declarations that certificates were issued for.

use super::encoding::parsed;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io::{self, Read};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// Row of a table of certificates. Stored as `TABLE-RUN:NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BatchRow {
    pub(crate) batch: BatchId,
    pub(crate) number: u64,
}

/// Run of issuing from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BatchId {
    pub(crate) table: TableId,
    /// Random number of the run.
    pub(crate) run: u64,
}

/// 128-bit XXH3 hash of a table's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TableId(u128);

impl TableId {
    pub(crate) fn of(mut from: impl Read) -> io::Result<Self> {
        let mut hash = Xxh3Default::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(Self(hash.digest128())),
                Ok(length) => hash.update(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for BatchRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            batch: BatchId { table, run },
            number,
        } = self;
        serializer.collect_str(&format_args!("{table}-{run:016x}:{number}"))
    }
}

impl<'de> Deserialize<'de> for BatchRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let (table, rest) = text.split_once('-')?;
            let (run, number) = rest.split_once(':')?;
            let table = TableId(u128::from_str_radix(table, 16).ok()?);
            let run = u64::from_str_radix(run, 16).ok()?;
            Some(Self {
                batch: BatchId { table, run },
                number: number.parse().ok()?,
            })
        };
        parsed(deserializer, |text| {
            read(text).ok_or_else(|| format!("{text:?} does not name a row of a table"))
        })
    }
}

/// Entry of a declaration, as it was when a certificate was issued for it. Stored as `WISH:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EntryId {
    pub(crate) name: String,
    pub(crate) wish: WishId,
}

/// 128-bit XXH3 hash of an entry's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WishId(u128);

impl WishId {
    pub(crate) fn of(text: &[u8]) -> Self {
        Self(xxh3_128(text))
    }
}

impl Serialize for EntryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            name,
            wish: WishId(wish),
        } = self;
        serializer.collect_str(&format_args!("{wish:032x}:{name}"))
    }
}

impl<'de> Deserialize<'de> for EntryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let (wish, name) = text.split_once(':')?;
            Some(Self {
                name: name.to_owned(),
                wish: WishId(u128::from_str_radix(wish, 16).ok()?),
            })
        };
        parsed(deserializer, |text| {
            read(text).ok_or_else(|| format!("{text:?} does not name an entry of a declaration"))
        })
    }
}
