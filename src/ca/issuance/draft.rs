//! Certificates that passed lint and are not signed yet.
//!
//! A draft is linted with a placeholder serial number and signature before anything else happens: what
//! breaks a rule costs no serial number and never meets the CA's key. From then on its bytes stand; signing
//! adds the serial number alone.

use crate::asn1::oid;
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::profiles::CustomProfile;
use crate::key::{KeyType, PrivateKey, PublicKey, SignatureAlgorithm};
use crate::store::Issuance;
use crate::x509::lint::{Candidate, Findings, lint};
use crate::x509::signed::assemble;
use crate::x509::{
    Certificate, Extension, Name, RecordedProfile, Serial, TbsCertificate, Unnumbered, Validity,
};
use std::sync::Arc;

/// Placeholder signature of a draft that is linted: the rules see everything else.
const NO_SIGNATURE: [u8; 64] = [0; 64];

/// Certificate without its serial number and signature, which passed lint.
pub(crate) struct Draft {
    subject: Name,
    validity: Validity,
    public_key: PublicKey,
    signature: SignatureAlgorithm,
    unnumbered: Unnumbered,
    profile: RecordedProfile,
    custom: Option<Arc<CustomProfile>>,
    defect: Option<&'static str>,
}

/// Defect that a certificate has on purpose.
#[derive(Clone, Copy)]
pub(crate) struct Intended {
    /// Name of the defect, for the record.
    pub(crate) defect: &'static str,
    /// Lint rules that it breaks.
    pub(crate) broken_rules: &'static [&'static str],
}

/// Content of a draft.
pub(crate) struct Content {
    /// subject.
    pub(crate) subject: Name,
    /// validity.
    pub(crate) validity: Validity,
    /// subjectPublicKeyInfo.
    pub(crate) public_key: PublicKey,
    /// Extensions other than the key identifiers; that of the subject only where it is not the one that
    /// the key would get.
    pub(crate) extensions: Vec<Extension>,
    /// Its profile in the record.
    pub(crate) profile: RecordedProfile,
    /// Its profile, if a file defines it.
    pub(crate) custom: Option<Arc<CustomProfile>>,
}

impl Draft {
    /// Builds and lints a certificate. `issuers` is the path from the issuer to its root; empty for a root.
    pub(crate) fn new(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
    ) -> Result<Self, CaError> {
        Self::built(content, issuers, signature, None)
    }

    /// As [`Draft::new`], of a certificate with a defect: the rules that it breaks are left out.
    pub(crate) fn with_defect(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
        intended: Intended,
    ) -> Result<Self, CaError> {
        Self::built(content, issuers, signature, Some(intended))
    }

    fn built(
        content: Content,
        issuers: &[Certificate],
        signature: SignatureAlgorithm,
        intended: Option<Intended>,
    ) -> Result<Self, CaError> {
        let Content {
            subject,
            validity,
            public_key,
            mut extensions,
            profile,
            custom,
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
            custom,
            defect: intended.map(|intended| intended.defect),
        };
        draft.check(
            issuers,
            intended.map_or(&[], |intended| intended.broken_rules),
        )?;
        Ok(draft)
    }

    /// The subject.
    pub(crate) fn subject(&self) -> &Name {
        &self.subject
    }

    /// The public key.
    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Lints it, but for the rules that are left out.
    fn check(&self, issuers: &[Certificate], left_out: &[&str]) -> Result<(), CaError> {
        let stand_in = Serial::from_counter(1, u64::MAX).expect("a counter of one byte fits");
        let certificate = self.assembled(&self.unnumbered.numbered(&stand_in), &NO_SIGNATURE);
        let mut findings = lint(&Candidate {
            certificate: &certificate,
            issuers,
        });
        let has_ordered = self
            .custom
            .as_ref()
            .is_some_and(|custom| custom.has_critical_extensions());
        findings.retain(|finding| {
            let is_ordered = has_ordered && finding.rule == "only_known_extensions_are_critical";
            !is_ordered && !left_out.contains(&finding.rule)
        });
        if findings.is_empty() {
            Ok(())
        } else {
            Err(CaError::from(IssuanceError::Lint {
                findings: Findings(findings),
            }))
        }
    }

    fn assembled(&self, tbs: &[u8], signature: &[u8]) -> Certificate {
        let der = assemble(tbs, self.signature, signature);
        let certificate = Certificate::from_der(&der).expect("what was just written reads back");
        certificate.with_known_key(&self.public_key)
    }

    /// Signs with the issuer's key, or a root with its own, and verifies what was signed.
    pub(super) fn sign(&self, serial: &Serial, key: &PrivateKey) -> Result<Certificate, CaError> {
        let tbs = self.unnumbered.numbered(serial);
        let signature = key.sign(&tbs).map_err(KeyUseError::Signing)?;
        let certificate = self.assembled(&tbs, &signature);
        certificate
            .verify_signature(key.public())
            .map_err(KeyUseError::Verification)?;
        Ok(certificate)
    }

    /// Returns the record of the certificate, without the CA's counter.
    pub(super) fn issuance(&self, serial: &Serial, certificate: &Certificate) -> Issuance {
        Issuance {
            serial: *serial,
            cn: self.subject.common_name().unwrap_or_default(),
            subject: self.subject.to_string(),
            sans: certificate
                .subject_alt_names()
                .iter()
                .map(ToString::to_string)
                .collect(),
            profile: self.profile.clone(),
            profile_hash: self.custom.as_ref().map(|custom| custom.hash().to_owned()),
            not_before: self.validity.not_before,
            not_after: self.validity.not_after,
            renews: None,
            row: None,
            entry: None,
            flaw: self.defect.map(str::to_owned),
            counter: 0,
            at: None,
            der: Some(certificate.der().to_vec()),
        }
    }
}

/// The kind of key that a certificate is about.
pub(crate) fn kind_of(certificate: &Certificate) -> Result<KeyType, CaError> {
    let kind = certificate.public_key().algorithm().to_string();
    kind.parse()
        .map_err(|_| IssuanceError::UnmakeableKey { kind }.into())
}
