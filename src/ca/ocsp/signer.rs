//! Signers of responses: a certificate of profile `ocsp` that its CA issued, or the CA.

use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuerError;
use crate::ca::issuance::{
    End, KeySource, LeafRequest, Lifetime, Purpose, check_standing, issue, open_leaf_key,
};
use crate::ca::notice::Notice;
use crate::ca::ocsp::error::OcspError;
use crate::ca::ocsp::{OcspRequest, ResponseTimes};
use crate::ca::passphrases::{ProtectedKey, Unlocked, protection_for};
use crate::ca::select::certificate_of;
use crate::ca::session::Session;
use crate::key::KeyType;
use crate::store::{Ca, Issuance, StoreError};
use crate::x509::ocsp::Responder;
use crate::x509::validity::Moment;
use crate::x509::{Certificate, Name, Profile, Serial};
use time::{Duration, OffsetDateTime};

/// Validity of a responder's certificate: nobody asks whether it is revoked (RFC 9919 section 3.2.2), so it is short.
const LIFETIME: Duration = Duration::days(90);

/// Signer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignerChoice {
    /// A responder; a new one gets a key of this type.
    Responder(KeyType),
    Ca,
}

/// Signer whose key is not open yet.
pub(crate) struct Signer {
    pub(crate) certificate: Certificate,
    /// Serial number of the responder; `None` if it is the CA.
    responder: Option<Serial>,
}

/// Signer whose key is open.
pub(crate) struct OpenSigner {
    pub(crate) signer: Signer,
    pub(crate) responder: Responder,
    /// Whether the certificate of the responder was issued now.
    pub(crate) is_new: bool,
}

impl Signer {
    /// Finds the signer, unless a responder has to be issued first: of those that are valid until the responses
    /// expire, the one that is valid longest.
    pub(crate) fn find(
        ca: &Ca,
        request: &OcspRequest,
        now: OffsetDateTime,
    ) -> Result<Option<Self>, CaError> {
        if request.signer == SignerChoice::Ca {
            return Ok(Some(Self::ca(ca)));
        }
        let until = until(ca, request, now);
        let mut found: Option<Issuance> = None;
        for issuance in recorded_responders(ca)? {
            let issuance = issuance?;
            let is_later = found
                .as_ref()
                .is_none_or(|found| found.not_after <= issuance.not_after);
            if issuance.not_before <= now
                && issuance.not_after >= until
                && is_later
                && ca.revoked(&issuance.serial)?.is_none()
                && ca.leaf_key_file(&issuance.serial)?.is_some()
            {
                found = Some(issuance);
            }
        }
        found
            .map(|issuance| {
                Ok(Self {
                    certificate: certificate_of(ca, &issuance)?,
                    responder: Some(issuance.serial),
                })
            })
            .transpose()
    }

    /// Returns the certificates that may sign for a CA now: those of its responders, wherever their keys are, and its own.
    pub(crate) fn all(ca: &Ca, now: OffsetDateTime) -> Result<Vec<Certificate>, CaError> {
        let mut all = Self::responders(ca, now)?;
        all.push(ca.certificate().clone());
        Ok(all)
    }

    /// Returns the certificates of a CA's responders that are valid now. One that a clock which was ahead dated in the
    /// future is among them: its responses are found to be of the future, too.
    pub(crate) fn responders(ca: &Ca, now: OffsetDateTime) -> Result<Vec<Certificate>, CaError> {
        let mut all = Vec::new();
        for issuance in recorded_responders(ca)? {
            let issuance = issuance?;
            if issuance.not_after >= now && ca.revoked(&issuance.serial)?.is_none() {
                all.push(certificate_of(ca, &issuance)?);
            }
        }
        Ok(all)
    }

    fn ca(ca: &Ca) -> Self {
        Self {
            certificate: ca.certificate().clone(),
            responder: None,
        }
    }

    /// Returns the times of responses that it signs now: they end with its certificate.
    pub(crate) fn times(&self, request: &OcspRequest, now: OffsetDateTime) -> ResponseTimes {
        let end = now + request.lifetime;
        ResponseTimes {
            this_update: now,
            next_update: end.min(self.certificate.validity().not_after),
        }
    }

    /// Opens its key.
    pub(crate) fn open(self, session: &mut Session<'_>, ca: &Ca) -> Result<OpenSigner, CaError> {
        let Some(serial) = self.responder else {
            let issuer = session.issuer(ca.name(), Purpose::Responses)?;
            return Ok(OpenSigner {
                signer: self,
                responder: Responder::new(issuer.into_key(), None),
                is_new: false,
            });
        };
        check_standing(session.store, ca, Purpose::Responses, session.now)?;
        let mut unlocked = Unlocked::new();
        let passphrases = &mut *session.passphrases;
        let key = open_leaf_key(ca, &serial, &self.certificate, &mut unlocked, passphrases)?;
        let key = key.expect("a signer is found by its key");
        Ok(OpenSigner {
            responder: Responder::new(key, Some(&self.certificate)),
            signer: self,
            is_new: false,
        })
    }
}

