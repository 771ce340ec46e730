//! One CA of the store: what it is, what it issued, and the way to issue more.

use super::error::StoreError;
use super::file::{self, Access, Existing, Group};
use super::history::{Beginnings, History};
use super::journal;
use super::kind::Journal;
use super::layout::CaLayout;
use super::location::Location;
use super::lock::{Lock, Sharing};
use super::name::CaName;
use super::record::{self, BriefIssuance, CaRecord, Issuance, TableId};
use super::serial_filter::SerialFilter;
use super::{Observer, counter, format};
use crate::pem;
use crate::x509::{Certificate, Serial};
use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Number of bytes of a key that tell it from others.
const KEY_TAIL: usize = 48;

/// A CA, as its files were when it was opened.
#[derive(Clone)]
pub struct Ca {
    pub(super) layout: CaLayout,
    record: CaRecord,
    certificate: Certificate,
    pub(super) observer: Observer,
}

impl Ca {
    /// Opens a CA; `None` where there is none.
    pub(super) fn open(
        layout: CaLayout,
        name: &CaName,
        observer: &Observer,
    ) -> Result<Option<Self>, StoreError> {
        let path = layout.record();
        let Some(bytes) = file::read_if_there(&path)? else {
            return Ok(None);
        };
        let record: CaRecord = serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::damaged(&path, format!("can't be read: {error}")))?;
        if record.name != *name {
            return Err(StoreError::damaged(
                &path,
                format!("is about another CA: {}", record.name),
            ));
        }
        let certificate = read_certificate(&layout.certificate())?;
        Ok(Some(Self {
            layout,
            record,
            certificate,
            observer: observer.clone(),
        }))
    }

    /// The CA's name.
    pub fn name(&self) -> &CaName {
        &self.record.name
    }

    /// The CA's directory.
    pub fn location(&self) -> Location {
        self.layout.directory().into()
    }

    /// What `ca.json` says.
    pub fn record(&self) -> &CaRecord {
        &self.record
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA with another certificate.
    pub(super) fn with_certificate(self, certificate: &Certificate) -> Self {
        Self {
            certificate: certificate.clone(),
            ..self
        }
    }

    /// Whether a directory is in the store that the CA is in.
    pub fn has_beside(&self, directory: &Path) -> bool {
        let root = file::directory_of(self.layout.directory());
        let is_inside = match (directory.canonicalize(), root.canonicalize()) {
            (Ok(directory), Ok(root)) => directory.starts_with(root),
            _ => false,
        };
        is_inside || directory.starts_with(root)
    }

    /// The file with the CA's certificate.
    pub fn certificate_location(&self) -> Location {
        self.layout.certificate().into()
    }

    /// Makes the CA's certificate durable, whoever gave it its name.
    pub fn make_certificate_durable(&self) -> Result<(), StoreError> {
        Ok(file::sync(self.layout.directory())?)
    }

    /// The file with the CA's key.
    pub fn key_location(&self) -> Location {
        self.layout.key().into()
    }

    /// Whether the CA's key is kept here.
    pub fn has_key(&self) -> Result<bool, StoreError> {
        Ok(file::stands(&self.layout.key())?)
    }

    /// The content of the CA's key file; `None` where the key is kept elsewhere.
    pub fn key_file(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(file::read_if_there(&self.layout.key())?.map(Zeroizing::new))
    }

    /// The file with the key of a leaf that was made here.
    pub fn leaf_key_location(&self, serial: &Serial) -> Location {
        self.layout.leaf_key(serial).into()
    }

    /// The content of a leaf's key file; `None` where the key was made elsewhere.
    pub fn leaf_key_file(&self, serial: &Serial) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(file::read_if_there(&self.layout.leaf_key(serial))?.map(Zeroizing::new))
    }

    /// Every certificate that the CA issued, in the order of issuing; reads as it goes.
    pub fn issuances(&self) -> Result<Issuances, StoreError> {
        self.issuances_with(b"")
    }

    /// The certificate with this serial number.
    pub fn issuance(&self, serial: &Serial) -> Result<Option<Issuance>, StoreError> {
        let needle = format!("\"serial\":\"{serial}\"");
        self.issuances_with(needle.as_bytes())?
            .find(|issuance| {
                issuance
                    .as_ref()
                    .map_or(true, |issuance| issuance.serial == *serial)
            })
            .transpose()
    }

    /// Calls `each` for what `make` makes, on any core, of every certificate with one of these serial
    /// numbers, in the order of issuing, after one look through the journal, all of which is proved. The
    /// whole record is read of those in `whole`.
    pub fn each_issuance<R: Send>(
        &self,
        serials: &HashSet<Serial>,
        whole: &HashSet<Serial>,
        make: impl Fn(&BriefIssuance<'_>, Option<Issuance>) -> R + Sync,
        each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        let filter = SerialFilter::new(serials);
        let read = |line: &[u8]| {
            let Some(brief) = filter.read(line, |brief: &BriefIssuance<'_>| &brief.serial)? else {
                return Ok(None);
            };
            let issuance = whole
                .contains(&brief.serial)
                .then(|| serde_json::from_slice(line));
            Ok(Some(make(&brief, issuance.transpose()?)))
        };
        journal::scan_lines(&self.layout.issued(), read, each)
    }

    /// Calls `each` for what `make` makes, on any core, of every certificate, in the order of issuing, after
    /// proof of all of the journal; `None` is left out.
    pub fn each_of_all<R: Send>(
        &self,
        make: impl Fn(&Issuance) -> Option<R> + Sync,
        each: impl FnMut(R),
    ) -> Result<(), StoreError> {
        let read = |line: &[u8]| Ok(make(&serde_json::from_slice(line)?));
        journal::scan_lines(&self.layout.issued(), read, each)
    }

    /// Every certificate with this common name, in the order of issuing.
    pub fn issuances_named(&self, common_name: &str) -> Result<Vec<Issuance>, StoreError> {
        self.issuances_mentioning(common_name)?
            .filter(|issuance| {
                issuance
                    .as_ref()
                    .map_or(true, |issuance| issuance.cn == common_name)
            })
            .collect()
    }

    /// Every certificate whose record has a text as one of its values, and perhaps others, in the order of
    /// issuing; only their records are read.
    pub fn issuances_mentioning(&self, text: &str) -> Result<Issuances, StoreError> {
        let needle = serde_json::to_vec(text).expect("a string is plain data");
        self.issuances_with(&needle)
    }

    /// Every certificate that was issued from rows of a table, in the order of issuing.
    pub fn issuances_of_table(
        &self,
        table: TableId,
    ) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
        let needle = format!("\"row\":\"{table}-");
        let is_of_table =
            move |issuance: &Issuance| issuance.row.is_some_and(|row| row.batch.table == table);
        let found = self.issuances_with(needle.as_bytes())?;
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_table)))
    }

    /// Every certificate that was issued for entries of declarations, in the order of issuing.
    pub fn issuances_of_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
        let found = self.issuances_with(b"\"entry\":\"")?;
        let is_of_entry = |issuance: &Issuance| issuance.entry.is_some();
        Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_of_entry)))
    }

    /// The certificate that was issued last.
    pub fn last_issuance(&self) -> Result<Option<Issuance>, StoreError> {
        Ok(journal::backwards(&self.layout.issued(), |_| false)?.pop())
    }

    /// Those that were issued since the serial counter was this, in the order of issuing.
    pub fn issuances_since(&self, counter: u128) -> Result<Vec<Issuance>, StoreError> {
        let is_new = |issuance: &Issuance| issuance.counter > counter;
        let mut issuances = journal::backwards(&self.layout.issued(), is_new)?;
        issuances.retain(is_new);
        issuances.reverse();
        Ok(issuances)
    }

    /// Every recorded certificate that may be about a public key, in the order of issuing: those whose
    /// bytes have the last ones of the key's [`secret_part`](crate::key::PublicKey::secret_part) in them.
    pub fn issuances_about(&self, secret_part: &[u8]) -> Result<Vec<Issuance>, StoreError> {
        let tail = &secret_part[secret_part.len().saturating_sub(KEY_TAIL)..];
        self.issuances_holding(tail)?.collect()
    }

    /// Every certificate whose bytes have these in them, and perhaps others, in the order of issuing; reads
    /// as it goes.
    pub fn issuances_holding(&self, bytes: &[u8]) -> Result<Issuances, StoreError> {
        let texts = record::base64_of_bytes_inside(bytes);
        let wanted = texts.each_ref().map(|text| text.as_bytes());
        Ok(Issuances(journal::search(&self.layout.issued(), &wanted)?))
    }

    /// Those whose line has a text in it.
    fn issuances_with(&self, text: &[u8]) -> Result<Issuances, StoreError> {
        Ok(Issuances(journal::search(&self.layout.issued(), &[text])?))
    }

    /// Whether any of the CA's journals has a record.
    pub(super) fn has_records(&self) -> Result<bool, StoreError> {
        for journal in Journal::ALL {
            if journal::has_records(&self.journal_path(journal))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes durable what a journal holds, whoever wrote it. Whoever answers on the strength of a record
    /// calls this between reading and answering: its writer may have been killed before its sync.
    pub fn make_durable(&self, journal: Journal) -> Result<(), StoreError> {
        Ok(file::sync(&self.journal_path(journal))?)
    }

    /// Keeps the end of an interrupted batch from being issued twice: who goes on with one waits until
    /// none is at work, and those that begin keep it waiting, not each other.
    pub fn lock_batches(&self, goes_on: bool) -> Result<LockedBatches, StoreError> {
        let sharing = if goes_on {
            Sharing::Alone
        } else {
            Sharing::Shared
        };
        file::refuse_foreign_link(&self.layout.leaf_keys())?;
        let lock = Lock::of_directory(&self.layout.leaf_keys(), sharing, &self.observer)?;
        Ok(LockedBatches { _lock: lock })
    }

    /// A way to keep many leaf keys at once.
    pub fn leaf_keys(&self) -> Result<LeafKeys<'_>, StoreError> {
        Ok(LeafKeys {
            ca: self,
            group: Group::of(&self.layout.leaf_keys())?,
        })
    }

    /// Takes the CA's lock; its directories are the store's, and lead nowhere else by another user's wish.
    pub(super) fn hold(&self) -> Result<Lock, StoreError> {
        let directories = self.layout.directories();
        directories
            .iter()
            .try_for_each(|directory| file::refuse_foreign_link(directory))?;
        Lock::acquire(&self.layout.lock(), &self.observer)
    }

    /// Waits until no other process changes this CA.
    pub fn lock(&self) -> Result<LockedCa<'_>, StoreError> {
        let lock = self.hold()?;
        let issued = journal::Writer::open(&self.layout.issued(), &self.observer)?;
        let recorded = issued.last::<Issuance>()?.map_or(0, |last| last.counter);
        let floor = self.record.restored.map_or(0, |floors| floors.counter);
        // An older copy of the counter may have been put back; the journal knows better.
        let counter = counter::read(&self.layout.serial_counter())?.max(recorded);
        let counter = counter.max(floor);
        Ok(LockedCa {
            ca: self,
            issued,
            counter,
            _lock: lock,
        })
    }
}

