//! Subtrees of names: as text and as DER.

use super::mailbox::mailbox;
use crate::asn1::{Element, Encoder, Malformed, tag};
use crate::x509::Name;
use crate::x509::general_name::{GeneralName, dns_name, host_name};
use crate::x509::text::Escaped;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subtree {
    /// A host and every host under it; with a leading dot only those under it.
    Dns(String),
    /// An address and a mask.
    Ip(IpAddr, u8),
    /// A mailbox, all of a host's mailboxes, or with a leading dot those of all hosts under it.
    Email(String),
    /// The host of a URI, or with a leading dot every host under it.
    Uri(String),
    /// A name and every name that starts with it.
    Directory(Name),
    /// Any other kind: the GeneralName's DER. Nothing of its kind is ever allowed.
    Other(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a name constraint: write dns:example.test, ip:10.0.0.0/8, email:example.test or uri:.example.test"
)]
pub(crate) struct SubtreeError {
    pub(crate) text: String,
}

impl FromStr for Subtree {
    type Err = SubtreeError;

    fn from_str(text: &str) -> Result<Self, SubtreeError> {
        let bad = || SubtreeError {
            text: text.to_owned(),
        };
        let (kind, value) = text.split_once(':').ok_or_else(bad)?;
        let read = if kind.eq_ignore_ascii_case("dns") {
            dns_name
        } else {
            host_name
        };
        let host = |value: &str| {
            let (dot, bare) = value
                .strip_prefix('.')
                .map_or(("", value), |bare| (".", bare));
            read(bare, false)
                .map(|name| format!("{dot}{name}"))
                .map_err(|_| bad())
        };
        match kind.to_ascii_lowercase().as_str() {
            "dns" => host(value).map(Self::Dns),
            "uri" => host(value).map(Self::Uri),
            "email" => match GeneralName::email(value) {
                // rfc822Name is an IA5String; nothing could be held to another mailbox.
                Ok(GeneralName::Email(address)) if address.is_ascii() => Ok(Self::Email(address)),
                Ok(_) => Err(bad()),
                Err(_) => host(value).map(Self::Email),
            },
            "ip" => {
                let (address, bits) = match value.split_once('/') {
                    Some((address, bits)) => (address, Some(bits)),
                    None => (value, None),
                };
                let address: IpAddr = address.parse().map_err(|_| bad())?;
                let most = if address.is_ipv4() { 32 } else { 128 };
                let bits = bits.map_or(Ok(most), str::parse).map_err(|_| bad())?;
                if bits > most {
                    return Err(bad());
                }
                // As it is written: 10.1.0.0/8 is 10.0.0.0/8.
                address_range(&address_and_mask(address, bits)).ok_or_else(bad)
            }
            "dirname" => Name::parse(value).map(Self::Directory).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{}", Escaped(name)),
            Self::Ip(address, bits) => write!(f, "ip:{address}/{bits}"),
            Self::Email(name) => write!(f, "email:{}", Escaped(name)),
            Self::Uri(name) => write!(f, "uri:{}", Escaped(name)),
            Self::Directory(name) => write!(f, "dirname:{name}"),
            Self::Other(der) => GeneralName::Other(der.clone()).fmt(f),
        }
    }
}

impl Subtree {
    pub(super) fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Email(name) => encoder.primitive(tag::context(1), name.as_bytes()),
            Self::Dns(name) => encoder.primitive(tag::context(2), name.as_bytes()),
            Self::Directory(name) => encoder.explicit(4, |directory| directory.raw(name.der())),
            Self::Uri(name) => encoder.primitive(tag::context(6), name.as_bytes()),
            Self::Ip(address, bits) => {
                encoder.primitive(tag::context(7), &address_and_mask(*address, *bits));
            }
            Self::Other(der) => encoder.raw(der),
        }
    }

    pub(super) fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        if element.tag == tag::context(7) {
            return address_range(element.content)
                .ok_or(Malformed::Value("an IP address constraint is malformed"));
        }
        Ok(match GeneralName::decode(element)? {
            GeneralName::Dns(name) => Self::Dns(name.to_ascii_lowercase()),
            GeneralName::Email(name) if name.contains('@') && mailbox(&name).is_none() => {
                return Err(Malformed::Value("a mailbox is malformed"));
            }
            GeneralName::Email(name) => Self::Email(name),
            GeneralName::Uri(name) => Self::Uri(name.to_ascii_lowercase()),
            GeneralName::Directory(name) => Self::Directory(name),
            GeneralName::Ip(_) | GeneralName::Other(_) => Self::Other(element.whole.to_vec()),
        })
    }
}

pub(super) fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

pub(super) fn mask(length: usize, bits: u8) -> Vec<u8> {
    (0..length)
        .map(|index| match usize::from(bits).saturating_sub(index * 8) {
            0 => 0,
            some @ 1..8 => 0xff << (8 - some),
            _ => 0xff,
        })
        .collect()
}

/// The address, with the bits that don't count at zero, and the mask.
fn address_and_mask(address: IpAddr, bits: u8) -> Vec<u8> {
    let address = address_bytes(address);
    let mask = mask(address.len(), bits);
    let network = address.iter().zip(&mask).map(|(byte, mask)| byte & mask);
    network.chain(mask.iter().copied()).collect()
}

pub(super) fn address_range(content: &[u8]) -> Option<Subtree> {
    let half = content.len() / 2;
    let (address, mask_bytes) = content.split_at(half);
    let address: IpAddr = match *address {
        [a, b, c, d] => [a, b, c, d].into(),
        _ => <[u8; 16]>::try_from(address).ok()?.into(),
    };
    let bits = mask_bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
    let bits = u8::try_from(bits).ok()?;
    (mask_bytes == mask(half, bits)).then_some(Subtree::Ip(address, bits))
}
