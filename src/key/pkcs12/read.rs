//! Reading: the certificates and keys of a file that anyone may have made, and what is in it beside them.

use super::kdf::{Hash, Kdf, MAC_KEY};
use crate::asn1::{Element, Malformed, Reader, oid, tag};
use crate::key::encryption::Scheme;
use crate::key::iterations::limit_iterations;
use crate::key::{KeyError, Passphrase};
use aws_lc_rs::hmac;
use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

/// Parts over which a file is refused, each with a key derivation of its own: most have one or two.
const MOST_PARTS: usize = 4;

/// Bags over which a file is refused: more than any key store has.
const MOST_BAGS: usize = 4096;

/// A PFX (RFC 7292 section 4), not opened yet.
pub(crate) struct Pfx<'a> {
    /// The AuthenticatedSafe, over which the MAC is.
    safe: &'a [u8],
    mac: Option<Mac<'a>>,
    parts: Vec<Part<'a>>,
}

struct Mac<'a> {
    kdf: Kdf<'a>,
    value: &'a [u8],
}

/// SafeContents, as they stand in an AuthenticatedSafe.
enum Part<'a> {
    Plain(&'a [u8]),
    Encrypted {
        scheme: Scheme,
        ciphertext: &'a [u8],
    },
}

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) certificates: Vec<CertificateBag>,
    /// Types of the bags that hold other things, those of keys among them.
    pub(crate) others: Vec<ObjectIdentifier>,
    keys: Vec<KeyBag>,
}

/// A key, which may be encrypted by itself.
struct KeyBag {
    content: Zeroizing<Vec<u8>>,
    is_encrypted: bool,
    alias: Option<String>,
}

/// Key of a file.
pub(crate) struct NamedKey {
    /// PrivateKeyInfo.
    pub(crate) der: Zeroizing<Vec<u8>>,
    pub(crate) alias: Option<String>,
    /// Whether it was encrypted by itself.
    pub(crate) was_encrypted: bool,
}

pub(crate) struct CertificateBag {
    pub(crate) der: Vec<u8>,
    pub(crate) alias: Option<String>,
    /// Whether it has the attribute without which Java's key stores don't show it.
    pub(crate) is_trusted: bool,
}

impl<'a> Pfx<'a> {
    /// Reads what stands outside the encryption; a file whose derivations would take too long together
    /// is refused.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, KeyError> {
        let mut pfx = Reader::sequence_of(der, "a PFX")?;
        pfx.expect(tag::INTEGER, "the version of a PFX")?;
        let safe = match content_info(&mut pfx)? {
            (oid::PKCS7_DATA, content) => bytes(&content)?,
            (other, _) => return Err(unknown("its integrity", &other)),
        };
        let mac = if pfx.is_empty() {
            None
        } else {
            Some(Mac::read(&mut pfx.sequence("a MacData")?)?)
        };
        pfx.end()?;
        let mut parts = Vec::new();
        let mut infos = Reader::sequence_of(safe, "an AuthenticatedSafe")?;
        while !infos.is_empty() {
            parts.push(Part::read(&mut infos)?);
        }
        if parts.len() > MOST_PARTS {
            return Err(KeyError::Encryption {
                reason: format!("it has {} parts", parts.len()),
            });
        }
        let pfx = Self { safe, mac, parts };
        limit_iterations(pfx.iterations())?;
        Ok(pfx)
    }

    /// Returns the cost of opening it: iterations of a hash; for scrypt, blocks that are mixed.
    pub(crate) fn iterations(&self) -> u64 {
        let parts = self.parts.iter().map(|part| match part {
            Part::Plain(_) => 0,
            Part::Encrypted { scheme, .. } => scheme.iterations(),
        });
        let mac = self.mac.as_ref();
        mac.map_or(0, |mac| u64::from(mac.kdf.iterations)) + parts.sum::<u64>()
    }

    /// Returns whether a MAC shows that the file is as it was made, and the passphrase right.
    pub(crate) fn has_mac(&self) -> bool {
        self.mac.is_some()
    }

    /// Returns whether it can't be read, or not be trusted, without its passphrase.
    pub(crate) fn needs_passphrase(&self) -> bool {
        let is_encrypted = |part: &Part<'_>| matches!(part, Part::Encrypted { .. });
        self.has_mac() || self.parts.iter().any(is_encrypted)
    }

    /// Opens a file that needs no passphrase, or has an empty one.
    pub(crate) fn open_without(&self) -> Option<(Contents, Passphrase)> {
        let mut empty = Passphrase::empty().into_iter();
        empty.find_map(|passphrase| Some((self.open(Some(&passphrase)).ok()?, passphrase)))
    }

    /// Checks the MAC and decrypts. Without a passphrase, what is encrypted does not open.
    pub(crate) fn open(&self, passphrase: Option<&Passphrase>) -> Result<Contents, KeyError> {
        let passphrase = || passphrase.ok_or(KeyError::WrongPassphrase);
        if let Some(mac) = &self.mac {
            mac.verify(passphrase()?, self.safe)?;
        }
        let mut contents = Contents::default();
        for part in &self.parts {
            match part {
                Part::Plain(bags) => contents.take(bags)?,
                Part::Encrypted { scheme, ciphertext } => {
                    contents.take(&scheme.decrypt(passphrase()?, ciphertext)?)?;
                }
            }
        }
        Ok(contents)
    }
}

