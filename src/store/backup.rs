//! A backup: the whole store as it is at one moment, while others go on.
//!
//! For that moment, which lasts as long as it takes to open the files, nobody makes CAs, and each CA in its
//! turn is left alone. What is copied afterwards does not change any more: small files were read, CRLs
//! are never written over, and of a journal, which only grows, that much is copied as there was. CRLs come
//! before the journals that they were recorded in, and CAs before those above them; so no CRL is ahead of
//! its journal, and no CA is there without the record of its certificate. The keys of leaves, which may be
//! millions, are looked for last: whatever a journal speaks of has its key by then.

use super::archive::{BackupError, Entry, Writer};
use super::ca::Ca;
use super::error::{FileError, StoreError};
use super::layout::{CaLayout, Part, StoreLayout};
use super::location::Location;
use super::name::CaName;
use super::{Store, file, format, journal};
use crate::pem;
use crate::x509::validity::rfc3339;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use zeroize::Zeroizing;

pub(super) const VERSION: u32 = 1;

pub(super) const MANIFEST: &str = "backup.json";

/// The directory that has the store's files.
pub(super) const DIRECTORY: &str = "store";

/// Content of the first entry. Fields are added, never renamed or removed, within one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) backup: u32,
    pub(super) pki: String,
    pub(super) made_at: String,
    pub(super) store_format: u32,
    pub(super) cas: Vec<CaName>,
    /// Pending CAs.
    #[serde(rename = "waiting")]
    pub(super) pending: Vec<CaName>,
}

/// The store as it was at one moment.
pub(crate) struct Snapshot<'a> {
    store: &'a Store,
    manifest: Manifest,
    made_at: OffsetDateTime,
    cas: Vec<(Ca, Vec<Item>)>,
    others: Vec<Item>,
    left_out: Vec<Location>,
}

/// A file or directory of a snapshot.
struct Item {
    path: PathBuf,
    entry: Entry,
    part: Part,
    content: Content,
}

enum Content {
    Directory,
    Read(Zeroizing<Vec<u8>>),
    /// The file up to the size of its entry.
    Open(File),
}

/// Contents of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackedUp {
    pub(crate) cas: Vec<BackedUpCa>,
    /// Pending CAs.
    pub(crate) pending: Vec<CaName>,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackedUpCa {
    pub(crate) name: CaName,
    pub(crate) certificates: u64,
}

impl Store {
    /// Holds the store as it is now. Others wait only while the files are opened.
    pub(crate) fn snapshot(&self, now: OffsetDateTime) -> Result<Snapshot<'_>, StoreError> {
        let _lock = self.hold()?;
        for entry in self.entries()? {
            if let Some(name) = StoreLayout::staged_name(&entry) {
                // The key of a CA that was issued may be in there.
                self.settle_staged(&name)?;
            }
        }
        let mut snapshot = Snapshot {
            store: self,
            manifest: Manifest {
                backup: VERSION,
                pki: env!("CARGO_PKG_VERSION").to_owned(),
                made_at: rfc3339(now),
                store_format: format::read(self.layout()?)?,
                cas: self.ca_names()?,
                pending: Vec::new(),
            },
            made_at: now,
            cas: Vec::new(),
            others: Vec::new(),
            left_out: Vec::new(),
        };
        snapshot.hold_others()?;
        snapshot.hold_cas()?;
        Ok(snapshot)
    }

    /// Returns every CA, subordinate CAs before those above them.
    fn cas_from_below(&self) -> Result<Vec<Ca>, StoreError> {
        let mut depths = Vec::new();
        for ca in self.cas()? {
            depths.push((self.ancestors(&ca)?.len(), ca));
        }
        depths.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        Ok(depths.into_iter().map(|(_, ca)| ca).collect())
    }
}

