//! URIs of keys and tokens (RFC 7512).
//!
//! An unknown attribute of the path is an error, since RFC 7512 section 2.4 lets it match nothing. An unknown
//! attribute of the query is ignored. A PIN in the URI is refused.

use crate::message::Code;
use crate::problem::{Failure, Result};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

const SCHEME: &str = "pkcs11:";

/// Most bytes of a URI.
const MOST: usize = 4096;

/// Parsed `pkcs11:` URI. `None` matches everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Uri {
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) manufacturer: Option<Vec<u8>>,
    pub(crate) model: Option<Vec<u8>>,
    pub(crate) serial: Option<Vec<u8>>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) slot_description: Option<Vec<u8>>,
    pub(crate) slot_manufacturer: Option<Vec<u8>>,
    pub(crate) library_description: Option<Vec<u8>>,
    pub(crate) library_manufacturer: Option<Vec<u8>>,
    pub(crate) library_version: Option<Vec<u8>>,
    pub(crate) object: Option<Vec<u8>>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) module_path: Option<PathBuf>,
    pub(crate) module_name: Option<String>,
}

impl Uri {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.len() > MOST {
            return Err(invalid(format!("it is longer than {MOST} bytes")));
        }
        let rest = match text.split_at_checked(SCHEME.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
            _ => return Err(invalid("it does not begin with pkcs11:")),
        };
        let (path, query) = match rest.split_once('?') {
            None => (rest, ""),
            Some((path, query)) => (path, query),
        };
        let mut uri = Self::default();
        for (name, value) in attributes(path, ';')? {
            uri.set_in_path(name, decoded(name, value, "&")?)?;
        }
        for (name, value) in attributes(query, '&')? {
            uri.set_in_query(name, value)?;
        }
        Ok(uri)
    }

    fn set_in_path(&mut self, name: &str, value: Vec<u8>) -> Result<()> {
        let field = match name {
            "token" => &mut self.token,
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "serial" => &mut self.serial,
            "slot-description" => &mut self.slot_description,
            "slot-manufacturer" => &mut self.slot_manufacturer,
            "library-description" => &mut self.library_description,
            "library-manufacturer" => &mut self.library_manufacturer,
            "library-version" => &mut self.library_version,
            "object" | "id" if value.is_empty() => {
                return Err(invalid(format!("{name} is empty")));
            }
            "object" => &mut self.object,
            "id" => &mut self.id,
            "slot-id" => {
                self.slot_id = Some(number(&value)?);
                return Ok(());
            }
            "type" if matches!(&value[..], b"private" | b"public") => return Ok(()),
            "type" => return Err(invalid("its type is not private or public")),
            "pin-source" | "pin-value" => return Err(has_pin()),
            _ => return Err(invalid(format!("its attribute {name} is unknown"))),
        };
        *field = Some(value);
        Ok(())
    }

    fn set_in_query(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "module-path" => {
                let path = PathBuf::from(std::ffi::OsString::from_vec(query_value(name, value)?));
                if !path.is_absolute() {
                    return Err(invalid("its module-path is not absolute"));
                }
                self.module_path = Some(path);
            }
            "module-name" => {
                let name = String::from_utf8(query_value(name, value)?).ok();
                let name = name.filter(|name| !name.is_empty() && !name.contains('/'));
                self.module_name =
                    Some(name.ok_or_else(|| invalid("its module-name is not a name"))?);
            }
            "pin-source" | "pin-value" => return Err(has_pin()),
            _ => {}
        }
        Ok(())
    }

    /// Returns whether it names a key, not only a token.
    pub(crate) fn names_key(&self) -> bool {
        self.object.is_some() || self.id.is_some()
    }
}

/// Names and values, in order. Vendors may repeat an attribute of the query; a standard one stands once.
fn attributes(part: &str, separator: char) -> Result<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    if part.is_empty() {
        return Ok(found);
    }
    for attribute in part.split(separator) {
        let Some((name, value)) = attribute.split_once('=') else {
            return Err(invalid("an attribute has no value"));
        };
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.as_bytes().iter().all(is_name) {
            return Err(invalid("the name of an attribute is malformed"));
        }
        let may_repeat = separator == '&' && !name.starts_with("module-");
        if !names.insert(name) && !may_repeat {
            return Err(invalid(format!("its attribute {name} is there twice")));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn query_value(name: &str, value: &str) -> Result<Vec<u8>> {
    decoded(name, value, "/?|")
}

/// Percent-decoded value; `also` may stand in it beside what may stand everywhere.
fn decoded(name: &str, value: &str, also: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(character) = rest.next() {
        if character == '%' {
            let digits = [rest.next(), rest.next()].map(|digit| digit?.to_digit(16));
            let [Some(high), Some(low)] = digits else {
                return Err(invalid(format!("{name} has a % without two hex digits")));
            };
            bytes.push(u8::try_from(high << 4 | low).expect("two hex digits are a byte"));
        } else if is_unreserved(character)
            || ":[]@!$'()*+,=".contains(character)
            || also.contains(character)
        {
            bytes.push(u8::try_from(character).expect("all of these are ASCII"));
        } else {
            let encoded = percent_encoded(character.encode_utf8(&mut [0; 4]).as_bytes(), |_| false);
            return Err(invalid(format!(
                "{name} has a character to write as {encoded}"
            )));
        }
    }
    Ok(bytes)
}

fn is_unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~".contains(character)
}

fn number(value: &[u8]) -> Result<u64> {
    let digits = std::str::from_utf8(value).ok();
    let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| invalid("its slot-id is not a number"))
}

fn invalid(why: impl fmt::Display) -> Failure {
    Failure::new(Code::InvalidUri, format!("the key URI is invalid: {why}"))
}

fn has_pin() -> Failure {
    Failure::new(
        Code::InvalidUri,
        "the key URI has a PIN or its source: the PIN comes over the pipe, not in the URI",
    )
}

impl fmt::Display for Uri {
    /// Encodes everything that shells read, but `;`, `?` and `&`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot_id = self.slot_id.map(|id| id.to_string().into_bytes());
        let path = [
            ("token", &self.token),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("serial", &self.serial),
            ("slot-id", &slot_id),
            ("slot-description", &self.slot_description),
            ("slot-manufacturer", &self.slot_manufacturer),
            ("library-description", &self.library_description),
            ("library-manufacturer", &self.library_manufacturer),
            ("library-version", &self.library_version),
            ("object", &self.object),
            ("id", &self.id),
        ];
        let path = path.into_iter().filter_map(|(name, value)| {
            let keep = |byte| name != "id" && is_unreserved(char::from(byte));
            let value = percent_encoded(value.as_ref()?, keep);
            Some(format!("{name}={value}"))
        });
        write!(f, "{SCHEME}{}", path.collect::<Vec<_>>().join(";"))?;
        let module_path = self.module_path.as_ref().map(|path| path.as_os_str());
        let module_name = self.module_name.as_ref().map(OsStr::new);
        let query = [("module-path", module_path), ("module-name", module_name)];
        let query = query.into_iter().filter_map(|(name, value)| {
            let keep = |byte| byte == b'/' || is_unreserved(char::from(byte));
            Some(format!(
                "{name}={}",
                percent_encoded(value?.as_bytes(), keep)
            ))
        });
        let query = query.collect::<Vec<_>>().join("&");
        if query.is_empty() {
            return Ok(());
        }
        write!(f, "?{query}")
    }
}

fn percent_encoded(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        if keep(byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String takes everything");
        }
    }
    text
}

#[cfg(test)]
mod tests;
