//! Public keys: from attributes of PKCS #11 objects to SubjectPublicKeyInfo (RFC 5480, RFC 3279, RFC 8410).

use crate::message::Code;
use crate::problem::{Failure, Result};
use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode, Encode, Sequence};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(crate) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// PrintableString `edwards25519`, by which some tokens name the curve of Ed25519.
pub(crate) const EDWARDS25519_NAME: &[u8] = b"\x13\x0cedwards25519";

/// Named curve of ECDSA.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Curve {
    /// Name as a key type of `pki`.
    pub(crate) name: &'static str,
    pub(crate) oid: ObjectIdentifier,
    /// Bytes of a coordinate.
    size: usize,
}

const CURVES: [Curve; 3] = [
    Curve {
        name: "p256",
        oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        size: 32,
    },
    Curve {
        name: "p384",
        oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        size: 48,
    },
    Curve {
        name: "p521",
        oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        size: 66,
    },
];

impl Curve {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.name == name)
    }

    pub(crate) fn with_oid(oid: ObjectIdentifier) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.oid == oid)
    }

    /// Curve of a CKA_EC_PARAMS.
    pub(crate) fn of_params(params: &[u8]) -> Option<&'static Self> {
        Self::with_oid(ObjectIdentifier::from_der(params).ok()?)
    }

    pub(crate) fn params(&self) -> Vec<u8> {
        self.oid.to_der().expect("an OID is short")
    }
}

/// Returns whether a CKA_EC_PARAMS names Ed25519.
pub(crate) fn is_ed25519(params: &[u8]) -> bool {
    params == EDWARDS25519_NAME
        || ObjectIdentifier::from_der(params).is_ok_and(|oid| oid == ED25519)
}

/// Public key on a named curve; the point bare, or in an OCTET STRING as the standard has it.
pub(crate) fn ec(params: &[u8], point: &[u8]) -> Result<Vec<u8>> {
    let Some(curve) = Curve::of_params(params) else {
        let message = "the key is on a curve other than P-256, P-384 and P-521";
        return Err(Failure::new(Code::Unsupported, message));
    };
    let point = bare(point, 1 + 2 * curve.size)
        .filter(|point| point[0] == 4)
        .ok_or_else(|| Failure::malformed("the point of the public key"))?;
    encoded(EC_PUBLIC_KEY, Some(AnyRef::from(&curve.oid)), point)
}

pub(crate) fn edwards(params: &[u8], point: &[u8]) -> Result<Vec<u8>> {
    if !is_ed25519(params) {
        let message = "the key is an Edwards-curve key other than Ed25519";
        return Err(Failure::new(Code::Unsupported, message));
    }
    let point = bare(point, 32).ok_or_else(|| Failure::malformed("the point of the public key"))?;
    encoded(ED25519, None, point)
}

pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>> {
    #[derive(Sequence)]
    struct RsaPublicKey<'a> {
        modulus: UintRef<'a>,
        exponent: UintRef<'a>,
    }
    let malformed = |_| Failure::malformed("the RSA public key");
    let key = RsaPublicKey {
        modulus: UintRef::new(modulus).map_err(malformed)?,
        exponent: UintRef::new(exponent).map_err(malformed)?,
    };
    let key = key.to_der().map_err(malformed)?;
    encoded(RSA_ENCRYPTION, Some(AnyRef::NULL), &key)
}

/// Value of that length, which may be in an OCTET STRING.
fn bare(value: &[u8], length: usize) -> Option<&[u8]> {
    if value.len() == length {
        return Some(value);
    }
    let inner = <&OctetStringRef>::from_der(value).ok()?.as_bytes();
    (inner.len() == length).then_some(inner)
}

fn encoded(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> Result<Vec<u8>> {
    let malformed = |_| Failure::malformed("the public key");
    let spki = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid, parameters },
        subject_public_key: BitStringRef::from_bytes(key).map_err(malformed)?,
    };
    spki.to_der().map_err(malformed)
}

/// Copy of a CKA_PUBLIC_KEY_INFO if it is a SubjectPublicKeyInfo.
pub(crate) fn given(info: &[u8]) -> Option<Vec<u8>> {
    SubjectPublicKeyInfoRef::from_der(info).ok()?;
    Some(info.to_vec())
}

