//! The kinds of key that `pki` makes.

use std::fmt;
use std::str::FromStr;

/// A kind of key that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum KeyType {
    /// ECDSA on P-256, signing with SHA-256.
    #[default]
    P256,
    /// ECDSA on P-384, signing with SHA-384.
    P384,
    /// ECDSA on P-521, signing with SHA-512.
    P521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA of 2048 bits, signing with PKCS #1 v1.5 and SHA-256.
    Rsa2048,
    Rsa3072,
    Rsa4096,
    /// ML-DSA-44 (FIPS 204, RFC 9881).
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// A key type that `pki` does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key type; use p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65 or ml-dsa-87"
)]
pub(crate) struct UnknownKeyType(pub(crate) String);

impl KeyType {
    pub(crate) const ALL: [Self; 10] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    /// Takes the names of [`KeyType::as_str`] and openssl's way of writing them (`rsa:4096`,
    /// `ec:P-256`, `secp384r1`), in any case.
    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        let plain: String = text
            .to_ascii_lowercase()
            .chars()
            .filter(|character| !matches!(character, '-' | ':' | '_'))
            .collect();
        let plain = plain
            .strip_prefix("ec")
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&plain);
        Ok(match plain {
            "p256" | "prime256v1" | "secp256r1" => Self::P256,
            "p384" | "secp384r1" => Self::P384,
            "p521" | "secp521r1" => Self::P521,
            "ed25519" => Self::Ed25519,
            "rsa2048" => Self::Rsa2048,
            "rsa3072" => Self::Rsa3072,
            "rsa4096" => Self::Rsa4096,
            "mldsa44" => Self::MlDsa44,
            "mldsa65" => Self::MlDsa65,
            "mldsa87" => Self::MlDsa87,
            _ => return Err(UnknownKeyType(text.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in KeyType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }

    #[test]
    fn openssl_ways_of_writing_are_taken() {
        assert_eq!("rsa:4096".parse(), Ok(KeyType::Rsa4096));
        assert_eq!("ec:P-256".parse(), Ok(KeyType::P256));
        assert_eq!("ML-DSA-65".parse(), Ok(KeyType::MlDsa65));
        assert!("rsa1024".parse::<KeyType>().is_err());
        assert!("ec".parse::<KeyType>().is_err());
    }
}
