//! Name constraints (RFC 5280 section 4.2.1.10): written, read, and applied before issuing.

use super::comparison::ComparableName;
use super::general_name::{Authority, GeneralName, dns_name, host_name};
use super::name::Name;
use super::text::is_deceptive;
use crate::asn1::{Element, Encoder, Malformed, Reader, sequence, tag};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The names that a CA may and may not put into certificates below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// permittedSubtrees: a name of a kind that is listed has to be in one of them.
    pub permitted: Vec<Subtree>,
    /// excludedSubtrees: no name may be in any of them.
    pub excluded: Vec<Subtree>,
}

/// A subtree of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subtree {
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

/// Why a text is no subtree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a name constraint: write dns:example.test, ip:10.0.0.0/8, email:example.test or uri:.example.test"
)]
pub struct SubtreeError {
    /// What was written.
    pub text: String,
}

/// A name that a CA of the path does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintViolation {
    /// The name is in an excluded subtree.
    #[error("{name} is in the excluded subtree {subtree}")]
    Excluded {
        /// The name.
        name: String,
        /// The subtree.
        subtree: String,
    },
    /// The name is in none of the permitted subtrees of its kind.
    #[error("{name} is in none of the permitted subtrees: {subtrees}")]
    NotPermitted {
        /// The name.
        name: String,
        /// The permitted subtrees of its kind.
        subtrees: String,
    },
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
            Self::Dns(name) => write!(f, "dns:{}", super::text::Escaped(name)),
            Self::Ip(address, bits) => write!(f, "ip:{address}/{bits}"),
            Self::Email(name) => write!(f, "email:{}", super::text::Escaped(name)),
            Self::Uri(name) => write!(f, "uri:{}", super::text::Escaped(name)),
            Self::Directory(name) => write!(f, "dirname:{name}"),
            Self::Other(der) => GeneralName::Other(der.clone()).fmt(f),
        }
    }
}

