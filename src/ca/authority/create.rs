//! Creates CAs: roots, and CAs below CAs of the store.

use crate::ca::authority::error::AuthorityError;
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuerError;
use crate::ca::issuance::{
    Content, Draft, Issuer, Lifetime, Purpose, References, Steps, pointers, refuse_taken_subject,
    self_issue,
};
use crate::ca::notice::Notice;
use crate::ca::outside_key;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, protection_for};
use crate::ca::remedy::Remedy;
use crate::ca::session::Session;
use crate::key::{KeyType, KeyUri, PrivateKey, PublicKey};
use crate::store::{
    Address, Ca, CaName, CaRecord, LockedCa, Material, Operator, ReservedCa, Store, StoreError,
};
use crate::x509::extension::key_usage::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use crate::x509::extension::{BasicConstraints, Extension};
use crate::x509::{Certificate, Name, NameConstraints, RecordedProfile, Serial, Validity};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Validity of a CA by default.
pub(crate) const DEFAULT_VALIDITY: Duration = Duration::days(3650);

/// CA to create.
pub(crate) struct NewCa {
    pub(crate) name: CaName,
    pub(crate) subject: Name,
    pub(crate) lifetime: Lifetime,
    /// Length of the validity if `lifetime` has none; `None` for ten years.
    pub(crate) length: Option<Duration>,
    /// Type of its key; `None` for the default, or that of the key at `key_uri`.
    pub(crate) key_type: Option<KeyType>,
    /// Type of a new key if none is asked for.
    pub(crate) usual_type: KeyType,
    /// Place of its key outside the store.
    pub(crate) key_uri: Option<KeyUri>,
    /// Path length constraint; `None` for the longest that its parent allows.
    pub(crate) path_length: Option<u32>,
    pub(crate) constraints: NameConstraints,
    pub(crate) crl_urls: Vec<String>,
    pub(crate) ca_issuers_urls: Vec<String>,
    pub(crate) ocsp_urls: Vec<String>,
}

impl NewCa {
    fn record(&self, parent: Option<CaName>) -> CaRecord {
        CaRecord {
            parent,
            crl_urls: self.crl_urls.clone(),
            ca_issuers_urls: self.ca_issuers_urls.clone(),
            ocsp_urls: self.ocsp_urls.clone(),
            key_uri: self.key_uri.clone(),
            ..CaRecord::of_root(self.name.clone())
        }
    }

    fn length(&self) -> Duration {
        self.length.unwrap_or(DEFAULT_VALIDITY)
    }

    fn key(
        &self,
        passphrases: &mut dyn Passphrases,
        notices: &mut Vec<Notice>,
    ) -> Result<PrivateKey, CaError> {
        let wanted = WantedKey {
            kind: self.key_type,
            usual: self.usual_type,
            uri: self.key_uri.as_ref(),
        };
        new_key(&self.name, wanted, passphrases, notices)
    }
}

/// Key of a new CA.
#[derive(Clone, Copy)]
pub(crate) struct WantedKey<'a> {
    pub(crate) kind: Option<KeyType>,
    /// Its type if none is asked for.
    pub(crate) usual: KeyType,
    /// Its place outside the store.
    pub(crate) uri: Option<&'a KeyUri>,
}

/// Generates a CA's key, or takes the one that is at a place outside the store.
pub(crate) fn new_key(
    ca: &CaName,
    wanted: WantedKey<'_>,
    passphrases: &mut dyn Passphrases,
    notices: &mut Vec<Notice>,
) -> Result<PrivateKey, CaError> {
    let WantedKey { kind, usual, uri } = wanted;
    let key = match uri {
        Some(uri) => outside_key::take_or_generate(uri, ca, kind, usual, passphrases, notices)?,
        None => PrivateKey::generate(kind.unwrap_or(usual)).map_err(KeyUseError::Randomness)?,
    };
    let kind = key.public().algorithm();
    if kind.is_rarely_supported() {
        notices.push(Notice::RareKeyType {
            kind: kind.to_string(),
        });
    }
    Ok(key)
}

/// Extensions of a CA's certificate, with the URLs of its parent's CRL, certificate and responder.
pub(crate) fn ca_extensions(
    path_length: Option<u32>,
    constraints: &NameConstraints,
    parent: Option<&CaRecord>,
) -> Vec<Extension> {
    let mut extensions = vec![
        Extension::basic_constraints(BasicConstraints {
            ca: true,
            path_length,
        }),
        Extension::key_usage(KEY_CERT_SIGN | CRL_SIGN | DIGITAL_SIGNATURE),
    ];
    if !constraints.is_empty() {
        extensions.push(Extension::name_constraints(constraints));
    }
    extensions.extend(
        parent
            .map(|parent| pointers(parent, true))
            .unwrap_or_default(),
    );
    extensions
}

