//! Keys under a passphrase: PKCS #5 version 2 (RFC 8018).
//!
//! Written: PBES2 with PBKDF2-HMAC-SHA256, [`PBKDF2_ROUNDS`] rounds, and AES-256-CBC, which every
//! relying party opens. Read: also what other programs chose, within limits.

use super::form::Form;
use super::iterations::limit_iterations;
use super::old_encryption::OldEncryption;
use super::{KeyError, Passphrase, PrivateKey};
use crate::asn1::{Element, Reader, oid, sequence, tag};
use crate::pem;
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{pbkdf2, rand};
use pkcs5::pbes2;
use std::hint::black_box;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Rounds of PBKDF2 in every key file that is written here.
pub const PBKDF2_ROUNDS: u32 = 600_000;

/// The product N·r·p of scrypt (RFC 7914) over which a foreign key file is refused. Memory takes
/// 128 bytes for each unit of N·r, so this is 1 GiB that is filled once.
const MOST_SCRYPT_WORK: u64 = 1 << 23;

/// An AES-256 key derived from a passphrase, and the salt that it was derived with.
///
/// Deriving is slow on purpose. All key files of one CA carry the CA's salt, so that a command
/// derives once, however many of them it opens or writes; each has an initialization vector of its
/// own.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    salt: Vec<u8>,
    rounds: u32,
    /// On the heap: what is moved leaves a copy on the stack.
    key: Zeroizing<Vec<u8>>,
}

impl KeyEncryptionKey {
    /// Derives a key under a new random salt.
    pub fn generate(passphrase: &Passphrase) -> Result<Self, KeyError> {
        let mut salt = vec![0; 16];
        fill_random(&mut salt)?;
        Ok(Self::derive(passphrase, salt, PBKDF2_ROUNDS))
    }

    /// Whether keys encrypted under it are as strong as those that are written here have to be.
    pub fn is_strong(&self) -> bool {
        self.rounds >= PBKDF2_ROUNDS && self.salt.len() >= 16
    }

    fn derive(passphrase: &Passphrase, salt: Vec<u8>, rounds: u32) -> Self {
        let mut key = Zeroizing::new(vec![0; 32]);
        let count = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            count,
            &salt,
            passphrase.octets(),
            &mut key,
        );
        Self { salt, rounds, key }
    }

    /// An EncryptedPrivateKeyInfo (RFC 5958 section 3) around a PrivateKeyInfo.
    fn encrypt(&self, pkcs8: &[u8]) -> Result<Vec<u8>, KeyError> {
        let Encrypted {
            algorithm,
            ciphertext,
        } = self.encrypted(pkcs8)?;
        Ok(sequence(|info| {
            info.raw(&algorithm);
            info.octet_string(&ciphertext);
        }))
    }

    /// Encrypts whatever it is.
    pub(super) fn encrypted(&self, plain: &[u8]) -> Result<Encrypted, KeyError> {
        let failed = |_| KeyError::Library {
            operation: "encrypt a key",
        };
        let mut iv = [0; 16];
        fill_random(&mut iv)?;
        // Room for the padding from the start: a buffer that grows leaves a copy of the key behind.
        let mut buffer = Zeroizing::new(Vec::with_capacity(plain.len() + 16));
        buffer.extend_from_slice(plain);
        with_stack_wiped(|| {
            let key = UnboundCipherKey::new(&AES_256, &self.key)?;
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key)?;
            let context = EncryptionContext::Iv128(FixedLength::from(iv));
            key.less_safe_encrypt(&mut *buffer, context)
        })
        .map_err(failed)?;
        Ok(Encrypted {
            algorithm: self.algorithm(iv),
            ciphertext: buffer.to_vec(),
        })
    }

    /// The AlgorithmIdentifier of PBES2 (RFC 8018 appendix A.4).
    fn algorithm(&self, iv: [u8; 16]) -> Vec<u8> {
        sequence(|algorithm| {
            algorithm.oid(&oid::PBES2);
            algorithm.sequence(|parameters| {
                parameters.sequence(|kdf| {
                    kdf.oid(&oid::PBKDF2);
                    kdf.sequence(|pbkdf2| {
                        pbkdf2.octet_string(&self.salt);
                        pbkdf2.unsigned(&self.rounds.to_be_bytes());
                        pbkdf2.sequence(|prf| {
                            prf.oid(&oid::HMAC_SHA256);
                            prf.primitive(tag::NULL, &[]);
                        });
                    });
                });
                parameters.sequence(|cipher| {
                    cipher.oid(&oid::AES_256_CBC);
                    cipher.octet_string(&iv);
                });
            });
        })
    }
}

