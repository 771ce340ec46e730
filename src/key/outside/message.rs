//! Messages between `pki` and a key helper: JSON objects, one a line. docs/key-helpers.md describes them.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Version of the protocol.
pub(crate) const VERSION: u32 = 1;

/// Most bytes of a line to `pki`.
pub(crate) const MOST_ANSWERED: usize = 1 << 20;

/// Most bytes of a message to sign: Ed25519 takes no digest.
pub(crate) const MOST_SIGNED: usize = 64 << 20;

/// Request to a helper, which answers with the same number.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) command: Command,
}

/// Command to a helper. `key` is the URI of a key.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Command {
    /// First of all; answered with `version` and `sessions`.
    Hello { version: u32 },
    /// Opens the token or service of a key, for the time of the process.
    Login { key: String, pin: Secret },
    /// Answered with `spki`, and `login` if signing needs a PIN that was not given.
    Public { key: String },
    /// Generates a key that cannot be exported; answered with `spki`.
    Generate { key: String, key_type: String },
    /// Stores a PrivateKeyInfo (RFC 5958), in base64; answered with `spki`.
    Import { key: String, pkcs8: Secret },
    /// Answered with `signature`.
    Sign {
        key: String,
        algorithm: String,
        #[serde(flatten)]
        input: Input,
    },
    /// Answered with `keys`; `key` may name a part of them.
    List { key: String },
}

/// Input of a signature, in base64.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Input {
    /// Digest of the message: ECDSA and RSA.
    Digest(String),
    /// The message: Ed25519.
    Message(String),
    /// The message representative μ (FIPS 204 algorithm 7, line 6): ML-DSA.
    Mu(String),
}

/// Text that is wiped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(SecretText);

type SecretText = Zeroizing<String>;

impl Secret {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Answer of a helper.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u32>,
    /// Number of requests that it works on at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions: Option<u32>,
    /// SubjectPublicKeyInfo, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spki: Option<String>,
    /// Whether signing needs a PIN that was not given; in a list, whether some token is locked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) login: bool,
    /// Signature as it stands in a certificate, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<ListedKey>>,
}

/// Error of a helper.
#[derive(Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// Kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// The token or service needs a PIN first.
    PinRequired,
    PinWrong,
    /// The PIN was wrong too often.
    PinLocked,
    /// The token, or the service, is not there.
    Absent,
    /// It is in use by another program, or has no session left.
    Busy,
    KeyNotFound,
    /// The URI fits several keys, or several tokens.
    KeyAmbiguous,
    /// A key to generate or import is there already.
    KeyExists,
    /// The URI cannot be used.
    InvalidUri,
    /// The command, the key type or the algorithm is not supported.
    Unsupported,
    /// The token or the service refuses it.
    Refused,
    #[serde(other)]
    Failed,
}

/// Key in a list.
#[derive(Serialize, Deserialize)]
pub(crate) struct ListedKey {
    pub(crate) uri: String,
    /// Key type by the names of `--key-type`; `None` if it is another one.
    pub(crate) key_type: Option<String>,
    /// Whether a private key is there that may sign.
    pub(crate) can_sign: bool,
}
