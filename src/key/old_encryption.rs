//! Encryptions of private keys from before PBES2. They are read, so that old keys can be taken over,
//! and never written.

use super::iterations::limit_iterations;
use super::pkcs12::kdf::{ENCRYPTION_KEY, INITIALIZATION_VECTOR, Kdf, SHA_1};
use super::{KeyError, Passphrase};
use crate::asn1::{Element, from_hex, oid, tag};
use aws_lc_rs::digest;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// Cipher and key derivation of a key, with their parameters.
pub(super) struct OldEncryption {
    cipher: Cipher,
    derivation: Derivation,
}

/// All of them in CBC mode.
#[derive(Clone, Copy)]
enum Cipher {
    Des,
    /// 3DES whose third key is the first.
    TwoKey3Des,
    TripleDes,
    /// RC2 with an effective key of 40 bits.
    Rc2Of40Bits,
    Rc2Of128Bits,
    Aes128,
    Aes192,
    Aes256,
}

/// Derivation of the cipher's key, and most often its initialization vector, from the passphrase.
enum Derivation {
    /// PBKDF1 (RFC 8018 section 5.1).
    Pbkdf1 {
        hash: OldHash,
        salt: Vec<u8>,
        iterations: u32,
    },
    /// The derivation of PKCS #12 (RFC 7292 appendix B.2), with SHA-1.
    Pkcs12 { salt: Vec<u8>, iterations: u32 },
    /// The derivation of PEM files with headers: one iteration of MD5, OpenSSL's own; the
    /// salt is the beginning of the initialization vector.
    OpenSsl { iv: Vec<u8> },
}

#[derive(Clone, Copy)]
enum OldHash {
    Md5,
    Sha1,
}

/// The key and the initialization vector of a cipher.
struct Derived {
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
}

impl OldEncryption {
    /// Reads an AlgorithmIdentifier; `None` if it is none of the old ones.
    pub(super) fn from_algorithm(algorithm: &Element<'_>) -> Option<Result<Self, KeyError>> {
        let mut reader = algorithm.reader();
        let kind = reader.expect(tag::OBJECT_IDENTIFIER, "").ok()?.oid().ok()?;
        let known = match kind {
            oid::PBE_MD5_DES => Known::Pbes1(OldHash::Md5),
            oid::PBE_SHA1_DES => Known::Pbes1(OldHash::Sha1),
            oid::PBE_SHA1_3DES => Known::Pkcs12(Cipher::TripleDes),
            oid::PBE_SHA1_2_KEY_3DES => Known::Pkcs12(Cipher::TwoKey3Des),
            oid::PBE_SHA1_40_RC2 => Known::Pkcs12(Cipher::Rc2Of40Bits),
            oid::PBE_SHA1_128_RC2 => Known::Pkcs12(Cipher::Rc2Of128Bits),
            oid::PBE_MD2_DES
            | oid::PBE_MD2_RC2
            | oid::PBE_MD5_RC2
            | oid::PBE_SHA1_RC2
            | oid::PBE_SHA1_128_RC4
            | oid::PBE_SHA1_40_RC4 => return Some(Err(not_opened(&oid::called(&kind)))),
            _ => return None,
        };
        Some((|| {
            let what = "the parameters of the key's encryption";
            let mut parameters = reader.sequence(what)?;
            let salt = parameters.expect(tag::OCTET_STRING, what)?.content.to_vec();
            let iterations = parameters.expect(tag::INTEGER, what)?.small()?;
            limit_iterations(iterations)?;
            Ok(known.with(salt, iterations))
        })())
    }

    /// Reads the headers of a PEM object (RFC 1421 section 4.6.1), as in
    /// `DEK-Info: AES-256-CBC,` and the initialization vector in hex.
    pub(super) fn from_headers(headers: &[String]) -> Result<Self, KeyError> {
        let info = headers
            .iter()
            .find_map(|header| header.strip_prefix("DEK-Info:"))
            .ok_or_else(|| KeyError::Encryption {
                reason: "its PEM object has headers, but none of them is DEK-Info".into(),
            })?;
        let (name, iv) = info.trim().split_once(',').unwrap_or((info.trim(), ""));
        let cipher = match name.trim() {
            "DES-CBC" => Cipher::Des,
            "DES-EDE-CBC" => Cipher::TwoKey3Des,
            "DES-EDE3-CBC" => Cipher::TripleDes,
            "AES-128-CBC" => Cipher::Aes128,
            "AES-192-CBC" => Cipher::Aes192,
            "AES-256-CBC" => Cipher::Aes256,
            other => return Err(not_opened(other)),
        };
        let iv = from_hex(iv.trim()).filter(|iv| iv.len() == cipher.block());
        let iv = iv.ok_or_else(|| KeyError::Encryption {
            reason: format!(
                "the initialization vector of its DEK-Info header is not {} bytes in hex",
                cipher.block()
            ),
        })?;
        Ok(Self {
            cipher,
            derivation: Derivation::OpenSsl { iv },
        })
    }

