//! The CA to import: its key, its certificate, and those above it.

use crate::ca::authority::error::AuthorityError;
use crate::ca::authority::{are_of_one_ca, path_above};
use crate::ca::foreign::{Input, Size, certificates_in};
use crate::ca::import::error::ImportError;
use crate::ca::import::leaf_keys::LeafKeys;
use crate::ca::import::locations::Places;
use crate::ca::import::request::{ImportRequest, KeyProtection};
use crate::ca::outside_key;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{ProtectedKey, protection_for, would_ask_for};
use crate::ca::pkcs12::{Pkcs12File, is_pkcs12, open_pkcs12};
use crate::ca::{CaError, Misfit, Passphrases, RuleFinding, Unlocked};
use crate::key::{KeyError, KeyUri, PrivateKey, Protection};
use crate::store::{Ca, CaName, Store};
use crate::x509::extension::key_usage::KEY_CERT_SIGN;
use crate::x509::validity::rfc3339;
use crate::x509::{Certificate, Serial, Validity};
use std::path::Path;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The CA to import, with its key.
pub(crate) struct Authority {
    pub(crate) certificate: Certificate,
    /// Other certificates that came with its own.
    pub(crate) beside: Vec<Certificate>,
    key: PrivateKey,
    pub(crate) unlocked: Unlocked,
    /// Findings about its certificate file.
    pub(crate) findings: Vec<RuleFinding>,
}

/// Reads the certificates and the key of the CA. Each file may be PKCS #12; one that is both is opened once.
fn read(
    places: &Places,
    name: &CaName,
    uri: Option<&KeyUri>,
    findings: &mut Vec<RuleFinding>,
    passphrases: &mut dyn Passphrases,
) -> Result<(Vec<Certificate>, PrivateKey, Unlocked), CaError> {
    let certificates = Input::read_of(Size::Several, &places.certificate)?;
    let opened = if is_pkcs12(&certificates) {
        Some(open_pkcs12(&certificates, Some(name), passphrases)?)
    } else {
        None
    };
    let beside = match &opened {
        Some(file) => {
            let all: Result<Vec<_>, _> = file.certificates().into_iter().collect();
            all.map_err(|unread| unread.into_error(false))?
        }
        None => certificates_in(&certificates)?,
    };
    let path = match (uri, &places.key) {
        (Some(uri), _) => {
            let key = outside_key::open(uri, name, passphrases)?;
            outside_key::prove(uri, &key)?;
            return Ok((beside, key, Unlocked::new()));
        }
        (None, Some(path)) => path,
        (None, None) => unreachable!("a key that is not outside has a file"),
    };
    let input = Input::read_of(Size::Single, path)?;
    if is_pkcs12(&input) {
        let mut file = match opened {
            Some(file) if *path == places.certificate => file,
            _ => open_pkcs12(&input, Some(name), passphrases)?,
        };
        if !file.has_mac {
            let message = format!("{} has no MAC: changes to it go unnoticed", path.display());
            findings.push(RuleFinding::warning("mac-missing", message));
        }
        let key = key_of_one(&mut file, &beside, places, name, passphrases)?;
        return Ok((beside, key, Unlocked::with(file.passphrase)));
    }
    let mut unlocked = Unlocked::new();
    let label = format!("the key of {name} in {}", path.display());
    let wanted = ProtectedKey::of(name, &label);
    let key = unlocked.open(path, wanted, input.content(), passphrases)?;
    Ok((beside, key, unlocked))
}

