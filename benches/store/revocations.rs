//! Stores in which much is revoked, written as docs/store-format.md says how: to issue a million
//! certificates first would take an hour.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use xxhash_rust::xxh3::xxh3_128;

/// A certificate that was revoked for a key compromise.
pub struct Revocation {
    /// In hex, with an even number of digits.
    pub serial: String,
    /// When it was revoked.
    pub at: OffsetDateTime,
    /// Its notAfter.
    pub until: OffsetDateTime,
}

/// That many revocations, a second apart.
pub fn revocations(count: u32) -> Vec<Revocation> {
    let revocation = |index: u32| {
        // The counter, and what looks as random as the 64 bits behind it are.
        let random = (u64::from(index) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let digits = format!("{:X}{random:016X}", index + 1);
        let pad = if digits.len() % 2 == 1 { "0" } else { "" };
        Revocation {
            serial: format!("{pad}{digits}"),
            at: datetime!(2026-01-01 0:00 UTC) + Duration::seconds(index.into()),
            until: datetime!(2035-01-01 0:00 UTC),
        }
    };
    (0..count).map(revocation).collect()
}

/// Appends them to a journal of revocations.
pub fn append(journal: &Path, revocations: &[Revocation]) -> Result<()> {
    let header = fs::read_to_string(journal)?;
    let mut check = header
        .trim_end()
        .strip_suffix("\"}")
        .and_then(|line| line.rsplit_once("\"check\":\""))
        .map(|(_, check)| check.to_owned())
        .context("the journal has no header")?;
    let mut file = BufWriter::new(File::options().append(true).open(journal)?);
    for Revocation { serial, at, until } in revocations {
        let (at, until) = (at.format(&Rfc3339)?, until.format(&Rfc3339)?);
        let body = format!(
            "{{\"serial\":\"{serial}\",\"revoked\":{{\"reason\":\"keyCompromise\",\"at\":\"{at}\",\"not_after\":\"{until}\"}}"
        );
        check = format!("{:032x}", xxh3_128(format!("{check}{body}").as_bytes()));
        writeln!(file, "{body},\"check\":\"{check}\"}}")?;
    }
    Ok(file.flush()?)
}