impl<'a> Mac<'a> {
    fn read(data: &mut Reader<'a>) -> Result<Self, KeyError> {
        let mut info = data.sequence("a DigestInfo")?;
        let algorithm = identifier(&mut info.sequence("the MAC's algorithm")?)?;
        let value = info.expect(tag::OCTET_STRING, "a MAC")?.content;
        let salt = data.expect(tag::OCTET_STRING, "the MAC's salt")?.content;
        let iterations = match data.optional(tag::INTEGER)? {
            Some(iterations) => iterations.small()?,
            None => 1,
        };
        let hash = Hash::of(algorithm).ok_or_else(|| unknown("its MAC", &algorithm))?;
        Ok(Self {
            kdf: Kdf::foreign(hash, salt, iterations)?,
            value,
        })
    }

    fn verify(&self, passphrase: &Passphrase, safe: &[u8]) -> Result<(), KeyError> {
        let hash = self.kdf.hash;
        let key = self
            .kdf
            .derive(MAC_KEY, passphrase, hash.digest.output_len());
        hmac::verify(&hmac::Key::new(hash.hmac, &key), safe, self.value)
            .map_err(|_| KeyError::WrongPassphrase)
    }
}

impl<'a> Part<'a> {
    fn read(infos: &mut Reader<'a>) -> Result<Self, KeyError> {
        match content_info(infos)? {
            (oid::PKCS7_DATA, content) => Ok(Self::Plain(bytes(&content)?)),
            (oid::PKCS7_ENCRYPTED_DATA, content) => {
                let mut data = Reader::sequence_of(content.content, "an EncryptedData")?;
                data.expect(tag::INTEGER, "the version of an EncryptedData")?;
                let mut info = data.sequence("an EncryptedContentInfo")?;
                identifier(&mut info)?;
                let algorithm = info.expect(tag::SEQUENCE, "the encryption's algorithm")?;
                let ciphertext = info.expect(tag::context(0), "encrypted bytes")?.content;
                Ok(Self::Encrypted {
                    scheme: Scheme::read(&algorithm)?,
                    ciphertext,
                })
            }
            (other, _) => Err(unknown("its contents", &other)),
        }
    }
}

/// A ContentInfo (RFC 5652 section 3): its type, and what is inside its `[0]`.
fn content_info<'a>(reader: &mut Reader<'a>) -> Result<(ObjectIdentifier, Element<'a>), Malformed> {
    let mut info = reader.sequence("a ContentInfo")?;
    let kind = identifier(&mut info)?;
    Ok((kind, info.expect(tag::explicit(0), "a content")?))
}

fn identifier(reader: &mut Reader<'_>) -> Result<ObjectIdentifier, Malformed> {
    reader.oid("an OBJECT IDENTIFIER")
}

/// The bytes of the one OCTET STRING in an element.
fn bytes<'a>(element: &Element<'a>) -> Result<&'a [u8], Malformed> {
    let string = element.reader().expect(tag::OCTET_STRING, "octets")?;
    Ok(string.content)
}

fn unknown(what: &str, oid: &ObjectIdentifier) -> KeyError {
    KeyError::Encryption {
        reason: format!("{what} is of type {}", oid::called(oid)),
    }
}

impl Contents {
    pub(crate) fn has_encrypted_keys(&self) -> bool {
        self.keys.iter().any(|key| key.is_encrypted)
    }

