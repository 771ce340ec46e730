//! Certificates that are wrong on purpose, for the tests of whoever relies on certificates.
//!
//! What is asked for is issued with one flaw and is right in everything else: it is held to all rules but
//! those that the flaw itself breaks. Only a fixture store has such certificates.

mod kind;
mod validity;

pub use kind::{Flaw, FlawError, UnknownFlaw};

use super::authority::ca_extensions;
use super::draft::{Content, Draft};
use super::error::CaError;
use super::issue::{InPlaceOf, Issued, KeySource, LeafRequest, content, issue_signed, random_u64};
use super::issuer::Issuer;
use super::notice::Notice;
use super::renew::kind_of;
use super::revoke::{Revocable, Verdict, record_all};
use crate::asn1::oid;
use crate::key::PrivateKey;
use crate::store::{EntryId, Issuance, Store};
use crate::x509::{Extension, NameConstraints, Profile, Reason, Serial};
use time::OffsetDateTime;

impl Flaw {
    /// Whether a certificate with it may be issued in a store for a key; to be asked before passphrases
    /// are.
    pub fn check(self, store: &Store, key: &KeySource) -> Result<(), FlawError> {
        store
            .require_fixture()
            .map_err(|source| FlawError::NotHere { flaw: self, source })?;
        match (self, key) {
            (Self::SelfSigned, KeySource::Request { .. }) => Err(FlawError::KeyElsewhere),
            _ => Ok(()),
        }
    }

    /// Spoils what is not right with it any more.
    fn spoil(self, content: &mut Content, profile: Profile) -> Result<(), FlawError> {
        let spoiled = match self {
            Self::WrongPurpose => oid::EXT_KEY_USAGE,
            Self::NoSan => oid::SUBJECT_ALT_NAME,
            _ => return Ok(()),
        };
        let extensions = &mut content.extensions;
        let count = extensions.len();
        extensions.retain(|extension| extension.oid != spoiled);
        if self == Self::WrongPurpose {
            let purposes = without_purposes_of(profile).purposes();
            extensions.push(Extension::extended_key_usage(purposes));
        } else if extensions.len() == count {
            return Err(FlawError::NoNames);
        }
        Ok(())
    }
}

/// A profile that has none of another's purposes.
fn without_purposes_of(profile: Profile) -> Profile {
    match profile {
        Profile::Client => Profile::Server,
        Profile::Peer => Profile::CodeSigning,
        Profile::Server
        | Profile::Email
        | Profile::CodeSigning
        | Profile::Ocsp
        | Profile::Timestamp => Profile::Client,
    }
}

/// Issues one certificate with a flaw, perhaps for an entry of a declaration, in the steps in which any is
/// issued; the record names the flaw.
pub fn issue_flawed(
    issuer: &Issuer,
    request: LeafRequest,
    flaw: Flaw,
    entry: Option<EntryId>,
    now: OffsetDateTime,
) -> Result<Issued, CaError> {
    let before = InPlaceOf {
        entry,
        ..InPlaceOf::default()
    };
    flaw.check(issuer.store(), &request.key)?;
    let mut notices = Vec::new();
    let certificate = issuer.ca().certificate();
    let validity = flaw.validity(certificate, request.lifetime, now, &mut notices)?;
    let profile = request.profile;
    let mut made = None;
    let generate = |kind| {
        let key = PrivateKey::generate(kind)?;
        Ok(made.insert(key).public().clone())
    };
    let mut content = content(issuer, request, validity, generate, &mut notices)?;
    flaw.spoil(&mut content, profile)?;
    match flaw {
        Flaw::OtherCa => issue_by_other(issuer, content, made, before, notices),
        Flaw::SelfSigned => issue_by_itself(issuer, content, made, before, notices),
        _ => {
            let algorithm = issuer.signature_algorithm();
            let draft = Draft::with_flaw(content, issuer.path(), algorithm, flaw)?;
            let sign = |serial: &Serial, _: Option<&PrivateKey>| issuer.sign(&draft, serial);
            let mut issued = issue_signed(issuer, &draft, made, sign, before, notices)?;
            if flaw == Flaw::Revoked {
                let notices = revoke_at_once(issuer, &issued.issuance, now)?;
                issued.notices.extend(notices);
            }
            Ok(issued)
        }
    }
}

