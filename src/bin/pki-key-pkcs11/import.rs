//! Keys from outside, stored in a token.

use crate::message::Code;
use crate::new_key::{Names, NewPair, check_absent};
use crate::pkcs8::{Numbers, Parsed};
use crate::problem::{Failure, Result};
use crate::uri::Uri;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::session::Session;
use zeroize::Zeroize;

/// Stores a key pair; returns its SubjectPublicKeyInfo.
pub(crate) fn import(session: &Session, uri: &Uri, key: &Parsed<'_>) -> Result<Vec<u8>> {
    let names = Names::of(uri)?;
    check_absent(session, uri)?;
    let spki = key.spki()?;
    let mut private = Secrets(names.private());
    private.0.extend(private_attributes(key));
    let mut public = names.public();
    public.extend(public_attributes(key)?);
    let mut pair = NewPair::new(session);
    let stored = session.create_object(&private.0).map_err(refused)?;
    pair.objects.push(stored);
    let beside = session.create_object(&public).map_err(refused)?;
    pair.objects.push(beside);
    pair.keep(stored)?;
    Ok(spki)
}

/// Some tokens take no keys from outside, and say so in several ways.
fn refused(error: cryptoki::error::Error) -> Failure {
    let failure = Failure::from(error);
    match failure.code() {
        Code::Unsupported | Code::Refused => {
            let problem = failure.into_problem();
            let message = format!("the token does not import the key: {}", problem.message);
            Failure::new(Code::Refused, message)
        }
        _ => failure,
    }
}

fn private_attributes(key: &Parsed<'_>) -> Vec<Attribute> {
    let bytes = <[u8]>::to_vec;
    let mut attributes = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    match &key.numbers {
        Numbers::Ec { curve, scalar } => attributes.extend([
            Attribute::KeyType(KeyType::EC),
            Attribute::EcParams(curve.params()),
            Attribute::Value(bytes(scalar)),
        ]),
        Numbers::Ed25519 { seed } => attributes.extend([
            Attribute::KeyType(KeyType::EC_EDWARDS),
            Attribute::EcParams(key.ed25519_params()),
            Attribute::Value(bytes(seed)),
        ]),
        Numbers::Rsa(rsa) => {
            attributes.extend([
                Attribute::KeyType(KeyType::RSA),
                Attribute::Modulus(bytes(rsa.modulus)),
                Attribute::PublicExponent(bytes(rsa.public_exponent)),
                Attribute::PrivateExponent(bytes(rsa.private_exponent)),
                Attribute::Prime1(bytes(rsa.prime1)),
                Attribute::Prime2(bytes(rsa.prime2)),
                Attribute::Exponent1(bytes(rsa.exponent1)),
                Attribute::Exponent2(bytes(rsa.exponent2)),
                Attribute::Coefficient(bytes(rsa.coefficient)),
            ]);
        }
    }
    attributes
}

fn public_attributes(key: &Parsed<'_>) -> Result<Vec<Attribute>> {
    let class = Attribute::Class(ObjectClass::PUBLIC_KEY);
    let point = || key.point_in_octet_string().map(Attribute::EcPoint);
    Ok(match &key.numbers {
        Numbers::Ec { curve, .. } => vec![
            class,
            Attribute::KeyType(KeyType::EC),
            Attribute::EcParams(curve.params()),
            point()?,
        ],
        Numbers::Ed25519 { .. } => vec![
            class,
            Attribute::KeyType(KeyType::EC_EDWARDS),
            Attribute::EcParams(key.ed25519_params()),
            point()?,
        ],
        Numbers::Rsa(rsa) => vec![
            class,
            Attribute::KeyType(KeyType::RSA),
            Attribute::Modulus(rsa.modulus.to_vec()),
            Attribute::PublicExponent(rsa.public_exponent.to_vec()),
        ],
    })
}

/// Attributes of a private key, wiped when they are dropped.
struct Secrets(Vec<Attribute>);

impl Drop for Secrets {
    fn drop(&mut self) {
        use Attribute as A;
        for attribute in &mut self.0 {
            if let A::Value(bytes)
            | A::PrivateExponent(bytes)
            | A::Prime1(bytes)
            | A::Prime2(bytes)
            | A::Exponent1(bytes)
            | A::Exponent2(bytes)
            | A::Coefficient(bytes) = attribute
            {
                bytes.zeroize();
            }
        }
    }
}