impl Snapshot<'_> {
    /// Returns the files of others in the store's directory, which do not come into the backup.
    pub(crate) fn left_out(&self) -> &[Location] {
        &self.left_out
    }

    /// Returns the CAs whose keys are not encrypted.
    pub(crate) fn unencrypted(&self) -> impl Iterator<Item = &CaName> {
        let is_open = |(ca, items): &&(Ca, Vec<Item>)| {
            items.iter().any(|item| match &item.content {
                Content::Read(content) => {
                    ca.layout().is_ok_and(|layout| item.path == layout.key())
                        && is_unencrypted(content)
                }
                _ => false,
            })
        };
        self.cas.iter().filter(is_open).map(|(ca, _)| ca.name())
    }

    /// Holds everything beside the CAs, and the CRLs that are published now.
    fn hold_others(&mut self) -> Result<(), StoreError> {
        let root = self.store.layout()?.root().to_owned();
        let mut held = Vec::new();
        for (path, relative, part) in self.listing(&root)? {
            let name = StoreLayout::pending_name(&relative);
            if name.is_none() && relative.parse::<CaName>().is_ok() {
                // Its turn is yet to come, unless it is no CA.
                if !self.manifest.cas.iter().any(|ca| ca.as_str() == relative) {
                    self.left_out.push(path.into());
                }
                continue;
            }
            self.manifest.pending.extend(name);
            self.hold(&path, &relative, part, &mut held)?;
        }
        self.others = held;
        Ok(())
    }

    fn hold_cas(&mut self) -> Result<(), StoreError> {
        for ca in self.store.cas_from_below()? {
            let _lock = ca.hold()?;
            let mut held = Vec::new();
            let directory = ca.layout()?.directory().to_owned();
            self.hold(&directory, ca.name().as_str(), Part::Directory, &mut held)?;
            self.cas.push((ca, held));
        }
        self.cas
            .sort_by(|(one, _), (other, _)| one.name().cmp(other.name()));
        Ok(())
    }

    /// Holds a file, or a directory and what is in it, but for the keys of leaves.
    fn hold(
        &mut self,
        path: &Path,
        relative: &str,
        part: Part,
        held: &mut Vec<Item>,
    ) -> Result<(), StoreError> {
        if !part.is_directory() {
            held.extend(held_file(path, relative, part)?);
            return Ok(());
        }
        let found = fs::metadata(path).map_err(FileError::of("look at", path))?;
        held.push(Item {
            path: path.to_owned(),
            entry: entry(relative, part, &found, 0),
            part,
            content: Content::Directory,
        });
        if matches!(part, Part::Directory | Part::SecretDirectory) {
            for (path, relative, part) in self.listing(path)? {
                self.hold(&path, &relative, part, held)?;
            }
        }
        Ok(())
    }

    /// Lists the store's files in a directory, sorted by name.
    fn listing(&mut self, directory: &Path) -> Result<Vec<(PathBuf, String, Part)>, StoreError> {
        let failed = |error| FileError::of("read", directory)(error);
        let mut listing = Vec::new();
        for found in fs::read_dir(directory).map_err(failed)? {
            let path = found.map_err(failed)?.path();
            let relative = self.store.layout()?.relative(&path);
            let known = relative.and_then(|name| Some((name.to_owned(), StoreLayout::part(name)?)));
            match known {
                Some((relative, part)) if fits(&path, part)? => {
                    listing.push((path, relative, part));
                }
                _ if StoreLayout::is_passing(&path) => {}
                _ => self.left_out.push(path.into()),
            }
        }
        listing.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        Ok(listing)
    }

    /// Writes the archive. The journals are proved on the way: a backup that could not be restored is
    /// none.
    pub(crate) fn write(self, out: &mut dyn Write) -> Result<BackedUp, BackupError> {
        let modified = u64::try_from(self.made_at.unix_timestamp()).unwrap_or(0);
        let mut writer = Writer::new(out, modified);
        let mut json = serde_json::to_vec_pretty(&self.manifest).expect("names are plain data");
        json.push(b'\n');
        writer.description(MANIFEST, &json)?;
        let root = self.store.layout()?.root();
        let found = fs::metadata(root).map_err(FileError::of("look at", root))?;
        let mut directory = entry("", Part::Directory, &found, 0);
        directory.name = DIRECTORY.to_owned();
        writer.directory(&directory)?;
        for item in self.others {
            item.write(&mut writer)?;
        }
        let mut cas = Vec::new();
        for (ca, items) in self.cas {
            let mut certificates = 0;
            for item in items {
                let is_issued = item.path == ca.layout()?.issued();
                let has_keys = item.path == ca.layout()?.leaf_keys();
                let lines = item.write(&mut writer)?;
                if is_issued {
                    certificates = lines.saturating_sub(1);
                }
                if has_keys {
                    write_leaf_keys(&ca, self.store.layout()?, &mut writer)?;
                }
            }
            cas.push(BackedUpCa {
                name: ca.name().clone(),
                certificates,
            });
        }
        let (files, bytes) = writer.finish()?;
        Ok(BackedUp {
            cas,
            pending: self.manifest.pending,
            // All but the first.
            files: files - 1,
            bytes,
        })
    }
}

impl Item {
    /// Writes it; returns the number of its lines.
    fn write(self, writer: &mut Writer<'_>) -> Result<u64, BackupError> {
        let Self {
            path,
            entry,
            part,
            content,
        } = self;
        let mut lines = 0;
        match content {
            Content::Directory => writer.directory(&entry)?,
            Content::Read(content) => writer.whole(&entry, &content)?,
            Content::Open(file) => {
                if part == Part::Journal && !StoreLayout::is_torn(&path) {
                    journal::scan_lines(&path, |_| Ok(None), |()| {})?;
                }
                writer.file(&entry, &path, file, |bytes| {
                    lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
                })?;
            }
        }
        Ok(lines)
    }
}

