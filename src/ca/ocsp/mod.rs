//! OCSP responses that are signed in advance: one for each unexpired certificate of a CA, as files for GET requests and
//! for stapling.

mod check;
pub(crate) mod error;
mod index;
mod judge;
mod publish;
mod signer;
mod single;
mod statuses;
mod tree;
mod writer;

pub(crate) use check::{ResponsesCheck, check_responses};
pub(crate) use index::write_index;
pub(crate) use judge::ResponseState;
pub(crate) use publish::{PublishedResponses, publish_responses};
pub(crate) use signer::{SignerChoice, is_answered_for};
pub(crate) use single::{SingleCheck, SingleResponse, check_single, publish_single};

use crate::x509::ocsp::CertIdHash;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Responses that are wanted.
pub(crate) struct OcspRequest {
    /// Directory with a directory for each CA.
    pub(crate) out: PathBuf,
    /// Time from thisUpdate to nextUpdate.
    pub(crate) lifetime: Duration,
    /// Hash algorithms of the CertIDs, each once.
    pub(crate) hashes: Vec<CertIdHash>,
    /// Whether only responses are signed that are missing, no longer right, or in the last third of their validity.
    pub(crate) if_needed: bool,
    /// Whether a file that is no response may be replaced.
    pub(crate) overwrite: bool,
    pub(crate) signer: SignerChoice,
}

/// Times of new responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseTimes {
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}
