//! Issuing in two steps: a draft that passed the rules, and its signature.
//!
//! A draft is built, given a number and a signature that are none, and held to the rules before anything
//! else happens: what breaks a rule costs no serial number and never meets the CA's key. From then on its
//! octets stand; what is signed has its serial number in addition.

use crate::asn1::oid;
use crate::ca::error::CaError;
use crate::ca::fixture::Flaw;
use crate::key::{PrivateKey, PublicKey, SignatureAlgorithm};
use crate::store::Issuance;
use crate::x509::lint::{Candidate, Findings, lint};
use crate::x509::signed::assemble;
use crate::x509::{Certificate, Extension, Name, Serial, TbsCertificate, Unnumbered, Validity};

/// What stands for the signature while the rules are held to a draft: they see everything but that.
const NO_SIGNATURE: [u8; 64] = [0; 64];

/// A certificate that is right but for its serial number and signature.
pub struct Draft {
    subject: Name,
    validity: Validity,
    public_key: PublicKey,
    signature: SignatureAlgorithm,
    unnumbered: Unnumbered,
    profile: &'static str,
    flaw: Option<Flaw>,
}

/// What goes into a draft.
pub struct Content {
    /// subject.
    pub subject: Name,
    /// validity.
    pub validity: Validity,
    /// subjectPublicKeyInfo.
    pub public_key: PublicKey,
    /// Extensions other than the key identifiers; that of the subject only where it is not the one that
    /// the key would get.
    pub extensions: Vec<Extension>,
    /// What the journal calls its kind.
    pub profile: &'static str,
}

impl Draft {
    /// Builds a certificate for an issuer and holds it to the rules. `issuers` is the path from the
    /// issuer to its root; empty for a root.
    pub fn new(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
    ) -> Result<Self, CaError> {
        Self::built(content, issuers, signature, None)
    }

    /// As [`Draft::new`], of what is wrong on purpose: the rules that the flaw breaks are left out.
    pub(crate) fn with_flaw(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
        flaw: Flaw,
    ) -> Result<Self, CaError> {
        Self::built(content, issuers, signature, Some(flaw))
    }

    fn built(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
        flaw: Option<Flaw>,
    ) -> Result<Self, CaError> {
        let Content {
            subject,
            validity,
            public_key,
            mut extensions,
            profile,
        } = content;
        let is_identified = |extension: &Extension| extension.oid == oid::SUBJECT_KEY_IDENTIFIER;
        if !extensions.iter().any(is_identified) {
            extensions.push(Extension::subject_key_identifier(
                &public_key.key_identifier(),
            ));
        }
        if let Some(identifier) = issuers
            .first()
            .and_then(Certificate::subject_key_identifier)
        {
            extensions.push(Extension::authority_key_identifier(&identifier));
        }
        let tbs = TbsCertificate {
            signature,
            issuer: issuers.first().map_or(&subject, Certificate::subject),
            validity,
            subject: &subject,
            public_key: &public_key,
            extensions: &extensions,
        };
        let draft = Self {
            unnumbered: tbs.unnumbered(),
            subject,
            validity,
            public_key,
            signature,
            profile,
            flaw,
        };
        draft.check(issuers)?;
        Ok(draft)
    }

    /// The subject.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Holds it to the rules, but for those that its flaw breaks.
    fn check(&self, issuers: &[Certificate]) -> Result<(), CaError> {
        let stand_in = Serial::from_counter(1, u64::MAX).expect("a counter of one octet fits");
        let certificate = self.assembled(&self.unnumbered.numbered(&stand_in), &NO_SIGNATURE);
        let broken = self.flaw.map_or(&[][..], Flaw::broken_rules);
        check_rules(&certificate, issuers, broken)
    }

    fn assembled(&self, tbs: &[u8], signature: &[u8]) -> Certificate {
        let der = assemble(tbs, self.signature, signature);
        let certificate = Certificate::from_der(&der).expect("what was just written reads back");
        certificate.with_known_key(&self.public_key)
    }

    /// Signs with the issuer's key, or a root with its own; then reads what was signed: it has to
    /// verify.
    pub(crate) fn sign(&self, serial: &Serial, key: &PrivateKey) -> Result<Certificate, CaError> {
        let tbs = self.unnumbered.numbered(serial);
        let signature = key.sign(&tbs).map_err(CaError::NewKey)?;
        let certificate = self.assembled(&tbs, &signature);
        certificate
            .verify_signature(key.public())
            .map_err(CaError::NewKey)?;
        Ok(certificate)
    }

    /// The line that the journal gets.
    pub fn issuance(&self, serial: &Serial, certificate: &Certificate, counter: u128) -> Issuance {
        Issuance {
            serial: *serial,
            cn: self.subject.common_name().unwrap_or_default(),
            subject: self.subject.to_string(),
            sans: certificate
                .subject_alt_names()
                .iter()
                .map(ToString::to_string)
                .collect(),
            profile: self.profile.to_owned(),
            not_before: self.validity.not_before,
            not_after: self.validity.not_after,
            renews: None,
            row: None,
            entry: None,
            flaw: self.flaw.map(|flaw| flaw.to_string()),
            counter,
            der: Some(certificate.der().to_vec()),
        }
    }
}

/// Holds a certificate to the rules, but for those that are left out.
fn check_rules(
    certificate: &Certificate,
    issuers: &[Certificate],
    left_out: &[&str],
) -> Result<(), CaError> {
    let mut findings = lint(&Candidate {
        certificate,
        issuers,
    });
    findings.retain(|finding| !left_out.contains(&finding.rule));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(CaError::Lint {
            findings: Findings(findings),
        })
    }
}
