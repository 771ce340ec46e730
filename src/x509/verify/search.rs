//! Paths from a certificate up to trusted ones, of certificates at hand.

use super::refusal::{Refusal, called};
use crate::x509::Certificate;
use crate::x509::path::{AUTHORITY_KEY_IDENTIFIER, Graph, MOST_KEYS, deduplicate, unverifiable};
use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

/// Partial paths that are followed: the certificates at hand may certify each other in as many ways
/// as whoever made them liked.
const MOST_STEPS: usize = 1_000;

/// Certificates that a path may have: what openssl follows too.
const LONGEST: usize = 100;

/// The certificates that paths are made of.
pub(crate) struct Trust {
    /// Trusted certificates, the one that is verified, and the others.
    certificates: Vec<Certificate>,
    anchors: usize,
    start: usize,
}

impl Trust {
    /// Gathers what paths of `certificate` are made of: they end in one of `anchors`, and go through
    /// others, which nobody has to vouch for.
    pub(crate) fn new(
        certificate: &Certificate,
        anchors: Vec<Certificate>,
        others: Vec<Certificate>,
    ) -> Self {
        let mut certificates = deduplicate(anchors);
        let anchors = certificates.len();
        certificates.push(certificate.clone());
        certificates.extend(others);
        let certificates = deduplicate(certificates);
        let start = certificates.iter().position(|found| found == certificate);
        Self {
            start: start.expect("it was put there"),
            certificates,
            anchors,
        }
    }
}

/// More paths than are looked at, or longer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyPaths;

/// Every path up to a trusted certificate, the shortest first. In none of them a subject and its key
/// stand twice (RFC 4158 section 5.2), but for a root's right above each other, so that a ring of CAs has
/// an end.
pub(crate) struct Paths<'a> {
    trust: &'a Trust,
    graph: Graph<'a>,
    /// Distance to the trusted certificates, for every certificate below one.
    heights: HashMap<usize, usize>,
    /// Certificates above which there is nothing, in the order in which they were found.
    dead_ends: Vec<usize>,
    waiting: BinaryHeap<Partial>,
    steps: usize,
}

/// A path that is not complete. The one that will be the shortest goes first, and of those the one
/// that is nearest to its end.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Partial {
    length: Reverse<usize>,
    so_far: usize,
    nodes: Reverse<Vec<usize>>,
}

impl<'a> Paths<'a> {
    /// The paths of the certificate that is judged.
    pub(crate) fn of(trust: &'a Trust) -> Self {
        let mut paths = Self {
            trust,
            graph: Graph::of(&trust.certificates),
            heights: HashMap::new(),
            dead_ends: Vec::new(),
            waiting: BinaryHeap::new(),
            steps: 0,
        };
        paths.survey();
        paths.wait(vec![trust.start]);
        paths
    }

    /// Looks at every certificate above the one that is judged, once.
    fn survey(&mut self) {
        let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut seen = HashSet::from([self.trust.start]);
        let mut queue = VecDeque::from([self.trust.start]);
        while let Some(node) = queue.pop_front() {
            if node < self.trust.anchors {
                self.heights.insert(node, 0);
                continue;
            }
            let issuers = self.graph.issuers(node);
            if issuers.is_empty() || issuers == [node] {
                self.dead_ends.push(node);
                continue;
            }
            for issuer in issuers {
                below.entry(*issuer).or_default().push(node);
                if seen.insert(*issuer) {
                    queue.push_back(*issuer);
                }
            }
        }
        let mut queue: VecDeque<usize> = self.heights.keys().copied().collect();
        while let Some(node) = queue.pop_front() {
            let height = self.heights[&node] + 1;
            for lower in below.get(&node).into_iter().flatten() {
                if let Entry::Vacant(unknown) = self.heights.entry(*lower) {
                    unknown.insert(height);
                    queue.push_back(*lower);
                }
            }
        }
    }

    fn wait(&mut self, nodes: Vec<usize>) {
        let head = nodes.last().expect("a path has its start");
        if let Some(height) = self.heights.get(head) {
            self.waiting.push(Partial {
                length: Reverse(nodes.len() + height),
                so_far: nodes.len(),
                nodes: Reverse(nodes),
            });
        }
    }

    /// The next path: the certificate, its issuer, and so on.
    pub(crate) fn next_path(&mut self) -> Result<Option<Vec<Certificate>>, TooManyPaths> {
        while let Some(Partial { nodes, .. }) = self.waiting.pop() {
            let path = nodes.0;
            let head = *path.last().expect("a path has its start");
            if head < self.trust.anchors {
                let of = |node: &usize| self.trust.certificates[*node].clone();
                return Ok(Some(path.iter().map(of).collect()));
            }
            for issuer in self.graph.issuers(head).to_vec() {
                // A root may name another certificate of its own key.
                let (_, below) = path.split_last().expect("a path has its start");
                if head == issuer || below.iter().any(|node| self.is_same_ca(*node, issuer)) {
                    continue;
                }
                self.steps += 1;
                if self.steps > MOST_STEPS || path.len() >= LONGEST {
                    return Err(TooManyPaths);
                }
                self.wait([path.as_slice(), &[issuer]].concat());
            }
        }
        Ok(None)
    }

    fn is_same_ca(&self, one: usize, other: usize) -> bool {
        let [one, other] = [one, other].map(|node| &self.trust.certificates[node]);
        one.is_of_same_ca(other)
    }

    /// Returns the reason for which there is no path, once there is no next one.
    pub(crate) fn why_none(&self) -> Refusal {
        match self.dead_ends.first() {
            Some(end) => self.why_dead_end(*end),
            None => Refusal::Rootless {
                subject: self.called(self.trust.start),
            },
        }
    }

    fn called(&self, node: usize) -> String {
        called(&self.trust.certificates[node])
    }

    fn why_dead_end(&self, end: usize) -> Refusal {
        let certificate = &self.trust.certificates[end];
        let subject = self.called(end);
        let issuer = certificate.issuer().to_string();
        let candidates = self.graph.candidates(end);
        let key = |node: &usize| self.trust.certificates[*node].public_key();
        if let Err(problem) = certificate.authority() {
            return Refusal::BrokenExtension {
                subject,
                extension: AUTHORITY_KEY_IDENTIFIER,
                problem,
            };
        }
        if self.graph.lacks_certificate_of_issuer(end) {
            return Refusal::OtherCertificate {
                subject,
                issuer,
                serial: certificate.authority_serial(),
            };
        }
        if self.graph.issuers(end) == [end] {
            return Refusal::Untrusted { subject };
        }
        if certificate.issuer().is_empty() {
            return Refusal::EmptyIssuer { subject };
        }
        if self.graph.namesakes_of_issuer(end).is_empty() {
            return Refusal::MissingIssuer { subject, issuer };
        }
        if candidates.is_empty() {
            return Refusal::OtherKey { subject, issuer };
        }
        if self.graph.keys_of(&candidates) > MOST_KEYS {
            return Refusal::TooManyPaths { subject };
        }
        match candidates
            .iter()
            .find_map(|node| unverifiable(certificate, key(node)))
        {
            Some(algorithm) => Refusal::Unverifiable { subject, algorithm },
            None => Refusal::Signature { subject, issuer },
        }
    }
}
