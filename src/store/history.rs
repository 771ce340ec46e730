//! What a CA did before it came into the store.

use super::error::StoreError;
use super::file::{self, Access};
use super::journal;
use super::layout::CaLayout;
use super::record::{RevocationLine, SignedList};
use super::standing::RevocationChange;
use crate::x509::{Fingerprint, Serial};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What a CA did elsewhere, beside issuing.
#[derive(Default)]
pub struct History {
    /// What it revoked and released, in that order.
    pub revocations: Vec<RevocationChange>,
    /// The highest number that a list of it may have.
    pub crl_number: u128,
    /// Its last list.
    pub last_list: Option<ForeignList>,
    /// Keys of certificates that it issued, as PEM.
    pub leaf_keys: Vec<(Serial, Zeroizing<Vec<u8>>)>,
}

/// A list that a CA signed elsewhere.
pub struct ForeignList {
    /// cRLNumber, or what stands in for one that is missing.
    pub number: u128,
    /// thisUpdate.
    pub this_update: OffsetDateTime,
    /// nextUpdate.
    pub next_update: OffsetDateTime,
    /// How many entries it has.
    pub entries: usize,
    /// The hash of its DER.
    pub fingerprint: Fingerprint,
    /// Whether every revocation is on it.
    pub is_complete: bool,
}

/// What the files of a new CA begin with.
pub(super) struct Beginnings {
    pub(super) crl_number: u128,
    pub(super) revoked: Vec<u8>,
    pub(super) signed_lists: Vec<u8>,
}

impl Beginnings {
    pub(super) fn of(ca: &str, history: Option<&History>) -> Self {
        let changes = history.map_or(&[][..], |history| &history.revocations);
        let lines: Vec<RevocationLine> = changes.iter().map(RevocationLine::from).collect();
        let revoked = journal::start("revoked", ca, &lines);
        let last_list = history.and_then(|history| history.last_list.as_ref());
        let lists: Vec<SignedList> = last_list
            .map(|list| list.record(ca, &revoked))
            .into_iter()
            .collect();
        Self {
            crl_number: history.map_or(0, |history| history.crl_number),
            revoked,
            signed_lists: journal::start("crls", ca, &lists),
        }
    }
}

impl ForeignList {
    /// The line that the journal of lists gets, above this journal of revocations.
    fn record(&self, ca: &str, revoked: &[u8]) -> SignedList {
        let nothing: [RevocationLine; 0] = [];
        let covers = if self.is_complete {
            journal::end_of(revoked)
        } else {
            journal::end_of(&journal::start("revoked", ca, &nothing))
        };
        SignedList {
            ahead: false,
            ahead_from: None,
            imported: true,
            number: self.number,
            this_update: self.this_update,
            next_update: self.next_update,
            entries: self.entries,
            covers,
            sha256: self.fingerprint.to_string(),
        }
    }
}

impl History {
    pub(super) fn write_leaf_keys(&self, layout: &CaLayout) -> Result<(), StoreError> {
        if self.leaf_keys.is_empty() {
            return Ok(());
        }
        for (serial, pem) in &self.leaf_keys {
            file::create(&layout.leaf_key(serial), Access::Owner, pem)?;
        }
        Ok(file::sync_directory(&layout.leaf_keys())?)
    }
}
