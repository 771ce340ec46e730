//! Public keys, as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).

use super::{KeyError, weak};
use crate::asn1::{Malformed, Reader, oid, tag};
use aws_lc_rs::digest::{SHA256, digest};
use const_oid::ObjectIdentifier;
use std::fmt;

/// A public key: the bytes of its SubjectPublicKeyInfo, untouched, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    octets: std::ops::Range<usize>,
    algorithm: PublicKeyAlgorithm,
}

/// A named curve of RFC 5480 that can be certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Curve {
    P256,
    P384,
    P521,
}

/// What kind of key a SubjectPublicKeyInfo holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PublicKeyAlgorithm {
    Ec(Curve),
    /// A curve that nothing here signs or verifies with.
    OtherCurve(ObjectIdentifier),
    Ed25519,
    Rsa {
        bits: usize,
    },
    MlDsa44,
    MlDsa65,
    MlDsa87,
    Other(ObjectIdentifier),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo of any algorithm.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::sequence_of(spki, "a SubjectPublicKeyInfo")?;
        let mut identifier = reader.sequence("the key's AlgorithmIdentifier")?;
        let octets = reader
            .expect(tag::BIT_STRING, "the key's BIT STRING")?
            .whole_octets()?;
        reader.end()?;
        let kind = identifier
            .expect(tag::OBJECT_IDENTIFIER, "the key's algorithm")?
            .oid()?;
        let algorithm = algorithm(kind, &mut identifier, octets)?;
        let end = spki.len();
        Ok(Self {
            spki: spki.to_vec(),
            octets: end - octets.len()..end,
            algorithm,
        })
    }

    /// The SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The contents of the subjectPublicKey BIT STRING.
    pub fn key_octets(&self) -> &[u8] {
        &self.spki[self.octets.clone()]
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// The key identifier: the leftmost 160 bits of the SHA-256 hash of the BIT STRING's contents
    /// (RFC 7093 section 2, method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        let hash = digest(&SHA256, self.key_octets());
        *hash
            .as_ref()
            .first_chunk()
            .expect("SHA-256 has more than twenty octets")
    }

    /// Whether the key may be certified: an algorithm that relying parties take, and a key that is
    /// none of the known weak ones.
    pub fn check_certifiable(&self) -> Result<(), KeyError> {
        match self.algorithm {
            PublicKeyAlgorithm::Rsa { .. } => {
                let (modulus, exponent) = rsa_numbers(self.key_octets())?;
                Ok(weak::judge_rsa(modulus, exponent)?)
            }
            PublicKeyAlgorithm::OtherCurve(_) | PublicKeyAlgorithm::Other(_) => {
                Err(KeyError::Unsupported {
                    algorithm: self.algorithm.to_string(),
                })
            }
            _ => self.check_parses(),
        }
    }

    /// Whether AWS-LC takes the key's bits: a point on its curve, a key of the right length.
    fn check_parses(&self) -> Result<(), KeyError> {
        use aws_lc_rs::signature::{self as aws, ParsedPublicKey, VerificationAlgorithm};
        let verifier: &'static dyn VerificationAlgorithm = match self.algorithm {
            PublicKeyAlgorithm::Ec(Curve::P256) => &aws::ECDSA_P256_SHA256_ASN1,
            PublicKeyAlgorithm::Ec(Curve::P384) => &aws::ECDSA_P384_SHA384_ASN1,
            PublicKeyAlgorithm::Ec(Curve::P521) => &aws::ECDSA_P521_SHA512_ASN1,
            PublicKeyAlgorithm::Ed25519 => &aws::ED25519,
            PublicKeyAlgorithm::MlDsa44 => &aws::ML_DSA_44,
            PublicKeyAlgorithm::MlDsa65 => &aws::ML_DSA_65,
            PublicKeyAlgorithm::MlDsa87 => &aws::ML_DSA_87,
            _ => return Ok(()),
        };
        ParsedPublicKey::new(verifier, self.key_octets())
            .map(|_| ())
            .map_err(|reason| KeyError::Inconsistent {
                reason: reason.to_string(),
            })
    }
}

fn algorithm(
    kind: ObjectIdentifier,
    parameters: &mut Reader<'_>,
    octets: &[u8],
) -> Result<PublicKeyAlgorithm, Malformed> {
    Ok(match kind {
        oid::EC_PUBLIC_KEY => {
            let curve = parameters
                .expect(tag::OBJECT_IDENTIFIER, "a named curve")?
                .oid()?;
            match curve {
                oid::P256 => PublicKeyAlgorithm::Ec(Curve::P256),
                oid::P384 => PublicKeyAlgorithm::Ec(Curve::P384),
                oid::P521 => PublicKeyAlgorithm::Ec(Curve::P521),
                other => PublicKeyAlgorithm::OtherCurve(other),
            }
        }
        oid::RSA_ENCRYPTION => {
            let (modulus, _) = rsa_numbers(octets)?;
            let leading = modulus
                .first()
                .map_or(0, |byte| byte.leading_zeros() as usize);
            PublicKeyAlgorithm::Rsa {
                bits: modulus.len() * 8 - leading,
            }
        }
        oid::ED25519 => PublicKeyAlgorithm::Ed25519,
        oid::ML_DSA_44 => PublicKeyAlgorithm::MlDsa44,
        oid::ML_DSA_65 => PublicKeyAlgorithm::MlDsa65,
        oid::ML_DSA_87 => PublicKeyAlgorithm::MlDsa87,
        other => PublicKeyAlgorithm::Other(other),
    })
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa_numbers(octets: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut reader = Reader::sequence_of(octets, "an RSAPublicKey")?;
    let modulus = reader.expect(tag::INTEGER, "an RSA modulus")?.unsigned()?;
    let exponent = reader.expect(tag::INTEGER, "an RSA exponent")?.unsigned()?;
    reader.end()?;
    Ok((modulus, exponent))
}

impl fmt::Display for PublicKeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ec(Curve::P256) => f.write_str("p256"),
            Self::Ec(Curve::P384) => f.write_str("p384"),
            Self::Ec(Curve::P521) => f.write_str("p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa { bits } => write!(f, "rsa{bits}"),
            Self::MlDsa44 => f.write_str("ml-dsa-44"),
            Self::MlDsa65 => f.write_str("ml-dsa-65"),
            Self::MlDsa87 => f.write_str("ml-dsa-87"),
            Self::OtherCurve(id) | Self::Other(id) => match oid::name(id) {
                Some(name) => f.write_str(name),
                None => write!(f, "{id}"),
            },
        }
    }
}
