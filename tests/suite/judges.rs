//! Independent judges of everything that `pki` writes: `pem` finds the objects of each file, `x509-cert` decodes
//! certificates, CRLs and CSRs and encodes them to the same bytes, `pkcs8` opens the keys, and `p256`, `p384`,
//! `p521`, `rsa` and `ed25519-dalek` verify the signatures. `rcgen` is the foreign CA.

mod contents;
mod files;
mod foreign;
mod keys;
mod signatures;

use std::fs;

use files::Written;

use crate::flaws::FLAWS;
use crate::hierarchy::PROFILES;
use crate::sandbox::{PASSPHRASE, Sandbox};

const KEY_TYPES: [&str; 10] = [
    "p256",
    "p384",
    "p521",
    "ed25519",
    "rsa2048",
    "rsa3072",
    "rsa4096",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
];

fn run(sandbox: &Sandbox, lines: &[&str]) {
    for line in lines {
        sandbox.pki(line).succeeds();
    }
}

#[test]
fn certificates_and_crls_of_every_key_type() {
    let sandbox = Sandbox::new();
    for kind in KEY_TYPES {
        let key = format!("--key-type {kind} --no-passphrase");
        sandbox.pki(&format!("root --name {kind} {key}")).succeeds();
        let issue = format!("issue --ca {kind} --cn {kind}.test --out out --der {key}");
        sandbox.pki(&issue).succeeds();
    }
    run(&sandbox, &["crl --to-pem"]);
    let written = Written::read(&sandbox);
    written.judge();
    // Root and leaf: in the store, in its journal, as PEM, in two chains, as DER.
    assert_eq!(written.distinct_certificates(), 20);
    assert_eq!((written.crls.len(), written.keys.len()), (20, 30));
}

#[test]
fn a_hierarchy_with_everything() {
    let sandbox = Sandbox::new();
    sandbox
        .pki("root --name rootCA --no-passphrase --path-len 3 --permit dns:example.test")
        .words(
            "--exclude dns:no.example.test --permit ip:192.0.2.0/24 --crl-url http://a.test/a.crl",
        )
        .words("--ocsp-url http://o.test --ca-issuers-url http://a.test/a.crt")
        .words("--subject /C=JP/O=Example/OU=a/OU=b+CN=Root")
        .succeeds();
    run(
        &sandbox,
        &[
            "subordinate --ca rootCA --name intermediate0 --no-passphrase --crl-url http://b.test/b.crl",
            "subordinate --name pending --request pending.csr --no-passphrase --key-type p384",
            "subordinate --ca rootCA --csr pending.csr --out pending.crt",
            "subordinate --name pending --install pending.crt",
            "issue --ca pending --cn below --out below --no-passphrase",
        ],
    );
    for (profile, names) in PROFILES {
        let line = format!("issue --ca intermediate0 --profile {profile} --out leaves --der");
        let cn = format!("--cn {profile}.example.test --no-passphrase");
        sandbox.pki(&line).words(&cn).words(names).succeeds();
    }
    run(
        &sandbox,
        &[
            "revoke --ca intermediate0 --cn client.example.test --reason keyCompromise --invalidity-date -1d",
            "revoke --ca intermediate0 --cn peer.example.test --reason certificateHold",
            "renew --ca intermediate0 --cn server.example.test --out renewed --no-passphrase",
            "ca renew --ca intermediate0",
            "ca renew --ca pending --request again.csr",
            "ca rekey --ca rootCA --name root2 --no-passphrase",
            "export --ca intermediate0 --cn email.example.test --via root2 --out via --no-passphrase",
            "export --ca intermediate0 --cn server.example.test --for acm --out acm --no-passphrase",
            "export --ca intermediate0 --key --out ca --no-passphrase",
            "bundle",
            "bundle --for gcp --out gcp.pem",
            "crl --to-pem --chain",
            "crl --ca rootCA --ahead 3 --every 7d --out ahead",
        ],
    );
    let written = Written::read(&sandbox);
    written.judge();
    assert_eq!(written.distinct_certificates(), CERTIFICATES);
    assert_eq!(written.csrs.len(), 2);
    assert!(written.crls.len() > 10, "{}", written.crls.len());
}

