//! Private keys as `pkcs8` opens them.

use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::{
    DecodePrivateKey as _, EncodePublicKey, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef,
};

/// PrivateKeyInfo of a PEM object, if the passphrase opens it.
pub(super) fn open(object: &pem::Pem, passphrase: &str) -> Option<Vec<u8>> {
    let der = match object.tag() {
        "PRIVATE KEY" => object.contents().to_vec(),
        "ENCRYPTED PRIVATE KEY" => {
            let encrypted = EncryptedPrivateKeyInfoRef::from_der(object.contents()).unwrap();
            let again = encrypted.to_der().unwrap();
            assert_eq!(again, object.contents(), "it is encoded in another way");
            encrypted.decrypt(passphrase).ok()?.as_bytes().to_vec()
        }
        other => panic!("{other}: a key that no judge reads"),
    };
    let info = PrivateKeyInfoRef::from_der(&der).unwrap();
    let again = info.to_der().unwrap();
    assert_eq!(again, der, "it is encoded in another way");
    Some(der)
}

/// SubjectPublicKeyInfo of a private key; none for ML-DSA.
pub(super) fn public(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let algorithm = PrivateKeyInfoRef::from_der(pkcs8).unwrap().algorithm;
    let curve = algorithm.parameters_oid().ok();
    let curve = curve.as_ref().map(ObjectIdentifier::to_string);
    Some(
        match (algorithm.oid.to_string().as_str(), curve.as_deref()) {
            ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => {
                spki(&p256::SecretKey::from_pkcs8_der(pkcs8).unwrap().public_key())
            }
            ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => {
                spki(&p384::SecretKey::from_pkcs8_der(pkcs8).unwrap().public_key())
            }
            ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => {
                spki(&p521::SecretKey::from_pkcs8_der(pkcs8).unwrap().public_key())
            }
            ("1.2.840.113549.1.1.1", _) => {
                let key = rsa::PrivateKey::from_pkcs8_der(pkcs8).unwrap();
                spki(&rsa::PublicKey::from(&key))
            }
            ("1.3.101.112", _) => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_der(pkcs8).unwrap();
                spki(&key.verifying_key())
            }
            (ml_dsa, _) if ml_dsa.starts_with("2.16.840.1.101.3.4.3.") => return None,
            (other, _) => panic!("{other}: a key that no judge reads"),
        },
    )
}

fn spki(key: &impl EncodePublicKey) -> Vec<u8> {
    key.to_public_key_der().unwrap().into_vec()
}
