//! Input that is refused for what it would take: derivations of keys without end.

use crate::der::{explicit, octet_string, oid, pem, sequence, tlv, unsigned};
use crate::sandbox::Sandbox;
use expect_test::expect;

const UNSUPPORTED: &str = "key-encryption-unsupported";
const NULL: &[u8] = &[5, 0];
const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const HMAC_SHA1: &str = "1.2.840.113549.2.7";
const HMAC_SHA256: &str = "1.2.840.113549.2.9";
const PBE_SHA1_3DES: &str = "1.2.840.113549.1.12.1.3";
const PBE_MD5_DES: &str = "1.2.840.113549.1.5.3";

/// AlgorithmIdentifier of PBES2 with this key derivation function.
fn pbes2(derivation: &str, parameters: &[u8]) -> Vec<u8> {
    let derivation = sequence(&[&oid(derivation), parameters]);
    let aes_256_cbc = sequence(&[&oid("2.16.840.1.101.3.4.1.42"), &octet_string(&[0; 16])]);
    let parameters = sequence(&[&derivation, &aes_256_cbc]);
    sequence(&[&oid("1.2.840.113549.1.5.13"), &parameters])
}

fn pbkdf2(iterations: u32, hash: &str) -> Vec<u8> {
    let parameters = sequence(&[
        &octet_string(&[0; 16]),
        &unsigned(&iterations.to_be_bytes()),
        &sequence(&[&oid(hash), NULL]),
    ]);
    pbes2("1.2.840.113549.1.5.12", &parameters)
}

fn scrypt(cost: u64, block: u16, lanes: u16) -> Vec<u8> {
    let parameters = sequence(&[
        &octet_string(&[0; 16]),
        &unsigned(&cost.to_be_bytes()),
        &unsigned(&block.to_be_bytes()),
        &unsigned(&lanes.to_be_bytes()),
    ]);
    pbes2("1.3.6.1.4.1.11591.4.11", &parameters)
}

fn old(kind: &str, iterations: u32) -> Vec<u8> {
    let parameters = [octet_string(&[0; 8]), unsigned(&iterations.to_be_bytes())];
    sequence(&[&oid(kind), &tlv(0x30, &parameters.concat())])
}

/// Every algorithm that would take too much time or memory.
fn dear() -> Vec<Vec<u8>> {
    vec![
        pbkdf2(10_000_001, HMAC_SHA256),
        pbkdf2(1 << 31, HMAC_SHA256),
        pbkdf2(u32::MAX, HMAC_SHA256),
        pbkdf2(u32::MAX, HMAC_SHA1),
        scrypt(1 << 21, 8, 1),
        scrypt(1 << 62, 1, 1),
        scrypt(1 << 20, u16::MAX, 1),
        scrypt(1 << 14, 8, 65),
        scrypt(1 << 20, 8, 2),
        scrypt(2, 1 << 15, 1 << 8),
        scrypt(1 << 14, 8, u16::MAX),
        old(PBE_SHA1_3DES, 1 << 31),
        old(PBE_MD5_DES, u32::MAX),
    ]
}

/// PFX with parts in these encryptions, and a MAC of this iteration count.
fn pfx(parts: &[&[u8]], mac: Option<u32>) -> Vec<u8> {
    let part = |algorithm: &&[u8]| {
        let content = sequence(&[&oid(DATA), algorithm, &tlv(0x80, &[0; 48])]);
        let data = sequence(&[&unsigned(&[0]), &content]);
        sequence(&[&oid(ENCRYPTED_DATA), &explicit(0, &data)])
    };
    let safe = tlv(0x30, &parts.iter().flat_map(part).collect::<Vec<_>>());
    let content = sequence(&[&oid(DATA), &explicit(0, &octet_string(&safe))]);
    let mac = mac.map(|iterations| {
        let sha256 = sequence(&[&oid("2.16.840.1.101.3.4.2.1"), NULL]);
        let digest = sequence(&[&sha256, &octet_string(&[0; 32])]);
        let salt = octet_string(&[0; 16]);
        sequence(&[&digest, &salt, &unsigned(&iterations.to_be_bytes())])
    });
    sequence(&[&unsigned(&[3]), &content, &mac.unwrap_or_default()])
}

/// They are refused as they are read: no passphrase was given, and none is asked for.
#[test]
fn excessive_iteration_counts_are_refused_before_a_passphrase() {
    let sandbox = Sandbox::new();
    let code = |line: &str| {
        let refused = sandbox.pki(&format!("--format json {line}")).ends_with(1);
        refused.error()["code"].as_str().unwrap().to_owned()
    };
    let code_of_pfx = |pfx: Vec<u8>| {
        sandbox.write("dear.p12", pfx);
        code("bundle --check dear.p12 --for java")
    };
    for algorithm in dear() {
        let key = sequence(&[&algorithm, &octet_string(&[0; 48])]);
        sandbox.write("dear.key", pem("ENCRYPTED PRIVATE KEY", &key));
        assert_eq!(code("show dear.key"), "invalid-input", "{algorithm:x?}");
        let refused = code_of_pfx(pfx(&[&algorithm], None));
        assert_eq!(refused, UNSUPPORTED, "{algorithm:x?}");
    }
    for iterations in [10_000_001, 1 << 31, u32::MAX] {
        let refused = code_of_pfx(pfx(&[], Some(iterations)));
        assert_eq!(refused, UNSUPPORTED, "{iterations}");
    }
    // Each is borne, and all of them together are not.
    let borne = pbkdf2(4_000_000, HMAC_SHA256);
    let key = sequence(&[&borne, &octet_string(&[0; 48])]);
    sandbox.write("borne.key", pem("ENCRYPTED PRIVATE KEY", &key));
    sandbox.pki("show borne.key").succeeds();
    let refused = code_of_pfx(pfx(&[&borne], Some(4_000_000)));
    assert_eq!(refused, "passphrase-required");
    let together = pfx(&[&borne, &borne], Some(4_000_000));
    assert_eq!(code_of_pfx(together), UNSUPPORTED);
}

#[test]
fn a_trust_store_without_end_is_refused_in_words() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "dear.p12",
        pfx(&[&pbkdf2(1 << 31, HMAC_SHA256)], Some(2048)),
    );
    sandbox.pki("bundle --check dear.p12 --for java").refuses(
        1,
        "key-encryption-unsupported",
        expect![[r#"
            error: dear.p12 is not a PKCS #12 file that can be opened
            caused by: its encryption is not supported: an iteration count of 2147483648 is too high
            hint: write a new one with `keytool -importkeystore` or `openssl pkcs12`
        "#]],
    );
}
