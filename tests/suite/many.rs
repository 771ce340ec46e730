//! More revocations than a test could make one by one.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use xxhash_rust::xxh3::xxh3_128;

use crate::sandbox::Sandbox;

impl Sandbox {
    /// Revocations in the journal as docs/store-format.md has them: to issue half a million certificates
    /// first would take hours. They all have nine bytes of serial, and ascend.
    pub(crate) fn revoke_many(&self, ca: &str, count: u64) {
        let journal = self.path(format!("pki/{ca}/revoked.jsonl"));
        let text = fs::read_to_string(&journal).unwrap();
        let last = text.lines().last().unwrap();
        let (_, check) = last.rsplit_once("\"check\":\"").unwrap();
        let mut check = check.trim_end_matches("\"}").to_owned();
        let begun = text.lines().count() as u64;
        let mut file = BufWriter::new(File::options().append(true).open(&journal).unwrap());
        for number in begun..begun + count {
            let body = format!(
                "{{\"serial\":\"01{number:016X}\",\"revoked\":{{\"reason\":\"keyCompromise\",\"at\":\"2026-01-01T00:00:00Z\",\"not_after\":\"2035-01-01T00:00:00Z\"}}"
            );
            check = format!("{:032x}", xxh3_128(format!("{check}{body}").as_bytes()));
            writeln!(file, "{body},\"check\":\"{check}\"}}").unwrap();
        }
        file.flush().unwrap();
    }
}
