//! Key files, as `pki` and other programs write them.

use super::form::Form;
use super::{EncryptedKey, KeyError, PrivateKey};
use crate::asn1::{Reader, tag};
use crate::pem;

pub(crate) enum KeyFile {
    Plain(PrivateKey),
    /// An EncryptedPrivateKeyInfo (RFC 5958 section 3), or a PEM object whose headers say how it is
    /// encrypted.
    Encrypted(EncryptedKey),
}

impl KeyFile {
    /// Reads what `pki` and openssl write: PKCS#8, SEC 1 (RFC 5915) and PKCS #1 (RFC 8017), plain or
    /// encrypted, as PEM, or PKCS#8 as DER. An `EC PARAMETERS` object before the key is passed over.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if !pem::looks_like_pem(bytes) {
            return Self::parse_der(bytes);
        }
        let objects = pem::decode(bytes)?;
        let object = objects
            .iter()
            .find(|object| object.label.ends_with("PRIVATE KEY"))
            .ok_or_else(|| KeyError::NotAKey {
                found: found(&objects),
            })?;
        let form = match object.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => {
                return EncryptedKey::from_der(&object.der).map(Self::Encrypted);
            }
            "PRIVATE KEY" => Form::Pkcs8,
            "EC PRIVATE KEY" => Form::Sec1,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            other => {
                return Err(KeyError::NotAKey {
                    found: format!("a PEM object {other:?}"),
                });
            }
        };
        if object.headers.is_empty() {
            return form.read(&object.der).map(Self::Plain);
        }
        EncryptedKey::from_pem(form, object).map(Self::Encrypted)
    }

    fn parse_der(der: &[u8]) -> Result<Self, KeyError> {
        let not_a_key = |_| KeyError::NotAKey {
            found: if pem::is_utf16(der) {
                "UTF-16 text".into()
            } else if pem::is_bare_base64(der) {
                "base64 without the BEGIN and END lines of PEM".into()
            } else {
                "neither PEM nor DER".into()
            },
        };
        let first = Reader::single(der).map_err(not_a_key)?.reader().peek();
        if first == Some(tag::SEQUENCE) {
            return EncryptedKey::from_der(der).map(Self::Encrypted);
        }
        PrivateKey::from_pkcs8(der).map(Self::Plain)
    }
}

fn found(objects: &[pem::PemObject]) -> String {
    match objects {
        [] => "nothing".into(),
        [first, ..] => format!("a PEM object {:?}", first.label),
    }
}
