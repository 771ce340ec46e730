//! Leaves: certificates of servers, people and machines.

use crate::ca::error::CaError;
use crate::ca::file_name::named_by;
use crate::ca::issuance::asked::{Asked, has_underscore, not_taken};
use crate::ca::issuance::draft::{Content, Draft};
use crate::ca::issuance::error::IssuanceError;
use crate::ca::issuance::issue::{References, Steps};
use crate::ca::issuance::issuer::{Issuer, KeyAge};
use crate::ca::issuance::lifetime::{End, Lifetime};
use crate::ca::notice::Notice;
use crate::ca::owner::KeyOf;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::profiles::LeafProfile;
use crate::key::{KeyError, KeyType, PrivateKey, PublicKey, PublicKeyAlgorithm};
use crate::store::{Ca, CaRecord, EntryId, Issuance, LockedCa};
use crate::x509::extension::{BasicConstraints, Extension, key_usage, key_usage_names};
use crate::x509::request::CertificationRequest;
use crate::x509::{Certificate, GeneralName, Name, Profile, Serial, Validity};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Leaf to issue.
#[derive(Clone)]
pub(crate) struct LeafRequest {
    /// The subject; `None` takes the request's, or leaves it empty.
    pub(crate) subject: Option<Name>,
    /// Alternative names, beside those of a request.
    pub(crate) alternative_names: Vec<GeneralName>,
    pub(crate) profile: LeafProfile,
    pub(crate) lifetime: Lifetime,
    pub(crate) key: KeySource,
}

impl LeafRequest {
    /// The common name that the certificate gets.
    pub(crate) fn common_name(&self) -> Option<String> {
        match (&self.subject, &self.key) {
            (Some(subject), _) => subject.common_name(),
            (
                None,
                KeySource::Request {
                    request,
                    names: CsrNames::Add,
                    ..
                },
            ) => request.subject().common_name(),
            (None, _) => None,
        }
    }

    /// Returns the base name of the files of a certificate with this subject and these SANs.
    pub(crate) fn name_of_files(subject: Option<&Name>, names: &[GeneralName]) -> String {
        let common_name = subject.and_then(Name::common_name).unwrap_or_default();
        let first = names.first().map(GeneralName::to_string);
        named_by(&common_name, first.as_deref())
    }

    /// Returns the base name of the certificate's files, as [`file_name`](crate::ca::file_name::file_name) does of
    /// one that was issued.
    pub(crate) fn file_name(&self) -> String {
        let asked = self.alternative_names.first().map(GeneralName::to_string);
        let san = asked.or_else(|| match &self.key {
            KeySource::Request {
                request,
                names: CsrNames::Add,
                ..
            } => {
                let names = request.subject_alt_names().ok()?;
                let usable = names.iter().find(|name| name.checked().is_some());
                usable.map(ToString::to_string)
            }
            _ => None,
        });
        named_by(&self.common_name().unwrap_or_default(), san.as_deref())
    }

    /// Checks, without its CA, that it has the names that its profile needs.
    pub(crate) fn check(&self) -> Result<(), CaError> {
        let KeySource::Generate(_) = self.key else {
            return Ok(());
        };
        let asked = Asked {
            subject: self.subject.clone(),
            alternative_names: self.alternative_names.clone(),
        };
        let asked = asked.with_subject_of(&self.profile)?;
        asked.check(&self.profile)?;
        if let (Some(End::Days(days)), Some(most)) = (self.lifetime.end, self.profile.most_days())
            && days > most
        {
            let profile = self.profile.to_string();
            return Err(IssuanceError::ProfileDays { profile, most }.into());
        }
        Ok(())
    }
}

/// Source of a leaf's key.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// Made here and kept in the store.
    Generate(KeyType),
    /// Made elsewhere; the request proves that its sender has it.
    Request {
        /// The request's file, for errors.
        path: PathBuf,
        /// The request.
        request: Box<CertificationRequest>,
        names: CsrNames,
    },
}

