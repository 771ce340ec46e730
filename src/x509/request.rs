//! Certificate signing requests (PKCS #10, RFC 2986).

use super::extension::Extension;
use super::general_name::GeneralName;
use super::name::Name;
use super::signed::{Signed, assemble};
use crate::asn1::{Malformed, oid, sequence, tag};
use crate::key::{KeyError, PrivateKey, PublicKey, SignatureAlgorithm};
use const_oid::ObjectIdentifier;
use std::collections::HashSet;

/// Attributes in which a CSR asks for extensions. Those of all of them count together.
const EXTENSION_REQUESTS: [ObjectIdentifier; 2] =
    [oid::EXTENSION_REQUEST, oid::MICROSOFT_EXTENSION_REQUEST];

/// A CSR that anyone may have made: its bytes, and what they ask for.
#[derive(Debug, Clone)]
pub(crate) struct CertificationRequest {
    der: Vec<u8>,
    info: std::ops::Range<usize>,
    subject: Name,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    other_attributes: Vec<ObjectIdentifier>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl CertificationRequest {
    /// Makes a CSR for `subject`, signed with its key.
    pub(crate) fn create(
        key: &PrivateKey,
        subject: &Name,
        extensions: &[Extension],
    ) -> Result<Vec<u8>, KeyError> {
        let info = sequence(|info| {
            info.unsigned(&[0]);
            info.raw(subject.der());
            info.raw(key.public().spki());
            info.constructed(tag::explicit(0), |attributes| {
                if !extensions.is_empty() {
                    attributes.sequence(|attribute| {
                        attribute.oid(&oid::EXTENSION_REQUEST);
                        attribute.constructed(tag::SET, |values| {
                            values.sequence(|list| extensions.iter().for_each(|e| e.encode(list)));
                        });
                    });
                }
            });
        });
        let signature = key.sign(&info)?;
        Ok(assemble(&info, key.signature_algorithm(), &signature))
    }

    /// Reads a CertificationRequest; its signature is not looked at.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let signed = Signed::from_der(der, "a CertificationRequest")?;
        let mut fields = signed.tbs.reader();
        if fields.expect(tag::INTEGER, "a version")?.small()? != 0 {
            return Err(Malformed::Value("the version of the CSR is not 1"));
        }
        let subject = Name::from_der(fields.expect(tag::SEQUENCE, "a subject")?.whole)?;
        let public_key = PublicKey::from_spki(fields.expect(tag::SEQUENCE, "a public key")?.whole)?;
        let mut extensions: Vec<Extension> = Vec::new();
        let mut other_attributes = Vec::new();
        if let Some(attributes) = fields.optional(tag::explicit(0))? {
            let mut attributes = attributes.reader();
            while !attributes.is_empty() {
                let mut attribute = attributes.sequence("an attribute")?;
                let kind = attribute.oid("an attribute type")?;
                let values = attribute.expect(tag::SET, "the values of an attribute")?;
                attribute.end()?;
                let asks = EXTENSION_REQUESTS.contains(&kind);
                let mut values = values.reader();
                while !values.is_empty() {
                    let value = values.any()?;
                    if asks {
                        extensions.extend(Extension::decode_all(value.whole)?);
                    } else {
                        value.check_value()?;
                    }
                }
                if !asks {
                    other_attributes.push(kind);
                }
            }
        }
        let mut seen = HashSet::new();
        if let Some(twice) = extensions.iter().find(|it| !seen.insert(it.oid)) {
            return Err(Malformed::Twice(twice.oid));
        }
        fields.end()?;
        Ok(Self {
            der: der.to_vec(),
            info: signed.tbs_range(),
            subject,
            public_key,
            extensions,
            other_attributes,
            algorithm: signed.algorithm.to_vec(),
            signature: signed.signature.to_vec(),
        })
    }

    /// Checks whether the CSR is signed with the key that it is about: proof of possession.
    pub(crate) fn verify(&self) -> Result<(), KeyError> {
        match SignatureAlgorithm::from_der(&self.algorithm)? {
            Some(algorithm) => algorithm.verify(
                &self.public_key,
                &self.der[self.info.clone()],
                &self.signature,
            ),
            None => Err(KeyError::Unsupported {
                algorithm: self.algorithm_name(),
            }),
        }
    }

    pub(crate) fn algorithm_name(&self) -> String {
        super::certificate::algorithm_name(&self.algorithm)
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn subject(&self) -> &Name {
        &self.subject
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Types of the attributes in which no extensions are asked for.
    pub(crate) fn other_attributes(&self) -> &[ObjectIdentifier] {
        &self.other_attributes
    }

    /// The alternative names asked for, as they stand.
    pub(crate) fn subject_alt_names(&self) -> Result<Vec<GeneralName>, Malformed> {
        match self
            .extensions
            .iter()
            .find(|extension| extension.oid == oid::SUBJECT_ALT_NAME)
        {
            Some(extension) => extension.to_general_names(),
            None => Ok(Vec::new()),
        }
    }
}