/// Returns the time until which a responder has to be valid.
fn until(ca: &Ca, request: &OcspRequest, now: OffsetDateTime) -> OffsetDateTime {
    (now + request.lifetime).min(ca.certificate().validity().not_after)
}

/// Returns whether responses of a CA can be signed here, or are: its key is here, or it has a valid responder.
pub(crate) fn is_answered_for(ca: &Ca, now: OffsetDateTime) -> Result<bool, CaError> {
    Ok(ca.has_key()? || !Signer::responders(ca, now)?.is_empty())
}

/// Finds the certificates of profile `ocsp` that a CA issued.
fn recorded_responders(
    ca: &Ca,
) -> Result<impl Iterator<Item = Result<Issuance, StoreError>>, StoreError> {
    let is_responder = |issuance: &Issuance| {
        issuance.profile == Profile::Ocsp.into()
            && issuance.flaw.is_none()
            && issuance.der.is_some()
    };
    let found = ca.issuances_mentioning(Profile::Ocsp.as_str())?;
    Ok(found.filter(move |issuance| issuance.as_ref().map_or(true, is_responder)))
}

impl OpenSigner {
    /// Adds to an error that the certificate of a responder was issued before.
    pub(crate) fn committed(&self, source: CaError) -> CaError {
        if !self.is_new {
            return source;
        }
        CaError::AfterCommit {
            what: "the certificate of the OCSP responder".into(),
            remedy: None,
            source: Box::new(source),
        }
    }

    /// Opens the signer that was found, or issues the certificate of a responder.
    pub(crate) fn of(
        found: Option<Signer>,
        session: &mut Session<'_>,
        ca: &Ca,
        request: &OcspRequest,
    ) -> Result<Self, CaError> {
        match (found, request.signer) {
            (Some(signer), _) => signer.open(session, ca),
            (None, SignerChoice::Ca) => Signer::ca(ca).open(session, ca),
            (None, SignerChoice::Responder(kind)) => issued(session, ca, request, kind),
        }
    }
}

/// Issues the certificate of a responder.
fn issued(
    session: &mut Session<'_>,
    ca: &Ca,
    request: &OcspRequest,
    kind: KeyType,
) -> Result<OpenSigner, CaError> {
    let until = until(ca, request, session.now);
    let mut issuer =
        session
            .issuer(ca.name(), Purpose::Certificates)
            .map_err(|error| match error {
                CaError::Issuer(IssuerError::KeyElsewhere { ca }) => {
                    OcspError::NoResponder { ca, until }.into()
                }
                CaError::Issuer(IssuerError::RevokedCa { ca, .. }) => {
                    OcspError::RevokedCa { ca }.into()
                }
                other => other,
            })?;
    if issuer.has_key_outside() {
        let label = format!("the key of the OCSP responder of {}", ca.name());
        let wanted = ProtectedKey::outside(&label);
        let protection = protection_for(wanted, session.passphrases)?;
        issuer.protect_leaf_keys(&protection);
    }
    // Three runs with it at least, whatever the lifetime of responses.
    let end = session.now + LIFETIME.max(request.lifetime * 3);
    let end = end.min(ca.certificate().validity().not_after);
    // A common name has at most 64 characters (RFC 5280 appendix A.1).
    let name: String = ca.name().as_str().chars().take(49).collect();
    let common_name = format!("{name} OCSP responder");
    let leaf = LeafRequest {
        subject: Some(Name::from_common_name(&common_name)?),
        alternative_names: Vec::new(),
        profile: Profile::Ocsp.into(),
        lifetime: Lifetime {
            not_before: None,
            end: Some(End::At(Moment::At(end))),
        },
        key: KeySource::Generate(kind),
    };
    let issued = issue(&issuer, leaf, session.now)?;
    session.notices.push(Notice::ResponderIssued {
        ca: ca.name().clone(),
        serial: issued.issuance.serial,
        until: issued.issuance.not_after,
    });
    session.notices.extend(issued.notices);
    let key = issued.key.expect("it was made here");
    Ok(OpenSigner {
        responder: Responder::new(key, Some(&issued.certificate)),
        signer: Signer {
            certificate: issued.certificate,
            responder: Some(issued.issuance.serial),
        },
        is_new: true,
    })
}
