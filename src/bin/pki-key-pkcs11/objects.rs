//! Objects of a token: finding keys, reading their attributes.

use crate::message::Code;
use crate::problem::{Failure, Result};
use crate::uri::Uri;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

/// Private key that signs.
#[derive(Clone, Copy)]
pub(crate) struct SigningKey {
    pub(crate) handle: ObjectHandle,
    pub(crate) kind: Option<KeyType>,
    /// Whether each signature needs the PIN.
    pub(crate) always_authenticate: bool,
}

/// Object that stands for a key: the private key if it is visible.
pub(crate) struct KeyObject {
    pub(crate) handle: ObjectHandle,
    pub(crate) class: ObjectClass,
}

/// Attributes by which a URI finds objects of a class.
pub(crate) fn template(uri: &Uri, class: ObjectClass) -> Vec<Attribute> {
    let mut template = vec![Attribute::Class(class)];
    template.extend(uri.object.clone().map(Attribute::Label));
    template.extend(uri.id.clone().map(Attribute::Id));
    template
}

pub(crate) fn find(session: &Session, uri: &Uri, class: ObjectClass) -> Result<Vec<ObjectHandle>> {
    Ok(session.find_objects(&template(uri, class))?)
}

/// Objects of the first class of which some fit: private keys, public keys, certificates.
pub(crate) fn find_keys(session: &Session, uri: &Uri) -> Result<Vec<KeyObject>> {
    let classes = [
        ObjectClass::PRIVATE_KEY,
        ObjectClass::PUBLIC_KEY,
        ObjectClass::CERTIFICATE,
    ];
    for class in classes {
        let found = find(session, uri, class)?;
        if !found.is_empty() {
            let key = |handle| KeyObject { handle, class };
            return Ok(found.into_iter().map(key).collect());
        }
    }
    Ok(Vec::new())
}

pub(crate) fn ambiguous_key(count: usize) -> Failure {
    let message = format!("the key URI fits {count} keys: add ;id= or ;object=");
    Failure::new(Code::KeyAmbiguous, message)
}

pub(crate) fn not_found() -> Failure {
    Failure::new(Code::KeyNotFound, "no private key fits the key URI")
}

pub(crate) fn pin_required() -> Failure {
    let message = "the token needs its PIN to use private keys";
    Failure::new(Code::PinRequired, message)
}

/// Value of an attribute; `None` if the object has none, or hides it.
fn attribute(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Attribute>> {
    Ok(session.get_attributes(object, &[kind])?.pop())
}

/// Value of bytes, unless it is empty.
pub(crate) fn bytes(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Vec<u8>>> {
    use Attribute as A;
    let Some(
        A::EcParams(value)
        | A::EcPoint(value)
        | A::Id(value)
        | A::Label(value)
        | A::Modulus(value)
        | A::PublicExponent(value)
        | A::PublicKeyInfo(value)
        | A::Value(value),
    ) = attribute(session, object, kind)?
    else {
        return Ok(None);
    };
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// Truth value; `None` if the object has none. Some modules answer with a value of no length.
pub(crate) fn flag(session: &Session, object: ObjectHandle, kind: AttributeType) -> Option<bool> {
    use Attribute as A;
    match attribute(session, object, kind).ok()?? {
        A::AlwaysAuthenticate(is) | A::Extractable(is) | A::Sensitive(is) | A::Sign(is) => Some(is),
        _ => None,
    }
}

/// Type of a key; `None` if it is not known to the standard.
pub(crate) fn key_type(session: &Session, object: ObjectHandle) -> Option<KeyType> {
    match attribute(session, object, AttributeType::KeyType) {
        Ok(Some(Attribute::KeyType(kind))) => Some(kind),
        _ => None,
    }
}
