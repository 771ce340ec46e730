//! Extensions (RFC 5280 section 4.2): those that `pki` writes, as bytes, and those that it reads.

use super::constraints::NameConstraints;
use super::general_name::GeneralName;
use super::name::Name;
use crate::asn1::{Malformed, Reader, has_minimal_arcs, oid, sequence, tag};
use const_oid::ObjectIdentifier;
use der::asn1::{Null, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode, Sequence};
use std::collections::HashSet;
use x509_cert::ext::pkix;

/// An extension: its identifier, whether it is critical, and the DER in its OCTET STRING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) critical: bool,
    /// The contents of extnValue.
    pub(crate) value: Vec<u8>,
}

/// The bits of keyUsage (section 4.2.1.3).
pub(crate) mod key_usage {
    pub(crate) const DIGITAL_SIGNATURE: u16 = 1 << 0;
    pub(crate) const CONTENT_COMMITMENT: u16 = 1 << 1;
    pub(crate) const KEY_ENCIPHERMENT: u16 = 1 << 2;
    pub(crate) const DATA_ENCIPHERMENT: u16 = 1 << 3;
    pub(crate) const KEY_AGREEMENT: u16 = 1 << 4;
    pub(crate) const KEY_CERT_SIGN: u16 = 1 << 5;
    pub(crate) const CRL_SIGN: u16 = 1 << 6;
    pub(crate) const ENCIPHER_ONLY: u16 = 1 << 7;
    pub(crate) const DECIPHER_ONLY: u16 = 1 << 8;

    /// The names of the bits, in their order.
    pub(crate) const NAMES: [&str; 9] = [
        "digitalSignature",
        "contentCommitment",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
}

/// basicConstraints (section 4.2.1.9); the type of x509-cert holds path lengths up to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Sequence)]
pub(crate) struct BasicConstraints {
    /// Whether the subject is a CA.
    #[asn1(default = "Default::default")]
    pub(crate) ca: bool,
    /// Number of CAs that may stand between this one and a leaf.
    pub(crate) path_length: Option<u32>,
}

/// authorityKeyIdentifier (section 4.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthorityKeyIdentifier {
    pub(crate) key: Option<Vec<u8>>,
    /// The first directory name in authorityCertIssuer: the issuer of the issuing CA's certificate.
    pub(crate) issuer: Option<Name>,
    /// The contents of authorityCertSerialNumber's INTEGER.
    pub(crate) serial: Option<Vec<u8>>,
}

impl Extension {
    fn new(oid: ObjectIdentifier, critical: bool, value: Vec<u8>) -> Self {
        Self {
            oid,
            critical,
            value,
        }
    }

    fn of(oid: ObjectIdentifier, critical: bool, value: &impl Encode) -> Self {
        let value = value.to_der();
        Self::new(oid, critical, value.expect("it is far below 256 MiB"))
    }

    /// basicConstraints, critical as section 4.2.1.9 demands of CAs.
    pub(crate) fn basic_constraints(constraints: BasicConstraints) -> Self {
        let BasicConstraints { ca, path_length } = constraints;
        let path_length = path_length.filter(|_| ca);
        let value = BasicConstraints { ca, path_length };
        Self::of(oid::BASIC_CONSTRAINTS, true, &value)
    }

    pub(crate) fn key_usage(bits: u16) -> Self {
        let value = pkix::KeyUsage(FlagSet::new_truncated(bits));
        Self::of(oid::KEY_USAGE, true, &value)
    }

    /// extKeyUsage; critical only for time stamping (RFC 3161 section 2.3).
    pub(crate) fn extended_key_usage(purposes: &[ObjectIdentifier]) -> Self {
        let value = pkix::ExtendedKeyUsage(purposes.to_vec());
        Self::of(oid::EXT_KEY_USAGE, purposes == [oid::TIME_STAMPING], &value)
    }

    pub(crate) fn subject_key_identifier(identifier: &[u8]) -> Self {
        let value = pkix::SubjectKeyIdentifier(octet_string(identifier));
        Self::of(oid::SUBJECT_KEY_IDENTIFIER, false, &value)
    }

