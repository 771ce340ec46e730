//! Verification of a certificate that anyone may have made: its path, then the revocation of every
//! certificate on it.

use crate::ca::error::CaError;
use crate::store::{Ca, Revoked, Store};
use crate::x509::comparison::are_equal;
use crate::x509::ocsp::OcspResponse;
use crate::x509::verify::{
    CrlProblem, OcspProblem, Paths, Question, Refusal, Trust, called, check_crls, check_responses,
    judge,
};
use crate::x509::{Certificate, Crl};
use std::cell::Cell;
use time::OffsetDateTime;

/// A certificate to verify, and the basis for it.
pub(crate) struct VerifyRequest<'a> {
    pub(crate) certificate: Certificate,
    /// Certificates that came with it; they may be on its path.
    pub(crate) beside: Vec<Certificate>,
    /// Certificates of bundles: the self-signed ones are trusted, the others may be on the
    /// path. `None` for the CAs of the store.
    pub(crate) bundle: Option<Vec<Certificate>>,
    /// Whether all certificates of the bundle are trusted if none is self-signed.
    pub(crate) trusts_intermediates: bool,
    /// CRLs; if there are any, they alone decide what is revoked.
    pub(crate) crls: Vec<Crl<'a>>,
    /// OCSP responses. A certificate that they are about needs no CRL; the one that is verified needs a response or a
    /// CRL if there are any.
    pub(crate) responses: Vec<OcspResponse<'a>>,
    /// Time, name and purpose.
    pub(crate) question: Question,
}

/// Result of a verification.
pub(crate) struct Judgement {
    /// The certificate and those above it up to the trusted one; empty if there is no such path.
    pub(crate) path: Vec<Certificate>,
    /// Revocation of the certificates on the path, up to the first that can't be relied on.
    pub(crate) revocation: Vec<Checked>,
    pub(crate) refusal: Option<Refusal>,
}

/// Revocation of a certificate on a path.
pub(crate) struct Checked {
    pub(crate) certificate: Certificate,
    pub(crate) checked_by: CheckedBy,
    pub(crate) refusal: Option<Refusal>,
    /// Reasons why CRLs of its issuer were not used.
    pub(crate) unused: Vec<CrlProblem>,
    /// Reasons why OCSP responses about it were not used.
    pub(crate) unused_responses: Vec<OcspProblem>,
}

/// Source of the revocation status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckedBy {
    /// The store's record of its issuer.
    Store,
    /// A CRL of its issuer.
    Crl,
    /// An OCSP response.
    Ocsp,
    None,
}

/// Finds a valid path, or the reason why there is none. Of several invalid ones the first decides,
/// unless a later one is invalid for a revocation alone.
pub(crate) fn verify(
    store: Option<&Store>,
    request: &VerifyRequest<'_>,
) -> Result<Judgement, CaError> {
    let known = store.map_or_else(|| Ok(Vec::new()), Store::cas)?;
    let pool = match &request.bundle {
        Some(bundle) => bundle.clone(),
        None => certificates_of(&known)?,
    };
    let verifier = Verifier::new(&known, pool, request);
    verifier.judge(&request.certificate, &request.question, &[])
}

/// Returns the certificates of CAs: those in force, and then the previous ones.
fn certificates_of(cas: &[Ca]) -> Result<Vec<Certificate>, CaError> {
    let mut certificates: Vec<Certificate> =
        cas.iter().map(|ca| ca.certificate().clone()).collect();
    for ca in cas {
        certificates.extend(ca.certificates()?.into_iter().skip(1));
    }
    Ok(certificates)
}

/// Limit of certificates that are judged as further signers of CRLs.
const MOST_SIGNERS: usize = 16;
/// Limit of the depth to which the judgement of a CRL's signer rests on that of another.
const DEEPEST: usize = 3;

