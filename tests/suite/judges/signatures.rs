//! Signatures as RustCrypto verifies them.

use rsa::pkcs1v15;
use sha2::Sha256;
use x509_cert::spki::DecodePublicKey;

/// Whether this key verifies the signature; none for ML-DSA.
pub(super) fn is_signature(
    algorithm: &str,
    spki: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    Some(match algorithm {
        "1.2.840.10045.4.3.2" => p256(spki, message, signature).is_some(),
        "1.2.840.10045.4.3.3" => p384(spki, message, signature).is_some(),
        "1.2.840.10045.4.3.4" => p521(spki, message, signature).is_some(),
        "1.2.840.113549.1.1.11" => rsa_sha256(spki, message, signature).is_some(),
        "1.3.101.112" => ed25519(spki, message, signature).is_some(),
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => {
            return None;
        }
        other => panic!("{other}: an algorithm that no judge has"),
    })
}

fn p256(spki: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    use p256::ecdsa::signature::Verifier as _;
    use p256::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_public_key_der(spki).ok()?;
    key.verify(message, &Signature::from_der(signature).ok()?)
        .ok()
}

fn p384(spki: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    use p384::ecdsa::signature::Verifier as _;
    use p384::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_public_key_der(spki).ok()?;
    key.verify(message, &Signature::from_der(signature).ok()?)
        .ok()
}

fn p521(spki: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    use p521::ecdsa::signature::Verifier as _;
    use p521::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_public_key_der(spki).ok()?;
    key.verify(message, &Signature::from_der(signature).ok()?)
        .ok()
}

fn rsa_sha256(spki: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    use rsa::signature::Verifier as _;
    let key = rsa::PublicKey::from_public_key_der(spki).ok()?;
    let key = pkcs1v15::VerifyingKey::<Sha256>::new(key);
    key.verify(message, &signature.try_into().ok()?).ok()
}

fn ed25519(spki: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_public_key_der(spki).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}
