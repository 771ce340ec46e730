//! Certificate policies of a path (RFC 5280 section 6.1, with the graph of RFC 9618 in place of the tree, so
//! that the cost grows with the size of the certificates and not with the number of ways through them).

use super::refusal::{Refusal, called};
use crate::asn1::{Malformed, oid};
use crate::x509::{Certificate, Extension};
use const_oid::ObjectIdentifier;
use std::collections::{BTreeMap, BTreeSet};

/// The inputs of section 6.1.1 (c) to (f).
#[derive(Debug, Clone, Default)]
pub(crate) struct PolicyInputs {
    /// user-initial-policy-set; empty for any policy.
    pub(crate) acceptable: Vec<ObjectIdentifier>,
    /// initial-explicit-policy.
    pub(crate) require_explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub(crate) inhibit_mapping: bool,
    /// initial-any-policy-inhibit.
    pub(crate) inhibit_any: bool,
}

/// Holds a path to its policies: the certificate first, the trust anchor last, whose own policies do not count.
pub(super) fn check(path: &[Certificate], inputs: &PolicyInputs) -> Result<(), Refusal> {
    let Some((_, below)) = path.split_last() else {
        return Ok(());
    };
    let mut state = State::new(below.len(), inputs);
    for (height, certificate) in below.iter().enumerate().rev() {
        let broken = |(extension, problem)| Refusal::BrokenExtension {
            subject: called(certificate),
            extension,
            problem,
        };
        let said = Said::of(certificate).map_err(broken)?;
        let is_leaf = height == 0;
        state.take_policies(&said, !is_leaf && certificate.is_self_issued());
        if state.explicit == 0 && state.current.is_empty() {
            return Err(no_policy(&path[0], certificate));
        }
        if is_leaf {
            state.wrap_up(&said);
        } else {
            state.prepare_next(&said, certificate.is_self_issued());
        }
    }
    if state.explicit == 0 && !state.has_acceptable(&inputs.acceptable) {
        return Err(no_policy(&path[0], &path[0]));
    }
    Ok(())
}

fn no_policy(leaf: &Certificate, at: &Certificate) -> Refusal {
    Refusal::Policy {
        subject: called(leaf),
        at: called(at),
    }
}

#[derive(Default)]
struct Said {
    policies: Option<BTreeSet<ObjectIdentifier>>,
    /// policyMappings: subject domain policies by issuer domain policy.
    mappings: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>>,
    require_explicit: Option<u32>,
    inhibit_mapping: Option<u32>,
    inhibit_any: Option<u32>,
}

impl Said {
    /// Reads the extensions; an error names the one that is broken.
    fn of(certificate: &Certificate) -> Result<Self, (&'static str, Malformed)> {
        let mut said = Self::default();
        for extension in certificate.extensions() {
            said.take(extension)
                .map_err(|problem| (oid::name(&extension.oid).unwrap_or_default(), problem))?;
        }
        Ok(said)
    }

    fn take(&mut self, extension: &Extension) -> Result<(), Malformed> {
        match extension.oid {
            oid::CERTIFICATE_POLICIES => self.policies = Some(policies(extension)?),
            oid::POLICY_MAPPINGS => {
                for (issuers, subjects) in extension.to_policy_mappings()? {
                    self.mappings.entry(issuers).or_default().insert(subjects);
                }
            }
            oid::POLICY_CONSTRAINTS => {
                (self.require_explicit, self.inhibit_mapping) =
                    extension.to_policy_constraints()?;
            }
            oid::INHIBIT_ANY_POLICY => self.inhibit_any = Some(extension.to_inhibit_any_policy()?),
            _ => {}
        }
        Ok(())
    }
}

/// Each policy once (section 4.2.1.4).
fn policies(extension: &Extension) -> Result<BTreeSet<ObjectIdentifier>, Malformed> {
    let all = extension.to_policies()?;
    let policies: BTreeSet<_> = all.iter().copied().collect();
    if all.is_empty() || policies.len() != all.len() {
        return Err(Malformed::Value(
            "certificatePolicies is empty or repeats a policy",
        ));
    }
    Ok(policies)
}

/// The policies that are valid at one depth of the path: a row of the graph.
#[derive(Default)]
struct Level {
    /// anyPolicy is among them.
    any: bool,
    nodes: BTreeMap<ObjectIdentifier, Node>,
}

