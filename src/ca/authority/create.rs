//! Making CAs: roots, and CAs under CAs of the store.

use crate::ca::authority::subjects::refuse_taken_subject;
use crate::ca::error::CaError;
use crate::ca::issuance::Lifetime;
use crate::ca::issuance::{Content, Draft};
use crate::ca::issuance::{Issuer, Purpose};
use crate::ca::issuance::{pointers, random_u64};
use crate::ca::notice::Notice;
use crate::ca::passphrases::{Passphrases, ProtectedKey, protection_for};
use crate::key::{KeyType, PrivateKey, PublicKey};
use crate::store::{Ca, CaName, CaRecord, Material, Observer, ReservedCa, Store, StoreError};
use crate::x509::extension::key_usage::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use crate::x509::extension::{BasicConstraints, Extension};
use crate::x509::{Name, NameConstraints, Serial, Validity};
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// How long a CA is valid where nothing else is said.
pub(crate) const DEFAULT_VALIDITY: Duration = Duration::days(3650);

/// What kind of CA to make.
pub struct NewCa {
    /// Its name in the store.
    pub name: CaName,
    /// Its subject.
    pub subject: Name,
    /// How long it is valid.
    pub lifetime: Lifetime,
    /// How long where that is not said; `None` for ten years.
    pub length: Option<Duration>,
    /// What kind of key it has.
    pub key_type: KeyType,
    /// How many CAs may stand below it; `None` for as many as its parent allows.
    pub path_length: Option<u32>,
    /// The names that it may certify.
    pub constraints: NameConstraints,
    /// Where its list is: see [`CaRecord::crl_urls`].
    pub crl_urls: Vec<String>,
    /// Where its certificate is.
    pub ca_issuers_urls: Vec<String>,
    /// Where its OCSP responder is.
    pub ocsp_urls: Vec<String>,
}

impl NewCa {
    fn record(&self, parent: Option<CaName>) -> CaRecord {
        CaRecord {
            name: self.name.clone(),
            parent,
            crl_urls: self.crl_urls.clone(),
            ca_issuers_urls: self.ca_issuers_urls.clone(),
            ocsp_urls: self.ocsp_urls.clone(),
            restored: None,
        }
    }

    fn length(&self) -> Duration {
        self.length.unwrap_or(DEFAULT_VALIDITY)
    }

    fn key(&self, notices: &mut Vec<Notice>) -> Result<PrivateKey, CaError> {
        new_key(self.key_type, notices)
    }
}

/// A CA's key.
pub(crate) fn new_key(kind: KeyType, notices: &mut Vec<Notice>) -> Result<PrivateKey, CaError> {
    if kind.is_rarely_supported() {
        notices.push(Notice::RareKeyType {
            kind: kind.to_string(),
        });
    }
    PrivateKey::generate(kind).map_err(CaError::NewKey)
}

/// What makes a certificate that of a CA, and where the list, certificate and responder of the one
/// above are.
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

