//! Input that may look valid and is not: CAs judged for a purpose, policies that are required, CRLs that were
//! given and can't be used, mailboxes that are none.

use std::collections::BTreeSet;

use expect_test::expect;

use super::{CA, CLIENT, Case, HOST, chain_with};
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::verify::{assert_says, report};

#[test]
fn a_ca_certificate_is_held_to_its_key_usage_for_a_purpose() {
    let signing = CA.replace(
        "critical,keyCertSign",
        "critical,digitalSignature,keyCertSign",
    );
    let mut said = String::new();
    for (flag, word) in [
        ("sslserver", "--purpose server"),
        ("sslclient", "--purpose client"),
    ] {
        let mut case = |extensions: &str| {
            let sandbox = chain_with(CA, CA, extensions);
            let case = Case {
                pki: word,
                openssl: &format!("-purpose {flag}"),
                ..Case::of(&sandbox)
            };
            if extensions == CA {
                said += &case.refusal();
            } else {
                case.both_accept();
            }
        };
        case(CA);
        case(&signing);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=leaf is not for server: its keyUsage is keyCertSign, cRLSign
            not valid: CN=leaf is not for client: its keyUsage is keyCertSign, cRLSign
        "#]],
    );
}

/// Policies of the CA and of the certificate, and how many certificates may follow without one.
#[test]
fn an_explicit_policy_that_a_ca_requires_has_to_be_there() {
    let mut said = BTreeSet::new();
    for (sub, leaf, refused) in [
        ("requireExplicitPolicy:0", "", true),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=1.2.3.4\n",
            false,
        ),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=1.2.3.5\n",
            true,
        ),
        (
            "requireExplicitPolicy:0",
            "certificatePolicies=2.5.29.32.0\n",
            false,
        ),
        ("requireExplicitPolicy:1", "", true),
        ("requireExplicitPolicy:2", "", false),
        ("inhibitPolicyMapping:0", "", false),
        (
            "inhibitPolicyMapping:0",
            "policyConstraints=requireExplicitPolicy:0\n",
            true,
        ),
        (
            "inhibitPolicyMapping:0",
            "policyConstraints=requireExplicitPolicy:1\n",
            false,
        ),
    ] {
        let sub = format!("{CA}certificatePolicies=1.2.3.4\npolicyConstraints={sub}\n");
        let sandbox = chain_with(CA, &sub, &format!("{CLIENT}{leaf}"));
        let case = Case {
            openssl: "-policy_check -policy 2.5.29.32.0",
            ..Case::of(&sandbox)
        };
        if refused {
            said.insert(case.refusal());
        } else {
            case.both_accept();
        }
    }
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            not valid: CN=leaf has no acceptable certificate policy: none is left at CN=leaf
        "#]],
    );
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
        expect![[r#"
            not valid: CN=leaf may be revoked: the CRL of CN=sub covers only some of its certificates: it has issuingDistributionPoint
        "#]],
    );
    // Without an entry of the certificate it is named, and the complete CRL decides.
    sandbox.list_by("partial", "sub", "", partial);
    sandbox.joined("lists.pem", &all);
    let verdict = Case::of(&sandbox).pki_run().succeeds();
    assert_text(
        &normalised(&verdict.stdout),
        expect![[r#"
            valid: CN=leaf, by sub, root
              expires                  [time]
              not revoked, by its CRL  CN=leaf, CN=sub
              CRL not used             the CRL of CN=sub covers only some of its certificates: it has issuingDistributionPoint
        "#]],
    );
    // One of end-entity certificates is used.
    sandbox.list_by(
        "partial",
        "sub",
        &row,
        "issuingDistributionPoint=critical,@users",
    );
    sandbox.joined("lists.pem", &all);
    let refused = Case::of(&sandbox).pki_run().ends_with(3);
    assert_text(
        &normalised(&refused.stdout),
        expect![[r#"
            not valid: CN=leaf was revoked at [time] (keyCompromise), serial [serial]
        "#]],
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
        expect![[r#"
            not valid: CN=sub does not allow CN=leaf: email:a@b@example.test is not in a permitted subtree: email:example.test
        "#]],
    );
    let mut said = String::new();
    for value in ["30:00", "30:02:a0:00"] {
        let empty = format!("{CA}2.5.29.30=critical,DER:{value}\n");
        said += &report(Case::of(&chain_with(CA, &empty, CLIENT)).pki_run(), 3);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: the nameConstraints of CN=sub is malformed: name constraints are empty
            not valid: the nameConstraints of CN=sub is malformed: a list of subtrees is empty
        "#]],
    );
}
