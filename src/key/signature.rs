//! Signature algorithms: how they are named in certificates, and how signatures are verified.

use super::pss::{Pss, PssHash};
use super::{Curve, KeyError, PublicKey, PublicKeyAlgorithm};
use crate::asn1::{Encoder, Malformed, Reader, oid};
use aws_lc_rs::signature::{self as aws, VerificationAlgorithm};
use const_oid::ObjectIdentifier;
use der::{Any, Encode};
use std::fmt;
use x509_cert::spki::AlgorithmIdentifier;

/// A signature algorithm that `pki` can verify; it signs with the ones that
/// [`super::PrivateKey::signature_algorithm`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    EcdsaSha1,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    RsaSha1,
    RsaSha256,
    RsaSha384,
    RsaSha512,
    Pss(Pss),
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// The algorithms that their object identifier alone names.
const PLAIN: [SignatureAlgorithm; 12] = [
    SignatureAlgorithm::EcdsaSha1,
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::EcdsaSha384,
    SignatureAlgorithm::EcdsaSha512,
    SignatureAlgorithm::RsaSha1,
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::RsaSha384,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::Ed25519,
    SignatureAlgorithm::MlDsa44,
    SignatureAlgorithm::MlDsa65,
    SignatureAlgorithm::MlDsa87,
];

impl SignatureAlgorithm {
    /// The algorithm with which the private half of this key signs: the hash fits the key's strength.
    pub(crate) fn of_key(public: &PublicKey) -> Result<Self, KeyError> {
        Ok(match public.algorithm() {
            PublicKeyAlgorithm::Ec(Curve::P256) => Self::EcdsaSha256,
            PublicKeyAlgorithm::Ec(Curve::P384) => Self::EcdsaSha384,
            PublicKeyAlgorithm::Ec(Curve::P521) => Self::EcdsaSha512,
            PublicKeyAlgorithm::Rsa { .. } => Self::RsaSha256,
            PublicKeyAlgorithm::Ed25519 => Self::Ed25519,
            PublicKeyAlgorithm::MlDsa44 => Self::MlDsa44,
            PublicKeyAlgorithm::MlDsa65 => Self::MlDsa65,
            PublicKeyAlgorithm::MlDsa87 => Self::MlDsa87,
            other => {
                return Err(KeyError::Unsupported {
                    algorithm: other.to_string(),
                });
            }
        })
    }

    /// The AlgorithmIdentifier: NULL parameters for PKCS #1 v1.5 (RFC 4055 section 5), none for
    /// ECDSA, Ed25519 and ML-DSA (RFC 5758, 8410, 9881). Nothing is signed with RSASSA-PSS here.
    pub(crate) fn to_der(self) -> Vec<u8> {
        let has_null = matches!(
            self,
            Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512
        );
        let identifier = AlgorithmIdentifier {
            oid: self.oid(),
            parameters: has_null.then(Any::null),
        };
        identifier.to_der().expect("it is short")
    }

    pub(crate) fn encode(self, encoder: &mut Encoder) {
        encoder.raw(&self.to_der());
    }

    /// Reads an AlgorithmIdentifier; `None` for an algorithm that can't be verified here.
    pub(crate) fn from_der(der: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut reader = Reader::sequence_of(der, "an AlgorithmIdentifier")?;
        let identifier = reader.oid("an algorithm's identifier")?;
        if identifier == oid::RSASSA_PSS {
            return Ok(Pss::from_parameters(reader)?.map(Self::Pss));
        }
        Ok(PLAIN.into_iter().find(|known| known.oid() == identifier))
    }

