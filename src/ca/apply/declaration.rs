//! Declared CAs, certificates, CRLs and trust stores.

use crate::ca::apply::files::EntryFiles;
use crate::ca::authority::NewCa;
use crate::ca::crl::CrlRequest;
use crate::ca::fixture::Defect;
use crate::ca::issuance::LeafRequest;
use crate::ca::revocation::Verdict;
use crate::ca::trust_store::BundleRequest;
use crate::store::{CaName, Observer};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// Declared state of a store.
pub struct Declaration {
    /// Whether the store is a fixture store, which may have certificates with a defect.
    pub fixture: bool,
    /// CAs, each after its parent CA.
    pub cas: Vec<WishedCa>,
    pub certificates: Vec<Entry>,
    /// CRLs, each after those of the CAs above.
    pub crls: Vec<WishedCrl>,
    pub bundles: Vec<WishedBundle>,
}

pub struct WishedCa {
    /// The parent CA; `None` for a root.
    pub parent: Option<CaName>,
    pub new: NewCa,
}

pub struct Entry {
    /// Name that is unique among the certificates of the CA.
    pub name: String,
    pub ca: CaName,
    pub request: LeafRequest,
    /// Time before its expiry at which it is renewed; if absent, a third of its validity, but at most
    /// [`USUAL_RENEW_BEFORE`].
    pub renew_before: Option<Duration>,
    /// The files for its owner.
    pub files: Option<EntryFiles>,
    /// Its defect, in a fixture store.
    pub flaw: Option<Defect>,
    /// The revocation to record, if it is to be revoked.
    pub revoked: Option<Verdict>,
}

pub struct WishedCrl {
    pub ca: CaName,
    pub request: CrlRequest,
    /// Whether a file with the CRLs of the CA and of all CAs above it is written too.
    pub chain: bool,
}

pub struct WishedBundle {
    pub name: String,
    pub request: BundleRequest,
    pub out: PathBuf,
}

/// Longest default time before its expiry at which a certificate is renewed.
pub const USUAL_RENEW_BEFORE: Duration = Duration::days(30);

/// A declaration, and the store that it is applied to.
pub struct Application<'a> {
    pub store: &'a Path,
    /// Receives the notices of the store.
    pub observer: Observer,
    pub wishes: &'a Declaration,
    /// Whether files of others may be replaced.
    pub overwrite: bool,
    pub now: OffsetDateTime,
}
