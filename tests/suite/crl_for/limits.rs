//! The limits of each party, from both sides.

use std::fs;

use expect_test::expect;

use super::{assert_done, assert_refused};
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// A store with as many roots, `r1`, `r2`, ….
fn roots(count: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 1..=count {
        let line = format!("root --name r{number} --no-passphrase");
        sandbox.pki(&line).succeeds();
    }
    sandbox
}

fn root_with_key(key_type: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let line = format!("root --name r --no-passphrase --key-type {key_type}");
    sandbox.pki(&line).succeeds();
    sandbox
}

#[test]
fn alb_and_nlb_take_30_lists_and_no_more() {
    let sandbox = roots(30);
    assert_done(&sandbox, "crl --for alb", &[]);
    assert_done(&sandbox, "crl --for nlb", &[]);
    let one_more = "root --name r31 --no-passphrase";
    sandbox.pki(one_more).succeeds();
    assert_refused(&sandbox, "crl --for alb", &["list-count"]);
    assert_refused(&sandbox, "crl --for nlb", &["list-count"]);
    assert_done(&sandbox, "crl --for alb --ca r31", &[]);
}

#[test]
fn roles_anywhere_takes_2_lists_and_no_more() {
    let sandbox = roots(2);
    assert_done(&sandbox, "crl --for roles-anywhere", &[]);
    sandbox.pki("root --name r3 --no-passphrase").succeeds();
    assert_refused(&sandbox, "crl --for roles-anywhere", &["list-count"]);
}

#[test]
fn keys_and_signatures_that_a_target_does_not_take() {
    let both = ["key-type", "signature-hash"];
    for (key_type, target, errors) in [
        ("ed25519", "alb", &both[..]),
        ("ed25519", "nlb", &both),
        ("ed25519", "api-gateway", &both),
        ("ed25519", "roles-anywhere", &both[1..]),
        ("ml-dsa-44", "alb", &both),
        ("ml-dsa-44", "roles-anywhere", &both[1..]),
    ] {
        let sandbox = root_with_key(key_type);
        assert_refused(&sandbox, &format!("crl --for {target}"), errors);
    }
    for (key_type, target, warnings) in [
        ("p521", "alb", &[][..]),
        ("p521", "rustls", &both[..1]),
        ("ed25519", "rustls", &[]),
        ("ed25519", "nginx", &[]),
    ] {
        let sandbox = root_with_key(key_type);
        assert_done(&sandbox, &format!("crl --for {target}"), warnings);
    }
}