    /// authorityKeyIdentifier with nothing but the key identifier.
    pub(crate) fn authority_key_identifier(identifier: &[u8]) -> Self {
        let value = pkix::AuthorityKeyIdentifier {
            key_identifier: Some(octet_string(identifier)),
            ..Default::default()
        };
        Self::of(oid::AUTHORITY_KEY_IDENTIFIER, false, &value)
    }

    /// subjectAltName; critical if the subject is empty (section 4.2.1.6).
    pub(crate) fn subject_alt_name(names: &[GeneralName], critical: bool) -> Self {
        let value = sequence(|list| names.iter().for_each(|name| name.encode(list)));
        Self::new(oid::SUBJECT_ALT_NAME, critical, value)
    }

    /// nameConstraints, critical (section 4.2.1.10).
    pub(crate) fn name_constraints(constraints: &NameConstraints) -> Self {
        Self::new(oid::NAME_CONSTRAINTS, true, constraints.to_der())
    }

    /// cRLDistributionPoints: one point with every URL, since all have the same CRL.
    pub(crate) fn crl_distribution_points(urls: &[String]) -> Self {
        let value = sequence(|points| {
            points.sequence(|point| {
                point.explicit(0, |name| {
                    name.explicit(0, |full| {
                        urls.iter()
                            .for_each(|url| full.primitive(tag::context(6), url.as_bytes()));
                    });
                });
            });
        });
        Self::new(oid::CRL_DISTRIBUTION_POINTS, false, value)
    }

    /// authorityInfoAccess: the URLs of the issuer's certificate and of its OCSP responder.
    pub(crate) fn authority_info_access(ca_issuers: &[String], ocsp: &[String]) -> Self {
        let value = sequence(|list| {
            let ocsp = ocsp.iter().map(|url| (oid::OCSP, url));
            let ca_issuers = ca_issuers.iter().map(|url| (oid::CA_ISSUERS, url));
            for (method, url) in ocsp.chain(ca_issuers) {
                list.sequence(|access| {
                    access.oid(&method);
                    access.primitive(tag::context(6), url.as_bytes());
                });
            }
        });
        Self::new(oid::AUTHORITY_INFO_ACCESS, false, value)
    }

    /// ocsp-nocheck (RFC 6960 section 4.2.2.2.1).
    pub(crate) fn ocsp_no_check() -> Self {
        Self::of(oid::OCSP_NO_CHECK, false, &Null)
    }

    /// tlsFeature with status_request: a server has to staple an OCSP response (RFC 7633 section 4).
    pub(crate) fn must_staple() -> Self {
        const STATUS_REQUEST: [u8; 1] = [5];
        let value = sequence(|features| features.unsigned(&STATUS_REQUEST));
        Self::new(oid::TLS_FEATURE, false, value)
    }

    /// certificatePolicies: each identifier, with the URL of its certification practice statement if it has one
    /// (section 4.2.1.4).
    pub(crate) fn certificate_policies(policies: &[(ObjectIdentifier, Option<String>)]) -> Self {
        let value = sequence(|list| {
            for (identifier, statement) in policies {
                list.sequence(|policy| {
                    policy.oid(identifier);
                    if let Some(url) = statement {
                        policy.sequence(|qualifiers| {
                            qualifiers.sequence(|qualifier| {
                                qualifier.oid(&oid::CPS);
                                qualifier.primitive(tag::IA5_STRING, url.as_bytes());
                            });
                        });
                    }
                });
            }
        });
        Self::new(oid::CERTIFICATE_POLICIES, false, value)
    }

    /// cRLNumber (section 5.2.3).
    pub(crate) fn crl_number(number: u128) -> Self {
        Self::of(oid::CRL_NUMBER, false, &number)
    }

