//! Paths inside the store, which no other module forms.

mod kind;

pub(crate) use kind::Leftover;
pub(crate) use kind::{Inside, Kind, Part};

use super::error::{FileError, StoreError};
use super::file;
use super::name::CaName;
use crate::x509::{Fingerprint, Serial};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(crate) struct StoreLayout {
    root: PathBuf,
}

#[derive(Debug, Clone)]
pub(crate) struct CaLayout {
    directory: PathBuf,
    /// Generation of the keys that count; see [`new_keys`](super::new_keys).
    generation: u32,
}

/// Start of the name of an incomplete CA's directory.
const STAGED: &str = ".new-";

/// Start of the name of a pending CA's directory.
const PENDING: &str = ".waiting-";

/// Start of the name of a removed CA's directory.
const REMOVED: &str = ".removed-";

/// Start of the name of a file that is there while the keys of a CA are being changed.
const CHANGING_KEYS: &str = ".keys-";

/// End of the names of CRLs.
const CRL: &str = ".crl";

/// End of the names of leaf keys.
const KEY: &str = ".key";

/// Start of the name of a directory with copies of what was repaired.
const REPAIRED: &str = ".repair-";

/// Directory for the CRLs of a store that is in a database, in the working directory.
pub(super) fn crls_of_database() -> PathBuf {
    PathBuf::from("crl")
}

impl StoreLayout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns the paths of what is kept beside a store in a database.
    pub(super) fn of_working_directory() -> Self {
        Self::new(Path::new("."))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn format(&self) -> PathBuf {
        self.root.join("store.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.root.join("profiles.toml")
    }

    pub(crate) fn published_crls(&self) -> PathBuf {
        self.root.join("crl")
    }

    pub(crate) fn ca(&self, name: &CaName) -> CaLayout {
        CaLayout::at(self.root.join(name.as_str()))
    }

    pub(crate) fn staged_ca(&self, name: &CaName) -> CaLayout {
        CaLayout::at(self.root.join(format!("{STAGED}{name}")))
    }

    /// Returns the file that says that the keys of a CA are being changed.
    pub(super) fn changing_keys(&self, name: &CaName) -> PathBuf {
        self.root.join(format!("{CHANGING_KEYS}{name}"))
    }

    pub(super) fn changing_keys_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(CHANGING_KEYS)?.parse().ok()
    }

    /// Returns the CA for which a directory entry is staged, if it is one.
    pub(crate) fn staged_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(STAGED)?.parse().ok()
    }

    /// Returns the directory for copies of what is repaired at a time.
    pub(crate) fn repaired(&self, time: &str) -> PathBuf {
        self.root.join(format!("{REPAIRED}{time}"))
    }

    /// Returns the place of the copy of a file among others.
    pub(crate) fn copy_in(&self, copies: &Path, original: &Path) -> PathBuf {
        let inside = original.strip_prefix(&self.root).ok();
        let inside = inside.or_else(|| original.is_relative().then_some(original));
        copies.join(inside.unwrap_or(Path::new("file")))
    }

    pub(crate) fn pending_ca(&self, name: &CaName) -> CaLayout {
        CaLayout::at(self.root.join(format!("{PENDING}{name}")))
    }

    pub(crate) fn removed_ca(&self, name: &CaName) -> CaLayout {
        CaLayout::at(self.root.join(format!("{REMOVED}{name}")))
    }

    /// Returns the removed CA of a directory entry, if it is one.
    pub(crate) fn removed_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(REMOVED)?.parse().ok()
    }

    /// Returns the pending CA of a directory entry, if it is one.
    pub(crate) fn pending_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(PENDING)?.parse().ok()
    }
}

