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
pub(crate) fn find(
    uri: &KeyUri,
    ca: &CaName,
    passphrases: &mut dyn Passphrases,
) -> Result<(KeyPlace, Option<PublicKey>), CaError> {
    let failed = |error| failed(uri, error);
    let place = passphrases.helpers().place(uri);
    let place = place.map_err(|error| failed(error.into()))?;
    let mut found = place.look().map_err(failed)?;
    if matches!(found, Found::Locked) {
        let label = format!("the key of {ca} ({uri})");
        let wanted = ProtectedKey::behind_pin(ca, &label);
        open_with(wanted, passphrases, |pin| place.log_in(pin))?.map_err(failed)?;
        found = place.look().map_err(failed)?;
    }
    match found {
        Found::Key(public) => Ok((place, Some(public))),
        Found::Nothing => Ok((place, None)),
        Found::Locked => Err(failed(place.still_locked().into()).into()),
    }
}

fn failed(uri: &KeyUri, source: KeyError) -> KeyUseError {
    let uri = uri.clone();
    KeyUseError::Outside { uri, source }
}