impl NameConstraints {
    /// Whether nothing is constrained; the extension must not be there then.
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// The extension's value.
    pub fn to_der(&self) -> Vec<u8> {
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

    /// Reads the extension's value.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
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
    /// Stricter than a verifier has to be: a wildcard is excluded where any host that it stands for
    /// is, a URI whose host can't be told and a mailbox that is not well formed are in no permitted
    /// and in every excluded subtree, an IPv4-mapped IPv6 address is held to the constraints of IPv4
    /// too, and every common name that reads as a host, address or mailbox is held to the constraints
    /// of that kind.
    pub fn check(&self, subject: &Name, names: &[GeneralName]) -> Result<(), ConstraintViolation> {
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

/// What a common name is to those who look for a host, an address or a mailbox in it, whether or
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

impl Subtree {
    fn encode(&self, encoder: &mut Encoder) {
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

    fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        if element.tag == tag::context(7) {
            return address_range(element.content)
                .ok_or(Malformed::Value("an address constraint is not well formed"));
        }
        Ok(match GeneralName::decode(element)? {
            GeneralName::Dns(name) => Self::Dns(name.to_ascii_lowercase()),
            GeneralName::Email(name) if name.contains('@') && mailbox(&name).is_none() => {
                return Err(Malformed::Value("a mailbox is not well formed"));
            }
            GeneralName::Email(name) => Self::Email(name),
            GeneralName::Uri(name) => Self::Uri(name.to_ascii_lowercase()),
            GeneralName::Directory(name) => Self::Directory(name),
            GeneralName::Ip(_) | GeneralName::Other(_) => Self::Other(element.whole.to_vec()),
        })
    }

    /// The subtree of IPv4 addresses that this one is, also in IPv4-mapped IPv6 addresses.
    fn as_ipv4(&self) -> Option<Self> {
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

    /// Whether the name is of the kind that this subtree is about.
    fn is_of_kind(&self, name: &GeneralName) -> bool {
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

    /// Whether all that the name stands for is in this subtree.
    fn contains(&self, name: &GeneralName) -> bool {
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

    /// Whether anything that the name stands for is in this subtree.
    fn meets(&self, name: &GeneralName) -> bool {
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

/// What is above a first label that has a `*` anywhere in it.
fn above_wildcard(host: &str) -> Option<&str> {
    let (first, above) = host.split_once('.')?;
    first.contains('*').then_some(above)
}

/// The host that a URI is held to. Section 4.2.1.10 has a URI rejected, where constraints apply to
/// it, that has no authority or a host that is not a name; one before whose host another could
/// be read, as user information, goes with them.
fn uri_host(uri: &str) -> Option<String> {
    let authority = Authority::of(uri).filter(|authority| authority.user_info.is_none())?;
    host_name(authority.host, false).ok()
}

/// Which hosts under a base count.
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

/// The parts of a mailbox that is well formed (RFC 5321 section 4.1.2): its local part, perhaps in
/// quotes, and its host.
fn mailbox(address: &str) -> Option<(&str, &str)> {
    let (local, host) = address.rsplit_once('@')?;
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_well_formed = match quoted {
        Some(text) => is_quoted(text) && host_name(host, false).is_ok(),
        None => GeneralName::email(address).is_ok(),
    };
    is_well_formed.then_some((local, host))
}

/// Whether a text may stand in quotes: visible, each quote and backslash behind a backslash.
fn is_quoted(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let next = match character {
            '"' => None,
            '\\' => characters.next(),
            other => Some(other),
        };
        if next.is_none_or(is_deceptive) {
            return false;
        }
    }
    true
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

/// Whether the name starts with the RDNs of the base, compared as section 7.1 compares names.
fn name_in(name: &Name, base: &Name) -> bool {
    ComparableName::of(name).starts_with(&ComparableName::of(base))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn mask(length: usize, bits: u8) -> Vec<u8> {
    (0..length)
        .map(|index| match usize::from(bits).saturating_sub(index * 8) {
            0 => 0,
            some @ 1..8 => 0xff << (8 - some),
            _ => 0xff,
        })
        .collect()
}

fn address_in(address: IpAddr, base: IpAddr, bits: u8) -> bool {
    let (address, base) = (octets(address), octets(base));
    address.len() == base.len()
        && address
            .iter()
            .zip(&base)
            .zip(mask(base.len(), bits))
            .all(|((a, b), mask)| a & mask == b & mask)
}

/// The address, with the bits that don't count at zero, and the mask.
fn address_and_mask(address: IpAddr, bits: u8) -> Vec<u8> {
    let address = octets(address);
    let mask = mask(address.len(), bits);
    let network = address.iter().zip(&mask).map(|(octet, mask)| octet & mask);
    network.chain(mask.iter().copied()).collect()
}

fn address_range(content: &[u8]) -> Option<Subtree> {
    let half = content.len() / 2;
    let (address, mask_octets) = content.split_at(half);
    let address: IpAddr = match *address {
        [a, b, c, d] => [a, b, c, d].into(),
        _ => <[u8; 16]>::try_from(address).ok()?.into(),
    };
    let bits = mask_octets
        .iter()
        .map(|octet| octet.count_ones())
        .sum::<u32>();
    let bits = u8::try_from(bits).ok()?;
    (mask_octets == mask(half, bits)).then_some(Subtree::Ip(address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(permitted: &[&str], excluded: &[&str], subject: &str, names: &[&str]) -> bool {
        let subtrees = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let constraints = NameConstraints {
            permitted: subtrees(permitted),
            excluded: subtrees(excluded),
        };
        let read = NameConstraints::from_der(&constraints.to_der());
        assert!(read == Ok(constraints.clone()) || constraints.is_empty());
        let names: Vec<_> = names
            .iter()
            .map(|name| GeneralName::parse(name).unwrap())
            .collect();
        constraints
            .check(&Name::parse(subject).unwrap(), &names)
            .is_ok()
    }

    #[test]
    fn a_permitted_subtree_holds_names_of_its_kind_only() {
        let permitted = [
            "dns:example.test",
            "ip:10.0.0.0/8",
            "email:example.test",
            "uri:.example.test",
        ];
        for (name, expected) in [
            ("example.test", true),
            ("a.b.example.test", true),
            ("badexample.test", false),
            ("*.example.test", true),
            ("*.test", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::1", false),
            ("a@example.test", true),
            ("a@b.example.test", false),
            ("https://a.example.test/", true),
            ("https://example.test/", false),
            ("urn:a:b", false),
        ] {
            assert_eq!(
                allowed(&permitted, &[], "/O=x", &[name]),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn ipv4_mapped_addresses_are_held_to_the_constraints_of_ipv4() {
        for (permitted, excluded, name, expected) in [
            (&[][..], &["ip:10.0.0.0/8"][..], "::ffff:10.0.0.1", false),
            (&[], &["ip:10.0.0.0/8"], "::ffff:11.0.0.1", true),
            (&[], &["ip:::ffff:10.0.0.0/104"], "10.1.2.3", false),
            (&[], &["ip:::ffff:10.0.0.0/104"], "11.1.2.3", true),
            (&["ip:::/0"], &["ip:10.0.0.1"], "::ffff:10.0.0.1", false),
            (&["ip:::/0"], &[], "::ffff:10.0.0.1", true),
            (&["ip:::/0", "ip:10.0.0.0/8"], &[], "::ffff:10.0.0.1", true),
            (&["ip:::/0", "ip:10.0.0.0/8"], &[], "::ffff:11.0.0.1", false),
            (&["ip:10.0.0.0/8"], &[], "::ffff:10.0.0.1", false),
            (&["ip:::ffff:0:0/96"], &[], "::ffff:10.0.0.1", true),
            (&[], &["ip:0.0.0.0/0"], "2001:db8::1", true),
            (&[], &["ip:0.0.0.0/0"], "::10.0.0.1", true),
        ] {
            assert_eq!(
                allowed(permitted, excluded, "/O=x", &[name]),
                expected,
                "{name}"
            );
        }
        assert!(!allowed(
            &[],
            &["ip:10.0.0.0/8"],
            "/CN=::ffff:10.0.0.1",
            &[]
        ));
    }

    #[test]
    fn mailboxes_that_are_not_well_formed_meet_every_constraint() {
        let verdict = |permitted: &[&str], excluded: &[&str], address: &str| {
            let subtrees =
                |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
            let constraints = NameConstraints {
                permitted: subtrees(permitted),
                excluded: subtrees(excluded),
            };
            let names = [GeneralName::Email(address.to_owned())];
            constraints
                .check(&Name::parse("/O=x").unwrap(), &names)
                .is_ok()
        };
        for address in [
            "a@b@example.test",
            "@example.test",
            "example.test",
            "",
            "a b@example.test",
            "a@",
            "a..b@example.test",
            "\"a\"b\"@example.test",
            "\"a\\\"@example.test",
            "a@[192.0.2.1]",
            "<a@example.test>",
            "a@example.test ",
        ] {
            assert!(!verdict(&["email:example.test"], &[], address), "{address}");
            assert!(!verdict(&[], &["email:other.test"], address), "{address}");
            assert!(verdict(&["dns:example.test"], &[], address), "{address}");
        }
        for address in [
            "a@example.test",
            "\"a b\"@example.test",
            "\"a@b\"@example.test",
        ] {
            assert!(verdict(
                &["email:example.test"],
                &["email:other.test"],
                address
            ));
            assert!(!verdict(&["email:other.test"], &[], address), "{address}");
            assert!(!verdict(&[], &["email:example.test"], address), "{address}");
        }
    }

    #[test]
    fn constraints_without_content_or_with_a_minimum_are_refused() {
        let subtree = |minimum: &[u8]| {
            sequence(|constraints| {
                constraints.explicit(0, |list| {
                    list.sequence(|general| {
                        general.primitive(tag::context(2), b"example.test");
                        general.raw(minimum);
                    });
                });
            })
        };
        assert!(NameConstraints::from_der(&subtree(&[])).is_ok());
        // The default in so many words.
        assert!(NameConstraints::from_der(&subtree(&[0x80, 1, 0])).is_ok());
        let mailbox = sequence(|constraints| {
            constraints.explicit(1, |list| {
                list.sequence(|general| general.primitive(tag::context(1), b"a@b@example.test"));
            });
        });
        for wrong in [
            subtree(&[0x80, 1, 1]),
            subtree(&[0x81, 1, 0]),
            subtree(&[0x80, 2, 0, 0]),
            mailbox,
            b"\x30\x00".to_vec(),
            b"\x30\x02\xa0\x00".to_vec(),
            b"\x30\x04\xa0\x00\xa1\x00".to_vec(),
        ] {
            assert!(NameConstraints::from_der(&wrong).is_err(), "{wrong:02x?}");
        }
    }

    #[test]
    fn wildcards_uris_and_common_names_do_not_slip_past() {
        assert!(!allowed(
            &[],
            &["dns:secret.example.test"],
            "/O=x",
            &["*.example.test"]
        ));
        assert!(!allowed(
            &[],
            &["dns:example.test"],
            "/O=x",
            &["*.a.example.test"]
        ));
        assert!(allowed(
            &[],
            &["dns:secret.example.test"],
            "/O=x",
            &["a.example.test"]
        ));
        assert!(!allowed(
            &["dns:example.test"],
            &[],
            "/CN=www.other.test",
            &[]
        ));
        assert!(!allowed(
            &["email:example.test"],
            &[],
            "/emailAddress=a@other.test",
            &[]
        ));
        assert!(!allowed(
            &["email:example.test"],
            &[],
            "/CN=a@other.test",
            &[]
        ));
        assert!(!allowed(&["ip:10.0.0.0/8"], &[], "/CN=192.0.2.1", &[]));
        assert!(allowed(&["dns:example.test"], &[], "/CN=localclient", &[]));
        assert!(!allowed(&[], &["uri:example.test"], "/O=x", &["urn:a:b"]));
        assert!(!allowed(&["dirname:/O=x"], &[], "/O=y/CN=z", &[]));
        assert!(allowed(&["dirname:/O=x"], &[], "/O=x/CN=z", &[]));
    }

    #[test]
    fn every_common_name_is_held_to_the_constraints_of_hosts() {
        for name in [
            "/CN=www.other.test/CN=localclient",
            "/CN=www.other.test/CN=www.example.test",
            "/CN=a_b.other.test",
            "/CN=other.test.",
            "/CN=a_b.x..other.test",
            "/CN=w*.other.test",
            "/CN=ü_x。other。test",
            "/CN=v1.2",
        ] {
            assert!(!allowed(&["dns:example.test"], &[], name, &[]), "{name}");
        }
        for name in [
            "/CN=a_b.other.test",
            "/CN=other.test.",
            "/CN=w*.other.test",
            "/CN=x/CN=OTHER.test/CN=y",
        ] {
            assert!(!allowed(&[], &["dns:other.test"], name, &[]), "{name}");
        }
        assert!(!allowed(
            &[],
            &["dns:www.other.test"],
            "/CN=w*.other.test",
            &[]
        ));
        assert!(!allowed(
            &["email:example.test"],
            &[],
            "/CN=a b@other.test",
            &[]
        ));
        for name in [
            "/CN=a_b.example.test",
            "/CN=J. R. Smith",
            "/CN=Example Corp.",
        ] {
            assert!(allowed(&["dns:example.test"], &[], name, &[]), "{name}");
        }
    }

    #[test]
    fn a_wildcard_is_under_its_parent() {
        assert!(allowed(&["dns:.good.test"], &[], "/O=x", &["*.good.test"]));
        assert!(allowed(
            &["dns:.good.test"],
            &[],
            "/O=x",
            &["*.a.good.test"]
        ));
        assert!(!allowed(&["dns:.good.test"], &[], "/O=x", &["*.test"]));
        assert!(!allowed(&["dns:.good.test"], &[], "/O=x", &["good.test"]));
    }

    #[test]
    fn directory_names_are_compared_without_case_spaces_and_string_types() {
        for name in ["/O=ACME  inc/CN=z", "/O=acme Inc /CN=z", "/O= Acme\tINC"] {
            let name = name.replace('\t', " ");
            assert!(
                !allowed(&[], &["dirname:/O=Acme Inc"], &name, &[]),
                "{name}"
            );
            assert!(allowed(&["dirname:/O=Acme Inc"], &[], &name, &[]), "{name}");
        }
        assert!(!allowed(&[], &["dirname:/O=Straße"], "/O=STRASSE", &[]));
        assert!(allowed(&[], &["dirname:/O=Acme Inc"], "/O=AcmeInc", &[]));
        assert!(allowed(&[], &["dirname:/O=Acme"], "/OU=Acme", &[]));

        let printable = sequence(|name| {
            name.constructed(tag::SET, |rdn| {
                rdn.sequence(|pair| {
                    pair.oid(&crate::asn1::oid::ORGANIZATION_NAME);
                    pair.primitive(tag::PRINTABLE_STRING, b"acme");
                });
            });
        });
        let excluded = NameConstraints {
            permitted: Vec::new(),
            excluded: vec!["dirname:/O=Acme".parse().unwrap()],
        };
        let subject = Name::from_der(&printable).unwrap();
        assert!(excluded.check(&subject, &[]).is_err());
    }

    #[test]
    fn uris_whose_host_can_not_be_told_are_refused_where_constraints_apply() {
        for uri in [
            "urn:x//a.example.test/",
            "https://user@a.example.test/",
            "https://192.0.2.1/",
            "https://[2001:db8::1]/",
        ] {
            assert!(allowed(&["dns:example.test"], &[], "/O=x", &[uri]), "{uri}");
            assert!(
                !allowed(&["uri:.example.test"], &[], "/O=x", &[uri]),
                "{uri}"
            );
            assert!(!allowed(&[], &["uri:.other.test"], "/O=x", &[uri]), "{uri}");
        }
    }

    /// Every prefix of both kinds of addresses, as the bytes that RFC 5280 section 4.2.1.10 asks for.
    #[test]
    fn a_prefix_is_an_address_and_a_mask_of_as_many_bits() {
        let ones = |bits: u32, length: u32| {
            let all = u128::MAX >> (128 - length);
            all & !all.checked_shr(bits).unwrap_or(0)
        };
        for (address, length) in [
            ("255.255.255.255", 32),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128),
        ] {
            for bits in 0..=length {
                let subtree: Subtree = format!("ip:{address}/{bits}").parse().unwrap();
                let expected = ones(bits, length).to_be_bytes();
                let expected = &expected[16 - length as usize / 8..];
                let der = crate::asn1::encode(|encoder| subtree.encode(encoder));
                // The bits of the address that do not count are zero, as in the mask.
                assert_eq!(der[2..], [expected, expected].concat(), "{address}/{bits}");
                assert_eq!(
                    address_range(&der[2..])
                        .unwrap()
                        .to_string()
                        .split('/')
                        .nth(1)
                        .unwrap(),
                    bits.to_string()
                );
            }
        }
    }

    #[test]
    fn a_mask_with_holes_or_of_another_length_is_no_range() {
        for octets in [
            &[10, 0, 0, 0, 255, 0, 255, 0][..],
            &[10, 0, 0, 0, 0, 255, 255, 255],
            &[10, 0, 0, 0, 255, 0xfd, 0, 0],
            &[10, 0, 0, 0, 0, 0, 0, 1],
            &[10, 0, 0, 255, 255, 255],
            &[10, 0, 0, 0],
            &[10, 0, 0, 0, 255, 255, 255, 0, 0],
            &[],
        ] {
            assert_eq!(address_range(octets), None, "{octets:?}");
        }
    }

    #[test]
    fn what_is_no_subtree_is_refused() {
        for text in [
            "example.test",
            "dns:",
            "ip:10.0.0.0/33",
            "ip:x/8",
            "dns:*.a",
            "foo:bar",
            "email:",
            "email:ü@x.test",
        ] {
            assert!(text.parse::<Subtree>().is_err(), "{text}");
        }
    }
}
