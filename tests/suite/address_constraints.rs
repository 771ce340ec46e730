//! Constraints of addresses: prefixes that end inside a byte, and masks that are none.

use expect_test::expect;

use crate::run::{Run, assert_text};
use crate::sandbox::Sandbox;

/// A CA of the store that may certify these addresses alone, or none of them.
fn constrained(options: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox
        .pki("subordinate --ca rootCA --name sub --no-passphrase")
        .words(options)
        .succeeds();
    sandbox
}

fn issue(sandbox: &Sandbox, address: &str) -> Run {
    sandbox
        .pki("issue --ca sub --cn x --out out --force --no-passphrase --san")
        .arg(address)
}

#[track_caller]
fn assert_issued_and_verified(sandbox: &Sandbox, address: &str) {
    issue(sandbox, address).succeeds();
    sandbox
        .run("openssl", "verify -x509_strict -CAfile pki/rootCA/ca.crt")
        .words("-untrusted pki/sub/ca.crt out/x.crt")
        .succeeds();
}

/// Prefixes, with the first and last address inside, and their neighbours outside.
const PREFIXES: [(&str, [&str; 2], [&str; 2]); 9] = [
    (
        "10.16.0.0/12",
        ["10.16.0.0", "10.31.255.255"],
        ["10.15.255.255", "10.32.0.0"],
    ),
    (
        "172.16.4.0/23",
        ["172.16.4.0", "172.16.5.255"],
        ["172.16.3.255", "172.16.6.0"],
    ),
    (
        "192.0.2.128/25",
        ["192.0.2.128", "192.0.2.255"],
        ["192.0.2.127", "192.0.3.0"],
    ),
    (
        "192.0.2.6/31",
        ["192.0.2.6", "192.0.2.7"],
        ["192.0.2.5", "192.0.2.8"],
    ),
    ("192.0.2.6", ["192.0.2.6"; 2], ["192.0.2.5", "192.0.2.7"]),
    (
        "128.0.0.0/1",
        ["128.0.0.0", "255.255.255.255"],
        ["127.255.255.255", "0.0.0.0"],
    ),
    (
        "2001:db8::/33",
        ["2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"],
        ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:8000::"],
    ),
    (
        "2001:db8::/47",
        ["2001:db8::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"],
        ["2001:db7:ffff::", "2001:db8:2::"],
    ),
    (
        "2001:db8::2/127",
        ["2001:db8::2", "2001:db8::3"],
        ["2001:db8::1", "2001:db8::4"],
    ),
];

#[test]
fn a_permitted_prefix_ends_at_its_last_bit() {
    for (prefix, inside, outside) in PREFIXES {
        let sandbox = constrained(&format!("--permit ip:{prefix}"));
        for address in inside {
            assert_issued_and_verified(&sandbox, address);
        }
        for address in outside {
            let refused = issue(&sandbox, address).refusal(1, "lint-failed");
            assert!(refused.contains(address), "{refused}");
        }
    }
}

#[test]
fn an_excluded_prefix_ends_at_its_last_bit() {
    for (prefix, inside, outside) in PREFIXES {
        let sandbox = constrained(&format!("--exclude ip:{prefix}"));
        for address in outside {
            assert_issued_and_verified(&sandbox, address);
        }
        for address in inside {
            let refused = issue(&sandbox, address).refusal(1, "lint-failed");
            assert!(refused.contains(address), "{refused}");
        }
    }
}