/// What was encrypted, and how.
pub(super) struct Encrypted {
    /// The AlgorithmIdentifier.
    pub(super) algorithm: Vec<u8>,
    /// The octets.
    pub(super) ciphertext: Vec<u8>,
}

/// How a key file is to be written.
#[derive(Clone)]
pub enum Protection {
    /// Encrypted.
    Passphrase(KeyEncryptionKey),
    /// Not encrypted: only where the user said so.
    None,
}

impl Protection {
    /// Encryption under a passphrase, with a new salt.
    pub fn new(passphrase: &Passphrase) -> Result<Self, KeyError> {
        KeyEncryptionKey::generate(passphrase).map(Self::Passphrase)
    }

    /// The key as a PEM file: `ENCRYPTED PRIVATE KEY`, or `PRIVATE KEY`.
    pub fn to_pem(&self, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let pkcs8 = key.to_pkcs8()?;
        Ok(match self {
            Self::Passphrase(kek) => {
                pem::encode_secret("ENCRYPTED PRIVATE KEY", &kek.encrypt(&pkcs8)?)
            }
            Self::None => pem::encode_secret("PRIVATE KEY", &pkcs8),
        })
    }
}

/// A private key that needs its passphrase.
pub struct EncryptedKey {
    scheme: Scheme,
    ciphertext: Vec<u8>,
    form: Form,
}

pub(super) enum Scheme {
    /// The one that is written here; derived keys can be shared between files.
    Ours {
        salt: Vec<u8>,
        rounds: u32,
        iv: [u8; 16],
    },
    /// Any other of PBES2 that the pkcs5 crate knows.
    Foreign(Box<pkcs5::EncryptionScheme>),
    /// One from before PBES2.
    Old(OldEncryption),
}

impl Scheme {
    /// Reads an AlgorithmIdentifier, unless opening what it encrypts would take too long or too much
    /// memory.
    pub(super) fn read(algorithm: &Element<'_>) -> Result<Self, KeyError> {
        if let Some(old) = OldEncryption::from_algorithm(algorithm) {
            return old.map(Self::Old);
        }
        let Some(scheme) = ours(algorithm) else {
            return foreign(algorithm.whole);
        };
        if let Self::Ours { rounds, .. } = scheme {
            limit_iterations(rounds)?;
        }
        Ok(scheme)
    }

    /// What deriving the key takes, in rounds of a hash; for scrypt, in blocks that are mixed.
    pub(super) fn rounds(&self) -> u64 {
        match self {
            Self::Ours { rounds, .. } => u64::from(*rounds),
            Self::Old(encryption) => u64::from(encryption.rounds()),
            Self::Foreign(scheme) => match scheme.pbes2().map(|parameters| &parameters.kdf) {
                Some(pbes2::Kdf::Pbkdf2(parameters)) => u64::from(parameters.iteration_count),
                Some(pbes2::Kdf::Scrypt(parameters)) => scrypt_work(parameters),
                _ => 0,
            },
        }
    }

