//! Keys outside the store: a helper program has them, or reaches the token or service that does.

mod error;
mod helper;
mod message;
mod mu;
mod pipes;
mod uri;

pub(crate) use error::HelperError;
pub(crate) use message::Code;
pub(crate) use uri::KeyUri;

use super::{KeyError, KeyType, Passphrase, PublicKey, SignatureAlgorithm};
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use helper::Helper;
use message::{Answer, Command, Input, MOST_SIGNED, Secret};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// Helper programs of one command: each is started when a key needs it, and runs until the command ends.
#[derive(Clone, Default)]
pub(crate) struct Helpers(Arc<Started>);

#[derive(Default)]
struct Started {
    /// Directories with helper programs, the first with one wins.
    directories: Vec<PathBuf>,
    /// Longest time until an answer.
    patience: Duration,
    /// Environment variables with secrets, which no helper gets.
    secrets: Vec<OsString>,
    running: Mutex<HashMap<String, Arc<Helper>>>,
    rejected: Mutex<Vec<Rejected>>,
}

/// PIN that was wrong. It is not given again: tokens lock after a few wrong ones, and a command opens several keys.
struct Rejected {
    holder: String,
    pin: Passphrase,
    program: String,
    message: String,
}

impl Helpers {
    pub(crate) fn new(
        directories: Vec<PathBuf>,
        patience: Duration,
        secrets: Vec<OsString>,
    ) -> Self {
        Self(Arc::new(Started {
            directories,
            patience,
            secrets,
            running: Mutex::default(),
            rejected: Mutex::default(),
        }))
    }

