//! Certificates: written field by field, and read without losing a byte.

use super::comparison::are_equal;
use super::constraints::NameConstraints;
use super::extension::{AuthorityKeyIdentifier, BasicConstraints, Extension};
use super::general_name::GeneralName;
use super::name::Name;
use super::serial::{Serial, SerialError};
use super::signed::Signed;
use super::validity::Validity;
use crate::asn1::{Encoder, Hex, Malformed, Reader, encode_time, from_hex, oid, parse_time, tag};
use crate::key::{KeyError, PublicKey, SignatureAlgorithm};
use const_oid::ObjectIdentifier;
use sha2::{Digest, Sha256};
use std::fmt;

/// The fields of a TBSCertificate (RFC 5280 section 4.1) but for its serial
/// number.
#[derive(Clone)]
pub(crate) struct TbsCertificate<'a> {
    /// signature: the algorithm of the issuer's key.
    pub(crate) signature: SignatureAlgorithm,
    /// issuer: the bytes of the CA's subject.
    pub(crate) issuer: &'a Name,
    pub(crate) validity: Validity,
    pub(crate) subject: &'a Name,
    pub(crate) public_key: &'a PublicKey,
    /// extensions, in the order in which they are written.
    pub(crate) extensions: &'a [Extension],
}

impl TbsCertificate<'_> {
    /// The DER of all of it but the serial number.
    pub(crate) fn unnumbered(&self) -> Unnumbered {
        let Self {
            signature,
            issuer,
            validity,
            subject,
            public_key,
            extensions,
        } = self;
        let mut fields = Encoder::with_capacity(1024);
        signature.encode(&mut fields);
        fields.raw(issuer.der());
        fields.sequence(|times| {
            encode_time(times, validity.not_before);
            encode_time(times, validity.not_after);
        });
        fields.raw(subject.der());
        fields.raw(public_key.spki());
        fields.explicit(3, |wrapper| {
            wrapper.sequence(|list| {
                extensions
                    .iter()
                    .for_each(|extension| extension.encode(list));
            });
        });
        Unnumbered(fields.into_bytes())
    }
}

/// A TBSCertificate that lacks its serial number and nothing else: whatever number it gets, all its other
/// bytes stay what they are.
pub(crate) struct Unnumbered(Vec<u8>);

impl Unnumbered {
    pub(crate) fn numbered(&self, serial: &Serial) -> Vec<u8> {
        // Room for the number, the version and the header.
        let mut tbs = Encoder::with_capacity(self.0.len() + 40);
        tbs.sequence(|tbs| {
            tbs.explicit(0, |version| version.unsigned(&[2])); // v3
            serial.encode(tbs);
            tbs.raw(&self.0);
        });
        tbs.into_bytes()
    }
}

/// A certificate that anyone may have made: its bytes, and what they say.
#[derive(Clone)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    tbs: std::ops::Range<usize>,
    version: u32,
    serial: Vec<u8>,
    inner_algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    signature: Vec<u8>,
    issuer: Name,
    subject: Name,
    validity: Validity,
    public_key: PublicKey,
    has_unique_identifiers: bool,
    extensions: Vec<Extension>,
}

