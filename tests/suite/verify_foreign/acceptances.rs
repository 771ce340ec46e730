//! Input that may look valid and is not: CAs judged for a purpose, policies that are required, CRLs that were
//! given and can't be used, mailboxes that are none.

use super::{CA, CLIENT, Case, HOST, chain_with};
use crate::verify::assert_says;

#[test]
fn a_ca_certificate_is_held_to_its_key_usage_for_a_purpose() {
    let signing = CA.replace(
        "critical,keyCertSign",
        "critical,digitalSignature,keyCertSign",
    );
    for (purpose, flag, word) in [
        ("server", "sslserver", "--purpose server"),
        ("client", "sslclient", "--purpose client"),
    ] {
        let case = |extensions: &str| {
            let sandbox = chain_with(CA, CA, extensions);
            let case = Case {
                pki: word,
                openssl: &format!("-purpose {flag}"),
                ..Case::of(&sandbox)
            };
            if extensions == CA {
                case.both_refuse(&format!(
                    "CN=leaf is not for {purpose}: its keyUsage is keyCertSign, cRLSign"
                ));
            } else {
                case.both_accept();
            }
        };
        case(CA);
        case(&signing);
    }
}

/// Policies of the CA and of the certificate, and how many certificates may follow without one.
#[test]
fn an_explicit_policy_that_a_ca_requires_has_to_be_there() {
    const NONE: &str = "CN=leaf has no acceptable certificate policy: none is left at CN=leaf";
    for (sub, leaf, expected) in [
        ("requireExplicitPolicy:0", "", NONE),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=1.2.3.4\n",
            "",
        ),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=1.2.3.5\n",
            NONE,
        ),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=2.5.29.32.0\n",
            "",
        ),
        ("requireExplicitPolicy:1", "", NONE),
        ("requireExplicitPolicy:2", "", ""),
        ("inhibitPolicyMapping:0", "", ""),
        (
            "inhibitPolicyMapping:0",
            "policyConstraints=requireExplicitPolicy:0\n",
            NONE,
        ),
        (
            "inhibitPolicyMapping:0",
            "policyConstraints=requireExplicitPolicy:1\n",
            "",
        ),
    ] {
        let sub = format!("{CA}certificatePolicies=1.2.3.4\npolicyConstraints={sub}\n");
        let sandbox = chain_with(CA, &sub, &format!("{CLIENT}{leaf}"));
        let case = Case {
            openssl: "-policy_check -policy 2.5.29.32.0",
            ..Case::of(&sandbox)
        };
        match expected {
            "" => case.both_accept(),
            refusal => case.both_refuse(refusal),
        }
    }
}

#[test]
fn a_partial_crl_that_lists_the_certificate_is_not_ignored() {
    let sandbox = chain_with(CA, CA, CLIENT);
    let row = sandbox.revoked_row("leaf", "keyCompromise");
    // By reason: refused, and evidence all the same.
    let partial = "issuingDistributionPoint=critical,@reasons";
    sandbox.list_by("partial", "sub", &row, partial);
    let all = ["root.crl.pem", "sub.crl.pem", "partial.crl.pem"];
    sandbox.joined("lists.pem", &all);
    assert_says(
        Case::of(&sandbox).pki_run(),
        3,
        "not valid: CN=leaf may be revoked: the CRL of CN=sub is about a part of its certificates: \
         it has issuingDistributionPoint\n",
    );
    // Without an entry of the certificate it is named, and the complete CRL decides.
    sandbox.list_by("partial", "sub", "", partial);
    sandbox.joined("lists.pem", &all);
    let verdict = Case::of(&sandbox).pki_run().succeeds();
    assert!(verdict.stdout.contains("CRL not used"), "{verdict}");
    // One of end-entity certificates is used.
    sandbox.list_by(
        "partial",
        "sub",
        &row,
        "issuingDistributionPoint=critical,@users",
    );
    sandbox.joined("lists.pem", &all);
    let refused = Case::of(&sandbox).pki_run().ends_with(3);
    assert!(
        refused.stdout.contains("CN=leaf was revoked at"),
        "{refused}"
    );
}

#[test]
fn mailboxes_and_constraints_that_are_none_are_not_valid() {
    let email = |address: &str| HOST.replace("DNS:www.example.test", &format!("email:{address}"));
    let permitted = format!("{CA}nameConstraints=critical,permitted;email:example.test\n");
    Case::of(&chain_with(CA, &permitted, &email("a@example.test"))).both_accept();
    assert_says(
        Case::of(&chain_with(CA, &permitted, &email("a@b@example.test"))).pki_run(),
        3,
        "not valid: CN=sub does not allow CN=leaf: email:a@b@example.test is in none of the \
         permitted subtrees: email:example.test\n",
    );
    for (value, problem) in [
        ("30:00", "name constraints are empty"),
        ("30:02:a0:00", "a list of subtrees is empty"),
    ] {
        let empty = format!("{CA}2.5.29.30=critical,DER:{value}\n");
        assert_says(
            Case::of(&chain_with(CA, &empty, CLIENT)).pki_run(),
            3,
            &format!("not valid: the nameConstraints of CN=sub is broken: {problem}\n"),
        );
    }
}