    /// Decrypts whatever it is.
    pub(super) fn decrypt(
        &self,
        passphrase: &Passphrase,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Ours { salt, rounds, iv } => {
                let kek = KeyEncryptionKey::derive(passphrase, salt.clone(), *rounds);
                decrypt(&kek, *iv, ciphertext)
            }
            Self::Foreign(scheme) => {
                with_stack_wiped(|| scheme.decrypt(passphrase.octets(), ciphertext))
                    .map(Zeroizing::new)
                    .map_err(|_| KeyError::WrongPassphrase)
            }
            Self::Old(encryption) => {
                with_stack_wiped(|| encryption.decrypt(passphrase, ciphertext))
            }
        }
    }
}

impl EncryptedKey {
    /// Reads an EncryptedPrivateKeyInfo.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::sequence_of(der, "an EncryptedPrivateKeyInfo")?;
        let algorithm = reader.expect(tag::SEQUENCE, "the encryption's AlgorithmIdentifier")?;
        let ciphertext = reader
            .expect(tag::OCTET_STRING, "the encrypted key")?
            .content
            .to_vec();
        reader.end()?;
        Ok(Self {
            scheme: Scheme::read(&algorithm)?,
            ciphertext,
            form: Form::Pkcs8,
        })
    }

    /// Reads what stands in a PEM object whose headers say how it is encrypted.
    pub(super) fn from_pem(form: Form, object: &pem::PemObject) -> Result<Self, KeyError> {
        Ok(Self {
            scheme: Scheme::Old(OldEncryption::from_headers(&object.headers)?),
            ciphertext: object.der.to_vec(),
            form,
        })
    }

    /// What opening it takes, in rounds of a hash; for scrypt, in blocks that are mixed.
    pub fn rounds(&self) -> u64 {
        self.scheme.rounds()
    }

    /// Whether it is encrypted as every key is that is written here, or stronger.
    pub fn is_strong(&self) -> bool {
        match &self.scheme {
            Scheme::Ours { salt, rounds, .. } => *rounds >= PBKDF2_ROUNDS && salt.len() >= 16,
            Scheme::Foreign(_) | Scheme::Old(_) => false,
        }
    }

    /// Decrypts with a passphrase. Where the encryption is the one written here, the derived key
    /// comes along, to be used for the other files of the same CA.
    pub fn open(
        &self,
        passphrase: &Passphrase,
    ) -> Result<(PrivateKey, Option<KeyEncryptionKey>), KeyError> {
        match &self.scheme {
            Scheme::Ours { salt, rounds, .. } => {
                let kek = KeyEncryptionKey::derive(passphrase, salt.clone(), *rounds);
                let key = self
                    .open_with(&kek)
                    .unwrap_or(Err(KeyError::WrongPassphrase))?;
                Ok((key, Some(kek)))
            }
            other => {
                let plain = other.decrypt(passphrase, &self.ciphertext)?;
                Ok((decrypted(self.form, &plain)?, None))
            }
        }
    }

    /// Decrypts with a key derived before; `None` where it was derived with another salt.
    pub fn open_with(&self, kek: &KeyEncryptionKey) -> Option<Result<PrivateKey, KeyError>> {
        match &self.scheme {
            Scheme::Ours { salt, rounds, iv } if *salt == kek.salt && *rounds == kek.rounds => {
                let pkcs8 = decrypt(kek, *iv, &self.ciphertext);
                Some(pkcs8.and_then(|pkcs8| decrypted(self.form, &pkcs8)))
            }
            _ => None,
        }
    }
}

/// Bytes of the stack that are wiped behind a cipher: several times what it takes.
const WIPED_STACK: usize = 32 * 1024;

/// Does what keeps parts of a key on the stack, and wipes what it used of it. Ciphers are moved when they are
/// made, and a move leaves a copy of the expanded key behind, which begins with the key.
#[expect(clippy::large_stack_arrays, reason = "it is the stack that is wiped")]
fn with_stack_wiped<T>(work: impl FnOnce() -> T) -> T {
    let done = apart(work);
    apart(|| {
        black_box(Zeroizing::new([0_u8; WIPED_STACK]));
    });
    done
}