    /// Decrypts the keys; refused if their derivations would take too long together.
    pub(crate) fn keys(&self, passphrase: Option<&Passphrase>) -> Result<Vec<NamedKey>, KeyError> {
        let mut keys = Vec::new();
        let mut iterations = 0;
        for KeyBag {
            content,
            is_encrypted,
            alias,
        } in &self.keys
        {
            let der = if *is_encrypted {
                let mut info = Reader::sequence_of(content, "an EncryptedPrivateKeyInfo")?;
                let algorithm = info.expect(tag::SEQUENCE, "the encryption of a key")?;
                let scheme = Scheme::read(&algorithm)?;
                iterations += scheme.iterations();
                limit_iterations(iterations)?;
                let sealed = info.expect(tag::OCTET_STRING, "an encrypted key")?.content;
                scheme.decrypt(passphrase.ok_or(KeyError::WrongPassphrase)?, sealed)?
            } else {
                content.clone()
            };
            keys.push(NamedKey {
                der,
                alias: alias.clone(),
                was_encrypted: *is_encrypted,
            });
        }
        Ok(keys)
    }

    /// Takes the bags of SafeContents (RFC 7292 section 4.2).
    fn take(&mut self, safe_contents: &[u8]) -> Result<(), Malformed> {
        let mut bags = Reader::sequence_of(safe_contents, "SafeContents")?;
        while !bags.is_empty() {
            if self.certificates.len() + self.keys.len() + self.others.len() == MOST_BAGS {
                return Err(Malformed::Value("it has more than 4096 bags"));
            }
            let mut bag = bags.sequence("a SafeBag")?;
            let kind = identifier(&mut bag)?;
            let value = bag.expect(tag::explicit(0), "the value of a bag")?;
            if matches!(kind, oid::KEY_BAG | oid::PKCS8_SHROUDED_KEY_BAG) {
                self.keys.push(KeyBag {
                    content: Zeroizing::new(value.content.to_vec()),
                    is_encrypted: kind == oid::PKCS8_SHROUDED_KEY_BAG,
                    alias: alias(bag.optional(tag::SET)?)?,
                });
            }
            if kind != oid::CERT_BAG {
                self.others.push(kind);
                continue;
            }
            let mut certificate = value.reader().sequence("a CertBag")?;
            match identifier(&mut certificate)? {
                oid::X509_CERTIFICATE => {
                    let der = certificate.expect(tag::explicit(0), "a certificate")?;
                    let attributes = bag.optional(tag::SET)?;
                    self.certificates
                        .push(CertificateBag::new(bytes(&der)?, attributes)?);
                }
                other => self.others.push(other),
            }
        }
        Ok(())
    }
}

impl CertificateBag {
    fn new(der: &[u8], attributes: Option<Element<'_>>) -> Result<Self, Malformed> {
        let mut bag = Self {
            der: der.to_vec(),
            alias: None,
            is_trusted: false,
        };
        let mut attributes = attributes.map_or(Reader::new(&[]), |set| set.reader());
        while !attributes.is_empty() {
            let mut attribute = attributes.sequence("an attribute")?;
            match identifier(&mut attribute)? {
                oid::TRUSTED_KEY_USAGE => bag.is_trusted = true,
                oid::FRIENDLY_NAME => bag.alias = Some(friendly_name(&mut attribute)?),
                _ => {}
            }
        }
        Ok(bag)
    }
}

/// Returns the alias among the attributes of a bag.
fn alias(attributes: Option<Element<'_>>) -> Result<Option<String>, Malformed> {
    let mut attributes = attributes.map_or(Reader::new(&[]), |set| set.reader());
    while !attributes.is_empty() {
        let mut attribute = attributes.sequence("an attribute")?;
        if identifier(&mut attribute)? == oid::FRIENDLY_NAME {
            return friendly_name(&mut attribute).map(Some);
        }
    }
    Ok(None)
}

fn friendly_name(attribute: &mut Reader<'_>) -> Result<String, Malformed> {
    let mut values = attribute
        .expect(tag::SET, "the attribute's values")?
        .reader();
    let name = values.expect(tag::BMP_STRING, "a BMPString")?.content;
    let units = name.chunks_exact(2);
    let units = units.map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
    let text = char::decode_utf16(units);
    Ok(text
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect())
}
