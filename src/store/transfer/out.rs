//! Out of a database into a directory.

use crate::store::database::{CaRow, Rows, Session, State};
use crate::store::error::StoreError;
use crate::store::file::{self, Access, Existing};
use crate::store::journal::NewJournal;
use crate::store::layout::{CaLayout, StoreLayout};
use crate::store::log::CHANGES;
use crate::store::record::{Coverage, SignedCrl, Stamped};
use crate::store::{counter, format};
use crate::x509::{Certificate, Fingerprint};
use serde::Serialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const BUFFER: usize = 256 * 1024;

/// Copies the store that an open transaction sees.
pub(super) fn copy(session: &Session, directory: &Path) -> Result<(), StoreError> {
    let layout = StoreLayout::new(directory);
    let facts = session.facts()?;
    format::create_unless_there(&layout, facts.fixture)?;
    if let Some(profiles) = &facts.profiles {
        create(&layout.profiles(), Access::Store, profiles.as_bytes())?;
    }
    for (name, row) in &facts.cas {
        let of_ca = match row.state {
            State::Ready => layout.ca(name),
            State::Pending => layout.pending_ca(name),
            State::Removed => {
                format::raise(&layout, format::REMOVED)?;
                layout.removed_ca(name)
            }
        };
        if let Some(needed) = row.record.format() {
            format::raise(&layout, needed)?;
        }
        let copy = Copy {
            rows: Rows::of(session, row),
            layout: of_ca.with_generation(row.record.keys),
            row,
        };
        if row.record.keys > 0 {
            format::raise(&layout, format::REMOVED)?;
        }
        if row.state == State::Pending {
            copy.pending()?;
        } else if copy.ca()? {
            format::raise(&layout, format::WITHOUT_CERTIFICATES)?;
        }
    }
    Ok(())
}

fn create(path: &Path, access: Access, content: &[u8]) -> Result<(), StoreError> {
    Ok(file::write(path, access, Existing::Keep, content).map_err(|error| error.source)?)
}

/// One CA.
struct Copy<'a> {
    rows: Rows,
    layout: CaLayout,
    row: &'a CaRow,
}

