//! Signatures by a key in a token.

use crate::message::Code;
use crate::objects::{SigningKey, ambiguous_key, find, flag, key_type, pin_required};
use crate::problem::{Failure, Result};
use crate::signature::{Order, Scheme};
use crate::token::{Credential, Leased, Token};
use crate::uri::Uri;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};

/// Signature as it stands in a certificate. `name` is the text of the URI.
pub(crate) fn sign(token: &Token, name: &str, uri: &Uri, order: &Order) -> Result<Vec<u8>> {
    let raw = token.with(|leased| {
        let key = key_in(leased, token, name, uri)?;
        if key.kind.is_some_and(|kind| kind != kind_for(order.scheme)) {
            let message = "the key is of another type than the signature algorithm";
            return Err(Failure::new(Code::Unsupported, message));
        }
        let mechanism = mechanism(order.scheme);
        if !key.always_authenticate {
            return Ok(leased.session.sign(&mechanism, key.handle, &order.data)?);
        }
        let credential = token.credential().ok_or_else(pin_required)?;
        signed_with_pin(&leased.session, &mechanism, key, &order.data, &credential)
    })?;
    order.finished(raw)
}

/// Key in a session; the first time it is looked for.
fn key_in(leased: &mut Leased, token: &Token, name: &str, uri: &Uri) -> Result<SigningKey> {
    if let Some(key) = leased.keys.get(name) {
        return Ok(*key);
    }
    let session = &leased.session;
    let handle = match find(session, uri, ObjectClass::PRIVATE_KEY)?[..] {
        [] => return Err(token.missing(session)),
        [handle] => handle,
        ref several => return Err(ambiguous_key(several.len())),
    };
    let always = flag(session, handle, AttributeType::AlwaysAuthenticate);
    let key = SigningKey {
        handle,
        kind: key_type(session, handle),
        always_authenticate: always == Some(true),
    };
    leased.keys.insert(name.to_owned(), key);
    Ok(key)
}

/// Signs something with a new key: some tokens store keys that they cannot use.
pub(crate) fn try_out(session: &Session, key: ObjectHandle) -> Result<()> {
    let kind = key_type(session, key);
    let schemes = [Scheme::Ecdsa, Scheme::RsaPkcs1, Scheme::Ed25519];
    let Some(scheme) = schemes
        .into_iter()
        .find(|scheme| kind == Some(kind_for(*scheme)))
    else {
        return Ok(());
    };
    if flag(session, key, AttributeType::AlwaysAuthenticate) == Some(true) {
        return Ok(());
    }
    let order = Order::trial(scheme);
    let signed = session.sign(&mechanism(scheme), key, &order.data);
    let finished = signed.map_err(Failure::from);
    finished
        .and_then(|raw| order.finished(raw))
        .map_err(|failure| {
            let problem = failure.into_problem();
            let message = format!(
                "the token cannot sign with the new key, which was removed: {}",
                problem.message
            );
            Failure::new(Code::Refused, message)
        })?;
    Ok(())
}

fn kind_for(scheme: Scheme) -> KeyType {
    match scheme {
        Scheme::Ecdsa => KeyType::EC,
        Scheme::RsaPkcs1 => KeyType::RSA,
        Scheme::Ed25519 => KeyType::EC_EDWARDS,
    }
}

fn mechanism(scheme: Scheme) -> Mechanism<'static> {
    match scheme {
        Scheme::Ecdsa => Mechanism::Ecdsa,
        Scheme::RsaPkcs1 => Mechanism::RsaPkcs,
        Scheme::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
    }
}

/// Signs with a key that needs the PIN each time. The PIN is given between C_SignInit and the data, which
/// the interface under this allows for operations of several parts only.
fn signed_with_pin(
    session: &Session,
    mechanism: &Mechanism<'_>,
    key: SigningKey,
    data: &[u8],
    credential: &Credential,
) -> Result<Vec<u8>> {
    session.sign_init(mechanism, key.handle)?;
    session.login(UserType::ContextSpecific, credential.pin())?;
    session.sign_update(data)?;
    Ok(session.sign_final()?)
}
