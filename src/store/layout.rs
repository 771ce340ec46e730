//! Where everything is. No other module forms a path inside the store.

mod kind;

pub use kind::Leftover;
pub(crate) use kind::{Inside, Kind, Part};

use super::error::{FileError, StoreError};
use super::file;
use super::name::CaName;
use crate::x509::{Fingerprint, Serial};
use std::path::{Path, PathBuf};

/// The store's own files.
#[derive(Debug, Clone)]
pub(crate) struct StoreLayout {
    root: PathBuf,
}

/// The files of one CA.
#[derive(Debug, Clone)]
pub(crate) struct CaLayout {
    directory: PathBuf,
}

/// What a CA's directory is called until it is complete.
const STAGED: &str = ".new-";

/// What the directory of a CA that waits for its certificate is called.
const PENDING: &str = ".waiting-";

/// How the names of CRLs end.
const CRL: &str = ".crl";

/// How the names of leaf keys end.
const KEY: &str = ".key";

/// What a directory with copies of what was repaired is called.
const REPAIRED: &str = ".repair-";

impl StoreLayout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
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

    pub(crate) fn published_crls(&self) -> PathBuf {
        self.root.join("crl")
    }

    pub(crate) fn ca(&self, name: &CaName) -> CaLayout {
        CaLayout {
            directory: self.root.join(name.as_str()),
        }
    }

    pub(crate) fn staged_ca(&self, name: &CaName) -> CaLayout {
        CaLayout {
            directory: self.root.join(format!("{STAGED}{name}")),
        }
    }

    /// The CA that a directory entry is being staged for, if it is one.
    pub(crate) fn staged_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(STAGED)?.parse().ok()
    }

    /// Where copies are kept of what is repaired at a time.
    pub(crate) fn repaired(&self, time: &str) -> PathBuf {
        self.root.join(format!("{REPAIRED}{time}"))
    }

    /// Where the copy of a file of the store is among others.
    pub(crate) fn copy_in(&self, copies: &Path, original: &Path) -> PathBuf {
        let inside = original.strip_prefix(&self.root);
        copies.join(inside.unwrap_or(Path::new("file")))
    }

    pub(crate) fn pending_ca(&self, name: &CaName) -> CaLayout {
        CaLayout {
            directory: self.root.join(format!("{PENDING}{name}")),
        }
    }

    /// The CA that a directory entry keeps the key of until its certificate comes, if it is one.
    pub(crate) fn pending_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(PENDING)?.parse().ok()
    }
}

impl CaLayout {
    fn at(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directories into which writes to the CA go.
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

    /// Whether a CA is here. Without its record a directory that has any other of its files is damaged,
    /// not absent.
    pub(crate) fn is_of_a_ca(&self) -> Result<bool, StoreError> {
        if file::stands(&self.record())? {
            return Ok(true);
        }
        if self.holds_files()? {
            return Err(StoreError::damaged(&self.record(), "is missing"));
        }
        Ok(false)
    }

    /// Whether this is the directory of a CA that has its record and its journal.
    fn is_whole(&self) -> Result<bool, FileError> {
        Ok(file::is_regular(&self.record())? && file::is_regular(&self.issued())?)
    }

    /// Whether any of the files that every CA has is here.
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
        self.directory.join("ca.key")
    }

    /// Where the certificates are kept that others took the place of.
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

    /// What becomes `ca.json` when the certificate has come.
    pub(crate) fn intended_record(&self) -> PathBuf {
        self.directory.join("intended.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
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

    /// The number of the CRL that a file among those that were signed ahead is named after.
    pub(crate) fn number_of_presigned_crl(entry: &str) -> Option<u128> {
        entry.strip_suffix(CRL)?.parse().ok()
    }

    /// The serial number that a file among the leaf keys is named after.
    pub(crate) fn serial_of_leaf_key(entry: &str) -> Option<Serial> {
        let text = entry.strip_suffix(KEY)?;
        let serial: Serial = text.parse().ok()?;
        (serial.to_string() == text).then_some(serial)
    }

    pub(crate) fn leaf_keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    pub(crate) fn leaf_key(&self, serial: &Serial) -> PathBuf {
        self.leaf_keys().join(format!("{serial}{KEY}"))
    }
}

/// Where unfinished lines of a journal are put aside.
pub(crate) fn torn_lines(journal: &Path) -> PathBuf {
    journal.with_extension("jsonl.torn")
}

/// Another name for what has none of its own, beside one that is taken.
pub(crate) fn beside(taken: &Path) -> PathBuf {
    let mut name = taken.file_name().unwrap_or_default().to_owned();
    name.push("+");
    taken.with_file_name(name)
}