impl Copy<'_> {
    fn own_key(&self) -> Result<(), StoreError> {
        match self.rows.key()? {
            Some(key) => create(&self.layout.key(), Access::Owner, &key),
            None => Ok(()),
        }
    }

    fn pending(&self) -> Result<(), StoreError> {
        file::create_directory(self.layout.directory(), Access::Store)?;
        self.own_key()?;
        let der = self.row.request.as_deref().unwrap_or_default();
        let request = crate::pem::encode("CERTIFICATE REQUEST", der);
        create(&self.layout.request(), Access::Store, request.as_bytes())?;
        let record = self.row.record.to_json();
        create(&self.layout.intended_record(), Access::Store, &record)
    }

    /// Returns whether a record lacks its certificate.
    fn ca(&self) -> Result<bool, StoreError> {
        let (layout, rows) = (&self.layout, &self.rows);
        file::create_directory(layout.directory(), Access::Store)?;
        file::create_directory(&layout.leaf_keys(), Access::Owner)?;
        self.own_key()?;
        let der = self.row.certificate.as_deref().unwrap_or_default();
        create(&layout.certificate(), Access::Store, pem_of(der).as_bytes())?;
        let (serial, crl_number) = rows.counters()?;
        for (path, number) in [
            (layout.serial_counter(), serial),
            (layout.crl_number_counter(), crl_number),
        ] {
            create(&path, Access::Store, counter::line(number).as_bytes())?;
        }
        file::create(&layout.lock(), Access::Owner, &[])?;
        let lacks_one = self.issued()?;
        self.revoked_and_crls()?;
        self.changes()?;
        self.others()?;
        create(&layout.record(), Access::Store, &self.row.record.to_json())?;
        Ok(lacks_one)
    }

    fn journal(
        &self,
        path: &Path,
        name: &str,
        fill: impl FnOnce(&mut NewJournal<BufWriter<&File>>) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        let ca = self.row.record.name.as_str();
        Ok(file::create_filled(path, Access::Store, |file| {
            let buffered = BufWriter::with_capacity(BUFFER, &*file);
            let mut journal = NewJournal::begin(buffered, name, ca)?;
            fill(&mut journal)?;
            journal.into_inner().flush()
        })?)
    }

    fn issued(&self) -> Result<bool, StoreError> {
        let (mut highest, mut lacks_one, mut bad) = (0, false, None);
        self.journal(&self.layout.issued(), "issued", |journal| {
            for read in self.rows.stamped_issuances() {
                let Stamped { mut record, at, by } = match read {
                    Ok(read) => read,
                    Err(error) => {
                        bad = Some(error);
                        break;
                    }
                };
                // Those who issued at once recorded in any order.
                highest = record.counter.max(highest);
                record.counter = highest;
                lacks_one |= record.der.is_none();
                journal.push(&body(&record, &super::stamp(at, by.as_deref())))?;
            }
            Ok(())
        })?;
        bad.map_or(Ok(lacks_one), Err)
    }

    /// Copies revocations, and CRLs with the places in the new journal that they cover.
    fn revoked_and_crls(&self) -> Result<(), StoreError> {
        let crls = self.rows.records("crl", "number")?;
        let crls = crls.iter().map(|text| self.rows.parsed("a CRL", text));
        let crls: Vec<Stamped<SignedCrl>> = crls.collect::<Result<_, _>>()?;
        let wanted: Vec<u64> = crls.iter().map(|crl| crl.record.covers.length).collect();
        let mut places: HashMap<u64, Coverage> = HashMap::new();
        let revocations = self.rows.revocation_texts()?;
        self.journal(&self.layout.revoked(), "revoked", |journal| {
            places.insert(0, journal.end());
            for (number, text) in (1..).zip(&revocations) {
                journal.push(text.strip_suffix('}').unwrap_or(text).as_bytes())?;
                if wanted.contains(&number) {
                    places.insert(number, journal.end());
                }
            }
            Ok(())
        })?;
        self.journal(&self.layout.signed_crls(), "crls", |journal| {
            for Stamped { mut record, at, by } in crls {
                // One that covers what is lost keeps what it says.
                if let Some(place) = places.get(&record.covers.length) {
                    record.covers = place.clone();
                }
                journal.push(&body(&record, &super::stamp(at, by.as_deref())))?;
            }
            Ok(())
        })
    }

    fn changes(&self) -> Result<(), StoreError> {
        let changes = self.rows.records("change", "id")?;
        if changes.is_empty() {
            return Ok(());
        }
        self.journal(&self.layout.changes(), CHANGES, |journal| {
            let mut bodies = changes.iter().filter_map(|text| text.strip_suffix('}'));
            bodies.try_for_each(|body| journal.push(body.as_bytes()))
        })
    }

    /// Copies keys of leaves, previous certificates and pre-signed CRLs.
    fn others(&self) -> Result<(), StoreError> {
        let layout = &self.layout;
        self.rows.each_leaf_key(|serial, pem| {
            // The copy is gone when the archive of it is durable.
            Ok(file::Group::create(
                &layout.leaf_key(&serial),
                Access::Owner,
                pem,
            )?)
        })?;
        let previous = self.rows.previous_certificates()?;
        if !previous.is_empty() {
            file::create_directories(&layout.previous_certificates(), Access::Store)?;
        }
        for (_, der) in previous {
            let path = layout.previous_certificate(&Fingerprint::of(&der));
            create(&path, Access::Store, pem_of(&der).as_bytes())?;
        }
        let presigned = self.rows.presigned_crls()?;
        if !presigned.is_empty() {
            file::create_directory(&layout.presigned_crls(), Access::Owner)?;
        }
        for (number, der) in presigned {
            file::create(&layout.presigned_crl(number), Access::Owner, &der)?;
        }
        Ok(())
    }
}

fn pem_of(der: &[u8]) -> String {
    Certificate::from_der(der).map_or_else(
        |_| crate::pem::encode("CERTIFICATE", der),
        |certificate| certificate.to_pem(),
    )
}

/// Serializes a record with its stamp, up to the check.
fn body(record: &impl Serialize, stamp: &str) -> Vec<u8> {
    let mut body = serde_json::to_vec(record).expect("records are plain data");
    body.pop();
    body.extend_from_slice(stamp.as_bytes());
    body
}
