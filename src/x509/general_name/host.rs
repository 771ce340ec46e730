//! Host names (RFC 5280 section 4.2.1.6, RFC 9549).

use crate::x509::text::is_deceptive;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::borrow::Cow;

/// A host name in A-labels and lower case: letters, digits and inner hyphens, labels of at most 63
/// bytes, 253 in all (RFC 5280 section 4.2.1.6, RFC 1034 section 3.5).
pub(crate) fn host_name(text: &str, wildcard: bool) -> Result<String, &'static str> {
    let name = dns_name(text, wildcard)?;
    if name.contains('_') {
        return Err(OTHER_CHARACTERS);
    }
    Ok(name)
}

/// As [`host_name`], with underscores too: the names of services (RFC 2782) and of hosts in private
/// networks have them.
pub(crate) fn dns_name(text: &str, wildcard: bool) -> Result<String, &'static str> {
    let (star, host) = match text.strip_prefix("*.") {
        Some(host) if wildcard => ("*.", host),
        _ => ("", text),
    };
    if host.contains('*') {
        return Err("* is only allowed as the whole first label");
    }
    if host.chars().any(is_deceptive) {
        return Err("it has unprintable characters");
    }
    let ascii = if host.is_ascii() {
        host.to_ascii_lowercase()
    } else {
        to_a_labels(host).ok_or("it can't be converted to A-labels")?
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

const OTHER_CHARACTERS: &str = "a label has characters other than letters, digits and hyphens";

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
        return Err("a label has hyphens as its third and fourth characters");
    }
    if !label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(OTHER_CHARACTERS);
    }
    Ok(())
}
