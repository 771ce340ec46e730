//! State of a CA's CRLs, each of its parts read once.

use crate::ca::crl::place::Place;
use crate::ca::crl::presigned::Ahead;
use crate::ca::crl::published::{PublishedCrl, read_published};
use crate::ca::crl::request::CrlRequest;
use crate::ca::error::CaError;
use crate::store::{Ca, Coverage, SignedCrl};
use std::cell::OnceCell;
use time::OffsetDateTime;

/// CRLs of a CA: those on record, and the one that is published in a place.
pub(crate) struct State<'a> {
    ca: &'a Ca,
    place: &'a Place,
    now: OffsetDateTime,
    pub(crate) recent: Vec<SignedCrl>,
    /// End of the journal of revocations.
    pub(crate) covers: Coverage,
    published: OnceCell<Option<PublishedCrl>>,
}

impl<'a> State<'a> {
    pub(crate) fn read(ca: &'a Ca, place: &'a Place, now: OffsetDateTime) -> Result<Self, CaError> {
        Ok(Self {
            ca,
            place,
            now,
            recent: ca.recent_crls()?,
            covers: ca.revocations_end()?,
            published: OnceCell::new(),
        })
    }

    pub(crate) fn ahead(&self) -> Ahead {
        Ahead::of(self.ca, &self.recent, &self.covers, self.now)
    }

    pub(crate) fn published(&self) -> Result<Option<&PublishedCrl>, CaError> {
        if let Some(known) = self.published.get() {
            return Ok(known.as_ref());
        }
        let read = read_published(self.ca, self.place, &self.recent)?;
        Ok(self.published.get_or_init(|| read).as_ref())
    }

    pub(crate) fn into_published(self) -> Option<PublishedCrl> {
        self.published.into_inner().flatten()
    }

    /// Returns the record of a CRL, if nothing was revoked or released since.
    pub(crate) fn record_without_news(
        &self,
        published: &PublishedCrl,
    ) -> Result<Option<SignedCrl>, CaError> {
        let number = published.number();
        let mut without_news = self.ca.crls_without_news(self.now)?.into_iter();
        // It need not be the last: others may have been signed for other directories.
        Ok(without_news.find(|record| Some(record.number) == number))
    }

    /// Returns the published CRL if nothing was recorded since, and at least a third of its validity is left.
    pub(crate) fn still_good(&self) -> Result<Option<(SignedCrl, &PublishedCrl)>, CaError> {
        if self.recent.first().is_none_or(|last| last.ahead) {
            return Ok(None);
        }
        let Some(published) = self.published()? else {
            return Ok(None);
        };
        let good = self.record_without_news(published)?.filter(|crl| {
            let third = (crl.next_update - crl.this_update) / 3;
            self.now >= crl.this_update && crl.next_update - self.now >= third
        });
        Ok(good.map(|crl| (crl, published)))
    }

    /// Returns the pre-signed CRL that is due and preferred to a new one. With the key, another end asks for a
    /// new CRL.
    pub(crate) fn due(&self, request: &CrlRequest) -> Result<Option<SignedCrl>, CaError> {
        match self.ahead() {
            Ahead::Due { crl, .. } if request.end.is_none() || !self.ca.has_key()? => Ok(Some(crl)),
            _ => Ok(None),
        }
    }

    /// Returns whether a new CRL can be published here: signed, or pre-signed.
    pub(crate) fn can_publish(&self) -> Result<bool, CaError> {
        Ok(self.ca.has_key()? || matches!(self.ahead(), Ahead::Due { .. }))
    }
}
