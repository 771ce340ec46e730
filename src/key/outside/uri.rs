//! URIs of keys outside the store.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most bytes of a URI.
const LONGEST: usize = 1024;

/// Most bytes of a scheme, which is part of the name of a program.
const LONGEST_SCHEME: usize = 32;

/// URI of a key: `pkcs11:…` (RFC 7512), or `NAME:…` for a helper `pki-key-NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyUri {
    text: String,
    /// Bytes of the scheme.
    scheme: usize,
}

/// Reasons why a text is no URI of a key. It may hold a PIN, so that no error repeats it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyUriError {
    #[error(
        "a key URI starts with a scheme of lower-case letters, digits and hyphens, such as pkcs11:"
    )]
    Scheme,
    #[error("a key URI has at most {LONGEST} bytes")]
    Long,
    #[error("a key URI has only printable ASCII characters without spaces")]
    Characters,
    #[error("a key URI has no PIN and no source of one (pin-value, pin-source)")]
    Pin,
}

impl KeyUri {
    /// Returns the scheme, such as `pkcs11`.
    pub(crate) fn scheme(&self) -> &str {
        &self.text[..self.scheme]
    }

    /// Returns the part of the URI that names what holds the key: the token, without the key in it (RFC 7512). Of other
    /// schemes it is the scheme.
    pub(super) fn holder(&self) -> String {
        if self.scheme() != "pkcs11" {
            return self.scheme().to_owned();
        }
        let mut attributes: Vec<&str> = self.text.split([':', ';', '?', '&']).collect();
        attributes.retain(|attribute| {
            let name = attribute.split('=').next().unwrap_or_default();
            !["object", "id", "type"].contains(&name)
        });
        attributes.sort_unstable();
        attributes.join(";")
    }
}

impl FromStr for KeyUri {
    type Err = KeyUriError;

    fn from_str(text: &str) -> Result<Self, KeyUriError> {
        if text.len() > LONGEST {
            return Err(KeyUriError::Long);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyUriError::Characters);
        }
        let scheme = text.find(':').ok_or(KeyUriError::Scheme)?;
        let belongs = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_scheme = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().take(scheme).all(belongs)
            && scheme <= LONGEST_SCHEME;
        if !is_scheme {
            return Err(KeyUriError::Scheme);
        }
        let mut attributes = text[scheme + 1..].split([';', '?', '&']);
        let is_pin = |attribute: &str| {
            let name = attribute.split('=').next().unwrap_or_default();
            ["pin-value", "pin-source"].contains(&name)
        };
        if attributes.any(is_pin) {
            return Err(KeyUriError::Pin);
        }
        Ok(Self {
            text: text.to_owned(),
            scheme,
        })
    }
}

impl TryFrom<String> for KeyUri {
    type Error = KeyUriError;

    fn try_from(text: String) -> Result<Self, KeyUriError> {
        text.parse()
    }
}

impl From<KeyUri> for String {
    fn from(uri: KeyUri) -> Self {
        uri.text
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_token_have_one_holder() {
        let holder = |text: &str| text.parse::<KeyUri>().unwrap().holder();
        let one = holder("pkcs11:token=a;object=b?module-path=/m");
        assert_eq!(one, holder("pkcs11:object=c;id=%01;token=a?module-path=/m"));
        assert_ne!(one, holder("pkcs11:token=b;object=b?module-path=/m"));
        assert_eq!(holder("test:a"), holder("test:b"));
    }

    #[test]
    fn a_uri_names_a_scheme_and_no_pin() {
        let scheme = |text: &str| {
            let uri = text.parse::<KeyUri>();
            uri.map(|uri| uri.scheme().to_owned())
        };
        assert_eq!(scheme("pkcs11:token=a;object=b").unwrap(), "pkcs11");
        assert_eq!(scheme("aws-kms:key/1").unwrap(), "aws-kms");
        for (text, error) in [
            ("", KeyUriError::Scheme),
            ("token", KeyUriError::Scheme),
            (":token", KeyUriError::Scheme),
            ("../x:y", KeyUriError::Scheme),
            ("Pkcs11:y", KeyUriError::Scheme),
            ("1a:y", KeyUriError::Scheme),
            ("pkcs11:token=a b", KeyUriError::Characters),
            ("pkcs11:\u{1b}", KeyUriError::Characters),
            ("pkcs11:token=a?pin-value=1234", KeyUriError::Pin),
            ("pkcs11:token=a?x=y&pin-source=file:/p", KeyUriError::Pin),
            ("pkcs11:pin-value=1;token=a", KeyUriError::Pin),
            (&format!("a:{}", "b".repeat(LONGEST)), KeyUriError::Long),
            (&format!("{}:b", "a".repeat(33)), KeyUriError::Scheme),
        ] {
            assert_eq!(scheme(text), Err(error), "{text}");
        }
    }
}