/// Reads a file, or opens one that only grows or is never written over; `None` if it is gone.
fn held_file(path: &Path, relative: &str, part: Part) -> Result<Option<Item>, StoreError> {
    let (mut file, whole) = match part {
        Part::Journal if !StoreLayout::is_torn(path) => {
            let (file, end) = journal::open_whole(path)?;
            // What is restored is what the store has, should power be cut.
            file::sync(path)?;
            (file, Some(end))
        }
        _ => match File::open(path) {
            Ok(file) => (file, None),
            // A CRL that was there when the directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::of("open", path)(error).into()),
        },
    };
    let failed = |error| FileError::of("read", path)(error);
    let found = file.metadata().map_err(failed)?;
    let mut entry = entry(relative, part, &found, whole.unwrap_or(found.len()));
    let content = if matches!(part, Part::Journal | Part::Crl) {
        Content::Open(file)
    } else {
        let mut content = Zeroizing::new(Vec::new());
        file.read_to_end(&mut content).map_err(failed)?;
        entry.size = content.len() as u64;
        Content::Read(content)
    };
    Ok(Some(Item {
        path: path.to_owned(),
        entry,
        part,
        content,
    }))
}

/// Writes the keys of leaves that are there by now, one after the other.
fn write_leaf_keys(
    ca: &Ca,
    layout: &StoreLayout,
    writer: &mut Writer<'_>,
) -> Result<(), BackupError> {
    let directory = ca.layout()?.leaf_keys();
    let failed = |error| FileError::of("read", &directory)(error);
    for found in fs::read_dir(&directory).map_err(failed)? {
        let path = found.map_err(failed)?.path();
        let Some(relative) = layout.relative(&path) else {
            continue;
        };
        if StoreLayout::part(relative) != Some(Part::Secret) || !fits(&path, Part::Secret)? {
            continue;
        }
        if let Some((content, modified)) = leaf_key(ca, &path)? {
            let entry = Entry {
                name: format!("{DIRECTORY}/{relative}"),
                is_directory: false,
                mode: 0o600,
                modified,
                size: content.len() as u64,
            };
            writer.whole(&entry, &content)?;
        }
    }
    Ok(())
}

type LeafKey = (Zeroizing<Vec<u8>>, u64);

/// Reads a leaf's key, unless it is in the making: then nothing speaks of it yet.
fn leaf_key(ca: &Ca, path: &Path) -> Result<Option<LeafKey>, StoreError> {
    let read = || -> Result<Option<LeafKey>, FileError> {
        let failed = |error| FileError::of("read", path)(error);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::of("open", path)(error)),
        };
        let mut content = Zeroizing::new(Vec::new());
        file.read_to_end(&mut content).map_err(failed)?;
        Ok(Some((content, modified(&file.metadata().map_err(failed)?))))
    };
    let key = read()?;
    let is_whole =
        |(content, _): &LeafKey| pem::decode(content).is_ok_and(|found| found.len() == 1);
    if key.as_ref().is_none_or(is_whole) {
        return Ok(key);
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let serial = name.and_then(CaLayout::serial_of_leaf_key);
    match serial {
        // Whole by now, or damaged, and then the rest of it is all that there is.
        Some(serial) if ca.issuance(&serial)?.is_some() => Ok(read()?),
        _ => Ok(None),
    }
}

fn is_unencrypted(key: &[u8]) -> bool {
    memmem::find(key, b"BEGIN ENCRYPTED PRIVATE KEY").is_none()
}

/// Returns whether a file or directory is of the kind that its name says. Links are followed: where they
/// lead is in the backup.
fn fits(path: &Path, part: Part) -> Result<bool, FileError> {
    match fs::metadata(path) {
        Ok(found) if part.is_directory() => Ok(found.is_dir()),
        Ok(found) => Ok(found.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::of("look at", path)(error)),
    }
}

/// Returns the header of a file or directory of the store: readable for whom it was, and keys for their
/// owner.
fn entry(relative: &str, part: Part, found: &Metadata, size: u64) -> Entry {
    let mode = match part {
        Part::LeafKeys | Part::SecretDirectory => 0o700,
        Part::Directory => 0o700 | found.mode() & 0o055,
        Part::Secret => 0o600,
        Part::Journal | Part::Crl | Part::Plain => 0o600 | found.mode() & 0o044,
    };
    Entry {
        name: format!("{DIRECTORY}/{relative}"),
        is_directory: part.is_directory(),
        mode,
        modified: modified(found),
        size,
    }
}

fn modified(found: &Metadata) -> u64 {
    u64::try_from(found.mtime()).unwrap_or(0)
}
