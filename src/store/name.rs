//! Names of CAs: the only text from a user that becomes part of a path in the store.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Name of a CA: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, and none of the store's own names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct CaName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid CA name: {problem}")]
pub(crate) struct CaNameError {
    text: String,
    problem: &'static str,
}

/// Files and directories that stand beside the CAs.
const TAKEN: [&str; 4] = ["crl", "lock", "profiles.toml", "store.json"];

/// Names that Windows keeps for devices, whatever extension follows.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

impl CaName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a file of this name would be a device on Windows, where stores get copied to.
pub(crate) fn is_device_name(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or(text).to_ascii_lowercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest: &str| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

impl FromStr for CaName {
    type Err = CaNameError;

    fn from_str(text: &str) -> Result<Self, CaNameError> {
        let error = |problem| {
            Err(CaNameError {
                text: text.to_owned(),
                problem,
            })
        };
        if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return error("it must start with a letter or digit");
        }
        if text.len() > 64 {
            return error("it has more than 64 characters");
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        {
            return error("it has characters other than letters, digits, '.', '_' and '-'");
        }
        if TAKEN.iter().any(|taken| text.eq_ignore_ascii_case(taken)) || is_device_name(text) {
            return error("the name is taken by the store or the operating system");
        }
        // NAME.chain.crl.pem is the file with the CRLs of NAME and of all above it.
        if text.to_ascii_lowercase().ends_with(".chain") {
            return error("names that end in .chain are those of files of another CA");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for CaName {
    type Error = CaNameError;

    fn try_from(text: String) -> Result<Self, CaNameError> {
        text.parse()
    }
}

impl From<CaName> for String {
    fn from(name: CaName) -> Self {
        name.0
    }
}

impl fmt::Display for CaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_store() {
        for text in [
            "rootCA",
            "intermediate0",
            "a",
            "A.b_c-d",
            "0",
            &"a".repeat(64),
        ] {
            assert!(text.parse::<CaName>().is_ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            "../../etc/x",
            "-rf",
            ".hidden",
            "a/b",
            "a b",
            "ä",
            "crl",
            "CRL",
            "lock",
            "store.json",
            "con",
            "NUL.x",
            "com1",
            "a\0b",
            "a.chain",
            "a.Chain",
            &"a".repeat(65),
        ] {
            assert!(text.parse::<CaName>().is_err(), "{text:?}");
        }
    }
}
