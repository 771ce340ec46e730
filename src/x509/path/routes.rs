//! The shortest ways among certificates.

use super::error::IncompletePath;
use super::graph::Graph;
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The way from every certificate to the nearest of some, found for all of them at once.
struct Nearest(Vec<Option<Step>>);

/// Step of a way. Ways are compared by the certificates on them that are not taken yet, then by
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
pub(super) struct Routes<'a> {
    graph: &'a Graph<'a>,
    to_roots: Nearest,
    to_ends: OnceCell<Nearest>,
}

impl<'a> Routes<'a> {
    /// Finds ways through as few certificates that are not taken as it can be.
    pub(super) fn to_roots(graph: &'a Graph<'a>, is_taken: &[bool]) -> Self {
        let is_root = |node| graph.issuers(node) == [node];
        Self {
            graph,
            to_roots: Nearest::of(graph, is_taken, is_root),
            to_ends: OnceCell::new(),
        }
    }

    pub(super) fn from(&self, start: usize) -> Option<impl Iterator<Item = usize>> {
        self.to_roots.from(start)
    }

    /// Returns what is wrong above a certificate from which no way leads to a root.
    pub(super) fn why_no_root(&self, start: usize) -> IncompletePath {
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
