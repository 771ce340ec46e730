//! Certification paths among certificates at hand (RFC 5280 section 6.1).

mod error;
mod graph;
mod routes;

pub(super) use error::AUTHORITY_KEY_IDENTIFIER;
pub(crate) use error::{IncompletePath, other_certificate};
pub(super) use graph::{Graph, MOST_KEYS, unverifiable};

use super::Certificate;
use error::MOST_STEPS;
use routes::Routes;
use std::collections::{BTreeSet, HashSet};

/// Returns whether the CA of `issuer` issued `certificate`: the names are equal and the signature verifies. A
/// root issued itself. Which of the CA's certificates it names makes no difference.
pub(crate) fn issued(issuer: &Certificate, certificate: &Certificate) -> bool {
    certificate.names_as_issuer(issuer) && certificate.verify_signature(issuer.public_key()).is_ok()
}

/// Keeps one of each certificate, compared by its DER, in the order of first appearance.
pub(crate) fn deduplicate(certificates: Vec<Certificate>) -> Vec<Certificate> {
    let mut seen = HashSet::new();
    certificates
        .into_iter()
        .filter(|certificate| seen.insert(certificate.fingerprint()))
        .collect()
}

/// The certificates with which the paths of all of `wanted` reach their roots, taken from `pool`
/// if they are not among `wanted`, and no more of them than that takes.
pub(crate) fn complete(
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
pub(crate) fn without_root(certificates: &[Certificate]) -> Vec<&Certificate> {
    let graph = Graph::of(certificates);
    let routes = Routes::to_roots(&graph, &vec![false; certificates.len()]);
    let nodes = 0..certificates.len();
    let lost = nodes.filter(|node| routes.from(*node).is_none());
    lost.map(|node| &certificates[node]).collect()
}

/// The way from each certificate to a root, itself first, through as few others as it can be; or why
/// there is none among them.
pub(crate) fn paths_to_roots(
    certificates: &[Certificate],
) -> Vec<Result<Vec<usize>, IncompletePath>> {
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
pub(crate) fn chains(certificates: &[Certificate]) -> Vec<Vec<Certificate>> {
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
pub(crate) fn issuers_last(certificates: &[Certificate]) -> Vec<Certificate> {
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

#[cfg(test)]
mod tests;
