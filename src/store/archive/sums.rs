//! Hashes of the files of an archive.

use super::{Entry, SUMS};
use crate::x509::Fingerprint;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The last entry's content.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// Files in the archive, without those that describe others.
    files: u64,
    #[serde(rename = "octets")]
    bytes: u64,
}

/// Hashes of files, in lines as `sha256sum` writes them.
#[derive(Default)]
pub(super) struct Sums {
    lines: String,
    pub(super) count: usize,
    /// Groups before this one.
    groups: u64,
    pub(super) files: u64,
    bytes: u64,
}

impl Sums {
    pub(super) fn add(&mut self, entry: &Entry, hash: &Fingerprint) {
        writeln!(self.lines, "{hash}  {}", entry.name).expect("a String takes everything");
        self.count += 1;
        self.files += 1;
        self.bytes += entry.size;
    }

    /// Begins the next group; returns the name of the file for the hashes of this one, and its content.
    pub(super) fn close(&mut self) -> (String, Vec<u8>) {
        self.groups += 1;
        self.count = 0;
        let lines = std::mem::take(&mut self.lines);
        (self.name(), lines.into_bytes())
    }

    pub(super) fn name(&self) -> String {
        format!("{SUMS}{:06}.sha256", self.groups)
    }

    pub(super) fn end(&self) -> Vec<u8> {
        let end = End {
            files: self.files,
            bytes: self.bytes,
        };
        let mut json = serde_json::to_vec(&end).expect("numbers are plain data");
        json.push(b'\n');
        json
    }
}
