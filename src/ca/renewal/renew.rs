//! Renewing leaves: the same profile, subject and names, a new validity.

use crate::asn1::oid;
use crate::ca::error::CaError;
use crate::ca::issuance::kind_of;
use crate::ca::issuance::{
    Content, InPlaceOf, Issued, Issuer, Lifetime, check_key_usage, check_length, check_names,
    compare, issue_draft, leaf_extensions, pointers,
};
use crate::ca::notice::{Notice, RenewalNotice};
use crate::ca::owner::KeyOf;
use crate::ca::passphrases::Passphrases;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::profiles::{LeafProfile, Profiles, changed_extensions};
use crate::ca::renewal::error::RenewalError;
use crate::ca::renewal::lineage::Successors;
use crate::ca::revocation::{Revocable, Verdict, record_all};
use crate::ca::select::{Status, certificate_of};
use crate::key::PrivateKey;
use crate::store::{Ca, CaRecord, Issuance, Journal};
use crate::x509::extension::BasicConstraints;
use crate::x509::{Certificate, Extension, Reason, RecordedProfile};
use const_oid::ObjectIdentifier;
use time::{Duration, OffsetDateTime};

/// A certificate that can be renewed.
pub(crate) struct Predecessor {
    pub(crate) issuance: Issuance,
    pub(crate) certificate: Certificate,
    /// `None` for one of none of ours, as imported ones are: what it may be used for, it says itself.
    profile: Option<LeafProfile>,
    status: Status,
}

/// Renewal of a leaf.
pub(crate) struct Renewal<'a> {
    /// Validity of the new one; as long as that of the one before by default.
    pub(crate) lifetime: Lifetime,
    /// Whether it gets a new key of the same kind.
    pub(crate) new_key: bool,
    /// Refuses what another process renewed meanwhile.
    pub(crate) unless_renewed: Option<&'a mut Successors>,
}

