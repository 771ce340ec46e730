//! Errors of renewals.

use crate::ca::error::CaError;
use crate::store::{Ca, CaName, Store, StoreError};
use crate::x509::validity::rfc3339;
use crate::x509::{Reason, RecordedProfile, Serial};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Why a certificate, or a CA, is not renewed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewalError {
    #[error("certificate {serial} of {ca} has profile {profile} and is not a leaf")]
    NotALeaf {
        ca: CaName,
        serial: Serial,
        profile: RecordedProfile,
    },
    /// The file that defines the profile is not given, or no longer has it.
    #[error("certificate {serial} of {ca} has profile {profile}, which does not exist")]
    ProfileNotFound {
        ca: CaName,
        serial: Serial,
        profile: String,
    },
    /// The certificate was imported, and has no extended key usage.
    #[error("certificate {serial} of {ca} was imported and has no extended key usage")]
    Purposeless { ca: CaName, serial: Serial },
    /// The certificate has a defect on purpose.
    #[error("certificate {serial} of {ca} was issued with the defect {flaw} and cannot be renewed")]
    Defective {
        ca: CaName,
        serial: Serial,
        flaw: String,
    },
    #[error("certificate {serial} of {ca} is revoked ({reason})")]
    RevokedPredecessor {
        ca: CaName,
        serial: Serial,
        reason: Reason,
    },
    /// A new key is wanted where the old one was not made here.
    #[error(
        "the key of certificate {serial} of {ca} was made outside the store, so a new key has to be made there too"
    )]
    KeyOfRequest { ca: CaName, serial: Serial },
    /// The files of what would be issued can't be written; which of several certificates it is about.
    #[error("certificate {serial} of {ca} is not renewed: the new files cannot be written")]
    Files {
        ca: CaName,
        serial: Serial,
        source: Box<CaError>,
    },
    /// The files in the place are not those of the certificate, nor of one before it.
    #[error(
        "certificate {serial} of {ca} is not renewed: {} belongs neither to it nor to a certificate that it replaced",
        path.display()
    )]
    FilesOfOther {
        ca: CaName,
        serial: Serial,
        path: PathBuf,
    },
    /// Another process was faster.
    #[error("certificate {serial} of {ca} was renewed by another process at the same time: {by}")]
    RenewedMeanwhile {
        ca: CaName,
        serial: Serial,
        /// The one in its place.
        by: Serial,
    },
    /// The CA ends before what it would renew has to be renewed again.
    #[error("{ca} itself expires within that time, at {}", rfc3339(*until))]
    CaEndsFirst {
        ca: CaName,
        until: OffsetDateTime,
        /// The CAs to renew, the highest first: those above it that end as soon are among them.
        due: Vec<DueCa>,
    },
}

/// A CA that ends within a time.
#[derive(Debug)]
pub(crate) struct DueCa {
    /// Its name.
    pub(crate) ca: CaName,
    /// Whether a certificate that is valid as long as its own ends within that time, too.
    pub(crate) is_short: bool,
}

impl DueCa {
    /// Returns the certificates of a CA and of those above it that expire by `end`, the highest first.
    pub(crate) fn up_from(
        store: &Store,
        ca: &Ca,
        end: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Vec<Self>, StoreError> {
        let mut due = Vec::new();
        for ca in std::iter::once(ca.clone()).chain(store.ancestors(ca)?) {
            let validity = ca.certificate().validity();
            if validity.not_after <= end {
                let length = validity.not_after - validity.not_before;
                due.push(Self {
                    ca: ca.name().clone(),
                    is_short: length <= end - now,
                });
            }
        }
        due.reverse();
        Ok(due)
    }
}
