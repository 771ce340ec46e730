//! Monitoring of the responses of a CA.

use crate::ca::error::CaError;
use crate::ca::ocsp::OcspRequest;
use crate::ca::ocsp::judge::{Judge, Left, ResponseState};
use crate::ca::ocsp::publish::issuer_ids;
use crate::ca::ocsp::signer::Signer;
use crate::ca::ocsp::statuses::{Answered, Statuses};
use crate::ca::ocsp::tree::ResponseTree;
use crate::ca::parallel::on_all_cores;
use crate::store::{Ca, FileError};
use crate::x509::Serial;
use crate::x509::ocsp::IssuerId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Serial numbers that a finding names.
const MOST_NAMED: usize = 5;

/// States of the responses of a CA.
pub(crate) struct ResponsesCheck {
    /// Directory of the responses.
    pub(crate) directory: PathBuf,
    /// Number of certificates that have to have responses.
    pub(crate) certificates: usize,
    /// The first nextUpdate.
    pub(crate) next_update: Option<OffsetDateTime>,
    /// Certificates for each state of their worst response, but for the current ones.
    pub(crate) findings: BTreeMap<ResponseState, Affected>,
}

/// Certificates of a finding.
#[derive(Debug, Default)]
pub(crate) struct Affected {
    pub(crate) count: usize,
    /// Some of them.
    pub(crate) serials: Vec<Serial>,
}

/// Checks the responses of a CA, with their signatures; needs no key.
pub(crate) fn check_responses(
    ca: &Ca,
    request: &OcspRequest,
    within: Duration,
    now: OffsetDateTime,
) -> Result<ResponsesCheck, CaError> {
    let tree = ResponseTree::of(&request.out, ca.name());
    let statuses = Statuses::of(ca, now)?;
    let signers = Signer::all(ca, now)?;
    let ids = issuer_ids(ca, &request.hashes);
    let judge = Judge {
        statuses: &statuses,
        signers: &signers,
        left: Left::Time(within),
        verifies: true,
        now,
    };
    let judged = on_all_cores(statuses.all.iter().collect(), |answered| {
        worst(&tree, &ids, &judge, answered)
    });
    let mut check = ResponsesCheck {
        directory: tree.path,
        certificates: statuses.all.len(),
        next_update: None,
        findings: BTreeMap::new(),
    };
    for (answered, judged) in statuses.all.iter().zip(judged) {
        let (state, next_update) = judged?;
        check.next_update = earlier(check.next_update, next_update);
        if state != ResponseState::Current {
            let affected = check.findings.entry(state).or_default();
            affected.count += 1;
            if affected.serials.len() < MOST_NAMED {
                affected.serials.push(answered.serial);
            }
        }
    }
    Ok(check)
}

/// Returns the worst state of a certificate's responses, and the first nextUpdate.
fn worst(
    tree: &ResponseTree,
    ids: &[IssuerId],
    judge: &Judge<'_>,
    answered: &Answered,
) -> Result<(ResponseState, Option<OffsetDateTime>), FileError> {
    let mut worst = ResponseState::Current;
    let mut first = None;
    for id in ids {
        let Some(der) = tree.response(id, &answered.serial)? else {
            return Ok((ResponseState::Missing, None));
        };
        let (state, times) = judge.judge(&der, id, answered);
        worst = worst.max(state);
        first = earlier(first, times.map(|times| times.next_update));
    }
    Ok((worst, first))
}

fn earlier(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    one.into_iter().chain(other).min()
}
