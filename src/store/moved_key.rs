//! Moving a CA's key out of the store.

use super::error::StoreError;
use super::file::{self, Access, Existing};
use super::format;
use super::name::CaName;
use super::place::CaPlace;
use super::record::{CaRecord, Change};
use super::{Ca, Store};
use crate::key::KeyUri;

impl Store {
    /// Makes a key outside the store that of a CA. The key file stays until [`Ca::remove_key_file`].
    pub(crate) fn set_key_uri(&self, name: &CaName, uri: &KeyUri) -> Result<Ca, StoreError> {
        let _lock = self.hold()?;
        let ca = self.ca(name)?;
        match &ca.record().key_uri {
            Some(there) if there == uri => return Ok(ca),
            // Another process moved it meanwhile.
            Some(_) => return Err(StoreError::KeysChanged { name: name.clone() }),
            None => {}
        }
        let record = CaRecord {
            key_uri: Some(uri.clone()),
            ..ca.record().clone()
        };
        if let Some(rows) = ca.rows() {
            rows.session.alone(|| rows.set_record(&record))?;
            return self.ca(name);
        }
        format::raise(self.layout()?, format::KEYS_OUTSIDE)?;
        file::write(
            &ca.layout()?.record(),
            Access::Store,
            Existing::Replace,
            &record.to_json(),
        )?;
        self.ca(name)
    }
}

impl Ca {
    /// Returns whether a key file is there that does not count, since the key is outside the store.
    pub(crate) fn has_needless_key_file(&self) -> Result<bool, StoreError> {
        if self.record().key_uri.is_none() {
            return Ok(false);
        }
        match &self.place {
            CaPlace::Directory(layout) => Ok(file::stands(&layout.key())?),
            CaPlace::Database(rows) => Ok(rows.has_key),
        }
    }

    /// Removes the key file of a CA whose key is outside the store, and records the move.
    pub(crate) fn remove_key_file(&self) -> Result<(), StoreError> {
        if let Some(rows) = self.rows() {
            return rows.session.alone_anyway(|| {
                if self.count_changes(Change::KeyMoved)? == 0 {
                    rows.record_change(Change::KeyMoved, self.operator.stamp())?;
                }
                rows.remove_key()
            });
        }
        let _lock = self.hold()?;
        // Its writer may have been killed before its sync.
        file::sync_directory(self.layout()?.directory())?;
        if self.count_changes(Change::KeyMoved)? == 0 {
            self.append_change(Change::KeyMoved)?;
        }
        file::remove_if_there(&self.layout()?.key())?;
        Ok(file::sync_directory(self.layout()?.directory())?)
    }
}
