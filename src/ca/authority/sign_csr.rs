//! Signing somebody's request as a CA: the key and the CA stay where they are.

use crate::asn1::oid;
use crate::ca::authority::create::{DEFAULT_VALIDITY, ca_extensions, path_length_under};
use crate::ca::authority::subjects::refuse_taken_subject;
use crate::ca::error::CaError;
use crate::ca::issuance::CompromisedKeys;
use crate::ca::issuance::Lifetime;
use crate::ca::issuance::{Content, Draft};
use crate::ca::issuance::{Issued, may_be_certified, random_u64};
use crate::ca::issuance::{Issuer, Purpose};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::passphrases::Passphrases;
use crate::store::{CaName, Store};
use crate::x509::{Certificate, CertificationRequest, Extension, Name, NameConstraints};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Somebody's request to be a CA, and what they get of it.
pub struct CaRequest {
    /// The request's file, for errors.
    pub path: PathBuf,
    /// The request.
    pub request: CertificationRequest,
    /// The subject; `None` takes the request's.
    pub subject: Option<Name>,
    /// How long it is valid.
    pub lifetime: Lifetime,
    /// How many CAs may stand below it; `None` for as many as the parent allows.
    pub path_length: Option<u32>,
    /// The names that it may certify.
    pub constraints: NameConstraints,
}

/// Issues the certificate of a CA for the key in a request. It is recorded by the CA that signs, and
/// no CA comes to be in the store.
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
    let draft = Draft::new(content, issuer.path(), issuer.signature_algorithm())?;
    let random = random_u64()?;

    // No CA comes into the store under the same subject meanwhile.
    let cas = store.lock_cas()?;
    let mut signing = issuer.lock()?;
    refuse_taken_subject(store, draft.subject(), Some(key), now)?;
    issuer.refuse_compromised(key, KeyOf::Request)?;
    let serial = signing.reserve_serial(random)?;
    let certificate = issuer.sign(&draft, &serial)?;
    let issuance = draft.issuance(&serial, &certificate, signing.locked().counter());
    signing.record(std::slice::from_ref(&issuance))?;
    drop((signing, cas));
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

/// What the request asks for and the certificate does not have.
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