pub(super) fn read_certificate(path: &Path) -> Result<Certificate, StoreError> {
    let bytes = file::read(path)?;
    let objects = pem::decode(&bytes)
        .map_err(|error| StoreError::damaged(path, format!("is not PEM: {error}")))?;
    let [object] = objects.as_slice() else {
        return Err(StoreError::damaged(path, "does not hold one certificate"));
    };
    Certificate::from_der(&object.der)
        .map_err(|error| StoreError::damaged(path, format!("is not a certificate: {error}")))
}

/// Records of `issued.jsonl`, read one by one.
pub struct Issuances(journal::Search<Issuance>);

impl Iterator for Issuances {
    type Item = Result<Issuance, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// A CA of which nobody goes on with an interrupted batch.
pub struct LockedBatches {
    _lock: Lock,
}

/// Leaf keys that become durable together.
pub struct LeafKeys<'a> {
    ca: &'a Ca,
    group: Group,
}

impl LeafKeys<'_> {
    /// Keeps a leaf's key; durable after [`LeafKeys::sync`].
    pub fn store(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        let path = self.ca.layout.leaf_key(serial);
        Ok(Group::create(&path, Access::Owner, key_pem)?)
    }

    /// Makes keys that were stored durable.
    pub fn sync(&self, serials: &[Serial]) -> Result<(), StoreError> {
        if serials.is_empty() {
            return Ok(());
        }
        let path = |serial| self.ca.layout.leaf_key(serial);
        let paths: Vec<PathBuf> = serials.iter().map(path).collect();
        Ok(self.group.sync(&paths)?)
    }

    /// Takes back keys for which nothing was recorded.
    pub fn discard(&self, serials: &[Serial]) {
        for serial in serials {
            // A key without a certificate is of no use to anybody, and does no harm.
            let _ = file::remove_if_there(&self.ca.layout.leaf_key(serial));
        }
    }
}

