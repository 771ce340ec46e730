//! Response of one certificate, as a file for stapling.

use crate::ca::error::CaError;
use crate::ca::file_name::file_name;
use crate::ca::ocsp::error::OcspError;
use crate::ca::ocsp::folder::ENDING;
use crate::ca::ocsp::judge::{Judge, Left, ResponseState};
use crate::ca::ocsp::publish::{accepted, issuer_ids};
use crate::ca::ocsp::signer::{OpenSigner, Signer};
use crate::ca::ocsp::statuses::Statuses;
use crate::ca::ocsp::{OcspRequest, ResponseTimes};
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::select::{Selector, select_one};
use crate::ca::session::Session;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, Issuance};
use crate::x509::Serial;
use crate::x509::ocsp::{OcspResponse, SingleStatus, sign_response};
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

/// Signs the response of one certificate.
pub(crate) fn publish_single(
    session: &mut Session<'_>,
    ca: &Ca,
    selector: &Selector,
    request: &OcspRequest,
) -> Result<SingleResponse, CaError> {
    let now = session.now;
    let issuance = select_one(ca, selector, now, &mut session.notices)?;
    refuse_expired(ca, &issuance, now)?;
    let serial = issuance.serial;
    file::create_directories(&request.out, Access::Umask)?;
    let path = path_of(&issuance, request);
    let old = file::read_if_there(&path)?;
    if !request.overwrite
        && old
            .as_ref()
            .is_some_and(|old| OcspResponse::from_der(old).is_err())
    {
        return Err(CaError::WouldReplace {
            path,
            kind: "an OCSP response",
        });
    }
    let found = Signer::find(ca, request, now)?;
    let [id] = &issuer_ids(ca, &request.hashes)[..] else {
        unreachable!("a file for stapling has one CertID");
    };
    let mut statuses = Statuses::of_one(ca, serial, now)?;
    if request.if_needed
        && let (Some(signer), Some(old)) = (&found, &old)
    {
        let judge = Judge {
            statuses: &statuses,
            signers: &accepted(ca, request, signer, now)?,
            left: Left::Third,
            verifies: true,
            now,
        };
        if let (ResponseState::Current, Some(times)) = judge.judge(old, id, &statuses.all[0]) {
            file::sync_directory(&request.out)?;
            return Ok(SingleResponse {
                serial,
                path,
                times,
                is_new: false,
            });
        }
    }
    let open = OpenSigner::of(found, session, ca, request)?;
    let times = open.signer.times(request, now);
    // It may have been revoked while a passphrase was typed.
    statuses = Statuses::of_one(ca, serial, now)?;
    let single = SingleStatus {
        serial: &serial,
        status: statuses.all[0].status,
        this_update: times.this_update,
        next_update: times.next_update,
    };
    let der = sign_response(&open.responder, id, &single).map_err(KeyUseError::Signing)?;
    file::write(&path, Access::Umask, Existing::Replace, &der)?;
    Ok(SingleResponse {
        serial,
        path,
        times,
        is_new: true,
    })
}

/// Checks the file of one certificate; needs no key.
pub(crate) fn check_single(
    ca: &Ca,
    selector: &Selector,
    request: &OcspRequest,
    within: Duration,
    now: OffsetDateTime,
) -> Result<(Serial, PathBuf, ResponseState, Option<OffsetDateTime>), CaError> {
    let issuance = select_one(ca, selector, now, &mut Vec::new())?;
    refuse_expired(ca, &issuance, now)?;
    let path = path_of(&issuance, request);
    let statuses = Statuses::of_one(ca, issuance.serial, now)?;
    let [id] = &issuer_ids(ca, &request.hashes)[..] else {
        unreachable!("a file for stapling has one CertID");
    };
    let Some(der) = file::read_if_there(&path)? else {
        return Ok((issuance.serial, path, ResponseState::Missing, None));
    };
    let signers = Signer::all(ca, now)?;
    let judge = Judge {
        statuses: &statuses,
        signers: &signers,
        left: Left::Time(within),
        verifies: true,
        now,
    };
    let (state, times) = judge.judge(&der, id, &statuses.all[0]);
    let next_update = times.map(|times| times.next_update);
    Ok((issuance.serial, path, state, next_update))
}

fn refuse_expired(ca: &Ca, issuance: &Issuance, now: OffsetDateTime) -> Result<(), OcspError> {
    if issuance.not_after < now {
        return Err(OcspError::Expired {
            ca: ca.name().clone(),
            serial: issuance.serial,
            at: issuance.not_after,
        });
    }
    Ok(())
}

fn path_of(issuance: &Issuance, request: &OcspRequest) -> PathBuf {
    let name = format!("{}.{ENDING}", file_name(issuance));
    request.out.join(name)
}
