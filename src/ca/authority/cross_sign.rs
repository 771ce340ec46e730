//! Cross-certificates: roots certify each other's keys, so that who trusts one of them reaches the
//! other.

use crate::ca::authority::error::AuthorityError;
use crate::ca::authority::renew::{extensions_of, path_length};
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuanceError;
use crate::ca::issuance::{Content, Draft, Issuer, References, key_of};
use crate::ca::notice::{Notice, RenewalNotice};
use crate::ca::owner::SubjectOwner;
use crate::ca::remedy::Remedy;
use crate::ca::select::{Status, certifies_key_of};
use crate::store::{Ca, CaName, Issuance, Journal};
use crate::x509::{Certificate, RecordedProfile, Validity};
use time::OffsetDateTime;

/// A root's key, certified by another root.
pub(crate) struct CrossCertificate {
    /// The root that certifies.
    pub(crate) issuer: CaName,
    /// Its record.
    pub(crate) issuance: Issuance,
}

/// Has each of two roots certify the key of the other, where a valid certificate does not do so already.
pub(crate) fn cross_certify(
    one: &Issuer,
    other: &Issuer,
    now: OffsetDateTime,
) -> Result<(Vec<CrossCertificate>, Vec<Notice>), CaError> {
    let mut made: Vec<CrossCertificate> = Vec::new();
    let mut notices = Vec::new();
    for (issuer, subject) in [(one, other), (other, one)] {
        let subject = subject.ca();
        let certified = certify(issuer, subject, now, &mut notices).map_err(|source| {
            if made.is_empty() {
                return source;
            }
            let (one, other) = (one.ca().name(), other.ca().name());
            let what = format!("the certificate of {other} by {one}");
            let remedy = Remedy::CrossSign {
                ca: one.clone(),
                other: other.clone(),
            };
            CaError::after_commit(what, remedy, source)
        })?;
        made.extend(certified.map(|issuance| CrossCertificate {
            issuer: issuer.ca().name().clone(),
            issuance,
        }));
    }
    Ok((made, notices))
}

fn certify(
    issuer: &Issuer,
    subject: &Ca,
    now: OffsetDateTime,
    notices: &mut Vec<Notice>,
) -> Result<Option<Issuance>, CaError> {
    let ca = issuer.ca();
    for root in [ca, subject] {
        if root.record().parent.is_some() {
            return Err(AuthorityError::NotARoot {
                ca: root.name().clone(),
            }
            .into());
        }
    }
    if let Some(issuance) = cross_certificate(ca, subject.certificate(), now)? {
        return Ok(Some(issuance));
    }
    let allowed = path_length(ca.certificate());
    if allowed == Some(0) {
        notices.push(
            RenewalNotice::NoCross {
                issuer: ca.name().clone(),
                subject: subject.name().clone(),
            }
            .into(),
        );
        return Ok(None);
    }
    let certificate = subject.certificate();
    let (whose, key) = key_of(subject);
    issuer.refuse_compromised(key, whose.clone())?;
    let own = path_length(certificate);
    let most = allowed.map(|allowed| allowed - 1);
    let length = own.into_iter().chain(most).min();
    if length != own {
        notices.push(
            RenewalNotice::ShorterCross {
                issuer: ca.name().clone(),
                subject: subject.name().clone(),
                length: length.unwrap_or_default(),
            }
            .into(),
        );
    }
    let [theirs, ours] = [certificate, ca.certificate()].map(Certificate::validity);
    let content = Content {
        subject: certificate.subject().clone(),
        validity: Validity {
            not_before: now.max(theirs.not_before).max(ours.not_before),
            not_after: theirs.not_after.min(ours.not_after),
        },
        public_key: certificate.public_key().clone(),
        extensions: extensions_of(certificate, length, Some(ca.record())),
        profile: RecordedProfile::Cross,
        custom: None,
    };
    if content.subject == *ca.certificate().subject() {
        return Err(IssuanceError::SubjectOfCa {
            subject: content.subject.to_string(),
            owner: SubjectOwner::Ca(ca.name().clone()),
        }
        .into());
    }
    let draft = issuer.draft(content)?;
    let mut steps = |issuer: &Issuer, _: &Draft| issuer.refuse_compromised(key, whose.clone());
    let (_, issuance) = issuer.issue(&draft, References::default(), &mut steps)?;
    Ok(Some(issuance))
}

/// The last valid certificate that a CA issued to a root's key as to another root.
pub(crate) fn cross_certificate(
    issuer: &Ca,
    subject: &Certificate,
    now: OffsetDateTime,
) -> Result<Option<Issuance>, CaError> {
    let name = subject.subject().common_name().unwrap_or_default();
    let mut named = issuer.issuances_named(&name)?;
    named.retain(|issuance| issuance.profile == RecordedProfile::Cross);
    for issuance in named.into_iter().rev() {
        let revoked = issuer.revoked(&issuance.serial)?;
        if certifies_key_of(&issuance, subject)
            && Status::of(&issuance, revoked.as_ref(), now).is_live()
        {
            issuer.make_durable(Journal::Issued)?;
            return Ok(Some(issuance));
        }
    }
    Ok(None)
}
