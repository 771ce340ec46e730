//! Names held against subtrees.

use super::mailbox::mailbox;
use super::subtree::{Subtree, address_bytes, mask};
use crate::x509::Name;
use crate::x509::comparison::ComparableName;
use crate::x509::general_name::{Authority, GeneralName, host_name};
use std::net::IpAddr;

impl Subtree {
    /// The subtree of IPv4 addresses that this one is, also in IPv4-mapped IPv6 addresses.
    pub(super) fn as_ipv4(&self) -> Option<Self> {
        let Self::Ip(address, bits) = *self else {
            return None;
        };
        match (address, address.to_canonical()) {
            (IpAddr::V4(_), _) => Some(self.clone()),
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) => {
                Some(Self::Ip(canonical, bits.checked_sub(96)?))
            }
            _ => None,
        }
    }

    /// Returns whether the name is of the kind that this subtree is about.
    pub(super) fn is_of_kind(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(_), GeneralName::Dns(_))
            | (Self::Ip(..), GeneralName::Ip(_))
            | (Self::Email(_), GeneralName::Email(_))
            | (Self::Uri(_), GeneralName::Uri(_))
            | (Self::Directory(_), GeneralName::Directory(_)) => true,
            (Self::Other(own), GeneralName::Other(der)) => own.first() == der.first(),
            _ => false,
        }
    }

    /// Returns whether all that the name stands for is in this subtree.
    pub(super) fn contains(&self, name: &GeneralName) -> bool {
        match (self, name) {
            // A wildcard is under whatever its parent is under, and under the parent itself.
            (Self::Dns(base), GeneralName::Dns(host)) => host_in(host, base, Under::OrItself),
            (Self::Ip(base, bits), GeneralName::Ip(address)) => address_in(*address, *base, *bits),
            (Self::Email(base), GeneralName::Email(address)) => mailbox_in(address, base),
            (Self::Uri(base), GeneralName::Uri(uri)) => {
                uri_host(uri).is_some_and(|host| host_in(&host, base, Under::WithDotOnly))
            }
            (Self::Directory(base), GeneralName::Directory(name)) => name_in(name, base),
            _ => false,
        }
    }

    /// Returns whether anything that the name stands for is in this subtree.
    pub(super) fn meets(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(host)) => match above_wildcard(host) {
                Some(above) => {
                    let base = base.trim_start_matches('.');
                    host_in(above, base, Under::OrItself)
                        || base
                            .split_once('.')
                            .is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(above))
                }
                None => self.contains(name),
            },
            // A URI whose host can't be told may be in any subtree, and so may a broken mailbox.
            (Self::Email(_), GeneralName::Email(address)) if mailbox(address).is_none() => true,
            (Self::Uri(_), GeneralName::Uri(uri)) if uri_host(uri).is_none() => true,
            (Self::Other(_), GeneralName::Other(_)) => self.is_of_kind(name),
            _ => self.contains(name),
        }
    }
}

/// Returns the parent of a first label that has a `*` anywhere in it.
fn above_wildcard(host: &str) -> Option<&str> {
    let (first, above) = host.split_once('.')?;
    first.contains('*').then_some(above)
}

/// The host that a URI is held to. Section 4.2.1.10 has a URI rejected, if constraints apply to
/// it, that has no authority or a host that is not a name; one before whose host another could
/// be read, as user information, goes with them.
fn uri_host(uri: &str) -> Option<String> {
    let authority = Authority::of(uri).filter(|authority| authority.user_info.is_none())?;
    host_name(authority.host, false).ok()
}

/// Hosts that count as under a base.
#[derive(Clone, Copy, PartialEq)]
enum Under {
    /// The base and all under it, as for dNSName.
    OrItself,
    /// The base alone, or with a leading dot all under it, as for URIs and mailboxes.
    WithDotOnly,
}

fn host_in(host: &str, base: &str, under: Under) -> bool {
    if base.is_empty() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let base = base.to_ascii_lowercase();
    match base.strip_prefix('.') {
        Some(_) => host.ends_with(&base) && host.len() > base.len(),
        None if host == base => true,
        None => {
            under == Under::OrItself
                && host.ends_with(&base)
                && host[..host.len() - base.len()].ends_with('.')
        }
    }
}

/// A base with an `@` is one mailbox; without, a host (section 4.2.1.10).
fn mailbox_in(address: &str, base: &str) -> bool {
    let Some((local, host)) = mailbox(address) else {
        return false;
    };
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => host_in(host, base, Under::WithDotOnly),
    }
}

/// Returns whether the name starts with the RDNs of the base, compared as section 7.1 compares names.
fn name_in(name: &Name, base: &Name) -> bool {
    ComparableName::of(name).starts_with(&ComparableName::of(base))
}

fn address_in(address: IpAddr, base: IpAddr, bits: u8) -> bool {
    let (address, base) = (address_bytes(address), address_bytes(base));
    address.len() == base.len()
        && address
            .iter()
            .zip(&base)
            .zip(mask(base.len(), bits))
            .all(|((a, b), mask)| a & mask == b & mask)
}
