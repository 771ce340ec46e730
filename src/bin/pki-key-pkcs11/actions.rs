//! Answers to requests.

use crate::devices::Devices;
use crate::generate::generate;
use crate::import::import;
use crate::list;
use crate::message::{Answer, Code, Command, Input, Request, Secret, VERSION};
use crate::objects::pin_required;
use crate::pkcs8::Parsed;
use crate::problem::{Failure, Result};
use crate::public;
use crate::sign::sign;
use crate::signature::Order;
use crate::token::{MOST_SESSIONS, Token};
use crate::uri::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Most bytes of a private key to import; RSA of 16,384 bits has fewer.
const MOST_IMPORTED: usize = 16 << 10;

pub(crate) fn answer(devices: &Devices, request: Request) -> Answer {
    let Request { id, command } = request;
    let mut answer = carried_out(devices, command).unwrap_or_else(|failure| Answer {
        error: Some(failure.into_problem()),
        ..Answer::default()
    });
    answer.id = id;
    answer
}

fn carried_out(devices: &Devices, command: Command) -> Result<Answer> {
    match command {
        Command::Hello { version } => hello(version),
        Command::Login { key, pin } => {
            token_of(devices, &key)?.log_in(pin.text())?;
            Ok(Answer::default())
        }
        Command::Public { key } => with_holder(devices, &key, |token, uri| {
            let spki = token.with(|leased| public::of_key(token, &leased.session, uri))?;
            Ok(Answer {
                login: token.is_locked(),
                ..with_spki(&spki)
            })
        }),
        Command::Generate { key, key_type } => {
            let uri = Uri::parse(&key)?;
            let token = unlocked(devices, &uri)?;
            let spki = token.with_writer(|session| generate(session, &uri, &key_type))?;
            Ok(with_spki(&spki))
        }
        Command::Import { key, pkcs8 } => {
            let uri = Uri::parse(&key)?;
            let token = unlocked(devices, &uri)?;
            let der = decoded(&pkcs8)?;
            let parsed = Parsed::from_der(&der)?;
            let spki = token.with_writer(|session| import(session, &uri, &parsed))?;
            Ok(with_spki(&spki))
        }
        Command::Sign {
            key,
            algorithm,
            input,
        } => signed(devices, &key, &algorithm, &input),
        Command::List { key } => listed(devices, &Uri::parse(&key)?),
    }
}

fn hello(version: u32) -> Result<Answer> {
    if version != VERSION {
        let message = format!("version {version} of the protocol is asked for, this is {VERSION}");
        return Err(Failure::new(Code::Unsupported, message));
    }
    Ok(Answer {
        version: Some(VERSION),
        sessions: Some(MOST_SESSIONS),
        ..Answer::default()
    })
}

fn signed(devices: &Devices, key: &str, algorithm: &str, input: &Input) -> Result<Answer> {
    let order = Order::new(algorithm, input)?;
    with_holder(devices, key, |token, uri| {
        let signature = sign(token, key, uri, &order)?;
        Ok(Answer {
            signature: Some(STANDARD.encode(signature)),
            ..Answer::default()
        })
    })
}

fn listed(devices: &Devices, uri: &Uri) -> Result<Answer> {
    let all = devices.all_tokens(uri)?;
    let mut answer = Answer::default();
    let mut keys = Vec::new();
    for token in devices.tokens(uri)? {
        let of_token = list::token_uri(&token, &all, uri);
        keys.extend(list::keys(&token, uri, &of_token)?);
        answer.login |= token.is_locked();
    }
    answer.keys = Some(keys);
    Ok(answer)
}

/// Works with the token that holds a key. If it is not there, the next request looks for it anew.
fn with_holder(
    devices: &Devices,
    key: &str,
    work: impl Fn(&Token, &Uri) -> Result<Answer>,
) -> Result<Answer> {
    let holder = devices.holder(key)?;
    let outcome = work(&holder.token, &holder.uri);
    if matches!(&outcome, Err(failure) if failure.code() == Code::Absent) {
        devices.forget(key);
    }
    outcome
}

/// Token to log in to: the one that the URI fits, or of several the one with the key.
fn token_of(devices: &Devices, key: &str) -> Result<Arc<Token>> {
    let uri = Uri::parse(key)?;
    let token = devices.token(&uri);
    match token {
        Err(failure) if failure.code() == Code::KeyAmbiguous && uri.names_key() => devices
            .holder(key)
            .map_or(Err(failure), |holder| Ok(holder.token.clone())),
        token => token,
    }
}

/// Token for a new key.
fn unlocked(devices: &Devices, uri: &Uri) -> Result<Arc<Token>> {
    let token = devices.token(uri)?;
    if token.is_locked() {
        return Err(pin_required());
    }
    Ok(token)
}

fn with_spki(spki: &[u8]) -> Answer {
    Answer {
        spki: Some(STANDARD.encode(spki)),
        ..Answer::default()
    }
}

/// Decodes base64 into memory that is wiped.
fn decoded(secret: &Secret) -> Result<Zeroizing<Vec<u8>>> {
    let text = secret.text();
    if text.len() > MOST_IMPORTED {
        return Err(Failure::new(Code::Failed, "the private key is too long"));
    }
    let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + 3]);
    let length = STANDARD
        .decode_slice(text, &mut bytes)
        .map_err(|_| Failure::malformed("the base64 of the private key"))?;
    bytes.truncate(length);
    Ok(bytes)
}
