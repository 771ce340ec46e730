//! Files of the store, each in turn replaced by hostile bytes.

use pki::fuzzing::store::{self, CA};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3Default;

/// Files of a CA that hostile bytes replace.
const FILES: [&str; 6] = [
    "issued.jsonl",
    "revoked.jsonl",
    "crls.jsonl",
    "ca.json",
    "serial",
    "crlnumber",
];

/// Store with a root whose key is not encrypted.
pub(super) struct Place {
    directory: TempDir,
    /// Each file as it was made.
    originals: Vec<(PathBuf, Vec<u8>)>,
}

thread_local! {
    static PLACE: Place = Place::new();
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = TempDir::new().expect("a directory is made");
        let path = directory.path().join("pki");
        store::make(&path);
        let in_ca = FILES.map(|file| path.join(CA).join(file));
        let files = in_ca.into_iter().chain([path.join("store.json")]);
        let original = |path: PathBuf| (path.clone(), fs::read(path).expect("it was made"));
        Self {
            originals: files.map(original).collect(),
            directory,
        }
    }

    pub(super) fn store(&self) -> PathBuf {
        self.directory.path().join("pki")
    }

    /// Path of a file of the CA.
    pub(super) fn in_ca(&self, file: &str) -> PathBuf {
        self.store().join(CA).join(file)
    }

    /// Replaces the content of a file, looks at the store, and restores the file.
    fn with(&self, path: &Path, content: &[u8], look: impl FnOnce(&Path)) {
        fs::write(path, content).expect("a file is written");
        look(&self.store());
        let original = self.originals.iter().find(|(known, _)| known == path);
        let (_, original) = original.expect("it is one of them");
        fs::write(path, original).expect("a file is written");
        let torn = path.with_extension("jsonl.torn");
        if torn.exists() {
            fs::remove_file(torn).expect("it is there");
        }
    }
}

/// Looks at a journal as it is, and once more with the checks that its lines would have if they were whole:
/// else the first line would be all that is ever read.
fn journal(name: &str, file: &str, data: &[u8], look: impl Fn(&Path)) {
    PLACE.with(|place| {
        for content in [data.to_vec(), with_checks(name, data)] {
            place.with(&place.in_ca(file), &content, &look);
        }
    });
}

fn with_checks(name: &str, lines: &[u8]) -> Vec<u8> {
    let header = format!("{{\"journal\":\"{name}\",\"ca\":\"{CA}\"}}");
    let mut journal = Vec::new();
    let mut check = "0".repeat(32);
    let lines = lines.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    for line in std::iter::once(header.as_bytes()).chain(lines) {
        let body = line.strip_suffix(b"}").unwrap_or(line);
        let mut hash = Xxh3Default::new();
        hash.update(check.as_bytes());
        hash.update(body);
        check = format!("{:032x}", hash.digest128());
        journal.extend_from_slice(body);
        journal.extend_from_slice(format!(",\"check\":\"{check}\"}}\n").as_bytes());
    }
    journal
}

/// `issued.jsonl`.
pub fn issued_journal(data: &[u8]) {
    journal("issued", "issued.jsonl", data, store::issued_journal);
}

/// `revoked.jsonl`: if it is readable, all of it is.
pub fn revoked_journal(data: &[u8]) {
    journal("revoked", "revoked.jsonl", data, |path| {
        if let Some(length) = store::revoked_journal(path) {
            let file = fs::metadata(path.join(CA).join("revoked.jsonl"));
            assert_eq!(file.expect("it is there").len(), length);
        }
    });
}

/// `crls.jsonl`.
pub fn list_journal(data: &[u8]) {
    journal("crls", "crls.jsonl", data, store::crl_journal);
}

/// `ca.json`.
pub fn ca_record(data: &[u8]) {
    PLACE.with(|place| place.with(&place.in_ca("ca.json"), data, store::ca_record));
}

/// `store.json`.
pub fn store_format(data: &[u8]) {
    PLACE.with(|place| {
        place.with(&place.store().join("store.json"), data, store::store_format);
    });
}

/// The counters.
pub fn counter(data: &[u8]) {
    PLACE.with(|place| {
        place.with(&place.in_ca("serial"), data, |path| {
            store::counter(path, data);
        });
        place.with(&place.in_ca("crlnumber"), data, store::crl_number);
    });
}
