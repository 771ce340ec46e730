//! CertID: name of a certificate in requests and responses (RFC 6960 section 4.1.1).

use crate::asn1::{Encoder, Malformed, Reader, oid, sequence, tag};
use crate::x509::{Certificate, Serial};
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use const_oid::ObjectIdentifier;
use std::fmt;
use std::str::FromStr;

/// Hash algorithm of a CertID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CertIdHash {
    /// All clients before RFC 9919, and most after it. SHA-1 names a certificate here, and protects nothing.
    Sha1,
    Sha256,
}

/// Hash algorithm that no CertID here has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not supported; use sha1 or sha256")]
pub(crate) struct UnknownCertIdHash(String);

impl CertIdHash {
    pub(crate) const ALL: [Self; 2] = [Self::Sha1, Self::Sha256];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
        }
    }

    fn hash(self, content: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
        };
        digest::digest(algorithm, content)
    }
}

impl fmt::Display for CertIdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CertIdHash {
    type Err = UnknownCertIdHash;

    fn from_str(text: &str) -> Result<Self, UnknownCertIdHash> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|hash| hash.as_str() == text);
        found.ok_or_else(|| UnknownCertIdHash(text.to_owned()))
    }
}

/// Issuer part of CertIDs: the same for all certificates of a CA, and so made once.
pub(crate) struct IssuerId {
    pub(crate) hash: CertIdHash,
    /// hashAlgorithm, issuerNameHash and issuerKeyHash.
    der: Vec<u8>,
    /// The two hashes.
    hashes: Vec<u8>,
}

impl IssuerId {
    pub(crate) fn of(issuer: &Certificate, hash: CertIdHash) -> Self {
        let name = hash.hash(issuer.subject().der());
        let key = hash.hash(issuer.public_key().key_bytes());
        let mut encoder = Encoder::default();
        encoder.sequence(|algorithm| {
            algorithm.oid(&hash.oid());
            // Clients compare whole requests with file names, and all of them write NULL.
            algorithm.primitive(tag::NULL, &[]);
        });
        encoder.octet_string(name.as_ref());
        encoder.octet_string(key.as_ref());
        Self {
            hash,
            der: encoder.into_bytes(),
            hashes: [name.as_ref(), key.as_ref()].concat(),
        }
    }

    /// Appends the CertID of a certificate.
    pub(crate) fn encode(&self, encoder: &mut Encoder, serial: &Serial) {
        encoder.sequence(|id| {
            id.raw(&self.der);
            serial.encode(id);
        });
    }

    /// Encodes the OCSPRequest for one certificate, without extensions (RFC 9919 section 3.1.1).
    pub(crate) fn request(&self, serial: &Serial) -> Vec<u8> {
        sequence(|request| {
            request.sequence(|tbs| {
                tbs.sequence(|list| list.sequence(|request| self.encode(request, serial)));
            });
        })
    }

    /// Returns the path of the request under the URL of the responder (RFC 6960 appendix A.1), as a server that
    /// decoded it looks for it. Base64 has slashes: some paths lead through directories, and some end with one.
    pub(crate) fn path(&self, serial: &Serial) -> String {
        BASE64.encode(self.request(serial))
    }

    /// Returns whether a CertID that was read has the hashes of this issuer. Only the hashes are compared, as clients do:
    /// parameters of the algorithm may be absent.
    pub(crate) fn is_issuer_of(&self, id: &ReadCertId<'_>) -> bool {
        id.algorithm == self.hash.oid() && self.hashes == [id.name_hash, id.key_hash].concat()
    }

    /// Returns whether a CertID that was read is, to the byte, that of a certificate of this issuer.
    pub(crate) fn is_of(&self, id: &ReadCertId<'_>, serial: &Serial) -> bool {
        let mut encoder = Encoder::default();
        encoder.raw(&self.der);
        serial.encode(&mut encoder);
        encoder.into_bytes() == id.content
    }
}

/// CertID that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadCertId<'a> {
    pub(crate) algorithm: ObjectIdentifier,
    pub(crate) name_hash: &'a [u8],
    pub(crate) key_hash: &'a [u8],
    /// The contents of serialNumber's INTEGER.
    pub(crate) serial: &'a [u8],
    content: &'a [u8],
}

impl<'a> ReadCertId<'a> {
    pub(super) fn read(fields: &mut Reader<'a>) -> Result<Self, Malformed> {
        let element = fields.expect(tag::SEQUENCE, "a CertID")?;
        let mut id = element.reader();
        let algorithm = id.algorithm("a hash algorithm")?;
        let algorithm = algorithm.reader().oid("a hash algorithm")?;
        let name_hash = id.expect(tag::OCTET_STRING, "a hash of the issuer's name")?;
        let key_hash = id.expect(tag::OCTET_STRING, "a hash of the issuer's key")?;
        let serial = id.expect(tag::INTEGER, "a serial number")?.integer()?;
        id.end()?;
        Ok(Self {
            algorithm,
            name_hash: name_hash.content,
            key_hash: key_hash.content,
            serial,
            content: element.content,
        })
    }
}