/// Basis for judging certificates.
struct Verifier<'a> {
    known: &'a [Ca],
    crls: &'a [Crl<'a>],
    responses: &'a [OcspResponse<'a>],
    anchors: Vec<Certificate>,
    /// Certificates that may be on a path, and are not trusted themselves.
    others: Vec<Certificate>,
    /// Number of signers of CRLs that were judged.
    signers: Cell<usize>,
}

impl<'a> Verifier<'a> {
    /// Trusts the self-signed certificates of the pool, as openssl does: not those that name another one of
    /// their key as their issuer.
    fn new(known: &'a [Ca], pool: Vec<Certificate>, request: &'a VerifyRequest<'a>) -> Self {
        let (mut anchors, mut others): (Vec<_>, Vec<_>) =
            pool.into_iter().partition(Certificate::is_own_issuer);
        let has_root = !anchors.is_empty() || others.iter().any(Certificate::is_self_signed);
        if !has_root && request.trusts_intermediates {
            std::mem::swap(&mut anchors, &mut others);
        }
        others.extend_from_slice(&request.beside);
        Self {
            known,
            crls: &request.crls,
            responses: &request.responses,
            anchors,
            others,
            signers: Cell::new(0),
        }
    }

    /// Judges a certificate; `signers` are those of CRLs whose judgement waits for this one.
    fn judge(
        &self,
        certificate: &Certificate,
        question: &Question,
        signers: &[&Certificate],
    ) -> Result<Judgement, CaError> {
        let trust = Trust::new(certificate, self.anchors.clone(), self.others.clone());
        let without_path = |refusal| Judgement {
            path: Vec::new(),
            revocation: Vec::new(),
            refusal: Some(refusal),
        };
        let mut bad: Option<Judgement> = None;
        let mut paths = Paths::of(&trust);
        loop {
            let Ok(path) = paths.next_path() else {
                let subject = called(certificate);
                return Ok(without_path(Refusal::TooManyPaths { subject }));
            };
            let Some(path) = path else {
                return Ok(bad.unwrap_or_else(|| without_path(paths.why_none())));
            };
            let judgement = self.judge_path(path, question, signers)?;
            let Some(refusal) = &judgement.refusal else {
                return Ok(judgement);
            };
            if bad.is_none() || refusal.is_about_revocation() {
                bad = Some(judgement);
            }
        }
    }

    fn judge_path(
        &self,
        path: Vec<Certificate>,
        question: &Question,
        signers: &[&Certificate],
    ) -> Result<Judgement, CaError> {
        let mut revocation = Vec::new();
        let mut refusal = judge(&path, question).err();
        for index in 1..path.len() {
            if refusal.is_some() {
                break;
            }
            let checked = self.revocation(&path, index, question, signers)?;
            refusal = checked.refusal.clone();
            revocation.push(checked);
        }
        Ok(Judgement {
            path,
            revocation,
            refusal,
        })
    }

    /// Checks the revocation of the certificate below `index`: by the OCSP responses that were given, or else by the
    /// CRLs, or else by the record.
    fn revocation(
        &self,
        path: &[Certificate],
        index: usize,
        question: &Question,
        signers: &[&Certificate],
    ) -> Result<Checked, CaError> {
        let (certificate, issuer) = (&path[index - 1], &path[index]);
        let mut unused = Vec::new();
        let mut no_response = None;
        let checked = |checked_by, refusal, unused, unused_responses| Checked {
            certificate: certificate.clone(),
            checked_by,
            refusal,
            unused,
            unused_responses,
        };
        if !self.responses.is_empty() {
            let time = question.time;
            let is_revoked = |responder: &Certificate| self.is_revoked(responder, issuer, time);
            match check_responses(self.responses, certificate, issuer, time, is_revoked)? {
                Ok(unused_responses) => {
                    let refusal = self.known_revocation(certificate, issuer, time);
                    let by = CheckedBy::Ocsp;
                    return Ok(checked(by, refusal, unused, unused_responses));
                }
                Err(Refusal::NoResponse { problem, .. }) if index > 1 || !self.crls.is_empty() => {
                    no_response = Some(problem).filter(|problem| *problem != OcspProblem::Missing);
                }
                Err(refusal) => {
                    return Ok(checked(CheckedBy::Ocsp, Some(refusal), unused, Vec::new()));
                }
            }
        }
        let (checked_by, refusal) = if self.crls.is_empty() {
            recorded(self.known, certificate, issuer)?
        } else {
            let mut checked = check_crls(self.crls, certificate, &[issuer], question.time);
            if let Err(Refusal::NoCrl { .. }) = checked {
                let others = self.other_signers(path, index, question, signers)?;
                let all: Vec<_> = std::iter::once(issuer).chain(&others).collect();
                if !others.is_empty() {
                    checked = check_crls(self.crls, certificate, &all, question.time);
                }
            }
            let refusal = checked.map(|found| unused = found).err();
            (CheckedBy::Crl, refusal)
        };
        // Nothing else says that it is not revoked.
        let refusal = refusal.or_else(|| {
            let problem = no_response
                .clone()
                .filter(|_| checked_by == CheckedBy::None)?;
            let subject = called(certificate);
            Some(Refusal::NoResponse { subject, problem })
        });
        let unused_responses = no_response.into_iter().collect();
        Ok(checked(checked_by, refusal, unused, unused_responses))
    }

