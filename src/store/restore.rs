//! A store out of a backup: all of it, proved, in one step; or nothing.
//!
//! Since the backup was made the store may have issued and signed more. So that nothing comes twice, every
//! CA goes on far above what the backup knows of.

use super::address::Address;
use super::archive::{Entry, Next, Reader};
use super::backup::{DIRECTORY, MANIFEST, Manifest, VERSION};
use super::ca::Ca;
use super::error::{FileError, StoreError};
use super::file::{self, Access, Existing, Group, StagedDirectory, Uncommitted};
use super::layout::{Part, StoreLayout};
use super::name::CaName;
use super::pending::PendingCa;
use super::record::{CaRecord, Change, Floors, Issuance, RevocationLine, SignedCrl};
use super::{Notice, Operator, Store, counter, format, journal};
use crate::x509::Serial;
use crate::x509::validity::parse_rfc3339;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// Least distance to the numbers in a backup at which a CA goes on, should the clock be set back: more
/// than it issued or signed since, at a thousand a second for seven weeks, or a hundred for sixteen
/// months; and from there the 64 random bits of a serial number still tell it from others.
const STEP: u128 = 1 << 32;

/// Microseconds of ten years: distance to its own time at which a backup goes on if the clock is before
/// that.
const FAR: u128 = 10 * 365 * 24 * 60 * 60 * 1_000_000;

/// A clock that is so little before the backup is right: both ends of a pipe start at the same time, and
/// hosts differ.
const LEEWAY: Duration = Duration::seconds(10);

/// Microseconds of some days, within which a clock that was set back tells two restores apart.
const APART: u128 = 1 << 40;

/// Returns the microseconds since 1970: a number that nobody has counted up to one by one, and another
/// one for every restore of the same backup. It takes seven bytes.
///
/// A clock that is before the backup was set back, and an earlier restore may have gone on from a later
/// time: then it is a number that a right clock comes to in ten years.
fn above_all_counting(now: OffsetDateTime, made_at: Option<OffsetDateTime>) -> u128 {
    let micros =
        |time: OffsetDateTime| u128::try_from(time.unix_timestamp_nanos() / 1000).unwrap_or(0);
    let clock = micros(now);
    match made_at.filter(|made_at| is_before(now, *made_at)) {
        Some(made_at) => micros(made_at) + FAR + clock % APART,
        None => clock,
    }
}

/// Returns whether the clock is before the time of a backup.
fn is_before(now: OffsetDateTime, made_at: OffsetDateTime) -> bool {
    made_at - now > LEEWAY
}

/// Files that are synced one after the other: those of a store that is not large.
const FEW: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Time of the backup, as it says.
    pub(crate) made_at: String,
    pub(crate) cas: Vec<RestoredCa>,
    /// Pending CAs.
    pub(crate) pending: Vec<CaName>,
    pub(crate) files: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestoredCa {
    pub(crate) name: CaName,
    pub(crate) certificates: u64,
    /// Numbers above which it goes on.
    pub(crate) floors: Floors,
}

/// Error of a restore, by whether there may be a store.
#[derive(Debug)]
pub(crate) enum RestoreError {
    Store(StoreError),
    Place(Uncommitted),
}

impl<E: Into<StoreError>> From<E> for RestoreError {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Restores a store from an archive, which is called `from`, into a directory that is missing or empty, or a
    /// database without a store; for that, `temporary` is a place for a directory.
    /// Its CAs go on above what the backup knows of, and above what a restore of it before `now` may have
    /// gone on to; if `now` is before the backup, above what one within ten years may have gone on to.
    pub(crate) fn restore(
        input: impl Read,
        from: &Path,
        target: &Address,
        temporary: &Path,
        now: OffsetDateTime,
        operator: &Operator,
    ) -> Result<Restored, RestoreError> {
        let path = match target {
            Address::Directory(path) => return Self::restore_to(input, from, path, now, operator),
            Address::Database(_) => temporary,
        };
        let restored = Self::restore_to(input, from, path, now, operator)?;
        let copied =
            Self::open(&path.into(), operator.clone()).and_then(|store| store.copy_into(target));
        let removed = file::remove_directory(path);
        copied?;
        removed?;
        Ok(restored)
    }

