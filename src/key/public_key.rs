//! Public keys, as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).

use super::rsa::rsa_numbers;
use super::weak::{self, WeakKey};
use super::{KeyError, SignatureAlgorithm};
use crate::asn1::{Malformed, Reader, oid, sequence, tag};
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};
use const_oid::ObjectIdentifier;
use der::{Any, Encode};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::{Arc, OnceLock};
use x509_cert::spki::AlgorithmIdentifier;

/// A public key: the bytes of its SubjectPublicKeyInfo, untouched, and what they say.
#[derive(Debug, Clone)]
pub(crate) struct PublicKey {
    spki: Vec<u8>,
    key_range: std::ops::Range<usize>,
    algorithm: PublicKeyAlgorithm,
    findings: Arc<Findings>,
}

/// Costly findings about a key, made once for it and its copies.
#[derive(Debug, Default)]
struct Findings {
    is_certifiable: OnceLock<()>,
    /// The key as a verifier of signatures, with the algorithm that it was first asked for.
    verifier: OnceLock<(SignatureAlgorithm, ParsedPublicKey)>,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// A named curve of RFC 5480 that can be certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicKeyAlgorithm {
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

impl PublicKeyAlgorithm {
    /// Returns whether few relying parties take it yet.
    pub(crate) fn is_rarely_supported(self) -> bool {
        matches!(self, Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87)
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo of any algorithm; what it says is not judged.
    pub(crate) fn from_spki(spki: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::sequence_of(spki, "a SubjectPublicKeyInfo")?;
        let mut identifier = reader.algorithm("the key's AlgorithmIdentifier")?.reader();
        let bytes = reader
            .expect(tag::BIT_STRING, "the key's BIT STRING")?
            .whole_bytes()?;
        reader.end()?;
        let kind = identifier.oid("the key's algorithm")?;
        let algorithm = algorithm(kind, &mut identifier, bytes)?;
        let end = spki.len();
        Ok(Self {
            spki: spki.to_vec(),
            key_range: end - bytes.len()..end,
            algorithm,
            findings: Arc::default(),
        })
    }

    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The contents of the subjectPublicKey BIT STRING.
    pub(crate) fn key_bytes(&self) -> &[u8] {
        &self.spki[self.key_range.clone()]
    }

    /// The bytes that identify the private key, of whoever else has it: an RSA key's modulus, whatever the
    /// exponent; the x coordinate of a point, since both points that have it are known to whoever knows one;
    /// an Ed25519 key without its last byte, for the same reason. All of any other key.
    pub(crate) fn secret_part(&self) -> &[u8] {
        let bytes = self.key_bytes();
        match self.algorithm {
            PublicKeyAlgorithm::Ec(_) | PublicKeyAlgorithm::OtherCurve(_) => match bytes {
                [4 | 6 | 7, point @ ..] => &point[..point.len() / 2],
                [2 | 3, x @ ..] => x,
                _ => bytes,
            },
            PublicKeyAlgorithm::Ed25519 => &bytes[..bytes.len().saturating_sub(1)],
            // The key of RSASSA-PSS has the same form, under another identifier.
            PublicKeyAlgorithm::Rsa { .. } | PublicKeyAlgorithm::Other(_) => {
                rsa_numbers(bytes).map_or(bytes, |(modulus, _)| modulus)
            }
            _ => bytes,
        }
    }

    pub(crate) fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// The key identifier: the leftmost 160 bits of the SHA-256 hash of the BIT STRING's contents
    /// (RFC 7093 section 2, method 1).
    pub(crate) fn key_identifier(&self) -> [u8; 20] {
        let hash: [u8; 32] = Sha256::digest(self.key_bytes()).into();
        *hash
            .first_chunk()
            .expect("SHA-256 has more than twenty bytes")
    }

    /// Checks whether the key may be certified: an algorithm that relying parties take, in the one encoding
    /// that they all read, and a key that is none of the known weak ones.
    ///
    /// The SubjectPublicKeyInfo goes into a certificate to the byte: what is odd about it, or hidden
    /// in it, would be signed.
    pub(crate) fn check_certifiable(&self) -> Result<(), KeyError> {
        if self.findings.is_certifiable.get().is_none() {
            self.judge()?;
            let _ = self.findings.is_certifiable.set(());
        }
        Ok(())
    }

    /// Notes that AWS-LC made it a moment ago: it needs no proof that it is a key.
    pub(super) fn was_made_here(&self) {
        let _ = self.findings.is_certifiable.set(());
    }

    /// Returns whether a signature over `message` was made with the key. `verifier` is the one of AWS-LC for the
    /// algorithm.
    pub(super) fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        verifier: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Findings { verifier: kept, .. } = &*self.findings;
        if kept.get().is_none()
            && let Ok(parsed) = ParsedPublicKey::new(verifier, self.key_bytes())
        {
            let _ = kept.set((algorithm, parsed));
        }
        match kept.get() {
            Some((first, parsed)) if *first == algorithm => {
                parsed.verify_sig(message, signature).is_ok()
            }
            _ => verifier
                .verify_sig(self.key_bytes(), message, signature)
                .is_ok(),
        }
    }

