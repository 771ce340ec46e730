//! Responses of a whole CA.

use crate::ca::error::CaError;
use crate::ca::ocsp::error::OcspError;
use crate::ca::ocsp::folder::Folder;
use crate::ca::ocsp::judge::{Judge, Left, ResponseState};
use crate::ca::ocsp::signer::{OpenSigner, Signer, SignerChoice};
use crate::ca::ocsp::statuses::{Answered, Statuses};
use crate::ca::ocsp::{OcspRequest, ResponseTimes};
use crate::ca::parallel::{on_all_cores, on_threads};
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::session::Session;
use crate::store::file::{self, Access, Group, StagedDirectory};
use crate::store::{Ca, FileError};
use crate::x509::ocsp::{CertIdHash, IssuerId, SingleStatus, sign_response};
use crate::x509::{Certificate, Serial};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Certificates whose responses are made at a time.
const GROUP: usize = 4096;

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
    /// Certificate that signs.
    pub(crate) signer: Certificate,
    /// The times of the responses that expire first; `None` for a CA without certificates.
    pub(crate) times: Option<ResponseTimes>,
}

/// A certificate, and which of its responses are to be signed.
struct Due<'a> {
    answered: &'a Answered,
    /// For each hash algorithm of the request, the times of the response that is kept.
    kept: Vec<Option<ResponseTimes>>,
}

/// Signs the responses of a CA and replaces the directory with them.
pub(crate) fn publish_responses(
    session: &mut Session<'_>,
    ca: &Ca,
    request: &OcspRequest,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<PublishedResponses, CaError> {
    let now = session.now;
    let folder = Folder::of(&request.out, ca.name());
    folder.refuse_foreign()?;
    file::create_directories(&request.out, Access::Umask)?;
    // Held from before the statuses are read: the directory never goes back to older ones.
    let staged = StagedDirectory::new(&folder.path)?;
    let found = Signer::find(ca, request, now)?;
    let ids: Vec<IssuerId> = issuer_ids(ca, &request.hashes);
    if request.if_needed
        && let Some(signer) = &found
    {
        let statuses = Statuses::of(ca, now)?;
        let signers = accepted(ca, request, signer, now)?;
        let due = due(&folder, &ids, &statuses, &signers, now);
        if due.iter().all(|due| !due.kept.contains(&None)) {
            file::sync_directory(&request.out)?;
            return Ok(PublishedResponses {
                directory: folder.path,
                certificates: due.len(),
                signed: 0,
                kept: due.len() * ids.len(),
                times: first(&due, None),
                signer: found.expect("it was found").certificate,
            });
        }
    }
    let open = OpenSigner::of(found, session, ca, request)?;
    // A responder that was issued now has a response too.
    let statuses = Statuses::of(ca, now)?;
    let due = if request.if_needed && !open.is_new {
        let signers = accepted(ca, request, &open.signer, now)?;
        due(&folder, &ids, &statuses, &signers, now)
    } else {
        let all = statuses.all.iter();
        all.map(|answered| Due {
            answered,
            kept: vec![None; ids.len()],
        })
        .collect()
    };
    let times = open.signer.times(request, now);
    let signed = Writer {
        ca,
        ids: &ids,
        open: &open,
        times,
        old: &folder,
        new: Folder::at(staged.hidden()),
        group: Group::of(staged.hidden())?,
    }
    .write(&due, progress)?;
    if file::stands(&folder.path)? {
        // Files that were added meanwhile are not removed either.
        folder.refuse_foreign()?;
        staged.commit_over()?;
    } else {
        staged.commit()?;
    }
    Ok(PublishedResponses {
        directory: folder.path,
        certificates: due.len(),
        signed,
        kept: due.len() * ids.len() - signed,
        times: first(&due, (signed > 0).then_some(times)),
        signer: open.signer.certificate,
    })
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

/// Finds out which responses are to be signed. Signatures of those that are there are not verified: the directory is
/// the CA's own, and `check_responses` does that.
fn due<'s>(
    folder: &Folder,
    ids: &[IssuerId],
    statuses: &'s Statuses,
    signers: &[Certificate],
    now: OffsetDateTime,
) -> Vec<Due<'s>> {
    let judge = Judge {
        statuses,
        signers,
        left: Left::Third,
        verifies: false,
        now,
    };
    on_all_cores(statuses.all.iter().collect(), |answered| Due {
        answered,
        kept: ids
            .iter()
            .map(|id| {
                let der = folder.response(id, &answered.serial)?;
                let (state, times) = judge.judge(&der, id, answered);
                times.filter(|_| state == ResponseState::Current)
            })
            .collect(),
    })
}

