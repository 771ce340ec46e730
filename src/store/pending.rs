//! CAs whose certificates come from elsewhere: first a key and a request, then what came back.
//!
//! Until then the key is in a directory beside those of the CAs, `.waiting-NAME`, which no command takes
//! for a CA, and which none removes before the CA has its name.

use super::addition::Uninstalled;
use super::ca::Ca;
use super::database::{CaRow, Rows, Session, State};
use super::error::StoreError;
use super::file::{self, Access};
use super::format;
use super::layout::{CaLayout, StoreLayout};
use super::material::Material;
use super::name::CaName;
use super::place::{CaPlace, Hold, Place};
use super::record::CaRecord;
use super::{Notice, ReservedCa, Store, Unfinished};
use crate::pem;
use crate::x509::CertificationRequest;
use zeroize::Zeroizing;

/// PEM label of a CSR (RFC 7468 section 7).
const LABEL: &str = "CERTIFICATE REQUEST";

/// Pending CA: it has a key and a CSR, and no certificate yet.
pub(crate) struct PendingCa {
    place: CaPlace,
    record: CaRecord,
    request: CertificationRequest,
}

impl PendingCa {
    /// Opens a pending CA; `None` if there is none.
    pub(super) fn open(layout: CaLayout, name: &CaName) -> Result<Option<Self>, StoreError> {
        if !file::stands(layout.directory())? {
            return Ok(None);
        }
        let path = layout.intended_record();
        let damaged = |problem: String| StoreError::damaged(&path, problem);
        let record: CaRecord = serde_json::from_slice(&file::read(&path)?)
            .map_err(|error| damaged(format!("cannot be read: {error}")))?;
        if record.name != *name {
            return Err(damaged(format!("has another CA's name: {}", record.name)));
        }
        Ok(Some(Self {
            request: read_request(&layout)?,
            place: CaPlace::Directory(layout),
            record,
        }))
    }

    /// Returns a pending CA that was seen in a database.
    fn in_database(session: &Session, row: &CaRow) -> Result<Self, StoreError> {
        let rows = Rows::of(session, row);
        let der = row.request.as_deref().unwrap_or_default();
        let request = CertificationRequest::from_der(der).map_err(|error| {
            StoreError::damaged(rows.location("the CSR"), format!("cannot be read: {error}"))
        })?;
        Ok(Self {
            place: CaPlace::Database(rows),
            record: row.record.clone(),
            request,
        })
    }

    pub(crate) fn name(&self) -> &CaName {
        &self.record.name
    }

    /// Returns the future content of `ca.json`, without the parent.
    pub(crate) fn record(&self) -> &CaRecord {
        &self.record
    }

    pub(crate) fn request(&self) -> &CertificationRequest {
        &self.request
    }

    pub(crate) fn request_pem(&self) -> String {
        pem::encode(LABEL, self.request.der())
    }

    /// Returns the content of the key file; `None` if the key is outside the store.
    pub(crate) fn key_file(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        if self.record.key_uri.is_some() {
            return Ok(None);
        }
        match &self.place {
            CaPlace::Directory(layout) => Ok(Some(Zeroizing::new(file::read(&layout.key())?))),
            CaPlace::Database(rows) => rows.key(),
        }
    }
}

fn read_request(layout: &CaLayout) -> Result<CertificationRequest, StoreError> {
    let path = layout.request();
    let objects = pem::decode(&file::read(&path)?)
        .map_err(|error| StoreError::damaged(&path, format!("is not PEM: {error}")))?;
    let [object] = objects.as_slice() else {
        return Err(StoreError::damaged(&path, "does not hold exactly one CSR"));
    };
    CertificationRequest::from_der(&object.der)
        .map_err(|error| StoreError::damaged(&path, format!("is not a CSR: {error}")))
}

impl Store {
    /// Returns the pending CA of this name.
    pub(crate) fn pending(&self, name: &CaName) -> Result<Option<PendingCa>, StoreError> {
        let layout = match &self.place {
            Place::Directory(layout) => layout,
            Place::Database(session) => {
                let facts = session.facts()?;
                let row = facts.ca(name, State::Pending);
                return row
                    .map(|row| PendingCa::in_database(session, row))
                    .transpose();
            }
        };
        if file::stands(layout.ca(name).directory())? {
            return Ok(None);
        }
        PendingCa::open(layout.pending_ca(name), name)
    }

    /// Returns every pending CA, sorted by name.
    pub(crate) fn pending_cas(&self) -> Result<Vec<PendingCa>, StoreError> {
        let mut pending = Vec::new();
        for name in self.pending_names()? {
            pending.extend(self.pending(&name)?);
        }
        Ok(pending)
    }

    pub(super) fn refuse_pending(&self, name: &CaName) -> Result<(), StoreError> {
        let is_pending = match &self.place {
            Place::Directory(layout) => file::stands(layout.pending_ca(name).directory())?,
            Place::Database(session) => session.facts()?.ca(name, State::Pending).is_some(),
        };
        if is_pending {
            return Err(StoreError::CaPending { name: name.clone() });
        }
        Ok(())
    }