/// Public key of a certificate.
pub(crate) fn of_certificate(der: &[u8]) -> Result<Vec<u8>> {
    let malformed = |_| Failure::malformed("the certificate of the key");
    let certificate = x509_cert::Certificate::from_der(der).map_err(malformed)?;
    let spki = certificate.tbs_certificate().subject_public_key_info();
    spki.to_der().map_err(malformed)
}

/// Name of RSA keys with such a modulus, as a key type of `pki`.
pub(crate) fn rsa_name(modulus: &[u8]) -> Option<&'static str> {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = &modulus[zeros..];
    match modulus.len() * 8 - modulus.first()?.leading_zeros() as usize {
        2048 => Some("rsa2048"),
        3072 => Some("rsa3072"),
        4096 => Some("rsa4096"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
    use aws_lc_rs::signature as aws;
    use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};

    fn in_octet_string(bytes: &[u8]) -> Vec<u8> {
        OctetStringRef::new(bytes).unwrap().to_der().unwrap()
    }

    #[test]
    fn ec_keys_are_as_aws_lc_encodes_them() {
        let algorithms = [
            ("p256", &aws::ECDSA_P256_SHA256_ASN1_SIGNING),
            ("p384", &aws::ECDSA_P384_SHA384_ASN1_SIGNING),
            ("p521", &aws::ECDSA_P521_SHA512_ASN1_SIGNING),
        ];
        for (name, algorithm) in algorithms {
            let pair = EcdsaKeyPair::generate(algorithm).unwrap();
            let point = pair.public_key().as_ref();
            let spki: PublicKeyX509Der = pair.public_key().as_der().unwrap();
            let params = Curve::named(name).unwrap().params();
            assert_eq!(ec(&params, point).unwrap(), spki.as_ref(), "{name}");
            let wrapped = in_octet_string(point);
            assert_eq!(ec(&params, &wrapped).unwrap(), spki.as_ref(), "{name}");
            assert!(ec(&params, &point[1..]).is_err(), "{name}");
            assert!(ec(&params, &in_octet_string(&wrapped)).is_err(), "{name}");
        }
    }

    #[test]
    fn points_are_not_compressed_or_infinite() {
        let params = Curve::named("p256").unwrap().params();
        assert!(ec(&params, &[2; 33]).is_err());
        assert!(ec(&params, &[0]).is_err());
        assert!(ec(&params, &[]).is_err());
        assert!(ec(&params, &[2; 65]).is_err());
    }

    #[test]
    fn explicit_and_other_curves_are_unsupported() {
        let secp256k1 = ObjectIdentifier::new_unwrap("1.3.132.0.10")
            .to_der()
            .unwrap();
        for params in [&secp256k1[..], b"\x30\x00", b"", b"\x13\x01a"] {
            assert_eq!(ec(params, &[4; 65]).unwrap_err().code(), Code::Unsupported);
            assert_eq!(
                edwards(params, &[4; 32]).unwrap_err().code(),
                Code::Unsupported
            );
        }
    }

    #[test]
    fn ed25519_keys_are_as_aws_lc_encodes_them() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let point = pair.public_key().as_ref();
        let spki: PublicKeyX509Der = pair.public_key().as_der().unwrap();
        let oid = ED25519.to_der().unwrap();
        for params in [EDWARDS25519_NAME, &oid] {
            assert_eq!(edwards(params, point).unwrap(), spki.as_ref());
            assert_eq!(
                edwards(params, &in_octet_string(point)).unwrap(),
                spki.as_ref()
            );
        }
        assert!(edwards(&oid, &[7; 57]).is_err());
    }

    #[test]
    fn rsa_keys_are_as_aws_lc_encodes_them() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let numbers = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let spki: PublicKeyX509Der = pair.public_key().as_der().unwrap();
        assert_eq!(rsa(&numbers.n, &numbers.e).unwrap(), spki.as_ref());
        let padded = [&[0, 0][..], &numbers.n].concat();
        assert_eq!(rsa(&padded, &[0, 1, 0, 1]).unwrap(), spki.as_ref());
        assert_eq!(rsa_name(&padded), Some("rsa2048"));
        assert_eq!(rsa_name(&numbers.n[1..]), None);
        assert_eq!(rsa_name(&[0, 0]), None);
    }
}
