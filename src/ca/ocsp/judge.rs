//! Judgement of a response that was signed here.

use crate::ca::ocsp::ResponseTimes;
use crate::ca::ocsp::statuses::{Answered, Statuses};
use crate::x509::Certificate;
use crate::x509::ocsp::{Basic, IssuerId, OcspResponse};
use time::{Duration, OffsetDateTime};

/// State of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResponseState {
    Current,
    /// It expires within the requested time.
    EndsSoon,
    /// Its status differs from the record, or it is older than the newest revocation.
    Outdated,
    /// Its thisUpdate is in the future: a wrong clock signed it.
    InFuture,
    Expired,
    /// The certificate of its signer was revoked, has expired, or is not of this CA.
    OtherSigner,
    /// It is no response about the certificate, or its signature is wrong.
    Invalid,
    Missing,
}

/// Time that has to be left.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Left {
    /// A third of its validity.
    Third,
    Time(Duration),
}

/// Basis of judgements.
pub(crate) struct Judge<'a> {
    pub(crate) statuses: &'a Statuses,
    /// Certificates that may sign.
    pub(crate) signers: &'a [Certificate],
    pub(crate) left: Left,
    pub(crate) verifies: bool,
    pub(crate) now: OffsetDateTime,
}

impl Judge<'_> {
    /// Judges a response about a certificate, and returns its times too, if it has them.
    pub(crate) fn judge(
        &self,
        der: &[u8],
        issuer: &IssuerId,
        answered: &Answered,
    ) -> (ResponseState, Option<ResponseTimes>) {
        let Ok(response) = OcspResponse::from_der(der) else {
            return (ResponseState::Invalid, None);
        };
        let Some(basic) = response.basic else {
            return (ResponseState::Invalid, None);
        };
        let [single] = basic.singles.as_slice() else {
            return (ResponseState::Invalid, None);
        };
        let Some(next_update) = single.next_update else {
            return (ResponseState::Invalid, None);
        };
        if !issuer.is_of(&single.id, &answered.serial) {
            return (ResponseState::Invalid, None);
        }
        let this_update = single.this_update;
        let left = match self.left {
            Left::Third => (next_update - this_update) / 3,
            Left::Time(time) => time,
        };
        let Some(signer) = self.signer_of(&basic) else {
            let mut signers = self.signers.iter();
            let state = if signers.any(|signer| basic.responder.is(signer)) {
                ResponseState::Invalid
            } else {
                ResponseState::OtherSigner
            };
            return (state, None);
        };
        let state = if !basic.responder.is(signer)
            || self.verifies && basic.verify_signature(signer.public_key()).is_err()
        {
            ResponseState::Invalid
        } else if self.now > next_update {
            ResponseState::Expired
        } else if self.now < this_update {
            ResponseState::InFuture
        } else if single.status != answered.status
            || self
                .statuses
                .newest
                .is_some_and(|newest| this_update < newest)
        {
            ResponseState::Outdated
        } else if next_update - self.now < left {
            ResponseState::EndsSoon
        } else {
            ResponseState::Current
        };
        let times = ResponseTimes {
            this_update,
            next_update,
        };
        (state, Some(times))
    }

    /// Returns the certificate of the signer: the one in the response, or else the CA's.
    fn signer_of(&self, basic: &Basic<'_>) -> Option<&Certificate> {
        let mut signers = self.signers.iter();
        match &basic.certificates[..] {
            [] => signers.find(|signer| signer.is_ca()),
            [found] => signers.find(|signer| *signer == found),
            _ => None,
        }
    }
}
