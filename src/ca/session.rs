//! Values that every use case of one command shares.

use crate::ca::error::CaError;
use crate::ca::issuance::{Issuer, Purpose};
use crate::ca::notice::Notice;
use crate::ca::passphrases::Passphrases;
use crate::store::{CaName, Store};
use time::OffsetDateTime;

/// An open store, the time, and the user's passphrases; and what the user is to be told.
pub(crate) struct Session<'a> {
    pub(crate) store: &'a Store,
    pub(crate) now: OffsetDateTime,
    pub(crate) passphrases: &'a mut dyn Passphrases,
    pub(crate) notices: Vec<Notice>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        store: &'a Store,
        passphrases: &'a mut dyn Passphrases,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            store,
            now,
            passphrases,
            notices: Vec::new(),
        }
    }

    /// Opens a CA's key.
    pub(crate) fn issuer(&mut self, ca: &CaName, purpose: Purpose) -> Result<Issuer, CaError> {
        Issuer::open(self.store, ca, purpose, self.passphrases, self.now)
    }
}
