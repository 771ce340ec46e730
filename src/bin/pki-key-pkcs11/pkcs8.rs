//! Private keys in PKCS #8 (RFC 5958), taken apart for the attributes of a token.

use crate::message::Code;
use crate::problem::{Failure, Result};
use crate::spki::{self, Curve};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode, Encode, Reader, SliceReader};
use x509_cert::spki::AlgorithmIdentifierRef;

/// Private key, and its public key.
pub(crate) struct Parsed<'a> {
    pub(crate) numbers: Numbers<'a>,
    /// Point of the public key; empty for RSA.
    point: Vec<u8>,
}

pub(crate) enum Numbers<'a> {
    Ec {
        curve: &'static Curve,
        scalar: &'a [u8],
    },
    Ed25519 {
        seed: &'a [u8],
    },
    Rsa(Rsa<'a>),
}

/// Numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2).
pub(crate) struct Rsa<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) public_exponent: &'a [u8],
    pub(crate) private_exponent: &'a [u8],
    pub(crate) prime1: &'a [u8],
    pub(crate) prime2: &'a [u8],
    pub(crate) exponent1: &'a [u8],
    pub(crate) exponent2: &'a [u8],
    pub(crate) coefficient: &'a [u8],
}

impl<'a> Parsed<'a> {
    /// Takes a PrivateKeyInfo apart. AWS-LC checks the key, and computes the public key.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self> {
        let (algorithm, key) = outer(der).map_err(|_| malformed())?;
        match algorithm.oid {
            spki::EC_PUBLIC_KEY => Self::ec(der, algorithm.parameters, key),
            spki::ED25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?;
                let seed = <&OctetStringRef>::from_der(key).map_err(|_| malformed())?;
                Ok(Self {
                    numbers: Numbers::Ed25519 {
                        seed: seed.as_bytes(),
                    },
                    point: pair.public_key().as_ref().to_vec(),
                })
            }
            spki::RSA_ENCRYPTION => {
                RsaKeyPair::from_pkcs8(der).map_err(rejected)?;
                let mut reader = SliceReader::new(key).map_err(|_| malformed())?;
                let numbers = reader.sequence(rsa).map_err(|_: der::Error| malformed())?;
                Ok(Self {
                    numbers: Numbers::Rsa(numbers),
                    point: Vec::new(),
                })
            }
            _ => Err(unsupported()),
        }
    }

    fn ec(der: &[u8], parameters: Option<AnyRef<'_>>, key: &'a [u8]) -> Result<Self> {
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let curve = curve.and_then(Curve::with_oid).ok_or_else(unsupported)?;
        let algorithm = match curve.name {
            "p256" => &ECDSA_P256_SHA256_ASN1_SIGNING,
            "p384" => &ECDSA_P384_SHA384_ASN1_SIGNING,
            _ => &ECDSA_P521_SHA512_ASN1_SIGNING,
        };
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(rejected)?;
        let mut reader = SliceReader::new(key).map_err(|_| malformed())?;
        let scalar = reader
            .sequence(scalar)
            .map_err(|_: der::Error| malformed())?;
        Ok(Self {
            numbers: Numbers::Ec { curve, scalar },
            point: pair.public_key().as_ref().to_vec(),
        })
    }

    pub(crate) fn spki(&self) -> Result<Vec<u8>> {
        match &self.numbers {
            Numbers::Ec { curve, .. } => spki::ec(&curve.params(), &self.point),
            Numbers::Ed25519 { .. } => spki::edwards(&self.ed25519_params(), &self.point),
            Numbers::Rsa(rsa) => spki::rsa(rsa.modulus, rsa.public_exponent),
        }
    }

    /// CKA_EC_PARAMS of Ed25519.
    pub(crate) fn ed25519_params(&self) -> Vec<u8> {
        spki::ED25519.to_der().expect("an OID is short")
    }

    /// CKA_EC_POINT.
    pub(crate) fn point_in_octet_string(&self) -> Result<Vec<u8>> {
        let point = OctetStringRef::new(&self.point).map_err(|_| malformed())?;
        point.to_der().map_err(|_| malformed())
    }
}

