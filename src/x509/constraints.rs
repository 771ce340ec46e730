//! Name constraints (RFC 5280 section 4.2.1.10): written, read, and applied before issuing.

mod mailbox;
mod matching;
mod subtree;

pub(crate) use subtree::Subtree;

use super::general_name::GeneralName;
use super::name::Name;
use crate::asn1::{Element, Encoder, Malformed, Reader, sequence, tag};
use std::net::IpAddr;

/// The names that a CA may and may not put into certificates below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameConstraints {
    /// permittedSubtrees: a name of a kind that is listed has to be in one of them.
    pub(crate) permitted: Vec<Subtree>,
    /// excludedSubtrees: no name may be in any of them.
    pub(crate) excluded: Vec<Subtree>,
}

/// A name that a CA of the path does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConstraintViolation {
    #[error("{name} is in the excluded subtree {subtree}")]
    Excluded { name: String, subtree: String },
    #[error("{name} is not in a permitted subtree: {subtrees}")]
    NotPermitted { name: String, subtrees: String },
}

impl NameConstraints {
    /// Returns whether nothing is constrained; the extension must not be there then.
    pub(crate) fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        let subtrees = |encoder: &mut Encoder, number, subtrees: &[Subtree]| {
            if !subtrees.is_empty() {
                encoder.constructed(tag::explicit(number), |list| {
                    // minimum is 0, the default; maximum is absent (section 4.2.1.10).
                    subtrees
                        .iter()
                        .for_each(|subtree| list.sequence(|general| subtree.encode(general)));
                });
            }
        };
        sequence(|constraints| {
            subtrees(constraints, 0, &self.permitted);
            subtrees(constraints, 1, &self.excluded);
        })
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::sequence_of(der, "a NameConstraints")?;
        let subtrees = |element: Option<Element<'_>>| -> Result<Vec<Subtree>, Malformed> {
            let Some(element) = element else {
                return Ok(Vec::new());
            };
            let mut list = element.reader();
            if list.is_empty() {
                return Err(Malformed::Value("a list of subtrees is empty"));
            }
            let mut subtrees = Vec::new();
            while !list.is_empty() {
                let mut general = list.sequence("a GeneralSubtree")?;
                subtrees.push(Subtree::decode(&general.any()?)?);
                // The default, which DER leaves out and others write.
                if let Some(minimum) = general.optional(tag::context(0))?
                    && minimum.small()? != 0
                {
                    return Err(Malformed::Value("a subtree has a minimum"));
                }
                general.end()?;
            }
            Ok(subtrees)
        };
        let permitted = subtrees(reader.optional(tag::explicit(0))?)?;
        let excluded = subtrees(reader.optional(tag::explicit(1))?)?;
        reader.end()?;
        let constraints = Self {
            permitted,
            excluded,
        };
        if constraints.is_empty() {
            return Err(Malformed::Value("name constraints are empty"));
        }
        Ok(constraints)
    }

    /// Holds names to these constraints.
    ///
    /// Stricter than a verifier has to be: a wildcard is excluded if any host that it stands for
    /// is, a URI whose host can't be told and a mailbox that is not well formed are in no permitted
    /// and in every excluded subtree, an IPv4-mapped IPv6 address is held to the constraints of IPv4
    /// too, and every common name that reads as a host, address or mailbox is held to the constraints
    /// of that kind.
    pub(crate) fn check(
        &self,
        subject: &Name,
        names: &[GeneralName],
    ) -> Result<(), ConstraintViolation> {
        if self.is_empty() {
            return Ok(());
        }
        let mut all = names.to_vec();
        if !subject.is_empty() {
            all.push(GeneralName::Directory(subject.clone()));
        }
        all.extend(subject.email_addresses().map(GeneralName::Email));
        all.extend(subject.common_names().filter_map(|text| read_as(&text)));
        all.iter().try_for_each(|name| self.check_one(name))?;
        self.check_mapped(&all)
    }

    /// Holds IPv4 addresses that are written as IPv6 addresses to the constraints of IPv4, and IPv4
    /// addresses to those that exclude them so (RFC 4291 section 2.5.5.2).
    fn check_mapped(&self, names: &[GeneralName]) -> Result<(), ConstraintViolation> {
        let ipv4 = |subtrees: &[Subtree]| subtrees.iter().filter_map(Subtree::as_ipv4).collect();
        let constraints = Self {
            permitted: ipv4(&self.permitted),
            excluded: ipv4(&self.excluded),
        };
        names.iter().try_for_each(|name| match name {
            GeneralName::Ip(address) => match address.to_canonical() {
                canonical @ IpAddr::V4(_) => constraints.check_one(&GeneralName::Ip(canonical)),
                IpAddr::V6(_) => Ok(()),
            },
            _ => Ok(()),
        })
    }

    fn check_one(&self, name: &GeneralName) -> Result<(), ConstraintViolation> {
        if let Some(subtree) = self.excluded.iter().find(|subtree| subtree.meets(name)) {
            return Err(ConstraintViolation::Excluded {
                name: name.to_string(),
                subtree: subtree.to_string(),
            });
        }
        let of_kind: Vec<_> = self
            .permitted
            .iter()
            .filter(|subtree| subtree.is_of_kind(name))
            .collect();
        if of_kind.is_empty() || of_kind.iter().any(|subtree| subtree.contains(name)) {
            return Ok(());
        }
        let subtrees: Vec<String> = of_kind.iter().map(ToString::to_string).collect();
        Err(ConstraintViolation::NotPermitted {
            name: name.to_string(),
            subtrees: subtrees.join(", "),
        })
    }
}

/// Reads a common name as those do who look for a host, an address or a mailbox in it, whether or
/// not it is a well-formed one: verifiers have compared `a_b.example.test` with hosts.
fn read_as(common_name: &str) -> Option<GeneralName> {
    let text = common_name.trim();
    match GeneralName::parse(text) {
        // A word without a dot is a name like any other, not a host to be constrained.
        Ok(GeneralName::Dns(host)) if !host.contains('.') => None,
        Ok(GeneralName::Uri(_)) => None,
        Ok(name) => Some(name),
        Err(_) if text.contains('@') => Some(GeneralName::Email(text.to_owned())),
        Err(_) => {
            // The other full stops of IDNA (RFC 3490 section 3.1).
            let host = text.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
            let no_host = |character: char| character.is_whitespace() || "/:".contains(character);
            (host.contains('.') && !host.contains(no_host)).then_some(GeneralName::Dns(host))
        }
    }
}

#[cfg(test)]
mod tests;