/// Calls a function that has the stack behind its caller's frame to itself.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

fn decrypt(
    kek: &KeyEncryptionKey,
    iv: [u8; 16],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |_| KeyError::Library {
        operation: "set up a cipher",
    };
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = with_stack_wiped(|| {
        let key = UnboundCipherKey::new(&AES_256, &kek.key).map_err(failed)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(failed)?;
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let plain = key.decrypt(&mut buffer, context);
        plain
            .map(|plain| plain.len())
            .map_err(|_| KeyError::WrongPassphrase)
    })?;
    buffer.truncate(length);
    Ok(buffer)
}

/// With a wrong passphrase one padding in 256 looks right; what it gives is then no key.
fn decrypted(form: Form, plain: &[u8]) -> Result<PrivateKey, KeyError> {
    if Reader::sequence_of(plain, "a private key").is_err() {
        return Err(KeyError::WrongPassphrase);
    }
    form.read(plain)
}

/// The parameters of the encryption that is written here, if it is that one.
fn ours(algorithm: &Element<'_>) -> Option<Scheme> {
    let mut algorithm = algorithm.reader();
    let named = |reader: &mut Reader<'_>, expected| {
        reader
            .any()
            .ok()
            .filter(|e| e.tag == tag::OBJECT_IDENTIFIER)?
            .oid()
            .ok()
            .filter(|id| *id == expected)
    };
    named(&mut algorithm, oid::PBES2)?;
    let mut parameters = algorithm.sequence("").ok()?;
    let mut kdf = parameters.sequence("").ok()?;
    named(&mut kdf, oid::PBKDF2)?;
    let mut pbkdf2 = kdf.sequence("").ok()?;
    let salt = pbkdf2.expect(tag::OCTET_STRING, "").ok()?.content.to_vec();
    let rounds = pbkdf2.expect(tag::INTEGER, "").ok()?.small().ok()?;
    pbkdf2.optional(tag::INTEGER).ok()?;
    named(&mut pbkdf2.sequence("").ok()?, oid::HMAC_SHA256)?;
    let mut cipher = parameters.sequence("").ok()?;
    named(&mut cipher, oid::AES_256_CBC)?;
    let iv = cipher
        .expect(tag::OCTET_STRING, "")
        .ok()?
        .content
        .try_into()
        .ok()?;
    Some(Scheme::Ours { salt, rounds, iv })
}

/// The product N·r·p.
fn scrypt_work(parameters: &pbes2::ScryptParams) -> u64 {
    parameters
        .cost_parameter
        .saturating_mul(u64::from(parameters.block_size))
        .saturating_mul(u64::from(parameters.parallelization))
}

/// Another scheme, unless opening it would take a machine's memory or a day.
fn foreign(algorithm: &[u8]) -> Result<Scheme, KeyError> {
    let unknown = || KeyError::Encryption {
        reason: "it is neither of PBES1 nor of PBES2 with known parameters".into(),
    };
    let scheme = pkcs5::EncryptionScheme::try_from(algorithm).map_err(|_| unknown())?;
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(pbes2::Kdf::Pbkdf2(parameters)) => limit_iterations(parameters.iteration_count)?,
        Some(pbes2::Kdf::Scrypt(parameters)) => {
            let work = scrypt_work(parameters);
            if work > MOST_SCRYPT_WORK {
                return Err(KeyError::Encryption {
                    reason: format!(
                        "scrypt with N·r·p = {work} exceeds the limit of {MOST_SCRYPT_WORK}"
                    ),
                });
            }
        }
        _ => {}
    }
    Ok(Scheme::Foreign(Box::new(scheme)))
}

pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(bytes).map_err(|_| KeyError::Library {
        operation: "read random bytes",
    })
}
