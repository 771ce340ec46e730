//! Limits of targets, each held and exceeded.

use crate::ca::testing::{NOW, TestStore};
use crate::ca::trust_store::targets::table::VerifyDepth;
use crate::ca::trust_store::targets::{
    Hash, Judged, Key, Level, Limit, PARTIES, party, too_many_bytes,
};
use crate::key::Curve::{P256, P384};
use crate::x509::Certificate;

/// A CA with a P-256 key, and its root.
fn certificates() -> Vec<Certificate> {
    let test = TestStore::new();
    let sub = test.subordinate("sub");
    vec![sub.certificate().clone(), test.root.certificate().clone()]
}

fn broken(limit: Limit, certificates: &[Certificate], files: &[usize]) -> Vec<String> {
    let judged = Judged::new(certificates, files, NOW);
    let findings = limit.check(Level::Error, &judged).into_iter();
    findings.map(|finding| finding.message).collect()
}

#[test]
fn each_count_is_held_up_to_its_limit() {
    let certificates = certificates();
    let bytes: usize = certificates
        .iter()
        .map(|each| each.der().len())
        .max()
        .unwrap();
    let subjects = certificates
        .iter()
        .map(|each| each.subject().der().len())
        .sum();
    let files = [700, 800];
    for (limit, count) in [
        (Limit::Certificates as fn(usize) -> Limit, 2),
        (Limit::Intermediates, 1),
        (Limit::SameSubjectAndKey, 1),
        (Limit::CertificateBytes, bytes),
        (Limit::FileBytes, 800),
        (Limit::SubjectBytes, subjects),
        (Limit::Depth, 3),
        (Limit::NameConstraints, 0),
    ] {
        let held = broken(limit(count), &certificates, &files);
        assert!(held.is_empty(), "{held:?}");
        if count > 0 {
            let exceeded = broken(limit(count - 1), &certificates, &files);
            assert!(!exceeded.is_empty(), "{}", limit(count));
        }
    }
}

#[test]
fn a_limit_says_what_exceeds_it() {
    let certificates = certificates();
    let twice = [certificates.clone(), certificates.clone()].concat();
    for (limit, certificates, message) in [
        (
            Limit::Certificates(1),
            &certificates,
            "it has 2 certificates; the limit is 1",
        ),
        (
            Limit::Intermediates(0),
            &certificates,
            "it has 1 certificates that are not roots; the limit is 0",
        ),
        (
            Limit::Depth(2),
            &certificates,
            "the longest path, including a leaf, has 3 certificates; the limit is 2",
        ),
        (
            Limit::SameSubjectAndKey(1),
            &twice[1..].to_vec(),
            "more than 1 certificates have the subject and the key of CN=rootCA",
        ),
    ] {
        assert_eq!(broken(limit, certificates, &[]), [message]);
    }
    assert_eq!(
        broken(Limit::FileBytes(16_384), &certificates, &[16_384, 16_385]),
        ["the file has 16385 bytes; the limit is 16,384"]
    );
}

#[test]
fn kinds_of_keys_and_hashes_are_taken_or_not() {
    let certificates = certificates();
    let count = |limit| broken(limit, &certificates, &[]).len();
    for (limit, broken) in [
        (Limit::Keys(&[Key::Ec(P256)]), 0),
        (Limit::Keys(&[Key::RsaFrom(0), Key::AnyEc]), 0),
        (
            Limit::Keys(&[Key::Rsa(2048, 4096), Key::Ec(P384), Key::Ed25519]),
            2,
        ),
        (Limit::NoLeafKeys(&[Key::Ed25519]), 0),
        (Limit::NoLeafKeys(&[Key::AnyEc]), 2),
        (Limit::Hashes(&[Hash::Sha256]), 0),
        (Limit::Hashes(&[Hash::Sha1, Hash::Sha384]), 2),
        (Limit::KeyCertSign, 0),
    ] {
        assert_eq!(count(limit), broken, "{limit}");
    }
    assert_eq!(
        broken(
            Limit::Hashes(&[Hash::Sha384, Hash::Sha512]),
            &certificates[..1],
            &[]
        ),
        ["CN=sub is signed with ecdsa-with-SHA256; supported: SHA-384, SHA-512"]
    );
}

#[test]
fn the_size_of_a_crl_counts_as_its_file() {
    let alb = party("alb").unwrap();
    let most = 50 * 1024 * 1024;
    // Base64 makes four bytes of three, and a line feed after 64.
    assert_eq!(too_many_bytes(alb, most / 4 * 3 / 65 * 64 - 100), None);
    let exceeded = too_many_bytes(alb, most / 4 * 3).unwrap();
    assert!(exceeded.0 > most && exceeded.1 == most, "{exceeded:?}");
    assert_eq!(
        too_many_bytes(party("nginx").unwrap(), usize::MAX / 2),
        None
    );
}

#[test]
fn a_depth_is_set_only_if_the_default_is_too_small() {
    let depth = |counts_root| VerifyDepth {
        setting: "depth",
        end: ";",
        default: 1,
        counts_root,
    };
    assert_eq!(depth(false).line(2), None);
    assert_eq!(depth(false).line(3).unwrap(), "depth 2;");
    assert_eq!(depth(true).line(1), None);
    assert_eq!(depth(true).line(2).unwrap(), "depth 2;");
}

#[test]
fn names_of_targets_are_found_and_differ() {
    for target in PARTIES {
        assert_eq!(party(target.name).unwrap().title, target.title);
    }
    assert!(party("").is_none());
}