/// `root.crt` with this constraint, and `leaf.crt` for the address, by openssl.
fn foreign(constraint: &str, address: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .run(
            "openssl",
            "req -x509 -newkey ec -nodes -days 99 -subj /CN=root",
        )
        .words("-pkeyopt ec_paramgen_curve:P-256 -keyout root.key -out root.crt")
        .words("-addext keyUsage=critical,keyCertSign,cRLSign -addext")
        .arg(format!("nameConstraints=critical,{constraint}"))
        .succeeds();
    sandbox
        .run("openssl", "req -new -newkey ec -nodes -subj /CN=leaf")
        .words("-pkeyopt ec_paramgen_curve:P-256 -keyout leaf.key -out leaf.csr")
        .succeeds();
    sandbox.write(
        "leaf.cnf",
        format!(
            "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n\
             subjectAltName=IP:{address}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        ),
    );
    sandbox
        .run(
            "openssl",
            "x509 -req -days 9 -extfile leaf.cnf -in leaf.csr",
        )
        .words("-CA root.crt -CAkey root.key -out leaf.crt")
        .succeeds();
    sandbox
}

#[test]
fn openssl_and_pki_judge_a_foreign_mask_alike() {
    for (constraint, address, is_valid) in [
        ("permitted;IP:10.16.0.0/255.240.0.0", "10.31.0.1", true),
        ("permitted;IP:10.16.0.0/255.240.0.0", "10.32.0.1", false),
        ("excluded;IP:10.16.0.0/255.240.0.0", "10.31.0.1", false),
        ("excluded;IP:10.16.0.0/255.240.0.0", "10.32.0.1", true),
        (
            "permitted;IP:2001:db8::/ffff:ffff:8000::",
            "2001:db8:7fff::1",
            true,
        ),
        (
            "permitted;IP:2001:db8::/ffff:ffff:8000::",
            "2001:db8:8000::1",
            false,
        ),
        ("permitted;IP:10.0.0.0/0.0.0.0", "192.0.2.1", true),
        ("excluded;IP:0.0.0.0/0.0.0.0", "192.0.2.1", false),
    ] {
        let sandbox = foreign(constraint, address);
        let openssl = sandbox
            .run("openssl", "verify -CAfile root.crt leaf.crt")
            .finish();
        assert_eq!(openssl.status == Some(0), is_valid, "{openssl}");
        let judged = sandbox.pki("verify --bundle root.crt leaf.crt").finish();
        let status = if is_valid { 0 } else { 3 };
        assert_eq!(
            judged.status,
            Some(status),
            "{constraint} {address}: {judged}"
        );
    }
}

/// A mask with holes is no prefix: what it means is not known, and no address is inside.
#[test]
fn a_mask_with_holes_is_refused() {
    for mask in [
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/0.255.0.0",
        "10.0.0.0/255.253.0.0",
        "10.0.0.0/0.0.0.1",
        "2001:db8::/ffff:0:ffff::",
    ] {
        for kind in ["permitted", "excluded"] {
            let address = if mask.starts_with("10.") {
                "10.0.0.1"
            } else {
                "2001:db8::1"
            };
            let sandbox = foreign(&format!("{kind};IP:{mask}"), address);
            let judged = sandbox
                .pki("verify --bundle root.crt leaf.crt")
                .ends_with(3);
            assert_text(
                &judged.stdout,
                expect![[r#"
                    not valid: the nameConstraints of CN=root is malformed: an IP address constraint is malformed
                "#]],
            );
        }
    }
}

#[test]
fn a_foreign_ca_with_a_mask_with_holes_is_not_installed() {
    let sandbox = foreign("permitted;IP:10.0.0.0/255.0.255.0", "10.0.0.1");
    sandbox
        .pki("subordinate --name sub --request sub.csr --no-passphrase")
        .succeeds();
    sandbox.write(
        "sub.cnf",
        "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    sandbox
        .run("openssl", "x509 -req -days 9 -extfile sub.cnf -in sub.csr")
        .words("-CA root.crt -CAkey root.key -out sub.crt")
        .succeeds();
    let before = sandbox.store_snapshot();
    let refused = sandbox
        .pki("subordinate --name sub --install sub.crt --chain root.crt")
        .ends_with(1);
    assert_text(
        &refused.stderr,
        expect![[r#"
            error: sub.crt cannot be installed as sub
            caused by: the nameConstraints of CN=root is malformed: an IP address constraint is malformed
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}
