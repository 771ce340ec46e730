//! PKCS #12 (RFC 7292): a key with its certificates, or trust anchors, in one file under a passphrase.
//!
//! Written: every file has a MAC, and every bag is encrypted, those of certificates too: many readers
//! show nothing before the passphrase is right. Read: the certificates of a file that anyone may have
//! made.

pub(super) mod kdf;
mod read;

pub(crate) use read::{CertificateBag, Contents, NamedKey, Pfx};

use super::encryption::{Encrypted, fill_random};
use super::{KeyEncryptionKey, KeyError, Passphrase, PrivateKey};
use crate::asn1::{Encoder, encode, oid, sequence, tag};
use aws_lc_rs::hmac;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use const_oid::ObjectIdentifier;
use kdf::{ENCRYPTION_KEY, INITIALIZATION_VECTOR, Kdf, MAC_KEY, SHA_1, SHA_256};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Rounds under the MAC of a modern file: as many as Windows takes, and the same as under its bags.
const MODERN_MAC_ROUNDS: u32 = 600_000;

/// Rounds of every derivation of a compatible file.
const COMPATIBLE_ROUNDS: u32 = 100_000;

const SALT: usize = 16;

#[derive(Clone, Copy)]
pub(crate) enum Encryption<'a> {
    /// PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC; the MAC is HMAC-SHA256.
    Modern(&'a KeyEncryptionKey),
    /// pbeWithSHAAnd3-KeyTripleDES-CBC and HMAC-SHA1: for readers that know nothing better.
    Compatible,
}

/// A key, and the certificates that speak for it.
pub(crate) struct KeyEntry<'a> {
    pub(crate) name: &'a str,
    pub(crate) key: &'a PrivateKey,
    pub(crate) for_java: bool,
    /// The DER of its certificate, and then of the CAs above.
    pub(crate) certificates: &'a [&'a [u8]],
}

/// A file with one key, its certificate and the chain above.
pub(crate) fn key_store(
    entry: &KeyEntry<'_>,
    passphrase: &Passphrase,
    encryption: Encryption<'_>,
) -> Result<Vec<u8>, KeyError> {
    let KeyEntry {
        name,
        key,
        for_java,
        certificates,
    } = entry;
    let lock = Lock {
        passphrase,
        encryption,
    };
    let digest = certificates.first().map(Sha256::digest);
    let key_id = digest.as_ref().map(|digest| &digest[..20]);
    let named = attributes(&[
        Some(friendly_name(name)),
        key_id.map(|id| attribute(&oid::LOCAL_KEY_ID, |value| value.octet_string(id))),
    ]);
    let certificate_bags = sequence(|contents| {
        for (index, certificate) in certificates.iter().enumerate() {
            let attributes = if index == 0 { &named[..] } else { &[] };
            certificate_bag(contents, certificate, attributes);
        }
    });
    let key = match for_java {
        true => key.to_expanded_pkcs8()?,
        false => key.to_pkcs8()?,
    };
    let Encrypted {
        algorithm,
        ciphertext,
    } = lock.encrypt(&key)?;
    let key_bags = sequence(|contents| {
        bag(contents, &oid::PKCS8_SHROUDED_KEY_BAG, &named, |value| {
            value.sequence(|info| {
                info.raw(&algorithm);
                info.octet_string(&ciphertext);
            });
        });
    });
    let certificates = encrypted_data(&lock.encrypt(&certificate_bags)?);
    lock.pfx(&sequence(|safe| {
        safe.raw(&certificates);
        safe.raw(&data(&key_bags));
    }))
}

/// A file of trust anchors as Java reads them: every certificate, by its DER, under an alias of its
/// own and with the attribute without which Java's key stores show none. Java opens it if the
/// passphrase is printable ASCII.
pub(crate) fn trust_store(
    certificates: &[(&str, &[u8])],
    passphrase: &Passphrase,
) -> Result<Vec<u8>, KeyError> {
    let derived = KeyEncryptionKey::generate(passphrase)?;
    let lock = Lock {
        passphrase,
        encryption: Encryption::Modern(&derived),
    };
    let bags = sequence(|contents| {
        for (alias, certificate) in certificates {
            let trusted = attribute(&oid::TRUSTED_KEY_USAGE, |value| {
                value.oid(&oid::ANY_EXTENDED_KEY_USAGE);
            });
            let attributes = attributes(&[Some(friendly_name(alias)), Some(trusted)]);
            certificate_bag(contents, certificate, &attributes);
        }
    });
    let contents = encrypted_data(&lock.encrypt(&bags)?);
    lock.pfx(&sequence(|safe| safe.raw(&contents)))
}

/// SafeBag (RFC 7292 section 4.2).
fn bag(
    contents: &mut Encoder,
    kind: &ObjectIdentifier,
    attributes: &[u8],
    value: impl FnOnce(&mut Encoder),
) {
    contents.sequence(|bag| {
        bag.oid(kind);
        bag.explicit(0, value);
        bag.raw(attributes);
    });
}

