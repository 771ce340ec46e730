//! Keys: whether they can be read, their encryption, and, if they can be opened, whether each is its
//! certificate's.

use crate::ca::check::finding::{Remedy, SHORT, StoreFinding, settled, unreadable};
use crate::ca::check::rule::{
    CheckRule, FILE_UNREADABLE, KEY_ENCRYPTION, KEY_LEFT, KEY_MISMATCH, KEY_NOT_OPENED,
    KEY_OUTSIDE, KEY_UNREADABLE, KEY_WITHOUT_RECORD,
};
use crate::ca::error::CaError;
use crate::ca::outside_key;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, Unlocked};
use crate::key::{KeyEncryptionKey, KeyError, KeyFile, KeyUri, PrivateKey, Protection};
use crate::store::{Ca, StoreError};
use crate::x509::{Certificate, Serial};
use std::error::Error;

/// A CA's own key, as a basis to judge those of its leaves.
#[derive(Default)]
pub(crate) struct OwnKey {
    pub(crate) is_encrypted: bool,
    /// Whether it could be opened, or needed no passphrase.
    pub(crate) was_opened: bool,
    /// Opens the keys of its leaves.
    derived: Option<KeyEncryptionKey>,
}

/// A rule that a key breaks, and how.
pub(crate) type Problem = (&'static CheckRule, String);

/// Checks a CA's own key; a key that is elsewhere is not checked, and one outside the store only with its PIN.
/// Returns an error if a passphrase was promised and is missing.
pub(crate) fn check_own_key(
    ca: &Ca,
    passphrases: Option<&mut dyn Passphrases>,
) -> Result<(OwnKey, Option<StoreFinding>), CaError> {
    if let Some(uri) = &ca.record().key_uri {
        return check_key_outside(ca, uri, passphrases);
    }
    let path = ca.key_location();
    let name = ca.name();
    let about = |(rule, message): Problem| rule.broken(message).at(&path).about(ca);
    let content = match ca.key_file() {
        Ok(Some(content)) => content,
        Ok(None) => return Ok((OwnKey::default(), None)),
        Err(error) => {
            let finding = unreadable(KEY_UNREADABLE, &error, &path).about(ca);
            return Ok((OwnKey::default(), Some(finding)));
        }
    };
    let mut own = OwnKey::default();
    let label = format!("the key of {name}");
    let fit = |key: &PrivateKey| {
        let fits = key.public().spki() == ca.certificate().public_key().spki();
        (!fits).then(|| mismatch(&label))
    };
    let encrypted = match KeyFile::parse(&content) {
        Err(error) => {
            let problem = (KEY_UNREADABLE, format!("{label} can't be read: {error}"));
            return Ok((own, Some(about(problem))));
        }
        Ok(KeyFile::Plain(key)) => {
            own.was_opened = true;
            return Ok((own, fit(&key).map(about)));
        }
        Ok(KeyFile::Encrypted(encrypted)) => encrypted,
    };
    own.is_encrypted = true;
    let weak = (!encrypted.is_strong()).then(|| weakly_encrypted(&label));
    let Some(passphrases) = passphrases else {
        return Ok((own, weak.map(about)));
    };
    let mut unlocked = Unlocked::new();
    let wanted = ProtectedKey::of(name, &label);
    let problem = match unlocked.open(&path, wanted, &content, passphrases) {
        Ok(key) => {
            own.was_opened = true;
            own.derived = match unlocked.protection() {
                Ok(Protection::Passphrase(derived)) if encrypted.is_strong() => Some(derived),
                _ => None,
            };
            fit(&key)
        }
        Err(CaError::Key(KeyUseError::Unusable {
            source: KeyError::WrongPassphrase,
            ..
        })) => Some(not_opened(&label, "the passphrase is wrong")),
        Err(error @ CaError::Key(KeyUseError::NoPassphrase { .. })) => return Err(error),
        Err(CaError::Key(KeyUseError::Unusable { source, .. })) => Some(unusable(&label, &source)),
        Err(error) => Some(unusable(&label, &error)),
    };
    Ok((own, problem.or(weak).map(about)))
}

/// Checks a key outside the store. Its helper is started only if the user gave passphrases.
fn check_key_outside(
    ca: &Ca,
    uri: &KeyUri,
    passphrases: Option<&mut dyn Passphrases>,
) -> Result<(OwnKey, Option<StoreFinding>), CaError> {
    let mut own = OwnKey::default();
    let label = format!("the key of {}", ca.name());
    let left = ca.has_needless_key_file().unwrap_or(false).then(|| {
        let message = format!("{label} is outside the store, but its file is still there");
        KEY_LEFT.broken(message).at(ca.key_location())
    });
    let place =
        |rest: &str| KEY_OUTSIDE.broken(format!("{label} is outside the store: {uri}{rest}"));
    let opened = passphrases.map(|passphrases| outside_key::open(uri, ca.name(), passphrases));
    let finding = match opened {
        None => place(""),
        Some(Ok(key)) if key.public().spki() == ca.certificate().public_key().spki() => {
            own.was_opened = true;
            place(", and is that of its certificate")
        }
        Some(Ok(_)) => {
            let (rule, message) = mismatch(&label);
            rule.broken(message)
        }
        Some(Err(error @ CaError::Key(KeyUseError::NoPassphrase { .. }))) => return Err(error),
        Some(Err(error)) => {
            let reason = error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string);
            let (rule, message) = not_opened(&format!("{label} ({uri})"), &reason);
            rule.broken(message)
        }
    };
    Ok((own, Some(left.unwrap_or(finding).about(ca))))
}

