//! CSRs that `pki` makes, and what of a CSR gets into a certificate.

use super::{NOW, without_empty_lines};
use crate::run::assert_same;
use crate::sandbox::Sandbox;

/// A CSR of a pending CA, by `options`.
fn pending(options: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .pki_at(
            NOW,
            "subordinate --name sub --request sub.csr --no-passphrase",
        )
        .words(options)
        .succeeds();
    sandbox
}

#[test]
fn a_csr_of_a_ca_asks_for_a_ca() {
    let sandbox = pending("--subject /C=JP/O=Example/CN=Sub");
    let printed = sandbox
        .run("openssl", "req -noout -text -verify -in sub.csr")
        .words("-reqopt no_pubkey,no_sigdump -nameopt RFC2253,show_type")
        .succeeds();
    assert!(printed.stderr.contains("verify OK"), "{printed}");
    let key = sandbox.key_identifier("sub.csr");
    assert_same(
        &without_empty_lines(&printed.stdout).replace(&key, "[key]"),
        "Certificate Request:
    Data:
        Version: 1 (0x0)
        Subject: CN=UTF8STRING:Sub,O=UTF8STRING:Example,C=PRINTABLESTRING:JP
        Attributes:
            Requested Extensions:
                X509v3 Basic Constraints: critical
                    CA:TRUE
                X509v3 Key Usage: critical
                    Certificate Sign, CRL Sign
                X509v3 Subject Key Identifier:
                    [key]
",
    );
}

#[test]
fn a_csr_by_its_der() {
    for (options, algorithm, null) in [
        ("--key-type p384", "ecdsa-with-SHA384", ""),
        ("--key-type rsa2048", "sha256WithRSAEncryption", "2 NULL\n"),
    ] {
        let sandbox = pending(options);
        let key = sandbox.key_identifier("sub.csr").replace(':', "");
        let parsed = sandbox.parsed("-in sub.csr").replace(&key, "[key]");
        let key = match null {
            "" => "4 OBJECT:id-ecPublicKey\n4 OBJECT:secp384r1\n",
            _ => "4 OBJECT:rsaEncryption\n4 NULL\n",
        };
        assert_same(
            &parsed,
            &format!(
                "0 SEQUENCE
1 SEQUENCE
2 INTEGER:00
2 SEQUENCE
3 SET
4 SEQUENCE
5 OBJECT:commonName
5 UTF8STRING:sub
2 SEQUENCE
3 SEQUENCE
{key}3 BIT STRING
2 cont [ 0 ]
3 SEQUENCE
4 OBJECT:Extension Request
4 SET
5 SEQUENCE
6 SEQUENCE
7 OBJECT:X509v3 Basic Constraints
7 BOOLEAN:255
7 OCTET STRING:30030101FF
6 SEQUENCE
7 OBJECT:X509v3 Key Usage
7 BOOLEAN:255
7 OCTET STRING:03020106
6 SEQUENCE
7 OBJECT:X509v3 Subject Key Identifier
7 OCTET STRING:0414[key]
1 SEQUENCE
2 OBJECT:{algorithm}
{null}1 BIT STRING
"
            ),
        );
    }
}
