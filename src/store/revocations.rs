//! Revocations of a CA, and the CRLs that it signed.

use super::ca::Ca;
use super::counter;
use super::database::{Lease, Revoking};
use super::error::StoreError;
use super::file::{self, Access};
use super::journal::{self, Writer, search, search_behind};
use super::kind::Journal;
use super::layout::CaLayout;
use super::place::{CaPlace, Hold};
use super::record::{AGAIN, Coverage, RevocationLine, Revoked, SignedCrl};
use super::serial_filter::SerialFilter;
use super::standing::{RevocationChange, Standing};
use crate::x509::{Fingerprint, Serial};
use std::collections::{HashMap, HashSet};
use std::ops::RangeBounds;
use time::OffsetDateTime;

/// Bytes of an entry of a CRL without an invalidity date, at most.
const ENTRY: usize = 64;

impl Ca {
    pub(crate) fn revoked(&self, serial: &Serial) -> Result<Option<Revoked>, StoreError> {
        Ok(self.standing(serial)?.revoked())
    }

    pub(crate) fn standing(&self, serial: &Serial) -> Result<Standing, StoreError> {
        let needle = format!("\"serial\":\"{serial}\"");
        let mut standing = Standing::NeverRevoked;
        if let Some(rows) = self.rows() {
            if !rows.revocations_of_authority(serial, |line| standing = line.standing())? {
                rows.revocations_of(std::iter::once(serial), |line| standing = line.standing())?;
            }
            return Ok(standing);
        }
        for line in search(&self.layout()?.revoked(), &[needle.as_bytes()])? {
            let line: RevocationLine = line?;
            if line.serial == *serial {
                standing = line.standing();
            }
        }
        Ok(standing)
    }

    /// Returns the status of every certificate that ever was revoked.
    pub(crate) fn standings(&self) -> Result<HashMap<Serial, Standing>, StoreError> {
        let mut standings = HashMap::new();
        self.each_line(|line| {
            standings.insert(line.serial, line.standing());
        })?;
        Ok(standings)
    }

    /// Returns the status of those of these certificates that ever were revoked, after one pass over the
    /// journal.
    pub(crate) fn standings_of(
        &self,
        serials: &HashSet<Serial>,
    ) -> Result<HashMap<Serial, Standing>, StoreError> {
        let mut standings = HashMap::new();
        let each = |line: RevocationLine| {
            standings.insert(line.serial, line.standing());
        };
        if let Some(rows) = self.rows() {
            rows.revocations_of(serials.iter(), each)?;
            return Ok(standings);
        }
        let filter = SerialFilter::new(serials);
        let read = |line: &[u8]| filter.read(line, |line: &RevocationLine| &line.serial);
        journal::scan_lines(&self.layout()?.revoked(), read, each)?;
        Ok(standings)
    }

    /// Returns those of these certificates that are revoked.
    pub(crate) fn revoked_among(
        &self,
        serials: &HashSet<Serial>,
    ) -> Result<HashMap<Serial, Revoked>, StoreError> {
        let standings = self.standings_of(serials)?.into_iter();
        Ok(standings
            .filter_map(|(serial, standing)| Some((serial, standing.revoked()?)))
            .collect())
    }

    pub(crate) fn all_revoked(&self) -> Result<HashMap<Serial, Revoked>, StoreError> {
        let mut all = HashMap::new();
        self.each_revoked(|serial, revoked| {
            all.insert(*serial, *revoked);
        })?;
        Ok(all)
    }

    /// Calls `each` for every certificate that is revoked now, in the order in which they first were.
    /// Only lines about serials that were revoked before are held in memory.
    pub(crate) fn each_revoked(
        &self,
        mut each: impl FnMut(&Serial, &Revoked),
    ) -> Result<(), StoreError> {
        let changed = self.changed_again()?;
        self.each_line(|line| {
            if line.again {
                return;
            }
            let state = changed.get(&line.serial).copied().unwrap_or(line.revoked);
            if let Some(revoked) = state {
                each(&line.serial, &revoked);
            }
        })
    }

