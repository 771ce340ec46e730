//! Private keys, plain and encrypted.

use super::{FEW_ITERATIONS, PASSPHRASE, said};
use crate::key::pkcs12::Pfx;
use crate::key::{KeyFile, Passphrase, PrivateKey, PublicKeyAlgorithm};
use crate::x509::Certificate;

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned().into())
}

/// A key file in any form: a key that is read is the same once it is written and read again.
pub fn key(data: &[u8]) {
    let key = match KeyFile::parse(data) {
        Ok(KeyFile::Plain(key)) => key,
        Ok(KeyFile::Encrypted(encrypted)) if encrypted.iterations() > FEW_ITERATIONS => return,
        Ok(KeyFile::Encrypted(encrypted)) => match encrypted.open(&passphrase()) {
            Ok((key, _)) => key,
            Err(error) => return said(&error),
        },
        Err(error) => return said(&error),
    };
    // AWS-LC writes ML-DSA's keys from the seed alone, which not every file has.
    let Ok(der) = key.to_pkcs8() else {
        use PublicKeyAlgorithm::{MlDsa44, MlDsa65, MlDsa87};
        let algorithm = key.public().algorithm();
        assert!(matches!(algorithm, MlDsa44 | MlDsa65 | MlDsa87));
        return;
    };
    let again = PrivateKey::from_pkcs8(&der).expect("what is written is read");
    assert_eq!(again.public().spki(), key.public().spki());
}

/// PKCS #12, opened with and without its passphrase.
pub fn pkcs12(data: &[u8]) {
    let pfx = match Pfx::from_der(data) {
        Ok(pfx) if pfx.iterations() > FEW_ITERATIONS => return,
        Ok(pfx) => pfx,
        Err(error) => return said(&error),
    };
    let without = pfx.open(None);
    assert!(!pfx.needs_passphrase() || without.is_err());
    let contents = match pfx.open(Some(&passphrase())) {
        Ok(contents) => contents,
        Err(error) => return said(&error),
    };
    for bag in contents.certificates {
        if let Err(error) = Certificate::from_der(&bag.der) {
            said(&error);
        }
    }
}