    fn restore_to(
        input: impl Read,
        from: &Path,
        target: &Path,
        now: OffsetDateTime,
        operator: &Operator,
    ) -> Result<Restored, RestoreError> {
        check_free(target)?;
        let target = if file::stands(target)? {
            fs::canonicalize(target).map_err(FileError::of("look at", target))?
        } else {
            target.to_owned()
        };
        let staged = StagedDirectory::new(&target)?;
        let mut extraction = Extraction {
            reader: Reader::new(input, from),
            layout: StoreLayout::new(staged.hidden()),
            group: Group::of(staged.hidden())?,
            unsynced: Vec::new(),
            directories: Vec::new(),
            files: 0,
        };
        let manifest = extraction.manifest()?;
        extraction.extract()?;
        let made_at = parse_rfc3339(&manifest.made_at);
        if let Some(made_at) = made_at.filter(|made_at| is_before(now, *made_at)) {
            operator.tell(&Notice::ClockBehind { now, made_at });
        }
        let restored = extraction
            .complete(manifest, above_all_counting(now, made_at), operator)
            .map_err(|error| extraction.about_entry(error))?;
        staged.commit().map_err(RestoreError::Place)?;
        Ok(restored)
    }
}

/// Refuses a directory that is not empty.
fn check_free(target: &Path) -> Result<(), StoreError> {
    let mut entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::of("read", target)(error).into()),
    };
    match entries.next().transpose() {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(StoreError::NotEmpty {
            path: target.into(),
        }),
        Err(error) => Err(FileError::of("read", target)(error).into()),
    }
}

/// Archive that is being read into a directory that is no store yet.
struct Extraction<R> {
    reader: Reader<R>,
    layout: StoreLayout,
    group: Group,
    unsynced: Vec<PathBuf>,
    directories: Vec<String>,
    files: u64,
}

impl<R: Read> Extraction<R> {
    fn manifest(&mut self) -> Result<Manifest, StoreError> {
        let no_backup = "is not the first entry of a backup";
        let entry = match self.reader.next()? {
            Next::Entry(entry) if entry.name == MANIFEST => entry,
            _ => return Err(self.reader.bad(no_backup)),
        };
        let content = self.reader.description(&entry)?;
        let json: serde_json::Value =
            serde_json::from_slice(&content).map_err(|_| self.reader.bad(no_backup))?;
        // Of a newer version no more than its number is known.
        let version = json["backup"].as_u64();
        if version != Some(u64::from(VERSION)) {
            let version = version.map_or("an unknown version".into(), |version| {
                format!("version {version}")
            });
            let problem = format!("has {version}; this program reads version {VERSION}");
            return Err(self.reader.bad(problem));
        }
        serde_json::from_value(json)
            .map_err(|error| self.reader.bad(format!("cannot be read: {error}")))
    }

    fn extract(&mut self) -> Result<(), StoreError> {
        loop {
            match self.reader.next()? {
                Next::Entry(entry) => self.take(&entry)?,
                Next::Checked => self.sync()?,
                Next::End => return Ok(()),
            }
        }
    }

