//! Private keys: in memory, or outside the store.

use super::outside::KeyPlace;
use super::{KeyError, KeyType, PublicKey, SignatureAlgorithm};
use crate::asn1::{Encoder, Reader, oid, tag};
use aws_lc_rs::encoding::{AsDer, AsRawBytes, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    RsaKeyPair,
};
use zeroize::Zeroizing;

pub(crate) struct PrivateKey {
    pair: Pair,
    public: PublicKey,
    signature_algorithm: SignatureAlgorithm,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    MlDsa(PqdsaKeyPair),
    /// A helper signs.
    Outside(KeyPlace),
}

impl PrivateKey {
    /// A new key from the system's random source.
    pub(crate) fn generate(kind: KeyType) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Library {
            operation: "generate a key",
        };
        let ecdsa = |algorithm| EcdsaKeyPair::generate(algorithm).map(Pair::Ecdsa);
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let ml_dsa = |algorithm| PqdsaKeyPair::generate(algorithm).map(Pair::MlDsa);
        let pair = match kind {
            KeyType::P256 => ecdsa(&aws::ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyType::P384 => ecdsa(&aws::ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyType::P521 => ecdsa(&aws::ECDSA_P521_SHA512_ASN1_SIGNING),
            KeyType::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            KeyType::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyType::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyType::Rsa4096 => rsa(KeySize::Rsa4096),
            KeyType::MlDsa44 => ml_dsa(&aws::ML_DSA_44_SIGNING),
            KeyType::MlDsa65 => ml_dsa(&aws::ML_DSA_65_SIGNING),
            KeyType::MlDsa87 => ml_dsa(&aws::ML_DSA_87_SIGNING),
        };
        let key = Self::from_pair(pair.map_err(failed)?)?;
        key.public.was_made_here();
        Ok(key)
    }

    /// Reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5958).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::sequence_of(der, "a PrivateKeyInfo")?;
        reader.expect(tag::INTEGER, "the version of a PrivateKeyInfo")?;
        let mut identifier = reader.sequence("the key's AlgorithmIdentifier")?;
        let kind = identifier.oid("the key's algorithm")?;
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).map(Pair::Ecdsa);
        let ml_dsa = |algorithm| PqdsaKeyPair::from_pkcs8(algorithm, der).map(Pair::MlDsa);
        let pair = match kind {
            oid::EC_PUBLIC_KEY => {
                let curve = identifier.oid("a named curve")?;
                ecdsa(ecdsa_algorithm(&curve)?)
            }
            oid::RSA_ENCRYPTION => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
            oid::ED25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519),
            oid::ML_DSA_44 => ml_dsa(&aws::ML_DSA_44_SIGNING),
            oid::ML_DSA_65 => ml_dsa(&aws::ML_DSA_65_SIGNING),
            oid::ML_DSA_87 => ml_dsa(&aws::ML_DSA_87_SIGNING),
            other => {
                return Err(KeyError::Unsupported {
                    algorithm: oid::called(&other),
                });
            }
        };
        Self::from_pair(pair.map_err(|reason| KeyError::Inconsistent {
            reason: reason.to_string(),
        })?)
    }

    /// Returns the key at a place outside the store that has this public key.
    pub(crate) fn outside(place: KeyPlace, public: PublicKey) -> Result<Self, KeyError> {
        let signature_algorithm = SignatureAlgorithm::of_key(&public)?;
        Ok(Self {
            pair: Pair::Outside(place),
            public,
            signature_algorithm,
        })
    }

    pub(crate) fn is_outside(&self) -> bool {
        matches!(self.pair, Pair::Outside(_))
    }

    /// Returns the number of signatures that a helper makes at a time; `None` for a key in memory.
    pub(crate) fn sessions(&self) -> Option<usize> {
        match &self.pair {
            Pair::Outside(place) => Some(place.sessions()),
            _ => None,
        }
    }

    fn from_pair(pair: Pair) -> Result<Self, KeyError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::MlDsa(pair) => pair.public_key().as_der(),
            Pair::Outside(_) => return Err(KeyError::Outside),
        };
        let spki = spki.map_err(|_| KeyError::Library {
            operation: "encode a public key",
        })?;
        let public = PublicKey::from_spki(spki.as_ref())?;
        let signature_algorithm = SignatureAlgorithm::of_key(&public)?;
        Ok(Self {
            pair,
            public,
            signature_algorithm,
        })
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The algorithm with which this key signs: the hash fits the key's strength.
    pub(crate) fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The signature over `message`, as it stands in a certificate.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Library { operation: "sign" };
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &aws::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(failed)?;
                Ok(signature)
            }
            Pair::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).map_err(failed)?;
                signature.truncate(length);
                Ok(signature)
            }
            Pair::Outside(place) => place.sign(&self.public, self.signature_algorithm, message),
        }
    }

    /// Same as [`Self::to_pkcs8`], but with an ML-DSA key as its `expandedKey` (RFC 9881 section 6), which
    /// Java reads instead of the seed.
    pub(crate) fn to_expanded_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Pair::MlDsa(pair) = &self.pair else {
            return self.to_pkcs8();
        };
        let expanded = pair.private_key().as_raw_bytes();
        let expanded = expanded.map_err(|_| KeyError::Library {
            operation: "encode a private key",
        })?;
        // One identifier for the key and its signatures.
        let kind = self.signature_algorithm.oid();
        let mut choice = Encoder::with_capacity(expanded.as_ref().len() + 8);
        choice.octet_string(expanded.as_ref());
        let choice = Zeroizing::new(choice.into_bytes());
        Ok(private_key_info(&choice, |algorithm| algorithm.oid(&kind)))
    }

    /// Returns the key as PrivateKeyInfo (RFC 5958, version 1).
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed = |_| KeyError::Library {
            operation: "encode a private key",
        };
        let wiped = |der: &[u8]| Zeroizing::new(der.to_vec());
        Ok(match &self.pair {
            Pair::Ecdsa(pair) => wiped(pair.to_pkcs8v1().map_err(failed)?.as_ref()),
            Pair::MlDsa(pair) => wiped(pair.to_pkcs8v1().map_err(failed)?.as_ref()),
            Pair::Ed25519(pair) => wiped(
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair)
                    .map_err(failed)?
                    .as_ref(),
            ),
            Pair::Outside(_) => return Err(KeyError::Outside),
            Pair::Rsa(pair) => wiped(
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair)
                    .map_err(failed)?
                    .as_ref(),
            ),
        })
    }
}

