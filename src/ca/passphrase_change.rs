//! Another passphrase for existing keys.

use crate::ca::error::CaError;
use crate::ca::foreign::{Input, Size};
use crate::ca::issuance::error::IssuerError;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, Unlocked, protection_for};
use crate::ca::remedy::Remedy;
use crate::ca::session::Session;
use crate::key::{KeyError, KeyFile, Protection};
use crate::pem;
use crate::store::file::{self, Access, Existing};
use crate::store::{Ca, CaName, ChangedKeys, Location, StoreError};
use crate::x509::Serial;
use std::path::Path;
use zeroize::Zeroizing;

/// Protects the key of a CA and the keys of its leaves with another passphrase, all in one step; returns the
/// number of leaf keys.
pub(crate) fn change_passphrase(
    session: &mut Session<'_>,
    name: &CaName,
) -> Result<usize, CaError> {
    let ca = session.store.ca(name)?;
    let content = key_file_of(&ca)?;
    let label = format!("the key of {name}");
    let mut unlocked = Unlocked::new();
    let key = unlocked.open(
        ca.key_location(),
        ProtectedKey::of(name, &label),
        &content,
        session.passphrases,
    )?;
    let new_label = format!("the keys of {name} (new)");
    let protection = protection_for(ProtectedKey::of(name, &new_label), session.passphrases)?;
    let own = protection.to_pem(&key).map_err(KeyUseError::Encoding)?;

    let mut new = session.store.begin_new_keys(name)?;
    if new.ca().key_file()?.as_deref() != Some(&*content) {
        let name = name.clone();
        return Err(StoreError::KeysChanged { name }.into());
    }
    let passphrases = &mut *session.passphrases;
    let mut protect = |ca: &Ca, serial: &Serial, old: &[u8]| -> Result<_, CaError> {
        let wanted = ProtectedKey::of(name, &label);
        let key = unlocked.open(ca.leaf_key_location(serial), wanted, old, passphrases)?;
        Ok(protection.to_pem(&key).map_err(KeyUseError::Encoding)?)
    };
    new.add_leaf_keys(&mut protect)?;
    let ChangedKeys { leaf_keys, settled } = new.finish(&own, protect)?;
    settled.map_err(|error| {
        let what = format!("the new passphrase of {name}");
        CaError::after_commit(what, Remedy::RemovedByNext, error)
    })?;
    Ok(leaf_keys)
}

/// Returns the content of the key file of a CA; a key that is not in the store is an error.
pub(crate) fn key_file_of(ca: &Ca) -> Result<Zeroizing<Vec<u8>>, CaError> {
    if let Some(content) = ca.key_file()? {
        return Ok(content);
    }
    let name = ca.name().clone();
    Err(match ca.record().key_uri.clone() {
        Some(uri) => IssuerError::KeyOutside { ca: name, uri },
        None => IssuerError::KeyElsewhere { ca: name },
    }
    .into())
}

/// Protects the key in a file with another passphrase; the file becomes PKCS#8, in PEM. Returns whether it is
/// encrypted now.
pub(crate) fn change_passphrase_of_file(
    path: &Path,
    passphrases: &mut dyn Passphrases,
) -> Result<bool, CaError> {
    let input = Input::read_of(Size::Single, path)?;
    let failed = |source: KeyError| KeyUseError::Unusable {
        path: Location::from(path),
        source,
    };
    let others = pem::decode(input.content()).unwrap_or_default();
    let others = others
        .iter()
        .filter(|object| object.label != "EC PARAMETERS");
    if others.count() > 1 {
        return Err(failed(KeyError::NotAlone).into());
    }
    KeyFile::parse(input.content()).map_err(failed)?;
    let label = format!("the key in {}", path.display());
    let key = Unlocked::new().open(
        path,
        ProtectedKey::outside(&label),
        input.content(),
        passphrases,
    )?;
    let label = format!("the key in {} (new)", path.display());
    let protection = protection_for(ProtectedKey::outside(&label), passphrases)?;
    let pem: Zeroizing<Vec<u8>> = protection.to_pem(&key).map_err(KeyUseError::Encoding)?;
    file::write(path, Access::Owner, Existing::Replace, &pem)?;
    Ok(!matches!(protection, Protection::None))
}