    /// Keeps other processes from making CAs while a certificate is installed.
    pub(crate) fn reserve_installation(
        &self,
        name: &CaName,
    ) -> Result<Installation<'_>, StoreError> {
        // The first look needs no lock, which a store that is only read does not give.
        let is_there = self.has_name(name)?;
        let not_pending = |is_there| StoreError::NotPending {
            name: name.clone(),
            is_there,
        };
        self.pending(name)?.ok_or_else(|| not_pending(is_there))?;
        let lock = self.hold()?;
        Ok(Installation {
            store: self,
            pending: self.pending(name)?.ok_or_else(|| not_pending(true))?,
            _lock: lock,
        })
    }

    /// Lists pending CAs whose names are given: the command that installed them was interrupted at its
    /// end.
    pub(super) fn pending_beside_their_cas(
        &self,
        entries: &[String],
    ) -> Result<Vec<CaName>, StoreError> {
        let mut names = Vec::new();
        for entry in entries {
            if let Some(name) = StoreLayout::pending_name(entry)
                && file::stands(self.layout()?.ca(&name).directory())?
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Removes the pending CA of an installed one, unless it has another key.
    pub(super) fn settle_installed(&self, name: &CaName) -> Result<(), StoreError> {
        let pending = self.layout()?.pending_ca(name);
        let key = file::read_if_there(&pending.key())?.map(Zeroizing::new);
        if let Some(key) = key {
            let installed = self.ca(name)?.key_file()?;
            if installed.is_none_or(|installed| *installed != *key) {
                return Err(StoreError::damaged(
                    pending.directory(),
                    "has another public key than the CA of that name",
                ));
            }
        }
        // The CA's name first: the command that gave it may have been killed before its sync.
        file::sync_directory(self.layout()?.root())?;
        file::remove_directory(pending.directory())?;
        file::sync_directory(self.layout()?.root())?;
        self.operator.tell(&Notice::UnfinishedCa {
            name: name.clone(),
            completed: true,
        });
        Ok(())
    }
}

impl ReservedCa<'_> {
    /// Makes a key and the CSR for it durable, under a hidden name.
    pub(crate) fn stage_request(
        &self,
        record: &CaRecord,
        request_der: &[u8],
        key_pem: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        if let Some(session) = self.store.session() {
            session.begin_alone(session.facts()?.revision)?;
            return session.add_pending(record, request_der, key_pem);
        }
        let layout = self.store.layout()?.staged_ca(&self.name);
        let request = pem::encode(LABEL, request_der);
        if let Some(format) = record.format() {
            format::raise(self.store.layout()?, format)?;
        }
        file::create_directory(layout.directory(), Access::Store)?;
        if let Some(key_pem) = key_pem {
            file::create(&layout.key(), Access::Owner, key_pem)?;
        }
        file::create(&layout.request(), Access::Store, request.as_bytes())?;
        file::create(&layout.intended_record(), Access::Store, &record.to_json())?;
        file::sync_directory(layout.directory())?;
        Ok(file::sync_directory(self.store.layout()?.root())?)
    }

    /// Gives the staged CSR the name of a pending CA's.
    pub(crate) fn finish_request(&self) -> Result<PendingCa, Unfinished> {
        let Self { store, name, _lock } = self;
        let unnamed = |source| Unfinished {
            has_its_name: false,
            source,
        };
        let named = |source| Unfinished {
            has_its_name: true,
            source,
        };
        let paths = match &store.place {
            Place::Directory(layout) => layout,
            Place::Database(session) => {
                session.commit().map_err(unnamed)?;
                let pending = store.pending(name).map_err(named)?;
                return pending.ok_or_else(|| named(StoreError::CaPending { name: name.clone() }));
            }
        };
        let layout = paths.pending_ca(name);
        file::rename_new(paths.staged_ca(name).directory(), layout.directory())
            .map_err(|error| unnamed(error.into()))?;
        file::sync_directory(paths.root()).map_err(|error| named(error.into()))?;
        let pending = PendingCa::open(layout, name).map_err(named)?;
        pending.ok_or_else(|| named(StoreError::CaPending { name: name.clone() }))
    }
}

/// Store while a certificate is installed: no other process can make a CA until this is dropped.
pub(crate) struct Installation<'a> {
    store: &'a Store,
    pending: PendingCa,
    _lock: Hold,
}

impl Installation<'_> {
    pub(crate) fn store(&self) -> &Store {
        self.store
    }

    pub(crate) fn pending(&self) -> &PendingCa {
        &self.pending
    }

    /// Adds CAs, each below one that is there or before it, and the pending one as the last; then removes
    /// its CSR.
    pub(crate) fn install(&self, cas: &[Material<'_>]) -> Result<Ca, Uninstalled> {
        if let Some(session) = self.store.session() {
            return self.install_in(session, cas).map_err(|source| Uninstalled {
                added: Vec::new(),
                source,
            });
        }
        let added = self.store.add_all(cas, |name| self.check_place_for(name))?;
        self.clear_away()
            .map_err(|source| Uninstalled { added, source })
    }

    /// Does the same in a database, in one step.
    fn install_in(&self, session: &Session, cas: &[Material<'_>]) -> Result<Ca, StoreError> {
        let pending = self.pending.name();
        let facts = session.facts()?;
        session.alone(|| {
            if let Some(row) = facts.ca(pending, State::Pending) {
                session.remove_row(row)?;
            }
            cas.iter()
                .try_for_each(|material| session.add(material, &self.store.operator))
        })?;
        self.store.ca(pending)
    }

    fn check_place_for(&self, name: &CaName) -> Result<(), StoreError> {
        self.store.settle_staged(name)?;
        if name == self.pending.name() {
            return Ok(());
        }
        self.store.check_free(name)
    }

    fn clear_away(&self) -> Result<Ca, StoreError> {
        let ca = self.store.ca(self.pending.name())?;
        let layout = self.store.layout()?;
        file::remove_directory(layout.pending_ca(self.pending.name()).directory())?;
        file::sync_directory(layout.root())?;
        Ok(ca)
    }
}
