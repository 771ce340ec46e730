//! Files that are published already: their content, and whether they may be replaced.

use crate::ca::crl::place::{Place, Target};
use crate::ca::error::CaError;
use crate::ca::foreign::{CRL_LABEL, Input};
use crate::pem;
use crate::store::file::{self, Existing, Staged};
use crate::store::{Ca, FileError, SignedCrl};
use crate::x509::Fingerprint;
use crate::x509::crl::Crl;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// A CRL of a CA, as it is published.
pub(crate) struct PublishedCrl(Vec<u8>);

impl PublishedCrl {
    pub(crate) fn crl(&self) -> Crl<'_> {
        Crl::from_der(&self.0).expect("it was read before")
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn number(&self) -> Option<u128> {
        self.crl().number()
    }
}

impl AsRef<[u8]> for PublishedCrl {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Reads the CRL that is published in a place, if it is one of this CA: one of those that it signed last, or
/// any other that its key signed.
pub(crate) fn read_published(
    ca: &Ca,
    place: &Place,
    recent: &[SignedCrl],
) -> Result<Option<PublishedCrl>, CaError> {
    read_published_at(ca, &place.target(ca, place.der(ca))?, recent)
}

/// Same as [`read_published`], for a file that is found already.
pub(crate) fn read_published_at(
    ca: &Ca,
    target: &Target,
    recent: &[SignedCrl],
) -> Result<Option<PublishedCrl>, CaError> {
    if !file::is_regular(&target.file)? {
        return Ok(None);
    }
    let der = Input::read(&target.file)?.into_content();
    let is_ours = Crl::from_der(&der).is_ok_and(|crl| {
        (names_issuer(&crl, ca) && is_recent(&crl, recent)) || is_crl_of(ca, &crl)
    });
    Ok(is_ours.then_some(PublishedCrl(der)))
}

fn names_issuer(crl: &Crl<'_>, ca: &Ca) -> bool {
    crl.issuer() == ca.certificate().subject()
}

/// Returns whether the CA's key signed a CRL in its name.
pub(crate) fn is_crl_of(ca: &Ca, crl: &Crl<'_>) -> bool {
    names_issuer(crl, ca) && crl.verify_signature(ca.certificate().public_key()).is_ok()
}

/// Returns whether a CRL is on record to the byte: it was verified when it was signed.
fn is_recent(crl: &Crl<'_>, recent: &[SignedCrl]) -> bool {
    let mut same_number = recent
        .iter()
        .filter(|record| Some(record.number) == crl.number());
    same_number.any(|record| record.sha256 == Fingerprint::of(crl.der()).to_string())
}

/// Refuses a PEM file that is no CRL, unless it may be replaced.
pub(crate) fn refuse_other_pem(place: &Place, target: &Target) -> Result<(), CaError> {
    let file = &target.file;
    if place.overwrite || !file::stands(file)? || holds_only_crls(file)? {
        return Ok(());
    }
    Err(target.would_replace("a CRL"))
}

/// Returns whether a file consists of PEM CRLs alone, judged by their markers.
fn holds_only_crls(path: &Path) -> Result<bool, CaError> {
    if !file::is_regular(path)? {
        return Ok(false);
    }
    let failed = FileError::of("read", path);
    let has_only = File::open(path).and_then(|file| pem::has_only(CRL_LABEL, file));
    Ok(has_only.map_err(failed)?)
}

/// Writes CRLs as PEM, one after the other, without showing the file.
pub(crate) fn stage_pem(
    target: &Target,
    existing: Existing,
    crls: &[impl AsRef<[u8]>],
) -> Result<Staged, FileError> {
    let mut staged = Staged::new(&target.file, target.access, existing)?;
    staged.fill(|file| {
        let mut buffered = BufWriter::with_capacity(64 * 1024, file);
        for der in crls {
            pem::write(&mut buffered, CRL_LABEL, der.as_ref())?;
        }
        buffered.flush()
    })?;
    Ok(staged)
}

/// Returns whether a file is these CRLs as PEM, and nothing else.
pub(crate) fn holds_as_pem(path: &Path, crls: &[impl AsRef<[u8]>]) -> bool {
    // Opening a pipe would wait for its writer.
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let Some(file) = is_file.then(|| File::open(path).ok()).flatten() else {
        return false;
    };
    let mut rest = Comparing(BufReader::new(file));
    let is_same = crls
        .iter()
        .all(|der| pem::write(&mut rest, CRL_LABEL, der.as_ref()).is_ok());
    is_same && matches!(rest.0.read(&mut [0]), Ok(0))
}

/// Accepts only the bytes that come next in the file.
struct Comparing(BufReader<File>);

impl Write for Comparing {
    fn write(&mut self, expected: &[u8]) -> io::Result<usize> {
        let mut found = [0; 128];
        let length = expected.len().min(found.len());
        self.0.read_exact(&mut found[..length])?;
        if found[..length] == expected[..length] {
            Ok(length)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