/// CertBag (RFC 7292 section 4.2.3).
fn certificate_bag(contents: &mut Encoder, certificate: &[u8], attributes: &[u8]) {
    bag(contents, &oid::CERT_BAG, attributes, |value| {
        value.sequence(|bag| {
            bag.oid(&oid::X509_CERTIFICATE);
            bag.explicit(0, |value| value.octet_string(certificate));
        });
    });
}

/// The SET OF attributes of a bag, in the order that DER asks for (X.690 section 11.6).
fn attributes(of_bag: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut sorted: Vec<&Vec<u8>> = of_bag.iter().flatten().collect();
    sorted.sort();
    encode(|encoder| {
        encoder.constructed(tag::SET, |set| {
            sorted.iter().for_each(|attribute| set.raw(attribute));
        });
    })
}

fn attribute(kind: &ObjectIdentifier, value: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    sequence(|attribute| {
        attribute.oid(kind);
        attribute.constructed(tag::SET, value);
    })
}

fn friendly_name(name: &str) -> Vec<u8> {
    let bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    attribute(&oid::FRIENDLY_NAME, |value| {
        value.primitive(tag::BMP_STRING, &bytes);
    })
}

/// ContentInfo of type data (RFC 5652 sections 3 and 4).
fn data(content: &[u8]) -> Vec<u8> {
    sequence(|info| {
        info.oid(&oid::PKCS7_DATA);
        info.explicit(0, |value| value.octet_string(content));
    })
}

/// ContentInfo of type encryptedData (RFC 5652 section 8).
fn encrypted_data(encrypted: &Encrypted) -> Vec<u8> {
    sequence(|info| {
        info.oid(&oid::PKCS7_ENCRYPTED_DATA);
        info.explicit(0, |value| {
            value.sequence(|data| {
                data.unsigned(&[0]);
                data.sequence(|content| {
                    content.oid(&oid::PKCS7_DATA);
                    content.raw(&encrypted.algorithm);
                    content.primitive(tag::context(0), &encrypted.ciphertext);
                });
            });
        });
    })
}

/// Passphrase and encryption of a file.
struct Lock<'a> {
    passphrase: &'a Passphrase,
    encryption: Encryption<'a>,
}

impl Lock<'_> {
    fn encrypt(&self, plain: &[u8]) -> Result<Encrypted, KeyError> {
        match self.encryption {
            Encryption::Modern(derived) => derived.encrypted(plain),
            Encryption::Compatible => triple_des(self.passphrase, plain),
        }
    }

    /// PFX (RFC 7292 section 4) around an AuthenticatedSafe.
    fn pfx(&self, safe: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (hash, iterations) = match self.encryption {
            Encryption::Modern(_) => (&SHA_256, MODERN_MAC_ROUNDS),
            Encryption::Compatible => (&SHA_1, COMPATIBLE_ROUNDS),
        };
        let mut salt = [0; SALT];
        fill_random(&mut salt)?;
        let kdf = Kdf {
            hash,
            salt: &salt,
            iterations,
        };
        let key = kdf.derive(MAC_KEY, self.passphrase, hash.digest.output_len());
        let mac = hmac::sign(&hmac::Key::new(hash.hmac, &key), safe);
        Ok(sequence(|pfx| {
            pfx.unsigned(&[3]);
            pfx.raw(&data(safe));
            pfx.sequence(|mac_data| {
                mac_data.sequence(|info| {
                    info.sequence(|algorithm| {
                        algorithm.oid(&hash.oid);
                        algorithm.primitive(tag::NULL, &[]);
                    });
                    info.octet_string(mac.as_ref());
                });
                mac_data.octet_string(&salt);
                mac_data.unsigned(&iterations.to_be_bytes());
            });
        }))
    }
}

/// pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C).
fn triple_des(passphrase: &Passphrase, plain: &[u8]) -> Result<Encrypted, KeyError> {
    const BLOCK: usize = 8;
    let failed = || KeyError::Library {
        operation: "encrypt with 3DES",
    };
    let mut salt = [0; SALT];
    fill_random(&mut salt)?;
    let part = |purpose, length| {
        let kdf = Kdf {
            hash: &SHA_1,
            salt: &salt,
            iterations: COMPATIBLE_ROUNDS,
        };
        kdf.derive(purpose, passphrase, length)
    };
    let key = part(ENCRYPTION_KEY, 3 * BLOCK);
    let iv = part(INITIALIZATION_VECTOR, BLOCK);
    let cipher =
        cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &iv).map_err(|_| failed())?;
    let mut buffer = Zeroizing::new(vec![0; plain.len() + BLOCK]);
    buffer[..plain.len()].copy_from_slice(plain);
    let ciphertext = cipher
        .encrypt_padded::<Pkcs7>(&mut buffer, plain.len())
        .map_err(|_| failed())?
        .to_vec();
    let algorithm = sequence(|algorithm| {
        algorithm.oid(&oid::PBE_SHA1_3DES);
        algorithm.sequence(|parameters| {
            parameters.octet_string(&salt);
            parameters.unsigned(&COMPATIBLE_ROUNDS.to_be_bytes());
        });
    });
    Ok(Encrypted {
        algorithm,
        ciphertext,
    })
}