fn malformed() -> Failure {
    Failure::malformed("the private key")
}

fn rejected(error: KeyRejected) -> Failure {
    let message = format!("the private key is rejected: {error}");
    Failure::new(Code::Failed, message)
}

fn unsupported() -> Failure {
    let message = "keys of this type cannot be imported into a token";
    Failure::new(Code::Unsupported, message)
}

/// Algorithm and privateKey of a PrivateKeyInfo.
fn outer(der: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let fields = reader.sequence(|reader| {
        u8::decode(reader)?;
        let algorithm = AlgorithmIdentifierRef::decode(reader)?;
        let key = <&OctetStringRef>::decode(reader)?.as_bytes();
        reader.drain(reader.remaining_len())?;
        Ok::<_, der::Error>((algorithm, key))
    })?;
    reader.finish()?;
    Ok(fields)
}

/// The privateKey of an ECPrivateKey (RFC 5915).
fn scalar<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    u8::decode(reader)?;
    let scalar = <&OctetStringRef>::decode(reader)?.as_bytes();
    reader.drain(reader.remaining_len())?;
    Ok(scalar)
}

fn rsa<'a>(reader: &mut SliceReader<'a>) -> der::Result<Rsa<'a>> {
    u8::decode(reader)?;
    let mut number = || UintRef::decode(reader).map(|number| number.as_bytes());
    Ok(Rsa {
        modulus: number()?,
        public_exponent: number()?,
        private_exponent: number()?,
        prime1: number()?,
        prime2: number()?,
        exponent1: number()?,
        exponent2: number()?,
        coefficient: number()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsBigEndian, AsDer, Pkcs8V1Der, PublicKeyX509Der};
    use aws_lc_rs::rsa::KeySize;

    #[test]
    fn ec_keys_are_taken_apart() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let parsed = Parsed::from_der(der.as_ref()).unwrap();
        let spki: PublicKeyX509Der = pair.public_key().as_der().unwrap();
        assert_eq!(parsed.spki().unwrap(), spki.as_ref());
        let Numbers::Ec { curve, scalar } = parsed.numbers else {
            panic!("an EC key");
        };
        assert_eq!((curve.name, scalar.len()), ("p384", 48));
    }

    #[test]
    fn ed25519_keys_are_taken_apart() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let der = AsDer::<Pkcs8V1Der>::as_der(&pair).unwrap();
        let parsed = Parsed::from_der(der.as_ref()).unwrap();
        let point = parsed.point_in_octet_string().unwrap();
        assert_eq!(point[..2], [4, 32]);
        assert_eq!(&point[2..], pair.public_key().as_ref());
        let Numbers::Ed25519 { seed } = parsed.numbers else {
            panic!("an Ed25519 key");
        };
        assert_eq!(seed, pair.seed().unwrap().as_be_bytes().unwrap().as_ref());
    }

    #[test]
    fn rsa_keys_are_taken_apart() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der>::as_der(&pair).unwrap();
        let parsed = Parsed::from_der(der.as_ref()).unwrap();
        let spki: PublicKeyX509Der = pair.public_key().as_der().unwrap();
        assert_eq!(parsed.spki().unwrap(), spki.as_ref());
        let Numbers::Rsa(rsa) = parsed.numbers else {
            panic!("an RSA key");
        };
        assert_eq!((rsa.modulus.len(), rsa.prime1.len()), (256, 128));
        assert_eq!(rsa.public_exponent, [1, 0, 1]);
    }

    #[test]
    fn keys_that_are_cut_off_are_rejected() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        for length in 0..der.as_ref().len() {
            assert!(Parsed::from_der(&der.as_ref()[..length]).is_err());
        }
        let longer = [der.as_ref(), &[0]].concat();
        assert!(Parsed::from_der(&longer).is_err());
    }
}