/// A CA that no other process changes: the only way to its counters and journals.
pub struct LockedCa<'a> {
    ca: &'a Ca,
    issued: journal::Writer,
    counter: u128,
    _lock: Lock,
}

impl LockedCa<'_> {
    /// Reserves a serial number, durably. It is never given out again, used or not.
    pub fn reserve_serial(&mut self, random: u64) -> Result<Serial, StoreError> {
        let reserved = self.reserve_serials(&[random])?;
        Ok(reserved[0])
    }

    /// Reserves a serial number for each random number, as [`LockedCa::reserve_serial`] does, in one go.
    pub fn reserve_serials(&mut self, random: &[u64]) -> Result<Vec<Serial>, StoreError> {
        let used_up = || StoreError::SerialsUsedUp {
            name: self.ca.name().clone(),
        };
        let mut last = self.counter;
        let mut serials = Vec::with_capacity(random.len());
        for random in random {
            last = last.checked_add(1).ok_or_else(used_up)?;
            serials.push(Serial::from_counter(last, *random).map_err(|_| used_up())?);
        }
        counter::write(&self.ca.layout.serial_counter(), last)?;
        self.counter = last;
        Ok(serials)
    }

    /// Raises the counter, durably: numbers up to this one were given out elsewhere.
    pub fn raise_counter(&mut self, counter: u128) -> Result<(), StoreError> {
        if counter > self.counter {
            counter::write(&self.ca.layout.serial_counter(), counter)?;
            self.counter = counter;
        }
        Ok(())
    }

    /// The highest counter that was reserved.
    pub fn counter(&self) -> u128 {
        self.counter
    }

    /// Keeps a leaf's key, durably.
    pub fn store_leaf_key(&self, serial: &Serial, key_pem: &[u8]) -> Result<(), StoreError> {
        let path = self.ca.layout.leaf_key(serial);
        file::create(&path, Access::Owner, key_pem)?;
        let synced = file::sync_directory(&self.ca.layout.leaf_keys()).inspect_err(|_| {
            // Nothing will be issued for it; what failed is the one to report.
            let _ = file::remove(&path);
        });
        Ok(synced?)
    }

    /// Takes back a leaf's key whose certificate could not be recorded.
    pub fn remove_leaf_key(&self, serial: &Serial) -> Result<(), StoreError> {
        Ok(file::remove(&self.ca.layout.leaf_key(serial))?)
    }

    /// Records certificates, durably: they are issued when this returns.
    pub fn record_issuances(&mut self, issuances: &[Issuance]) -> Result<(), StoreError> {
        self.issued.append(issuances)
    }
}