fn ecdsa_algorithm(
    curve: &const_oid::ObjectIdentifier,
) -> Result<&'static EcdsaSigningAlgorithm, KeyError> {
    Ok(match *curve {
        oid::P256 => &aws::ECDSA_P256_SHA256_ASN1_SIGNING,
        oid::P384 => &aws::ECDSA_P384_SHA384_ASN1_SIGNING,
        oid::P521 => &aws::ECDSA_P521_SHA512_ASN1_SIGNING,
        other => {
            return Err(KeyError::Unsupported {
                algorithm: oid::called(&other),
            });
        }
    })
}

/// Encodes a PrivateKeyInfo (RFC 5958 section 2, version 1) around an encoded key.
pub(super) fn private_key_info(
    key: &[u8],
    algorithm: impl FnOnce(&mut Encoder),
) -> Zeroizing<Vec<u8>> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut encoder = Encoder::with_capacity(key.len() + 64);
    encoder.sequence(|info| {
        info.unsigned(&[0]);
        info.sequence(algorithm);
        info.octet_string(key);
    });
    Zeroizing::new(encoder.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;

    /// Java 24 and newer read `expandedKey`, an OCTET STRING (RFC 9881 section 6), and not the seed.
    #[test]
    fn java_gets_ml_dsa_keys_in_the_expanded_form() {
        for (kind, length) in [
            (KeyType::MlDsa44, 2560_u16),
            (KeyType::MlDsa65, 4032),
            (KeyType::MlDsa87, 4896),
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let der = key.to_expanded_pkcs8().unwrap();
            let octet_string = |length: u16| {
                let [high, low] = length.to_be_bytes();
                [0x04, 0x82, high, low]
            };
            let headers = [octet_string(length + 4), octet_string(length)].concat();
            let start = der.len() - usize::from(length) - headers.len();
            assert_eq!(der[start..][..headers.len()], headers);
            let again = PrivateKey::from_pkcs8(&der).unwrap();
            assert_eq!(again.public().spki(), key.public().spki());
            assert_ne!(*der, *key.to_pkcs8().unwrap());
        }
        let other = PrivateKey::generate(KeyType::P256).unwrap();
        assert_eq!(
            *other.to_expanded_pkcs8().unwrap(),
            *other.to_pkcs8().unwrap()
        );
    }
}