    pub(crate) fn encode(&self, encoder: &mut crate::asn1::Encoder) {
        let Self {
            oid,
            critical,
            value,
        } = self;
        encoder.sequence(|extension| {
            extension.oid(oid);
            if *critical {
                extension.boolean_true();
            }
            extension.octet_string(value);
        });
    }

    pub(crate) fn decode_all(der: &[u8]) -> Result<Vec<Self>, Malformed> {
        let mut list = Reader::sequence_of(der, "an Extensions")?;
        let mut extensions: Vec<Self> = Vec::new();
        let mut seen = HashSet::new();
        while !list.is_empty() {
            let mut extension = list.sequence("an Extension")?;
            let oid = extension.oid("an extension identifier")?;
            let critical = match extension.optional(tag::BOOLEAN)? {
                Some(critical) => critical.boolean()?,
                None => false,
            };
            let value = extension
                .expect(tag::OCTET_STRING, "an extension value")?
                .content
                .to_vec();
            extension.end()?;
            if !seen.insert(oid) {
                return Err(Malformed::Twice(oid));
            }
            extensions.push(Self {
                oid,
                critical,
                value,
            });
        }
        Ok(extensions)
    }

    /// The value as a type of its structure, which `what` names in errors.
    fn read<'a, T>(&'a self, what: &'static str) -> Result<T, Malformed>
    where
        T: Decode<'a, Error = der::Error>,
    {
        T::from_der(&self.value).map_err(|error| Malformed::of_der(&error, what))
    }

    pub(crate) fn to_basic_constraints(&self) -> Result<BasicConstraints, Malformed> {
        self.read("a BasicConstraints")
    }

    pub(crate) fn to_key_usage(&self) -> Result<u16, Malformed> {
        // The der crate takes a BIT STRING whose unused bits are not zero.
        Reader::single(&self.value)?.bits()?;
        let pkix::KeyUsage(usages) = self.read("a KeyUsage")?;
        Ok(usages.bits())
    }

    pub(crate) fn to_extended_key_usage(&self) -> Result<Vec<ObjectIdentifier>, Malformed> {
        let pkix::ExtendedKeyUsage(purposes) = self.read("an ExtKeyUsageSyntax")?;
        if purposes.is_empty() {
            return Err(Malformed::Value("an extended key usage is empty"));
        }
        minimal(purposes)
    }

    pub(crate) fn to_general_names(&self) -> Result<Vec<GeneralName>, Malformed> {
        let names = general_names(Reader::sequence_of(&self.value, "a GeneralNames")?)?;
        if names.is_empty() {
            return Err(Malformed::Value("the SAN extension is empty"));
        }
        Ok(names)
    }

    pub(crate) fn to_subject_key_identifier(&self) -> Result<Vec<u8>, Malformed> {
        let pkix::SubjectKeyIdentifier(identifier) = self.read("a SubjectKeyIdentifier")?;
        Ok(identifier.into_bytes().into_vec())
    }

    pub(crate) fn to_authority_key_identifier(&self) -> Result<AuthorityKeyIdentifier, Malformed> {
        let mut reader = Reader::sequence_of(&self.value, "an AuthorityKeyIdentifier")?;
        let key = reader.optional(tag::context(0))?;
        let issuers = match reader.optional(tag::explicit(1))? {
            Some(issuers) => general_names(issuers.reader())?,
            None => Vec::new(),
        };
        let serial = match reader.optional(tag::context(2))? {
            Some(serial) => Some(serial.integer()?.to_vec()),
            None => None,
        };
        reader.end()?;
        Ok(AuthorityKeyIdentifier {
            key: key.map(|key| key.content.to_vec()),
            issuer: issuers.into_iter().find_map(|name| match name {
                GeneralName::Directory(name) => Some(name),
                _ => None,
            }),
            serial,
        })
    }