    /// Rounds of the hash that its derivation takes.
    pub(super) fn iterations(&self) -> u32 {
        match &self.derivation {
            Derivation::Pbkdf1 { iterations, .. } | Derivation::Pkcs12 { iterations, .. } => {
                *iterations
            }
            Derivation::OpenSsl { .. } => 1,
        }
    }

    /// Decrypts. That the passphrase is wrong shows in the padding, but for one time in 256.
    pub(super) fn decrypt(
        &self,
        passphrase: &Passphrase,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let derived = self.derivation.derive(self.cipher, passphrase);
        let decrypt = match self.cipher {
            Cipher::Des => decrypt_with::<des::Des>,
            Cipher::TwoKey3Des => decrypt_with::<des::TdesEde2>,
            Cipher::TripleDes => decrypt_with::<des::TdesEde3>,
            // The effective length is that of the key.
            Cipher::Rc2Of40Bits | Cipher::Rc2Of128Bits => decrypt_with::<rc2::Rc2>,
            Cipher::Aes128 => decrypt_with::<aes::Aes128>,
            Cipher::Aes192 => decrypt_with::<aes::Aes192>,
            Cipher::Aes256 => decrypt_with::<aes::Aes256>,
        };
        decrypt(&derived, ciphertext).ok_or(KeyError::WrongPassphrase)
    }
}

/// An algorithm, without the values that its parameters give.
enum Known {
    Pbes1(OldHash),
    Pkcs12(Cipher),
}

impl Known {
    fn with(self, salt: Vec<u8>, iterations: u32) -> OldEncryption {
        match self {
            Self::Pbes1(hash) => OldEncryption {
                cipher: Cipher::Des,
                derivation: Derivation::Pbkdf1 {
                    hash,
                    salt,
                    iterations,
                },
            },
            Self::Pkcs12(cipher) => OldEncryption {
                cipher,
                derivation: Derivation::Pkcs12 { salt, iterations },
            },
        }
    }
}

impl Cipher {
    fn key(self) -> usize {
        match self {
            Self::Rc2Of40Bits => 5,
            Self::Des => 8,
            Self::TwoKey3Des | Self::Rc2Of128Bits | Self::Aes128 => 16,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    fn block(self) -> usize {
        match self {
            Self::Des
            | Self::TwoKey3Des
            | Self::TripleDes
            | Self::Rc2Of40Bits
            | Self::Rc2Of128Bits => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }
}

impl Derivation {
    fn derive(&self, cipher: Cipher, passphrase: &Passphrase) -> Derived {
        match self {
            Self::Pbkdf1 {
                hash,
                salt,
                iterations,
            } => {
                let mut bytes = hash.over(&[passphrase.bytes(), salt]);
                for _ in 1..*iterations {
                    bytes = hash.over(&[&bytes]);
                }
                let (key, iv) = bytes.split_at(cipher.key());
                Derived {
                    key: Zeroizing::new(key.to_vec()),
                    iv: Zeroizing::new(iv[..cipher.block()].to_vec()),
                }
            }
            Self::Pkcs12 { salt, iterations } => {
                let kdf = Kdf {
                    hash: &SHA_1,
                    salt,
                    iterations: *iterations,
                };
                Derived {
                    key: kdf.derive(ENCRYPTION_KEY, passphrase, cipher.key()),
                    iv: kdf.derive(INITIALIZATION_VECTOR, passphrase, cipher.block()),
                }
            }
            Self::OpenSsl { iv } => {
                let salt = &iv[..8];
                let mut key = Zeroizing::new(Vec::with_capacity(cipher.key() + 16));
                let mut last = Zeroizing::new(Vec::new());
                while key.len() < cipher.key() {
                    last = OldHash::Md5.over(&[&last, passphrase.bytes(), salt]);
                    key.extend_from_slice(&last);
                }
                key.truncate(cipher.key());
                Derived {
                    key,
                    iv: Zeroizing::new(iv.clone()),
                }
            }
        }
    }
}

impl OldHash {
    fn over(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Md5 => {
                let mut hash = Md5::new();
                parts.iter().for_each(|part| hash.update(part));
                hash.finalize().to_vec()
            }
            Self::Sha1 => {
                let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
                parts.iter().for_each(|part| hash.update(part));
                hash.finish().as_ref().to_vec()
            }
        })
    }
}

/// The plain bytes, if the padding (RFC 8018 section 6.1.1) is right.
fn decrypt_with<C: KeyInit + BlockCipherDecrypt>(
    derived: &Derived,
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = C::new_from_slice(&derived.key).ok()?;
    let cipher = cbc::Decryptor::inner_iv_slice_init(cipher, &derived.iv).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

fn not_opened(name: &str) -> KeyError {
    KeyError::Encryption {
        reason: format!("it is {name}"),
    }
}
