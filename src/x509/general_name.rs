//! Subject alternative names (RFC 5280 section 4.2.1.6).

mod host;
mod other;
mod uri;

pub(crate) use host::{dns_name, host_name};
pub(crate) use other::{is_one_value, object_identifier};
pub(crate) use uri::Authority;

use super::name::Name;
use super::text::{Escaped, is_deceptive};
use crate::asn1::{Element, Encoder, Malformed, has_minimal_arcs, oid, tag};
use const_oid::ObjectIdentifier;
use std::fmt;
use std::net::IpAddr;
use uri::check_uri_text;

/// Name in a GeneralNames.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum GeneralName {
    /// dNSName: A-labels, perhaps behind one `*.`.
    Dns(String),
    Ip(IpAddr),
    /// rfc822Name, or SmtpUTF8Mailbox (RFC 9598) if the local part is not ASCII.
    Email(String),
    Uri(String),
    Directory(Name),
    /// Any other kind, otherName and registeredID among them: its DER.
    Other(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not {kind}: {problem}", Escaped(.value))]
pub(crate) struct GeneralNameError {
    pub(crate) value: String,
    pub(crate) kind: &'static str,
    pub(crate) problem: String,
}

/// Prefixes of names in whose text commas are usual.
const WITH_COMMAS: [&str; 2] = ["dirname", "other"];

const NO_PREFIX: &str = "the prefixes are dns, ip, email, uri, upn, krb5, rid, dirname and other; a URI needs none if it contains :// or begins with urn: or spiffe:";

impl GeneralName {
    /// Reads `dns:…`, `ip:…`, `email:…`, `uri:…`, `upn:…`, `krb5:…`, `rid:…`, `dirname:…` or `other:…` (prefixes in
    /// any case), or detects the type. Text with another
    /// colon is a URI only if `//` follows the scheme, or the scheme is `urn`: `www.example.test:8443` and
    /// `DSN:www.example.test` are mistakes.
    pub(crate) fn parse(text: &str) -> Result<Self, GeneralNameError> {
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
                "upn" => Self::special(value, "a UPN", other::user_principal_name),
                "krb5" => Self::special(value, "a Kerberos principal", other::kerberos_principal),
                "rid" => Self::special(value, "a registered ID", other::registered_id),
                "other" => Self::of_any_type(value),
                "dirname" => Self::directory(value),
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

    /// Reads a list of names that commas separate. A list that begins with a directory name or an otherName has no other
    /// name: commas are part of it.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>, GeneralNameError> {
        let prefix = text.trim_start().split(':').next().unwrap_or_default();
        if WITH_COMMAS
            .iter()
            .any(|known| prefix.eq_ignore_ascii_case(known))
        {
            return Ok(vec![Self::parse(text)?]);
        }
        text.split(',').map(Self::parse).collect()
    }

    /// A DNS name; one that is not ASCII becomes A-labels (RFC 9549).
    pub(crate) fn dns(text: &str) -> Result<Self, GeneralNameError> {
        dns_name(text, true)
            .map(Self::Dns)
            .map_err(|problem| error(text, "a DNS name", problem))
    }

    pub(crate) fn ip(text: &str) -> Result<Self, GeneralNameError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        bare.parse()
            .map(Self::Ip)
            .map_err(|_| error(text, "an IP address", "it is neither IPv4 nor IPv6"))
    }

    /// An e-mail address; its host becomes A-labels.
    pub(crate) fn email(text: &str) -> Result<Self, GeneralNameError> {
        let problem = |problem: String| error(text, "an e-mail address", problem);
        let (local, host) = text
            .rsplit_once('@')
            .ok_or_else(|| problem("it has no @".into()))?;
        if local.is_empty() || local.len() > 64 {
            return Err(problem(
                "the part before the @ is empty or longer than 64 bytes".into(),
            ));
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
                "the part before the @ has characters that are not allowed".into(),
            ));
        }
        let host = host_name(host, false).map_err(|reason| problem(reason.into()))?;
        Ok(Self::Email(format!("{local}@{host}")))
    }

    /// An absolute URI (RFC 3986), in ASCII.
    pub(crate) fn uri(text: &str) -> Result<Self, GeneralNameError> {
        let problem = |problem: &str| error(text, "a URI", problem);
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| problem("it has no scheme"))?;
        let scheme_allowed = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !scheme_allowed {
            return Err(problem("its scheme is not valid"));
        }
        check_uri_text(rest).map_err(problem)?;
        let brackets = rest.matches(['[', ']']).count();
        let literal = match Authority::of(text) {
            Some(authority) => authority
                .check()
                .map_err(|reason| problem(&format!("its authority is not valid: {reason}")))?,
            None => false,
        };
        if brackets != if literal { 2 } else { 0 } {
            return Err(problem("it has brackets outside its host"));
        }
        Ok(Self::Uri(text.to_owned()))
    }

    fn directory(text: &str) -> Result<Self, GeneralNameError> {
        match Name::parse(text) {
            Ok(name) if !name.is_empty() => Ok(Self::Directory(name)),
            Ok(_) => Err(error(text, "a directory name", "it is empty")),
            Err(problem) => Err(error(text, "a directory name", problem.to_string())),
        }
    }

    /// Reads an otherName of any type. One that has a form of its own is held to it.
    fn of_any_type(text: &str) -> Result<Self, GeneralNameError> {
        let name = Self::special(text, "an otherName", other::of_any_type)?;
        name.checked().unwrap_or(Ok(name))
    }

    fn special(
        text: &str,
        kind: &'static str,
        encode: fn(&str) -> Result<Vec<u8>, &'static str>,
    ) -> Result<Self, GeneralNameError> {
        encode(text)
            .map(Self::Other)
            .map_err(|problem| error(text, kind, problem))
    }

    /// Returns the type of an otherName.
    pub(crate) fn other_name_type(&self) -> Option<ObjectIdentifier> {
        match self {
            Self::Other(der) => other::parts(der).map(|(kind, _)| kind),
            _ => None,
        }
    }

    /// Returns whether certificates with such a name are issued: x400Address and ediPartyName are not.
    pub(crate) fn is_issued(&self) -> bool {
        match self {
            Self::Other(der) => {
                matches!(der.first(), Some(first) if *first == tag::explicit(0) || *first == tag::context(8))
            }
            _ => true,
        }
    }

    pub(crate) fn encode(&self, encoder: &mut Encoder) {
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
    pub(crate) fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        let text = || {
            String::from_utf8(element.content.to_vec())
                .map_err(|_| Malformed::Value("a name is not valid text"))
        };
        Ok(match element.tag {
            tag if tag == tag::explicit(0) => other_name(element)?,
            tag if tag == tag::context(1) => Self::Email(text()?),
            tag if tag == tag::context(2) => Self::Dns(text()?),
            tag if tag == tag::explicit(4) => Self::Directory(Name::from_der(element.content)?),
            tag if tag == tag::context(6) => Self::Uri(text()?),
            tag if tag == tag::context(7) => match *element.content {
                [a, b, c, d] => Self::Ip([a, b, c, d].into()),
                ref bytes => match <[u8; 16]>::try_from(bytes) {
                    Ok(bytes) => Self::Ip(bytes.into()),
                    Err(_) => {
                        return Err(Malformed::Value(
                            "an IP address is neither 4 nor 16 bytes long",
                        ));
                    }
                },
            },
            // x400Address, ediPartyName.
            0xa3 | 0xa5 => Self::Other(element.whole.to_vec()),
            tag if tag == tag::context(8) && has_minimal_arcs(element.content) => {
                Self::Other(element.whole.to_vec())
            }
            _ => return Err(Malformed::Value("a name has an unknown type")),
        })
    }

    /// Judges a name that was decoded as [`GeneralName::parse`] judges one that was written, and
    /// brings it into the same form; `None` for kinds that are not taken from CSRs. An otherName is taken only if a profile
    /// allows its type.
    pub(crate) fn checked(&self) -> Option<Result<Self, GeneralNameError>> {
        match self {
            Self::Dns(name) => Some(Self::dns(name)),
            Self::Ip(_) => Some(Ok(self.clone())),
            Self::Email(address) => Some(Self::email(address)),
            Self::Uri(uri) => Some(Self::uri(uri)),
            Self::Other(der) => other::parts(der).map(|(kind, value)| {
                let is_known = [oid::USER_PRINCIPAL_NAME, oid::KERBEROS_PRINCIPAL].contains(&kind);
                let is_right = if is_known {
                    let text = self.to_string();
                    // Only a value that is well-formed is written with a prefix of its own.
                    !text.starts_with("other:") && Self::parse(&text).as_ref() == Ok(self)
                } else {
                    other::has_plain_text(&value)
                };
                if is_right {
                    Ok(self.clone())
                } else {
                    Err(error(
                        &self.to_string(),
                        "an otherName",
                        "its value is malformed",
                    ))
                }
            }),
            Self::Directory(_) => None,
        }
    }
}