    /// Makes the files durable that were read since; their names follow with their directories.
    fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced.len() <= FEW {
            self.unsynced.iter().try_for_each(|path| file::sync(path))?;
        } else {
            self.group.sync(&self.unsynced)?;
        }
        self.unsynced.clear();
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), StoreError> {
        if entry.name == DIRECTORY && entry.is_directory {
            return Ok(());
        }
        let relative = entry.name.strip_prefix(DIRECTORY);
        let relative = relative.and_then(|rest| rest.strip_prefix('/'));
        let known = relative.and_then(|relative| Some((relative, StoreLayout::part(relative)?)));
        let Some((relative, part)) =
            known.filter(|(_, part)| part.is_directory() == entry.is_directory)
        else {
            return Err(self.reader.bad("does not belong to a store"));
        };
        let path = self.layout.absolute(relative);
        if part.is_directory() {
            let access = match part {
                Part::LeafKeys | Part::SecretDirectory => Access::Owner,
                _ => Access::Store,
            };
            self.placed(file::create_directory(&path, access))?;
            self.directories.push(relative.to_owned());
            return Ok(());
        }
        let access = if part == Part::Secret {
            Access::Owner
        } else {
            Access::Store
        };
        let (reader, mut bad) = (&mut self.reader, None);
        let created = Group::create_filled(&path, access, |file| {
            let read = reader.file(entry, |bytes| io::Write::write_all(file, bytes));
            read.unwrap_or_else(|error| {
                bad = Some(error);
                Ok(())
            })
        });
        self.placed(created)?;
        self.unsynced.push(path);
        self.files += 1;
        bad.map_or(Ok(()), Err)
    }

    /// Blames the archive for what it hinders.
    fn placed(&self, made: Result<(), FileError>) -> Result<(), StoreError> {
        made.map_err(|error| match error.source.kind() {
            io::ErrorKind::AlreadyExists => self.reader.bad("occurs twice"),
            io::ErrorKind::NotFound => self.reader.bad("comes before its directory"),
            _ => error.into(),
        })
    }

    /// Proves that it is a store, has its CAs go on above what they may have done since, and makes it
    /// durable.
    fn complete(
        &self,
        manifest: Manifest,
        least: u128,
        operator: &Operator,
    ) -> Result<Restored, StoreError> {
        format::check(&self.layout)?;
        self.compare_names(&manifest)?;
        let names: BTreeSet<&CaName> = manifest.cas.iter().collect();
        let mut cas = Vec::new();
        for name in &names {
            let ca = Ca::open(&self.layout.ca(name), name, operator)?;
            let ca =
                ca.ok_or_else(|| StoreError::damaged(self.layout.ca(name).record(), "is missing"))?;
            if let Some(parent) = &ca.record().parent
                && !names.contains(parent)
            {
                let problem = format!("is of a CA under {parent}, which is missing");
                return Err(StoreError::damaged(self.layout.ca(name).record(), problem));
            }
            let proved = prove(&ca)?;
            let floors = raised(&ca, proved.floors, least)?;
            counter::write(&ca.layout()?.serial_counter(), floors.counter)?;
            counter::write(&ca.layout()?.crl_number_counter(), floors.crl_number)?;
            mark(&ca.layout()?.record(), ca.record(), floors)?;
            ca.append_change(Change::Restored)?;
            cas.push(RestoredCa {
                name: (*name).clone(),
                certificates: proved.certificates,
                floors,
            });
        }
        for name in &manifest.pending {
            let layout = self.layout.pending_ca(name);
            let pending = PendingCa::open(layout.clone(), name)?;
            let pending = pending
                .ok_or_else(|| StoreError::damaged(layout.intended_record(), "is missing"))?;
            pending.key_file()?;
            // Installed since the backup, it may have issued.
            let floors = Floors {
                counter: STEP.max(least),
                crl_number: STEP.max(least),
            };
            mark(&layout.intended_record(), pending.record(), floors)?;
        }
        for directory in &self.directories {
            file::sync_directory(&self.layout.absolute(directory))?;
        }
        Ok(Restored {
            made_at: manifest.made_at,
            cas,
            pending: manifest.pending,
            files: self.files,
        })
    }

    /// Refuses directories of CAs that the backup does not speak of.
    fn compare_names(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let is_top = |directory: &&String| !directory.contains('/');
        for directory in self.directories.iter().filter(is_top) {
            let is_known = match StoreLayout::pending_name(directory) {
                Some(name) => manifest.pending.contains(&name),
                None => match directory.parse::<CaName>() {
                    Ok(name) => manifest.cas.contains(&name),
                    Err(_) => true,
                },
            };
            if !is_known {
                let path = self.layout.absolute(directory);
                return Err(StoreError::damaged(&path, "is not a CA of this backup"));
            }
        }
        Ok(())
    }

    /// Turns an error of a file that came from the archive into one of the archive.
    fn about_entry(&self, error: StoreError) -> StoreError {
        let entry = |path: &Path| Some(format!("{DIRECTORY}/{}", self.layout.relative(path)?));
        match error {
            StoreError::Damaged { path, problem } => match path.path().and_then(&entry) {
                Some(name) => self.reader.bad_entry(&name, problem),
                None => StoreError::Damaged { path, problem },
            },
            StoreError::NoStore { .. } => self
                .reader
                .bad_entry(&format!("{DIRECTORY}/"), "is not a store"),
            StoreError::File(error) if error.is_missing() => match entry(&error.path) {
                Some(name) => self.reader.bad_entry(&name, "is missing"),
                None => error.into(),
            },
            StoreError::Newer { found, known, .. } => {
                let problem =
                    format!("has format {found}; this program supports formats up to {known}");
                self.reader.bad_entry(DIRECTORY, problem)
            }
            other => other,
        }
    }
}

