//! Certification paths among certificates at hand (RFC 5280 section 6.1).

use super::certificate::{Certificate, algorithm_name};
use super::comparison::ComparableName;
use super::name::Name;
use crate::asn1::Malformed;
use crate::key::{PublicKey, PublicKeyAlgorithm};
use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

/// Why a certificate's path does not reach a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncompletePath {
    /// The issuer is not at hand.
    #[error("the issuer of {subject} is missing: {issuer}")]
    MissingIssuer {
        /// The certificate's subject.
        subject: String,
        /// The issuer that it names.
        issuer: String,
    },
    /// The CA is at hand, but not the certificate of it that is named.
    #[error("the issuer of {subject} is missing: {}", other_certificate(.issuer, .serial.as_deref()))]
    OtherCertificate {
        /// The certificate's subject.
        subject: String,
        /// The issuer that it names.
        issuer: String,
        /// The serial number of the issuer's certificate that it names, in hex.
        serial: Option<String>,
    },
    /// A certificate of the issuer's name may be the issuer's, but nobody can tell here.
    #[error("the signature of {subject} can't be verified here: {algorithm}")]
    Unverifiable {
        /// The certificate's subject.
        subject: String,
        /// The algorithm of the signature, or of the issuer's key.
        algorithm: String,
    },
    /// More keys bear the issuer's name than are tried.
    #[error("the issuer of {subject} is not to be found: {count} keys bear the name {issuer}")]
    TooManyKeys {
        /// The certificate's subject.
        subject: String,
        /// The issuer that it names.
        issuer: String,
        /// How many keys there are.
        count: usize,
    },
    /// More certificates bear the issuer's name than are looked at.
    #[error(
        "the issuer of {subject} is not looked for: {count} certificates bear the name {issuer}, more than {MOST_NAMESAKES}"
    )]
    TooManyNamesakes {
        /// The certificate's subject.
        subject: String,
        /// The issuer that it names.
        issuer: String,
        /// Number of certificates.
        count: usize,
    },
    /// A path of more certificates than are followed.
    #[error("the path of {subject} has more than {MOST_STEPS} certificates")]
    TooLong {
        /// The certificate's subject.
        subject: String,
    },
    /// Nobody can tell which issuer it names.
    #[error("the {extension} of {subject} is broken: {problem}")]
    BrokenExtension {
        /// The certificate's subject.
        subject: String,
        /// The name of the extension.
        extension: &'static str,
        /// What is wrong with it.
        problem: Malformed,
    },
    /// Certificates that certify each other, and none that is its own issuer above them.
    #[error("no root is above {subject}: the CAs over it only certify each other")]
    Rootless {
        /// The certificate's subject.
        subject: String,
    },
}

/// Name of the extension without which nobody can tell the issuer.
pub(super) const AUTHORITY_KEY_IDENTIFIER: &str = "authorityKeyIdentifier";

/// Keys of one name that are tried for one signature: each costs a verification, and whoever makes a file
/// may put as many into it as they like. Certificates with key identifiers name the one to try.
pub(super) const MOST_KEYS: usize = 16;

/// Certificates of one name over which none of them is taken for an issuer: each is held against each that
/// it may have issued.
const MOST_NAMESAKES: usize = 500;

/// Certificates of a path over which it is not followed.
const MOST_STEPS: usize = 100;

/// Words the absence of the certificate that authorityKeyIdentifier names.
pub fn other_certificate(issuer: &str, serial: Option<&str>) -> String {
    match serial {
        Some(serial) => format!("the certificate of {issuer} with serial number {serial}"),
        None => format!("a certificate of {issuer} with the issuer that it names"),
    }
}

