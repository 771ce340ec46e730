//! Names of a leaf, given by the user and by a CSR.

use crate::asn1::oid;
use crate::ca::error::CaError;
use crate::ca::foreign::error::InputError;
use crate::ca::issuance::error::IssuanceError;
use crate::x509::request::CertificationRequest;
use crate::x509::{GeneralName, Name, Profile};
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
    pub(super) fn check(&self, profile: Profile) -> Result<Vec<GeneralName>, CaError> {
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
            return Err(IssuanceError::NeedsAlternativeName { profile, kind }.into());
        }
        Ok(names)
    }

    /// Takes subject and SANs from a CSR, held to the rules of names that are typed; what is not taken
    /// goes to `ignored`.
    pub(super) fn merged_with(
        mut self,
        path: &Path,
        request: &CertificationRequest,
        ignored: &mut Vec<String>,
    ) -> Result<Self, CaError> {
        if self.subject.is_none() {
            let subject = request.subject().normalized();
            let subject = subject.map_err(|source| IssuanceError::CsrSubject {
                path: path.to_owned(),
                source,
            })?;
            self.subject = Some(subject).filter(|name| !name.is_empty());
        } else if self.subject.as_ref() != Some(request.subject()) && !request.subject().is_empty()
        {
            ignored.push(format!("the subject {}", request.subject()));
        }
        let unusable = |source: InputError| {
            let path = path.to_owned();
            CaError::from(IssuanceError::CsrSan { path, source })
        };
        let names = request.subject_alt_names();
        for name in names.map_err(|error| unusable(error.into()))? {
            match name.checked() {
                Some(Ok(checked)) => self.alternative_names.push(checked),
                Some(Err(error)) => return Err(unusable(error.into())),
                None => ignored.push(format!("the SAN {name}")),
            }
        }
        Ok(self)
    }
}

/// The extensions and attributes of a CSR that no certificate gets.
pub(super) fn not_taken(request: &CertificationRequest) -> impl Iterator<Item = String> {
    let extensions = request.extensions().iter().map(|extension| extension.oid);
    extensions
        .filter(|identifier| *identifier != oid::SUBJECT_ALT_NAME)
        .chain(request.other_attributes().iter().copied())
        .map(|identifier| oid::called(&identifier))
}

pub(super) fn has_underscore(name: &GeneralName) -> bool {
    matches!(name, GeneralName::Dns(host) if host.contains('_'))
}
