//! Keys generated in a token.

use crate::message::Code;
use crate::new_key::{Names, NewPair, check_absent};
use crate::objects::KeyObject;
use crate::problem::{Failure, Result};
use crate::public;
use crate::spki::{Curve, ED25519, EDWARDS25519_NAME};
use crate::uri::Uri;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::Session;
use cryptoki::types::Ulong;
use der::Encode;

/// Mechanism, and the attributes of public keys by which one may ask for the key type.
struct Recipe {
    mechanism: Mechanism<'static>,
    choices: Vec<Vec<Attribute>>,
}

impl Recipe {
    fn of(key_type: &str) -> Result<Self> {
        let bits = match key_type {
            "rsa2048" => 2048,
            "rsa3072" => 3072,
            "rsa4096" => 4096,
            "ed25519" => return Ok(Self::ed25519()),
            other => {
                let curve = Curve::named(other).ok_or_else(|| {
                    let message = "keys of this type cannot be generated in a token";
                    Failure::new(Code::Unsupported, message)
                })?;
                return Ok(Self {
                    mechanism: Mechanism::EccKeyPairGen,
                    choices: vec![vec![Attribute::EcParams(curve.params())]],
                });
            }
        };
        Ok(Self {
            mechanism: Mechanism::RsaPkcsKeyPairGen,
            choices: vec![vec![
                Attribute::ModulusBits(Ulong::new(bits)),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ]],
        })
    }

    /// By OID, as PKCS #11 3.1 has it; older tokens take the curve's name.
    fn ed25519() -> Self {
        let oid = ED25519.to_der().expect("an OID is short");
        let choices = [oid, EDWARDS25519_NAME.to_vec()];
        Self {
            mechanism: Mechanism::EccEdwardsKeyPairGen,
            choices: choices
                .map(|params| vec![Attribute::EcParams(params)])
                .into(),
        }
    }
}

/// Generates a key pair; returns its SubjectPublicKeyInfo.
pub(crate) fn generate(session: &Session, uri: &Uri, key_type: &str) -> Result<Vec<u8>> {
    let recipe = Recipe::of(key_type)?;
    let names = Names::of(uri)?;
    check_absent(session, uri)?;
    let mut outcome = Err(Failure::malformed("the key type"));
    for choice in recipe.choices {
        let template = [names.public(), choice].concat();
        outcome = session
            .generate_key_pair(&recipe.mechanism, &template, &names.private())
            .map_err(Failure::from);
        if !matches!(&outcome, Err(failure) if may_be_otherwise(failure)) {
            break;
        }
    }
    let (public, private) = outcome?;
    let mut pair = NewPair::new(session);
    pair.objects.extend([private, public]);
    let public = KeyObject {
        handle: public,
        class: ObjectClass::PUBLIC_KEY,
    };
    let spki = public::of_object(session, &public)?
        .ok_or_else(|| Failure::malformed("the public key of the generated key"))?;
    pair.keep(private)?;
    Ok(spki)
}

/// Returns whether the token may take another choice.
fn may_be_otherwise(failure: &Failure) -> bool {
    matches!(failure.code(), Code::Refused | Code::Unsupported)
}