/// Returns the key in a PKCS #12 file that belongs to one of the CA certificates; others are passed over.
fn key_of_one(
    file: &mut Pkcs12File,
    certificates: &[Certificate],
    places: &Places,
    name: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, CaError> {
    // A leaf with its key may be in the file too.
    let cas = certificates
        .iter()
        .filter(|certificate| certificate.is_ca());
    let cas: Vec<&Certificate> = cas.collect();
    let has_certificate = |key: &PrivateKey| {
        let mut keys = cas.iter().map(|ca| ca.public_key());
        keys.any(|public| public.spki() == key.public().spki())
    };
    for key in file.keys(Some(name), passphrases)? {
        let key = match PrivateKey::from_pkcs8(&key.der) {
            Err(KeyError::Unsupported { .. }) => continue,
            key => key.map_err(|error| file.unusable(error))?,
        };
        if has_certificate(&key) {
            return Ok(key);
        }
    }
    Err(key_does_not_fit(places, None).into())
}

fn key_does_not_fit(places: &Places, uri: Option<&KeyUri>) -> ImportError {
    let file = places.key.as_ref().map(|path| path.display().to_string());
    let uri = uri.map(ToString::to_string);
    ImportError::KeyDoesNotFit {
        key: uri.or(file).unwrap_or_default(),
        certificate: places.certificate.clone(),
    }
}

fn label(request: &ImportRequest) -> String {
    format!("the new CA {}", request.record.name)
}

/// Order of a CA's certificates with one key, as after a renewal: valid ones are preferred, and of those the
/// one that expires last.
fn usefulness(certificate: &Certificate, now: OffsetDateTime) -> (bool, bool, OffsetDateTime) {
    let Validity {
        not_before,
        not_after,
    } = certificate.validity();
    let is_in_force = not_before <= now && now <= not_after;
    (certificate.is_ca(), is_in_force, not_after)
}

fn not_taken(taken: &Certificate, other: &Certificate, file: &Path) -> RuleFinding {
    let end = |certificate: &Certificate| rfc3339(certificate.validity().not_after);
    let message = format!(
        "{} has two certificates of the CA's key: the one that expires {} is used, not the one that expires {}",
        file.display(),
        end(taken),
        end(other)
    );
    RuleFinding::warning("ca-certificate-twice", message)
}

pub(crate) struct KeyFiles {
    /// `None` if the CA's key is outside the store.
    pub(crate) own: Option<Zeroizing<Vec<u8>>>,
    pub(crate) leaves: Vec<(Serial, Zeroizing<Vec<u8>>)>,
}

impl Authority {
    pub(crate) fn open(
        places: &Places,
        name: &CaName,
        uri: Option<&KeyUri>,
        passphrases: &mut dyn Passphrases,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let mut findings = Vec::new();
        let (mut beside, key, unlocked) = read(places, name, uri, &mut findings, passphrases)?;
        let is_its =
            |certificate: &Certificate| certificate.public_key().spki() == key.public().spki();
        let its = beside.iter().enumerate();
        let its = its.filter(|(_, certificate)| is_its(certificate));
        let best = its.max_by_key(|(_, certificate)| usefulness(certificate, now));
        let Some((own, _)) = best else {
            return Err(key_does_not_fit(places, uri).into());
        };
        let certificate = beside.remove(own);
        let others = beside.iter().filter(|other| is_its(other));
        let others = others.filter(|other| **other != certificate);
        findings.extend(others.map(|other| not_taken(&certificate, other, &places.certificate)));
        let not_a_ca = |problem| ImportError::NotACa {
            certificate: places.certificate.clone(),
            problem,
        };
        if certificate.broken_extension().is_some() {
            return Err(not_a_ca("an extension is malformed").into());
        }
        if !certificate.is_ca() {
            return Err(not_a_ca("its basicConstraints lack CA:TRUE").into());
        }
        if certificate
            .key_usage()
            .is_some_and(|usage| usage & KEY_CERT_SIGN == 0)
        {
            return Err(not_a_ca("its keyUsage lacks keyCertSign").into());
        }
        Ok(Self {
            certificate,
            beside,
            key,
            unlocked,
            findings,
        })
    }

    /// Returns the CA of this name and key, if it is in the store without its key. Refuses any other CA with the
    /// same key: it would assign the same serial numbers, or CAs below it would not see this one's revocations.
    pub(crate) fn refuse_second(
        &self,
        store: &Store,
        name: &CaName,
    ) -> Result<Option<Ca>, CaError> {
        let mut itself = None;
        for ca in store.cas()? {
            if ca.certificate().public_key().spki() != self.key.public().spki() {
                continue;
            }
            let found = ca.name().clone();
            if ca.has_key()? {
                return Err(ImportError::AlreadyHere { ca: found }.into());
            }
            if found != *name || !are_of_one_ca(ca.certificate(), &self.certificate) {
                return Err(ImportError::HereWithoutKey { ca: found }.into());
            }
            itself = Some(ca);
        }
        if itself.is_none() {
            store.check_free(name)?;
        }
        Ok(itself)
    }

    /// Returns its certificate and those above it; an expired root is accepted.
    pub(crate) fn path(
        &self,
        store: Option<&Store>,
        file: &Path,
        name: &CaName,
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, CaError> {
        let signed = self.certificate.verify_signature(self.key.public());
        match (self.certificate.is_self_issued(), signed) {
            (true, Ok(())) => return Ok(vec![self.certificate.clone()]),
            (true, Err(KeyError::Unsupported { algorithm })) => {
                return Err(ImportError::SignatureNotChecked {
                    certificate: file.to_owned(),
                    algorithm,
                }
                .into());
            }
            _ => {}
        }
        let found = path_above(store, &self.certificate, self.beside.clone(), now)?;
        found.map_err(|source: Misfit| {
            let (path, ca) = (file.to_owned(), name.clone());
            AuthorityError::Misfit { path, ca, source }.into()
        })
    }

    /// Returns whether its keys get a new passphrase.
    fn needs_passphrase(&self, request: &ImportRequest, leaves: &LeafKeys) -> bool {
        if self.key.is_outside() {
            return !leaves.keys.is_empty();
        }
        request.protection == KeyProtection::Asked || !self.unlocked.was_encrypted()
    }

    /// Returns whether the user would be asked for it; an error if it would be missing.
    pub(crate) fn would_ask(
        &self,
        request: &ImportRequest,
        leaves: &LeafKeys,
        passphrases: &mut dyn Passphrases,
    ) -> Result<bool, CaError> {
        if !self.needs_passphrase(request, leaves) {
            return Ok(false);
        }
        would_ask_for(
            ProtectedKey::of(&request.record.name, &label(request)),
            passphrases,
        )
    }

    pub(crate) fn keys(
        &self,
        request: &ImportRequest,
        leaves: &LeafKeys,
        passphrases: &mut dyn Passphrases,
    ) -> Result<KeyFiles, CaError> {
        let protection: Protection = if self.needs_passphrase(request, leaves) {
            protection_for(
                ProtectedKey::of(&request.record.name, &label(request)),
                passphrases,
            )?
        } else {
            self.unlocked.protection()?
        };
        let written = |key: &PrivateKey| protection.to_pem(key).map_err(KeyUseError::Encoding);
        let mut files = KeyFiles {
            own: if self.key.is_outside() {
                None
            } else {
                Some(written(&self.key)?)
            },
            leaves: Vec::new(),
        };
        for (key, serials) in &leaves.keys {
            for serial in serials {
                files.leaves.push((*serial, written(key)?));
            }
        }
        Ok(files)
    }
}
