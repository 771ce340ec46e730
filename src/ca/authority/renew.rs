//! Renewing a CA's certificate: the same key and name, a new validity.

use crate::asn1::oid;
use crate::ca::authority::error::{AuthorityError, Misfit};
use crate::ca::authority::install::{certificate_for, hold_to_rules, may_act_as_ca, path_above};
use crate::ca::authority::previous::{NamingPrevious, naming_previous};
use crate::ca::error::CaError;
use crate::ca::issuance::{
    Content, Draft, Issuer, Lifetime, Purpose, References, compare, key_of, pointers,
    refuse_compromised_cas,
};
use crate::ca::notice::Notice;
use crate::ca::remedy::Remedy;
use crate::ca::select::{Status, certifies_key_of};
use crate::ca::session::Session;
use crate::store::{Ca, CaName, CaRecord, Issuance, Location, Replaced, Revoked, Store};
use crate::x509::extension::key_usage::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use crate::x509::extension::{BasicConstraints, Extension};
use crate::x509::{Certificate, CertificationRequest, Reason, RecordedProfile, Serial};
use std::path::Path;
use time::OffsetDateTime;

/// CA with a new certificate of its key.
pub(crate) struct RenewedCa {
    /// The CA, with the new certificate.
    pub(crate) ca: Ca,
    /// The certificate before; the new one, where it was in its place already.
    pub(crate) before: Certificate,
    /// The file in which that one is kept; `None` where nothing was replaced.
    pub(crate) previous: Option<Location>,
    /// Certificates that name a previous certificate of the CA as their issuer.
    pub(crate) naming_previous: Option<NamingPrevious>,
    pub(crate) notices: Vec<Notice>,
}

impl RenewedCa {
    fn of(
        replaced: Replaced,
        naming_previous: Option<NamingPrevious>,
        notices: Vec<Notice>,
    ) -> Self {
        Self {
            naming_previous,
            ca: replaced.ca,
            before: replaced.before,
            previous: Some(replaced.previous),
            notices,
        }
    }
}

/// Renews the certificate of a CA whose issuer's key is here. The certificate is recorded by the issuer,
/// and then takes its place.
pub(crate) fn renew_ca(
    session: &mut Session<'_>,
    name: &CaName,
    lifetime: Lifetime,
) -> Result<RenewedCa, CaError> {
    let (store, now) = (session.store, session.now);
    let ca = store.ca(name)?;
    let before = ca.certificate();
    refuse_revoked_or_compromised(store, &ca)?;
    let issuer = match &ca.record().parent {
        Some(parent) => session.issuer(parent, Purpose::Certificates)?,
        None => session.issuer(name, Purpose::OwnCertificate)?,
    };
    let is_root = ca.record().parent.is_none();
    let (issuers, limits) = if is_root {
        (&[][..], None)
    } else {
        (issuer.path(), Some(issuer.ca()))
    };
    let validity = before.validity();
    let length = validity.not_after - validity.not_before;
    let end = limits.map(Ca::certificate);
    let validity = lifetime.resolve(now, length, end, &mut session.notices)?;
    session
        .notices
        .extend(compare(before.validity(), validity, now));
    let content = Content {
        subject: before.subject().clone(),
        validity,
        public_key: before.public_key().clone(),
        extensions: extensions_of(before, path_length(before), limits.map(Ca::record)),
        profile: if is_root {
            RecordedProfile::Root
        } else {
            RecordedProfile::Subordinate
        },
        custom: None,
    };
    let draft = Draft::new(content, issuers, issuer.signature_algorithm())?;
    let naming_previous = naming_previous(store, &ca, None, now)?;

    let replacement = store.reserve_replacement(name)?;
    let references = References {
        renews: replacement.ca().certificate().serial().ok(),
        ..References::default()
    };
    let mut steps = |_: &Issuer, _: &Draft| refuse_revoked_or_compromised(store, &ca);
    let (certificate, Issuance { serial, .. }) = issuer.issue(&draft, references, &mut steps)?;
    let replaced = replacement.replace(&certificate).map_err(|source| {
        let remedy = Remedy::InstallRenewed {
            ca: name.clone(),
            signer: issuer.ca().name().clone(),
            serial,
        };
        CaError::after_commit(
            format!("the certificate {serial} of {name}"),
            remedy,
            source,
        )
    })?;
    Ok(RenewedCa::of(
        replaced,
        naming_previous,
        std::mem::take(&mut session.notices),
    ))
}

