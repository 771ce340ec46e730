//! Subject alternative names (RFC 5280 section 4.2.1.6).

use super::name::Name;
use super::text::{Escaped, is_deceptive};
use crate::asn1::{Element, Encoder, Malformed, Reader, has_minimal_arcs, oid, tag};
use const_oid::ObjectIdentifier;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One name in a GeneralNames.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GeneralName {
    /// dNSName: A-labels, perhaps behind one `*.`.
    Dns(String),
    /// iPAddress.
    Ip(IpAddr),
    /// rfc822Name, or SmtpUTF8Mailbox (RFC 9598) where the local part is not ASCII.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// directoryName.
    Directory(Name),
    /// Any other kind: its DER.
    Other(Vec<u8>),
}

/// Why a text is no subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not {kind}: {problem}", Escaped(.value))]
pub struct GeneralNameError {
    /// What was written.
    pub value: String,
    /// What it was to be.
    pub kind: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

const NO_PREFIX: &str = "before a colon stands one of the prefixes dns:, ip:, email: and uri:; a URI needs no prefix if it contains :// or begins with urn: or spiffe:";

impl GeneralName {
    /// Reads `dns:…`, `ip:…`, `email:…`, `uri:…` (in any case), or detects the type. Text with another
    /// colon is a URI only if `//` follows the scheme, or the scheme is `urn`: `www.example.test:8443` and
    /// `DSN:www.example.test` are mistakes.
    pub fn parse(text: &str) -> Result<Self, GeneralNameError> {
        let text = text.trim();
        if text.parse::<IpAddr>().is_ok() {
            return Self::ip(text);
        }
        if let Some((prefix, value)) = text.split_once(':') {
            return match prefix.to_ascii_lowercase().as_str() {
                "dns" => Self::dns(value),
                "ip" => Self::ip(value),
                "email" => Self::email(value),
                "uri" => Self::uri(value),
                "urn" | "spiffe" => Self::uri(text),
                _ if value.starts_with("//") => Self::uri(text),
                _ => Err(error(text, "a SAN", NO_PREFIX)),
            };
        }
        if text.contains('@') {
            Self::email(text)
        } else {
            Self::dns(text)
        }
    }

    /// Reads a list of names that commas separate.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, GeneralNameError> {
        text.split(',').map(Self::parse).collect()
    }

    /// A DNS name; one that is not ASCII becomes A-labels (RFC 9549).
    pub fn dns(text: &str) -> Result<Self, GeneralNameError> {
        dns_name(text, true)
            .map(Self::Dns)
            .map_err(|problem| error(text, "a DNS name", problem))
    }

