//! Paths among certificates of every shape.

use super::error::MOST_NAMESAKES;
use super::*;
use crate::asn1::{Reader, encode, oid, sequence, tag};
use crate::key::{KeyType, PrivateKey, PublicKey};
use crate::x509::certificate::TbsCertificate;
use crate::x509::signed::assemble;
use crate::x509::{Name, Serial, Validity};
use time::macros::datetime;

struct Party(Name, PrivateKey);

fn party(name: &str) -> Party {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    Party(Name::from_common_name(name).unwrap(), key)
}

/// Certifies the key of `subject`; without extensions, so that nothing but the
/// signature tells keys apart.
fn certify(issuer: &Party, subject: &Party) -> Certificate {
    certify_key(issuer, &subject.0, subject.1.public())
}

fn certify_key(issuer: &Party, subject: &Name, public_key: &PublicKey) -> Certificate {
    let tbs = TbsCertificate {
        signature: issuer.1.signature_algorithm(),
        issuer: &issuer.0,
        validity: Validity {
            not_before: datetime!(2026-01-01 0:00 UTC),
            not_after: datetime!(2036-01-01 0:00 UTC),
        },
        subject,
        public_key,
        extensions: &[],
    };
    let tbs = tbs
        .unnumbered()
        .numbered(&Serial::from_counter(1, 1).unwrap());
    let signature = issuer.1.sign(&tbs).unwrap();
    let der = assemble(&tbs, issuer.1.signature_algorithm(), &signature);
    Certificate::from_der(&der).unwrap()
}

#[test]
fn what_a_path_lacks_comes_from_the_pool_and_no_more() {
    let [root, middle, leaf, other] = ["root", "middle", "leaf", "other"].map(party);
    let pool = [
        certify(&other, &other),
        certify(&root, &middle),
        certify(&root, &root),
    ];
    let leaf = certify(&middle, &leaf);
    let expected = vec![leaf.clone(), pool[1].clone(), pool[2].clone()];
    assert_eq!(complete(vec![leaf.clone(), leaf], &pool), Ok(expected));
}

#[test]
fn a_path_that_ends_in_what_is_wanted_takes_no_other_root() {
    let [old, new, leaf] = ["old", "new", "leaf"].map(party);
    let wanted = vec![
        certify(&new, &leaf),
        certify(&old, &new),
        certify(&old, &old),
    ];
    assert_eq!(
        complete(wanted.clone(), &[certify(&new, &new)]),
        Ok(wanted.clone())
    );
    assert_eq!(issuers_last(&wanted), wanted);
}

#[test]
fn not_every_key_is_tried_where_many_bear_one_name() {
    let parties: Vec<Party> = (0..=MOST_KEYS).map(|_| party("one")).collect();
    let [root, leaf] = ["root", "leaf"].map(party);
    let mut pool = vec![certify(&root, &root)];
    pool.extend(parties.iter().map(|party| certify(&root, party)));
    let of_first = certify(&parties[0], &leaf);
    assert!(complete(vec![of_first.clone()], &pool).is_ok());
    let last = parties.last().unwrap();
    let many = IncompletePath::TooManyKeys {
        subject: "CN=leaf".into(),
        issuer: "CN=one".into(),
        count: MOST_KEYS + 1,
    };
    assert_eq!(complete(vec![certify(last, &leaf)], &pool), Err(many));
    pool.remove(1);
    assert!(complete(vec![certify(last, &leaf)], &pool).is_ok());
}

#[test]
fn a_ring_of_cross_certificates_without_a_root_is_not_complete() {
    let [one, other, leaf, root] = ["one", "other", "leaf", "root"].map(party);
    let ring = [certify(&one, &other), certify(&other, &one)];
    let wanted = [&ring[..], &[certify(&one, &leaf)]].concat();
    assert_eq!(
        complete(wanted.clone(), &[]),
        Err(IncompletePath::Rootless {
            subject: "CN=other".into()
        })
    );
    let above = [certify(&root, &one), certify(&root, &root)];
    let whole = complete(wanted.clone(), &above).unwrap();
    assert_eq!(whole, [wanted, above.to_vec()].concat());
    let ordered = issuers_last(&whole);
    assert_eq!(ordered.len(), whole.len());
    assert_eq!(ordered[0].subject().to_string(), "CN=leaf");
    assert_eq!(ordered[4].subject().to_string(), "CN=root");
}

#[test]
fn an_issuer_that_is_not_at_hand_is_named() {
    let [root, middle, leaf] = ["root", "middle", "leaf"].map(party);
    let missing = IncompletePath::MissingIssuer {
        subject: "CN=middle".into(),
        issuer: "CN=root".into(),
    };
    let wanted = vec![certify(&middle, &leaf), certify(&root, &middle)];
    assert_eq!(complete(wanted.clone(), &[]), Err(missing.clone()));
    let impostor = party("root");
    let pool = [certify(&impostor, &impostor)];
    assert_eq!(complete(wanted, &pool), Err(missing));
}

