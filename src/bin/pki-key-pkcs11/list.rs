//! Keys of tokens, as a list.

use crate::message::ListedKey;
use crate::objects::{bytes, find, flag};
use crate::problem::Result;
use crate::public::type_name;
use crate::token::Token;
use crate::uri::Uri;
use cryptoki::object::{AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys that fit, each with a URI under that of its token: private keys, and public keys that have no
/// visible private key.
pub(crate) fn keys(token: &Token, uri: &Uri, of_token: &Uri) -> Result<Vec<ListedKey>> {
    token.with(|leased| {
        let session = &leased.session;
        let mut seen = BTreeSet::new();
        let mut keys = Vec::new();
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            let mut of_class = BTreeSet::new();
            for object in find(session, uri, class)? {
                let own = named(session, object, of_token)?;
                if seen.contains(&own) {
                    continue;
                }
                let is_private = class == ObjectClass::PRIVATE_KEY;
                keys.push(ListedKey {
                    key_type: type_name(session, object)?.map(str::to_owned),
                    can_sign: is_private
                        && flag(session, object, AttributeType::Sign) == Some(true),
                    uri: own.clone(),
                });
                of_class.insert(own);
            }
            seen.extend(of_class);
        }
        keys.sort_by(|one, other| one.uri.cmp(&other.uri));
        Ok(keys)
    })
}

fn named(session: &Session, object: ObjectHandle, of_token: &Uri) -> Result<String> {
    let uri = Uri {
        object: bytes(session, object, AttributeType::Label)?,
        id: bytes(session, object, AttributeType::Id)?,
        ..of_token.clone()
    };
    Ok(uri.to_string())
}

/// URI of a token, with the serial number if another one has the same label.
pub(crate) fn token_uri(token: &Token, all: &[Arc<Token>], asked: &Uri) -> Uri {
    let identity = &token.identity;
    let alike = all
        .iter()
        .filter(|other| other.identity.label == identity.label);
    let serial = (alike.count() > 1).then(|| identity.serial.clone().into_bytes());
    Uri {
        token: Some(identity.label.clone().into_bytes()),
        serial,
        module_path: asked.module_path.clone(),
        module_name: asked.module_name.clone(),
        ..Uri::default()
    }
}
