//! Certificates for CAs that are elsewhere: only their CSR is here.

use crate::asn1::oid;
use crate::ca::authority::create::{DEFAULT_VALIDITY, ca_extensions, path_length_under};
use crate::ca::error::CaError;
use crate::ca::issuance::{
    CompromisedKeys, Content, Draft, Issued, Issuer, Lifetime, Purpose, References,
    may_be_certified, refuse_taken_subject,
};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::passphrases::Passphrases;
use crate::store::{CaName, Store};
use crate::x509::{Certificate, CertificationRequest, Extension, Name, NameConstraints};
use std::path::PathBuf;
use time::OffsetDateTime;

/// CSR of a CA, and the certificate that it gets.
pub struct CaRequest {
    /// The CSR's file, for errors.
    pub path: PathBuf,
    pub request: CertificationRequest,
    /// The subject; `None` takes that of the CSR.
    pub subject: Option<Name>,
    pub lifetime: Lifetime,
    /// Path length constraint; `None` for the longest that the parent allows.
    pub path_length: Option<u32>,
    pub constraints: NameConstraints,
}

/// Issues the certificate of a CA for the key in a CSR. The issuing CA records it; no CA is added to the
/// store.
pub fn certify_ca(
    store: &Store,
    parent: &CaName,
    asked: &CaRequest,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Issued, CaError> {
    let limits = store.ca(parent)?;
    let key = asked.request.public_key();
    may_be_certified(&asked.path, &asked.request)?;
    CompromisedKeys::of(store)?.refuse(key, KeyOf::Request)?;
    let path_length = path_length_under(&limits, asked.path_length)?;
    let mut notices = Vec::new();
    let limit = Some(limits.certificate());
    let length = DEFAULT_VALIDITY;
    let validity = asked.lifetime.resolve(now, length, limit, &mut notices)?;
    if asked.lifetime.end.is_none() {
        // By default a CA expires with its parent CA at the latest.
        notices.clear();
    }
    let subject = match &asked.subject {
        Some(subject) => subject.clone(),
        None => asked
            .request
            .subject()
            .normalized()
            .map_err(|source| CaError::CsrSubject {
                path: asked.path.clone(),
                source,
            })?,
    };
    refuse_taken_subject(store, &subject, Some(key), now)?;
    let issuer = Issuer::open(store, parent, Purpose::Certificates, passphrases, now)?;
    issuer.refuse_own_name(&subject)?;
    let content = Content {
        subject,
        validity,
        public_key: asked.request.public_key().clone(),
        extensions: ca_extensions(path_length, &asked.constraints, Some(limits.record())),
        profile: "subordinate",
    };
    let draft = issuer.draft(content)?;

    // No CA comes into the store under the same subject meanwhile.
    let cas = store.lock_cas()?;
    let mut steps = |issuer: &Issuer, draft: &Draft| {
        refuse_taken_subject(store, draft.subject(), Some(key), now)?;
        issuer.refuse_compromised(key, KeyOf::Request)
    };
    let (certificate, issuance) = issuer.issue(&draft, References::default(), &mut steps)?;
    drop(cas);
    let what = ignored(asked, &certificate);
    if !what.is_empty() {
        notices.push(Notice::IgnoredFromRequest { what });
    }
    Ok(Issued {
        certificate,
        issuance,
        key: None,
        notices,
    })
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

/// Whether the certificate has what an extension of the request asks for.
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
