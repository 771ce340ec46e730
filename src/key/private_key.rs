//! Private keys, and the files that hold them.

use super::{EncryptedKey, KeyError, KeyType, PublicKey, SignatureAlgorithm};
use crate::asn1::{Encoder, Reader, oid, tag};
use crate::pem;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    RsaKeyPair,
};
use zeroize::Zeroizing;

/// A private key that can sign.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
    signature_algorithm: SignatureAlgorithm,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    MlDsa(PqdsaKeyPair),
}

impl PrivateKey {
    /// A new key from the system's random source.
    pub fn generate(kind: KeyType) -> Result<Self, KeyError> {
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
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::sequence_of(der, "a PrivateKeyInfo")?;
        reader.expect(tag::INTEGER, "the version of a PrivateKeyInfo")?;
        let mut identifier = reader.sequence("the key's AlgorithmIdentifier")?;
        let kind = identifier
            .expect(tag::OBJECT_IDENTIFIER, "the key's algorithm")?
            .oid()?;
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).map(Pair::Ecdsa);
        let ml_dsa = |algorithm| PqdsaKeyPair::from_pkcs8(algorithm, der).map(Pair::MlDsa);
        let pair = match kind {
            oid::EC_PUBLIC_KEY => {
                let curve = identifier
                    .expect(tag::OBJECT_IDENTIFIER, "a named curve")?
                    .oid()?;
                ecdsa(ecdsa_algorithm(&curve)?)
            }
            oid::RSA_ENCRYPTION => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
            oid::ED25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519),
            oid::ML_DSA_44 => ml_dsa(&aws::ML_DSA_44_SIGNING),
            oid::ML_DSA_65 => ml_dsa(&aws::ML_DSA_65_SIGNING),
            oid::ML_DSA_87 => ml_dsa(&aws::ML_DSA_87_SIGNING),
            other => {
                return Err(KeyError::Unsupported {
                    algorithm: algorithm_name(&other),
                });
            }
        };
        Self::from_pair(pair.map_err(|reason| KeyError::Inconsistent {
            reason: reason.to_string(),
        })?)
    }

    fn from_pair(pair: Pair) -> Result<Self, KeyError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::MlDsa(pair) => pair.public_key().as_der(),
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

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The algorithm with which this key signs: the hash fits the key's strength.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The signature over `message`, as it stands in a certificate.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
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
        }
    }

    /// The key as PrivateKeyInfo (RFC 5958, version 1).
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
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
                algorithm: algorithm_name(&other),
            });
        }
    })
}

fn algorithm_name(identifier: &const_oid::ObjectIdentifier) -> String {
    oid::name(identifier).map_or_else(|| identifier.to_string(), str::to_owned)
}

/// What a key file holds: a key, or one that needs a passphrase.
pub enum KeyFile {
    /// An unencrypted key.
    Plain(PrivateKey),
    /// An EncryptedPrivateKeyInfo (RFC 5958 section 3), or a PEM object whose headers say how it is
    /// encrypted.
    Encrypted(EncryptedKey),
}

/// The structure that a private key is in.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// PrivateKeyInfo (RFC 5958).
    Pkcs8,
    /// ECPrivateKey (RFC 5915).
    Sec1,
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    Pkcs1,
}

impl Form {
    /// The key in it.
    pub(super) fn read(self, der: &[u8]) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Pkcs8 => PrivateKey::from_pkcs8(der),
            Self::Sec1 => PrivateKey::from_pkcs8(&sec1_to_pkcs8(der)?),
            Self::Pkcs1 => PrivateKey::from_pkcs8(&pkcs1_to_pkcs8(der)),
        }
    }
}

impl KeyFile {
    /// Reads what `pki` and openssl write: PKCS#8, SEC 1 (RFC 5915) and PKCS #1 (RFC 8017), plain or
    /// encrypted, as PEM, or PKCS#8 as DER. An `EC PARAMETERS` object before the key is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if !pem::looks_like_pem(bytes) {
            return Self::parse_der(bytes);
        }
        let objects = pem::decode(bytes)?;
        let object = objects
            .iter()
            .find(|object| object.label.ends_with("PRIVATE KEY"))
            .ok_or_else(|| KeyError::NotAKey {
                found: found(&objects),
            })?;
        let form = match object.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => {
                return EncryptedKey::from_der(&object.der).map(Self::Encrypted);
            }
            "PRIVATE KEY" => Form::Pkcs8,
            "EC PRIVATE KEY" => Form::Sec1,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            other => {
                return Err(KeyError::NotAKey {
                    found: format!("a PEM object {other:?}"),
                });
            }
        };
        if object.headers.is_empty() {
            return form.read(&object.der).map(Self::Plain);
        }
        EncryptedKey::from_pem(form, object).map(Self::Encrypted)
    }

    fn parse_der(der: &[u8]) -> Result<Self, KeyError> {
        let not_a_key = |_| KeyError::NotAKey {
            found: "neither PEM nor DER".into(),
        };
        let first = Reader::single(der).map_err(not_a_key)?.reader().peek();
        if first == Some(tag::SEQUENCE) {
            return EncryptedKey::from_der(der).map(Self::Encrypted);
        }
        PrivateKey::from_pkcs8(der).map(Self::Plain)
    }
}

fn found(objects: &[pem::PemObject]) -> String {
    match objects {
        [] => "nothing".into(),
        [first, ..] => format!("a PEM object {:?}", first.label),
    }
}

/// Wraps an ECPrivateKey (RFC 5915), whose curve has to be named in it.
fn sec1_to_pkcs8(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut reader = Reader::sequence_of(der, "an ECPrivateKey")?;
    reader.expect(tag::INTEGER, "the version of an ECPrivateKey")?;
    reader.expect(tag::OCTET_STRING, "the private key's octets")?;
    let curve = reader.expect(tag::explicit(0), "the key's curve")?;
    Ok(private_key_info(der, |identifier| {
        identifier.oid(&oid::EC_PUBLIC_KEY);
        identifier.raw(curve.content);
    }))
}

/// Wraps an RSAPrivateKey (RFC 8017 appendix A.1.2).
fn pkcs1_to_pkcs8(der: &[u8]) -> Zeroizing<Vec<u8>> {
    private_key_info(der, |identifier| {
        identifier.oid(&oid::RSA_ENCRYPTION);
        identifier.primitive(tag::NULL, &[]);
    })
}

fn private_key_info(key: &[u8], algorithm: impl FnOnce(&mut Encoder)) -> Zeroizing<Vec<u8>> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut encoder = Encoder::with_capacity(key.len() + 64);
    encoder.sequence(|info| {
        info.unsigned(&[0]);
        info.sequence(algorithm);
        info.octet_string(key);
    });
    Zeroizing::new(encoder.into_bytes())
}
