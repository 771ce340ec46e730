//! Structures that are not DER, or whose keys bind nothing: no trust store gets them, nothing is
//! certified for them. They are signed as they are, so that their encoding alone is wrong.

use pki::asn1::{Encoder, encode_time, oid, sequence, tag};
use pki::key::{KeyType, PrivateKey};
use pki::pem;
use pki::x509::{CertificationRequest, Extension, Name};
use time::OffsetDateTime;
use time::macros::datetime;

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

fn signed(key: &PrivateKey, tbs: &[u8]) -> Vec<u8> {
    let signature = key.sign(tbs).unwrap();
    sequence(|signed| {
        signed.raw(tbs);
        signed.raw(ED25519);
        signed.bit_string(&signature);
    })
}

fn root(case: Root) -> Vec<u8> {
    const BEGIN: OffsetDateTime = datetime!(2020-01-01 0:00 UTC);
    const END: OffsetDateTime = datetime!(2049-01-01 0:00 UTC);
    let key = PrivateKey::generate("ed25519".parse::<KeyType>().unwrap()).unwrap();
    let name = Name::from_common_name("odd").unwrap();
    let extension = |list: &mut Encoder, oid, critical: &[u8], value: &[u8]| {
        list.sequence(|extension| {
            extension.oid(oid);
            extension.raw(critical);
            extension.octet_string(value);
        });
    };
    let tbs = sequence(|tbs| {
        tbs.constructed(tag::explicit(0), |version| version.raw(case.version));
        tbs.raw(case.serial);
        tbs.raw(case.algorithm);
        tbs.raw(name.der());
        tbs.sequence(|times| {
            encode_time(times, BEGIN);
            encode_time(times, END);
        });
        tbs.raw(name.der());
        tbs.raw(key.public().spki());
        tbs.raw(case.behind);
        tbs.explicit(3, |wrapper| {
            wrapper.sequence(|list| {
                extension(
                    list,
                    &oid::BASIC_CONSTRAINTS,
                    GOOD.critical,
                    case.basic_constraints,
                );
                extension(list, &oid::KEY_USAGE, case.critical, case.key_usage);
                Extension::subject_key_identifier(&key.public().key_identifier()).encode(list);
            });
        });
    });
    signed(&key, &tbs)
}

#[test]
fn a_trust_store_gets_no_certificate_that_is_not_der() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let bundle = |der: &[u8], form: &str| {
        let file = match form {
            "pem" => pem::encode("CERTIFICATE", der).into_bytes(),
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

fn csr(version: &[u8], spki: Option<&[u8]>, attributes: &[u8]) -> Vec<u8> {
    let key = PrivateKey::generate("ed25519".parse::<KeyType>().unwrap()).unwrap();
    let name = Name::from_common_name("leaf.test").unwrap();
    let tbs = sequence(|info| {
        info.raw(version);
        info.raw(name.der());
        info.raw(spki.unwrap_or(key.public().spki()));
        info.constructed(tag::explicit(0), |all| all.raw(attributes));
    });
    signed(&key, &tbs)
}

#[test]
fn no_csr_that_is_not_der_is_certified() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let issue = |der: &[u8], name: &str| {
        sandbox.write("odd.csr", pem::encode("CERTIFICATE REQUEST", der));
        let line = "issue --ca rootCA --profile client --csr odd.csr --out out --name";
        sandbox.pki(line).arg(name)
    };
    let before = sandbox.read("pki/rootCA/issued.jsonl");
    for der in [
        csr(b"\x02\x02\x00\x00", None, b""),
        csr(b"\x02\x00", None, b""),
        // A challengePassword that is a BMPString of three bytes; one with something behind its set.
        csr(
            b"\x02\x01\x00",
            None,
            b"\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x05\x1e\x03abc",
        ),
        csr(
            b"\x02\x01\x00",
            None,
            b"\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x03\x0c\x01a\x05\x00",
        ),
    ] {
        let refused = issue(&der, "odd").ends_with(1);
        assert!(refused.stderr.contains("odd.csr"), "{refused}");
    }
    assert_eq!(sandbox.read("pki/rootCA/issued.jsonl"), before);
    issue(&csr(b"\x02\x01\x00", None, b""), "good").succeeds();
}

/// Anybody makes a signature that such a key verifies: R is the neutral point, S is zero.
#[test]
fn no_key_of_small_order_is_certified() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let name = Name::from_common_name("leaf.test").unwrap();
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for last in [0, 0x80] {
        neutral[31] = last;
        let tbs = sequence(|info| {
            info.unsigned(&[0]);
            info.raw(name.der());
            info.sequence(|spki| {
                spki.raw(ED25519);
                spki.bit_string(&neutral);
            });
            info.constructed(tag::explicit(0), |_| {});
        });
        let mut signature = [0; 64];
        signature[0] = 1;
        let der = sequence(|csr| {
            csr.raw(&tbs);
            csr.raw(ED25519);
            csr.bit_string(&signature);
        });
        assert!(CertificationRequest::from_der(&der).is_ok());
        sandbox.write("odd.csr", pem::encode("CERTIFICATE REQUEST", &der));
        for line in [
            "issue --ca rootCA --profile client --csr odd.csr --out out --name odd",
            "subordinate --ca rootCA --csr odd.csr --out out.crt",
        ] {
            let refused = sandbox.pki(line).ends_with(1);
            assert!(refused.stderr.contains("small order"), "{refused}");
        }
    }
}

/// RFC 5280's upper bounds, and a limit for types that have none.
#[test]
fn a_subject_of_a_csr_has_upper_bounds() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let key = PrivateKey::generate("ed25519".parse::<KeyType>().unwrap()).unwrap();
    let text = "x".repeat(500_000);
    let title = oid::TITLE;
    let unknown = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.55555.1");
    for (kind, called) in [(title, "title"), (unknown, "1.3.6.1.4.1.55555.1")] {
        let der = sequence(|name| {
            name.constructed(tag::SET, |rdn| {
                rdn.sequence(|pair| {
                    pair.oid(&kind);
                    pair.primitive(tag::UTF8_STRING, text.as_bytes());
                });
            });
        });
        let name = Name::from_der(&der).unwrap();
        let csr = CertificationRequest::create(&key, &name, &[]).unwrap();
        sandbox.write("large.csr", pem::encode("CERTIFICATE REQUEST", &csr));
        let line = "issue --ca rootCA --profile client --csr large.csr --out out --name large";
        let refused = sandbox.pki(line).ends_with(1);
        assert!(refused.stderr.contains(called), "{refused}");
        assert!(refused.stderr.len() < 1000);
    }
}
