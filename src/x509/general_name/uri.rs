//! URIs (RFC 3986).

use super::host::host_name;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The characters behind a URI's scheme: at most one `#`, and every `%` before two hexadecimal
/// digits (RFC 3986 sections 2 and 3.5).
pub(super) fn check_uri_text(rest: &str) -> Result<(), &'static str> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if rest.is_empty() || !rest.bytes().all(allowed) {
        return Err("it has characters that a URI does not allow, or nothing after the scheme");
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
        Err("it has a % without two hexadecimal digits")
    }
}

/// The authority of a URI, in its parts (RFC 3986 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// The text before the last `@`.
    pub(crate) user_info: Option<&'a str>,
    /// The host, with brackets if it is a literal.
    pub(crate) host: &'a str,
    /// The text behind the colon.
    pub(crate) port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    /// The authority, if `//` is directly behind the scheme.
    pub(crate) fn of(uri: &'a str) -> Option<Self> {
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

    /// Returns whether the parts are what they have to be; tells whether the host is a literal in brackets.
    pub(super) fn check(&self) -> Result<bool, &'static str> {
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
            Some(false) => Err("the text in brackets is not an IPv6 address"),
            None if self.host.parse::<Ipv4Addr>().is_ok() => Ok(false),
            None => host_name(self.host, false).map(|_| false),
        }
    }
}