fn mismatch(label: &str) -> Problem {
    (
        KEY_MISMATCH,
        format!("{label} does not match its certificate"),
    )
}

fn unusable(label: &str, error: &dyn Error) -> Problem {
    (KEY_UNREADABLE, format!("{label} can't be used: {error}"))
}

fn not_opened(label: &str, why: &str) -> Problem {
    (KEY_NOT_OPENED, format!("{label} was not opened: {why}"))
}

fn weakly_encrypted(label: &str) -> Problem {
    let message =
        format!("{label} is not encrypted with PBES2, 600,000 iterations of PBKDF2 and AES-256");
    (KEY_ENCRYPTION, message)
}

/// Checks the key of a certificate that the CA issued; called on any core.
pub(crate) fn leaf_key_problem(
    ca: &Ca,
    own: &OwnKey,
    serial: &Serial,
    certificate: Option<&Certificate>,
) -> Option<Problem> {
    let label = format!("the key of {serial}");
    let content = match ca.leaf_key_file(serial) {
        // It may be removed meanwhile, by a user who keeps keys elsewhere.
        Ok(content) => content?,
        Err(StoreError::File(error)) => {
            return Some((FILE_UNREADABLE, format!("{error}: {}", error.source)));
        }
        Err(error) => return Some((KEY_UNREADABLE, error.to_string())),
    };
    let key = match KeyFile::parse(&content) {
        Err(error) => return Some((KEY_UNREADABLE, format!("{label} can't be read: {error}"))),
        Ok(KeyFile::Plain(_)) if own.is_encrypted => {
            let message = format!("{label} is not encrypted, but the key of its CA is");
            return Some((KEY_ENCRYPTION, message));
        }
        Ok(KeyFile::Plain(key)) => key,
        Ok(KeyFile::Encrypted(encrypted)) if !encrypted.is_strong() => {
            return Some(weakly_encrypted(&label));
        }
        Ok(KeyFile::Encrypted(encrypted)) => match encrypted.open_with(own.derived.as_ref()?)? {
            Ok(key) => key,
            Err(KeyError::WrongPassphrase) => {
                return Some(not_opened(&label, "its passphrase is not its CA's"));
            }
            Err(error) => return Some(unusable(&label, &error)),
        },
    };
    let fits = key.public().spki() == certificate?.public_key().spki();
    (!fits).then(|| mismatch(&label))
}

/// Finds keys of certificates that are not recorded. `kept` are those that were there before the journal with
/// the `recorded` was read.
pub(crate) fn check_unrecorded(
    ca: &Ca,
    kept: &[Serial],
    recorded: &[Serial],
    pauses: &[u64],
) -> Vec<StoreFinding> {
    let is_unrecorded = |serial: &&Serial| recorded.binary_search(serial).is_err();
    let unrecorded: Vec<&Serial> = kept.iter().filter(is_unrecorded).collect();
    if unrecorded.is_empty() {
        return Vec::new();
    }
    // The key of a certificate that is being issued is recorded soon, or gone.
    let pauses = if pauses.is_empty() { pauses } else { SHORT };
    settled(pauses, || {
        let still = unrecorded.iter().filter(|serial| {
            let is_here = matches!(ca.leaf_key_file(serial), Ok(Some(_)));
            is_here && !matches!(ca.issuance(serial), Ok(Some(_)))
        });
        still.map(|serial| unrecorded_key(ca, serial)).collect()
    })
}

fn unrecorded_key(ca: &Ca, serial: &Serial) -> StoreFinding {
    let path = ca.leaf_key_location(serial);
    let message = format!("{path} is the key of a certificate that was never issued");
    KEY_WITHOUT_RECORD
        .broken(message)
        .at(&path)
        .about(ca)
        .of_serial(serial)
        .healed_by(Remedy::TakeLeafKeyAway)
}
