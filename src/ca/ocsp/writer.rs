//! Writing a directory of responses.

use crate::ca::error::CaError;
use crate::ca::ocsp::ResponseTimes;
use crate::ca::ocsp::error::OcspError;
use crate::ca::ocsp::signer::OpenSigner;
use crate::ca::ocsp::statuses::Answered;
use crate::ca::ocsp::tree::ResponseTree;
use crate::ca::parallel::{on_all_cores, on_threads};
use crate::ca::passphrases::error::KeyUseError;
use crate::store::file::{self, Access, Group};
use crate::store::{Ca, FileError};
use crate::x509::Serial;
use crate::x509::ocsp::{CertIdHash, IssuerId, SingleStatus, sign_response};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Certificates whose responses are made at a time.
const GROUP: usize = 4096;

/// A certificate, and which of its responses are to be signed.
pub(super) struct Due<'a> {
    pub(super) answered: &'a Answered,
    /// For each hash algorithm of the request, the times of the response that is kept.
    pub(super) kept: Vec<Option<ResponseTimes>>,
}

/// Writer of a new directory.
pub(super) struct Writer<'a> {
    pub(super) ca: &'a Ca,
    pub(super) ids: &'a [IssuerId],
    pub(super) open: &'a OpenSigner,
    pub(super) times: ResponseTimes,
    pub(super) old: &'a ResponseTree,
    pub(super) new: ResponseTree,
    pub(super) group: Group,
}

impl Writer<'_> {
    /// Writes all responses, and makes them durable. Returns how many were signed.
    pub(super) fn write(
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
            // Names came into directories of earlier groups, too.
            let parents: BTreeSet<&Path> = paths
                .iter()
                .flatten()
                .filter_map(|path| path.parent())
                .collect();
            made.extend(parents.into_iter().map(Path::to_owned));
            made.extend(paths.iter().flatten().cloned());
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

    /// Returns the error of a file that could not be made. Its path may be taken: serial numbers of other programs can
    /// be chosen so that two requests differ in slashes alone.
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