impl Predecessor {
    /// Looks whether a certificate of the CA can be renewed: that of a CA, and one that is revoked,
    /// can't be. What is newer with the same names is said.
    pub(crate) fn new(
        ca: &Ca,
        issuance: Issuance,
        profiles: &Profiles,
        now: OffsetDateTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, CaError> {
        let serial = issuance.serial;
        if let Some(revoked) = ca.revoked(&serial)? {
            return Err(RenewalError::RevokedPredecessor {
                ca: ca.name().clone(),
                serial,
                reason: revoked.reason,
            }
            .into());
        }
        let newer = newer_than(ca, &issuance, now)?;
        let predecessor = Self::unrevoked(ca, issuance, profiles, now)?;
        notices.extend(newer.map(|newer| {
            Notice::from(RenewalNotice::NewerExists {
                serial,
                newer: newer.serial,
                until: newer.not_after,
            })
        }));
        Ok(predecessor)
    }

    /// As [`Predecessor::new`], of a certificate that is known not to be revoked.
    pub(crate) fn unrevoked(
        ca: &Ca,
        issuance: Issuance,
        profiles: &Profiles,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let serial = issuance.serial;
        if let Some(flaw) = issuance.flaw {
            return Err(RenewalError::Defective {
                ca: ca.name().clone(),
                serial,
                flaw,
            }
            .into());
        }
        let profile = match issuance.profile.leaf() {
            Some(profile) => Some(profile.into()),
            None => custom_profile(ca, &issuance, profiles)?,
        };
        if !issuance.profile.is_of_a_leaf() {
            return Err(RenewalError::NotALeaf {
                ca: ca.name().clone(),
                serial,
                profile: issuance.profile,
            }
            .into());
        }
        let certificate = certificate_of(ca, &issuance)?;
        if profile.is_none() && certificate.extended_key_usage().is_empty() {
            return Err(RenewalError::Purposeless {
                ca: ca.name().clone(),
                serial,
            }
            .into());
        }
        Ok(Self {
            status: Status::of(&issuance, None, now),
            issuance,
            certificate,
            profile,
        })
    }

    /// Returns whether its key was made here.
    pub(crate) fn has_key(&self, ca: &Ca) -> Result<bool, CaError> {
        Ok(ca.leaf_key_file(&self.issuance.serial)?.is_some())
    }
}

/// Finds the profile of a certificate, if a file defines it.
fn custom_profile(
    ca: &Ca,
    issuance: &Issuance,
    profiles: &Profiles,
) -> Result<Option<LeafProfile>, RenewalError> {
    let RecordedProfile::Custom(name) = &issuance.profile else {
        return Ok(None);
    };
    match profiles.find(name) {
        Ok(profile) => Ok(Some(profile)),
        Err(_) => Err(RenewalError::ProfileNotFound {
            ca: ca.name().clone(),
            serial: issuance.serial,
            profile: name.clone(),
        }),
    }
}

/// The last valid one of the same profile and names that was issued behind it, if it lasts longer.
fn newer_than(
    ca: &Ca,
    issuance: &Issuance,
    now: OffsetDateTime,
) -> Result<Option<Issuance>, CaError> {
    let named = ca.issuances_named(&issuance.cn)?;
    let behind = named
        .into_iter()
        .rev()
        .take_while(|other| other.serial != issuance.serial);
    for other in behind {
        let is_alike = other.subject == issuance.subject
            && other.sans == issuance.sans
            && other.profile == issuance.profile
            && other.flaw.is_none();
        let revoked = ca.revoked(&other.serial)?;
        if is_alike
            && other.not_after > issuance.not_after
            && Status::of(&other, revoked.as_ref(), now).is_live()
        {
            ca.make_durable(Journal::Issued)?;
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Issues the successor of a certificate, which stays as it is.
pub(crate) fn renew(
    issuer: &mut Issuer,
    before: &Predecessor,
    renewal: Renewal<'_>,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<Issued, CaError> {
    let Predecessor {
        issuance,
        certificate,
        profile,
        ..
    } = before;
    let mut notices = Vec::new();
    let length = issuance.not_after - issuance.not_before;
    let most = profile.as_ref().and_then(LeafProfile::most_days);
    let length = most.map_or(length, |most| length.min(Duration::days(most.into())));
    let ends = Some(issuer.ca().certificate());
    let validity = renewal.lifetime.resolve(now, length, ends, &mut notices)?;
    if let Some(profile) = profile {
        check_length(profile, validity)?;
        if profile.custom().is_some() {
            check_names(certificate, profile)?;
            check_key_usage(profile, certificate.public_key())?;
        }
    }
    notices.extend(compare(certificate.validity(), validity, now));
    let old_key = issuer.leaf_key(&issuance.serial, certificate, passphrases)?;
    let (key, public_key) = match (old_key, renewal.new_key) {
        (Some(_), true) => {
            let key =
                PrivateKey::generate(kind_of(certificate)?).map_err(KeyUseError::Randomness)?;
            let public = key.public().clone();
            (Some(key), public)
        }
        (None, true) => {
            return Err(RenewalError::KeyOfRequest {
                ca: issuer.ca().name().clone(),
                serial: issuance.serial,
            }
            .into());
        }
        (key, false) => {
            let public = certificate.public_key().clone();
            public
                .check_certifiable()
                .map_err(KeyUseError::Verification)?;
            let whose = key.as_ref().map_or(KeyOf::Request, |_| KeyOf::Leaf);
            issuer.refuse_compromised(&public, whose)?;
            (key, public)
        }
    };
    let names = certificate.extension(&oid::SUBJECT_ALT_NAME).cloned();
    let record = issuer.ca().record();
    let content = Content {
        subject: certificate.subject().clone(),
        validity,
        extensions: match profile {
            Some(profile) => leaf_extensions(names, profile, &public_key, record),
            None => extensions_as_before(certificate, record),
        },
        public_key,
        profile: profile
            .as_ref()
            .map_or(RecordedProfile::Imported, RecordedProfile::from),
        custom: profile.as_ref().and_then(LeafProfile::custom).cloned(),
    };
    notices.extend(profile_change(before, &content));
    issuer.refuse_subject_of_ca(&content.subject)?;
    let draft = issuer.draft(content)?;
    let mut successors = renewal.unless_renewed;
    let mut refuse_renewed = |ca: &Ca| match &mut successors {
        Some(successors) => successors.refuse(ca, issuance.serial),
        None => Ok(()),
    };
    let in_place_of = InPlaceOf {
        serial: Some(issuance.serial),
        check: Some(&mut refuse_renewed),
        // It takes the place of the one before in what a declaration asks for too.
        entry: issuance.entry.clone(),
    };
    issue_draft(issuer, &draft, key, in_place_of, notices)
}

/// Returns the notice of a changed profile that a file defines.
fn profile_change(before: &Predecessor, content: &Content) -> Option<Notice> {
    let custom = content.custom.as_ref()?;
    if before.issuance.profile_hash.as_deref() == Some(custom.hash()) {
        return None;
    }
    let notice = RenewalNotice::ProfileChanged {
        profile: custom.name().to_owned(),
        serial: before.issuance.serial,
        extensions: changed_extensions(before.certificate.extensions(), &content.extensions),
    };
    Some(notice.into())
}

/// Extensions of the successor of a certificate without a profile: its purposes and names.
fn extensions_as_before(before: &Certificate, ca: &CaRecord) -> Vec<Extension> {
    const KEPT: [ObjectIdentifier; 4] = [
        oid::KEY_USAGE,
        oid::EXT_KEY_USAGE,
        oid::SUBJECT_ALT_NAME,
        oid::CERTIFICATE_POLICIES,
    ];
    let mut extensions = vec![Extension::basic_constraints(BasicConstraints {
        ca: false,
        path_length: None,
    })];
    let all = before.extensions().iter();
    let kept = all.filter(|extension| KEPT.contains(&extension.oid));
    extensions.extend(kept.map(|kept| Extension {
        // Other programs don't mark it so, as RFC 5280 section 4.2.1.3 demands.
        critical: kept.critical || kept.oid == oid::KEY_USAGE,
        ..kept.clone()
    }));
    extensions.extend(pointers(ca, true));
    extensions
}

/// Revokes what has a successor now; `false` where it has expired, and nobody relies on it.
pub(crate) fn supersede(
    ca: &Ca,
    before: &Predecessor,
    now: OffsetDateTime,
) -> Result<(bool, Vec<Notice>), CaError> {
    if before.status == Status::Expired {
        return Ok((false, Vec::new()));
    }
    let verdict = Verdict::Revoke {
        reason: Reason::Superseded,
        invalidity_date: None,
    };
    let revocable = Revocable::of(ca, &before.issuance, verdict)?;
    let outcomes = record_all(ca, &[(revocable, verdict)], now)?;
    Ok((true, outcomes.notices))
}
