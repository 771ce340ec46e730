//! Certification paths among certificates at hand (RFC 5280 section 6.1).

use super::certificate::{Certificate, algorithm_name};
use super::name::Name;
use crate::key::{PublicKey, PublicKeyAlgorithm};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

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
    /// Certificates that certify each other, and none that is its own issuer above them.
    #[error("no root is above {subject}: the CAs over it only certify each other")]
    Rootless {
        /// The certificate's subject.
        subject: String,
    },
}

/// Keys of one name that are tried for one signature: each costs a verification, and whoever makes a file
/// may put as many into it as they like. Certificates with key identifiers name the one to try.
pub(super) const MOST_KEYS: usize = 16;

/// Whether `issuer` issued `certificate`: the names fit to the byte and the signature verifies. A
/// root issued itself.
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
    let mut anchored = vec![false; at_hand.len()];
    for start in 0..taken.len() {
        for node in graph.path_to_a_root(start, &is_taken, &anchored)? {
            anchored[node] = true;
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

/// The way from each certificate to a root, itself first, through as few others as it can be; or why
/// there is none among them.
pub fn paths_to_roots(certificates: &[Certificate]) -> Vec<Result<Vec<usize>, IncompletePath>> {
    let graph = Graph::of(certificates);
    let none = vec![false; certificates.len()];
    (0..certificates.len())
        .map(|start| graph.path_to_a_root(start, &none, &none))
        .collect()
}

/// The chain of each certificate that issued no other, up to its root.
pub fn chains(certificates: &[Certificate]) -> Vec<Vec<Certificate>> {
    let graph = Graph::of(certificates);
    let mut has_below = vec![false; certificates.len()];
    for node in 0..certificates.len() {
        let above = graph.issuers(node).iter().filter(|issuer| **issuer != node);
        above.for_each(|issuer| has_below[*issuer] = true);
    }
    let paths = paths_to_roots(certificates).into_iter().zip(has_below);
    paths
        .filter_map(|(path, has_below)| path.ok().filter(|_| !has_below))
        .map(|path| {
            path.iter()
                .map(|node| certificates[*node].clone())
                .collect()
        })
        .collect()
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
    by_subject: HashMap<&'a Name, Vec<usize>>,
    issuers: Vec<OnceCell<Vec<usize>>>,
    proven: RefCell<HashMap<&'a Name, &'a [u8]>>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(certificates: &'a [Certificate]) -> Self {
        let mut by_subject: HashMap<&Name, Vec<usize>> = HashMap::new();
        for (node, certificate) in certificates.iter().enumerate() {
            by_subject
                .entry(certificate.subject())
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
            if self.certificates[node].is_self_signed() {
                return vec![node];
            }
            let mut candidates = self.candidates(node);
            let key = self.key_that_fits(node, &candidates);
            candidates.retain(|candidate| Some(self.key(*candidate)) == key);
            candidates
        })
    }

    /// The certificates that this one names as its issuer.
    pub(super) fn candidates(&self, node: usize) -> Vec<usize> {
        let certificate = &self.certificates[node];
        let mut candidates = self.namesakes_of_issuer(node).to_vec();
        candidates.retain(|issuer| certificate.names_as_issuer(&self.certificates[*issuer]));
        candidates
    }

    /// The certificates with the name of this one's issuer, whatever their keys.
    pub(super) fn namesakes_of_issuer(&self, node: usize) -> &[usize] {
        let issuer = self.certificates[node].issuer();
        self.by_subject.get(issuer).map_or(&[], Vec::as_slice)
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

    /// The way from a certificate up to a root, or to one whose way is known, through as few that
    /// are not taken yet as it can be.
    fn path_to_a_root(
        &self,
        start: usize,
        is_taken: &[bool],
        anchored: &[bool],
    ) -> Result<Vec<usize>, IncompletePath> {
        let mut below = HashMap::from([(start, start)]);
        let mut queue = VecDeque::from([start]);
        let mut visited = Vec::new();
        while let Some(node) = queue.pop_front() {
            visited.push(node);
            if anchored[node] || self.issuers(node) == [node] {
                return Ok(trail(&below, node));
            }
            for issuer in self.issuers(node) {
                if below.contains_key(issuer) {
                    continue;
                }
                below.insert(*issuer, node);
                if is_taken[*issuer] {
                    queue.push_front(*issuer);
                } else {
                    queue.push_back(*issuer);
                }
            }
        }
        Err(self.why_no_root(&visited))
    }

    /// What is wrong above the first of these certificates, which are all that are above it.
    fn why_no_root(&self, above: &[usize]) -> IncompletePath {
        let subject = |node: usize| self.certificates[node].subject().to_string();
        let end = above.iter().find(|node| self.issuers(**node).is_empty());
        let Some(end) = end.copied() else {
            return IncompletePath::Rootless {
                subject: subject(above[0]),
            };
        };
        let candidates = self.candidates(end);
        let count = self.keys_of(&candidates);
        if count > MOST_KEYS {
            return IncompletePath::TooManyKeys {
                subject: subject(end),
                issuer: self.certificates[end].issuer().to_string(),
                count,
            };
        }
        let unverifiable = candidates.iter().find_map(|issuer| {
            let key = self.certificates[*issuer].public_key();
            unverifiable(&self.certificates[end], key)
        });
        match unverifiable {
            Some(algorithm) => IncompletePath::Unverifiable {
                subject: subject(end),
                algorithm,
            },
            None => IncompletePath::MissingIssuer {
                subject: subject(end),
                issuer: self.certificates[end].issuer().to_string(),
            },
        }
    }
}

/// The way from the start of a search, which is below itself, to `node`.
fn trail(below: &HashMap<usize, usize>, node: usize) -> Vec<usize> {
    let next = |node: &usize| below.get(node).copied().filter(|next| next != node);
    let mut trail: Vec<usize> = std::iter::successors(Some(node), next).collect();
    trail.reverse();
    trail
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