impl Certificate {
    /// Reads a certificate; the whole of `der` has to be it.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let signed = Signed::from_der(der, "a Certificate")?;
        let mut fields = signed.tbs.reader();
        let version = match fields.optional(tag::explicit(0))? {
            Some(wrapper) => {
                let mut wrapper = wrapper.reader();
                let version = wrapper.expect(tag::INTEGER, "a version")?.small()?;
                wrapper.end()?;
                version.saturating_add(1)
            }
            None => 1,
        };
        let serial = fields
            .expect(tag::INTEGER, "a serial number")?
            .integer()?
            .to_vec();
        let inner_algorithm = fields.algorithm("a signature algorithm")?.whole.to_vec();
        let issuer = Name::from_der(fields.expect(tag::SEQUENCE, "an issuer")?.whole)?;
        let mut times = fields.sequence("a validity")?;
        let validity = Validity {
            not_before: parse_time(&times.any()?)?,
            not_after: parse_time(&times.any()?)?,
        };
        times.end()?;
        let subject = Name::from_der(fields.expect(tag::SEQUENCE, "a subject")?.whole)?;
        let public_key = PublicKey::from_spki(fields.expect(tag::SEQUENCE, "a public key")?.whole)?;
        let mut has_unique_identifiers = false;
        for unique_identifier in [tag::context(1), tag::context(2)] {
            if let Some(identifier) = fields.optional(unique_identifier)? {
                identifier.bits()?;
                has_unique_identifiers = true;
            }
        }
        let extensions = match fields.optional(tag::explicit(3))? {
            Some(wrapper) => Extension::decode_all(wrapper.content)?,
            None => Vec::new(),
        };
        fields.end()?;
        Ok(Self {
            der: der.to_vec(),
            tbs: signed.tbs_range(),
            version,
            serial,
            inner_algorithm,
            outer_algorithm: signed.algorithm.to_vec(),
            signature: signed.signature.to_vec(),
            issuer,
            subject,
            validity,
            public_key,
            has_unique_identifiers,
            extensions,
        })
    }

    /// The certificate with a key that is known: what was found out about it counts here too. If it
    /// is about another key, nothing changes.
    #[must_use]
    pub(crate) fn with_known_key(mut self, key: &PublicKey) -> Self {
        if self.public_key == *key {
            self.public_key = key.clone();
        }
        self
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn to_pem(&self) -> String {
        crate::pem::encode("CERTIFICATE", &self.der)
    }

    pub(crate) fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// The serial number, if it is one that RFC 5280 allows.
    pub(crate) fn serial(&self) -> Result<Serial, SerialError> {
        match self.serial.first() {
            Some(first) if first & 0x80 == 0 => Serial::from_magnitude(&self.serial),
            _ => Err(SerialError::Zero),
        }
    }

    /// The contents of the serial number's INTEGER, whatever they are.
    pub(crate) fn serial_bytes(&self) -> &[u8] {
        &self.serial
    }

    /// The signature algorithm inside what is signed: an AlgorithmIdentifier.
    pub(crate) fn inner_algorithm(&self) -> &[u8] {
        &self.inner_algorithm
    }

    /// The signature algorithm beside the signature: an AlgorithmIdentifier.
    pub(crate) fn outer_algorithm(&self) -> &[u8] {
        &self.outer_algorithm
    }

    /// The signature algorithm, if it is one that can be verified here.
    pub(crate) fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::from_der(&self.outer_algorithm)
            .ok()
            .flatten()
    }

    #[cfg(test)]
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.issuer
    }

    pub(crate) fn subject(&self) -> &Name {
        &self.subject
    }

    pub(crate) fn validity(&self) -> Validity {
        self.validity
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Returns whether issuerUniqueID or subjectUniqueID is there (section 4.1.2.8).
    pub(crate) fn has_unique_identifiers(&self) -> bool {
        self.has_unique_identifiers
    }

    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(crate) fn extension(&self, oid: &ObjectIdentifier) -> Option<&Extension> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == *oid)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// The name of the first extension that is read here and is broken, and what is wrong with it: it
    /// must not pass for one that is not there.
    pub(crate) fn broken_extension(&self) -> Option<(&'static str, Malformed)> {
        self.extensions.iter().find_map(|extension| {
            let problem = extension.check().err()?;
            Some((oid::name(&extension.oid)?, problem))
        })
    }

    fn decoded<T>(
        &self,
        oid: &ObjectIdentifier,
        decode: impl FnOnce(&Extension) -> Result<T, Malformed>,
    ) -> Option<T> {
        self.extension(oid)
            .and_then(|extension| decode(extension).ok())
    }

    /// basicConstraints; `None` if it is missing or broken.
    pub(crate) fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.decoded(&oid::BASIC_CONSTRAINTS, Extension::to_basic_constraints)
    }

    /// Returns whether basicConstraints say that the subject is a CA.
    pub(crate) fn is_ca(&self) -> bool {
        self.basic_constraints()
            .is_some_and(|constraints| constraints.ca)
    }

    /// keyUsage; `None` if it is missing or broken.
    pub(crate) fn key_usage(&self) -> Option<u16> {
        self.decoded(&oid::KEY_USAGE, Extension::to_key_usage)
    }

    /// extKeyUsage; empty if it is missing or broken.
    pub(crate) fn extended_key_usage(&self) -> Vec<ObjectIdentifier> {
        self.decoded(&oid::EXT_KEY_USAGE, Extension::to_extended_key_usage)
            .unwrap_or_default()
    }

    /// subjectAltName; empty if it is missing or broken.
    pub(crate) fn subject_alt_names(&self) -> Vec<GeneralName> {
        self.decoded(&oid::SUBJECT_ALT_NAME, Extension::to_general_names)
            .unwrap_or_default()
    }

    pub(crate) fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        self.decoded(
            &oid::SUBJECT_KEY_IDENTIFIER,
            Extension::to_subject_key_identifier,
        )
    }

    /// authorityKeyIdentifier, an error if it is broken: such a certificate names no issuer.
    pub(crate) fn authority(&self) -> Result<Option<AuthorityKeyIdentifier>, Malformed> {
        let extension = self.extension(&oid::AUTHORITY_KEY_IDENTIFIER);
        extension
            .map(Extension::to_authority_key_identifier)
            .transpose()
    }

    pub(crate) fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        self.authority().ok()??.key
    }

    /// The serial number of the issuer's certificate in authorityKeyIdentifier, in hex.
    pub(crate) fn authority_serial(&self) -> Option<String> {
        let serial = self.authority().ok()??.serial?;
        Some(serial_hex(&serial))
    }

    /// nameConstraints, an error if they can't be understood and so can't be held to.
    pub(crate) fn name_constraints(&self) -> Result<NameConstraints, Malformed> {
        match self.extension(&oid::NAME_CONSTRAINTS) {
            Some(extension) => NameConstraints::from_der(&extension.value),
            None => Ok(NameConstraints::default()),
        }
    }

    /// Returns whether both are certificates of one CA: subject and key are the same, as after a renewal.
    pub(crate) fn is_of_same_ca(&self, other: &Self) -> bool {
        self.subject == other.subject && self.public_key.spki() == other.public_key.spki()
    }

    /// Returns whether subject and issuer are one name.
    pub(crate) fn is_self_issued(&self) -> bool {
        are_equal(&self.subject, &self.issuer)
    }

    /// Returns whether it is signed with its own key.
    pub(crate) fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.verify_signature(&self.public_key).is_ok()
    }

    /// Returns whether it can end a path: it is signed with its own key, and names no other certificate of that
    /// key as its issuer.
    pub(crate) fn is_own_issuer(&self) -> bool {
        self.names_certificate(self) && self.verify_signature(&self.public_key).is_ok()
    }

    /// Returns whether the certificate names the CA of `issuer` as its issuer: the names are equal, and so are the
    /// key identifiers if both have one. The signature is not looked at.
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        let identifiers = (
            self.authority_key_identifier(),
            issuer.subject_key_identifier(),
        );
        let fits = !matches!(&identifiers, (Some(own), Some(theirs)) if own != theirs);
        fits && are_equal(&self.issuer, &issuer.subject)
    }

    /// Returns whether the certificate names `issuer`, and no other certificate of that CA, as its issuer: it names
    /// the CA, and the issuer and serial number in its authorityKeyIdentifier, if there are any, are those of
    /// `issuer`. OpenSSL and Java compare them too. If that extension is broken, it names none, as OpenSSL
    /// sees it.
    pub(crate) fn names_certificate(&self, issuer: &Self) -> bool {
        let Ok(authority) = self.authority() else {
            return false;
        };
        let fits = authority.is_none_or(|authority| {
            let AuthorityKeyIdentifier {
                key: _,
                issuer: name,
                serial,
            } = authority;
            serial.is_none_or(|serial| serial == issuer.serial)
                && name.is_none_or(|name| are_equal(&name, &issuer.issuer))
        });
        fits && self.names_as_issuer(issuer)
    }

    /// Checks whether the certificate was signed with this key.
    pub(crate) fn verify_signature(&self, key: &PublicKey) -> Result<(), KeyError> {
        match SignatureAlgorithm::from_der(&self.outer_algorithm)? {
            Some(algorithm) if self.inner_algorithm == self.outer_algorithm => {
                algorithm.verify(key, self.tbs(), &self.signature)
            }
            Some(_) => Err(KeyError::Signature("its two algorithms differ")),
            None => Err(KeyError::Unsupported {
                algorithm: algorithm_name(&self.outer_algorithm),
            }),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

/// The name of an AlgorithmIdentifier's algorithm, or its object identifier.
pub(crate) fn algorithm_name(der: &[u8]) -> String {
    if let Ok(Some(known)) = SignatureAlgorithm::from_der(der) {
        return known.to_string();
    }
    let identifier = Reader::sequence_of(der, "an AlgorithmIdentifier")
        .and_then(|mut reader| reader.oid("an algorithm"));
    match identifier {
        Ok(identifier) => oid::called(&identifier),
        Err(_) => "a malformed algorithm".to_owned(),
    }
}

/// The contents of a serial number's INTEGER as serial numbers are written; what RFC 5280 does not allow
/// byte by byte.
pub(crate) fn serial_hex(bytes: &[u8]) -> String {
    match Serial::from_magnitude(bytes) {
        Ok(serial) if bytes[0] & 0x80 == 0 => serial.to_string(),
        _ => format!("{:X}", Hex(bytes)),
    }
}

/// A SHA-256 hash, shown as lowercase hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        from_hex(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&Hex(&self.0), f)
    }
}
