//! Certificates of CAs: roots, and CAs below them with constraints.

use super::{Expected, KEY_IDENTIFIERS, NOW_IN_TEXT, POINTERS, URLS};
use crate::run::assert_same;
use crate::sandbox::Sandbox;

const USAGE: &str =
    "X509v3 Key Usage: critical\n    Digital Signature, Certificate Sign, CRL Sign\n";

/// A root's validity of 3650 days from [`super::NOW`].
const TEN_YEARS_LATER: &str = "Feb 27 12:00:00 2036 GMT";

fn made(line: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let line = format!("root --name rootCA --no-passphrase {line}");
    sandbox.pki_now(&line).succeeds();
    sandbox
}

#[test]
fn a_root_says_nothing_about_a_path_length_unless_asked() {
    let root = |extensions: String| Expected {
        counter: "01",
        algorithm: "ecdsa-with-SHA256",
        issuer: "CN=UTF8STRING:rootCA",
        not_before: NOW_IN_TEXT,
        not_after: TEN_YEARS_LATER,
        subject: "CN=UTF8STRING:rootCA",
        extensions,
    };
    let own = "X509v3 Subject Key Identifier:\n    [own key]\n";
    for (options, constraints) in [
        (String::new(), "CA:TRUE"),
        ("--path-len 0".to_owned(), "CA:TRUE, pathlen:0"),
        ("--path-len 1".to_owned(), "CA:TRUE, pathlen:1"),
        ("--path-len 128".to_owned(), "CA:TRUE, pathlen:128"),
        // URLs of a CA go into what it issues, and not into a root.
        (URLS.to_owned(), "CA:TRUE"),
    ] {
        let sandbox = made(&options);
        let basic = format!("X509v3 Basic Constraints: critical\n    {constraints}\n");
        sandbox.assert_contents(
            "pki/rootCA/ca.crt",
            "pki/rootCA/ca.crt",
            &root(format!("{basic}{USAGE}{own}")),
        );
    }
}

/// Masks of whole bytes and of others, of both kinds of addresses; addresses that have bits beyond them.
const CONSTRAINTS: &str = "--permit dns:example.test --permit dns:.sub.test \
    --permit ip:10.16.0.0/12 --permit ip:192.0.2.77/24 --permit ip:198.51.100.7 --permit ip:0.0.0.0/0 \
    --permit ip:2001:db8::/33 --permit ip:2001:db8::1 --permit email:example.test --permit email:a@x.test \
    --permit email:.x.test --permit uri:.example.test --permit dirname:/O=Example \
    --exclude dns:secret.test --exclude ip:10.0.0.0/31 --exclude ip:2001:db8::/127 --exclude email:y.test \
    --exclude uri:y.test --exclude dirname:/C=JP/O=Other";

const CONSTRAINTS_IN_TEXT: &str = "X509v3 Name Constraints: critical
    Permitted:
      DNS:example.test
      DNS:.sub.test
      IP:10.16.0.0/255.240.0.0
      IP:192.0.2.0/255.255.255.0
      IP:198.51.100.7/255.255.255.255
      IP:0.0.0.0/0.0.0.0
      IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:8000:0:0:0:0:0
      IP:2001:DB8:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF
      email:example.test
      email:a@x.test
      email:.x.test
      URI:.example.test
      DirName:O = Example
    Excluded:
      DNS:secret.test
      IP:10.0.0.0/255.255.255.254
      IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFE
      email:y.test
      URI:y.test
      DirName:C = JP, O = Other
";

#[test]
fn a_subordinate_has_every_constraint_that_it_was_given() {
    let sandbox = made(URLS);
    sandbox
        .pki_now("subordinate --ca rootCA --name sub --no-passphrase --path-len 3 --days 100")
        .words("--subject /C=JP/O=Example/CN=Sub --key-type p384")
        .words("--crl-url http://sub.test/s.crl --ocsp-url http://sub.test/o")
        .words(CONSTRAINTS)
        .succeeds();
    let basic = "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:3\n";
    sandbox.assert_contents(
        "pki/sub/ca.crt",
        "pki/rootCA/ca.crt",
        &Expected {
            counter: "02",
            algorithm: "ecdsa-with-SHA256",
            issuer: "CN=UTF8STRING:rootCA",
            not_before: NOW_IN_TEXT,
            not_after: "Jun  9 12:00:00 2026 GMT",
            subject: "CN=UTF8STRING:Sub,O=UTF8STRING:Example,C=PRINTABLESTRING:JP",
            extensions: format!("{basic}{USAGE}{CONSTRAINTS_IN_TEXT}{POINTERS}{KEY_IDENTIFIERS}"),
        },
    );
    // Of its own URLs those that it has, in what it issues.
    sandbox
        .pki_now("issue --ca sub --subject /O=Example/CN=x --no-passphrase --out out")
        .succeeds();
    let contents = sandbox.contents("out/x.crt", "pki/sub/ca.crt");
    let (_, pointers) = contents.split_once("X509v3 CRL Distribution").unwrap();
    assert_same(
        pointers,
        " Points:
                Full Name:
                  URI:http://sub.test/s.crl
            Authority Information Access:
                OCSP - URI:http://sub.test/o
            X509v3 Subject Key Identifier:
                [own key]
            X509v3 Authority Key Identifier:
                [issuer's key]
",
    );
}

/// A CSR's constraints, path length and subject come from its signer's options, or from nowhere.
#[test]
fn a_ca_certificate_for_a_csr_has_the_same_contents() {
    let sandbox = made(URLS);
    sandbox
        .pki_now("subordinate --name pending --request pending.csr --no-passphrase")
        .succeeds();
    sandbox
        .pki_now("subordinate --ca rootCA --csr pending.csr --out pending.crt --path-len 0")
        .words("--permit dns:example.test --permit ip:10.128.0.0/9")
        .succeeds();
    let constraints = "X509v3 Name Constraints: critical\n    Permitted:\n\
                       \x20     DNS:example.test\n      IP:10.128.0.0/255.128.0.0\n";
    let basic = "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n";
    sandbox.assert_contents(
        "pending.crt",
        "pki/rootCA/ca.crt",
        &Expected {
            counter: "02",
            algorithm: "ecdsa-with-SHA256",
            issuer: "CN=UTF8STRING:rootCA",
            not_before: NOW_IN_TEXT,
            not_after: TEN_YEARS_LATER,
            subject: "CN=UTF8STRING:pending",
            extensions: format!("{basic}{USAGE}{constraints}{POINTERS}{KEY_IDENTIFIERS}"),
        },
    );
}

/// A CA below one whose path length ends at n gets n - 1 unless another is asked for.
#[test]
fn a_path_length_is_one_less_below() {
    let sandbox = made("--path-len 2");
    for (ca, name, length) in [("rootCA", "one", 1), ("one", "two", 0)] {
        let line = format!("subordinate --ca {ca} --name {name} --no-passphrase");
        sandbox.pki_now(&line).succeeds();
        let text = sandbox.contents(&format!("pki/{name}/ca.crt"), &format!("pki/{ca}/ca.crt"));
        assert!(
            text.contains(&format!("CA:TRUE, pathlen:{length}\n")),
            "{text}"
        );
    }
}
