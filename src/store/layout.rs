//! Where everything is. No other module forms a path inside the store.

use super::error::StoreError;
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
const WAITING: &str = ".waiting-";

/// How the names of lists end.
const LIST: &str = ".crl";

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

    pub(crate) fn published_lists(&self) -> PathBuf {
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

    pub(crate) fn waiting_ca(&self, name: &CaName) -> CaLayout {
        CaLayout {
            directory: self.root.join(format!("{WAITING}{name}")),
        }
    }

    /// The CA that a directory entry keeps the key of until its certificate comes, if it is one.
    pub(crate) fn waiting_name(entry: &str) -> Option<CaName> {
        entry.strip_prefix(WAITING)?.parse().ok()
    }
}

impl CaLayout {
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether a CA is here. Without its record a folder that has any other of its files is damaged,
    /// not absent.
    pub(crate) fn is_of_a_ca(&self) -> Result<bool, StoreError> {
        if file::stands(&self.record())? {
            return Ok(true);
        }
        for other in [self.certificate(), self.key(), self.issued()] {
            if file::stands(&other)? {
                return Err(StoreError::damaged(&self.record(), "is missing"));
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

    pub(crate) fn signed_lists(&self) -> PathBuf {
        self.directory.join("crls.jsonl")
    }

    pub(crate) fn lists_ahead(&self) -> PathBuf {
        self.directory.join("ahead")
    }

    pub(crate) fn list_ahead(&self, number: u128) -> PathBuf {
        self.lists_ahead().join(format!("{number}{LIST}"))
    }

    /// The number of the list that a file among those that were signed ahead is named after.
    pub(crate) fn number_of_list_ahead(entry: &str) -> Option<u128> {
        entry.strip_suffix(LIST)?.parse().ok()
    }

    pub(crate) fn leaf_keys(&self) -> PathBuf {
        self.directory.join("keys")
    }

    pub(crate) fn leaf_key(&self, serial: &Serial) -> PathBuf {
        self.leaf_keys().join(format!("{serial}.key"))
    }
}

/// Where unfinished lines of a journal are put aside.
pub(crate) fn torn_lines(journal: &Path) -> PathBuf {
    journal.with_extension("jsonl.torn")
}