    /// An IP address.
    pub fn ip(text: &str) -> Result<Self, GeneralNameError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        bare.parse()
            .map(Self::Ip)
            .map_err(|_| error(text, "an IP address", "it is neither IPv4 nor IPv6"))
    }

    /// An e-mail address; its host becomes A-labels.
    pub fn email(text: &str) -> Result<Self, GeneralNameError> {
        let problem = |problem: String| error(text, "an e-mail address", problem);
        let (local, host) = text
            .rsplit_once('@')
            .ok_or_else(|| problem("it has no @".into()))?;
        if local.is_empty() || local.len() > 64 {
            return Err(problem("the part before the @ has 1 to 64 octets".into()));
        }
        let plain = |character: char| {
            character.is_ascii_alphanumeric()
                || "!#$%&'*+-/=?^_`{|}~.".contains(character)
                || !character.is_ascii()
        };
        if !local
            .chars()
            .all(|character| plain(character) && !is_deceptive(character))
            || local.starts_with('.')
            || local.ends_with('.')
            || local.contains("..")
        {
            return Err(problem(
                "the part before the @ has characters that it can't have".into(),
            ));
        }
        let host = host_name(host, false).map_err(|reason| problem(reason.into()))?;
        Ok(Self::Email(format!("{local}@{host}")))
    }

    /// An absolute URI (RFC 3986), in ASCII.
    pub fn uri(text: &str) -> Result<Self, GeneralNameError> {
        let problem = |problem: &str| error(text, "a URI", problem);
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| problem("it has no scheme"))?;
        let scheme_allowed = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !scheme_allowed {
            return Err(problem("its scheme is not one"));
        }
        check_uri_text(rest).map_err(problem)?;
        let brackets = rest.matches(['[', ']']).count();
        let literal = match Authority::of(text) {
            Some(authority) => authority
                .check()
                .map_err(|reason| problem(&format!("its authority is none: {reason}")))?,
            None => false,
        };
        if brackets != if literal { 2 } else { 0 } {
            return Err(problem("it has brackets elsewhere than around its host"));
        }
        Ok(Self::Uri(text.to_owned()))
    }

    /// Appends the GeneralName.
    pub fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Email(address) if !address.is_ascii() => {
                encoder.constructed(tag::explicit(0), |other| {
                    other.oid(&oid::SMTP_UTF8_MAILBOX);
                    other.explicit(0, |value| {
                        value.primitive(tag::UTF8_STRING, address.as_bytes());
                    });
                });
            }
            Self::Email(address) => encoder.primitive(tag::context(1), address.as_bytes()),
            Self::Dns(name) => encoder.primitive(tag::context(2), name.as_bytes()),
            Self::Directory(name) => encoder.explicit(4, |directory| directory.raw(name.der())),
            Self::Uri(uri) => encoder.primitive(tag::context(6), uri.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => encoder.primitive(tag::context(7), &address.octets()),
            Self::Ip(IpAddr::V6(address)) => encoder.primitive(tag::context(7), &address.octets()),
            Self::Other(der) => encoder.raw(der),
        }
    }

    /// Reads a GeneralName as it stands; what it says is not judged.
    pub fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        let text = || {
            String::from_utf8(element.content.to_vec())
                .map_err(|_| Malformed::Value("a name is not text"))
        };
        Ok(match element.tag {
            tag if tag == tag::explicit(0) => other_name(element)?,
            tag if tag == tag::context(1) => Self::Email(text()?),
            tag if tag == tag::context(2) => Self::Dns(text()?),
            tag if tag == tag::explicit(4) => Self::Directory(Name::from_der(element.content)?),
            tag if tag == tag::context(6) => Self::Uri(text()?),
            tag if tag == tag::context(7) => match *element.content {
                [a, b, c, d] => Self::Ip([a, b, c, d].into()),
                ref octets => match <[u8; 16]>::try_from(octets) {
                    Ok(octets) => Self::Ip(octets.into()),
                    Err(_) => {
                        return Err(Malformed::Value(
                            "an IP address has neither 4 nor 16 octets",
                        ));
                    }
                },
            },
            // x400Address, ediPartyName.
            0xa3 | 0xa5 => Self::Other(element.whole.to_vec()),
            tag if tag == tag::context(8) && has_minimal_arcs(element.content) => {
                Self::Other(element.whole.to_vec())
            }
            _ => return Err(Malformed::Value("a name is of no kind that there is")),
        })
    }

    /// Judges a name that was decoded as [`GeneralName::parse`] judges one that was written, and
    /// brings it into the same form; `None` for kinds that are not taken from requests.
    pub fn checked(&self) -> Option<Result<Self, GeneralNameError>> {
        match self {
            Self::Dns(name) => Some(Self::dns(name)),
            Self::Ip(_) => Some(Ok(self.clone())),
            Self::Email(address) => Some(Self::email(address)),
            Self::Uri(uri) => Some(Self::uri(uri)),
            Self::Directory(_) | Self::Other(_) => None,
        }
    }
}

/// SmtpUTF8Mailbox is an e-mail address; any other otherName stays what it is.
fn other_name(element: &Element<'_>) -> Result<GeneralName, Malformed> {
    let mut reader = element.reader();
    let kind: ObjectIdentifier = reader
        .expect(tag::OBJECT_IDENTIFIER, "the type of an otherName")?
        .oid()?;
    let value = reader.expect(tag::explicit(0), "the value of an otherName")?;
    reader.end()?;
    let value = Reader::single(value.content)?;
    value.check_value()?;
    if kind == oid::SMTP_UTF8_MAILBOX {
        if value.tag != tag::UTF8_STRING {
            return Err(Malformed::Unexpected("a mailbox"));
        }
        let text = value.content.to_vec();
        return String::from_utf8(text)
            .map(GeneralName::Email)
            .map_err(|_| Malformed::Value("a name is not text"));
    }
    Ok(GeneralName::Other(element.whole.to_vec()))
}

