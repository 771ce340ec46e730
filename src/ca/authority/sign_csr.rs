//! Certificates for CAs that are elsewhere: only their CSR is here.

use crate::asn1::oid;
use crate::ca::authority::create::{
    DEFAULT_VALIDITY, ca_extensions, path_length_under, validity_under,
};
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::issuance::{
    CompromisedKeys, Content, Draft, Issuer, Lifetime, Purpose, References, may_be_certified,
    refuse_taken_subject,
};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::session::Session;
use crate::store::{CaName, Issuance};
use crate::x509::{
    Certificate, CertificationRequest, Extension, Name, NameConstraints, RecordedProfile,
};
use std::path::PathBuf;

/// CSR of a CA, and the certificate that it gets.
pub(crate) struct CaRequest {
    /// The CSR's file, for errors.
    pub(crate) path: PathBuf,
    pub(crate) request: CertificationRequest,
    /// The subject; `None` takes that of the CSR.
    pub(crate) subject: Option<Name>,
    pub(crate) lifetime: Lifetime,
    /// Path length constraint; `None` for the longest that the parent allows.
    pub(crate) path_length: Option<u32>,
    pub(crate) constraints: NameConstraints,
}

/// Issues the certificate of a CA for the key in a CSR. The issuing CA records it; no CA is added to the
/// store.
pub(crate) fn certify_ca(
    session: &mut Session<'_>,
    parent: &CaName,
    asked: &CaRequest,
) -> Result<(Certificate, Issuance), CaError> {
    let (store, now) = (session.store, session.now);
    let limits = store.ca(parent)?;
    let key = asked.request.public_key();
    may_be_certified(&asked.path, &asked.request)?;
    CompromisedKeys::of(store)?.refuse(key, KeyOf::Request)?;
    let path_length = path_length_under(&limits, asked.path_length)?;
    let validity = validity_under(&limits, asked.lifetime, DEFAULT_VALIDITY, session)?;
    let subject = match &asked.subject {
        Some(subject) => subject.clone(),
        None => asked.request.subject().normalized().map_err(|source| {
            CaError::from(IssuanceError::CsrSubject {
                path: asked.path.clone(),
                source,
            })
        })?,
    };
    refuse_taken_subject(store, &subject, Some(key), now)?;
    let issuer = session.issuer(parent, Purpose::Certificates)?;
    issuer.refuse_own_name(&subject)?;
    let content = Content {
        subject,
        validity,
        public_key: asked.request.public_key().clone(),
        extensions: ca_extensions(path_length, &asked.constraints, Some(limits.record())),
        profile: RecordedProfile::Subordinate,
        custom: None,
    };
    let draft = issuer.draft(content)?;

    // No CA comes into the store under the same subject meanwhile.
    let mut steps = |issuer: &Issuer, draft: &Draft| {
        refuse_taken_subject(store, draft.subject(), Some(key), now)?;
        issuer.refuse_compromised(key, KeyOf::Request)
    };
    let (certificate, issuance) =
        store.without_new_cas(|| issuer.issue(&draft, References::default(), &mut steps))?;
    let what = ignored(asked, &certificate);
    if !what.is_empty() {
        session.notices.push(Notice::IgnoredFromRequest { what });
    }
    Ok((certificate, issuance))
}

/// Lists what the CSR asks for and the certificate does not have.
fn ignored(asked: &CaRequest, certificate: &Certificate) -> Vec<String> {
    let request = &asked.request;
    let mut ignored = Vec::new();
    if let Some(subject) = &asked.subject
        && subject != request.subject()
        && !request.subject().is_empty()
    {
        ignored.push(format!("the subject {}", request.subject()));
    }
    let extensions = request.extensions().iter();
    let refused = extensions.filter(|extension| !is_granted(extension, certificate));
    let kinds = refused.map(|extension| extension.oid);
    let kinds = kinds.chain(request.other_attributes().iter().copied());
    ignored.extend(kinds.map(|identifier| oid::called(&identifier)));
    ignored
}

/// Returns whether the certificate has what an extension of the request asks for.
fn is_granted(extension: &Extension, certificate: &Certificate) -> bool {
    match extension.oid {
        oid::BASIC_CONSTRAINTS => extension.to_basic_constraints().is_ok_and(|asked| {
            let granted = certificate.basic_constraints();
            let length = granted.and_then(|granted| granted.path_length);
            asked.ca && (asked.path_length.is_none() || asked.path_length == length)
        }),
        oid::KEY_USAGE => extension.to_key_usage().is_ok_and(|asked| {
            let granted = certificate.key_usage().unwrap_or(0);
            asked & !granted == 0
        }),
        kind => certificate
            .extension(&kind)
            .is_some_and(|granted| granted.value == extension.value),
    }
}