    /// Every URL among the distribution points of cRLDistributionPoints.
    pub(crate) fn to_distribution_urls(&self) -> Result<Vec<String>, Malformed> {
        let mut points = Reader::sequence_of(&self.value, "a CRLDistributionPoints")?;
        let mut urls = Vec::new();
        while !points.is_empty() {
            let mut point = points.sequence("a DistributionPoint")?;
            let name = point.optional(tag::explicit(0))?;
            if let Some(name) = name {
                let name = Reader::single(name.content)?;
                match name.tag {
                    tag if tag == tag::explicit(0) => {
                        let names = general_names(name.reader())?.into_iter();
                        urls.extend(names.filter_map(|name| match name {
                            GeneralName::Uri(url) => Some(url),
                            _ => None,
                        }));
                    }
                    // The end of a name, relative to the issuer's.
                    tag if tag == tag::explicit(1) => {}
                    _ => return Err(Malformed::Unexpected("a DistributionPointName")),
                }
            }
            if let Some(reasons) = point.optional(tag::context(1))? {
                reasons.bits()?;
            }
            let issuer = point.optional(tag::explicit(2))?;
            if let Some(issuer) = issuer {
                general_names(issuer.reader())?;
            }
            if name.is_none() && issuer.is_none() {
                return Err(Malformed::Value("a distribution point has no location"));
            }
            point.end()?;
        }
        Ok(urls)
    }

    /// The value of policyConstraints: how many certificates further on a policy has to be explicit,
    /// and how many further on none is mapped (section 4.2.1.11).
    pub(crate) fn to_policy_constraints(&self) -> Result<(Option<u32>, Option<u32>), Malformed> {
        let pkix::PolicyConstraints {
            require_explicit_policy,
            inhibit_policy_mapping,
        } = self.read("a PolicyConstraints")?;
        match (require_explicit_policy, inhibit_policy_mapping) {
            (None, None) => Err(Malformed::Value("policy constraints are empty")),
            constraints => Ok(constraints),
        }
    }

    /// The value of policyMappings: pairs of an issuer domain policy and a subject domain policy. anyPolicy is
    /// mapped neither from nor to (section 4.2.1.5).
    pub(crate) fn to_policy_mappings(
        &self,
    ) -> Result<Vec<(ObjectIdentifier, ObjectIdentifier)>, Malformed> {
        let pkix::PolicyMappings(mappings) = self.read("a PolicyMappings")?;
        if mappings.is_empty() {
            return Err(Malformed::Value("policy mappings are empty"));
        }
        let pair = |mapping: pkix::PolicyMapping| {
            [mapping.issuer_domain_policy, mapping.subject_domain_policy]
        };
        let policies = minimal(mappings.into_iter().flat_map(pair).collect())?;
        if policies.contains(&oid::ANY_POLICY) {
            return Err(Malformed::Value("policy mappings map anyPolicy"));
        }
        let (pairs, _) = policies.as_chunks();
        Ok(pairs
            .iter()
            .map(|[issuers, subjects]| (*issuers, *subjects))
            .collect())
    }

    /// The value of inhibitAnyPolicy: how many certificates further on anyPolicy does not count (section
    /// 4.2.1.14).
    pub(crate) fn to_inhibit_any_policy(&self) -> Result<u32, Malformed> {
        let pkix::InhibitAnyPolicy(skipped) = self.read("an InhibitAnyPolicy")?;
        Ok(skipped)
    }

