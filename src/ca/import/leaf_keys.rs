//! Keys of certificates that can be opened.

use crate::ca::foreign::{Input, Size};
use crate::ca::import::certificates::{Found, causes};
use crate::ca::{CaError, Passphrases, ProtectedKey, RuleFinding, Unlocked};
use crate::key::{Passphrase, PrivateKey};
use crate::x509::{Fingerprint, Serial};
use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Keys, each with its certificates: several after a renewal.
#[derive(Default)]
pub(crate) struct LeafKeys {
    pub(crate) keys: Vec<(PrivateKey, Vec<Serial>)>,
    pub(crate) findings: Vec<RuleFinding>,
}

impl LeafKeys {
    /// Opens the files that are not encrypted, or have the passphrase of the CA's key.
    pub(crate) fn read<'a>(
        files: &[PathBuf],
        found: impl Iterator<Item = &'a Found>,
        unlocked: &mut Unlocked,
    ) -> Result<Self, CaError> {
        let mut keys = Self::default();
        if files.is_empty() {
            return Ok(keys);
        }
        let mut certified: HashMap<Fingerprint, Vec<Serial>> = HashMap::new();
        for certificate in found {
            let serials = certified.entry(certificate.key).or_default();
            serials.push(certificate.issuance.serial);
        }
        for path in files {
            match open(path, unlocked) {
                Ok(key) => keys.take(path, key, &mut certified),
                Err(error @ CaError::File(_)) => return Err(error),
                Err(error) => keys.missed("key-not-opened", causes(&error)),
            }
        }
        Ok(keys)
    }

    fn take(
        &mut self,
        path: &Path,
        key: PrivateKey,
        certified: &mut HashMap<Fingerprint, Vec<Serial>>,
    ) {
        // A copy of a key that was taken before finds no certificates.
        match certified.get_mut(&Fingerprint::of(key.public().spki())) {
            Some(serials) if serials.is_empty() => {}
            Some(serials) => self.keys.push((key, std::mem::take(serials))),
            None => {
                let message = format!("{} does not match any certificate", path.display());
                self.missed("key-does-not-fit", message);
            }
        }
    }

    /// Warns of a key that is not imported.
    fn missed(&mut self, rule: &'static str, message: String) {
        self.findings.push(RuleFinding::warning(rule, message));
    }
}

fn open(path: &Path, unlocked: &mut Unlocked) -> Result<PrivateKey, CaError> {
    let input = Input::read_of(Size::Single, path)?;
    let label = format!("the key {}", path.display());
    let wanted = ProtectedKey::outside(&label);
    unlocked.open(path, wanted, input.content(), &mut NoOther)
}

/// Knows no passphrase but the one that opened the CA's key.
struct NoOther;

impl Passphrases for NoOther {
    fn to_open(&mut self, _: ProtectedKey<'_>) -> Result<Passphrase, Box<dyn Error + Send + Sync>> {
        Err("it is encrypted, but the key of the CA is not".into())
    }

    fn to_protect(
        &mut self,
        _: ProtectedKey<'_>,
    ) -> Result<Option<Passphrase>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}