/// The characters behind a URI's scheme: at most one `#`, and every `%` before two hexadecimal
/// digits (RFC 3986 sections 2 and 3.5).
fn check_uri_text(rest: &str) -> Result<(), &'static str> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if rest.is_empty() || !rest.bytes().all(allowed) {
        return Err("it has characters that a URI can't have, or none after the scheme");
    }
    if rest.matches('#').count() > 1 {
        return Err("it has more than one #");
    }
    let escaped = |behind: &str| {
        let digits = behind.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if rest.split('%').skip(1).all(escaped) {
        Ok(())
    } else {
        Err("it has a % that two hexadecimal digits don't follow")
    }
}

/// The authority of a URI, in its parts (RFC 3986 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// What is before the last `@`.
    pub user_info: Option<&'a str>,
    /// The host, with brackets if it is a literal.
    pub host: &'a str,
    /// What is behind the colon.
    pub port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    /// The authority, if `//` is directly behind the scheme.
    pub fn of(uri: &'a str) -> Option<Self> {
        let (_, rest) = uri.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (user_info, location) = match rest[..end].rsplit_once('@') {
            Some((user_info, location)) => (Some(user_info), location),
            None => (None, &rest[..end]),
        };
        let (host, port) = match location.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (location, None),
        };
        Some(Self {
            user_info,
            host,
            port,
        })
    }

    /// Whether the parts are what they have to be; tells whether the host is a literal in brackets.
    fn check(&self) -> Result<bool, &'static str> {
        if self.user_info.is_some_and(|user| user.contains('@')) {
            return Err("it has more than one @");
        }
        if let Some(port) = self.port.filter(|port| !port.is_empty())
            && (!port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err())
        {
            return Err("its port is not a number up to 65535");
        }
        let literal = self.host.strip_prefix('[').map(|rest| {
            let address = rest.strip_suffix(']');
            address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        });
        match literal {
            Some(true) => Ok(true),
            Some(false) => Err("what is in brackets is not an IPv6 address"),
            None if self.host.parse::<Ipv4Addr>().is_ok() => Ok(false),
            None => host_name(self.host, false).map(|_| false),
        }
    }
}

/// A host name in A-labels and lower case: letters, digits and inner hyphens, labels of at most 63
/// octets, 253 in all (RFC 5280 section 4.2.1.6, RFC 1034 section 3.5).
pub fn host_name(text: &str, wildcard: bool) -> Result<String, &'static str> {
    let name = dns_name(text, wildcard)?;
    if name.contains('_') {
        return Err(OTHER_CHARACTERS);
    }
    Ok(name)
}

/// As [`host_name`], with underscores too: the names of services (RFC 2782) and of hosts in private
/// networks have them.
pub fn dns_name(text: &str, wildcard: bool) -> Result<String, &'static str> {
    let (star, host) = match text.strip_prefix("*.") {
        Some(host) if wildcard => ("*.", host),
        _ => ("", text),
    };
    if host.contains('*') {
        return Err("a * can only be the whole first label");
    }
    if host.chars().any(is_deceptive) {
        return Err("it has characters that can't be shown");
    }
    let ascii = if host.is_ascii() {
        host.to_ascii_lowercase()
    } else {
        to_a_labels(host).ok_or("it can't be written in A-labels")?
    };
    if ascii.len() > 253 - star.len() {
        return Err("it has more than 253 characters");
    }
    for label in ascii.split('.') {
        check_label(label)?;
    }
    // RFC 5891 section 5.4: what says that it is an A-label has to be one.
    let a_labels = ascii.split('.').any(|label| label.starts_with("xn--"));
    if a_labels && to_a_labels(&ascii).as_ref() != Some(&ascii) {
        return Err("a label that begins with xn-- is not an A-label");
    }
    if ascii
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err("its last label is a number, as in an IP address");
    }
    Ok(format!("{star}{ascii}"))
}

