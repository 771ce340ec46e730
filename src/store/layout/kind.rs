//! Kinds of files and directories of the store, by their names.

use super::{CRL, CaLayout, KEY, REPAIRED, StoreLayout, torn_lines};
use crate::store::error::FileError;
use crate::store::file;
use crate::store::name::CaName;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Kind of a file or directory in the store, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Journal,
    Crl,
    Lock,
    Plain,
    Secret,
    Directory(Inside),
    /// Directory with the keys of leaves, into which only its owner may look.
    LeafKeys,
    /// Content that can be derived from other files, and is left out of backups.
    Cache,
    Copies,
    /// Remains of an interrupted command, or what one is making now.
    Leftover(Leftover),
}

/// Kind of a directory of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    Ca(CaName),
    Pending(CaName),
    Removed(CaName),
    /// CRLs that are published, and what others put beside them.
    PublishedCrls,
    PreviousCertificates,
    PresignedCrls,
}

/// Remains of an interrupted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leftover {
    UnfinishedCa(CaName),
    UnfinishedFile,
    TornLines,
}

impl StoreLayout {
    /// Returns the kind of an entry of the store's directory; `None` for what is none of the store's.
    pub(crate) fn kind_of(entry: &str) -> Option<Kind> {
        let here = Self::new(Path::new(""));
        let path = Path::new(entry);
        if path == here.format() || path == here.profiles() {
            return Some(Kind::Plain);
        }
        if path == here.lock() {
            return Some(Kind::Lock);
        }
        if path == here.published_crls() {
            return Some(Kind::Directory(Inside::PublishedCrls));
        }
        if entry.starts_with(REPAIRED) {
            return Some(Kind::Copies);
        }
        let unfinished_ca = Self::staged_name(entry).or_else(|| Self::changing_keys_name(entry));
        if let Some(name) = unfinished_ca {
            return Some(Kind::Leftover(Leftover::UnfinishedCa(name)));
        }
        if let Some(name) = Self::pending_name(entry) {
            return Some(Kind::Directory(Inside::Pending(name)));
        }
        if let Some(name) = Self::removed_name(entry) {
            return Some(Kind::Directory(Inside::Removed(name)));
        }
        match entry.parse() {
            Ok(name) => Some(Kind::Directory(Inside::Ca(name))),
            Err(_) => unfinished(entry),
        }
    }

