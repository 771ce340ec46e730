//! Declared CAs, certificates, CRLs and trust stores.

use crate::ca::apply::files::EntryFiles;
use crate::ca::authority::NewCa;
use crate::ca::crl::CrlRequest;
use crate::ca::fixture::Defect;
use crate::ca::issuance::LeafRequest;
use crate::ca::revocation::Verdict;
use crate::ca::trust_store::BundleRequest;
use crate::store::{Address, CaName, Operator};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Declared state of a store.
pub(crate) struct Declaration {
    /// Whether the store is a fixture store, which may have certificates with a defect.
    pub(crate) fixture: bool,
    /// CAs, each after its parent CA.
    pub(crate) cas: Vec<WishedCa>,
    pub(crate) certificates: Vec<Entry>,
    /// CRLs, each after those of the CAs above.
    pub(crate) crls: Vec<WishedCrl>,
    pub(crate) bundles: Vec<WishedBundle>,
}

pub(crate) struct WishedCa {
    /// The parent CA; `None` for a root.
    pub(crate) parent: Option<CaName>,
    pub(crate) new: NewCa,
}

pub(crate) struct Entry {
    /// Name that is unique among the certificates of the CA.
    pub(crate) name: String,
    pub(crate) ca: CaName,
    pub(crate) request: LeafRequest,
    /// Time before its expiry at which it is renewed; if absent, a third of its validity, but at most
    /// [`USUAL_RENEW_BEFORE`].
    pub(crate) renew_before: Option<Duration>,
    /// The files for its owner.
    pub(crate) files: Option<EntryFiles>,
    /// Its defect, in a fixture store.
    pub(crate) flaw: Option<Defect>,
    /// The revocation to record, if it is to be revoked.
    pub(crate) revoked: Option<Verdict>,
}

pub(crate) struct WishedCrl {
    pub(crate) ca: CaName,
    pub(crate) request: CrlRequest,
    /// Whether a file with the CRLs of the CA and of all CAs above it is written too.
    pub(crate) chain: bool,
}

pub(crate) struct WishedBundle {
    pub(crate) name: String,
    pub(crate) request: BundleRequest,
    pub(crate) out: PathBuf,
}

/// Longest default time before its expiry at which a certificate is renewed.
pub(crate) const USUAL_RENEW_BEFORE: Duration = Duration::days(30);

/// A declaration, and the store that it is applied to.
pub(crate) struct Application<'a> {
    pub(crate) store: &'a Address,
    /// Receives the notices of the store.
    pub(crate) operator: Operator,
    pub(crate) wishes: &'a Declaration,
    /// Whether files of others may be replaced.
    pub(crate) overwrite: bool,
    pub(crate) now: OffsetDateTime,
}
