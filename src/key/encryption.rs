//! Keys under a passphrase: PKCS #5 version 2 (RFC 8018).
//!
//! Written: PBES2 with PBKDF2-HMAC-SHA256, [`PBKDF2_ROUNDS`] rounds, and AES-256-CBC, which every
//! relying party opens. Read: also what other programs chose, within limits.

use super::form::Form;
use super::iterations::limit_iterations;
use super::old_encryption::OldEncryption;
use super::{KeyError, Passphrase, PrivateKey};
use crate::asn1::{Element, Malformed, Reader, sequence, tag};
use crate::pem;
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{pbkdf2, rand};
use der::Encode;
use pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf};
use std::hint::black_box;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Rounds of PBKDF2 in every key file that is written here.
pub(crate) const PBKDF2_ROUNDS: u32 = 600_000;

/// The product N·r·p of scrypt (RFC 7914) over which a foreign key file is refused. Memory takes
/// 128 bytes for each unit of N·r, so this is 1 GiB that is filled once.
const MOST_SCRYPT_WORK: u64 = 1 << 23;

/// An AES-256 key derived from a passphrase, and the salt that it was derived with.
///
/// Deriving is slow on purpose. All key files of one CA carry the CA's salt, so that a command
/// derives once, however many of them it opens or writes; each has an initialization vector of its
/// own.
#[derive(Clone)]
pub(crate) struct KeyEncryptionKey {
    kdf: Pbkdf2Params,
    /// On the heap: what is moved leaves a copy on the stack.
    key: Zeroizing<Vec<u8>>,
}

impl KeyEncryptionKey {
    /// Derives a key under a new random salt.
    pub(crate) fn generate(passphrase: &Passphrase) -> Result<Self, KeyError> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        let kdf = Pbkdf2Params::hmac_sha256(PBKDF2_ROUNDS, &salt);
        Ok(Self::derive(passphrase, kdf.expect("such a salt fits")))
    }

    /// Returns whether keys encrypted under it are as strong as those that are written here have to be.
    pub(crate) fn is_strong(&self) -> bool {
        is_strong(&self.kdf)
    }

    fn derive(passphrase: &Passphrase, kdf: Pbkdf2Params) -> Self {
        let mut key = Zeroizing::new(vec![0; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            NonZeroU32::new(kdf.iteration_count).unwrap_or(NonZeroU32::MIN),
            kdf.salt.as_bytes(),
            passphrase.bytes(),
            &mut key,
        );
        Self { kdf, key }
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
        let parameters = pbes2::Parameters {
            kdf: self.kdf.into(),
            encryption: pbes2::EncryptionScheme::Aes256Cbc { iv },
        };
        let scheme = pkcs5::EncryptionScheme::Pbes2(parameters);
        scheme.to_der().expect("its parameters are short")
    }
}

fn is_strong(kdf: &Pbkdf2Params) -> bool {
    kdf.iteration_count >= PBKDF2_ROUNDS && kdf.salt.as_bytes().len() >= 16
}

pub(super) struct Encrypted {
    pub(super) algorithm: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
}

#[derive(Clone)]
pub(crate) enum Protection {
    Passphrase(KeyEncryptionKey),
    /// Not encrypted: only if the user said so.
    None,
}

impl Protection {
    /// Encryption under a passphrase, with a new salt.
    pub(crate) fn new(passphrase: &Passphrase) -> Result<Self, KeyError> {
        KeyEncryptionKey::generate(passphrase).map(Self::Passphrase)
    }