#[test]
fn a_root_that_can_not_be_verified_here_is_not_called_missing() {
    let root = party("root");
    let md5 = sequence(|identifier| {
        identifier.oid(&oid::MD5_WITH_RSA);
        identifier.primitive(tag::NULL, &[]);
    });
    let ed25519 = root.1.signature_algorithm().to_der();
    let own = certify(&root, &root);
    let fields = Reader::single(own.tbs()).unwrap().content;
    let at = memchr::memmem::find(fields, &ed25519).unwrap();
    let tbs = [&fields[..at], &md5, &fields[at + ed25519.len()..]];
    let old = sequence(|signed| {
        signed.sequence(|fields| fields.raw(&tbs.concat()));
        signed.raw(&md5);
        signed.bit_string(own.signature());
    });
    let unverifiable = |algorithm: &str| {
        Err(IncompletePath::Unverifiable {
            subject: "CN=root".into(),
            algorithm: algorithm.into(),
        })
    };
    let old = Certificate::from_der(&old).unwrap();
    assert_eq!(
        complete(vec![old], &[]),
        unverifiable("md5WithRSAEncryption")
    );

    let spki = sequence(|spki| {
        spki.sequence(|identifier| {
            identifier.oid(&oid::EC_PUBLIC_KEY);
            identifier.raw(&encode(|curve| curve.oid(&oid::SECP256K1)));
        });
        spki.bit_string(&[4; 65]);
    });
    let spki = PublicKey::from_spki(&spki).unwrap();
    let root = certify_key(&root, &root.0, &spki);
    assert_eq!(complete(vec![root], &[]), unverifiable("secp256k1"));
}

/// A chain of CAs, each under the next, the root last.
fn chain(length: usize) -> Vec<Certificate> {
    let parties: Vec<Party> = (0..length).map(|node| party(&node.to_string())).collect();
    let above = |node: usize| &parties[(node + 1).min(length - 1)];
    let certified = |(node, own)| certify(above(node), own);
    parties.iter().enumerate().map(certified).collect()
}

#[test]
fn a_path_of_too_many_certificates_is_not_followed() {
    let certificates = chain(MOST_STEPS + 1);
    let paths = paths_to_roots(&certificates);
    let subject = "CN=0".into();
    assert_eq!(paths[0], Err(IncompletePath::TooLong { subject }));
    assert_eq!(paths[1].as_ref().map(Vec::len), Ok(MOST_STEPS));
    assert_eq!(paths[MOST_STEPS], Ok(vec![MOST_STEPS]));
    let completed = complete(certificates[..1].to_vec(), &certificates).unwrap();
    assert_eq!(completed, certificates);
}

#[test]
fn of_two_paths_the_shorter_is_taken() {
    let [root, far, near, other, leaf] = ["root", "far", "near", "near", "leaf"].map(party);
    let near = Party(near.0, other.1);
    let certificates = [
        certify(&near, &leaf),
        certify(&far, &near),
        certify(&root, &far),
        certify(&root, &near),
        certify(&root, &root),
    ];
    let paths = paths_to_roots(&certificates);
    assert_eq!(paths[0], Ok(vec![0, 3, 4]));
    assert_eq!(paths[1], Ok(vec![1, 2, 4]));
    // What is wanted anyway costs nothing.
    let wanted = [0, 1, 2].map(|node| certificates[node].clone());
    let completed = complete(wanted.to_vec(), &certificates).unwrap();
    let expected = [0, 1, 2, 4].map(|node| certificates[node].clone());
    assert_eq!(completed, expected);
}

/// Thousands of cross-certificates between two CAs: each issued each of the other's.
#[test]
fn certificates_of_one_name_beyond_a_number_are_no_issuers() {
    let [one, other, root, leaf] = ["one", "other", "root", "leaf"].map(party);
    let crossed = |count: usize| {
        let mut certificates = vec![certify(&one, &leaf), certify(&root, &one)];
        certificates.push(certify(&root, &root));
        let crossed = [certify(&one, &other), certify(&other, &one)];
        certificates.extend(crossed.iter().cycle().take(2 * count).cloned());
        certificates
    };
    let paths = paths_to_roots(&crossed(MOST_NAMESAKES - 1));
    assert_eq!(paths[0], Ok(vec![0, 1, 2]));
    assert!(paths.iter().all(Result::is_ok));
    let paths = paths_to_roots(&crossed(20 * MOST_NAMESAKES));
    let many = IncompletePath::TooManyNamesakes {
        subject: "CN=leaf".into(),
        issuer: "CN=one".into(),
        count: 20 * MOST_NAMESAKES + 1,
    };
    assert_eq!(paths[0], Err(many));
    assert_eq!(paths[1], Ok(vec![1, 2]));
}

/// Each held against each would be 160,000 signatures, which takes many seconds.
#[test]
fn hundreds_of_keys_of_one_name_are_refused_in_no_time() {
    let root = party("X");
    let mut wanted: Vec<_> = (0..200).map(|_| certify(&root, &party("X"))).collect();
    wanted.extend((0..200).map(|_| {
        let own = party("X");
        certify(&own, &own)
    }));
    wanted.push(certify(&root, &root));
    let start = std::time::Instant::now();
    let many = IncompletePath::TooManyKeys {
        subject: "CN=X".into(),
        issuer: "CN=X".into(),
        count: 401,
    };
    assert_eq!(complete(wanted.clone(), &wanted), Err(many));
    assert_eq!(issuers_last(&wanted).len(), wanted.len());
    assert!(start.elapsed().as_secs() < 5);
}