/// SmtpUTF8Mailbox is an e-mail address; any other otherName stays what it is.
fn other_name(element: &Element<'_>) -> Result<GeneralName, Malformed> {
    let (kind, value) = other::read(element)?;
    if kind == oid::SMTP_UTF8_MAILBOX {
        if value.tag != tag::UTF8_STRING {
            return Err(Malformed::Unexpected("a mailbox"));
        }
        let text = value.content.to_vec();
        return String::from_utf8(text)
            .map(GeneralName::Email)
            .map_err(|_| Malformed::Value("a name is not valid text"));
    }
    Ok(GeneralName::Other(element.whole.to_vec()))
}

fn error(value: &str, kind: &'static str, problem: impl Into<String>) -> GeneralNameError {
    GeneralNameError {
        value: value.to_owned(),
        kind,
        problem: problem.into(),
    }
}

impl fmt::Display for GeneralName {
    /// Writes the form that [`GeneralName::parse`] reads, with the prefix; an x400Address or ediPartyName as `other:`
    /// and its DER in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{}", Escaped(name)),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Email(address) => write!(f, "email:{}", Escaped(address)),
            Self::Uri(uri) => write!(f, "uri:{}", Escaped(uri)),
            Self::Directory(name) => write!(f, "dirname:{name}"),
            Self::Other(der) => other::describe(der, f),
        }
    }
}

#[cfg(test)]
mod tests;
