//! Signatures: what a token signs, and how its answer stands in a certificate.

use crate::message::{Code, Input};
use crate::problem::{Failure, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::UintRef;
use der::{Encode, Sequence};
use sha2::{Digest, Sha256};

/// DigestInfo of a SHA-256 digest, up to the digest (RFC 8017 section 9.2).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Ecdsa,
    RsaPkcs1,
    Ed25519,
}

/// Signature to make.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) scheme: Scheme,
    /// Bytes for the token.
    pub(crate) data: Vec<u8>,
}

impl Order {
    pub(crate) fn new(algorithm: &str, input: &Input) -> Result<Self> {
        let (scheme, data) = match algorithm {
            "ecdsa-sha256" => (Scheme::Ecdsa, digest(input, 32)?),
            "ecdsa-sha384" => (Scheme::Ecdsa, digest(input, 48)?),
            "ecdsa-sha512" => (Scheme::Ecdsa, digest(input, 64)?),
            "rsa-pkcs1-sha256" => {
                let info = [&SHA256_INFO, &digest(input, 32)?[..]].concat();
                (Scheme::RsaPkcs1, info)
            }
            "ed25519" => (Scheme::Ed25519, message(input)?),
            "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87" => {
                let message = "PKCS #11 has no mechanism that signs the μ of ML-DSA";
                return Err(Failure::new(Code::Unsupported, message));
            }
            _ => {
                let message = "the signature algorithm is not supported";
                return Err(Failure::new(Code::Unsupported, message));
            }
        };
        Ok(Self { scheme, data })
    }

    /// Signature of something that is no certificate.
    pub(crate) fn trial(scheme: Scheme) -> Self {
        let message = b"pki-key-pkcs11 tries a new key";
        let digest = Sha256::digest(message);
        let data = match scheme {
            Scheme::Ecdsa => digest.to_vec(),
            Scheme::RsaPkcs1 => [&SHA256_INFO, &digest[..]].concat(),
            Scheme::Ed25519 => message.to_vec(),
        };
        Self { scheme, data }
    }

    /// Signature as it stands in a certificate.
    pub(crate) fn finished(&self, raw: Vec<u8>) -> Result<Vec<u8>> {
        match self.scheme {
            Scheme::Ecdsa => ecdsa_value(&raw),
            Scheme::Ed25519 if raw.len() != 64 => Err(odd()),
            Scheme::RsaPkcs1 if raw.is_empty() => Err(odd()),
            Scheme::Ed25519 | Scheme::RsaPkcs1 => Ok(raw),
        }
    }
}

fn odd() -> Failure {
    Failure::malformed("the signature of the token")
}

fn digest(input: &Input, length: usize) -> Result<Vec<u8>> {
    let Input::Digest(text) = input else {
        return Err(Failure::new(Code::Failed, "the algorithm signs a digest"));
    };
    let digest = from_base64(text)?;
    if digest.len() != length {
        let message = format!("the digest has not {length} bytes");
        return Err(Failure::new(Code::Failed, message));
    }
    Ok(digest)
}

fn message(input: &Input) -> Result<Vec<u8>> {
    match input {
        Input::Message(message) => from_base64(message),
        _ => Err(Failure::new(Code::Failed, "Ed25519 signs a message")),
    }
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| Failure::malformed("the base64 of the request"))
}

/// ECDSA-Sig-Value (RFC 3279 section 2.2.3) of two numbers of equal length.
fn ecdsa_value(raw: &[u8]) -> Result<Vec<u8>> {
    #[derive(Sequence)]
    struct EcdsaSigValue<'a> {
        r: UintRef<'a>,
        s: UintRef<'a>,
    }
    if raw.is_empty() || !raw.len().is_multiple_of(2) || raw.len() > 132 {
        return Err(odd());
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    if [r, s]
        .iter()
        .any(|number| number.iter().all(|byte| *byte == 0))
    {
        return Err(odd());
    }
    let value = EcdsaSigValue {
        r: UintRef::new(r).map_err(|_| odd())?,
        s: UintRef::new(s).map_err(|_| odd())?,
    };
    value.to_der().map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(algorithm: &str, input: &Input) -> Code {
        Order::new(algorithm, input).unwrap_err().code()
    }

    #[test]
    fn numbers_of_ecdsa_are_minimal_integers() {
        let raw = [0x80, 1, 0, 0x7f];
        assert_eq!(
            ecdsa_value(&raw).unwrap(),
            [0x30, 8, 2, 3, 0, 0x80, 1, 2, 1, 0x7f]
        );
        let mut longest = [0xff; 132];
        longest[66] = 0;
        assert_eq!(
            ecdsa_value(&longest).unwrap()[..7],
            [0x30, 0x81, 137, 2, 67, 0, 0xff]
        );
    }

    #[test]
    fn raw_signatures_of_odd_shape_are_refused() {
        for raw in [&[][..], &[1], &[1, 2, 3], &[0, 0, 0, 1], &[1, 0], &[1; 134]] {
            assert!(ecdsa_value(raw).is_err(), "{raw:?}");
        }
        let ed25519 = Order::new("ed25519", &Input::Message(String::new())).unwrap();
        assert!(ed25519.finished(vec![1; 63]).is_err());
        assert!(ed25519.finished(vec![1; 64]).is_ok());
    }

    #[test]
    fn rsa_signs_a_digest_info() {
        let digest = [7; 32];
        let input = Input::Digest(STANDARD.encode(digest));
        let order = Order::new("rsa-pkcs1-sha256", &input).unwrap();
        assert_eq!(order.data.len(), 51);
        assert_eq!(order.data[..2], [0x30, 49]);
        assert!(order.data.ends_with(&digest));
    }

    #[test]
    fn digests_have_the_length_of_their_hash() {
        for (algorithm, length) in [
            ("ecdsa-sha256", 32),
            ("ecdsa-sha384", 48),
            ("ecdsa-sha512", 64),
        ] {
            let of = |length| Input::Digest(STANDARD.encode(vec![1; length]));
            assert_eq!(
                Order::new(algorithm, &of(length)).unwrap().data.len(),
                length
            );
            assert_eq!(code(algorithm, &of(length - 1)), Code::Failed);
            assert_eq!(code(algorithm, &of(0)), Code::Failed);
        }
    }

    #[test]
    fn unknown_algorithms_are_unsupported() {
        let digest = Input::Digest(STANDARD.encode([1; 32]));
        assert_eq!(code("ecdsa-sha1", &digest), Code::Unsupported);
        assert_eq!(
            code("ml-dsa-65", &Input::Mu(String::new())),
            Code::Unsupported
        );
        assert_eq!(code("ed25519", &digest), Code::Failed);
        assert_eq!(
            code("ecdsa-sha256", &Input::Digest("*".into())),
            Code::Failed
        );
    }
}