    /// Returns the place of a key. Starts the helper of its scheme, if that does not run yet.
    pub(crate) fn place(&self, uri: &KeyUri) -> Result<KeyPlace, HelperError> {
        let started = &*self.0;
        let mut running = locked(&started.running);
        let helper = if let Some(helper) = running.get(uri.scheme()) {
            Arc::clone(helper)
        } else {
            let helper = Arc::new(Helper::start(uri.scheme(), started)?);
            running.insert(uri.scheme().to_owned(), Arc::clone(&helper));
            helper
        };
        Ok(KeyPlace {
            started: Arc::clone(&self.0),
            helper,
            uri: uri.clone(),
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Place of a key, which may not be there yet.
#[derive(Clone)]
pub(crate) struct KeyPlace {
    started: Arc<Started>,
    helper: Arc<Helper>,
    uri: KeyUri,
}

/// Answer to the question for a key.
pub(crate) enum Found {
    Key(PublicKey),
    /// A PIN is needed, at least to sign: the public key may be visible without it.
    Locked(Option<PublicKey>),
    Nothing,
}

impl KeyPlace {
    /// Looks for the key.
    pub(crate) fn look(&self) -> Result<Found, KeyError> {
        match self.ask(Command::Public { key: self.key() }) {
            Ok(answer) if answer.login => Ok(Found::Locked(self.public(answer).ok())),
            Ok(answer) => Ok(Found::Key(self.public(answer)?)),
            Err(error) => match error.code() {
                Some(Code::PinRequired) => Ok(Found::Locked(None)),
                Some(Code::KeyNotFound) => Ok(Found::Nothing),
                _ => Err(error.into()),
            },
        }
    }

    /// Gives the PIN of the token or service.
    pub(crate) fn log_in(&self, pin: &Passphrase) -> Result<(), KeyError> {
        let holder = self.uri.holder();
        let mut rejected = locked(&self.started.rejected);
        let is_known = |known: &&Rejected| known.holder == holder && known.pin == *pin;
        if let Some(known) = rejected.iter().find(is_known) {
            return Err(HelperError::Answered {
                program: known.program.clone(),
                code: Code::PinWrong,
                message: known.message.clone(),
            }
            .into());
        }
        let login = Command::Login {
            key: self.key(),
            pin: Secret::new(Zeroizing::new(pin.text().to_owned())),
        };
        let answered = self.ask(login);
        if let Err(HelperError::Answered {
            program,
            code: Code::PinWrong,
            message,
        }) = &answered
        {
            rejected.push(Rejected {
                holder,
                pin: pin.clone(),
                program: program.clone(),
                message: message.clone(),
            });
        }
        Ok(answered.map(|_| ())?)
    }

    /// Returns the error of a helper that asks for a PIN after it took one.
    pub(crate) fn still_locked(&self) -> HelperError {
        let problem = "it asks for the PIN again";
        self.helper.not_understood(problem.to_owned())
    }

    /// Generates a key that cannot be exported.
    pub(crate) fn generate(&self, kind: KeyType) -> Result<PublicKey, KeyError> {
        let generate = Command::Generate {
            key: self.key(),
            key_type: kind.as_str().to_owned(),
        };
        self.public(self.ask(generate)?)
    }

    /// Stores a key, a PrivateKeyInfo (RFC 5958), there.
    pub(crate) fn import(&self, pkcs8: &[u8]) -> Result<PublicKey, KeyError> {
        let import = Command::Import {
            key: self.key(),
            pkcs8: Secret::new(Zeroizing::new(BASE64.encode(pkcs8))),
        };
        self.public(self.ask(import)?)
    }

    /// Returns the number of signatures that are made at a time.
    pub(crate) fn sessions(&self) -> usize {
        self.helper.sessions()
    }

    pub(super) fn sign(
        &self,
        public: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let sign = Command::Sign {
            key: self.key(),
            algorithm: name_of(algorithm).to_owned(),
            input: input(public, algorithm, message)?,
        };
        let signature = self.ask(sign)?.signature;
        Ok(self.bytes(signature, "signature")?)
    }

    fn key(&self) -> String {
        self.uri.to_string()
    }

    fn ask(&self, command: Command) -> Result<Answer, HelperError> {
        self.helper.ask(command)
    }

    fn public(&self, answer: Answer) -> Result<PublicKey, KeyError> {
        let spki = self.bytes(answer.spki, "spki")?;
        Ok(PublicKey::from_spki(&spki)?)
    }

    fn bytes(&self, field: Option<String>, name: &str) -> Result<Vec<u8>, HelperError> {
        let decoded = field.and_then(|text| BASE64.decode(text).ok());
        decoded.ok_or_else(|| {
            self.helper
                .not_understood(format!("it has no usable {name:?}"))
        })
    }
}

/// Returns the name of a signature algorithm in the protocol.
fn name_of(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::EcdsaSha256 => "ecdsa-sha256",
        SignatureAlgorithm::EcdsaSha384 => "ecdsa-sha384",
        SignatureAlgorithm::EcdsaSha512 => "ecdsa-sha512",
        SignatureAlgorithm::RsaSha256 => "rsa-pkcs1-sha256",
        SignatureAlgorithm::Ed25519 => "ed25519",
        SignatureAlgorithm::MlDsa44 => "ml-dsa-44",
        SignatureAlgorithm::MlDsa65 => "ml-dsa-65",
        SignatureAlgorithm::MlDsa87 => "ml-dsa-87",
        // Nothing is signed with these; a helper refuses the name.
        _ => "unknown",
    }
}

fn input(
    public: &PublicKey,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Result<Input, KeyError> {
    let digest = |digest: &[u8]| Input::Digest(BASE64.encode(digest));
    Ok(match algorithm {
        SignatureAlgorithm::EcdsaSha384 => digest(&Sha384::digest(message)),
        SignatureAlgorithm::EcdsaSha512 => digest(&Sha512::digest(message)),
        SignatureAlgorithm::MlDsa44 | SignatureAlgorithm::MlDsa65 | SignatureAlgorithm::MlDsa87 => {
            Input::Mu(BASE64.encode(mu::representative(public.key_bytes(), message)))
        }
        SignatureAlgorithm::Ed25519 if message.len() > MOST_SIGNED => {
            return Err(HelperError::TooLong {
                length: message.len(),
                most: MOST_SIGNED,
            }
            .into());
        }
        SignatureAlgorithm::Ed25519 => Input::Message(BASE64.encode(message)),
        _ => digest(&Sha256::digest(message)),
    })
}
