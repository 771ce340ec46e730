//! What there is to be.

use super::files::EntryFiles;
use crate::ca::authority::NewCa;
use crate::ca::bundle::BundleRequest;
use crate::ca::flaw::Flaw;
use crate::ca::issue::LeafRequest;
use crate::ca::lists::ListRequest;
use crate::ca::revoke::Verdict;
use crate::store::{CaName, Observer};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What there is to be.
pub struct Declaration {
    /// Whether the store is to be one of fixtures, in which certificates may be wrong on purpose.
    pub fixture: bool,
    /// CAs, each behind the one above it.
    pub cas: Vec<WishedCa>,
    /// Certificates.
    pub certificates: Vec<Entry>,
    /// Lists, each behind those of the CAs above.
    pub lists: Vec<WishedList>,
    /// Trust stores.
    pub bundles: Vec<WishedBundle>,
}

/// A CA that there is to be.
pub struct WishedCa {
    /// The CA above it; `None` for a root.
    pub parent: Option<CaName>,
    /// What it is made as.
    pub new: NewCa,
}

/// A certificate that there is to be.
pub struct Entry {
    /// What tells it from others of its CA.
    pub name: String,
    /// The CA.
    pub ca: CaName,
    /// What is issued.
    pub request: LeafRequest,
    /// How long before its end it gets a successor; a third of its validity where that is not said, and
    /// not more than [`USUAL_RENEW_BEFORE`].
    pub renew_before: Option<Duration>,
    /// The files for its owner.
    pub files: Option<EntryFiles>,
    /// What is wrong with it on purpose.
    pub flaw: Option<Flaw>,
    /// That it is revoked, where it is to be.
    pub revoked: Option<Verdict>,
}

/// A CA's list that is to be published.
pub struct WishedList {
    /// The CA.
    pub ca: CaName,
    /// The list.
    pub request: ListRequest,
    /// Whether the lists of the CA and of all above it are wanted as one file too.
    pub chain: bool,
}

/// A trust store that there is to be.
pub struct WishedBundle {
    /// What it is called in reports.
    pub name: String,
    /// What goes into it.
    pub request: BundleRequest,
    /// Its file.
    pub out: PathBuf,
}

/// The longest time before its end at which a certificate gets a successor unasked.
pub const USUAL_RENEW_BEFORE: Duration = Duration::days(30);

/// A declaration, and where it is to hold.
pub struct Application<'a> {
    /// The store's folder.
    pub store: &'a Path,
    /// Is told of what the store does.
    pub observer: Observer,
    /// The declaration.
    pub wishes: &'a Declaration,
    /// Whether files of others may be replaced.
    pub overwrite: bool,
    /// The time.
    pub now: OffsetDateTime,
}