impl CaLayout {
    pub(super) fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            generation: 0,
        }
    }

    /// Returns the same CA with the keys of a generation.
    pub(super) fn with_generation(&self, generation: u32) -> Self {
        Self {
            generation,
            ..self.clone()
        }
    }

    /// Returns the same CA with the next generation of keys; `None` after the last.
    pub(super) fn next_generation(&self) -> Option<Self> {
        Some(self.with_generation(self.generation.checked_add(1)?))
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the keys among entries of the directory, of any generation: files, and directories of leaf keys.
    pub(super) fn keys_in(&self, entries: &[String]) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let of_kind = |is_kind: fn(&str) -> bool| {
            let entries = entries.iter().filter(|entry| is_kind(entry));
            entries.map(|entry| self.directory.join(entry)).collect()
        };
        (of_kind(kind::is_key), of_kind(kind::is_leaf_keys))
    }

    /// Returns `stem`, or `stem-N` of a later generation than the first, before an ending.
    fn of_generation(&self, stem: &str, ending: &str) -> PathBuf {
        let name = match self.generation {
            0 => format!("{stem}{ending}"),
            generation => format!("{stem}-{generation}{ending}"),
        };
        self.directory.join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the directories into which writes to the CA go.
    pub(crate) fn directories(&self) -> [PathBuf; 5] {
        let store = StoreLayout::new(file::directory_of(&self.directory));
        [
            self.directory.clone(),
            self.leaf_keys(),
            self.previous_certificates(),
            self.presigned_crls(),
            store.published_crls(),
        ]
    }

    /// Returns whether a CA is here. Without its record a directory that has any other of its files is
    /// damaged, not absent.
    pub(crate) fn is_of_a_ca(&self) -> Result<bool, StoreError> {
        if file::stands(&self.record())? {
            return Ok(true);
        }
        if self.holds_files()? {
            return Err(StoreError::damaged(self.record(), "is missing"));
        }
        Ok(false)
    }

    /// Returns whether this is the directory of a CA that has its record and its journal.
    fn is_whole(&self) -> Result<bool, FileError> {
        Ok(file::is_regular(&self.record())? && file::is_regular(&self.issued())?)
    }

    /// Returns whether any of the files that every CA has is here.
    fn holds_files(&self) -> Result<bool, FileError> {
        let files = [self.record(), self.certificate(), self.key(), self.issued()];
        for file in &files {
            if file::stands(file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.directory.join("ca.json")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.of_generation("ca", KEY)
    }

    pub(crate) fn previous_certificates(&self) -> PathBuf {
        self.directory.join("previous")
    }

    pub(crate) fn previous_certificate(&self, fingerprint: &Fingerprint) -> PathBuf {
        self.previous_certificates()
            .join(format!("{fingerprint}.crt"))
    }

    pub(crate) fn request(&self) -> PathBuf {
        self.directory.join("ca.csr")
    }

    /// Returns the file that becomes `ca.json` when the certificate is installed.
    pub(crate) fn intended_record(&self) -> PathBuf {
        self.directory.join("intended.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// Returns the lock of those who write OCSP responses: they take longer than others shall wait.
    pub(crate) fn responses_lock(&self) -> PathBuf {
        self.directory.join("ocsp.lock")
    }

    pub(crate) fn serial_counter(&self) -> PathBuf {
        self.directory.join("serial")
    }

    pub(crate) fn crl_number_counter(&self) -> PathBuf {
        self.directory.join("crlnumber")
    }

    pub(crate) fn issued(&self) -> PathBuf {
        self.directory.join("issued.jsonl")
    }

    pub(crate) fn revoked(&self) -> PathBuf {
        self.directory.join("revoked.jsonl")
    }

    pub(crate) fn signed_crls(&self) -> PathBuf {
        self.directory.join("crls.jsonl")
    }

    /// Returns the journal of changes of the CA itself, which is made with the first.
    pub(crate) fn changes(&self) -> PathBuf {
        self.directory.join("changes.jsonl")
    }

    /// Cache of the CA certificates that the CA issued; it can be deleted.
    pub(crate) fn authorities(&self) -> PathBuf {
        self.directory.join("authorities.json")
    }

    pub(crate) fn presigned_crls(&self) -> PathBuf {
        self.directory.join("ahead")
    }

    pub(crate) fn presigned_crl(&self, number: u128) -> PathBuf {
        self.presigned_crls().join(format!("{number}{CRL}"))
    }

    /// Returns the number of the pre-signed CRL in a file of this name.
    pub(crate) fn number_of_presigned_crl(entry: &str) -> Option<u128> {
        entry.strip_suffix(CRL)?.parse().ok()
    }

    /// Returns the serial number of the leaf key in a file of this name.
    pub(crate) fn serial_of_leaf_key(entry: &str) -> Option<Serial> {
        let text = entry.strip_suffix(KEY)?;
        let serial: Serial = text.parse().ok()?;
        (serial.to_string() == text).then_some(serial)
    }

    pub(crate) fn leaf_keys(&self) -> PathBuf {
        self.of_generation("keys", "")
    }

    pub(crate) fn leaf_key(&self, serial: &Serial) -> PathBuf {
        self.leaf_keys().join(format!("{serial}{KEY}"))
    }
}

/// Returns the index of easy-rsa in a directory that may be one of its.
pub(super) fn easy_rsa_index(directory: &Path) -> PathBuf {
    directory.join("index.txt")
}

/// Returns the place of lines that were never acknowledged.
pub(crate) fn torn_lines(journal: &Path) -> PathBuf {
    journal.with_extension("jsonl.torn")
}

/// Returns another name beside one that is taken.
pub(crate) fn beside(taken: &Path) -> PathBuf {
    let mut name = taken.file_name().unwrap_or_default().to_owned();
    name.push("+");
    taken.with_file_name(name)
}