/// Outcome of a proof of a CA's files.
struct Proved {
    certificates: u64,
    /// Highest numbers in them.
    floors: Floors,
}

/// Reads all that a CA has on record.
fn prove(ca: &Ca) -> Result<Proved, StoreError> {
    let (layout, name) = (ca.layout()?, ca.name().as_str());
    for (path, journal) in [
        (layout.issued(), "issued"),
        (layout.revoked(), "revoked"),
        (layout.signed_crls(), "crls"),
    ] {
        journal::check_header(&path, journal, name)?;
    }
    let mut counter = counter::read(&layout.serial_counter())?;
    let mut crl_number = counter::read(&layout.crl_number_counter())?;
    let mut certificates = 0;
    journal::scan(&layout.issued(), |issuance: Issuance| {
        counter = counter.max(issuance.counter);
        certificates += 1;
    })?;
    journal::scan(&layout.revoked(), |_: RevocationLine| {})?;
    journal::scan(&layout.signed_crls(), |crl: SignedCrl| {
        crl_number = crl_number.max(crl.number);
    })?;
    let recent = ca.recent_crls()?;
    if let Some(last) = recent.first()
        && !journal::still_covers(&layout.revoked(), &last.covers)?
    {
        let problem = format!("lacks revocations that CRL number {} covers", last.number);
        return Err(StoreError::damaged(layout.revoked(), problem));
    }
    for crl in recent.iter().filter(|crl| crl.ahead) {
        if file::stands(&layout.presigned_crl(crl.number))? {
            ca.presigned_crl(crl)?;
        }
    }
    if !file::stands(&layout.leaf_keys())? {
        return Err(StoreError::damaged(layout.leaf_keys(), "is missing"));
    }
    Ok(Proved {
        certificates,
        floors: Floors {
            counter,
            crl_number,
        },
    })
}

/// Returns numbers far above these, above those of a restore before, and not below the least.
fn raised(ca: &Ca, known: Floors, least: u128) -> Result<Floors, StoreError> {
    let before = ca.record().restored.unwrap_or(known);
    let raise = |known: u128| Some(known.checked_add(STEP)?.max(least));
    let counter = raise(known.counter.max(before.counter));
    let crl_number = raise(known.crl_number.max(before.crl_number));
    let name = || ca.name().clone();
    Ok(Floors {
        counter: counter
            .filter(|counter| Serial::from_counter(*counter, u64::MAX).is_ok())
            .ok_or_else(|| StoreError::SerialsUsedUp { name: name() })?,
        crl_number: crl_number.ok_or_else(|| StoreError::CrlNumbersUsedUp { name: name() })?,
    })
}

/// Records the numbers above which a CA goes on, so that counters from before are of no harm.
fn mark(path: &Path, record: &CaRecord, floors: Floors) -> Result<(), StoreError> {
    let record = CaRecord {
        restored: Some(floors),
        ..record.clone()
    };
    let written = file::write(path, Access::Store, Existing::Replace, &record.to_json());
    Ok(written.map_err(|error| error.source)?)
}
