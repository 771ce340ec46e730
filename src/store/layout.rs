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

/// How the names of leaf keys end.
const KEY: &str = ".key";

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

/// What a path inside the store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The folder of a CA's leaf keys, which only its owner looks into.
    LeafKeys,
    /// Any other folder.
    Folder,
    /// A file with a key.
    Secret,
    /// A journal, or lines of one that were put aside.
    Journal,
    /// A revocation list, or several.
    List,
    /// Any other file.
    Plain,
}

impl Part {
    /// Whether it is a folder.
    pub(crate) fn is_folder(self) -> bool {
        matches!(self, Self::LeafKeys | Self::Folder)
    }
}

impl StoreLayout {
    /// What a path relative to the store is for; `None` for what is none of the store's: locks, what is
    /// in the making, and what others put there.
    pub(crate) fn part(relative: &str) -> Option<Part> {
        let parts: Vec<&str> = relative.split('/').collect();
        match parts[..] {
            ["store.json"] => Some(Part::Plain),
            ["crl"] => Some(Part::Folder),
            ["crl", file] => is_published_list(file).then_some(Part::List),
            [folder, ref below @ ..] if Self::waiting_name(folder).is_some() => match below {
                [] => Some(Part::Folder),
                ["ca.key"] => Some(Part::Secret),
                ["ca.csr" | "intended.json"] => Some(Part::Plain),
                _ => None,
            },
            [folder, ref below @ ..] if folder.parse::<CaName>().is_ok() => CaLayout::part(below),
            _ => None,
        }
    }

    /// Whether a path is one of a lock, or of something in the making.
    pub(crate) fn is_passing(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name == "lock" || name.starts_with('.'))
    }

    /// Whether unfinished lines of a journal were put aside there.
    pub(crate) fn is_torn(path: &Path) -> bool {
        path.extension()
            .is_some_and(|extension| extension == "torn")
    }

    /// How a path inside the store is called in it.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> Option<&'a str> {
        path.strip_prefix(&self.root).ok()?.to_str()
    }

    /// The path inside the store that is called so.
    pub(crate) fn absolute(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}

impl CaLayout {
    fn part(below: &[&str]) -> Option<Part> {
        let journals = ["issued", "revoked", "crls"];
        match below {
            [] | ["previous" | "ahead"] => Some(Part::Folder),
            ["keys"] => Some(Part::LeafKeys),
            ["ca.key"] => Some(Part::Secret),
            ["ca.json" | "ca.crt" | "serial" | "crlnumber"] => Some(Part::Plain),
            [file] => {
                let journal = file.strip_suffix(".torn").unwrap_or(file);
                let journal = journal.strip_suffix(".jsonl")?;
                journals.contains(&journal).then_some(Part::Journal)
            }
            ["keys", file] => {
                Self::serial_of_leaf_key(file)?;
                Some(Part::Secret)
            }
            ["previous", file] => {
                let digits = file.strip_suffix(".crt")?;
                let is_digest =
                    digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
                is_digest.then_some(Part::Plain)
            }
            ["ahead", file] => {
                let number = Self::number_of_list_ahead(file)?;
                (*file == format!("{number}{LIST}")).then_some(Part::List)
            }
            _ => None,
        }
    }
}

/// `NAME.crl`, `NAME.crl.pem`, `NAME.chain.crl.pem`, and `HASH.r0`, by which OpenSSL finds one.
fn is_published_list(file: &str) -> bool {
    if let Some((hash, number)) = file.split_once(".r") {
        let is_hash = hash.len() == 8 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
        if is_hash && !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit()) {
            return true;
        }
    }
    let name = file.strip_suffix(".pem").unwrap_or(file);
    let name = name.strip_suffix(LIST);
    let name = name.map(|name| name.strip_suffix(".chain").unwrap_or(name));
    name.is_some_and(|name| name.parse::<CaName>().is_ok())
}

/// Where unfinished lines of a journal are put aside.
pub(crate) fn torn_lines(journal: &Path) -> PathBuf {
    journal.with_extension("jsonl.torn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_store_makes_is_a_part_of_it() {
        for (relative, part) in [
            ("store.json", Part::Plain),
            ("rootCA", Part::Folder),
            ("rootCA/keys", Part::LeafKeys),
            ("rootCA/keys/0123456789ABCDEF01.key", Part::Secret),
            ("rootCA/ca.key", Part::Secret),
            ("rootCA/revoked.jsonl", Part::Journal),
            ("rootCA/revoked.jsonl.torn", Part::Journal),
            ("rootCA/ahead/12.crl", Part::List),
            (".waiting-a/ca.csr", Part::Plain),
            ("crl/rootCA.chain.crl.pem", Part::List),
            ("crl/0a1b2c3d.r0", Part::List),
        ] {
            assert_eq!(StoreLayout::part(relative), Some(part), "{relative}");
        }
        for relative in [
            "",
            ".",
            "..",
            "/store.json",
            "../store.json",
            "store.json/",
            "lock",
            "rootCA/",
            "rootCA/lock",
            "rootCA/.ca.crt.part",
            "rootCA/../store.json",
            "rootCA//ca.key",
            "rootCA/./ca.key",
            "rootCA/keys/../ca.key",
            "rootCA/keys/1.key",
            "rootCA/ahead/012.crl",
            "rootCA/other.jsonl",
            ".new-a/ca.json",
            ".waiting-../ca.key",
            "crl/.rootCA.crl.part",
            "crl/a.txt",
        ] {
            assert_eq!(StoreLayout::part(relative), None, "{relative}");
        }
    }
}
