//! Input that is refused for what it would take: derivations of keys without end.

use std::slice;

use const_oid::ObjectIdentifier;
use pki::asn1::{Encoder, oid, sequence, tag};
use pki::key::pkcs12::Pfx;
use pki::key::{KeyError, KeyFile};

use crate::sandbox::Sandbox;

const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");

/// The AlgorithmIdentifier of PBES2 with a derivation.
fn pbes2(derivation: &[u8]) -> Vec<u8> {
    sequence(|algorithm| {
        algorithm.oid(&oid::PBES2);
        algorithm.sequence(|parameters| {
            parameters.raw(derivation);
            parameters.sequence(|cipher| {
                cipher.oid(&oid::AES_256_CBC);
                cipher.octet_string(&[0; 16]);
            });
        });
    })
}

fn pbkdf2(rounds: u32, hash: &ObjectIdentifier) -> Vec<u8> {
    pbes2(&sequence(|derivation| {
        derivation.oid(&oid::PBKDF2);
        derivation.sequence(|parameters| {
            parameters.octet_string(&[0; 16]);
            parameters.unsigned(&rounds.to_be_bytes());
            parameters.sequence(|function| {
                function.oid(hash);
                function.primitive(tag::NULL, &[]);
            });
        });
    }))
}

fn scrypt(cost: u64, block: u16, lanes: u16) -> Vec<u8> {
    pbes2(&sequence(|derivation| {
        derivation.oid(&SCRYPT);
        derivation.sequence(|parameters| {
            parameters.octet_string(&[0; 16]);
            parameters.unsigned(&cost.to_be_bytes());
            parameters.unsigned(&block.to_be_bytes());
            parameters.unsigned(&lanes.to_be_bytes());
        });
    }))
}

fn old(kind: &ObjectIdentifier, rounds: u32) -> Vec<u8> {
    sequence(|algorithm| {
        algorithm.oid(kind);
        algorithm.sequence(|parameters| {
            parameters.octet_string(&[0; 8]);
            parameters.unsigned(&rounds.to_be_bytes());
        });
    })
}

/// Every algorithm that would take too long or too much.
fn dear() -> Vec<Vec<u8>> {
    let hmac_sha1 = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
    vec![
        pbkdf2(10_000_001, &oid::HMAC_SHA256),
        pbkdf2(1 << 31, &oid::HMAC_SHA256),
        pbkdf2(u32::MAX, &oid::HMAC_SHA256),
        pbkdf2(u32::MAX, &hmac_sha1),
        scrypt(1 << 21, 8, 1),
        scrypt(1 << 62, 1, 1),
        scrypt(1 << 20, u16::MAX, 1),
        scrypt(1 << 14, 8, 65),
        scrypt(1 << 20, 8, 2),
        scrypt(2, 1 << 15, 1 << 8),
        scrypt(1 << 14, 8, u16::MAX),
        old(&oid::PBE_SHA1_3DES, 1 << 31),
        old(&oid::PBE_MD5_DES, u32::MAX),
    ]
}

fn encrypted_key(algorithm: &[u8]) -> Vec<u8> {
    sequence(|info| {
        info.raw(algorithm);
        info.octet_string(&[0; 48]);
    })
}

/// PFX with parts in these encryptions, and a MAC of so many rounds.
fn pfx(parts: &[Vec<u8>], mac: Option<u32>) -> Vec<u8> {
    let part = |safe: &mut Encoder, algorithm: &[u8]| {
        safe.sequence(|info| {
            info.oid(&oid::PKCS7_ENCRYPTED_DATA);
            info.explicit(0, |value| {
                value.sequence(|data| {
                    data.unsigned(&[0]);
                    data.sequence(|content| {
                        content.oid(&oid::PKCS7_DATA);
                        content.raw(algorithm);
                        content.primitive(tag::context(0), &[0; 48]);
                    });
                });
            });
        });
    };
    let safe = sequence(|safe| parts.iter().for_each(|algorithm| part(safe, algorithm)));
    sequence(|pfx| {
        pfx.unsigned(&[3]);
        pfx.sequence(|info| {
            info.oid(&oid::PKCS7_DATA);
            info.explicit(0, |value| value.octet_string(&safe));
        });
        let Some(rounds) = mac else { return };
        pfx.sequence(|data| {
            data.sequence(|info| {
                info.sequence(|algorithm| {
                    algorithm.oid(&oid::SHA256);
                    algorithm.primitive(tag::NULL, &[]);
                });
                info.octet_string(&[0; 32]);
            });
            data.octet_string(&[0; 16]);
            data.unsigned(&rounds.to_be_bytes());
        });
    })
}

/// They are refused as they are read, when nobody has given a passphrase: nothing can be derived yet.
#[test]
fn derivations_without_end_are_refused_before_there_is_a_passphrase() {
    for algorithm in dear() {
        let refused = KeyFile::parse(&encrypted_key(&algorithm));
        assert!(
            matches!(refused, Err(KeyError::Encryption { .. })),
            "{algorithm:x?}"
        );
        let refused = Pfx::from_der(&pfx(slice::from_ref(&algorithm), None)).map(|_| ());
        assert!(
            matches!(refused, Err(KeyError::Encryption { .. })),
            "{algorithm:x?}"
        );
    }
    for rounds in [10_000_001, 1 << 31, u32::MAX] {
        let refused = Pfx::from_der(&pfx(&[], Some(rounds))).map(|_| ());
        assert!(
            matches!(refused, Err(KeyError::Encryption { .. })),
            "{rounds}"
        );
    }
    // Each is borne, and all of them together are not.
    let borne = pbkdf2(4_000_000, &oid::HMAC_SHA256);
    assert!(Pfx::from_der(&pfx(slice::from_ref(&borne), Some(4_000_000))).is_ok());
    let together = pfx(&[borne.clone(), borne], Some(4_000_000));
    assert!(Pfx::from_der(&together).is_err());
}

#[test]
fn a_trust_store_without_end_is_refused_in_words() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "dear.p12",
        pfx(&[pbkdf2(1 << 31, &oid::HMAC_SHA256)], Some(2048)),
    );
    sandbox.pki("bundle --check dear.p12 --for java").refuses(
        1,
        "error: the trust store dear.p12 can't be opened\ncaused by: its encryption can't be opened: 2147483648 rounds of key derivation are too many\nhint: `keytool -importkeystore` writes one anew\n",
    );
}