    /// Calls `each` for every record of revocations, in their order.
    fn each_line(&self, each: impl FnMut(RevocationLine)) -> Result<(), StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => {
                let read = |line: &[u8]| RevocationLine::read(line).map(Some);
                journal::scan_lines(&layout.revoked(), read, each)
            }
            CaPlace::Database(rows) => rows.each_revocation(each),
        }
    }

    /// Returns the present state of every serial number that was released, or revoked for another reason.
    fn changed_again(&self) -> Result<HashMap<Serial, Option<Revoked>>, StoreError> {
        let mut changed = HashMap::new();
        if let Some(rows) = self.rows() {
            rows.revocations_again(|line| {
                changed.insert(line.serial, line.revoked);
            })?;
            return Ok(changed);
        }
        for line in search(&self.layout()?.revoked(), &[AGAIN])? {
            let line: RevocationLine = line?;
            changed.insert(line.serial, line.revoked);
        }
        Ok(changed)
    }

    /// Returns every serial number that ever was revoked, whether released since or not.
    pub(crate) fn ever_revoked(&self) -> Result<HashSet<Serial>, StoreError> {
        let mut serials = HashSet::new();
        self.each_line(|line| {
            serials.insert(line.serial);
        })?;
        Ok(serials)
    }

    /// Returns the serial numbers about which something was recorded behind a place.
    pub(crate) fn recorded_since(&self, place: &Coverage) -> Result<HashSet<Serial>, StoreError> {
        if let Some(rows) = self.rows() {
            let mut serials = HashSet::new();
            rows.revocations_behind(place, |line| {
                serials.insert(line.serial);
            })?;
            return Ok(serials);
        }
        let lines = search_behind(&self.layout()?.revoked(), place, &[b""])?;
        lines
            .map(|line| line.map(|line: RevocationLine| line.serial))
            .collect()
    }

    pub(crate) fn revocations_end(&self) -> Result<Coverage, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => journal::end(&layout.revoked()),
            CaPlace::Database(rows) => rows.revocation_end(),
        }
    }

    /// Returns the number of bytes that a CRL of all that is revoked up to a place has at most.
    pub(crate) fn crl_size(&self, covers: &Coverage) -> usize {
        match &self.place {
            CaPlace::Directory(_) => covers.crl_size(),
            CaPlace::Database(_) => {
                usize::try_from(covers.length).map_or(0, |count| count.saturating_mul(ENTRY))
            }
        }
    }

    /// Reads signed CRLs, newest first, until one that `goes_on` does not admit.
    fn crls_backwards(
        &self,
        goes_on: impl Fn(&SignedCrl) -> bool,
    ) -> Result<Vec<SignedCrl>, StoreError> {
        match &self.place {
            CaPlace::Directory(layout) => journal::backwards(&layout.signed_crls(), goes_on),
            CaPlace::Database(rows) => rows.crls_backwards(goes_on),
        }
    }

    /// Returns the CRLs that were signed last, newest first: pre-signed ones, back to one that was
    /// published at once.
    pub(crate) fn recent_crls(&self) -> Result<Vec<SignedCrl>, StoreError> {
        self.crls_backwards(|crl| crl.ahead)
    }

    /// Returns the record of the CRL with a number.
    pub(crate) fn signed_crl(&self, number: u128) -> Result<Option<SignedCrl>, StoreError> {
        if let Some(rows) = self.rows() {
            return rows.signed_crl(number);
        }
        let is_later = |crl: &SignedCrl| crl.number > number;
        let last = journal::backwards(&self.layout()?.signed_crls(), is_later)?.pop();
        Ok(last.filter(|crl| crl.number == number))
    }

    /// Returns whether a CRL is from before the CA came back from a backup: others may have followed it,
    /// of which nothing is recorded.
    pub(crate) fn signed_before_restore(&self, crl: &SignedCrl) -> bool {
        let restored = self.record().restored;
        restored.is_some_and(|floors| crl.number <= floors.crl_number)
    }

    /// Returns the CRLs that are complete, newest first: valid at `now`, and with nothing revoked or
    /// released since.
    pub(crate) fn crls_without_news(
        &self,
        now: OffsetDateTime,
    ) -> Result<Vec<SignedCrl>, StoreError> {
        let covers = self.revocations_end()?;
        let is_good = |crl: &SignedCrl| {
            crl.covers == covers && now <= crl.next_update && !self.signed_before_restore(crl)
        };
        let mut crls = self.crls_backwards(is_good)?;
        crls.retain(is_good);
        Ok(crls)
    }

    /// Returns a pre-signed CRL, which has to be the one on record.
    pub(crate) fn presigned_crl(&self, crl: &SignedCrl) -> Result<Vec<u8>, StoreError> {
        let path = self.presigned_crl_location(crl.number);
        let der = match &self.place {
            CaPlace::Directory(layout) => file::read_if_there(&layout.presigned_crl(crl.number))?,
            CaPlace::Database(rows) => rows.presigned_crl(crl.number)?,
        };
        let der = der.ok_or_else(|| StoreError::damaged(&path, "is missing"))?;
        if Fingerprint::of(&der).to_string() != crl.sha256 {
            return Err(StoreError::damaged(
                &path,
                "is not the list that was signed",
            ));
        }
        Ok(der)
    }

    /// Waits until no other process changes this CA, to revoke.
    pub(crate) fn lock_revocations(&self) -> Result<LockedRevocations, StoreError> {
        if let Some(rows) = self.rows() {
            let stamp = self.operator.stamp().to_owned();
            return Ok(LockedRevocations(Revocation::Database(
                rows.revoking()?,
                stamp,
            )));
        }
        let lock = self.hold()?;
        let journal = Writer::open(&self.layout()?.revoked(), &self.operator)?;
        Ok(LockedRevocations(Revocation::Directory {
            journal,
            _lock: lock,
        }))
    }

    /// Waits until no other process changes this CA, to sign CRLs.
    pub(crate) fn lock_crls(&self) -> Result<LockedCrls<'_>, StoreError> {
        let locked = self.lock_crls_to_recover()?;
        if let Some(last) = locked.recent.first()
            && !self.still_covers(&last.covers)?
        {
            return Err(StoreError::RevocationsLost {
                path: self.journal_location(Journal::Revoked),
                number: last.number,
            });
        }
        Ok(locked)
    }

    /// Same as [`Ca::lock_crls`], also if the journal of revocations lacks some that the last CRL covers.
    pub(crate) fn lock_crls_to_recover(&self) -> Result<LockedCrls<'_>, StoreError> {
        let floor = self.record().restored.map_or(0, |floors| floors.crl_number);
        if let Some(rows) = self.rows() {
            let lease = rows.lease(&self.operator)?;
            let recent = self.recent_crls()?;
            let last = recent.first().map_or(0, |last| last.number);
            return Ok(LockedCrls {
                ca: self,
                covers: self.revocations_end()?,
                number: lease.number.max(last).max(floor),
                recent,
                work: Signing::Database(lease),
            });
        }
        let lock = self.hold()?;
        let revoked = Writer::open(&self.layout()?.revoked(), &self.operator)?;
        // A CRL outlasts what it covers.
        revoked.sync()?;
        let covers = revoked.end()?;
        let journal = Writer::open(&self.layout()?.signed_crls(), &self.operator)?;
        let recent = self.recent_crls()?;
        let last = recent.first();
        let number = counter::read(&self.layout()?.crl_number_counter())?;
        // An older copy of the counter may have been put back; the journal knows better.
        let number = number.max(last.map_or(0, |last| last.number));
        let number = number.max(floor);
        Ok(LockedCrls {
            ca: self,
            recent,
            covers,
            number,
            work: Signing::Directory {
                journal,
                _lock: lock,
            },
        })
    }

    /// Does something while no other process signs or publishes a CRL of this CA.
    pub(crate) fn while_publishing<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let _lease = match self.rows() {
            Some(rows) => Some(rows.lease(&self.operator)?),
            None => None,
        };
        let _lock = self.hold()?;
        work()
    }
}