    /// Returns whether a file is in the directory of a CA of any store, pending and unfinished ones
    /// included, or is one of the store's own. Published CRLs are not, and neither is what others put
    /// beside the CAs.
    pub(crate) fn is_own_file(path: &Path) -> Result<bool, FileError> {
        let (Ok(directory), Some(name)) =
            (file::directory_of(path).canonicalize(), path.file_name())
        else {
            // There can be no file.
            return Ok(false);
        };
        let path = directory.join(name);
        for directory in directory.ancestors() {
            // A CA may be elsewhere than the store, behind a link.
            if CaLayout::at(directory).is_whole()? || Self::new(directory).owns(&path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether a file below this directory is one of the store, if there is a store.
    fn owns(&self, path: &Path) -> Result<bool, FileError> {
        if !file::is_regular(&self.format())? {
            return Ok(false);
        }
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let mut parts = inside.components().map(Component::as_os_str);
        let (first, is_deeper) = (parts.next().and_then(OsStr::to_str), parts.next().is_some());
        Ok(match first.and_then(Self::kind_of) {
            Some(Kind::Directory(Inside::Ca(name))) => is_deeper && self.ca(&name).holds_files()?,
            Some(Kind::Directory(Inside::PublishedCrls)) | None => false,
            Some(Kind::Plain | Kind::Lock) => !is_deeper,
            Some(_) => is_deeper,
        })
    }
}

impl CaLayout {
    /// Returns the previous certificate in a file of this name.
    pub(crate) fn previous_named(&self, entry: &str) -> Option<PathBuf> {
        let is_one = Inside::PreviousCertificates.kind_of(entry) == Some(Kind::Plain);
        is_one.then(|| self.previous_certificates().join(entry))
    }

    pub(crate) fn kind_of_leaf_key(entry: &str) -> Option<Kind> {
        match Self::serial_of_leaf_key(entry) {
            Some(_) => Some(Kind::Secret),
            None => unfinished(entry),
        }
    }
}

impl Inside {
    /// Returns the kind of an entry of the directory; `None` for what is none of the store's.
    pub(crate) fn kind_of(&self, entry: &str) -> Option<Kind> {
        let kind = match self {
            Self::Ca(_) | Self::Removed(_) => kind_in_ca(entry),
            Self::Pending(_) => kind_in_pending(entry),
            Self::PublishedCrls => is_published_crl(entry).then_some(Kind::Crl),
            Self::PreviousCertificates => is_previous(entry).then_some(Kind::Plain),
            Self::PresignedCrls => is_presigned_crl(entry).then_some(Kind::Secret),
        };
        kind.or_else(|| unfinished(entry))
    }
}

fn kind_in_ca(entry: &str) -> Option<Kind> {
    let here = CaLayout::at("");
    let path = Path::new(entry);
    let journals = [
        here.issued(),
        here.revoked(),
        here.signed_crls(),
        here.changes(),
    ];
    let plain = [
        here.record(),
        here.certificate(),
        here.serial_counter(),
        here.crl_number_counter(),
    ];
    Some(if is_key(entry) {
        Kind::Secret
    } else if path == here.lock() || path == here.responses_lock() {
        Kind::Lock
    } else if path == here.authorities() {
        Kind::Cache
    } else if plain.iter().any(|file| path == file) {
        Kind::Plain
    } else if journals.iter().any(|journal| path == journal) {
        Kind::Journal
    } else if is_leaf_keys(entry) {
        Kind::LeafKeys
    } else if path == here.previous_certificates() {
        Kind::Directory(Inside::PreviousCertificates)
    } else if path == here.presigned_crls() {
        Kind::Directory(Inside::PresignedCrls)
    } else if journals.iter().any(|journal| path == torn_lines(journal)) {
        Kind::Leftover(Leftover::TornLines)
    } else {
        return None;
    })
}

/// Returns whether a name is that of a CA's key, of any generation: `ca.key`, `ca-2.key`.
pub(super) fn is_key(entry: &str) -> bool {
    let name = entry
        .strip_suffix(KEY)
        .and_then(|name| name.strip_prefix("ca"));
    name.is_some_and(is_generation)
}

/// Returns whether a name is that of the directory of leaf keys, of any generation: `keys`, `keys-2`.
pub(super) fn is_leaf_keys(entry: &str) -> bool {
    entry.strip_prefix("keys").is_some_and(is_generation)
}

fn is_generation(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('-') else {
        return text.is_empty();
    };
    digits
        .parse::<u32>()
        .is_ok_and(|number| number > 0 && number.to_string() == digits)
}

fn kind_in_pending(entry: &str) -> Option<Kind> {
    let here = CaLayout::at("");
    let path = Path::new(entry);
    if path == here.key() {
        Some(Kind::Secret)
    } else {
        (path == here.request() || path == here.intended_record()).then_some(Kind::Plain)
    }
}

fn is_previous(entry: &str) -> bool {
    let is_fingerprint =
        |name: &str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    entry.strip_suffix(".crt").is_some_and(is_fingerprint)
}

fn is_presigned_crl(entry: &str) -> bool {
    let number = CaLayout::number_of_presigned_crl(entry);
    number.is_some_and(|number| entry == format!("{number}{CRL}"))
}

/// Kind of a file or directory in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    LeafKeys,
    SecretDirectory,
    Directory,
    /// Key or pre-signed CRL.
    Secret,
    /// Journal, or lines of one that were put aside.
    Journal,
    Crl,
    Plain,
}

impl Part {
    pub(crate) fn is_directory(self) -> bool {
        matches!(
            self,
            Self::LeafKeys | Self::SecretDirectory | Self::Directory
        )
    }
}

impl Kind {
    fn of_entry(&self, entry: &str) -> Option<Self> {
        match self {
            Self::Directory(inside) => inside.kind_of(entry),
            Self::LeafKeys => CaLayout::kind_of_leaf_key(entry),
            _ => None,
        }
    }

    /// Returns the part of a backup that it is; none for locks, copies and files in the making.
    fn part(&self) -> Option<Part> {
        Some(match self {
            Self::Directory(Inside::PresignedCrls) => Part::SecretDirectory,
            Self::Directory(_) => Part::Directory,
            Self::LeafKeys => Part::LeafKeys,
            Self::Secret => Part::Secret,
            Self::Journal | Self::Leftover(Leftover::TornLines) => Part::Journal,
            Self::Crl => Part::Crl,
            Self::Plain => Part::Plain,
            Self::Lock | Self::Cache | Self::Copies | Self::Leftover(_) => return None,
        })
    }
}

impl StoreLayout {
    /// Returns the part of a backup at a path relative to the store; `None` for what a backup does not
    /// keep, and for files of others.
    pub(crate) fn part(relative: &str) -> Option<Part> {
        let mut names = relative.split('/');
        let first = Self::kind_of(names.next()?);
        names
            .try_fold(first?, |kind, name| kind.of_entry(name))?
            .part()
    }

    /// Returns whether a path is one of a lock, or of something in the making.
    pub(crate) fn is_passing(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| matches!(name, "lock" | "ocsp.lock") || name.starts_with('.'))
    }

    /// Returns whether unfinished lines of a journal were put aside there.
    pub(crate) fn is_torn(path: &Path) -> bool {
        path.extension()
            .is_some_and(|extension| extension == "torn")
    }

    /// Returns a path relative to the store.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> Option<&'a str> {
        path.strip_prefix(&self.root).ok()?.to_str()
    }

