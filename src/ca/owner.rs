//! Owners of keys and of subjects, as errors name them.

use crate::store::CaName;
use crate::x509::Serial;
use std::fmt;

/// Owner of a compromised key; the remedy depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyOf {
    /// A leaf whose key was made here.
    Leaf,
    /// A leaf whose key was made elsewhere, and proven by a CSR.
    Request,
    /// A CA of the store.
    Ca(CaName),
}

impl fmt::Display for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf | Self::Request => f.write_str("the key"),
            Self::Ca(name) => write!(f, "the key of {name}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SubjectOwner {
    /// A CA of the store, pending ones included.
    Ca(CaName),
    /// A CA whose certificate a CA of the store issued, and whose key is not in the store.
    Issued {
        /// The CA that issued it.
        by: CaName,
        serial: Serial,
    },
}

impl fmt::Display for SubjectOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ca(name) => write!(f, "the CA {name}"),
            Self::Issued { by, serial } => write!(f, "the CA certificate {serial} of {by}"),
        }
    }
}