/// Use of the subject and the SANs of a CSR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CsrNames {
    /// Its subject if no other is given, and its SANs beside those that are.
    #[default]
    Add,
    /// None of them: the names that are given replace them.
    Replace,
}

/// A use of the names of a CSR that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not supported; use add or replace")]
pub(crate) struct UnknownCsrNames(String);

impl FromStr for CsrNames {
    type Err = UnknownCsrNames;

    fn from_str(text: &str) -> Result<Self, UnknownCsrNames> {
        match text {
            "add" => Ok(Self::Add),
            "replace" => Ok(Self::Replace),
            _ => Err(UnknownCsrNames(text.to_owned())),
        }
    }
}

/// Leaf that was issued.
pub(crate) struct Issued {
    /// The certificate.
    pub(crate) certificate: Certificate,
    /// Its record.
    pub(crate) issuance: Issuance,
    /// Its key, where it was made here.
    pub(crate) key: Option<PrivateKey>,
    pub(crate) notices: Vec<Notice>,
}

/// Issues one certificate.
pub(crate) fn issue(
    issuer: &Issuer,
    request: LeafRequest,
    now: OffsetDateTime,
) -> Result<Issued, CaError> {
    let mut notices = Vec::new();
    let (draft, key) = draft(issuer, request, now, &mut notices)?;
    issue_draft(issuer, &draft, key, InPlaceOf::default(), notices)
}

/// Check of the CA under its lock.
pub(crate) type Check<'a> = &'a mut dyn FnMut(&Ca) -> Result<(), CaError>;

/// Certificate whose place is taken, if any.
#[derive(Default)]
pub(crate) struct InPlaceOf<'a> {
    pub(crate) serial: Option<Serial>,
    /// Refuses, under the CA's lock, what another process renewed meanwhile.
    pub(crate) check: Option<Check<'a>>,
    /// Entry of a declaration that it is issued for.
    pub(crate) entry: Option<EntryId>,
}

/// Issues a draft, perhaps in the place of another certificate.
pub(crate) fn issue_draft(
    issuer: &Issuer,
    draft: &Draft,
    key: Option<PrivateKey>,
    before: InPlaceOf<'_>,
    notices: Vec<Notice>,
) -> Result<Issued, CaError> {
    issue_signed_by(issuer, draft, key, Signer::Issuer, before, notices)
}

/// Owner of the key that signs a leaf.
pub(crate) enum Signer<'a> {
    Issuer,
    /// The leaf itself: a defect.
    Leaf,
    /// Another CA: a defect.
    Other(&'a PrivateKey),
}

/// As [`issue_draft`], signed with another key.
pub(crate) fn issue_signed_by(
    issuer: &Issuer,
    draft: &Draft,
    key: Option<PrivateKey>,
    signer: Signer<'_>,
    before: InPlaceOf<'_>,
    notices: Vec<Notice>,
) -> Result<Issued, CaError> {
    let references = References {
        renews: before.serial,
        entry: before.entry,
        row: None,
    };
    let mut steps = LeafSteps {
        key_pem: protected(issuer, key.as_ref())?,
        key: key.as_ref(),
        is_renewed: before.serial.is_some(),
        check: before.check,
        signer,
    };
    let (certificate, issuance) = issuer.issue(draft, references, &mut steps)?;
    Ok(Issued {
        certificate,
        issuance,
        key,
        notices,
    })
}

/// Key of a leaf as the store keeps it.
pub(super) fn protected(
    issuer: &Issuer,
    key: Option<&PrivateKey>,
) -> Result<Option<Zeroizing<Vec<u8>>>, CaError> {
    let Some(key) = key else {
        return Ok(None);
    };
    let pem = issuer.protection()?.to_pem(key);
    Ok(Some(pem.map_err(KeyUseError::Encoding)?))
}

struct LeafSteps<'k, 'c> {
    key: Option<&'k PrivateKey>,
    key_pem: Option<Zeroizing<Vec<u8>>>,
    is_renewed: bool,
    check: Option<Check<'c>>,
    signer: Signer<'k>,
}