    fn judge(&self) -> Result<(), KeyError> {
        self.check_encoding()?;
        match self.algorithm {
            PublicKeyAlgorithm::Rsa { .. } => {
                let (modulus, exponent) = rsa_numbers(self.key_bytes())?;
                Ok(weak::judge_rsa(modulus, exponent)?)
            }
            PublicKeyAlgorithm::OtherCurve(_) | PublicKeyAlgorithm::Other(_) => {
                Err(KeyError::Unsupported {
                    algorithm: self.algorithm.to_string(),
                })
            }
            _ => {
                self.check_parses()?;
                Ok(self.check_order()?)
            }
        }
    }

    /// Checks whether signatures under the key bind: under an Ed25519 key of small order anybody can make
    /// them.
    pub(crate) fn check_order(&self) -> Result<(), WeakKey> {
        match self.algorithm {
            PublicKeyAlgorithm::Ed25519 => weak::judge_ed25519(self.key_bytes()),
            _ => Ok(()),
        }
    }

    /// Checks whether the key's encoding is the canonical one of its algorithm; true of algorithms that are
    /// not known here.
    fn check_encoding(&self) -> Result<(), Malformed> {
        let bytes = self.key_bytes();
        if let Some(identifier) = self.algorithm.identifier() {
            let canonical = sequence(|spki| {
                spki.raw(&identifier);
                spki.bit_string(bytes);
            });
            if self.spki != canonical {
                return Err(Malformed::Value(
                    "the key's AlgorithmIdentifier has wrong parameters for its algorithm",
                ));
            }
        }
        match self.algorithm {
            // RFC 5480 section 2.2: the uncompressed form is the one that everybody reads.
            PublicKeyAlgorithm::Ec(_) if bytes.first() != Some(&4) => Err(Malformed::Value(
                "the key's point is not in the uncompressed form",
            )),
            _ => Ok(()),
        }
    }

    /// Checks whether AWS-LC takes the key's bits: a point on its curve, a key of the right length.
    fn check_parses(&self) -> Result<(), KeyError> {
        use aws_lc_rs::signature as aws;
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
        ParsedPublicKey::new(verifier, self.key_bytes())
            .map(|_| ())
            .map_err(|reason| KeyError::Inconsistent {
                reason: reason.to_string(),
            })
    }
}

impl PublicKeyAlgorithm {
    /// The AlgorithmIdentifier of keys that can be certified: the named curve and nothing else for
    /// EC (RFC 5480 section 2.1.1), NULL parameters for RSA (RFC 3279 section 2.3.1), none for
    /// Ed25519 (RFC 8410 section 3) and ML-DSA (RFC 9881 section 2).
    fn identifier(self) -> Option<Vec<u8>> {
        let (oid, parameters) = match self {
            Self::Ec(curve) => (oid::EC_PUBLIC_KEY, Any::encode_from(&curve.oid()).ok()),
            Self::Rsa { .. } => (oid::RSA_ENCRYPTION, Some(Any::null())),
            Self::Ed25519 => (oid::ED25519, None),
            Self::MlDsa44 => (oid::ML_DSA_44, None),
            Self::MlDsa65 => (oid::ML_DSA_65, None),
            Self::MlDsa87 => (oid::ML_DSA_87, None),
            Self::OtherCurve(_) | Self::Other(_) => return None,
        };
        let identifier = AlgorithmIdentifier { oid, parameters };
        Some(identifier.to_der().expect("it is short"))
    }
}

impl Curve {
    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => oid::P256,
            Self::P384 => oid::P384,
            Self::P521 => oid::P521,
        }
    }
}