    pub(crate) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::EcdsaSha1 => oid::ECDSA_WITH_SHA1,
            Self::EcdsaSha256 => oid::ECDSA_WITH_SHA256,
            Self::EcdsaSha384 => oid::ECDSA_WITH_SHA384,
            Self::EcdsaSha512 => oid::ECDSA_WITH_SHA512,
            Self::RsaSha1 => oid::SHA1_WITH_RSA,
            Self::RsaSha256 => oid::SHA256_WITH_RSA,
            Self::RsaSha384 => oid::SHA384_WITH_RSA,
            Self::RsaSha512 => oid::SHA512_WITH_RSA,
            Self::Pss(_) => oid::RSASSA_PSS,
            Self::Ed25519 => oid::ED25519,
            Self::MlDsa44 => oid::ML_DSA_44,
            Self::MlDsa65 => oid::ML_DSA_65,
            Self::MlDsa87 => oid::ML_DSA_87,
        }
    }

    /// Returns whether the signature rests on SHA-1, which no longer binds anything.
    pub(crate) fn uses_sha1(self) -> bool {
        matches!(self, Self::EcdsaSha1 | Self::RsaSha1)
    }

    /// Checks whether `signature` over `message` was made with the key in `spki`, a
    /// SubjectPublicKeyInfo.
    pub(crate) fn verify(
        self,
        spki: &super::PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyError> {
        let failed = || KeyError::Signature("it was not made with the key");
        let Some(algorithm) = self.verifier(spki) else {
            return Err(failed());
        };
        let verifies = match self {
            Self::Pss(pss) if !pss.is_usual() => pss.verifies(spki.key_bytes(), message, signature),
            _ => spki.verifies(self, algorithm, message, signature),
        };
        if verifies { Ok(()) } else { Err(failed()) }
    }

    fn verifier(self, key: &super::PublicKey) -> Option<&'static dyn VerificationAlgorithm> {
        use super::{Curve, PublicKeyAlgorithm as Key};
        Some(match (self, key.algorithm()) {
            (Self::EcdsaSha1, Key::Ec(Curve::P256)) => &aws::ECDSA_P256_SHA1_ASN1,
            (Self::EcdsaSha256, Key::Ec(Curve::P256)) => &aws::ECDSA_P256_SHA256_ASN1,
            (Self::EcdsaSha384, Key::Ec(Curve::P256)) => &aws::ECDSA_P256_SHA384_ASN1,
            (Self::EcdsaSha512, Key::Ec(Curve::P256)) => &aws::ECDSA_P256_SHA512_ASN1,
            (Self::EcdsaSha256, Key::Ec(Curve::P384)) => &aws::ECDSA_P384_SHA256_ASN1,
            (Self::EcdsaSha384, Key::Ec(Curve::P384)) => &aws::ECDSA_P384_SHA384_ASN1,
            (Self::EcdsaSha512, Key::Ec(Curve::P384)) => &aws::ECDSA_P384_SHA512_ASN1,
            (Self::EcdsaSha1, Key::Ec(Curve::P521)) => &aws::ECDSA_P521_SHA1_ASN1,
            (Self::EcdsaSha256, Key::Ec(Curve::P521)) => &aws::ECDSA_P521_SHA256_ASN1,
            (Self::EcdsaSha384, Key::Ec(Curve::P521)) => &aws::ECDSA_P521_SHA384_ASN1,
            (Self::EcdsaSha512, Key::Ec(Curve::P521)) => &aws::ECDSA_P521_SHA512_ASN1,
            (Self::RsaSha1, Key::Rsa { .. }) => &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Self::RsaSha256, Key::Rsa { .. }) => {
                &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (Self::RsaSha384, Key::Rsa { .. }) => &aws::RSA_PKCS1_2048_8192_SHA384,
            (Self::RsaSha512, Key::Rsa { .. }) => {
                &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            (Self::Pss(pss), Key::Rsa { .. }) => match pss.hash {
                PssHash::Sha256 => &aws::RSA_PSS_2048_8192_SHA256,
                PssHash::Sha384 => &aws::RSA_PSS_2048_8192_SHA384,
                PssHash::Sha512 => &aws::RSA_PSS_2048_8192_SHA512,
            },
            (Self::Ed25519, Key::Ed25519) => &aws::ED25519,
            (Self::MlDsa44, Key::MlDsa44) => &aws::ML_DSA_44,
            (Self::MlDsa65, Key::MlDsa65) => &aws::ML_DSA_65,
            (Self::MlDsa87, Key::MlDsa87) => &aws::ML_DSA_87,
            _ => return None,
        })
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pss(pss) => write!(f, "id-RSASSA-PSS with {}", pss.hash),
            other => f.write_str(oid::name(&other.oid()).expect("every algorithm here has a name")),
        }
    }
}