impl Steps for LeafSteps<'_, '_> {
    fn check(&mut self, issuer: &Issuer, draft: &Draft) -> Result<(), CaError> {
        let age = match self.key {
            Some(_) if !self.is_renewed => KeyAge::New,
            _ => KeyAge::Known,
        };
        issuer.look_at_leaves([(draft, age)])?;
        self.check
            .as_mut()
            .map_or(Ok(()), |check| check(issuer.ca()))
    }

    fn key(&self) -> Option<&PrivateKey> {
        match self.signer {
            Signer::Issuer => None,
            Signer::Leaf => self.key,
            Signer::Other(key) => Some(key),
        }
    }

    fn keep(&mut self, serial: &Serial, _: &Certificate, ca: &LockedCa<'_>) -> Result<(), CaError> {
        if let Some(pem) = &self.key_pem {
            ca.store_leaf_key(serial, pem)?;
        }
        Ok(())
    }

    fn discard(&mut self, serial: &Serial, ca: &LockedCa<'_>) {
        if self.key_pem.is_some() {
            let _ = ca.remove_leaf_key(serial);
        }
    }
}

/// Drafts a leaf, and makes its key if it is to be made here.
pub(crate) fn draft(
    issuer: &Issuer,
    request: LeafRequest,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<(Draft, Option<PrivateKey>), CaError> {
    let mut made = None;
    let generate = |kind| {
        let key = PrivateKey::generate(kind)?;
        Ok(made.insert(key).public().clone())
    };
    let draft = draft_with(issuer, request, generate, now, notices)?;
    Ok((draft, made))
}

/// Drafts a leaf; `generate` returns the public key of a new key.
pub(crate) fn draft_with(
    issuer: &Issuer,
    request: LeafRequest,
    generate: impl FnOnce(KeyType) -> Result<PublicKey, KeyError>,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<Draft, CaError> {
    let validity = request.lifetime.resolve(
        now,
        request.profile.default_validity(),
        Some(issuer.ca().certificate()),
        notices,
    )?;
    check_length(&request.profile, validity)?;
    let content = content(issuer, request, validity, generate, notices)?;
    issuer.draft(content)
}

/// Holds a validity to the profile.
pub(crate) fn check_length(profile: &LeafProfile, validity: Validity) -> Result<(), IssuanceError> {
    match profile.most_days() {
        Some(most) if validity.not_after - validity.not_before > Duration::days(most.into()) => {
            let profile = profile.to_string();
            Err(IssuanceError::ProfileDays { profile, most })
        }
        _ => Ok(()),
    }
}

/// Refuses a key usage that a file orders and the key does not have (RFC 3279 section 2.3.1, RFC 8813
/// section 3, RFC 8410 section 5).
pub(crate) fn check_key_usage(profile: &LeafProfile, key: &PublicKey) -> Result<(), IssuanceError> {
    use key_usage::{DATA_ENCIPHERMENT, KEY_AGREEMENT, KEY_ENCIPHERMENT};
    let ordered = profile.custom().and_then(|custom| custom.key_usage());
    let refused = match key.algorithm() {
        PublicKeyAlgorithm::Rsa { .. } => KEY_AGREEMENT,
        PublicKeyAlgorithm::Ec(_) => KEY_ENCIPHERMENT | DATA_ENCIPHERMENT,
        _ => KEY_ENCIPHERMENT | DATA_ENCIPHERMENT | KEY_AGREEMENT,
    };
    match key_usage_names(ordered.unwrap_or_default() & refused).first() {
        Some(usage) => Err(IssuanceError::ProfileKeyUsage {
            profile: profile.to_string(),
            usage,
            kind: key.algorithm().to_string(),
        }),
        None => Ok(()),
    }
}

/// Content of the draft of a leaf.
pub(crate) fn content(
    issuer: &Issuer,
    request: LeafRequest,
    validity: Validity,
    generate: impl FnOnce(KeyType) -> Result<PublicKey, KeyError>,
    notices: &mut Vec<Notice>,
) -> Result<Content, CaError> {
    let LeafRequest {
        subject,
        alternative_names,
        profile,
        lifetime: _,
        key,
    } = request;
    let asked = Asked {
        subject,
        alternative_names,
    };
    let (asked, public_key) = match key {
        KeySource::Generate(kind) => {
            let asked = asked.with_subject_of(&profile)?;
            asked.check(&profile)?;
            let public = generate(kind).map_err(KeyUseError::Randomness)?;
            if public.algorithm().is_rarely_supported() {
                notices.push(Notice::RareKeyType {
                    kind: kind.to_string(),
                });
            }
            (asked, public)
        }
        KeySource::Request {
            path,
            request,
            names,
        } => {
            may_be_certified(&path, &request)?;
            issuer.refuse_compromised(request.public_key(), KeyOf::Request)?;
            let mut ignored = Vec::new();
            let asked = match names {
                CsrNames::Add => asked.merged_with(&path, &request, &profile, &mut ignored)?,
                CsrNames::Replace => asked.with_subject_of(&profile)?,
            };
            ignored.extend(not_taken(&request));
            if !ignored.is_empty() {
                notices.push(Notice::IgnoredFromRequest { what: ignored });
            }
            (asked, request.public_key().clone())
        }
    };
    check_key_usage(&profile, &public_key)?;
    let names = asked.check(&profile)?;
    if let Some(notice) = about_underscores(&names, profile.base()) {
        notices.push(notice);
    }
    let subject = asked.subject.unwrap_or_else(Name::empty);
    issuer.refuse_subject_of_ca(&subject)?;
    let names =
        (!names.is_empty()).then(|| Extension::subject_alt_name(&names, subject.is_empty()));
    let extensions = leaf_extensions(names, &profile, &public_key, issuer.ca().record());
    Ok(Content {
        subject,
        validity,
        public_key,
        extensions,
        profile: (&profile).into(),
        custom: profile.custom().cloned(),
    })
}

/// Names with an underscore say who a client is; a server is looked for by such a name.
fn about_underscores(names: &[GeneralName], profile: Profile) -> Option<Notice> {
    let names = names.iter().filter(|name| has_underscore(name));
    let names: Vec<String> = names.map(ToString::to_string).collect();
    (profile != Profile::Client && !names.is_empty()).then_some(Notice::Underscores { names })
}

/// Refuses a CSR that is not signed with its key, or whose key is none that may be certified.
pub(crate) fn may_be_certified(path: &Path, request: &CertificationRequest) -> Result<(), CaError> {
    let failed = |source: KeyError| CaError::Input {
        path: path.to_owned(),
        expected: "a CSR that can be used",
        source: source.into(),
    };
    request.public_key().check_certifiable().map_err(failed)?;
    request.verify().map_err(failed)
}

/// Extensions of a leaf of a profile, with its SANs.
pub(crate) fn leaf_extensions(
    names: Option<Extension>,
    profile: &LeafProfile,
    key: &PublicKey,
    ca: &CaRecord,
) -> Vec<Extension> {
    let mut extensions = vec![
        Extension::basic_constraints(BasicConstraints {
            ca: false,
            path_length: None,
        }),
        Extension::key_usage(profile.key_usage(key)),
        Extension::extended_key_usage(profile.purposes()),
    ];
    extensions.extend(names);
    extensions.extend(profile.extensions());
    // A responder that is not to be checked needs no pointer to its revocation (RFC 6960 4.2.2.2.1).
    extensions.extend(pointers(ca, profile.base() != Profile::Ocsp));
    extensions
}

/// Extensions with the URLs of a CA's CRL, certificate and responder.
pub(crate) fn pointers(ca: &CaRecord, revocation: bool) -> Vec<Extension> {
    let mut extensions = Vec::new();
    if revocation && !ca.crl_urls.is_empty() {
        extensions.push(Extension::crl_distribution_points(&ca.crl_urls));
    }
    let ocsp: &[String] = if revocation { &ca.ocsp_urls } else { &[] };
    if !(ca.ca_issuers_urls.is_empty() && ocsp.is_empty()) {
        extensions.push(Extension::authority_info_access(&ca.ca_issuers_urls, ocsp));
    }
    extensions
}
