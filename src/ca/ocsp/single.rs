//! Response of one certificate, as a file for stapling.

use crate::ca::error::CaError;
use crate::ca::file_name::file_name;
use crate::ca::notice::Notice;
use crate::ca::ocsp::error::OcspError;
use crate::ca::ocsp::judge::{Judge, Left, ResponseState};
use crate::ca::ocsp::publish::accepted;
use crate::ca::ocsp::signer::{OpenSigner, Signer};
use crate::ca::ocsp::statuses::Statuses;
use crate::ca::ocsp::tree::ENDING;
use crate::ca::ocsp::{OcspRequest, ResponseTimes};
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::select::{Selector, select_one};
use crate::ca::session::Session;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, Issuance};
use crate::x509::ocsp::{CertIdHash, IssuerId, OcspResponse, SingleStatus, sign_response};
use crate::x509::{Certificate, Serial};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Outcome for one certificate.
pub(crate) struct SingleResponse {
    pub(crate) serial: Serial,
    /// The file.
    pub(crate) path: PathBuf,
    pub(crate) times: ResponseTimes,
    /// Whether it was signed now.
    pub(crate) is_new: bool,
}

/// State of the file of one certificate.
pub(crate) struct SingleCheck {
    pub(crate) serial: Serial,
    /// The file.
    pub(crate) path: PathBuf,
    pub(crate) state: ResponseState,
    pub(crate) next_update: Option<OffsetDateTime>,
}

/// Signs the response of one certificate.
pub(crate) fn publish_single(
    session: &mut Session<'_>,
    ca: &Ca,
    selector: &Selector,
    request: &OcspRequest,
) -> Result<SingleResponse, CaError> {
    let now = session.now;
    let place = Place::of(ca, selector, request, now, &mut session.notices)?;
    file::create_directories(&request.out, Access::Umask)?;
    let old = place.old(request.overwrite)?;
    let found = Signer::find(ca, request, now)?;
    if request.if_needed
        && let (Some(signer), Some(old)) = (&found, &old)
    {
        let signers = accepted(ca, request, signer, now)?;
        let (state, times) = place.judge(old, &signers, Left::Third)?;
        if let (ResponseState::Current, Some(times)) = (state, times) {
            file::sync_directory(&request.out)?;
            return Ok(place.outcome(times, false));
        }
    }
    let open = OpenSigner::of(found, session, ca, request)?;
    let times = open.signer.times(request, now);
    place
        .write(&open, times)
        .map_err(|error| open.committed(error))?;
    Ok(place.outcome(times, true))
}

/// Checks the file of one certificate; needs no key.
pub(crate) fn check_single(
    ca: &Ca,
    selector: &Selector,
    request: &OcspRequest,
    within: Duration,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<SingleCheck, CaError> {
    let place = Place::of(ca, selector, request, now, notices)?;
    let (state, times) = match file::read_if_there(&place.path)? {
        Some(der) => place.judge(&der, &Signer::all(ca, now)?, Left::Time(within))?,
        None => (ResponseState::Missing, None),
    };
    Ok(SingleCheck {
        serial: place.serial,
        path: place.path,
        state,
        next_update: times.map(|times| times.next_update),
    })
}

/// Certificate whose response is written, and the file.
struct Place<'a> {
    ca: &'a Ca,
    serial: Serial,
    id: IssuerId,
    path: PathBuf,
    now: OffsetDateTime,
}

impl<'a> Place<'a> {
    fn of(
        ca: &'a Ca,
        selector: &Selector,
        request: &OcspRequest,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, CaError> {
        let issuance: Issuance = select_one(ca, selector, now, notices)?;
        if issuance.not_after < now {
            return Err(OcspError::Expired {
                ca: ca.name().clone(),
                serial: issuance.serial,
                at: issuance.not_after,
            }
            .into());
        }
        let [hash] = request.hashes[..] else {
            unreachable!("a file for stapling has one CertID");
        };
        let name = format!("{}.{ENDING}", file_name(&issuance));
        Ok(Self {
            ca,
            serial: issuance.serial,
            id: IssuerId::of(ca.certificate(), hash),
            path: request.out.join(name),
            now,
        })
    }

    /// Reads the file that is there; it has to be a response of this CA, unless it may be replaced.
    fn old(&self, overwrite: bool) -> Result<Option<Vec<u8>>, CaError> {
        let old = file::read_if_there(&self.path)?;
        if let Some(der) = &old
            && !overwrite
            && !self.is_of_ca(der)
        {
            return Err(CaError::WouldReplace {
                path: self.path.clone(),
                kind: "an OCSP response of this CA",
            });
        }
        Ok(old)
    }

    fn is_of_ca(&self, der: &[u8]) -> bool {
        let read = OcspResponse::from_der(der).ok();
        let basic = read.and_then(|response| response.basic);
        basic.is_some_and(|basic| {
            let mut singles = basic.singles.iter();
            let ids = CertIdHash::ALL.map(|hash| IssuerId::of(self.ca.certificate(), hash));
            singles.all(|single| ids.iter().any(|id| id.is_issuer_of(&single.id)))
        })
    }

    fn judge(
        &self,
        der: &[u8],
        signers: &[Certificate],
        left: Left,
    ) -> Result<(ResponseState, Option<ResponseTimes>), CaError> {
        let statuses = Statuses::of_one(self.ca, self.serial, self.now)?;
        statuses.make_durable(self.ca)?;
        let judge = Judge {
            statuses: &statuses,
            signers,
            left,
            verifies: true,
            now: self.now,
        };
        Ok(judge.judge(der, &self.id, &statuses.all[0]))
    }

    /// Signs the response. No other process does from before its status is read: an older one never replaces it.
    fn write(&self, open: &OpenSigner, times: ResponseTimes) -> Result<(), CaError> {
        let _lock = self.ca.lock_responses()?;
        let statuses = Statuses::of_one(self.ca, self.serial, self.now)?;
        statuses.make_durable(self.ca)?;
        let single = SingleStatus {
            serial: &self.serial,
            status: statuses.all[0].status,
            this_update: times.this_update,
            next_update: times.next_update,
        };
        let der =
            sign_response(&open.responder, &self.id, &single).map_err(KeyUseError::Signing)?;
        Ok(file::write(
            &self.path,
            Access::Umask,
            Existing::Replace,
            &der,
        )?)
    }

    fn outcome(self, times: ResponseTimes, is_new: bool) -> SingleResponse {
        SingleResponse {
            serial: self.serial,
            path: self.path,
            times,
            is_new,
        }
    }
}
