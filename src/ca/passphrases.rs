//! Passphrases: asked for when a key turns out to need one, never before.

pub(crate) mod error;

use crate::ca::error::CaError;
use crate::ca::passphrases::error::{KeyUseError, Secret};
use crate::key::{
    Helpers, KeyEncryptionKey, KeyError, KeyFile, Passphrase, PrivateKey, Protection,
};
use crate::store::{CaName, Location};
use std::error::Error;

/// Key, or file with keys, that a passphrase opens or protects.
#[derive(Clone, Copy)]
pub(crate) struct ProtectedKey<'a> {
    /// The CA under whose passphrase it is; `None` if it has one of its own.
    pub(crate) ca: Option<&'a CaName>,
    /// Its name in prompts and errors.
    pub(crate) label: &'a str,
    pub(crate) secret: Secret,
}

impl<'a> ProtectedKey<'a> {
    /// Key of a CA, or of one of its leaves in the store.
    pub(crate) fn of(ca: &'a CaName, label: &'a str) -> Self {
        Self {
            ca: Some(ca),
            label,
            secret: Secret::Passphrase,
        }
    }

    /// Key of a CA outside the store.
    pub(crate) fn behind_pin(ca: &'a CaName, label: &'a str) -> Self {
        Self {
            secret: Secret::Pin,
            ..Self::of(ca, label)
        }
    }

    /// Key outside the store.
    pub(crate) fn outside(label: &'a str) -> Self {
        Self {
            ca: None,
            label,
            secret: Secret::Passphrase,
        }
    }

    fn no_passphrase(self, source: Box<dyn Error + Send + Sync>) -> CaError {
        KeyUseError::NoPassphrase {
            key: self.label.to_owned(),
            secret: self.secret,
            source,
        }
        .into()
    }
}

/// Source of passphrases.
pub(crate) trait Passphrases {
    /// Returns the passphrase that opens this key.
    fn to_open(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Passphrase, Box<dyn Error + Send + Sync>>;

    /// Returns whether a passphrase that turned out to be wrong may be typed again; the user is told that it was wrong.
    fn may_try_again(&mut self, _key: ProtectedKey<'_>) -> bool {
        false
    }

    /// Returns whether the user named a source of the passphrase of this CA.
    fn is_given(&self, _ca: &CaName) -> bool {
        true
    }

    /// Returns the passphrase for a new or exported key; `None` if the user wants the key unencrypted.
    fn to_protect(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>>;

    /// Returns whether [`Passphrases::to_protect`] would ask the user; its error if nobody can be asked.
    fn would_ask_to_protect(
        &mut self,
        key: ProtectedKey<'_>,
    ) -> Result<bool, Box<dyn Error + Send + Sync>> {
        self.to_protect(key).map(|_| false)
    }

    /// Returns the helper programs for keys outside the store.
    fn helpers(&self) -> Helpers {
        Helpers::default()
    }
}

/// Opens the keys of one CA with one derivation, and protects new ones with the same.
pub(crate) struct Unlocked {
    passphrase: Option<Passphrase>,
    derived: Option<KeyEncryptionKey>,
}

impl Unlocked {
    pub(crate) fn new() -> Self {
        Self {
            passphrase: None,
            derived: None,
        }
    }

    /// Takes the passphrase of a file that was opened; an empty one protects nothing.
    pub(crate) fn with(passphrase: Option<Passphrase>) -> Self {
        Self {
            passphrase: passphrase.filter(|passphrase| !passphrase.is_empty()),
            derived: None,
        }
    }

    /// Reads a key file, with a passphrase if it is encrypted.
    pub(crate) fn open(
        &mut self,
        file: impl Into<Location>,
        wanted: ProtectedKey<'_>,
        content: &[u8],
        passphrases: &mut dyn Passphrases,
    ) -> Result<PrivateKey, CaError> {
        let path = file.into();
        let failed = |source: KeyError| KeyUseError::Unusable {
            path: path.clone(),
            source,
        };
        let encrypted = match KeyFile::parse(content).map_err(failed)? {
            KeyFile::Plain(key) => return Ok(key),
            KeyFile::Encrypted(encrypted) => encrypted,
        };
        if let Some(opened) = self
            .derived
            .as_ref()
            .and_then(|derived| encrypted.open_with(derived))
        {
            return Ok(opened.map_err(failed)?);
        }
        let ((key, derived), passphrase) = match &self.passphrase {
            Some(known) => (encrypted.open(known).map_err(failed)?, known.clone()),
            None => open_with(wanted, passphrases, |passphrase| encrypted.open(passphrase))?
                .map_err(failed)?,
        };
        self.passphrase = Some(passphrase);
        self.derived = derived;
        Ok(key)
    }

    /// Returns whether the key that was opened first needed a passphrase.
    pub(crate) fn was_encrypted(&self) -> bool {
        self.passphrase.is_some()
    }

    /// Protection for other keys of the same CA: under the passphrase that opened it, if it needed one. The
    /// encryption of a foreign key file may be too weak; then its passphrase is used, not its derivation.
    pub(crate) fn protection(&self) -> Result<Protection, CaError> {
        match (&self.passphrase, &self.derived) {
            (None, _) => Ok(Protection::None),
            (Some(_), Some(derived)) if derived.is_strong() => {
                Ok(Protection::Passphrase(derived.clone()))
            }
            (Some(passphrase), _) => {
                Ok(Protection::new(passphrase).map_err(KeyUseError::Encoding)?)
            }
        }
    }
}

/// Opens something with a passphrase, which is asked for again if it was typed wrongly; returns it beside the
/// result.
pub(crate) fn open_with<T>(
    wanted: ProtectedKey<'_>,
    passphrases: &mut dyn Passphrases,
    open: impl Fn(&Passphrase) -> Result<T, KeyError>,
) -> Result<Result<(T, Passphrase), KeyError>, CaError> {
    loop {
        let passphrase = passphrases.to_open(wanted);
        let passphrase = passphrase.map_err(|source| wanted.no_passphrase(source))?;
        match open(&passphrase) {
            Err(error) if error.is_wrong_secret() && passphrases.may_try_again(wanted) => {}
            opened => return Ok(opened.map(|opened| (opened, passphrase))),
        }
    }
}

impl Default for Unlocked {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the passphrase for a new or exported key, if it is to have one.
pub(crate) fn passphrase_for(
    key: ProtectedKey<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<Option<Passphrase>, CaError> {
    let given = passphrases.to_protect(key);
    given.map_err(|source| key.no_passphrase(source))
}

/// Returns whether the user would be asked for the passphrase of a new or exported key.
pub(crate) fn would_ask_for(
    key: ProtectedKey<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<bool, CaError> {
    let asked = passphrases.would_ask_to_protect(key);
    asked.map_err(|source| key.no_passphrase(source))
}

/// Returns the protection of a new or exported key.
pub(crate) fn protection_for(
    key: ProtectedKey<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<Protection, CaError> {
    match passphrase_for(key, passphrases)? {
        Some(passphrase) => Ok(Protection::new(&passphrase).map_err(KeyUseError::Encoding)?),
        None => Ok(Protection::None),
    }
}
