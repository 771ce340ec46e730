//! Responses of a whole CA.

use crate::ca::error::CaError;
use crate::ca::ocsp::judge::{Judge, Left, ResponseState};
use crate::ca::ocsp::signer::{OpenSigner, Signer, SignerChoice};
use crate::ca::ocsp::statuses::Statuses;
use crate::ca::ocsp::tree::ResponseTree;
use crate::ca::ocsp::writer::{Due, Writer};
use crate::ca::ocsp::{OcspRequest, ResponseTimes};
use crate::ca::parallel::on_all_cores;
use crate::ca::session::Session;
use crate::store::Ca;
use crate::store::file::{self, Access, Group, StagedDirectory};
use crate::x509::Certificate;
use crate::x509::ocsp::{CertIdHash, IssuerId};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Outcome for a CA.
pub(crate) struct PublishedResponses {
    /// Directory of the responses.
    pub(crate) directory: PathBuf,
    /// Number of certificates that have responses.
    pub(crate) certificates: usize,
    /// Number of responses that were signed now.
    pub(crate) signed: usize,
    /// Number of responses that are as they were.
    pub(crate) kept: usize,
    /// Certificate that signs; `None` for a CA without unexpired certificates.
    pub(crate) signer: Option<Certificate>,
    /// Whether that certificate was issued now.
    pub(crate) has_new_signer: bool,
    /// The times of the responses that expire first.
    pub(crate) times: Option<ResponseTimes>,
}

/// Signs the responses of a CA and replaces the directory with them.
pub(crate) fn publish_responses(
    session: &mut Session<'_>,
    ca: &Ca,
    request: &OcspRequest,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<PublishedResponses, CaError> {
    let run = Run {
        ca,
        request,
        tree: ResponseTree::of(&request.out, ca.name()),
        ids: issuer_ids(ca, &request.hashes),
        now: session.now,
    };
    run.tree.refuse_foreign()?;
    file::create_directories(&request.out, Access::Umask)?;
    let found = Signer::find(ca, request, session.now)?;
    if let Some(kept) = run.kept(found.as_ref())? {
        return Ok(kept);
    }
    let open = OpenSigner::of(found, session, ca, request)?;
    run.replace(&open, progress)
        .map_err(|error| open.committed(error))
}

/// Run for one CA.
struct Run<'a> {
    ca: &'a Ca,
    request: &'a OcspRequest,
    tree: ResponseTree,
    ids: Vec<IssuerId>,
    now: OffsetDateTime,
}

impl Run<'_> {
    /// Returns the outcome if nothing is to be signed.
    fn kept(&self, signer: Option<&Signer>) -> Result<Option<PublishedResponses>, CaError> {
        let _lock = self.ca.lock_responses()?;
        let statuses = Statuses::of(self.ca, self.now)?;
        let due = match signer {
            _ if statuses.all.is_empty() => Vec::new(),
            Some(signer) if self.request.if_needed => self.due(&statuses, signer)?,
            _ => return Ok(None),
        };
        if due.iter().any(|due| due.kept.contains(&None)) {
            return Ok(None);
        }
        statuses.make_durable(self.ca)?;
        // Removes what a run that was killed has left.
        drop(StagedDirectory::new(&self.tree.path)?);
        file::create_directories(&self.tree.path, Access::Umask)?;
        file::sync_directory(&self.request.out)?;
        Ok(Some(PublishedResponses {
            directory: self.tree.path.clone(),
            certificates: due.len(),
            signed: 0,
            kept: due.len() * self.ids.len(),
            signer: signer.map(|signer| signer.certificate.clone()),
            has_new_signer: false,
            times: first(&due, None),
        }))
    }

    /// Replaces the directory. No other process does before the statuses are read: it never goes back to older ones.
    fn replace(
        &self,
        open: &OpenSigner,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<PublishedResponses, CaError> {
        let _lock = self.ca.lock_responses()?;
        let staged = StagedDirectory::new(&self.tree.path)?;
        let statuses = Statuses::of(self.ca, self.now)?;
        statuses.make_durable(self.ca)?;
        let due = if self.request.if_needed && !open.is_new {
            self.due(&statuses, &open.signer)?
        } else {
            let new = |answered| Due {
                answered,
                kept: vec![None; self.ids.len()],
            };
            statuses.all.iter().map(new).collect()
        };
        let times = open.signer.times(self.request, self.now);
        let signed = Writer {
            ca: self.ca,
            ids: &self.ids,
            open,
            times,
            old: &self.tree,
            new: ResponseTree::at(staged.hidden()),
            group: Group::of(staged.hidden())?,
        }
        .write(&due, progress)?;
        if file::stands(&self.tree.path)? {
            // Files that were added meanwhile are not removed either.
            self.tree.refuse_foreign()?;
            staged.commit_over()?;
        } else {
            staged.commit()?;
        }
        Ok(PublishedResponses {
            directory: self.tree.path.clone(),
            certificates: due.len(),
            signed,
            kept: due.len() * self.ids.len() - signed,
            signer: Some(open.signer.certificate.clone()),
            has_new_signer: open.is_new,
            times: first(&due, (signed > 0).then_some(times)),
        })
    }

    /// Finds out which responses are to be signed. Signatures of those that are there are not verified: the directory is
    /// the CA's own, and `check_responses` does that.
    fn due<'s>(&self, statuses: &'s Statuses, signer: &Signer) -> Result<Vec<Due<'s>>, CaError> {
        let signers = accepted(self.ca, self.request, signer, self.now)?;
        let judge = Judge {
            statuses,
            signers: &signers,
            left: Left::Third,
            verifies: false,
            now: self.now,
        };
        Ok(on_all_cores(statuses.all.iter().collect(), |answered| {
            let kept = self.ids.iter().map(|id| {
                // One that can't be read is replaced.
                let der = self.tree.response(id, &answered.serial).ok()??;
                let (state, times) = judge.judge(&der, id, answered);
                times.filter(|_| state == ResponseState::Current)
            });
            Due {
                answered,
                kept: kept.collect(),
            }
        }))
    }
}

/// Returns the times of the responses that expire first: those that are kept, and perhaps new ones.
fn first(due: &[Due<'_>], new: Option<ResponseTimes>) -> Option<ResponseTimes> {
    let kept = due.iter().flat_map(|due| &due.kept).flatten().copied();
    kept.chain(new).min_by_key(|times| times.next_update)
}

/// Returns the issuer parts of the CertIDs of a CA.
pub(super) fn issuer_ids(ca: &Ca, hashes: &[CertIdHash]) -> Vec<IssuerId> {
    let hashes = hashes.iter();
    hashes
        .map(|hash| IssuerId::of(ca.certificate(), *hash))
        .collect()
}

/// Returns the certificates whose responses are kept while they are right: those of responders, unless the CA is to sign.
pub(super) fn accepted(
    ca: &Ca,
    request: &OcspRequest,
    signer: &Signer,
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, CaError> {
    match request.signer {
        SignerChoice::Responder(_) => Signer::responders(ca, now),
        SignerChoice::Ca => Ok(vec![signer.certificate.clone()]),
    }
}