/// CA that no other process changes, to revoke.
pub(crate) struct LockedRevocations(Revocation);

enum Revocation {
    Directory { journal: Writer, _lock: Hold },
    Database(Revoking, String),
}

impl LockedRevocations {
    pub(crate) fn record(
        &mut self,
        changes: impl IntoIterator<Item = RevocationChange>,
    ) -> Result<(), StoreError> {
        let lines = changes.into_iter();
        let mut lines = lines.map(|change| RevocationLine::from(&change)).peekable();
        match &mut self.0 {
            Revocation::Directory { journal, .. } => journal.append(lines),
            Revocation::Database(..) if lines.peek().is_none() => Ok(()),
            Revocation::Database(revoking, stamp) => revoking.record(lines, stamp),
        }
    }
}

/// CA that no other process changes, to sign CRLs.
pub(crate) struct LockedCrls<'a> {
    ca: &'a Ca,
    recent: Vec<SignedCrl>,
    covers: Coverage,
    number: u128,
    work: Signing,
}

enum Signing {
    Directory { journal: Writer, _lock: Hold },
    Database(Lease),
}

impl LockedCrls<'_> {
    pub(crate) fn recent(&self) -> &[SignedCrl] {
        &self.recent
    }

    /// Returns the part of the journal of revocations that a CRL signed now covers.
    pub(crate) fn covers(&self) -> &Coverage {
        &self.covers
    }

    /// Records revocations that the journal has lost, durably.
    pub(crate) fn record_again(
        &mut self,
        lost: impl IntoIterator<Item = RevocationChange>,
    ) -> Result<(), StoreError> {
        let lines = lost.into_iter();
        let lines = lines.map(|change| RevocationLine::from(&change));
        self.covers = match &self.work {
            Signing::Directory { .. } => {
                let path = self.ca.layout()?.revoked();
                let mut revoked = Writer::open(&path, &self.ca.operator)?;
                revoked.append(lines)?;
                revoked.end()?
            }
            Signing::Database(lease) => lease.record_again(lines, self.ca.operator.stamp())?,
        };
        Ok(())
    }

    /// Reserves numbers for `count` CRLs, durably, above all that were and above `published`; returns the
    /// first.
    pub(crate) fn reserve_numbers(
        &mut self,
        published: Option<u128>,
        count: usize,
    ) -> Result<u128, StoreError> {
        let before = self.number.max(published.unwrap_or(0));
        let last = before.checked_add(count as u128);
        self.number = last.ok_or_else(|| StoreError::CrlNumbersUsedUp {
            name: self.ca.name().clone(),
        })?;
        if let Signing::Database(lease) = &mut self.work {
            self.number = lease.reserve(before, count)?;
            return Ok(self.number - count as u128 + 1);
        }
        counter::write(&self.ca.layout()?.crl_number_counter(), self.number)?;
        Ok(before + 1)
    }

    /// Keeps a CRL until it is due, for its owner alone: it says of what is revoked until then that it is
    /// valid. [`LockedCrls::record`] makes it count.
    pub(crate) fn store_presigned(&self, number: u128, der: &[u8]) -> Result<(), StoreError> {
        if let Signing::Database(lease) = &self.work {
            return lease.keep(number, der);
        }
        let directory = self.ca.layout()?.presigned_crls();
        if !file::stands(&directory)? {
            file::create_directory(&directory, Access::Owner)?;
            file::sync_directory(self.ca.layout()?.directory())?;
        }
        file::create(&self.ca.layout()?.presigned_crl(number), Access::Owner, der)?;
        Ok(file::sync_directory(&directory)?)
    }

    pub(crate) fn record(&mut self, crls: &[SignedCrl]) -> Result<(), StoreError> {
        match &mut self.work {
            Signing::Directory { journal, .. } => journal.append(crls)?,
            Signing::Database(lease) => lease.record(crls, self.ca.operator.stamp())?,
        }
        for crl in crls {
            if !crl.ahead {
                self.recent.clear();
            }
            self.recent.insert(0, crl.clone());
        }
        Ok(())
    }

    /// Removes pre-signed CRLs with these numbers: none of them will be published.
    pub(crate) fn forget_presigned(&self, numbers: impl RangeBounds<u128>) {
        if let Signing::Database(lease) = &self.work {
            lease.forget(&numbers);
            return;
        }
        let layout = self.ca.layout();
        let Ok(entries) = layout.map(|layout| std::fs::read_dir(layout.presigned_crls())) else {
            return;
        };
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(CaLayout::number_of_presigned_crl);
            if number.is_some_and(|number| numbers.contains(&number)) {
                // Nothing reads it; the next CRL that is signed has it removed.
                let _ = file::remove(&entry.path());
            }
        }
    }
}