/// Writer of a new directory.
struct Writer<'a> {
    ca: &'a Ca,
    ids: &'a [IssuerId],
    open: &'a OpenSigner,
    times: ResponseTimes,
    old: &'a Folder,
    new: Folder,
    group: Group,
}

impl Writer<'_> {
    /// Writes all responses, and makes them durable. Returns how many were signed.
    fn write(
        &self,
        due: &[Due<'_>],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<usize, CaError> {
        let mut directories = BTreeSet::new();
        let mut signed = 0;
        for group in due.chunks(GROUP) {
            let paths: Vec<Vec<PathBuf>> = group.iter().map(|due| self.paths(due)).collect();
            let mut made = Vec::new();
            for directory in paths.iter().flatten().filter_map(|path| path.parent()) {
                if !directories.contains(directory) {
                    self.make(directory, &mut directories, &mut made)?;
                }
            }
            let work = group.iter().zip(&paths).collect();
            let each = |(due, paths): (&Due<'_>, &Vec<PathBuf>)| self.write_one(due, paths);
            let written = match self.open.responder.key().sessions() {
                Some(count) => on_threads(count, work, each),
                None => on_all_cores(work, each),
            };
            for count in written {
                signed += count?;
            }
            made.extend(paths.into_iter().flatten());
            self.group.written(&made)?;
            progress(group.len(), due.len());
        }
        self.group.finish()?;
        Ok(signed)
    }

    /// Returns the files of a certificate: one for each request, and the one for stapling.
    fn paths(&self, due: &Due<'_>) -> Vec<PathBuf> {
        let serial = &due.answered.serial;
        let mut paths = Vec::with_capacity(self.ids.len() + 1);
        for id in self.ids {
            paths.push(self.new.get(id, serial));
            if id.hash == CertIdHash::Sha1 {
                paths.push(self.new.staple(serial));
            }
        }
        paths
    }

    fn make(
        &self,
        directory: &Path,
        directories: &mut BTreeSet<PathBuf>,
        made: &mut Vec<PathBuf>,
    ) -> Result<(), CaError> {
        let missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|above| *above != self.new.path && !directories.contains(*above))
            .collect();
        for directory in missing.into_iter().rev() {
            file::create_directory(directory, Access::Umask)?;
            directories.insert(directory.to_owned());
            made.push(directory.to_owned());
        }
        Ok(())
    }

    /// Words the error of a path that another certificate has: serial numbers made elsewhere can be chosen so.
    fn taken(&self, serial: &Serial, error: FileError) -> CaError {
        if error.source.kind() != io::ErrorKind::AlreadyExists {
            return error.into();
        }
        OcspError::SamePath {
            ca: self.ca.name().clone(),
            serial: *serial,
        }
        .into()
    }

    /// Signs those of a certificate's responses that are due, and takes over the others.
    fn write_one(&self, due: &Due<'_>, paths: &[PathBuf]) -> Result<usize, CaError> {
        let serial = &due.answered.serial;
        let mut paths = paths.iter();
        let mut signed = 0;
        for (id, kept) in self.ids.iter().zip(&due.kept) {
            let path = paths.next().expect("each response has a path");
            if kept.is_none() {
                let single = SingleStatus {
                    serial,
                    status: due.answered.status,
                    this_update: self.times.this_update,
                    next_update: self.times.next_update,
                };
                let der = sign_response(&self.open.responder, id, &single);
                let der = der.map_err(KeyUseError::Signing)?;
                Group::create(path, Access::Umask, &der)
                    .map_err(|error| self.taken(serial, error))?;
                signed += 1;
            } else {
                let old = self.old.get(id, serial);
                file::link(&old, path).map_err(|error| self.taken(serial, error))?;
            }
            if id.hash == CertIdHash::Sha1 {
                file::link(path, paths.next().expect("it has a staple too"))?;
            }
        }
        Ok(signed)
    }
}
