//! Files that a new CRL is written to.

use crate::ca::crl::place::{Place, Target};
use crate::ca::crl::published::{PublishedCrl, read_published_at, refuse_other_pem, stage_pem};
use crate::ca::error::CaError;
use crate::ca::remedy::Remedy;
use crate::store::file::{self, Existing, Staged};
use crate::store::{Ca, FileError, LockedCrls};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::thread;

/// Bytes of a published CRL from which on its files are read at the same time.
const WORTH_A_THREAD: u64 = 1 << 20;

/// The published CRL that a new one replaces, and the new one's files.
pub(crate) struct Predecessor {
    pub(crate) crl: Option<PublishedCrl>,
    pub(crate) targets: Targets,
}

/// Files that a new CRL is written to.
pub(crate) struct Targets {
    der: Target,
    pem: Option<Target>,
}

impl Predecessor {
    /// Refuses files that are no CRLs of this CA, unless they may be replaced.
    pub(crate) fn read(ca: &Ca, place: &Place, locked: &LockedCrls<'_>) -> Result<Self, CaError> {
        let der = place.target(ca, place.der(ca))?;
        let pem = if place.wants_pem(ca)? {
            Some(place.target(ca, place.pem(ca))?)
        } else {
            None
        };
        let read_der = || {
            let crl = read_published_at(ca, &der, locked.recent())?;
            if crl.is_none() && !place.overwrite && file::stands(&der.file)? {
                return Err(der.would_replace("a CRL of this CA"));
            }
            Ok(crl)
        };
        let refuse_pem = || {
            let pem = pem.as_ref();
            pem.map_or(Ok(()), |target| refuse_other_pem(place, target))
        };
        let large = fs::metadata(&der.file).is_ok_and(|found| found.len() >= WORTH_A_THREAD);
        let (crl, is_pem) = if large {
            thread::scope(|scope| {
                let pem = scope.spawn(refuse_pem);
                (read_der(), pem.join().expect("it does not panic"))
            })
        } else {
            (read_der(), refuse_pem())
        };
        let crl = crl?;
        is_pem?;
        Ok(Self {
            crl,
            targets: Targets { der, pem },
        })
    }
}

/// Files that are written and durable, and have no name yet: the kind and the path of each.
pub(crate) struct StagedFiles(Vec<(&'static str, PathBuf, Staged)>);

/// Writes a CRL's files without showing them.
pub(crate) fn stage(targets: Targets, der: &[u8]) -> Result<StagedFiles, FileError> {
    let Targets { der: target, pem } = targets;
    let mut staged = Staged::new(&target.file, target.access, Existing::Replace)?;
    staged.fill(|file| file.write_all(der))?;
    let mut files = vec![("der", target.path, staged)];
    if let Some(target) = pem {
        let pem = stage_pem(&target, Existing::Replace, &[der])?;
        files.push(("pem", target.path, pem));
    }
    for (_, _, file) in &mut files {
        file.sync()?;
    }
    Ok(StagedFiles(files))
}

/// Names the files of a CRL that is on record. `ahead` is the number of CRLs that were signed ahead with it.
pub(crate) fn commit(
    ca: &Ca,
    staged: StagedFiles,
    ahead: Option<usize>,
) -> Result<Vec<(&'static str, PathBuf)>, CaError> {
    let named = staged
        .0
        .into_iter()
        .map(|(kind, path, file)| ((kind, path), file));
    let (names, files): (Vec<_>, Vec<_>) = named.unzip();
    file::commit_all(files).map_err(|source| {
        let name = ca.name();
        let (what, remedy) = match ahead {
            Some(count) => (
                format!("{count} CRLs of {name}"),
                Remedy::PublishPresigned { ca: name.clone() },
            ),
            None => (format!("a new CRL of {name}"), Remedy::SignCrlAgain),
        };
        CaError::after_commit(what, remedy, source)
    })?;
    Ok(names)
}
