//! URLs in certificates, and the files of a repository that they lead to.

use crate::ca::repository::error::RepositoryError;
use std::fmt::Write as _;

/// Longest name of a file, in bytes.
const MOST_BYTES: usize = 255;

/// Returns the path of the file that a URL leads to, relative to the directory of a repository; `None` if it leads
/// elsewhere: below another URL than `base`, or to another service than HTTP.
pub(super) fn path_of(url: &str, base: Option<&str>) -> Result<Option<String>, RepositoryError> {
    let Some(path) = path_text(url, base) else {
        return Ok(None);
    };
    let unusable = |problem| RepositoryError::UnusablePath {
        url: url.to_owned(),
        problem,
    };
    let segments: Result<Vec<String>, &str> = path.split('/').map(segment).collect();
    Ok(Some(segments.map_err(unusable)?.join("/")))
}

/// Returns the path of a URL behind the base, or behind the host.
fn path_text<'a>(url: &'a str, base: Option<&str>) -> Option<&'a str> {
    if url.contains(['?', '#']) {
        return None;
    }
    if let Some(base) = base {
        return url
            .strip_prefix(base.trim_end_matches('/'))?
            .strip_prefix('/');
    }
    let (scheme, rest) = url.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let (_, path) = rest.split_once('/')?;
    is_http.then_some(path)
}

/// Returns the name of a file or directory that a server has for a segment of a URL.
fn segment(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()]
            .map(|digit| char::from(digit.unwrap_or_default()).to_digit(16));
        let [Some(high), Some(low)] = digits else {
            return Err("it has a % without two hex digits");
        };
        bytes.push(u8::try_from(high * 16 + low).expect("two hex digits are a byte"));
    }
    let name = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    if name.is_empty() || name.starts_with('.') {
        return Err("a part of it is empty or begins with a dot");
    }
    if name.len() > MOST_BYTES || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return Err("a part of it is no name of a file");
    }
    Ok(name)
}

/// Returns the relative URL of a file of a repository.
pub(crate) fn url_path(path: &str) -> String {
    let mut url = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            write!(url, "%{byte:02X}").expect("a String takes everything");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str, base: Option<&str>) -> Option<String> {
        path_of(url, base).unwrap()
    }

    #[test]
    fn a_url_leads_to_its_path_or_elsewhere() {
        let base = Some("http://pki.example.test/ca/");
        assert_eq!(
            path("http://pki.example.test/ca/a.crl", base).as_deref(),
            Some("a.crl")
        );
        assert_eq!(
            path("HTTP://x/crl/b%20c.crl", None).as_deref(),
            Some("crl/b c.crl")
        );
        for url in [
            "http://pki.example.test/other/a.crl",
            "http://pki.example.test/casino/a.crl",
            "http://pki.example.test.evil/ca/a.crl",
        ] {
            assert_eq!(path(url, base), None, "{url}");
        }
        for url in ["ldap://x/cn=a", "http://x", "http://x/a?b=c"] {
            assert_eq!(path(url, None), None, "{url}");
        }
    }

    #[test]
    fn no_path_leaves_the_directory() {
        for url in [
            "http://x/../a.crl",
            "http://x/%2e%2e/a.crl",
            "http://x/a/",
            "http://x//a.crl",
            "http://x/a%2fb.crl",
            "http://x/a%00.crl",
            "http://x/a%.crl",
            "http://x/%ff.crl",
            "http://x/.hidden",
        ] {
            assert!(path_of(url, None).is_err(), "{url}");
        }
    }
}