/// Creates a root in the store at `address`, and the store if there is none.
pub(crate) fn create_root(
    address: &Address,
    operator: Operator,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(Ca, Vec<Notice>), CaError> {
    root(address, operator, new, passphrases, now, false)
}

/// Creates a root in the fixture store at `address`, and the store if there is none; any other store is
/// refused.
pub(crate) fn create_fixture_root(
    address: &Address,
    operator: Operator,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(Ca, Vec<Notice>), CaError> {
    root(address, operator, new, passphrases, now, true)
}

fn root(
    address: &Address,
    operator: Operator,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
    in_fixture: bool,
) -> Result<(Ca, Vec<Notice>), CaError> {
    // Before a passphrase is asked for, and before a store is made for nothing.
    Store::check_place(address)?;
    match Store::open(address, operator.clone()) {
        Ok(store) => {
            if in_fixture {
                store.require_fixture()?;
            }
            store.check_free(&new.name)?;
            refuse_taken_subject(&store, &new.subject, None, now)?;
        }
        Err(StoreError::NoStore { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut notices = Vec::new();
    let validity = new
        .lifetime
        .resolve(now, new.length(), None, &mut notices)?;
    let key = new.key(passphrases, &mut notices)?;
    if let Ok(store) = Store::open(address, operator.clone()) {
        refuse_key_of_other(&store, &key)?;
    }
    let content = Content {
        subject: new.subject.clone(),
        validity,
        public_key: key.public().clone(),
        extensions: ca_extensions(new.path_length, &new.constraints, None),
        profile: RecordedProfile::Root,
        custom: None,
    };
    let draft = Draft::new(content, &[], key.signature_algorithm())?;
    let key_pem = protected(&new.name, &key, passphrases)?;

    let store = if in_fixture {
        Store::open_or_create_fixture(address, operator)?
    } else {
        Store::open_or_create(address, operator)?
    };
    let reserved = store.reserve_ca(&new.name)?;
    refuse_taken_subject(&store, &new.subject, None, now)?;
    let (certificate, issuance) = self_issue(&draft, &key)?;
    let material = Material {
        record: &new.record(None),
        certificate: &certificate,
        key_pem: key_pem.as_ref().map(|pem| pem.as_slice()),
        serial_counter: 1,
        issued: &[issuance],
        change: None,
        history: None,
    };
    stage(&reserved, &material)?;
    Ok((finish(&reserved, &new.name, Recorded::Nowhere)?, notices))
}

/// Record of a new CA's certificate at the time when the CA gets its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    /// In its parent's journal: it is issued.
    ByParent,
    /// In its own folder alone.
    Nowhere,
}

/// Writes a CA's files. On failure they are removed, now or by the next command: the first failure is
/// the one to report.
fn stage(reserved: &ReservedCa<'_>, material: &Material<'_>) -> Result<(), CaError> {
    reserved.stage(material).map_err(|error| {
        let _ = reserved.give_up();
        error.into()
    })
}

fn finish(reserved: &ReservedCa<'_>, name: &CaName, recorded: Recorded) -> Result<Ca, CaError> {
    reserved.finish().map_err(|unfinished| {
        if recorded == Recorded::Nowhere && !unfinished.has_its_name {
            let _ = reserved.give_up();
            return unfinished.source.into();
        }
        let what = format!("the CA {name}");
        CaError::after_commit(what, Remedy::CompletedByNext, unfinished.source)
    })
}

/// Refuses a key outside the store that another CA has: each would not see what the other revokes.
pub(crate) fn refuse_key_of_other(store: &Store, key: &PrivateKey) -> Result<(), CaError> {
    if !key.is_outside() {
        return Ok(());
    }
    for other in store.cas()? {
        if other.certificate().public_key().spki() == key.public().spki() {
            let ca = other.name().clone();
            return Err(AuthorityError::KeyOfOther { ca }.into());
        }
    }
    Ok(())
}

/// Returns the content of the file of a CA's key; `None` if the key is outside the store.
pub(crate) fn protected(
    name: &CaName,
    key: &PrivateKey,
    passphrases: &mut dyn Passphrases,
) -> Result<Option<Zeroizing<Vec<u8>>>, CaError> {
    if key.is_outside() {
        return Ok(None);
    }
    let label = format!("the new key of {name}");
    let protection = protection_for(ProtectedKey::of(name, &label), passphrases)?;
    let pem = protection.to_pem(key).map_err(KeyUseError::Encoding)?;
    Ok(Some(pem))
}

/// Creates a CA below a CA of the store.
pub(crate) fn create_subordinate(
    session: &mut Session<'_>,
    parent: &CaName,
    new: &NewCa,
) -> Result<Ca, CaError> {
    let (store, now) = (session.store, session.now);
    store.check_free(&new.name)?;
    refuse_taken_subject(store, &new.subject, None, now)?;
    let limits = store.ca(parent)?;
    let path_length = path_length_under(&limits, new.path_length)?;
    let validity = validity_under(&limits, new.lifetime, new.length(), session)?;
    let issuer = session.issuer(parent, Purpose::Certificates)?;
    let key = new.key(session.passphrases, &mut session.notices)?;
    refuse_key_of_other(store, &key)?;
    let draft = draft_under(&issuer, new, path_length, key.public(), validity)?;
    let mut steps = SubordinateSteps {
        key_pem: protected(&new.name, &key, session.passphrases)?,
        reserved: store.reserve_ca(&new.name)?,
        record: new.record(Some(parent.clone())),
        now,
    };
    issuer.issue(&draft, References::default(), &mut steps)?;
    finish(&steps.reserved, &new.name, Recorded::ByParent)
}

/// Validity of a CA below another one; by default it expires with its parent CA at the latest.
pub(crate) fn validity_under(
    parent: &Ca,
    lifetime: Lifetime,
    length: Duration,
    session: &mut Session<'_>,
) -> Result<Validity, CaError> {
    let mut notices = Vec::new();
    let limit = Some(parent.certificate());
    let validity = lifetime.resolve(session.now, length, limit, &mut notices)?;
    if lifetime.end.is_some() {
        session.notices.append(&mut notices);
    }
    Ok(validity)
}

/// A new CA below another one: complete, but for its name, before its certificate is recorded.
struct SubordinateSteps<'a> {
    reserved: ReservedCa<'a>,
    record: CaRecord,
    key_pem: Option<Zeroizing<Vec<u8>>>,
    now: OffsetDateTime,
}

impl Steps for SubordinateSteps<'_> {
    fn check(&mut self, issuer: &Issuer, draft: &Draft) -> Result<(), CaError> {
        refuse_taken_subject(issuer.store(), draft.subject(), None, self.now)
    }

    fn keep(
        &mut self,
        _: &Serial,
        certificate: &Certificate,
        _: &LockedCa<'_>,
    ) -> Result<(), CaError> {
        let material = Material {
            record: &self.record,
            certificate,
            key_pem: self.key_pem.as_ref().map(|pem| pem.as_slice()),
            serial_counter: 0,
            issued: &[],
            change: None,
            history: None,
        };
        stage(&self.reserved, &material)
    }

    fn discard(&mut self, _: &Serial, _: &LockedCa<'_>) {
        let _ = self.reserved.give_up();
    }
}

fn draft_under(
    issuer: &Issuer,
    new: &NewCa,
    path_length: Option<u32>,
    public_key: &PublicKey,
    validity: Validity,
) -> Result<Draft, CaError> {
    let ca = issuer.ca();
    let content = Content {
        subject: new.subject.clone(),
        validity,
        public_key: public_key.clone(),
        extensions: ca_extensions(path_length, &new.constraints, Some(ca.record())),
        profile: RecordedProfile::Subordinate,
        custom: None,
    };
    issuer.draft(content)
}

/// The path length under a parent: one less than the parent's at most, and that where nothing is
/// asked for.
pub(crate) fn path_length_under(parent: &Ca, asked: Option<u32>) -> Result<Option<u32>, CaError> {
    let Some(allowed) = parent
        .certificate()
        .basic_constraints()
        .and_then(|basic| basic.path_length)
    else {
        return Ok(asked);
    };
    let Some(most) = allowed.checked_sub(1) else {
        return Err(IssuerError::CaUnusable {
            ca: parent.name().clone(),
            problem: "its path length is 0: no CA is allowed below it".into(),
            to_renew: None,
        }
        .into());
    };
    match asked {
        Some(asked) if asked > most => Err(AuthorityError::PathLength {
            ca: parent.name().clone(),
            allowed,
            asked,
        }
        .into()),
        asked => Ok(asked.or(Some(most))),
    }
}