    /// The key as a PEM file: `ENCRYPTED PRIVATE KEY`, or `PRIVATE KEY`.
    pub(crate) fn to_pem(&self, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
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
pub(crate) struct EncryptedKey {
    scheme: Scheme,
    ciphertext: Vec<u8>,
    form: Form,
}

pub(super) enum Scheme {
    /// PBES2 with parameters that the pkcs5 crate knows.
    Pbes2(Box<pbes2::Parameters>),
    /// A scheme from before PBES2.
    Old(OldEncryption),
}

impl Scheme {
    /// Reads an AlgorithmIdentifier, unless opening what it encrypts would take too long or too much
    /// memory.
    pub(super) fn read(algorithm: &Element<'_>) -> Result<Self, KeyError> {
        let unknown = || KeyError::Encryption {
            reason: "it is neither PBES1 nor PBES2 with known parameters".into(),
        };
        if let Some(old) = OldEncryption::from_algorithm(algorithm) {
            return old.map(Self::Old);
        }
        let (salt, iv) = pbes2_sizes(algorithm).map_err(|_| unknown())?;
        if salt > pbes2::Salt::MAX_LEN {
            return Err(KeyError::Encryption {
                reason: format!(
                    "its salt has {salt} bytes, more than {}",
                    pbes2::Salt::MAX_LEN
                ),
            });
        }
        // The pkcs5 crate takes the first bytes of one for DES without looking whether they are there.
        if iv < 8 {
            return Err(unknown());
        }
        match pkcs5::EncryptionScheme::try_from(algorithm.whole) {
            Ok(pkcs5::EncryptionScheme::Pbes2(parameters)) => {
                limit_work(&parameters.kdf)?;
                Ok(Self::Pbes2(Box::new(parameters)))
            }
            _ => Err(unknown()),
        }
    }

    /// The parameters of the encryption that is written here, if it is that one: keys derived for it can be
    /// shared between files.
    fn ours(&self) -> Option<(Pbkdf2Params, [u8; 16])> {
        let Self::Pbes2(parameters) = self else {
            return None;
        };
        match (&parameters.kdf, parameters.encryption) {
            (Kdf::Pbkdf2(kdf), pbes2::EncryptionScheme::Aes256Cbc { iv })
                if kdf.prf == Pbkdf2Prf::HmacWithSha256 =>
            {
                let key_length = None;
                Some((Pbkdf2Params { key_length, ..*kdf }, iv))
            }
            _ => None,
        }
    }

    /// Returns the cost of deriving the key: iterations of a hash; for scrypt, blocks that are mixed.
    pub(super) fn iterations(&self) -> u64 {
        match self {
            Self::Old(encryption) => u64::from(encryption.iterations()),
            Self::Pbes2(parameters) => match &parameters.kdf {
                Kdf::Pbkdf2(parameters) => u64::from(parameters.iteration_count),
                Kdf::Scrypt(parameters) => scrypt_work(parameters),
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
        if let Some((kdf, iv)) = self.ours() {
            return decrypt(&KeyEncryptionKey::derive(passphrase, kdf), iv, ciphertext);
        }
        match self {
            Self::Pbes2(parameters) => {
                with_stack_wiped(|| parameters.decrypt(passphrase.bytes(), ciphertext))
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
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
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

    /// Returns the cost of opening it: iterations of a hash; for scrypt, blocks that are mixed.
    pub(crate) fn iterations(&self) -> u64 {
        self.scheme.iterations()
    }

    /// Returns whether it is encrypted as every key is that is written here, or stronger.
    pub(crate) fn is_strong(&self) -> bool {
        self.scheme.ours().is_some_and(|(kdf, _)| is_strong(&kdf))
    }

    /// Decrypts with a passphrase. If the encryption is the one written here, the derived key
    /// comes along, to be used for the other files of the same CA.
    pub(crate) fn open(
        &self,
        passphrase: &Passphrase,
    ) -> Result<(PrivateKey, Option<KeyEncryptionKey>), KeyError> {
        let Some((kdf, _)) = self.scheme.ours() else {
            let plain = self.scheme.decrypt(passphrase, &self.ciphertext)?;
            return Ok((decrypted(self.form, &plain)?, None));
        };
        let kek = KeyEncryptionKey::derive(passphrase, kdf);
        let key = self
            .open_with(&kek)
            .unwrap_or(Err(KeyError::WrongPassphrase))?;
        Ok((key, Some(kek)))
    }

    /// Decrypts with a key derived before; `None` if it was derived with another salt.
    pub(crate) fn open_with(&self, kek: &KeyEncryptionKey) -> Option<Result<PrivateKey, KeyError>> {
        let (_, iv) = self.scheme.ours().filter(|(kdf, _)| *kdf == kek.kdf)?;
        let pkcs8 = decrypt(kek, iv, &self.ciphertext);
        Some(pkcs8.and_then(|pkcs8| decrypted(self.form, &pkcs8)))
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

/// Bytes of the salt and of the initialization vector in an AlgorithmIdentifier of PBES2.
fn pbes2_sizes(algorithm: &Element<'_>) -> Result<(usize, usize), Malformed> {
    let mut fields = algorithm.reader();
    fields.any()?;
    let mut parameters = fields.sequence("PBES2-params")?;
    let [mut kdf, mut cipher] = [
        parameters.sequence("a key derivation")?,
        parameters.sequence("a cipher")?,
    ];
    kdf.any()?;
    let salt = kdf
        .sequence("its parameters")?
        .expect(tag::OCTET_STRING, "a salt")?;
    cipher.any()?;
    let iv = cipher.expect(tag::OCTET_STRING, "an initialization vector")?;
    Ok((salt.content.len(), iv.content.len()))
}

fn scrypt_work(parameters: &pbes2::ScryptParams) -> u64 {
    parameters
        .cost_parameter
        .saturating_mul(u64::from(parameters.block_size))
        .saturating_mul(u64::from(parameters.parallelization))
}

/// Refuses a derivation that would take a machine's memory or a day.
fn limit_work(kdf: &Kdf) -> Result<(), KeyError> {
    match kdf {
        Kdf::Pbkdf2(parameters) => limit_iterations(parameters.iteration_count),
        Kdf::Scrypt(parameters) if scrypt_work(parameters) > MOST_SCRYPT_WORK => {
            let work = scrypt_work(parameters);
            Err(KeyError::Encryption {
                reason: format!(
                    "scrypt with N·r·p = {work} exceeds the limit of {MOST_SCRYPT_WORK}"
                ),
            })
        }
        _ => Ok(()),
    }
}

pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(bytes).map_err(|_| KeyError::Library {
        operation: "read random bytes",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::oid;
    use const_oid::ObjectIdentifier;

    /// The AlgorithmIdentifier of PBES2 with PBKDF2-HMAC-SHA256.
    fn algorithm(salt: &[u8], cipher: &ObjectIdentifier, iv: &[u8]) -> Vec<u8> {
        sequence(|algorithm| {
            algorithm.oid(&oid::PBES2);
            algorithm.sequence(|parameters| {
                parameters.sequence(|kdf| {
                    kdf.oid(&oid::PBKDF2);
                    kdf.sequence(|pbkdf2| {
                        pbkdf2.octet_string(salt);
                        pbkdf2.unsigned(&PBKDF2_ROUNDS.to_be_bytes());
                        pbkdf2.sequence(|prf| {
                            prf.oid(&oid::HMAC_SHA256);
                            prf.primitive(tag::NULL, &[]);
                        });
                    });
                });
                parameters.sequence(|scheme| {
                    scheme.oid(cipher);
                    scheme.octet_string(iv);
                });
            });
        })
    }

    #[test]
    fn parameters_are_written_as_rfc_8018_has_them() {
        let kdf = Pbkdf2Params::hmac_sha256(PBKDF2_ROUNDS, &[7; 16]).unwrap();
        let key = Zeroizing::new(vec![0; 32]);
        let written = KeyEncryptionKey { kdf, key }.algorithm([9; 16]);
        assert_eq!(written, algorithm(&[7; 16], &oid::AES_256_CBC, &[9; 16]));
    }

    #[test]
    fn salts_and_vectors_of_sizes_that_pkcs5_lacks_are_refused() {
        const DES_EDE3_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.3.7");
        for (salt, cipher, iv, refusal) in [
            (32, oid::AES_256_CBC, 16, None),
            (
                33,
                oid::AES_256_CBC,
                16,
                Some("its salt has 33 bytes, more than 32"),
            ),
            (16, oid::AES_256_CBC, 15, Some("known parameters")),
            (16, DES_EDE3_CBC, 8, None),
            (16, DES_EDE3_CBC, 7, Some("known parameters")),
        ] {
            let der = algorithm(&vec![0; salt], &cipher, &vec![0; iv]);
            let error = Scheme::read(&Reader::single(&der).unwrap()).err();
            let error = error.map(|error| error.to_string());
            assert_eq!(error.is_some(), refusal.is_some(), "{salt} {iv} {error:?}");
            assert!(
                error
                    .unwrap_or_default()
                    .contains(refusal.unwrap_or_default())
            );
        }
    }
}