fn algorithm(
    kind: ObjectIdentifier,
    parameters: &mut Reader<'_>,
    bytes: &[u8],
) -> Result<PublicKeyAlgorithm, Malformed> {
    Ok(match kind {
        oid::EC_PUBLIC_KEY => {
            if parameters.peek() == Some(tag::SEQUENCE) {
                return Err(Malformed::Value(
                    "its key has explicit curve parameters, which are not supported",
                ));
            }
            let curve = parameters.oid("a named curve")?;
            match curve {
                oid::P256 => PublicKeyAlgorithm::Ec(Curve::P256),
                oid::P384 => PublicKeyAlgorithm::Ec(Curve::P384),
                oid::P521 => PublicKeyAlgorithm::Ec(Curve::P521),
                other => PublicKeyAlgorithm::OtherCurve(other),
            }
        }
        oid::RSA_ENCRYPTION => {
            let (modulus, _) = rsa_numbers(bytes)?;
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
            Self::OtherCurve(id) | Self::Other(id) => f.write_str(&oid::called(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;
    use crate::key::{KeyType, PrivateKey};

    fn spki(identifier: &[u8], bytes: &[u8]) -> Result<PublicKey, Malformed> {
        PublicKey::from_spki(&sequence(|spki| {
            spki.sequence(|algorithm| algorithm.raw(identifier));
            spki.bit_string(bytes);
        }))
    }

    /// The contents of an AlgorithmIdentifier: an algorithm, and whatever is behind it.
    fn identifier(algorithm: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
        encode(|contents| {
            contents.oid(&algorithm);
            contents.raw(parameters);
        })
    }

    fn refused(key: &Result<PublicKey, Malformed>) -> bool {
        match key {
            Ok(key) => matches!(key.check_certifiable(), Err(KeyError::Malformed(_))),
            Err(_) => true,
        }
    }

    #[test]
    fn keys_made_here_are_certified() {
        for kind in ["p256", "p384", "p521", "ed25519", "rsa2048", "ml-dsa-44"] {
            let key = PrivateKey::generate(kind.parse::<KeyType>().unwrap()).unwrap();
            key.public().check_certifiable().unwrap();
        }
    }

    #[test]
    fn ed25519_keys_of_small_order_are_not_certified() {
        let infinity = [&[1][..], &[0; 31]].concat();
        let key = spki(&identifier(oid::ED25519, &[]), &infinity).unwrap();
        assert!(matches!(key.check_certifiable(), Err(KeyError::Weak(_))));
        assert_eq!(key.check_order(), Err(WeakKey::SmallOrder));
    }

    #[test]
    fn unexpected_algorithm_parameters_are_refused() {
        const NULL: &[u8] = &[tag::NULL, 0];
        let ed25519 = PrivateKey::generate("ed25519".parse().unwrap()).unwrap();
        let bytes = ed25519.public().key_bytes();
        assert!(!refused(&spki(&identifier(oid::ED25519, &[]), bytes)));
        assert!(refused(&spki(&identifier(oid::ED25519, NULL), bytes)));

        let p256 = PrivateKey::generate("p256".parse().unwrap()).unwrap();
        let bytes = p256.public().key_bytes();
        let curve = encode(|parameters| parameters.oid(&oid::P256));
        let more = [&curve[..], b"\x04\x04evil"].concat();
        assert!(!refused(&spki(
            &identifier(oid::EC_PUBLIC_KEY, &curve),
            bytes
        )));
        assert!(refused(&spki(
            &identifier(oid::EC_PUBLIC_KEY, &more),
            bytes
        )));

        let rsa = PrivateKey::generate("rsa2048".parse().unwrap()).unwrap();
        let bytes = rsa.public().key_bytes();
        assert!(refused(&spki(&identifier(oid::RSA_ENCRYPTION, &[]), bytes)));
        let twice = [NULL, NULL].concat();
        assert!(refused(&spki(
            &identifier(oid::RSA_ENCRYPTION, &twice),
            bytes
        )));
    }

    #[test]
    fn keys_that_one_secret_gives_away_have_one_secret_part() {
        let rsa = PrivateKey::generate("rsa2048".parse().unwrap()).unwrap();
        let (modulus, _) = rsa_numbers(rsa.public().key_bytes()).unwrap();
        let other = sequence(|key| {
            key.unsigned(modulus);
            key.unsigned(&[1, 0, 3]);
        });
        let other = spki(&identifier(oid::RSA_ENCRYPTION, &[tag::NULL, 0]), &other).unwrap();
        assert_ne!(other, *rsa.public());
        assert_eq!(other.secret_part(), rsa.public().secret_part());

        let p256 = PrivateKey::generate("p256".parse().unwrap()).unwrap();
        let point = p256.public().key_bytes();
        let curve = encode(|parameters| parameters.oid(&oid::P256));
        for first in [2, 3] {
            let compressed = [&[first], &point[1..33]].concat();
            let key = spki(&identifier(oid::EC_PUBLIC_KEY, &curve), &compressed).unwrap();
            assert_eq!(key.secret_part(), p256.public().secret_part());
        }

        let ed25519 = PrivateKey::generate("ed25519".parse().unwrap()).unwrap();
        let mut negated = ed25519.public().key_bytes().to_vec();
        negated[31] ^= 0x80;
        let negated = spki(&identifier(oid::ED25519, &[]), &negated).unwrap();
        assert_eq!(negated.secret_part(), ed25519.public().secret_part());

        let others = ["rsa2048", "p256", "ed25519", "ml-dsa-44"].map(|kind| {
            let key = PrivateKey::generate(kind.parse::<KeyType>().unwrap()).unwrap();
            key.public().secret_part().to_vec()
        });
        for key in [&rsa, &p256, &ed25519] {
            assert!(
                others
                    .iter()
                    .all(|other| other != key.public().secret_part())
            );
        }
    }

    #[test]
    fn compressed_points_are_not_certified() {
        let p256 = PrivateKey::generate("p256".parse().unwrap()).unwrap();
        let point = p256.public().key_bytes();
        let curve = encode(|parameters| parameters.oid(&oid::P256));
        let parity = point[64] & 1;
        for first in [2 + parity, 6 + parity] {
            let end = if first < 4 { 33 } else { 65 };
            let other = [&[first], &point[1..end]].concat();
            assert!(refused(&spki(
                &identifier(oid::EC_PUBLIC_KEY, &curve),
                &other
            )));
        }
    }

    #[test]
    fn rsa_integers_with_needless_zeros_are_refused() {
        let rsa = PrivateKey::generate("rsa2048".parse().unwrap()).unwrap();
        let (modulus, exponent) = rsa_numbers(rsa.public().key_bytes()).unwrap();
        let of = |modulus: &[u8], exponent: &[u8]| {
            let bytes = sequence(|key| {
                key.primitive(tag::INTEGER, modulus);
                key.primitive(tag::INTEGER, exponent);
            });
            spki(&identifier(oid::RSA_ENCRYPTION, &[tag::NULL, 0]), &bytes)
        };
        let modulus = [&[0], modulus].concat();
        let algorithm = of(&modulus, exponent).unwrap().algorithm();
        assert_eq!(algorithm, PublicKeyAlgorithm::Rsa { bits: 2048 });
        assert!(of(&[&[0], &modulus[..]].concat(), exponent).is_err());
        assert!(of(&modulus, &[&[0], exponent].concat()).is_err());
    }
}