/// Everything that a new CA's directory holds.
pub struct Material<'a> {
    /// `ca.json`.
    pub record: &'a CaRecord,
    /// `ca.crt`.
    pub certificate: &'a Certificate,
    /// `ca.key`, as PEM; `None` where the key is kept elsewhere.
    pub key_pem: Option<&'a [u8]>,
    /// The serial counter's first value.
    pub serial_counter: u128,
    /// What the CA has issued already: a root, itself.
    pub issued: &'a [Issuance],
    /// What else it did before; `None` for a CA that is new, or of which that is not known.
    pub history: Option<&'a History>,
}

impl Material<'_> {
    /// The store's format without which this can't be read.
    pub(super) fn format(&self) -> Option<u32> {
        let lacks_one = self.issued.iter().any(|issuance| issuance.der.is_none());
        lacks_one.then_some(format::WITHOUT_CERTIFICATES)
    }

    /// Writes and syncs everything but the name of the directory.
    pub(super) fn write(&self, layout: &CaLayout) -> Result<(), StoreError> {
        let Self {
            record,
            certificate,
            key_pem,
            serial_counter,
            issued,
            history,
        } = self;
        let name = record.name.as_str();
        let Beginnings {
            crl_number,
            revoked,
            signed_crls,
        } = Beginnings::of(name, *history);
        file::create_directory(layout.directory(), Access::Store)?;
        file::create_directory(&layout.leaf_keys(), Access::Owner)?;
        if let Some(key_pem) = key_pem {
            file::create(&layout.key(), Access::Owner, key_pem)?;
        }
        let plain = [
            (layout.certificate(), certificate.to_pem().into_bytes()),
            (
                layout.serial_counter(),
                counter::line(*serial_counter).into_bytes(),
            ),
            (
                layout.crl_number_counter(),
                counter::line(crl_number).into_bytes(),
            ),
            (layout.revoked(), revoked),
            (layout.signed_crls(), signed_crls),
        ];
        for (path, content) in plain {
            file::create(&path, Access::Store, &content)?;
        }
        file::create(&layout.lock(), Access::Owner, &[])?;
        file::create_filled(&layout.issued(), Access::Store, |file| {
            let mut buffered = BufWriter::with_capacity(256 * 1024, file);
            journal::write_start(&mut buffered, "issued", name, issued)?;
            buffered.flush()
        })?;
        if let Some(history) = history {
            history.write_leaf_keys(layout)?;
        }
        file::sync_directory(layout.directory())?;
        // Whole or absent, and the last: where it stands, all the rest does.
        file::write(
            &layout.record(),
            Access::Store,
            Existing::Keep,
            &record.to_json(),
        )
        .map_err(|error| error.source)?;
        Ok(())
    }
}
