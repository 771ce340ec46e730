//! Keys of CAs outside the store: found, opened with a PIN, and made.

use crate::ca::error::CaError;
use crate::ca::notice::Notice;
use crate::ca::passphrases::error::KeyUseError;
use crate::ca::passphrases::{Passphrases, ProtectedKey, open_with};
use crate::key::{Found, KeyError, KeyPlace, KeyType, KeyUri, PrivateKey, PublicKey};
use crate::store::CaName;

/// Message that proves a key. It is no DER, so that its signature is of no other use.
const PROOF: &[u8] = b"pki: proof of a key outside the store";

/// Opens the key of a CA at a place outside the store.
pub(crate) fn open(
    uri: &KeyUri,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, CaError> {
    let (place, public) = find(uri, ca, passphrases)?;
    opened(uri, place, public)
}

/// Opens the key of a CA to sign with it. A public key that is visible without the PIN is not asked for again: the
/// signature shows whether the private key is there.
pub(crate) fn open_to_sign(
    uri: &KeyUri,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, CaError> {
    let (place, found) = unlocked(uri, ca, passphrases)?;
    let public = match found {
        Found::Locked(Some(public)) => Some(public),
        found => looked_again(uri, &place, found)?,
    };
    opened(uri, place, public)
}

fn opened(uri: &KeyUri, place: KeyPlace, public: Option<PublicKey>) -> Result<PrivateKey, CaError> {
    let public = public.ok_or_else(|| KeyUseError::NotThere { uri: uri.clone() })?;
    Ok(PrivateKey::outside(place, public).map_err(|error| failed(uri, error))?)
}

/// Takes the key that is there for a new CA, or generates one, of the `usual` type if none is asked for.
pub(crate) fn take_or_generate(
    uri: &KeyUri,
    ca: &CaName,
    kind: Option<KeyType>,
    usual: KeyType,
    passphrases: &mut dyn Passphrases,
    notices: &mut Vec<Notice>,
) -> Result<PrivateKey, CaError> {
    let failed = |error| failed(uri, error);
    let (place, public) = find(uri, ca, passphrases)?;
    let (public, kind) = if let Some(public) = public {
        notices.push(Notice::KeyTaken { uri: uri.clone() });
        (public, kind)
    } else {
        let kind = kind.unwrap_or(usual);
        (place.generate(kind).map_err(failed)?, Some(kind))
    };
    let found = public.algorithm().to_string();
    if let Some(asked) = kind.filter(|asked| asked.to_string() != found) {
        let uri = uri.clone();
        return Err(KeyUseError::OtherType { uri, found, asked }.into());
    }
    public.check_certifiable().map_err(failed)?;
    Ok(PrivateKey::outside(place, public).map_err(failed)?)
}

/// Takes the key that is there, or stores one there.
pub(crate) fn take_or_import(
    uri: &KeyUri,
    ca: &CaName,
    key: &PrivateKey,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, CaError> {
    let failed = |error| failed(uri, error);
    let (place, public) = find(uri, ca, passphrases)?;
    let public = if let Some(public) = public {
        public
    } else {
        let pkcs8 = key.to_pkcs8().map_err(KeyUseError::Encoding)?;
        place.import(&pkcs8).map_err(failed)?
    };
    Ok(PrivateKey::outside(place, public).map_err(failed)?)
}

/// Proves that the private key at a place fits its public key.
pub(crate) fn prove(uri: &KeyUri, key: &PrivateKey) -> Result<(), CaError> {
    let failed = |error| failed(uri, error);
    let signature = key.sign(PROOF).map_err(failed)?;
    let verified = key
        .signature_algorithm()
        .verify(key.public(), PROOF, &signature);
    Ok(verified.map_err(failed)?)
}

/// Looks for a key, and gives the PIN if one is needed.
fn find(
    uri: &KeyUri,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<(KeyPlace, Option<PublicKey>), CaError> {
    let (place, found) = unlocked(uri, ca, passphrases)?;
    let public = looked_again(uri, &place, found)?;
    Ok((place, public))
}

/// Looks for a key once more if the PIN was needed.
fn looked_again(
    uri: &KeyUri,
    place: &KeyPlace,
    mut found: Found,
) -> Result<Option<PublicKey>, CaError> {
    if matches!(found, Found::Locked(_)) {
        found = place.look().map_err(|error| failed(uri, error))?;
    }
    match found {
        Found::Key(public) => Ok(Some(public)),
        Found::Nothing => Ok(None),
        Found::Locked(_) => Err(failed(uri, place.still_locked().into()).into()),
    }
}

/// Gives the PIN if one is needed; returns what was found without it.
fn unlocked(
    uri: &KeyUri,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<(KeyPlace, Found), CaError> {
    let failed = |error| failed(uri, error);
    let place = passphrases.helpers().place(uri);
    let place = place.map_err(|error| failed(error.into()))?;
    let found = place.look().map_err(failed)?;
    if matches!(found, Found::Locked(_)) {
        let label = format!("the key of {ca} ({uri})");
        let wanted = ProtectedKey::behind_pin(ca, &label);
        open_with(wanted, passphrases, |pin| place.log_in(pin))?.map_err(failed)?;
    }
    Ok((place, found))
}

fn failed(uri: &KeyUri, source: KeyError) -> KeyUseError {
    let uri = uri.clone();
    KeyUseError::Outside { uri, source }
}