/// Whether the CA of `issuer` issued `certificate`: the names are equal and the signature verifies. A
/// root issued itself. Which of the CA's certificates it names makes no difference.
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
/// where they are not among `wanted`, and no more of them than that takes.
pub fn complete(
    wanted: Vec<Certificate>,
    pool: &[Certificate],
) -> Result<Vec<Certificate>, IncompletePath> {
    let at_hand = deduplicate([wanted.clone(), pool.to_vec()].concat());
    let graph = Graph::of(&at_hand);
    // The wanted ones are the first of those at hand.
    let mut taken: Vec<usize> = (0..deduplicate(wanted).len()).collect();
    let mut is_taken: Vec<bool> = (0..at_hand.len()).map(|node| node < taken.len()).collect();
    let routes = Routes::to_roots(&graph, &is_taken);
    let mut anchored = vec![false; at_hand.len()];
    for start in 0..taken.len() {
        for node in routes
            .from(start)
            .ok_or_else(|| routes.why_no_root(start))?
        {
            if std::mem::replace(&mut anchored[node], true) {
                break;
            }
            if !is_taken[node] {
                is_taken[node] = true;
                taken.push(node);
            }
        }
    }
    Ok(taken
        .into_iter()
        .map(|node| at_hand[node].clone())
        .collect())
}

/// The certificates whose paths among `certificates` do not reach a root.
pub fn without_root(certificates: &[Certificate]) -> Vec<&Certificate> {
    let graph = Graph::of(certificates);
    let routes = Routes::to_roots(&graph, &vec![false; certificates.len()]);
    let nodes = 0..certificates.len();
    let lost = nodes.filter(|node| routes.from(*node).is_none());
    lost.map(|node| &certificates[node]).collect()
}

/// The way from each certificate to a root, itself first, through as few others as it can be; or why
/// there is none among them.
pub fn paths_to_roots(certificates: &[Certificate]) -> Vec<Result<Vec<usize>, IncompletePath>> {
    let graph = Graph::of(certificates);
    let routes = Routes::to_roots(&graph, &vec![false; certificates.len()]);
    let path = |start| {
        let path = routes
            .from(start)
            .ok_or_else(|| routes.why_no_root(start))?;
        let path: Vec<usize> = path.take(MOST_STEPS + 1).collect();
        if path.len() > MOST_STEPS {
            let subject = certificates[start].subject().to_string();
            return Err(IncompletePath::TooLong { subject });
        }
        Ok(path)
    };
    (0..certificates.len()).map(path).collect()
}

/// The chain of each certificate that issued no other, up to its root; and of those that are on none of
/// these, as one of two certificates of a CA's key.
pub fn chains(certificates: &[Certificate]) -> Vec<Vec<Certificate>> {
    let graph = Graph::of(certificates);
    let mut has_below = vec![false; certificates.len()];
    for node in 0..certificates.len() {
        let above = graph.issuers(node).iter().filter(|issuer| **issuer != node);
        above.for_each(|issuer| has_below[*issuer] = true);
    }
    let (lowest, others): (Vec<usize>, Vec<usize>) =
        (0..certificates.len()).partition(|node| !has_below[*node]);
    let paths = paths_to_roots(certificates);
    let mut placed: HashSet<usize> = HashSet::new();
    let mut chains = Vec::new();
    for (start, is_lowest) in (lowest.into_iter().map(|node| (node, true)))
        .chain(others.into_iter().map(|node| (node, false)))
    {
        let Ok(path) = &paths[start] else { continue };
        if is_lowest || !placed.contains(&start) {
            placed.extend(path);
            chains.push(
                path.iter()
                    .map(|node| certificates[*node].clone())
                    .collect(),
            );
        }
    }
    chains
}

/// Every issuer behind what it issued; otherwise the order stays. Where certificates certify each
/// other in a ring, the first of them goes first.
pub fn issuers_last(certificates: &[Certificate]) -> Vec<Certificate> {
    let graph = Graph::of(certificates);
    let issuers = |node| {
        graph
            .issuers(node)
            .iter()
            .copied()
            .filter(move |issuer| *issuer != node)
    };
    let all = || 0..certificates.len();
    let mut unplaced_below = vec![0_usize; certificates.len()];
    all()
        .flat_map(issuers)
        .for_each(|issuer| unplaced_below[issuer] += 1);
    let mut waiting: BTreeSet<usize> = all().collect();
    let mut free: BTreeSet<usize> = all().filter(|node| unplaced_below[*node] == 0).collect();
    let mut ordered = Vec::with_capacity(certificates.len());
    while let Some(node) = free.pop_first().or_else(|| waiting.first().copied()) {
        waiting.remove(&node);
        ordered.push(certificates[node].clone());
        for issuer in issuers(node) {
            unplaced_below[issuer] -= 1;
            if unplaced_below[issuer] == 0 && waiting.contains(&issuer) {
                free.insert(issuer);
            }
        }
    }
    ordered
}

