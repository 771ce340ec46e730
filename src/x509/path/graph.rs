//! Certificates, and who of them issued whom.

use super::error::{AUTHORITY_KEY_IDENTIFIER, IncompletePath, MOST_NAMESAKES};
use crate::key::{PublicKey, PublicKeyAlgorithm};
use crate::x509::Name;
use crate::x509::certificate::{Certificate, algorithm_name};
use crate::x509::comparison::ComparableName;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

/// Keys of one name that are tried for one signature: each costs a verification, and whoever makes a file
/// may put as many into it as they like. Certificates with key identifiers name the one to try.
pub(in super::super) const MOST_KEYS: usize = 16;

/// Certificates, and who of them issued whom.
///
/// Signatures are what costs. A certificate is held against each key of its issuer's name, not each
/// certificate, and against none behind the one that fits; the key that fitted last is tried first.
pub(in super::super) struct Graph<'a> {
    pub(super) certificates: &'a [Certificate],
    by_subject: HashMap<ComparableName, Vec<usize>>,
    issuers: Vec<OnceCell<Vec<usize>>>,
    proven: RefCell<HashMap<&'a Name, &'a [u8]>>,
}

impl<'a> Graph<'a> {
    pub(in super::super) fn of(certificates: &'a [Certificate]) -> Self {
        let mut by_subject: HashMap<ComparableName, Vec<usize>> = HashMap::new();
        for (node, certificate) in certificates.iter().enumerate() {
            by_subject
                .entry(ComparableName::of(certificate.subject()))
                .or_default()
                .push(node);
        }
        Self {
            certificates,
            by_subject,
            issuers: vec![OnceCell::new(); certificates.len()],
            proven: RefCell::default(),
        }
    }

    /// Every certificate that issued this one; a root's issuer is the root alone.
    pub(in super::super) fn issuers(&self, node: usize) -> &[usize] {
        self.issuers[node].get_or_init(|| {
            let certificate = &self.certificates[node];
            if certificate.is_own_issuer() {
                return vec![node];
            }
            if self.namesakes_of_issuer(node).len() > MOST_NAMESAKES {
                return Vec::new();
            }
            let mut candidates = self.candidates(node);
            let key = self.key_that_fits(node, &candidates);
            candidates.retain(|candidate| Some(self.key(*candidate)) == key);
            // A root that names another certificate of its key, which is not at hand.
            if candidates.is_empty()
                && certificate.authority().is_ok()
                && certificate.is_self_signed()
            {
                candidates.push(node);
            }
            candidates
        })
    }

    /// The certificates that this one names as its issuer.
    pub(in super::super) fn candidates(&self, node: usize) -> Vec<usize> {
        let certificate = &self.certificates[node];
        let mut candidates = self.namesakes_of_issuer(node).to_vec();
        candidates.retain(|issuer| certificate.names_certificate(&self.certificates[*issuer]));
        candidates
    }

    /// Returns whether the CA that this one names is there, and not that certificate of it.
    pub(in super::super) fn lacks_certificate_of_issuer(&self, node: usize) -> bool {
        let certificate = &self.certificates[node];
        let names_ca = |issuer: &usize| certificate.names_as_issuer(&self.certificates[*issuer]);
        self.candidates(node).is_empty() && self.namesakes_of_issuer(node).iter().any(names_ca)
    }

    /// The certificates with the name of this one's issuer, whatever their keys.
    pub(in super::super) fn namesakes_of_issuer(&self, node: usize) -> &[usize] {
        let issuer = self.certificates[node].issuer();
        let namesakes = self.by_subject.get(&ComparableName::of(issuer));
        namesakes.map_or(&[], Vec::as_slice)
    }

    fn key(&self, node: usize) -> &'a [u8] {
        self.certificates[node].public_key().spki()
    }

    pub(in super::super) fn keys_of(&self, nodes: &[usize]) -> usize {
        let keys = nodes.iter().map(|node| self.key(*node));
        keys.collect::<HashSet<_>>().len()
    }

    /// The key among those of the candidates with which this certificate was signed.
    fn key_that_fits(&self, node: usize, candidates: &[usize]) -> Option<&'a [u8]> {
        let certificate = &self.certificates[node];
        let proven = self.proven.borrow().get(certificate.issuer()).copied();
        let mut in_order = candidates.to_vec();
        in_order.sort_by_key(|candidate| Some(self.key(*candidate)) != proven);
        let mut tried = HashSet::new();
        let untried = in_order
            .into_iter()
            .filter(|node| tried.insert(self.key(*node)));
        let fits = untried.take(MOST_KEYS).find(|candidate| {
            let key = self.certificates[*candidate].public_key();
            certificate.verify_signature(key).is_ok()
        });
        let key = self.key(fits?);
        self.proven.borrow_mut().insert(certificate.issuer(), key);
        Some(key)
    }

    /// Returns the reason for which a certificate has no issuer among the others.
    pub(super) fn why_no_issuer(&self, node: usize) -> IncompletePath {
        let subject = self.certificates[node].subject().to_string();
        let issuer = self.certificates[node].issuer().to_string();
        let count = self.namesakes_of_issuer(node).len();
        if count > MOST_NAMESAKES {
            return IncompletePath::TooManyNamesakes {
                subject,
                issuer,
                count,
            };
        }
        if let Err(problem) = self.certificates[node].authority() {
            return IncompletePath::BrokenExtension {
                subject,
                extension: AUTHORITY_KEY_IDENTIFIER,
                problem,
            };
        }
        if self.lacks_certificate_of_issuer(node) {
            return IncompletePath::OtherCertificate {
                subject,
                issuer,
                serial: self.certificates[node].authority_serial(),
            };
        }
        let candidates = self.candidates(node);
        let count = self.keys_of(&candidates);
        if count > MOST_KEYS {
            return IncompletePath::TooManyKeys {
                subject,
                issuer,
                count,
            };
        }
        let unverifiable = candidates.iter().find_map(|issuer| {
            let key = self.certificates[*issuer].public_key();
            unverifiable(&self.certificates[node], key)
        });
        match unverifiable {
            Some(algorithm) => IncompletePath::Unverifiable { subject, algorithm },
            None => IncompletePath::MissingIssuer { subject, issuer },
        }
    }
}

/// The algorithm, if it is the reason for which no signature of this key can be verified here.
pub(in super::super) fn unverifiable(certificate: &Certificate, key: &PublicKey) -> Option<String> {
    let Some(algorithm) = certificate.signature_algorithm() else {
        return Some(algorithm_name(certificate.outer_algorithm()));
    };
    match key.algorithm() {
        PublicKeyAlgorithm::OtherCurve(_) | PublicKeyAlgorithm::Other(_) => {
            Some(key.algorithm().to_string())
        }
        // What AWS-LC takes.
        PublicKeyAlgorithm::Rsa { bits } if !(1024..=8192).contains(&bits) => {
            Some(format!("{algorithm} with {}", key.algorithm()))
        }
        _ => None,
    }
}
