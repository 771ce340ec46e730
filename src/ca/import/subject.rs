//! Names on one line, as OpenSSL's `X509_NAME_oneline` writes them: `/O=Example/CN=x`, bytes outside
//! of printable ASCII as `\xHH`. Further values of one RDN follow a `+`. Slashes in values look like
//! those in front of attributes, and some versions put a backslash in front of them.

use crate::asn1::{Malformed, Reader};
use crate::x509::Name;
use crate::x509::attribute::AttributeType;

/// Returns whether OpenSSL writes a name as this line.
pub(crate) fn is_oneline(line: &[u8], name: &Name) -> bool {
    let attributes = name.attributes();
    let mut rest = line;
    for rdn in attributes.chunk_by(|one, other| one.rdn == other.rdn) {
        let values: Result<Vec<&[u8]>, Malformed> = rdn
            .iter()
            .map(|attribute| Ok(Reader::single(&attribute.der)?.content))
            .collect();
        match values.ok().and_then(|values| behind_rdn(rest, &values)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty() || (name.is_empty() && rest == b"/")
}

/// Limit of values of one RDN for which every order is tried.
const MOST_ORDERED: usize = 6;

/// Returns the rest after an RDN with these values: a set, in any order.
fn behind_rdn<'a>(line: &'a [u8], values: &[&[u8]]) -> Option<&'a [u8]> {
    if values.len() == 1 || values.len() > MOST_ORDERED {
        let mut values = values.iter();
        return values.try_fold(line, |line, value| behind_value(line, value));
    }
    (0..values.len()).find_map(|at| {
        let others = [&values[..at], &values[at + 1..]].concat();
        behind_rdn(behind_value(line, values[at])?, &others)
    })
}

fn behind_value<'a>(line: &'a [u8], value: &[u8]) -> Option<&'a [u8]> {
    let (_, behind) = key(line)?;
    let plain = written(value, false);
    let escaped = written(value, true);
    behind
        .strip_prefix(plain.as_slice())
        .or_else(|| behind.strip_prefix(escaped.as_slice()))
}

fn written(value: &[u8], with_backslashes: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'/' | b'+' if with_backslashes => text.extend([b'\\', *byte]),
            b' '..=b'~' => text.push(*byte),
            other => text.extend(format!("\\x{other:02X}").into_bytes()),
        }
    }
    text
}

/// Splits off the text between a slash, or a plus, and an equals sign.
fn key(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"/").or(text.strip_prefix(b"+"))?;
    let end = text
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b".-".contains(byte)))?;
    (end > 0 && text[end] == b'=').then(|| (&text[..end], &text[end + 1..]))
}

/// A name known only from its line.
pub(crate) struct Read {
    /// The last common name; empty if there is none.
    pub(crate) common_name: String,
    /// In the form of RFC 4514, or the line if it can't be parsed.
    pub(crate) text: String,
}

/// Reads a line as far as possible.
pub(crate) fn read(line: &[u8]) -> Read {
    let attributes = attributes(line);
    let mut backwards = attributes.iter().rev();
    let common_name = backwards.find(|attribute| attribute.key == "CN");
    let name = Name::parse(&attributes.iter().fold(String::new(), Attribute::onto)).ok();
    Read {
        common_name: common_name.map_or_else(String::new, |attribute| attribute.value.clone()),
        text: name.map_or_else(
            || String::from_utf8_lossy(line).into_owned(),
            |name| name.to_string(),
        ),
    }
}

/// Attribute on a line.
struct Attribute {
    /// `/`, or `+` if it is in the RDN of the one before.
    separator: char,
    key: String,
    value: String,
}

impl Attribute {
    /// Appends it to others, in the notation that [`Name::parse`] reads.
    fn onto(mut text: String, attribute: &Self) -> String {
        text.push(attribute.separator);
        text.push_str(&attribute.key);
        text.push('=');
        for character in attribute.value.chars() {
            if "\\/+".contains(character) {
                text.push('\\');
            }
            text.push(character);
        }
        text
    }
}

/// Splits a line into attributes. A slash that no key follows belongs to its value, and so does a plus if no
/// name of an attribute follows.
fn attributes(line: &[u8]) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let mut rest = line;
    while let Some((key, behind)) = self::key(rest) {
        let is_end = |at: &usize| {
            let is_escaped = *at > 0 && behind[*at - 1] == b'\\';
            let next = self::key(&behind[*at..]).filter(|_| !is_escaped);
            let is_known = |key| AttributeType::find(&String::from_utf8_lossy(key)).is_some();
            next.is_some_and(|(key, _)| behind[*at] == b'/' || is_known(key))
        };
        let end = (0..behind.len()).find(is_end).unwrap_or(behind.len());
        attributes.push(Attribute {
            separator: rest[0].into(),
            key: String::from_utf8_lossy(key).into_owned(),
            value: value(&behind[..end]),
        });
        rest = &behind[end..];
    }
    attributes
}

fn value(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'\\', [b'x', high, low, ..]) if hex(*high, *low).is_some() => {
                bytes.extend(hex(*high, *low));
                rest = &behind[3..];
            }
            (b'\\', [next @ (b'/' | b'+'), ..]) => {
                bytes.push(*next);
                rest = &behind[1..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests;
