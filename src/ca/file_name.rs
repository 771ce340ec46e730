//! Names of the files of certificates.

use crate::store::{Issuance, is_device_name};
use std::fmt::Write as _;

/// Replacement of the label `*`, which shells expand.
pub(crate) const WILDCARD: &str = "_wildcard.";

/// Returns the base name of the files of a certificate: its CN, or without one its first SAN; empty without
/// both.
pub(crate) fn file_name(issuance: &Issuance) -> String {
    named_by(&issuance.cn, issuance.sans.first().map(String::as_str))
}

/// As [`file_name`], of a CN that may be empty and a SAN as `dns:…`, `ip:…`, `email:…` or `uri:…`.
pub(crate) fn named_by(common_name: &str, san: Option<&str>) -> String {
    let typed = san.unwrap_or_default();
    let (_, san) = typed.split_once(':').unwrap_or(("", typed));
    safe_file_name(if common_name.is_empty() {
        san
    } else {
        common_name
    })
}

/// Returns a safe file name, another one for every name: `*.example.test` becomes `_wildcard.example.test`, and
/// other bytes that are not safe are percent-encoded (RFC 3986 section 2.1).
pub(crate) fn safe_file_name(name: &str) -> String {
    let (start, rest) = match name.strip_prefix("*.") {
        Some(rest) => (WILDCARD, rest),
        None => ("", name),
    };
    let last = rest.len().saturating_sub(1);
    let is_device = is_device_name(name);
    let mut safe = start.to_owned();
    for (index, byte) in rest.bytes().enumerate() {
        let first = index == 0;
        let stays = match byte {
            byte if byte.is_ascii_alphanumeric() => !(first && is_device),
            b'.' => !first && index != last,
            b'_' | b'@' | b'+' | b'-' => !first,
            _ => false,
        };
        if stays {
            safe.push(char::from(byte));
        } else {
            write!(safe, "%{byte:02X}").expect("a String takes everything");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::export::check_name;
    use std::collections::HashSet;

    #[test]
    fn names_become_safe_file_names() {
        for (name, file) in [
            ("localclient", "localclient"),
            ("a@example.test", "a@example.test"),
            ("*.example.test", "_wildcard.example.test"),
            ("_wildcard.example.test", "%5Fwildcard.example.test"),
            ("*", "%2A"),
            ("a/b", "a%2Fb"),
            ("../x", "%2E.%2Fx"),
            ("..", "%2E%2E"),
            ("-rf", "%2Drf"),
            ("a.", "a%2E"),
            ("100%", "100%25"),
            ("nul", "%6Eul"),
            ("Nul.example", "%4Eul.example"),
            ("2001:db8::1", "2001%3Adb8%3A%3A1"),
            ("spiffe://x/y", "spiffe%3A%2F%2Fx%2Fy"),
            ("é", "%C3%A9"),
            ("a b", "a%20b"),
        ] {
            assert_eq!(safe_file_name(name), file, "{name}");
            check_name(file).unwrap();
        }
        assert!(check_name("").is_err());
        assert!(check_name("_x").is_err());
    }

    #[test]
    fn a_certificate_without_a_cn_is_named_by_its_first_san() {
        assert_eq!(
            named_by("", Some("dns:*.example.test")),
            "_wildcard.example.test"
        );
        assert_eq!(named_by("", Some("ip:::1")), "%3A%3A1");
        assert_eq!(named_by("a", Some("dns:b")), "a");
        assert_eq!(named_by("", None), "");
    }

    #[test]
    fn no_two_names_have_one_file_name() {
        let parts = [
            "a",
            ".",
            "*",
            "*.",
            "_",
            "_wildcard.",
            "%",
            "%2E",
            "/",
            "nul",
            "é",
        ];
        let mut names = HashSet::new();
        let mut files = HashSet::new();
        for first in parts {
            for second in parts {
                for third in parts {
                    let name = [first, second, third].concat();
                    let file = safe_file_name(&name);
                    check_name(&file).unwrap();
                    assert_eq!(names.insert(name.clone()), files.insert(file), "{name}");
                }
            }
        }
    }
}
