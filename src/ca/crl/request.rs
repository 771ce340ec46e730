//! Requests to publish a CRL, and their results.

use crate::ca::crl::place::Place;
use crate::ca::crl::times::Dating;
use crate::ca::issuance::End;
use crate::ca::notice::Notice;
use crate::ca::trust_store::targets::RelyingParty;
use crate::store::SignedCrl;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// A CRL to publish.
#[derive(Debug, Clone)]
pub(crate) struct CrlRequest {
    /// The directory that it is published in.
    pub(crate) place: Place,
    /// Its nextUpdate; the default is a week.
    pub(crate) end: Option<End>,
    /// Whether a CRL that is still good is left as it is.
    pub(crate) if_needed: bool,
    /// Rule for its thisUpdate.
    pub(crate) dating: Dating,
    /// The target that reads it: its file does not exceed the target's limit.
    pub(crate) party: Option<&'static RelyingParty>,
}

/// CRLs to sign ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AheadRequest {
    /// Number of CRLs, the one that begins now included.
    pub(crate) count: u32,
    /// From the thisUpdate of one to that of the next.
    pub(crate) every: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Signed,
    /// Signed ahead, and due now.
    SignedAhead,
    /// Published before, and nothing is new.
    Kept,
}

/// A CRL that is published now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) crl: SignedCrl,
    pub(crate) origin: Origin,
    /// Number of pre-signed CRLs that are still to come, and the end of the last.
    pub(crate) ahead: Option<(usize, OffsetDateTime)>,
    /// Kind and path of its files.
    pub(crate) files: Vec<(&'static str, PathBuf)>,
    pub(crate) notices: Vec<Notice>,
}