#[derive(Default)]
struct Node {
    /// The policies of the level above that it comes from; none if it comes from anyPolicy.
    parents: BTreeSet<ObjectIdentifier>,
}

impl Level {
    fn is_empty(&self) -> bool {
        !self.any && self.nodes.is_empty()
    }
}

struct State {
    /// The levels above, from the top.
    above: Vec<Level>,
    current: Level,
    explicit: usize,
    mapping: usize,
    any: usize,
}

impl State {
    /// Section 6.1.2: a path of `length` certificates, below its trust anchor.
    fn new(length: usize, inputs: &PolicyInputs) -> Self {
        let start = |is_zero| if is_zero { 0 } else { length + 1 };
        Self {
            above: Vec::new(),
            current: Level {
                any: true,
                nodes: BTreeMap::new(),
            },
            explicit: start(inputs.require_explicit),
            mapping: start(inputs.inhibit_mapping),
            any: start(inputs.inhibit_any),
        }
    }

    /// Section 6.1.3 (d) and (e).
    fn take_policies(&mut self, said: &Said, is_self_issued_ca: bool) {
        let Some(policies) = &said.policies else {
            self.current = Level::default();
            return;
        };
        let any_counts = policies.contains(&oid::ANY_POLICY) && (self.any > 0 || is_self_issued_ca);
        let any_above = self.current.any;
        if !any_counts {
            self.current.any = false;
            self.current
                .nodes
                .retain(|policy, _| policies.contains(policy));
        }
        if any_above {
            let named = policies.iter().filter(|policy| **policy != oid::ANY_POLICY);
            for policy in named {
                self.current.nodes.entry(*policy).or_default();
            }
        }
    }

    /// Section 6.1.4 (a), (b), and (h) to (j).
    fn prepare_next(&mut self, said: &Said, is_self_issued: bool) {
        let below = self.map(said);
        self.above.push(std::mem::replace(&mut self.current, below));
        if !is_self_issued {
            for number in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *number = number.saturating_sub(1);
            }
        }
        lower(&mut self.explicit, said.require_explicit);
        lower(&mut self.mapping, said.inhibit_mapping);
        lower(&mut self.any, said.inhibit_any);
    }

    /// The policies that are expected below.
    fn map(&mut self, said: &Said) -> Level {
        let mut below = Level {
            any: self.current.any,
            nodes: BTreeMap::new(),
        };
        for (from, to) in &said.mappings {
            if self.mapping == 0 {
                self.current.nodes.remove(from);
                continue;
            }
            if self.current.any {
                self.current.nodes.entry(*from).or_default();
            }
            if self.current.nodes.contains_key(from) {
                for policy in to {
                    below
                        .nodes
                        .entry(*policy)
                        .or_default()
                        .parents
                        .insert(*from);
                }
            }
        }
        for policy in self.current.nodes.keys() {
            if !said.mappings.contains_key(policy) {
                let node = below.nodes.entry(*policy).or_default();
                node.parents.insert(*policy);
            }
        }
        below
    }

    /// Section 6.1.5 (a) and (b).
    fn wrap_up(&mut self, said: &Said) {
        self.explicit = self.explicit.saturating_sub(1);
        if said.require_explicit == Some(0) {
            self.explicit = 0;
        }
    }

    /// Section 6.1.5 (g): whether a valid policy comes from one that the user accepts.
    fn has_acceptable(&self, acceptable: &[ObjectIdentifier]) -> bool {
        let takes_any = acceptable.is_empty() || acceptable.contains(&oid::ANY_POLICY);
        if self.current.any || takes_any {
            return !self.current.is_empty();
        }
        let mut reachable: BTreeSet<ObjectIdentifier> =
            self.current.nodes.keys().copied().collect();
        let levels = std::iter::once(&self.current).chain(self.above.iter().rev());
        for level in levels {
            let mut parents = BTreeSet::new();
            for policy in &reachable {
                match level.nodes.get(policy) {
                    Some(node) if node.parents.is_empty() && acceptable.contains(policy) => {
                        return true;
                    }
                    Some(node) => parents.extend(node.parents.iter().copied()),
                    None => {}
                }
            }
            reachable = parents;
        }
        false
    }
}

fn lower(number: &mut usize, limit: Option<u32>) {
    if let Some(limit) = limit {
        *number = (*number).min(limit as usize);
    }
}