/// Two roots, two certificates of `intermediate0`, `pending`, its leaf, a leaf of each profile, the renewed
/// one, and two cross-certificates.
const CERTIFICATES: usize = 2 + 2 + 1 + 1 + PROFILES.len() + 1 + 2;

#[test]
fn fixtures() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["root --name rootCA --fixture --no-passphrase"]);
    let mut others = 0;
    for flaw in FLAWS {
        let issue = "issue --ca rootCA --profile server --out out --no-passphrase";
        let name = format!("--flaw {flaw} --cn {flaw}.test");
        sandbox.pki(issue).words(&name).succeeds();
        let certificate = fs::read_to_string(sandbox.path(format!("out/{flaw}.test.crt"))).unwrap();
        let certificate = pem::parse(certificate).unwrap().into_contents();
        let own = pem::parse(sandbox.read("pki/rootCA/ca.crt")).unwrap();
        let by_root = contents::signed_by(&certificate, &contents::spki(own.contents()));
        others += usize::from(!by_root);
        assert_eq!(
            by_root,
            !["other-ca", "self-signed"].contains(&flaw),
            "{flaw}"
        );
    }
    assert_eq!(others, 2);
    let written = Written::read(&sandbox);
    assert!(written.distinct_certificates() > FLAWS.len());
    written.judge_encodings();
}

#[test]
fn encrypted_keys() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA",
        "issue --ca rootCA --cn a --key-type rsa2048 --out out --passout env:PKI_PASSPHRASE",
        "issue --ca rootCA --cn b --key-type ed25519",
        "issue --ca rootCA --cn c --key-type p521",
    ] {
        sandbox.with_passphrase(line).succeeds();
    }
    let written = Written::read(&sandbox);
    written.judge();
    assert_eq!(written.keys.len(), 5);
    assert!(written.keys.iter().all(|key| key.was_encrypted));
    let key = pem::parse(sandbox.read("out/a.key")).unwrap();
    assert!(keys::open(&key, &format!("not {PASSPHRASE}")).is_none());
}

/// A byte that is changed is noticed by the judge that it concerns.
#[test]
fn judges_notice_a_changed_byte() {
    let sandbox = Sandbox::new();
    for kind in ["p256", "p384", "p521", "ed25519", "rsa2048"] {
        let root = format!("root --name {kind} --key-type {kind} --no-passphrase");
        sandbox.pki(&root).succeeds();
        let pem = sandbox.read(format!("pki/{kind}/ca.crt"));
        let der = pem::parse(&pem).unwrap().into_contents();
        let spki = contents::spki(&der);
        assert!(contents::signed_by(&der, &spki));
        for changed in [der.len() - 1, find(&der, kind.as_bytes())] {
            let mut der = der.clone();
            der[changed] ^= 1;
            assert!(!contents::signed_by(&der, &spki), "{kind}: {changed}");
        }
        let other = sandbox.read("pki/p256/ca.key");
        let other = keys::open(&pem::parse(other).unwrap(), "").unwrap();
        let is_own = keys::public(&other) == Some(spki);
        assert_eq!(is_own, kind == "p256");
    }
    let der = pem::parse(sandbox.read("pki/p256/ca.crt")).unwrap();
    let text = sandbox.read("pki/p256/ca.crt");
    let cut = [&text, &text[..text.len() - 10]].concat();
    assert!(files::objects(cut.as_bytes()).is_none());
    let mut der = der.into_contents();
    let at = find(&der, b"\x01\x01\xff");
    der[at + 2] = 0x01;
    assert!(!contents::is_encoded_again(
        contents::Kind::Certificate,
        &der
    ));
}

fn find(der: &[u8], wanted: &[u8]) -> usize {
    memchr::memmem::find(der, wanted).unwrap()
}
