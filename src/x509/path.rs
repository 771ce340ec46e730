//! Certification paths among certificates at hand (RFC 5280 section 6.1).

use super::certificate::Certificate;
use std::collections::HashSet;

/// A certificate whose issuer is not at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the issuer of {subject} is missing: {issuer}")]
pub struct MissingIssuer {
    /// The certificate's subject.
    pub subject: String,
    /// The issuer that it names.
    pub issuer: String,
}

/// The issuer of `certificate` among `pool`: the name fits to the byte and the signature verifies.
pub fn issuer_of<'a>(
    certificate: &Certificate,
    pool: impl IntoIterator<Item = &'a Certificate>,
) -> Option<&'a Certificate> {
    pool.into_iter()
        .find(|candidate| issued(candidate, certificate))
}

/// Whether `issuer` issued `certificate`; a root issued itself.
pub fn issued(issuer: &Certificate, certificate: &Certificate) -> bool {
    certificate.names_as_issuer(issuer) && certificate.verify_signature(issuer.public_key()).is_ok()
}

/// Keeps one of each certificate, compared by its DER, in the order of first appearance.
pub fn deduplicate(certificates: Vec<Certificate>) -> Vec<Certificate> {
    let mut seen = HashSet::new();
    certificates
        .into_iter()
        .filter(|certificate| seen.insert(certificate.fingerprint()))
        .collect()
}

/// The certificates with which the paths of all of `wanted` reach their roots, taken from `pool`
/// where they are not among `wanted`.
pub fn complete(
    wanted: Vec<Certificate>,
    pool: &[Certificate],
) -> Result<Vec<Certificate>, MissingIssuer> {
    let mut complete = deduplicate(wanted);
    let mut next = 0;
    while let Some(certificate) = complete.get(next) {
        next += 1;
        if certificate.is_self_signed() || issuer_of(certificate, &complete).is_some() {
            continue;
        }
        let issuer = issuer_of(certificate, pool).ok_or_else(|| MissingIssuer {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
        })?;
        complete.push(issuer.clone());
    }
    Ok(complete)
}

/// Every issuer behind what it issued; otherwise the order stays. Where certificates certify each
/// other in a ring, the first of them goes first.
pub fn issuers_last(certificates: &[Certificate]) -> Vec<Certificate> {
    let issuers: Vec<Vec<usize>> = certificates
        .iter()
        .map(|certificate| {
            let others = certificates
                .iter()
                .enumerate()
                .filter(|(_, other)| *other != certificate);
            others
                .filter(|(_, other)| issued(other, certificate))
                .map(|(index, _)| index)
                .collect()
        })
        .collect();
    let mut waiting: Vec<usize> = (0..certificates.len()).collect();
    let mut ordered = Vec::with_capacity(certificates.len());
    while !waiting.is_empty() {
        let free = |index: &usize| !waiting.iter().any(|other| issuers[*other].contains(index));
        let position = waiting.iter().position(free).unwrap_or(0);
        ordered.push(certificates[waiting.remove(position)].clone());
    }
    ordered
}