    /// Returns the path of a file relative to the store.
    pub(crate) fn absolute(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}

/// Returns whether a name is `NAME.crl`, `NAME.crl.pem`, `NAME.chain.crl.pem`, or `HASH.r0`, by which
/// OpenSSL finds one.
fn is_published_crl(file: &str) -> bool {
    if let Some((hash, number)) = file.split_once(".r") {
        let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return true;
        }
    }
    let name = file.strip_suffix(".pem").unwrap_or(file);
    let name = name.strip_suffix(CRL);
    let name = name.map(|name| name.strip_suffix(".chain").unwrap_or(name));
    name.is_some_and(|name| name.parse::<CaName>().is_ok())
}

fn unfinished(entry: &str) -> Option<Kind> {
    let name = entry.strip_prefix('.')?.strip_suffix(".part")?;
    (!name.is_empty()).then_some(Kind::Leftover(Leftover::UnfinishedFile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_of_keys_end_with_the_highest_number() {
        let last = CaLayout::at("").with_generation(u32::MAX);
        assert!(last.next_generation().is_none());
        assert!(is_key("ca-4294967295.key") && is_leaf_keys("keys-4294967295"));
        assert!(!is_key("ca-4294967296.key") && !is_key("ca-01.key") && !is_key("ca-0.key"));
    }

    #[test]
    fn only_what_the_store_makes_is_a_part_of_it() {
        for (relative, part) in [
            ("store.json", Part::Plain),
            ("rootCA", Part::Directory),
            ("rootCA/keys", Part::LeafKeys),
            ("rootCA/keys/0123456789ABCDEF01.key", Part::Secret),
            ("rootCA/ca.key", Part::Secret),
            ("rootCA/revoked.jsonl", Part::Journal),
            ("rootCA/revoked.jsonl.torn", Part::Journal),
            ("rootCA/ahead", Part::SecretDirectory),
            ("rootCA/ahead/12.crl", Part::Secret),
            (".waiting-a/ca.csr", Part::Plain),
            (".removed-a/serial", Part::Plain),
            (".removed-a/issued.jsonl", Part::Journal),
            ("crl/rootCA.chain.crl.pem", Part::Crl),
            ("crl/0a1b2c3d.r0", Part::Crl),
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
            "rootCA/ocsp.lock",
            "rootCA/authorities.json",
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