/// Certificates, and who of them issued whom.
///
/// Signatures are what costs. A certificate is held against each key of its issuer's name, not each
/// certificate, and against none behind the one that fits; the key that fitted last is tried first.
pub(super) struct Graph<'a> {
    certificates: &'a [Certificate],
    by_subject: HashMap<ComparableName, Vec<usize>>,
    issuers: Vec<OnceCell<Vec<usize>>>,
    proven: RefCell<HashMap<&'a Name, &'a [u8]>>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(certificates: &'a [Certificate]) -> Self {
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
    pub(super) fn issuers(&self, node: usize) -> &[usize] {
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
    pub(super) fn candidates(&self, node: usize) -> Vec<usize> {
        let certificate = &self.certificates[node];
        let mut candidates = self.namesakes_of_issuer(node).to_vec();
        candidates.retain(|issuer| certificate.names_certificate(&self.certificates[*issuer]));
        candidates
    }

    /// Whether the CA that this one names is there, and not that certificate of it.
    pub(super) fn lacks_certificate_of_issuer(&self, node: usize) -> bool {
        let certificate = &self.certificates[node];
        let names_ca = |issuer: &usize| certificate.names_as_issuer(&self.certificates[*issuer]);
        self.candidates(node).is_empty() && self.namesakes_of_issuer(node).iter().any(names_ca)
    }

    /// The certificates with the name of this one's issuer, whatever their keys.
    pub(super) fn namesakes_of_issuer(&self, node: usize) -> &[usize] {
        let issuer = self.certificates[node].issuer();
        let namesakes = self.by_subject.get(&ComparableName::of(issuer));
        namesakes.map_or(&[], Vec::as_slice)
    }

    fn key(&self, node: usize) -> &'a [u8] {
        self.certificates[node].public_key().spki()
    }

    /// How many keys certificates have.
    pub(super) fn keys_of(&self, nodes: &[usize]) -> usize {
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

    /// Why a certificate, which has no issuer among the others, has none.
    fn why_no_issuer(&self, node: usize) -> IncompletePath {
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

/// The way from every certificate to the nearest of some, found for all of them at once.
struct Nearest(Vec<Option<Step>>);

/// One step of a way. Ways are compared by the certificates on them that are not taken yet, then by
/// all of them, then by the certificate that is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    untaken: usize,
    length: usize,
    /// The certificate that is next; at the end of the way, the last one itself.
    next: usize,
}

impl Nearest {
    /// Looks for ways that end where `is_end` says, along issuers, with Dijkstra's algorithm.
    fn of(graph: &Graph<'_>, is_taken: &[bool], is_end: impl Fn(usize) -> bool) -> Self {
        let count = graph.certificates.len();
        let mut issued_by: Vec<Vec<usize>> = vec![Vec::new(); count];
        for node in 0..count {
            for issuer in graph.issuers(node) {
                issued_by[*issuer].push(node);
            }
        }
        let mut steps: Vec<Option<Step>> = vec![None; count];
        let mut queue = BinaryHeap::new();
        for end in (0..count).filter(|node| is_end(*node)) {
            let step = Step {
                untaken: usize::from(!is_taken[end]),
                length: 1,
                next: end,
            };
            steps[end] = Some(step);
            queue.push(Reverse((step, end)));
        }
        while let Some(Reverse((step, node))) = queue.pop() {
            if steps[node] != Some(step) {
                continue;
            }
            for below in &issued_by[node] {
                let longer = Step {
                    untaken: step.untaken + usize::from(!is_taken[*below]),
                    length: step.length + 1,
                    next: node,
                };
                if steps[*below].is_none_or(|known| longer < known) {
                    steps[*below] = Some(longer);
                    queue.push(Reverse((longer, *below)));
                }
            }
        }
        Self(steps)
    }

    /// The certificates on the way from one, itself first, if there is a way.
    fn from(&self, start: usize) -> Option<impl Iterator<Item = usize>> {
        self.0[start]?;
        let next = |node: &usize| {
            let step = self.0[*node].expect("a way has no gaps");
            (step.next != *node).then_some(step.next)
        };
        Some(std::iter::successors(Some(start), next))
    }
}

/// The way from every certificate to a root; for those that have none, what is nearest and lacks its
/// issuer.
struct Routes<'a> {
    graph: &'a Graph<'a>,
    to_roots: Nearest,
    to_ends: OnceCell<Nearest>,
}

impl<'a> Routes<'a> {
    /// Finds ways through as few certificates that are not taken as it can be.
    fn to_roots(graph: &'a Graph<'a>, is_taken: &[bool]) -> Self {
        let is_root = |node| graph.issuers(node) == [node];
        Self {
            graph,
            to_roots: Nearest::of(graph, is_taken, is_root),
            to_ends: OnceCell::new(),
        }
    }

    fn from(&self, start: usize) -> Option<impl Iterator<Item = usize>> {
        self.to_roots.from(start)
    }

    /// Returns what is wrong above a certificate from which no way leads to a root.
    fn why_no_root(&self, start: usize) -> IncompletePath {
        let graph = self.graph;
        let to_ends = self.to_ends.get_or_init(|| {
            let none = vec![false; graph.certificates.len()];
            Nearest::of(graph, &none, |node| graph.issuers(node).is_empty())
        });
        match to_ends.from(start).and_then(Iterator::last) {
            Some(end) => graph.why_no_issuer(end),
            None => IncompletePath::Rootless {
                subject: graph.certificates[start].subject().to_string(),
            },
        }
    }
}

/// The algorithm, if it is the reason for which no signature of this key can be verified here.
pub(super) fn unverifiable(certificate: &Certificate, key: &PublicKey) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{Reader, encode, oid, sequence, tag};
    use crate::key::{KeyType, PrivateKey};
    use crate::x509::certificate::TbsCertificate;
    use crate::x509::signed::assemble;
    use crate::x509::{Serial, Validity};
    use time::macros::datetime;

    /// A name and its key.
    struct Party(Name, PrivateKey);

    fn party(name: &str) -> Party {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        Party(Name::from_common_name(name).unwrap(), key)
    }

    /// What `issuer` says of the key of `subject`; without extensions, so that nothing but the
    /// signature tells keys apart.
    fn certify(issuer: &Party, subject: &Party) -> Certificate {
        certify_key(issuer, &subject.0, subject.1.public())
    }

    fn certify_key(issuer: &Party, subject: &Name, public_key: &PublicKey) -> Certificate {
        let tbs = TbsCertificate {
            signature: issuer.1.signature_algorithm(),
            issuer: &issuer.0,
            validity: Validity {
                not_before: datetime!(2026-01-01 0:00 UTC),
                not_after: datetime!(2036-01-01 0:00 UTC),
            },
            subject,
            public_key,
            extensions: &[],
        };
        let tbs = tbs
            .unnumbered()
            .numbered(&Serial::from_counter(1, 1).unwrap());
        let signature = issuer.1.sign(&tbs).unwrap();
        let der = assemble(&tbs, issuer.1.signature_algorithm(), &signature);
        Certificate::from_der(&der).unwrap()
    }

    #[test]
    fn what_a_path_lacks_comes_from_the_pool_and_no_more() {
        let [root, middle, leaf, other] = ["root", "middle", "leaf", "other"].map(party);
        let pool = [
            certify(&other, &other),
            certify(&root, &middle),
            certify(&root, &root),
        ];
        let leaf = certify(&middle, &leaf);
        let expected = vec![leaf.clone(), pool[1].clone(), pool[2].clone()];
        assert_eq!(complete(vec![leaf.clone(), leaf], &pool), Ok(expected));
    }

    #[test]
    fn a_path_that_ends_in_what_is_wanted_takes_no_other_root() {
        let [old, new, leaf] = ["old", "new", "leaf"].map(party);
        let wanted = vec![
            certify(&new, &leaf),
            certify(&old, &new),
            certify(&old, &old),
        ];
        assert_eq!(
            complete(wanted.clone(), &[certify(&new, &new)]),
            Ok(wanted.clone())
        );
        assert_eq!(issuers_last(&wanted), wanted);
    }

    #[test]
    fn not_every_key_is_tried_where_many_bear_one_name() {
        let parties: Vec<Party> = (0..=MOST_KEYS).map(|_| party("one")).collect();
        let [root, leaf] = ["root", "leaf"].map(party);
        let mut pool = vec![certify(&root, &root)];
        pool.extend(parties.iter().map(|party| certify(&root, party)));
        let of_first = certify(&parties[0], &leaf);
        assert!(complete(vec![of_first.clone()], &pool).is_ok());
        let last = parties.last().unwrap();
        let many = IncompletePath::TooManyKeys {
            subject: "CN=leaf".into(),
            issuer: "CN=one".into(),
            count: MOST_KEYS + 1,
        };
        assert_eq!(complete(vec![certify(last, &leaf)], &pool), Err(many));
        pool.remove(1);
        assert!(complete(vec![certify(last, &leaf)], &pool).is_ok());
    }

    #[test]
    fn a_ring_of_cross_certificates_without_a_root_is_not_complete() {
        let [one, other, leaf, root] = ["one", "other", "leaf", "root"].map(party);
        let ring = [certify(&one, &other), certify(&other, &one)];
        let wanted = [&ring[..], &[certify(&one, &leaf)]].concat();
        assert_eq!(
            complete(wanted.clone(), &[]),
            Err(IncompletePath::Rootless {
                subject: "CN=other".into()
            })
        );
        let above = [certify(&root, &one), certify(&root, &root)];
        let whole = complete(wanted.clone(), &above).unwrap();
        assert_eq!(whole, [wanted, above.to_vec()].concat());
        let ordered = issuers_last(&whole);
        assert_eq!(ordered.len(), whole.len());
        assert_eq!(ordered[0].subject().to_string(), "CN=leaf");
        assert_eq!(ordered[4].subject().to_string(), "CN=root");
    }

    #[test]
    fn an_issuer_that_is_not_at_hand_is_named() {
        let [root, middle, leaf] = ["root", "middle", "leaf"].map(party);
        let missing = IncompletePath::MissingIssuer {
            subject: "CN=middle".into(),
            issuer: "CN=root".into(),
        };
        let wanted = vec![certify(&middle, &leaf), certify(&root, &middle)];
        assert_eq!(complete(wanted.clone(), &[]), Err(missing.clone()));
        let impostor = party("root");
        let pool = [certify(&impostor, &impostor)];
        assert_eq!(complete(wanted, &pool), Err(missing));
    }

    #[test]
    fn a_root_that_can_not_be_verified_here_is_not_called_missing() {
        let root = party("root");
        let md5 = sequence(|identifier| {
            identifier.oid(&oid::MD5_WITH_RSA);
            identifier.primitive(tag::NULL, &[]);
        });
        let ed25519 = root.1.signature_algorithm().to_der();
        let own = certify(&root, &root);
        let fields = Reader::single(own.tbs()).unwrap().content;
        let at = memchr::memmem::find(fields, &ed25519).unwrap();
        let tbs = [&fields[..at], &md5, &fields[at + ed25519.len()..]];
        let old = sequence(|signed| {
            signed.sequence(|fields| fields.raw(&tbs.concat()));
            signed.raw(&md5);
            signed.bit_string(own.signature());
        });
        let unverifiable = |algorithm: &str| {
            Err(IncompletePath::Unverifiable {
                subject: "CN=root".into(),
                algorithm: algorithm.into(),
            })
        };
        let old = Certificate::from_der(&old).unwrap();
        assert_eq!(
            complete(vec![old], &[]),
            unverifiable("md5WithRSAEncryption")
        );

        let spki = sequence(|spki| {
            spki.sequence(|identifier| {
                identifier.oid(&oid::EC_PUBLIC_KEY);
                identifier.raw(&encode(|curve| curve.oid(&oid::SECP256K1)));
            });
            spki.bit_string(&[4; 65]);
        });
        let spki = PublicKey::from_spki(&spki).unwrap();
        let root = certify_key(&root, &root.0, &spki);
        assert_eq!(complete(vec![root], &[]), unverifiable("secp256k1"));
    }

    /// A chain of CAs, each under the next, the root last.
    fn chain(length: usize) -> Vec<Certificate> {
        let parties: Vec<Party> = (0..length).map(|node| party(&node.to_string())).collect();
        let above = |node: usize| &parties[(node + 1).min(length - 1)];
        let certified = |(node, own)| certify(above(node), own);
        parties.iter().enumerate().map(certified).collect()
    }

    #[test]
    fn a_path_of_too_many_certificates_is_not_followed() {
        let certificates = chain(MOST_STEPS + 1);
        let paths = paths_to_roots(&certificates);
        let subject = "CN=0".into();
        assert_eq!(paths[0], Err(IncompletePath::TooLong { subject }));
        assert_eq!(paths[1].as_ref().map(Vec::len), Ok(MOST_STEPS));
        assert_eq!(paths[MOST_STEPS], Ok(vec![MOST_STEPS]));
        let completed = complete(certificates[..1].to_vec(), &certificates).unwrap();
        assert_eq!(completed, certificates);
    }

    #[test]
    fn of_two_paths_the_shorter_is_taken() {
        let [root, far, near, other, leaf] = ["root", "far", "near", "near", "leaf"].map(party);
        let near = Party(near.0, other.1);
        let certificates = [
            certify(&near, &leaf),
            certify(&far, &near),
            certify(&root, &far),
            certify(&root, &near),
            certify(&root, &root),
        ];
        let paths = paths_to_roots(&certificates);
        assert_eq!(paths[0], Ok(vec![0, 3, 4]));
        assert_eq!(paths[1], Ok(vec![1, 2, 4]));
        // What is wanted anyway costs nothing.
        let wanted = [0, 1, 2].map(|node| certificates[node].clone());
        let completed = complete(wanted.to_vec(), &certificates).unwrap();
        let expected = [0, 1, 2, 4].map(|node| certificates[node].clone());
        assert_eq!(completed, expected);
    }

    /// Thousands of cross-certificates between two CAs: each issued each of the other's.
    #[test]
    fn certificates_of_one_name_beyond_a_number_are_no_issuers() {
        let [one, other, root, leaf] = ["one", "other", "root", "leaf"].map(party);
        let crossed = |count: usize| {
            let mut certificates = vec![certify(&one, &leaf), certify(&root, &one)];
            certificates.push(certify(&root, &root));
            let crossed = [certify(&one, &other), certify(&other, &one)];
            certificates.extend(crossed.iter().cycle().take(2 * count).cloned());
            certificates
        };
        let paths = paths_to_roots(&crossed(MOST_NAMESAKES - 1));
        assert_eq!(paths[0], Ok(vec![0, 1, 2]));
        assert!(paths.iter().all(Result::is_ok));
        let paths = paths_to_roots(&crossed(20 * MOST_NAMESAKES));
        let many = IncompletePath::TooManyNamesakes {
            subject: "CN=leaf".into(),
            issuer: "CN=one".into(),
            count: 20 * MOST_NAMESAKES + 1,
        };
        assert_eq!(paths[0], Err(many));
        assert_eq!(paths[1], Ok(vec![1, 2]));
    }

    /// Each held against each would be 160,000 signatures, which takes many seconds.
    #[test]
    fn hundreds_of_keys_of_one_name_are_refused_in_no_time() {
        let root = party("X");
        let mut wanted: Vec<_> = (0..200).map(|_| certify(&root, &party("X"))).collect();
        wanted.extend((0..200).map(|_| {
            let own = party("X");
            certify(&own, &own)
        }));
        wanted.push(certify(&root, &root));
        let start = std::time::Instant::now();
        let many = IncompletePath::TooManyKeys {
            subject: "CN=X".into(),
            issuer: "CN=X".into(),
            count: 401,
        };
        assert_eq!(complete(wanted.clone(), &wanted), Err(many));
        assert_eq!(issuers_last(&wanted).len(), wanted.len());
        assert!(start.elapsed().as_secs() < 5);
    }
}
