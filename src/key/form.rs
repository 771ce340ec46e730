//! The forms of an unencrypted private key: PKCS#8, SEC 1 and PKCS#1.

use super::private_key::private_key_info;
use super::{KeyError, PrivateKey};
use crate::asn1::{Reader, oid, tag};
use zeroize::Zeroizing;

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
    pub(super) fn read(self, der: &[u8]) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Pkcs8 => PrivateKey::from_pkcs8(der),
            Self::Sec1 => PrivateKey::from_pkcs8(&sec1_to_pkcs8(der)?),
            Self::Pkcs1 => PrivateKey::from_pkcs8(&pkcs1_to_pkcs8(der)),
        }
    }
}

/// Wraps an ECPrivateKey (RFC 5915), whose curve has to be named in it.
fn sec1_to_pkcs8(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut reader = Reader::sequence_of(der, "an ECPrivateKey")?;
    reader.expect(tag::INTEGER, "the version of an ECPrivateKey")?;
    reader.expect(tag::OCTET_STRING, "the private key's bytes")?;
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