/// Refuses a CA whose certificate its issuer revoked, or whose key is compromised.
fn refuse_revoked_or_compromised(store: &Store, ca: &Ca) -> Result<(), CaError> {
    if let Some(revoked) = revoked_by_parent(store, ca)? {
        return Err(AuthorityError::RevokedCa {
            ca: ca.name().clone(),
            reason: revoked.reason,
        }
        .into());
    }
    refuse_compromised_cas(store, &[key_of(ca)])
}

/// Returns the revocation of a CA's certificate by its parent CA.
pub(crate) fn revoked_by_parent(store: &Store, ca: &Ca) -> Result<Option<Revoked>, CaError> {
    let (Some(parent), Ok(serial)) = (&ca.record().parent, ca.certificate().serial()) else {
        return Ok(None);
    };
    Ok(store.ca(parent)?.revoked(&serial)?)
}

pub(crate) fn path_length(certificate: &Certificate) -> Option<u32> {
    certificate.basic_constraints()?.path_length
}

/// Extensions of another certificate of the same CA and key. URLs and other names of the issuer are the
/// new issuer's; the key's usage period belonged to the validity before.
pub(crate) fn extensions_of(
    certificate: &Certificate,
    path_length: Option<u32>,
    issuer: Option<&CaRecord>,
) -> Vec<Extension> {
    const MADE_ANEW: [const_oid::ObjectIdentifier; 7] = [
        oid::BASIC_CONSTRAINTS,
        oid::KEY_USAGE,
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_INFO_ACCESS,
        oid::PRIVATE_KEY_USAGE_PERIOD,
        oid::ISSUER_ALT_NAME,
    ];
    let usage = certificate.key_usage();
    let mut extensions = vec![
        Extension::basic_constraints(BasicConstraints {
            ca: true,
            path_length,
        }),
        Extension::key_usage(usage.unwrap_or(KEY_CERT_SIGN | CRL_SIGN | DIGITAL_SIGNATURE)),
    ];
    // The usual one a draft adds by itself.
    let identifier = certificate.public_key().key_identifier();
    let usual = Extension::subject_key_identifier(&identifier);
    let others = certificate.extensions().iter();
    let others =
        others.filter(|extension| !MADE_ANEW.contains(&extension.oid) && **extension != usual);
    extensions.extend(others.cloned());
    extensions.extend(
        issuer
            .map(|issuer| pointers(issuer, true))
            .unwrap_or_default(),
    );
    extensions
}

/// Asks for a new certificate of a CA's key, where that of its issuer is elsewhere. The store stays as
/// it is.
pub(crate) fn request_renewal(
    session: &mut Session<'_>,
    name: &CaName,
) -> Result<CertificationRequest, CaError> {
    let issuer = session.issuer(name, Purpose::OwnCertificate)?;
    let certificate = issuer.ca().certificate();
    let identifier = Extension::subject_key_identifier(&issuer.key_identifier());
    let extensions = [
        Extension::basic_constraints(BasicConstraints {
            ca: true,
            path_length: path_length(certificate),
        }),
        Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN),
        identifier,
    ];
    issuer.request(&extensions)
}

/// Puts a certificate that came from elsewhere in the place of a CA's own, after proof that it is one of
/// the same key, name and issuer, with which the CA can issue.
pub(crate) fn install_renewed(
    store: &Store,
    name: &CaName,
    file: &Path,
    answer: &[Certificate],
    chain: &[Certificate],
    now: OffsetDateTime,
) -> Result<RenewedCa, CaError> {
    let ca = store.ca(name)?;
    let before = ca.certificate();
    let misfit = |source: Misfit| AuthorityError::Misfit {
        path: file.to_owned(),
        ca: name.clone(),
        source,
    };
    let key = before.public_key().spki();
    let certificate = certificate_for(key, before.subject(), answer);
    let certificate = certificate.map_err(|source| match source {
        Misfit::Key => misfit(Misfit::OwnKey),
        other => misfit(other),
    })?;
    has_same_bytes(before, certificate).map_err(misfit)?;
    may_act_as_ca(certificate).map_err(misfit)?;
    let beside = [answer, chain].concat();
    let path = path_above(Some(store), certificate, beside, now)?.map_err(misfit)?;
    is_under(store, &ca, &path)?.map_err(misfit)?;
    may_be_installed(store, &ca, certificate)?;
    let mut notices = hold_to_rules(&path).map_err(misfit)?;
    if certificate == before {
        notices.push(Notice::SameCertificate { ca: name.clone() });
        ca.make_certificate_durable()?;
        return Ok(RenewedCa {
            before: before.clone(),
            previous: None,
            naming_previous: None,
            notices,
            ca,
        });
    }
    notices.extend(compare(before.validity(), certificate.validity(), now));
    let naming_previous = naming_previous(store, &ca, Some(certificate), now)?;
    let replacement = store.reserve_replacement(name)?;
    may_be_installed(store, &ca, certificate)?;
    let replaced = replacement.replace(certificate)?;
    Ok(RenewedCa::of(replaced, naming_previous, notices))
}

