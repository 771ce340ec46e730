//! New keys in a token: generated there, or imported. They cannot be read or exported.

use crate::message::Code;
use crate::objects::{find, flag};
use crate::problem::{Failure, Result};
use crate::sign::try_out;
use crate::uri::Uri;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::fs::File;
use std::io::Read;

/// Bytes of a CKA_ID that the URI does not name.
const ID_LENGTH: usize = 8;

/// Label and CKA_ID of a new key pair.
pub(crate) struct Names {
    label: Option<Vec<u8>>,
    id: Vec<u8>,
}

impl Names {
    /// The URI's; an ID that it does not name is random.
    pub(crate) fn of(uri: &Uri) -> Result<Self> {
        if !uri.names_key() {
            let message = "the key URI names no key: add ;object=NAME";
            return Err(Failure::new(Code::InvalidUri, message));
        }
        let id = match &uri.id {
            Some(id) => id.clone(),
            None => random_id()?,
        };
        Ok(Self {
            label: uri.object.clone(),
            id,
        })
    }

    fn attributes(&self) -> Vec<Attribute> {
        let label = self.label.clone().map(Attribute::Label);
        let id = Attribute::Id(self.id.clone());
        label.into_iter().chain([id]).collect()
    }

    pub(crate) fn private(&self) -> Vec<Attribute> {
        let mut attributes = self.attributes();
        attributes.extend([
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        attributes
    }

    pub(crate) fn public(&self) -> Vec<Attribute> {
        let mut attributes = self.attributes();
        attributes.extend([
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
        ]);
        attributes
    }
}

/// An identifier is no secret: the system's random bytes do, whatever the token offers.
fn random_id() -> Result<Vec<u8>> {
    let mut id = vec![0; ID_LENGTH];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut id));
    read.map_err(|error| Failure::new(Code::Failed, format!("/dev/urandom: {error}")))?;
    Ok(id)
}

/// Fails if a key fits already.
pub(crate) fn check_absent(session: &Session, uri: &Uri) -> Result<()> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        if !find(session, uri, class)?.is_empty() {
            let message = "a key that fits the key URI already exists";
            return Err(Failure::new(Code::KeyExists, message));
        }
    }
    Ok(())
}

/// Key pair that is removed again unless it is kept.
pub(crate) struct NewPair<'a> {
    session: &'a Session,
    pub(crate) objects: Vec<ObjectHandle>,
}

impl<'a> NewPair<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        Self {
            session,
            objects: Vec::new(),
        }
    }

    /// Keeps the pair if the token protects the private key as it was asked to, and signs with it.
    pub(crate) fn keep(mut self, private: ObjectHandle) -> Result<()> {
        let is_sensitive = flag(self.session, private, AttributeType::Sensitive);
        let is_extractable = flag(self.session, private, AttributeType::Extractable);
        if is_sensitive != Some(true) || is_extractable != Some(false) {
            let message =
                "the token would let the new private key be exported; the key was removed";
            return Err(Failure::new(Code::Refused, message));
        }
        try_out(self.session, private)?;
        self.objects.clear();
        Ok(())
    }
}

impl Drop for NewPair<'_> {
    fn drop(&mut self) {
        for object in self.objects.drain(..) {
            let _ = self.session.destroy_object(object);
        }
    }
}
