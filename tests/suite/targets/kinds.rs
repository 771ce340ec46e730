//! Kinds of keys and of signatures: every party with each of them.

use super::{P256, RSA_2048, assert_judged, key_file, make, make_one, root, rules};
use crate::sandbox::Sandbox;

/// RSA by its bits, elliptic curves as OpenSSL calls them, and what is neither.
const KEYS: [&str; 13] = [
    "2047",
    "2048",
    "2049",
    "3072",
    "4096",
    "4097",
    "8192",
    "8193",
    "P-256",
    "P-384",
    "P-521",
    "secp256k1",
    "ED25519",
];

const RSA_TO_8192: [&str; 6] = ["2048", "2049", "3072", "4096", "4097", "8192"];
const NIST_CURVES: [&str; 3] = ["P-256", "P-384", "P-521"];

/// A CA certificate for a public key of a kind, under the root of `c0.crt`.
#[track_caller]
fn certified(sandbox: &Sandbox, kind: &str) -> String {
    let bits = kind.parse();
    let public = bits.map_or_else(
        |_| other_public_key(sandbox, kind),
        |bits| rsa_public_key(sandbox, bits),
    );
    sandbox.write(
        "ca.ext",
        "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n",
    );
    let key = key_file(sandbox, P256);
    sandbox
        .run(
            "openssl",
            "x509 -new -subj /CN=certified -days 365 -extfile ca.ext",
        )
        .words(&format!(
            "-force_pubkey {public} -CA c0.crt -CAkey {key} -out certified.crt"
        ))
        .succeeds();
    sandbox.read("certified.crt")
}

#[track_caller]
fn other_public_key(sandbox: &Sandbox, kind: &str) -> &'static str {
    let algorithm = match kind {
        "ED25519" => kind.to_owned(),
        curve => format!("EC -pkeyopt ec_paramgen_curve:{curve}"),
    };
    let key = key_file(sandbox, &algorithm);
    let line = format!("pkey -in {key} -pubout -out public.pem");
    sandbox.run("openssl", &line).succeeds();
    "public.pem"
}

/// Made by hand: no key of these bits has to be found for it.
#[track_caller]
fn rsa_public_key(sandbox: &Sandbox, bits: usize) -> &'static str {
    let digits = "0".repeat((bits - 1) / 4 - 1);
    let modulus = format!("{:x}{digits}1", 1 << ((bits - 1) % 4));
    sandbox.write(
        "public.cnf",
        format!(
            "asn1 = SEQUENCE:info\n\
             [info]\nalgorithm = SEQUENCE:algorithm\nkey = BITWRAP,SEQUENCE:key\n\
             [algorithm]\nname = OID:rsaEncryption\nparameters = NULL\n\
             [key]\nmodulus = INTEGER:0x{modulus}\nexponent = INTEGER:0x010001\n"
        ),
    );
    for line in [
        "asn1parse -genconf public.cnf -noout -out public.der",
        "pkey -pubin -inform DER -in public.der -out public.pem",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    "public.pem"
}

#[test]
fn each_party_takes_its_kinds_of_keys_and_no_others() {
    let sandbox = Sandbox::new();
    let above = make(&sandbox, &[root("c0")]);
    let certificates = KEYS.map(|kind| certified(&sandbox, kind));
    let aws = [&RSA_TO_8192[..], &NIST_CURVES].concat();
    let from_2048 = [&aws[..], &["8193"]].concat();
    let common = ["2048", "3072", "4096", "P-256", "P-384"].to_vec();
    let any_but_ed25519 = KEYS[..12].to_vec();
    for (target, taken) in [
        ("alb", &aws),
        ("nlb", &aws),
        ("api-gateway", &from_2048),
        ("cloudfront", &common),
        ("roles-anywhere", &KEYS.to_vec()),
        ("iot", &[&from_2048[..], &["secp256k1"]].concat()),
        ("gcp", &common),
        ("azure", &KEYS.to_vec()),
        ("cloudflare", &any_but_ed25519),
        ("nginx", &KEYS.to_vec()),
    ] {
        // Two parties take it without its root, which has a file of its own or is not there.
        let is_alone = ["iot", "gcp"].contains(&target);
        for (kind, certificate) in KEYS.iter().zip(&certificates) {
            let above = if is_alone { "" } else { &above };
            let broken: &[&str] = if taken.contains(kind) {
                &[]
            } else {
                &["key-type"]
            };
            let for_target = format!("--for {target}");
            assert_judged(
                &sandbox,
                &for_target,
                format!("{certificate}{above}"),
                broken,
            );
        }
    }
    for (kind, certificate) in KEYS.iter().zip(&certificates) {
        let report = assert_judged(
            &sandbox,
            "--for rustls",
            format!("{certificate}{above}"),
            &[],
        );
        let taken = [&RSA_TO_8192[..], &["P-256", "P-384", "ED25519"]].concat();
        let warned = rules(&report, "warning").contains(&"key-type".to_owned());
        assert_eq!(warned, !taken.contains(kind), "{kind}");
    }
}

#[test]
fn each_party_takes_its_hashes_of_signatures_and_no_others() {
    let sandbox = Sandbox::new();
    let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";
    for (key, padding) in [(P256, ""), (RSA_2048, ""), (RSA_2048, pss)] {
        for hash in ["sha1", "sha256", "sha384", "sha512"] {
            // PSS with SHA-1 is a signature that is not verified here.
            if padding == pss && hash == "sha1" {
                continue;
            }
            let options = format!("-{hash} {padding}");
            let pem = make_one(&sandbox, &root("r").key(key).options(&options));
            for target in ["alb", "nlb", "api-gateway", "cloudfront", "roles-anywhere"] {
                let broken: &[&str] = if hash == "sha1" {
                    &["signature-hash"]
                } else {
                    &[]
                };
                assert_judged(&sandbox, &format!("--for {target}"), &pem, broken);
            }
            for target in ["cloudflare", "gcp", "iot", "azure", "nginx"] {
                assert_judged(&sandbox, &format!("--for {target}"), &pem, &[]);
            }
        }
    }
}

/// No hash is named by Ed25519, and none is asked for where a party has no such rule.
#[test]
fn ed25519_breaks_two_rules_where_hashes_are_limited() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &[root("r").key(super::ED25519)]);
    let both = ["key-type", "signature-hash"];
    for target in ["alb", "nlb", "api-gateway", "cloudfront", "cloudflare"] {
        assert_judged(&sandbox, &format!("--for {target}"), &pem, &both);
    }
    assert_judged(&sandbox, "--for roles-anywhere", &pem, &["signature-hash"]);
    assert_judged(&sandbox, "--for iot", &pem, &["key-type"]);
    assert_judged(&sandbox, "--for nginx", &pem, &[]);
}