/// The ASCII form of a name (UTS #46, with the characters of STD 3 and underscores).
fn to_a_labels(host: &str) -> Option<String> {
    const DENIED: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");
    let ascii = Uts46::new().to_ascii(host.as_bytes(), DENIED, Hyphens::Check, DnsLength::Verify);
    ascii.ok().map(Cow::into_owned)
}

const OTHER_CHARACTERS: &str = "a label has other characters than letters, digits and hyphens";

fn check_label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() {
        return Err("it has an empty label");
    }
    if label.len() > 63 {
        return Err("a label has more than 63 characters");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("a label starts or ends with a hyphen");
    }
    // RFC 5891 section 4.2.3.1; all but xn-- is kept for what may come.
    if label.get(2..4) == Some("--") && !label.starts_with("xn--") {
        return Err("a label has hyphens in its third and fourth place");
    }
    if !label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(OTHER_CHARACTERS);
    }
    Ok(())
}

fn error(value: &str, kind: &'static str, problem: impl Into<String>) -> GeneralNameError {
    GeneralNameError {
        value: value.to_owned(),
        kind,
        problem: problem.into(),
    }
}

impl fmt::Display for GeneralName {
    /// `dns:…`, `ip:…`, `email:…`, `uri:…`, `dirname:…`, or `other:` and the DER in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{}", Escaped(name)),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Email(address) => write!(f, "email:{}", Escaped(address)),
            Self::Uri(uri) => write!(f, "uri:{}", Escaped(uri)),
            Self::Directory(name) => write!(f, "dirname:{name}"),
            Self::Other(der) => {
                f.write_str("other:")?;
                der.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        GeneralName::parse(text)
            .map(|name| name.to_string())
            .map_err(|error| error.problem)
    }

