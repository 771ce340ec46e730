//! Judging a certificate that anyone may have made: its path, then the revocation of every
//! certificate on it.

use super::error::CaError;
use crate::store::{Ca, Revoked, Store};
use crate::x509::verify::{
    ListProblem, Paths, Question, Refusal, Trust, called, check_lists, judge,
};
use crate::x509::{Certificate, RevocationList};

/// What is to be judged, by what.
pub struct VerifyRequest<'a> {
    /// The certificate that is judged.
    pub certificate: Certificate,
    /// Those that came with it; they may stand on its path.
    pub beside: Vec<Certificate>,
    /// The certificates of bundles: the self-signed ones are trusted, the others may stand on the
    /// path. `None` where the store's CAs take their place.
    pub bundle: Option<Vec<Certificate>>,
    /// Where there are any, they alone decide what is revoked.
    pub lists: Vec<RevocationList<'a>>,
    /// What the certificate is asked to be good for.
    pub question: Question,
}

/// What came out.
pub struct Judgement {
    /// The certificate and those above it up to the trusted one; empty where there is no such path.
    pub path: Vec<Certificate>,
    /// How those of the path stand whose revocation was looked at, up to the first that can't be
    /// relied on.
    pub revocation: Vec<Checked>,
    /// Why it is not valid, if it is not.
    pub refusal: Option<Refusal>,
}

/// How a certificate of a path stands.
pub struct Checked {
    /// The certificate.
    pub certificate: Certificate,
    /// Who knows.
    pub checked_by: CheckedBy,
    /// Why it can't be relied on, if it can't.
    pub refusal: Option<Refusal>,
    /// Why CRLs of its issuer that were given were not used.
    pub unused: Vec<ListProblem>,
}

/// Who knows whether a certificate is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedBy {
    /// The store's record of its issuer.
    Store,
    /// A list of its issuer that was given.
    List,
    /// Nobody.
    None,
}

/// Judges the path that is found good, or says why none is. Of several bad ones the first decides,
/// unless a later one is bad for a revocation alone.
pub fn verify(store: Option<&Store>, request: &VerifyRequest<'_>) -> Result<Judgement, CaError> {
    let known = store.map_or_else(|| Ok(Vec::new()), Store::cas)?;
    let trust = trust(&known, request);
    let revocations = match request.lists.as_slice() {
        [] => Revocations::Recorded(&known),
        lists => Revocations::Listed(lists),
    };
    let without_path = |refusal| Judgement {
        path: Vec::new(),
        revocation: Vec::new(),
        refusal: Some(refusal),
    };
    let mut bad: Option<Judgement> = None;
    let mut paths = Paths::of(&trust);
    loop {
        let Ok(path) = paths.next_path() else {
            let subject = called(&request.certificate);
            return Ok(without_path(Refusal::TooManyPaths { subject }));
        };
        let Some(path) = path else {
            return Ok(bad.unwrap_or_else(|| without_path(paths.why_none())));
        };
        let judgement = judge_path(path, &request.question, &revocations)?;
        let Some(refusal) = &judgement.refusal else {
            return Ok(judgement);
        };
        if bad.is_none() || refusal.is_about_revocation() {
            bad = Some(judgement);
        }
    }
}

/// What paths are made of: where there is no bundle, the CAs of the store.
fn trust(known: &[Ca], request: &VerifyRequest<'_>) -> Trust {
    let pool = match &request.bundle {
        Some(bundle) => bundle.clone(),
        None => known.iter().map(|ca| ca.certificate().clone()).collect(),
    };
    let (anchors, mut others): (Vec<_>, Vec<_>) =
        pool.into_iter().partition(Certificate::is_self_signed);
    others.extend_from_slice(&request.beside);
    Trust::new(&request.certificate, anchors, others)
}

fn judge_path(
    path: Vec<Certificate>,
    question: &Question,
    revocations: &Revocations<'_>,
) -> Result<Judgement, CaError> {
    let mut revocation = Vec::new();
    let mut refusal = judge(&path, question).err();
    for (certificate, issuer) in path.iter().zip(path.iter().skip(1)) {
        if refusal.is_some() {
            break;
        }
        let checked = revocations.check(certificate, issuer, question)?;
        refusal = checked.refusal.clone();
        revocation.push(checked);
    }
    Ok(Judgement {
        path,
        revocation,
        refusal,
    })
}

/// Who is asked whether a certificate is revoked.
enum Revocations<'a> {
    /// The lists that were given.
    Listed(&'a [RevocationList<'a>]),
    /// What the CAs of the store have recorded.
    Recorded(&'a [Ca]),
}

impl Revocations<'_> {
    fn check(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        question: &Question,
    ) -> Result<Checked, CaError> {
        let mut unused = Vec::new();
        let (checked_by, refusal) = match self {
            Self::Listed(lists) => {
                let checked = check_lists(lists, certificate, issuer, question.time);
                let refusal = checked.map(|found| unused = found).err();
                (CheckedBy::List, refusal)
            }
            Self::Recorded(cas) => recorded(cas, certificate, issuer)?,
        };
        Ok(Checked {
            certificate: certificate.clone(),
            checked_by,
            refusal,
            unused,
        })
    }
}

/// What the CAs of the store with the issuer's name and key have recorded.
fn recorded(
    cas: &[Ca],
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(CheckedBy, Option<Refusal>), CaError> {
    let is_issuer = |ca: &&Ca| {
        ca.certificate().subject() == issuer.subject()
            && ca.certificate().public_key().spki() == issuer.public_key().spki()
    };
    let Ok(serial) = certificate.serial() else {
        return Ok((CheckedBy::None, None));
    };
    let mut checked_by = CheckedBy::None;
    for ca in cas.iter().filter(is_issuer) {
        // A CA whose key is elsewhere may have issued and revoked there; of what it issued here the
        // record is complete.
        if !ca.has_key()? && ca.issuance(&serial)?.is_none() {
            continue;
        }
        checked_by = CheckedBy::Store;
        if let Some(Revoked {
            reason, revoked_at, ..
        }) = ca.revoked(&serial)?
        {
            let refusal = Refusal::Revoked {
                subject: called(certificate),
                serial: serial.to_string(),
                revoked_at,
                reason,
            };
            return Ok((checked_by, Some(refusal)));
        }
    }
    Ok((checked_by, None))
}
