//! Files of a new CA.

use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::history::{Beginnings, History};
use super::layout::CaLayout;
use super::log::CHANGES;
use super::record::{CaRecord, Change, ChangeLine, Issuance};
use super::{Operator, counter, format, journal};
use crate::x509::Certificate;
use std::io::{BufWriter, Write};

pub(crate) struct Material<'a> {
    pub(crate) record: &'a CaRecord,
    pub(crate) certificate: &'a Certificate,
    /// Key file; `None` if the key is kept elsewhere.
    pub(crate) key_pem: Option<&'a [u8]>,
    pub(crate) serial_counter: u128,
    /// Certificates that the CA has issued: a root, its own.
    pub(crate) issued: &'a [Issuance],
    /// The event by which it comes into the store, if no certificate is issued for it here.
    pub(crate) change: Option<Change>,
    /// History elsewhere; `None` for a CA that is new, or of which it is not known.
    pub(crate) history: Option<&'a History>,
}

impl Material<'_> {
    /// Returns the format without which this can't be read.
    pub(super) fn format(&self) -> Option<u32> {
        let lacks_one = self.issued.iter().any(|issuance| issuance.der.is_none());
        let without = lacks_one.then_some(format::WITHOUT_CERTIFICATES);
        without.max(self.record.format())
    }

    /// Writes and syncs everything but the name of the directory.
    pub(super) fn write(&self, layout: &CaLayout, operator: &Operator) -> Result<(), StoreError> {
        let Self {
            record,
            certificate,
            key_pem,
            serial_counter,
            issued,
            change,
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
        // Others issued what a CA brings along.
        let stamp = history.map_or_else(|| operator.stamp(), |_| "");
        file::create_filled(&layout.issued(), Access::Store, |file| {
            let mut buffered = BufWriter::with_capacity(256 * 1024, file);
            journal::write_start(&mut buffered, "issued", name, issued, stamp)?;
            buffered.flush()
        })?;
        if let Some(change) = *change {
            let path = layout.changes();
            file::create_filled(&path, Access::Store, |file| {
                journal::write_start(
                    file,
                    CHANGES,
                    name,
                    &[ChangeLine { change }],
                    operator.stamp(),
                )
            })?;
        }
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