    /// Returns the revocation of a certificate on the CRLs that were given. They need not cover it.
    fn known_revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        time: OffsetDateTime,
    ) -> Option<Refusal> {
        let refusal = check_crls(self.crls, certificate, &[issuer], time).err()?;
        matches!(refusal, Refusal::Revoked { .. }).then_some(refusal)
    }

    /// Returns whether the CRLs that were given, or else the records, say that the certificate of a responder is revoked.
    fn is_revoked(
        &self,
        responder: &Certificate,
        issuer: &Certificate,
        time: OffsetDateTime,
    ) -> Result<bool, CaError> {
        if !self.crls.is_empty() {
            return Ok(self.known_revocation(responder, issuer, time).is_some());
        }
        let (_, refusal) = recorded(self.known, responder, issuer)?;
        Ok(refusal.is_some())
    }

    /// Returns certificates of the issuer's name with other keys, each under the same anchor (RFC 5280 section
    /// 6.3.3 (f)): those of the path, and others that are valid.
    fn other_signers(
        &self,
        path: &[Certificate],
        index: usize,
        question: &Question,
        signers: &[&Certificate],
    ) -> Result<Vec<Certificate>, CaError> {
        let issuer = &path[index];
        let has_other_key = |found: &&Certificate| {
            are_equal(found.subject(), issuer.subject())
                && found.public_key().spki() != issuer.public_key().spki()
                && !signers.contains(found)
        };
        let on_path = path.iter().filter(has_other_key);
        let mut found: Vec<Certificate> = on_path.cloned().collect();
        for other in self.others.iter().filter(has_other_key) {
            if found.contains(other)
                || signers.len() >= DEEPEST
                || self.signers.get() >= MOST_SIGNERS
            {
                continue;
            }
            self.signers.set(self.signers.get() + 1);
            let waiting = [signers, &[other]].concat();
            let judgement = self.judge(other, &Question::at(question.time), &waiting)?;
            let same_anchor = judgement.path.last() == path.last();
            if judgement.refusal.is_none() && same_anchor {
                found.push(other.clone());
            }
        }
        Ok(found)
    }
}

/// Checks the records of the store's CAs with the issuer's name and key.
fn recorded(
    cas: &[Ca],
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(CheckedBy, Option<Refusal>), CaError> {
    let is_issuer = |ca: &&Ca| {
        are_equal(ca.certificate().subject(), issuer.subject())
            && ca.certificate().public_key().spki() == issuer.public_key().spki()
    };
    let Ok(serial) = certificate.serial() else {
        return Ok((CheckedBy::None, None));
    };
    let mut checked_by = CheckedBy::None;
    for ca in cas.iter().filter(is_issuer) {
        // A CA whose key is elsewhere may have issued and revoked there; for certificates issued here the
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

#[cfg(test)]
mod tests;