#[test]
fn targets_without_crls_get_none_and_cloudfront_a_hint() {
    let sandbox = Sandbox::with_open_ca();
    for target in ["cloudfront", "iot", "gcp", "azure", "cloudflare"] {
        let line = format!("crl --for {target}");
        assert_refused(&sandbox, &line, &["lists-unsupported"]);
        assert!(!sandbox.path("pki/crl").exists());
        let checked = sandbox.pki(&format!("crl --check --for {target}"));
        assert!(checked.ends_with(3).stdout.contains("lists-unsupported"));
    }
    let refused = sandbox.pki("crl --for cloudfront").ends_with(1);
    assert_text(
        &refused.stdout,
        expect![[r#"
            the set of CRLs does not fit Amazon CloudFront: 1 error
              error: lists-unsupported  Amazon CloudFront reads no CRLs: put the revoked serial numbers into a key-value store
        "#]],
    );
    assert_text(
        &refused.stderr,
        expect![[r#"
            error: nothing was signed: the CRLs would break rules of the target
        "#]],
    );
}

#[test]
fn rustls_is_warned_of_more_than_six_subordinates() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name c0 --no-passphrase").succeeds();
    for number in 1..=7 {
        let above = number - 1;
        let line = format!("subordinate --ca c{above} --name c{number} --no-passphrase");
        sandbox.pki(&line).succeeds();
    }
    assert_done(&sandbox, "crl --for rustls --ca c6", &[]);
    assert_done(&sandbox, "crl --for rustls --ca c7", &["path-depth"]);
}

/// A CA that may not sign lists, by a certificate from elsewhere.
#[test]
fn a_ca_above_that_may_not_sign_lists() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "ca.cnf",
        "[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\nCN = above\n\
         [ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n\
         subjectKeyIdentifier = hash\n[below]\nbasicConstraints = critical, CA:TRUE\n\
         keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\n",
    );
    sandbox
        .run(
            "openssl",
            "req -x509 -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        )
        .words("-nodes -keyout above.key -out above.crt -days 365")
        .succeeds();
    sandbox
        .pki("subordinate --name below --request below.csr --no-passphrase")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "x509 -req -in below.csr -CA above.crt -CAkey above.key",
        )
        .words("-extfile ca.cnf -extensions below -days 300 -out below.crt")
        .succeeds();
    sandbox
        .pki("subordinate --name below --install below.crt --chain above.crt")
        .succeeds();
    sandbox.write("index.txt", "");
    sandbox.write("crlnumber", "01\n");
    sandbox.write(
        "gencrl.cnf",
        "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\ncrlnumber = crlnumber\n\
         default_md = sha256\ndefault_crl_days = 7\n[v2]\nauthorityKeyIdentifier = keyid:always\n",
    );
    assert_refused(&sandbox, "crl --for nginx", &["list-missing"]);
    assert_done(&sandbox, "crl --for alb", &[]);
    sandbox
        .run("openssl", "ca -gencrl -config gencrl.cnf -crlexts v2")
        .words("-cert above.crt -keyfile above.key -out above.pem")
        .succeeds();
    let above = sandbox.pki("tree").succeeds();
    let above = above.stdout.split_whitespace().next().unwrap().to_owned();
    sandbox
        .pki(&format!(
            "crl --in above.pem --to-der --out pki/crl/{above}.crl"
        ))
        .succeeds();
    assert_refused(&sandbox, "crl --for nginx", &["crl-sign"]);
    assert_done(&sandbox, "crl --for alb --ca below", &[]);
}

#[test]
fn alb_takes_500_000_entries_of_all_lists_together_and_no_more() {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.revoke_many("intermediate0", 300_000);
    sandbox.revoke_many("intermediate2", 200_000);
    let done = assert_done(&sandbox, "crl --for alb", &[]);
    let lists = done["lists"].as_array().unwrap().iter();
    let entries = lists.map(|list| list["entries"].as_u64().unwrap());
    assert_eq!(entries.collect::<Vec<_>>(), [300_000, 0, 200_000, 0]);
    sandbox.revoke_many("intermediate2", 1);
    // What is on the other list counts, though nothing about it is new.
    let report = assert_refused(&sandbox, "crl --for alb --if-needed", &["entry-count"]);
    assert_text(
        report["findings"][0]["message"].as_str().unwrap(),
        expect![[r#"
            the CRLs have 500,001 entries together; the limit is 500,000
        "#]],
    );
}

/// Of a list that is clearly too large none is signed. One that turns out a little too large is, but it
/// goes nowhere, and its number is not used again.
#[test]
fn a_list_too_large_for_roles_anywhere_is_not_published() {
    let sandbox = Sandbox::with_open_ca();
    let line = "crl --for roles-anywhere --ca intermediate0";
    assert_done(&sandbox, line, &[]);
    let before = sandbox.read("pki/crl/intermediate0.crl.pem");
    let most = largest_number_of_entries(&sandbox);
    sandbox.revoke_many("intermediate0", most);
    // The number of bytes varies with the lengths of the serial numbers and the signature.
    let refused = sandbox.pki(line).words("--format json").ends_with(1);
    assert_eq!(refused.error()["code"], "crl-too-large", "{refused}");
    assert_eq!(sandbox.read("pki/crl/intermediate0.crl.pem"), before);
    sandbox.revoke_many("intermediate0", 10);
    assert_refused(&sandbox, line, &["list-octets"]);
    sandbox.pki("crl --ca intermediate0").succeeds();
    let list = sandbox.published("intermediate0");
    assert_eq!((list.number, list.serials.len() as u64), (3, most + 10));
}

/// As many entries as a file of 300,000 bytes has room for without anything else in the list.
fn largest_number_of_entries(sandbox: &Sandbox) -> u64 {
    const ENTRY: u64 = 2 + (2 + 9) + (2 + 13) + (2 + 12);
    // Of the 300,000 bytes 48 are markers and one in 65 is a newline; base64 has 4 bytes for 3.
    const DER: u64 = 221_502;
    let name = fs::read(sandbox.path("pki/crl/intermediate0.crl")).unwrap();
    let name = name
        .windows(13)
        .filter(|part| part == b"intermediate0")
        .count() as u64
        * 26;
    (DER - name) / ENTRY
}