    /// Reads the value, if it is of a kind that a path is judged by; of any other it is not looked at.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        match self.oid {
            oid::BASIC_CONSTRAINTS => self.to_basic_constraints().map(drop),
            oid::KEY_USAGE => self.to_key_usage().map(drop),
            oid::EXT_KEY_USAGE => self.to_extended_key_usage().map(drop),
            oid::SUBJECT_ALT_NAME => self.to_general_names().map(drop),
            oid::NAME_CONSTRAINTS => NameConstraints::from_der(&self.value).map(drop),
            oid::SUBJECT_KEY_IDENTIFIER => self.to_subject_key_identifier().map(drop),
            oid::AUTHORITY_KEY_IDENTIFIER => self.to_authority_key_identifier().map(drop),
            oid::CRL_DISTRIBUTION_POINTS => self.to_distribution_urls().map(drop),
            oid::CERTIFICATE_POLICIES => self.to_policies().map(drop),
            oid::POLICY_CONSTRAINTS => self.to_policy_constraints().map(drop),
            oid::POLICY_MAPPINGS => self.to_policy_mappings().map(drop),
            oid::INHIBIT_ANY_POLICY => self.to_inhibit_any_policy().map(drop),
            _ => Ok(()),
        }
    }

    /// Access method and location of each entry of authorityInfoAccess or subjectInfoAccess.
    pub(crate) fn to_access_descriptions(
        &self,
    ) -> Result<Vec<(ObjectIdentifier, GeneralName)>, Malformed> {
        let mut list = Reader::sequence_of(&self.value, "an AuthorityInfoAccessSyntax")?;
        let mut descriptions = Vec::new();
        while !list.is_empty() {
            let mut description = list.sequence("an AccessDescription")?;
            let method = description.oid("an access method")?;
            descriptions.push((method, GeneralName::decode(&description.any()?)?));
        }
        Ok(descriptions)
    }

    /// The policies of certificatePolicies, without their qualifiers.
    pub(crate) fn to_policies(&self) -> Result<Vec<ObjectIdentifier>, Malformed> {
        // Qualifiers are not read: other CAs write some that x509-cert does not take.
        let mut list = Reader::sequence_of(&self.value, "a CertificatePolicies")?;
        let mut policies = Vec::new();
        while !list.is_empty() {
            let mut policy = list.sequence("a PolicyInformation")?;
            let identifier = policy.expect(tag::OBJECT_IDENTIFIER, "a policy identifier")?;
            policies.push(identifier.oid()?);
            policy.optional(tag::SEQUENCE)?;
            policy.end()?;
        }
        Ok(policies)
    }
}

fn octet_string(content: &[u8]) -> OctetString {
    OctetString::new(content).expect("it is far below 256 MiB")
}

/// Identifiers none of whose arcs has a leading zero: const-oid takes those too, and holds them for others.
fn minimal(identifiers: Vec<ObjectIdentifier>) -> Result<Vec<ObjectIdentifier>, Malformed> {
    let mut all = identifiers.iter();
    if all.all(|identifier| has_minimal_arcs(identifier.as_bytes())) {
        return Ok(identifiers);
    }
    Err(Malformed::BAD_OID)
}

fn general_names(mut reader: Reader<'_>) -> Result<Vec<GeneralName>, Malformed> {
    let mut names = Vec::new();
    while !reader.is_empty() {
        names.push(GeneralName::decode(&reader.any()?)?);
    }
    Ok(names)
}

/// The names of the bits that are set in a keyUsage.
pub(crate) fn key_usage_names(bits: u16) -> Vec<&'static str> {
    let set = |index: &usize| bits & 1 << index != 0;
    (0..key_usage::NAMES.len())
        .filter(set)
        .map(|index| key_usage::NAMES[index])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(oids: impl IntoIterator<Item = ObjectIdentifier>) -> Result<usize, Malformed> {
        let der = sequence(|list| {
            for oid in oids {
                Extension::new(oid, false, Vec::new()).encode(list);
            }
        });
        Extension::decode_all(&der).map(|extensions| extensions.len())
    }

    #[test]
    fn an_extension_that_is_there_twice_is_refused() {
        assert_eq!(decode([oid::KEY_USAGE, oid::SUBJECT_ALT_NAME]), Ok(2));
        assert!(decode([oid::KEY_USAGE, oid::SUBJECT_ALT_NAME, oid::KEY_USAGE]).is_err());
    }

    /// Some 5 MB; comparing each with each would take minutes.
    #[test]
    fn very_many_extensions_are_read_in_no_time() {
        let number = |number: u32| {
            ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999")
                .push_arc(number)
                .unwrap()
        };
        let start = std::time::Instant::now();
        assert_eq!(decode((0..250_000).map(number)), Ok(250_000));
        assert!(start.elapsed().as_secs() < 20);
    }
}
