//! Names of a leaf, given by the user and by a CSR.

use crate::asn1::oid;
use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::profiles::LeafProfile;
use crate::x509::request::CertificationRequest;
use crate::x509::{Certificate, GeneralName, Name};
use const_oid::ObjectIdentifier;
use std::collections::HashSet;
use std::path::Path;

/// Most SANs of a leaf. With names of usual length its certificate is as large then as TLS libraries take.
const MOST_NAMES: usize = 10_000;

/// Names of a leaf, given by the user and by a CSR.
pub(super) struct Asked {
    pub(super) subject: Option<Name>,
    pub(super) alternative_names: Vec<GeneralName>,
}

impl Asked {
    /// Returns the SANs of the certificate: each once, the common name among them if the profile looks
    /// for it there. One with an underscore is no host name, and is added only if there is no other.
    pub(super) fn check(&self, profile: &LeafProfile) -> Result<Vec<GeneralName>, CaError> {
        self.check_other_names(profile)?;
        let profile_name = profile.to_string();
        let profile = profile.base();
        let common_name = self.subject.as_ref().and_then(Name::common_name);
        let from_common_name = common_name
            .as_deref()
            .and_then(|name| profile.alternative_name_of(name))
            .filter(|name| {
                !has_underscore(name) || !profile.has_required_name(&self.alternative_names)
            });
        let mut seen = HashSet::new();
        let names = from_common_name.iter().chain(&self.alternative_names);
        let names: Vec<GeneralName> = names.filter(|name| seen.insert(*name)).cloned().collect();
        if names.len() > MOST_NAMES {
            return Err(IssuanceError::TooManyNames {
                count: names.len(),
                most: MOST_NAMES,
            }
            .into());
        }
        if self.subject.as_ref().is_none_or(Name::is_empty) && names.is_empty() {
            return Err(IssuanceError::Nameless.into());
        }
        if let Some(kind) = profile
            .required_name()
            .filter(|_| !profile.has_required_name(&names))
        {
            let profile = profile_name;
            return Err(IssuanceError::NeedsAlternativeName { profile, kind }.into());
        }
        Ok(names)
    }

    /// Refuses SANs of a type that only a profile of a file allows.
    fn check_other_names(&self, profile: &LeafProfile) -> Result<(), IssuanceError> {
        const USUAL: [ObjectIdentifier; 2] = [oid::USER_PRINCIPAL_NAME, oid::KERBEROS_PRINCIPAL];
        let kinds = self.alternative_names.iter();
        let mut kinds = kinds.filter_map(GeneralName::other_name_type);
        match kinds.find(|kind| !USUAL.contains(kind) && !profile.allows_other_name(kind)) {
            Some(kind) => Err(IssuanceError::OtherName {
                kind,
                profile: profile.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Makes the subject that the profile orders, unless a whole one is given.
    pub(super) fn with_subject_of(mut self, profile: &LeafProfile) -> Result<Self, CaError> {
        if !self.subject.as_ref().is_some_and(has_more) {
            self.order_subject(profile)?;
        }
        Ok(self)
    }

    fn order_subject(&mut self, profile: &LeafProfile) -> Result<(), CaError> {
        let Some(template) = profile.custom().and_then(|custom| custom.subject()) else {
            return Ok(());
        };
        let common_name = self.subject.as_ref().and_then(Name::common_name);
        let Some(common_name) = common_name else {
            let profile = profile.to_string();
            return Err(IssuanceError::ProfileSubject { profile }.into());
        };
        self.subject = Some(template.filled(&common_name)?);
        Ok(())
    }

    /// Takes subject and SANs from a CSR, held to the rules of names that are typed; what is not taken
    /// goes to `ignored`.
    pub(super) fn merged_with(
        mut self,
        path: &Path,
        request: &CertificationRequest,
        profile: &LeafProfile,
        ignored: &mut Vec<String>,
    ) -> Result<Self, CaError> {
        let asked = request.subject();
        if self.subject.is_some() {
            if self.subject.as_ref() != Some(asked) && !asked.is_empty() {
                ignored.push(format!("the subject {asked}"));
            }
            self = self.with_subject_of(profile)?;
        } else {
            let subject = asked.normalized();
            let subject = subject.map_err(|source| IssuanceError::CsrSubject {
                path: path.to_owned(),
                source,
            })?;
            self.subject = Some(subject).filter(|name| !name.is_empty());
            let before = self.subject.clone();
            self.order_subject(profile)?;
            if before != self.subject && has_more(asked) {
                ignored.push(format!("the subject {asked}"));
            }
        }
        let unusable = |source: InputError| {
            let path = path.to_owned();
            CaError::from(IssuanceError::CsrSan { path, source })
        };
        let names = request.subject_alt_names();
        for name in names.map_err(|error| unusable(error.into()))? {
            let kind = name.other_name_type();
            let is_allowed = kind.is_none_or(|kind| profile.allows_other_name(&kind));
            match name.checked().filter(|_| is_allowed) {
                Some(Ok(checked)) => self.alternative_names.push(checked),
                Some(Err(error)) => return Err(unusable(error.into())),
                None => ignored.push(format!("the SAN {name}")),
            }
        }
        Ok(self)
    }
}

/// Holds the subject and the SANs of a certificate to a profile.
pub(crate) fn check_names(certificate: &Certificate, profile: &LeafProfile) -> Result<(), CaError> {
    let subject = certificate.subject().clone();
    let asked = Asked {
        subject: Some(subject).filter(|subject| !subject.is_empty()),
        alternative_names: certificate.subject_alt_names(),
    };
    asked.check(profile).map(drop)
}

/// The extensions and attributes of a CSR that no certificate gets.
pub(super) fn not_taken(request: &CertificationRequest) -> impl Iterator<Item = String> {
    let extensions = request.extensions().iter().map(|extension| extension.oid);
    extensions
        .filter(|identifier| *identifier != oid::SUBJECT_ALT_NAME)
        .chain(request.other_attributes().iter().copied())
        .map(|identifier| oid::called(&identifier))
}

/// Returns whether a subject is more than a common name.
fn has_more(subject: &Name) -> bool {
    let attributes = subject.attributes();
    attributes.len() > 1 || subject.common_name().is_none() && !attributes.is_empty()
}

pub(super) fn has_underscore(name: &GeneralName) -> bool {
    matches!(name, GeneralName::Dns(host) if host.contains('_'))
}
