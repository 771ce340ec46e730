//! Moving the key of a CA to a place outside the store.

use crate::ca::authority::error::AuthorityError;
use crate::ca::error::CaError;
use crate::ca::issuance::error::IssuerError;
use crate::ca::outside_key;
use crate::ca::passphrase_change::key_file_of;
use crate::ca::passphrases::{ProtectedKey, Unlocked};
use crate::ca::remedy::Remedy;
use crate::ca::session::Session;
use crate::key::{KeyUri, PrivateKey};
use crate::store::{Ca, CaName, StoreError};

/// Result of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    Now,
    /// The key was there already.
    Before,
}

/// Imports the key of a CA into a token or service. Its file is removed after the key there has signed, and the
/// signature was verified. A key that is there already is proved in the same way.
pub(crate) fn move_key(
    session: &mut Session<'_>,
    name: &CaName,
    uri: &KeyUri,
) -> Result<Moved, CaError> {
    let ca = session.store.ca(name)?;
    let moved = match &ca.record().key_uri {
        // An interrupted move, of which the file is left.
        Some(there) if there == uri && ca.has_needless_key_file()? => {
            outside_key::open(uri, name, session.passphrases)?
        }
        Some(there) if there == uri => return Ok(Moved::Before),
        Some(there) => {
            let (ca, uri) = (name.clone(), there.clone());
            return Err(IssuerError::KeyOutside { ca, uri }.into());
        }
        None => imported(session, &ca, uri)?,
    };
    if moved.public().spki() != ca.certificate().public_key().spki() {
        let (ca, uri) = (name.clone(), Some(uri.clone()));
        return Err(IssuerError::KeyMismatch { ca, uri }.into());
    }
    outside_key::prove(uri, &moved)?;
    let unfinished = |source: StoreError| {
        let what = format!("the move of the key of {name}");
        CaError::after_commit(what, Remedy::MoveKeyAgain, source)
    };
    let ca = session.store.set_key_uri(name, uri);
    let ca = ca.map_err(|source| match source {
        StoreError::Undecided { .. } => unfinished(source),
        source => source.into(),
    })?;
    ca.remove_key_file().map_err(unfinished)?;
    Ok(Moved::Now)
}

fn imported(session: &mut Session<'_>, ca: &Ca, uri: &KeyUri) -> Result<PrivateKey, CaError> {
    let name = ca.name();
    let content = key_file_of(ca)?;
    let label = format!("the key of {name}");
    let key = Unlocked::new().open(
        ca.key_location(),
        ProtectedKey::of(name, &label),
        &content,
        session.passphrases,
    )?;
    let moved = outside_key::take_or_import(uri, name, &key, session.passphrases)?;
    if moved.public().spki() != key.public().spki() {
        let (ca, uri) = (name.clone(), uri.clone());
        return Err(AuthorityError::OtherKeyThere { ca, uri }.into());
    }
    Ok(moved)
}