/// Makes a root in the store at `path`, and the store where there is none.
pub fn create_root(
    path: &Path,
    observer: Observer,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(Ca, Vec<Notice>), CaError> {
    root(path, observer, new, passphrases, now, false)
}

/// Makes a root in the fixture store at `path`, and the store where there is none; any other store is
/// refused.
pub fn create_fixture_root(
    path: &Path,
    observer: Observer,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(Ca, Vec<Notice>), CaError> {
    root(path, observer, new, passphrases, now, true)
}

fn root(
    path: &Path,
    observer: Observer,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
    in_fixture: bool,
) -> Result<(Ca, Vec<Notice>), CaError> {
    // Before a passphrase is asked for, and before a store is made for nothing.
    Store::check_place(path)?;
    match Store::open(path, observer.clone()) {
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
    let key = new.key(&mut notices)?;
    let content = Content {
        subject: new.subject.clone(),
        validity,
        public_key: key.public().clone(),
        extensions: ca_extensions(new.path_length, &new.constraints, None),
        profile: "root",
    };
    let draft = Draft::new(content, &[], key.signature_algorithm())?;
    let key_pem = protected(&new.name, &key, passphrases)?;

    let store = if in_fixture {
        Store::open_or_create_fixture(path, observer)?
    } else {
        Store::open_or_create(path, observer)?
    };
    let reserved = store.reserve_ca(&new.name)?;
    refuse_taken_subject(&store, &new.subject, None, now)?;
    let serial = Serial::from_counter(1, random_u64()?).expect("a counter of one octet fits");
    let certificate = draft.sign(&serial, &key)?;
    let issuance = draft.issuance(&serial, &certificate, 1);
    let material = Material {
        record: &new.record(None),
        certificate: &certificate,
        key_pem: Some(&key_pem),
        serial_counter: 1,
        issued: &[issuance],
        history: None,
    };
    stage(&reserved, &material)?;
    Ok((finish(&reserved, &new.name, Recorded::Nowhere)?, notices))
}

/// Where a new CA's certificate is recorded before the CA has its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    /// In its parent's journal: it is issued.
    ByParent,
    /// In its own folder alone.
    Nowhere,
}

/// What failed while nothing was recorded is taken back; what can't be taken back now is cleared away
/// by the next command, so the first failure is the one to report.
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
        CaError::AfterCommit {
            what: format!("the CA {name}"),
            remedy: "the next command completes it; `pki tree` shows it then".into(),
            source: Box::new(unfinished.source.into()),
        }
    })
}

pub(crate) fn protected(
    name: &CaName,
    key: &PrivateKey,
    passphrases: &mut dyn Passphrases,
) -> Result<zeroize::Zeroizing<Vec<u8>>, CaError> {
    let label = format!("the new key of {name}");
    protection_for(ProtectedKey::of(name, &label), passphrases)?
        .to_pem(key)
        .map_err(CaError::NewKey)
}

/// Makes a CA under a CA of the store.
pub fn create_subordinate(
    store: &Store,
    parent: &CaName,
    new: &NewCa,
    passphrases: &mut dyn Passphrases,
    now: OffsetDateTime,
) -> Result<(Ca, Vec<Notice>), CaError> {
    store.check_free(&new.name)?;
    refuse_taken_subject(store, &new.subject, None, now)?;
    let mut notices = Vec::new();
    let limits = store.ca(parent)?;
    let path_length = path_length_under(&limits, new.path_length)?;
    let limit = Some(limits.certificate());
    let validity = new
        .lifetime
        .resolve(now, new.length(), limit, &mut notices)?;
    if new.lifetime.end.is_none() {
        // By default a CA expires with its parent CA at the latest.
        notices.clear();
    }
    let issuer = Issuer::open(store, parent, Purpose::Certificates, passphrases, now)?;
    let key = new.key(&mut notices)?;
    let draft = draft_under(&issuer, new, path_length, key.public(), validity)?;
    let key_pem = protected(&new.name, &key, passphrases)?;
    let random = random_u64()?;

    let reserved = store.reserve_ca(&new.name)?;
    let mut signing = issuer.lock()?;
    refuse_taken_subject(store, &new.subject, None, now)?;
    let serial = signing.reserve_serial(random)?;
    let certificate = issuer.sign(&draft, &serial)?;
    let issuance = draft.issuance(&serial, &certificate, signing.locked().counter());
    let material = Material {
        record: &new.record(Some(parent.clone())),
        certificate: &certificate,
        key_pem: Some(&key_pem),
        serial_counter: 0,
        issued: &[],
        history: None,
    };
    stage(&reserved, &material)?;
    if let Err(error) = signing.record(&[issuance]) {
        let _ = reserved.give_up();
        return Err(error);
    }
    drop(signing);
    Ok((finish(&reserved, &new.name, Recorded::ByParent)?, notices))
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
        profile: "subordinate",
    };
    Draft::new(content, issuer.path(), issuer.signature_algorithm())
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
        return Err(CaError::CaUnusable {
            ca: parent.name().clone(),
            problem: "its path length is 0: no CA may stand below it".into(),
            to_renew: None,
        });
    };
    match asked {
        Some(asked) if asked > most => Err(CaError::PathLength {
            ca: parent.name().clone(),
            allowed,
            asked,
        }),
        asked => Ok(asked.or(Some(most))),
    }
}
