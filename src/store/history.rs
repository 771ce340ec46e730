//! History of a CA before it came into the store.

use super::error::StoreError;
use super::file::{self, Access};
use super::journal;
use super::layout::CaLayout;
use super::record::{Coverage, RevocationLine, SignedCrl};
use super::standing::RevocationChange;
use crate::x509::{Fingerprint, Serial};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// History of a CA elsewhere, beside issuing.
#[derive(Default)]
pub(crate) struct History {
    /// Revocations and releases, in their order.
    pub(crate) revocations: Vec<RevocationChange>,
    /// Highest number that a CRL of it may have.
    pub(crate) crl_number: u128,
    pub(crate) last_crl: Option<ForeignCrl>,
    pub(crate) leaf_keys: Vec<(Serial, Zeroizing<Vec<u8>>)>,
}

/// A CRL that a CA signed elsewhere.
pub(crate) struct ForeignCrl {
    /// cRLNumber, or what stands in for one that is missing.
    pub(crate) number: u128,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
    pub(crate) entries: usize,
    pub(crate) fingerprint: Fingerprint,
    /// Whether it lists every revocation.
    pub(crate) is_complete: bool,
}

/// First contents of the files of a new CA.
pub(super) struct Beginnings {
    pub(super) crl_number: u128,
    pub(super) revoked: Vec<u8>,
    pub(super) signed_crls: Vec<u8>,
}

impl Beginnings {
    pub(super) fn of(ca: &str, history: Option<&History>) -> Self {
        let changes = history.map_or(&[][..], |history| &history.revocations);
        let lines: Vec<RevocationLine> = changes.iter().map(RevocationLine::from).collect();
        let revoked = journal::start("revoked", ca, &lines);
        let last_crl = history.and_then(|history| history.last_crl.as_ref());
        let crls: Vec<SignedCrl> = last_crl
            .map(|crl| crl.record(ca, &revoked))
            .into_iter()
            .collect();
        Self {
            crl_number: history.map_or(0, |history| history.crl_number),
            revoked,
            signed_crls: journal::start("crls", ca, &crls),
        }
    }
}

impl ForeignCrl {
    /// Returns the line for the journal of CRLs, beside this journal of revocations.
    fn record(&self, ca: &str, revoked: &[u8]) -> SignedCrl {
        let nothing: [RevocationLine; 0] = [];
        self.record_covering(if self.is_complete {
            journal::end_of(revoked)
        } else {
            journal::end_of(&journal::start("revoked", ca, &nothing))
        })
    }

    /// Returns its record, with the revocations that it covers.
    pub(super) fn record_covering(&self, covers: Coverage) -> SignedCrl {
        SignedCrl {
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
