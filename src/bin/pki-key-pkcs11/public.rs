//! Public keys of the keys in a token.

use crate::message::Code;
use crate::objects::{KeyObject, ambiguous_key, bytes, find, find_keys, key_type};
use crate::problem::{Failure, Result};
use crate::spki;
use crate::token::Token;
use crate::uri::Uri;
use cryptoki::object::{AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::collections::BTreeSet;

/// SubjectPublicKeyInfo of the one key that fits. A public key or a certificate stands for it only as long as
/// the private key may be hidden.
pub(crate) fn of_key(token: &Token, session: &Session, uri: &Uri) -> Result<Vec<u8>> {
    match &find_keys(session, uri)?[..] {
        [] => Err(token.missing(session)),
        [key, ..] if key.class != ObjectClass::PRIVATE_KEY && !token.is_locked() => {
            Err(token.missing(session))
        }
        [key] if key.class == ObjectClass::PRIVATE_KEY => of_private(session, uri, key),
        [key] => of_object(session, key)?.ok_or_else(unknown),
        several => Err(ambiguous_key(several.len())),
    }
}

fn unknown() -> Failure {
    let message = "the token does not show the public key, or it is of an unsupported type";
    Failure::new(Code::Unsupported, message)
}

/// Public key of a private key: of the object beside it, of the private key itself, or of its certificate.
fn of_private(session: &Session, uri: &Uri, key: &KeyObject) -> Result<Vec<u8>> {
    let id = bytes(session, key.handle, AttributeType::Id)?;
    let beside = Uri {
        id: id.or_else(|| uri.id.clone()),
        object: uri.object.clone(),
        ..Uri::default()
    };
    if let Some(spki) = the_only(session, &beside, key, ObjectClass::PUBLIC_KEY)? {
        return Ok(spki);
    }
    if let Some(spki) = of_object(session, key)? {
        return Ok(spki);
    }
    // The label of a public key, and still more of a certificate, may differ.
    if beside.id.is_some() {
        let same_id = Uri {
            object: None,
            ..beside
        };
        for class in [ObjectClass::PUBLIC_KEY, ObjectClass::CERTIFICATE] {
            if let Some(spki) = the_only(session, &same_id, key, class)? {
                return Ok(spki);
            }
        }
    }
    Err(unknown())
}

/// Public key of the objects of a class that belong to a private key; all of them must have the same.
fn the_only(
    session: &Session,
    uri: &Uri,
    key: &KeyObject,
    class: ObjectClass,
) -> Result<Option<Vec<u8>>> {
    let kind = key_type(session, key.handle);
    let mut found = BTreeSet::new();
    for handle in find(session, uri, class)? {
        if class == ObjectClass::PUBLIC_KEY && key_type(session, handle) != kind {
            continue;
        }
        found.extend(of_object(session, &KeyObject { handle, class })?);
    }
    match found.len() {
        0 | 1 => Ok(found.pop_first()),
        several => Err(ambiguous_key(several)),
    }
}

/// Public key by the attributes of an object, if it has them.
pub(crate) fn of_object(session: &Session, object: &KeyObject) -> Result<Option<Vec<u8>>> {
    let value = |kind| bytes(session, object.handle, kind);
    if object.class == ObjectClass::CERTIFICATE {
        let certificate = value(AttributeType::Value)?;
        return certificate
            .map(|der| spki::of_certificate(&der))
            .transpose();
    }
    let spki = match key_type(session, object.handle) {
        Some(KeyType::RSA) => {
            let modulus = value(AttributeType::Modulus)?;
            let exponent = value(AttributeType::PublicExponent)?;
            modulus.zip(exponent).map(|(n, e)| spki::rsa(&n, &e))
        }
        Some(KeyType::EC) => {
            point(session, object.handle)?.map(|(curve, point)| spki::ec(&curve, &point))
        }
        Some(KeyType::EC_EDWARDS) => {
            point(session, object.handle)?.map(|(curve, point)| spki::edwards(&curve, &point))
        }
        _ => None,
    };
    match spki {
        Some(spki) => spki.map(Some),
        None => Ok(value(AttributeType::PublicKeyInfo)?.and_then(|info| spki::given(&info))),
    }
}

fn point(session: &Session, object: ObjectHandle) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let curve = bytes(session, object, AttributeType::EcParams)?;
    let point = bytes(session, object, AttributeType::EcPoint)?;
    Ok(curve.zip(point))
}

/// Name of a key's type as `pki` has it; `None` for another type.
pub(crate) fn type_name(session: &Session, object: ObjectHandle) -> Result<Option<&'static str>> {
    let value = |kind| Ok::<_, Failure>(bytes(session, object, kind)?.unwrap_or_default());
    Ok(match key_type(session, object) {
        Some(KeyType::RSA) => spki::rsa_name(&value(AttributeType::Modulus)?),
        Some(KeyType::EC) => {
            spki::Curve::of_params(&value(AttributeType::EcParams)?).map(|curve| curve.name)
        }
        Some(KeyType::EC_EDWARDS) => {
            spki::is_ed25519(&value(AttributeType::EcParams)?).then_some("ed25519")
        }
        _ => None,
    })
}
