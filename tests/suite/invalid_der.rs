//! Structures that are not DER, or whose keys bind nothing: no trust store gets them, nothing is
//! certified for them. They are signed as they are, so that their encoding alone is wrong.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use expect_test::expect;

use crate::der::{bit_string, explicit, name, octet_string, oid, pem, sequence, tlv, unsigned};
use crate::sandbox::Sandbox;

/// The parts of a root that are written as the case has them.
#[derive(Clone, Copy)]
struct Root {
    version: &'static [u8],
    serial: &'static [u8],
    algorithm: &'static [u8],
    basic_constraints: &'static [u8],
    key_usage: &'static [u8],
    critical: &'static [u8],
    behind: &'static [u8],
}

const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";

const GOOD: Root = Root {
    version: b"\x02\x01\x02",
    serial: b"\x02\x02\x00\x85",
    algorithm: ED25519,
    basic_constraints: b"\x30\x03\x01\x01\xff",
    key_usage: b"\x03\x02\x01\x06",
    critical: b"\x01\x01\xff",
    behind: b"",
};

const COMMON_NAME: &str = "2.5.4.3";

fn new_key() -> Ed25519KeyPair {
    Ed25519KeyPair::generate().unwrap()
}

fn spki(public_key: &[u8]) -> Vec<u8> {
    sequence(&[ED25519, &bit_string(public_key)])
}

fn signed(key: &Ed25519KeyPair, tbs: &[u8]) -> Vec<u8> {
    let signature = key.sign(tbs);
    sequence(&[tbs, ED25519, &bit_string(signature.as_ref())])
}

fn root(case: Root) -> Vec<u8> {
    let key = new_key();
    let name = name(COMMON_NAME, "odd");
    let extension = |id, critical, value| sequence(&[&oid(id), critical, &octet_string(value)]);
    let extensions = [
        extension("2.5.29.19", GOOD.critical, case.basic_constraints),
        extension("2.5.29.15", case.critical, case.key_usage),
        extension("2.5.29.14", b"", &octet_string(&[1; 20])),
    ];
    let time = |text: &str| tlv(0x17, text.as_bytes());
    let tbs = sequence(&[
        &tlv(0xa0, case.version),
        case.serial,
        case.algorithm,
        &name,
        &sequence(&[&time("200101000000Z"), &time("490101000000Z")]),
        &name,
        &spki(key.public_key().as_ref()),
        case.behind,
        &explicit(3, &tlv(0x30, &extensions.concat())),
    ]);
    signed(&key, &tbs)
}

#[test]
fn a_trust_store_gets_no_certificate_that_is_not_der() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let bundle = |der: &[u8], form: &str| {
        let file = match form {
            "pem" => pem("CERTIFICATE", der).into_bytes(),
            _ => der.to_vec(),
        };
        sandbox.write("odd", file);
        sandbox.pki("bundle --ca rootCA --add odd --out store.pem")
    };
    for wrong in [
        Root {
            version: b"\x02\x02\x00\x02",
            ..GOOD
        },
        Root {
            version: b"\x02\x01\x02\x05\x00",
            ..GOOD
        },
        Root {
            version: b"\x02\x00",
            ..GOOD
        },
        Root {
            serial: b"\x02\x02\x00\x05",
            ..GOOD
        },
        Root {
            serial: b"\x02\x02\xff\x85",
            ..GOOD
        },
        Root {
            serial: b"\x02\x00",
            ..GOOD
        },
        Root {
            algorithm: b"\x30\x09\x06\x03\x2b\x65\x70\x05\x00\x05\x00",
            ..GOOD
        },
        Root {
            basic_constraints: b"\x30\x03\x01\x01\x01",
            ..GOOD
        },
        Root {
            basic_constraints: b"\x30\x07\x01\x01\xff\x02\x02\x00\x01",
            ..GOOD
        },
        Root {
            key_usage: b"\x03\x02\x05\x24",
            ..GOOD
        },
        Root {
            key_usage: b"\x03\x02\x02\x06",
            ..GOOD
        },
        Root {
            key_usage: b"\x03\x02\x08\x06",
            ..GOOD
        },
        Root {
            critical: b"\x01\x01\x7f",
            ..GOOD
        },
        Root {
            behind: b"\x81\x02\x08\x00",
            ..GOOD
        },
    ] {
        for form in ["pem", "der"] {
            let refused = bundle(&root(wrong), form).ends_with(1);
            assert!(refused.stderr.contains("odd"), "{refused}");
            assert!(!sandbox.path("store.pem").exists(), "{refused}");
        }
    }
    // Not what DER says, but common, and read by every program.
    for good in [
        GOOD,
        Root {
            critical: b"",
            ..GOOD
        },
        Root {
            critical: b"\x01\x01\x00",
            ..GOOD
        },
        Root {
            key_usage: b"\x03\x02\x00\x06",
            ..GOOD
        },
        Root {
            behind: b"\x81\x02\x00\x01",
            ..GOOD
        },
    ] {
        bundle(&root(good), "pem").succeeds();
        sandbox
            .run("openssl", "verify -CAfile store.pem pki/rootCA/ca.crt")
            .succeeds();
        std::fs::remove_file(sandbox.path("store.pem")).unwrap();
    }
}