/// Has another CA sign that is called as the issuer, and is gone afterwards. Under that one the
/// certificate is right.
fn issue_by_other(
    issuer: &Issuer,
    content: Content,
    leaf_key: Option<PrivateKey>,
    before: InPlaceOf<'_>,
    notices: Vec<Notice>,
) -> Result<Issued, CaError> {
    let own = issuer.ca().certificate();
    let key = PrivateKey::generate(kind_of(own).unwrap_or_default()).map_err(CaError::NewKey)?;
    let algorithm = key.signature_algorithm();
    let of_other = Content {
        subject: own.subject().clone(),
        validity: own.validity(),
        public_key: key.public().clone(),
        extensions: ca_extensions(None, &NameConstraints::default(), None),
        profile: "root",
    };
    let number = Serial::from_counter(1, random_u64()?).expect("a counter of one octet fits");
    let other = Draft::new(of_other, &[], algorithm)?.sign(&number, &key)?;
    // What the issuer and those above it allow is held to, too.
    let path = [std::slice::from_ref(&other), issuer.path()].concat();
    let draft = Draft::with_flaw(content, &path, algorithm, Flaw::OtherCa)?;
    let sign = |serial: &Serial, _: Option<&PrivateKey>| draft.sign(serial, &key);
    issue_signed(issuer, &draft, leaf_key, sign, before, notices)
}

/// Has the certificate's own key sign; the CA gives its number, and records it.
fn issue_by_itself(
    issuer: &Issuer,
    mut content: Content,
    key: Option<PrivateKey>,
    before: InPlaceOf<'_>,
    notices: Vec<Notice>,
) -> Result<Issued, CaError> {
    // A root needs none (RFC 5280 section 4.2.1.1); this is not that of a CA.
    let identifier = content.public_key.key_identifier();
    let identifier = Extension::authority_key_identifier(&identifier);
    content.extensions.push(identifier);
    let algorithm = key.as_ref().map(PrivateKey::signature_algorithm);
    let algorithm = algorithm.ok_or(FlawError::KeyElsewhere)?;
    let draft = Draft::with_flaw(content, &[], algorithm, Flaw::SelfSigned)?;
    let sign = |serial: &Serial, key: Option<&PrivateKey>| {
        let key = key.ok_or(FlawError::KeyElsewhere)?;
        draft.sign(serial, key)
    };
    issue_signed(issuer, &draft, key, sign, before, notices)
}

/// Revokes what was just issued.
fn revoke_at_once(
    issuer: &Issuer,
    issuance: &Issuance,
    now: OffsetDateTime,
) -> Result<Vec<Notice>, CaError> {
    let (ca, serial) = (issuer.ca(), issuance.serial);
    let verdict = Verdict::Revoke {
        reason: Reason::Unspecified,
        invalidity_date: None,
    };
    let recorded = Revocable::of(ca, issuance, verdict)
        .and_then(|revocable| record_all(ca, &[(revocable, verdict)], now));
    let outcomes = recorded.map_err(|source| CaError::AfterCommit {
        what: format!("the certificate {serial}, not revoked yet,"),
        remedy: format!(
            "`pki revoke --ca {} --serial 0x{serial}` revokes it",
            ca.name()
        ),
        source: Box::new(source),
    })?;
    Ok(outcomes.notices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::lint::RULES;

    #[test]
    fn every_rule_that_is_left_out_is_one() {
        for flaw in Flaw::ALL {
            for name in flaw.broken_rules() {
                assert!(RULES.iter().any(|rule| rule.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn every_name_is_read_and_named_where_it_is_not() {
        for flaw in Flaw::ALL {
            assert_eq!(flaw.to_string().parse(), Ok(flaw));
        }
        let error = "none".parse::<Flaw>().unwrap_err().to_string();
        assert!(Flaw::ALL.iter().all(|flaw| error.contains(flaw.as_str())));
    }

    #[test]
    fn no_purpose_of_a_profile_is_left() {
        for profile in Profile::ALL {
            let other = without_purposes_of(profile).purposes();
            assert!(!profile.purposes().iter().any(|own| other.contains(own)));
        }
    }
}
