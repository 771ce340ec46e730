//! The two notations of names: slashes, and RFC 4514.

use super::{Name, NameAttribute, NameError, shortened};
use crate::asn1::Hex;
use crate::x509::attribute::{self, AttributeType};
use crate::x509::text::is_deceptive;
use std::fmt;

impl Name {
    /// Reads `/C=JP/O=Example/OU=a/OU=b/CN=x`, or RFC 4514's `CN=x,OU=b,OU=a,O=Example,C=JP`, in
    /// which the order is the reverse. `+` joins the values of a multi-valued RDN in both.
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let notation = || NameError::Notation {
            text: text.to_owned(),
        };
        let slashes = text.starts_with('/');
        let body = text.strip_prefix('/').unwrap_or(text);
        let mut rdns = Vec::new();
        for rdn in split(body, if slashes { '/' } else { ',' }) {
            let mut values = Vec::new();
            for assertion in split(rdn, '+') {
                let (kind, value) = assertion.split_once('=').ok_or_else(notation)?;
                let kind = kind.trim();
                let known = AttributeType::parse(kind).ok_or_else(|| NameError::UnknownType {
                    kind: shortened(kind),
                })?;
                if !slashes && value.trim_start_matches(' ').starts_with('#') {
                    return Err(hexadecimal(&known, value));
                }
                values.push(known.encode(&unescape(value).ok_or_else(notation)?)?);
            }
            rdns.push(values);
        }
        if !slashes {
            rdns.reverse();
        }
        Ok(Self::from_rdns(rdns))
    }
}

/// `#` begins the hexadecimal form of a value's BER (RFC 4514 section 2.4), which is not taken: it
/// would put bytes into a certificate that nobody reads before.
fn hexadecimal(kind: &AttributeType, value: &str) -> NameError {
    NameError::Value {
        kind: attribute::short_name(&kind.oid),
        value: value.to_owned(),
        problem: "is in the hexadecimal form, which is not supported (write \\# for a leading #)"
            .to_owned(),
    }
}

/// Splits at a separator that no backslash escapes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        if character == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
        }
        escaped = character == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

/// Undoes RFC 4514 section 2.4: `\,` and `\2C`; outer spaces count only where escaped.
fn unescape(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.trim_start_matches(' ').bytes();
    let mut kept = 0;
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            kept = if byte == b' ' { kept } else { bytes.len() };
            continue;
        }
        let next = rest.next()?;
        if next.is_ascii_hexdigit() {
            let digits = [next, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(next);
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Name {
    /// RFC 4514: the most specific attribute first. What could deceive a reader is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.attributes();
        let rdns = attributes.chunk_by(|one, next| one.rdn == next.rdn);
        for (index, rdn) in rdns.rev().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            for (index, attribute) in rdn.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "+" })?;
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NameAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", attribute::short_name(&self.kind))?;
        if let Some(text) = &self.text {
            return write_escaped(f, text);
        }
        write!(f, "#{:x}", Hex(&self.der))
    }
}

/// Escapes as RFC 4514 section 2.4 demands, and everything that could deceive as `\xx` bytes.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let outer_space = character == ' ' && (index == 0 || index == last);
        let outer_hash = character == '#' && index == 0;
        if matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || outer_space
            || outer_hash
        {
            f.write_char('\\')?;
            f.write_char(character)?;
        } else if is_deceptive(character) {
            let mut buffer = [0; 4];
            character
                .encode_utf8(&mut buffer)
                .bytes()
                .try_for_each(|byte| write!(f, "\\{byte:02X}"))?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}