fn csr(version: &[u8], subject: &[u8], attributes: &[u8]) -> Vec<u8> {
    let key = new_key();
    let spki = spki(key.public_key().as_ref());
    let tbs = sequence(&[version, subject, &spki, &tlv(0xa0, attributes)]);
    signed(&key, &tbs)
}

#[test]
fn no_csr_that_is_not_der_is_certified() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let issue = |der: &[u8], name: &str| {
        sandbox.write("odd.csr", pem("CERTIFICATE REQUEST", der));
        let line = "issue --ca rootCA --profile client --csr odd.csr --out out --name";
        sandbox.pki(line).arg(name)
    };
    let before = sandbox.read("pki/rootCA/issued.jsonl");
    let name = name(COMMON_NAME, "leaf.test");
    for der in [
        csr(b"\x02\x02\x00\x00", &name, b""),
        csr(b"\x02\x00", &name, b""),
        // A challengePassword that is a BMPString of three bytes; one with something behind its set.
        csr(
            b"\x02\x01\x00",
            &name,
            b"\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x05\x1e\x03abc",
        ),
        csr(
            b"\x02\x01\x00",
            &name,
            b"\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x03\x0c\x01a\x05\x00",
        ),
    ] {
        let refused = issue(&der, "odd").ends_with(1);
        assert!(refused.stderr.contains("odd.csr"), "{refused}");
    }
    assert_eq!(sandbox.read("pki/rootCA/issued.jsonl"), before);
    issue(&csr(b"\x02\x01\x00", &name, b""), "good").succeeds();
}

/// Anybody makes a signature that such a key verifies: R is the neutral point, S is zero.
#[test]
fn no_key_of_small_order_is_certified() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    for last in [0, 0x80] {
        neutral[31] = last;
        let name = name(COMMON_NAME, "leaf.test");
        let tbs = sequence(&[&unsigned(&[0]), &name, &spki(&neutral), &tlv(0xa0, &[])]);
        let der = sequence(&[&tbs, ED25519, &bit_string(&signature)]);
        sandbox.write("odd.csr", pem("CERTIFICATE REQUEST", &der));
        sandbox.pki("show odd.csr").succeeds();
        for line in [
            "issue --ca rootCA --profile client --csr odd.csr --out out --name odd",
            "subordinate --ca rootCA --csr odd.csr --out out.crt",
        ] {
            sandbox.pki(line).refuses(1, "key-weak", expect![[r#"
                error: odd.csr is not a CSR that can be used
                caused by: the public key is weak: the Ed25519 key is a point of small order, so a signature under it fits any message
            "#]]);
        }
    }
}

/// RFC 5280's upper bounds, and a limit for types that have none.
#[test]
fn a_subject_of_a_csr_has_upper_bounds() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let text = "x".repeat(500_000);
    let unknown = "1.3.6.1.4.1.55555.1";
    for (kind, called) in [("2.5.4.12", "title"), (unknown, unknown)] {
        let csr = csr(&unsigned(&[0]), &name(kind, &text), b"");
        sandbox.write("large.csr", pem("CERTIFICATE REQUEST", &csr));
        let line = "issue --ca rootCA --profile client --csr large.csr --out out --name large";
        let refused = sandbox.pki(line).ends_with(1);
        assert!(refused.stderr.contains(called), "{refused}");
        assert!(refused.stderr.len() < 1000);
    }
}