/// Refuses a certificate of a CA that was revoked. Whoever revokes a certificate as superseded has made
/// another: that one is installed.
fn may_be_installed(store: &Store, ca: &Ca, certificate: &Certificate) -> Result<(), CaError> {
    match refuse_revoked_or_compromised(store, ca) {
        Err(CaError::Authority(AuthorityError::RevokedCa {
            reason: Reason::Superseded,
            ..
        })) if certificate != ca.certificate() => refuse_compromised_cas(store, &[key_of(ca)]),
        other => other,
    }
}

/// By name and key identifier what was issued finds its issuer, to the byte.
fn has_same_bytes(before: &Certificate, certificate: &Certificate) -> Result<(), Misfit> {
    if before.subject() != certificate.subject() {
        return Err(Misfit::SubjectBytes);
    }
    let identifiers = [before, certificate].map(Certificate::subject_key_identifier);
    match identifiers {
        [Some(old), new] if new.as_ref() != Some(&old) => Err(Misfit::KeyIdentifier),
        _ => Ok(()),
    }
}

/// Checks whether it is under the CA that the store has above it, or above none.
fn is_under(store: &Store, ca: &Ca, path: &[Certificate]) -> Result<Result<(), Misfit>, CaError> {
    let parent = ca.record().parent.as_ref();
    let parent = parent.map(|parent| store.ca(parent)).transpose()?;
    let fits = match (&parent, path.get(1)) {
        (Some(parent), Some(issuer)) => {
            let known = parent.certificate();
            known.subject() == issuer.subject()
                && known.public_key().spki() == issuer.public_key().spki()
        }
        (None, None) => true,
        _ => false,
    };
    Ok(if fits {
        Ok(())
    } else {
        Err(Misfit::Issuer {
            found: path[0].issuer().to_string(),
        })
    })
}

/// The valid certificates that a CA issued to the key and subject of one.
pub(crate) fn valid_of_key(
    issuer: &Ca,
    certificate: &Certificate,
    now: OffsetDateTime,
) -> Result<Vec<Serial>, CaError> {
    let name = certificate.subject().common_name().unwrap_or_default();
    let mut serials = Vec::new();
    for issuance in issuer.issuances_named(&name)? {
        let revoked = issuer.revoked(&issuance.serial)?;
        if certifies_key_of(&issuance, certificate)
            && Status::of(&issuance, revoked.as_ref(), now).is_live()
        {
            serials.push(issuance.serial);
        }
    }
    Ok(serials)
}

/// Returns when the last certificate expires that a CA issued and that is relied on: not its own, nor one with
/// which it certifies another CA's key. CAs below are among them, whether recorded or not.
pub(crate) fn last_end(
    store: &Store,
    ca: &Ca,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, CaError> {
    let all_revoked = ca.all_revoked()?;
    let mut last = None;
    for other in store.cas()? {
        let certificate = other.certificate();
        let end = certificate.validity().not_after;
        let serial = certificate.serial().ok();
        if other.record().parent.as_ref() == Some(ca.name())
            && end >= now
            && !serial.is_some_and(|serial| all_revoked.contains_key(&serial))
        {
            last = last.max(Some(end));
        }
    }
    for issuance in ca.issuances()? {
        let issuance = issuance?;
        let counts = !matches!(
            issuance.profile,
            RecordedProfile::Root | RecordedProfile::Cross
        ) && issuance.not_after >= now
            && !all_revoked.contains_key(&issuance.serial);
        if counts {
            last = last.max(Some(issuance.not_after));
        }
    }
    Ok(last)
}