    #[test]
    fn types_are_detected_or_given() {
        for (text, expected) in [
            ("www.Example.test", "dns:www.example.test"),
            ("*.example.test", "dns:*.example.test"),
            ("localhost", "dns:localhost"),
            ("10.0.0.1", "ip:10.0.0.1"),
            ("IP:10.0.0.1", "ip:10.0.0.1"),
            ("2001:DB8::1", "ip:2001:db8::1"),
            ("ip:[::1]", "ip:::1"),
            ("a@example.test", "email:a@example.test"),
            ("https://example.test/x", "uri:https://example.test/x"),
            ("spiffe://trust.test/ns/a", "uri:spiffe://trust.test/ns/a"),
            (
                "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            ),
            ("münchen.test", "dns:xn--mnchen-3ya.test"),
            ("email:a@münchen.test", "email:a@xn--mnchen-3ya.test"),
            ("My_Host", "dns:my_host"),
            (
                "_sip._tcp.münchen.test",
                "dns:_sip._tcp.xn--mnchen-3ya.test",
            ),
            (
                "*.my_zone.xn--mnchen-3ya.test",
                "dns:*.my_zone.xn--mnchen-3ya.test",
            ),
            ("jürgen@example.test", "email:jürgen@example.test"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_colon_is_a_prefix_an_ipv6_address_or_a_uri() {
        for (text, expected) in [
            ("DNS:a.test", "dns:a.test"),
            ("Email:a@b.test", "email:a@b.test"),
            ("URI:mailto:a@b.test", "uri:mailto:a@b.test"),
            ("::1", "ip:::1"),
            ("::ffff:192.0.2.1", "ip:::ffff:192.0.2.1"),
            ("URN:a:b", "uri:URN:a:b"),
            ("ldap://a.test/b", "uri:ldap://a.test/b"),
            ("Spiffe://a.test/b", "uri:Spiffe://a.test/b"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "a.test:443",
            "192.0.2.1:443",
            "[2001:db8::1]:443",
            "dsn:a.test",
            "dns :a.test",
            "DNS.1:a.test",
            "mailto:a@b.test",
            "otherName:1.2.3;UTF8:https://a.test",
            "a.test:443/://",
            "00:11:22:33:44:55",
            ":a.test",
            "a:",
        ] {
            assert_eq!(shown(text), Err(NO_PREFIX.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_no_host_can_be_called_is_refused() {
        for text in [
            "",
            "dns:",
            "a..b",
            ".a",
            "a.",
            "-a.test",
            "a-.test",
            "-_b.test",
            "a_b-.test",
            "a_b..test",
            "_*.test",
            "email:a@a_b.test",
            "a\u{ff3f}b\u{ff0f}c.test",
            "dns:1.2.3.4",
            "a b",
            "*",
            "*.*.test",
            "w*.test",
            "a.*.test",
            "dns:a/b",
            "email:a",
            "email:@b.test",
            "email:a@*.test",
            "uri:nothing",
            "uri:http://",
            "uri:http://a b/",
            "ip:1.2.3",
            "a\0.test",
            "a\u{202e}.test",
            "email:a\n@b.test",
        ] {
            assert!(shown(text).is_err(), "{text:?}");
        }
        assert!(shown(&format!("{}.test", "a".repeat(64))).is_err());
        assert!(shown(&format!("{}.test", "a".repeat(63))).is_ok());
    }

    #[test]
    fn an_authority_is_directly_behind_the_scheme() {
        for (uri, expected) in [
            ("https://a.test", Some((None, "a.test", None))),
            (
                "https://u:p@a.test:8443/x?y",
                Some((Some("u:p"), "a.test", Some("8443"))),
            ),
            ("https://[::1]:443/", Some((None, "[::1]", Some("443")))),
            ("https://[::1]", Some((None, "[::1]", None))),
            ("https://a.test?x=@b", Some((None, "a.test", None))),
            ("urn:x//a.test/", None),
            ("urn:a:b", None),
        ] {
            let parts = Authority::of(uri);
            let parts = parts.map(|parts| (parts.user_info, parts.host, parts.port));
            assert_eq!(parts, expected, "{uri}");
        }
    }

    #[test]
    fn uris_that_are_not_well_formed_are_refused() {
        for uri in [
            "https://a.test:x/",
            "https://a.test:+80/",
            "https://a.test:65536/",
            "https://a.test/%",
            "https://a.test/%2",
            "https://a.test/%zz",
            "https://a.test/#a#b",
            "https://[a.test]/",
            "https://[10.0.0.1]/",
            "https://[::1/",
            "https://[::1]x/",
            "https://::1/",
            "https://a.test/[x]",
            "urn:[x]",
            "https://[::1]/?[",
            "https://a@b@c.test/",
            "https://a_b.test/",
            "https://ab--cd.test/",
        ] {
            assert!(GeneralName::uri(uri).is_err(), "{uri}");
        }
        for uri in [
            "https://a.test:8443/%2f?x=@y#z",
            "https://u:p%40@a.test/",
            "https://[2001:db8::1]:443/x",
            "https://192.0.2.1/",
            "https://a.test:/",
            "https://xn--mnchen-3ya.test/",
        ] {
            assert!(GeneralName::uri(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn labels_that_only_look_like_a_labels_are_refused() {
        for host in [
            "xn--a.test",
            "xn--.test",
            "xn--zzzzzzzz9999.test",
            "xn--a-ecp.ru--x.test",
            "www.xn--abc-.test",
            "ab--cd.test",
        ] {
            assert!(GeneralName::dns(host).is_err(), "{host}");
        }
        for host in [
            "xn--mnchen-3ya.test",
            "*.XN--mnchen-3ya.test",
            "a-b--c.test",
        ] {
            assert!(GeneralName::dns(host).is_ok(), "{host}");
        }
    }

    #[test]
    fn every_kind_reads_back() {
        for text in [
            "dns:a.test",
            "ip:10.0.0.1",
            "ip:::1",
            "email:a@b.test",
            "email:ü@b.test",
            "uri:urn:a:b",
        ] {
            let name = GeneralName::parse(text).unwrap();
            let der = crate::asn1::encode(|encoder| name.encode(encoder));
            assert_eq!(
                GeneralName::decode(&crate::asn1::Reader::single(&der).unwrap()),
                Ok(name)
            );
        }
    }
}
