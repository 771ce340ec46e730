//! A CA's name constraints hold for everything under it, whatever form a name takes.

use expect_test::expect;

use super::refusals;
use crate::sandbox::Sandbox;

/// `constrained` may issue for `example.test`, but not for `secret.example.test`,
/// and for `192.0.2.0/24`; `below` is under it and says nothing of its own.
fn constrained() -> Sandbox {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase",
        "subordinate --ca rootCA --name constrained --no-passphrase --permit dns:example.test --permit ip:192.0.2.0/24 --permit email:example.test --permit uri:.example.test --exclude dns:secret.example.test",
        "subordinate --ca constrained --name below --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

refusals! { constrained();
    a_host_name_outside: "issue --ca constrained --cn w --san www.evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:www.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_host_name_that_only_ends_the_same: "issue --ca constrained --cn w --san notexample.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:notexample.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_host_name_that_is_excluded: "issue --ca constrained --cn w --san a.secret.example.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:a.secret.example.test is in the excluded subtree dns:secret.example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_wildcard_outside: "issue --ca constrained --cn w --san *.evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:*.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_wildcard_above: "issue --ca constrained --cn w --san *.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:*.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_wildcard_that_covers_what_is_excluded: "issue --ca constrained --cn w --san *.example.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:*.example.test is in the excluded subtree dns:secret.example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_common_name_that_is_a_host_name_outside: "issue --ca constrained --cn www.evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:www.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_server_s_common_name_outside: "issue --ca constrained --profile server --cn www.evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:www.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    an_address_outside: "issue --ca constrained --cn w --san 198.51.100.1" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: ip:198.51.100.1 is not in a permitted subtree: ip:192.0.2.0/24 (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    an_email_address_outside: "issue --ca constrained --cn w --san email:someone@evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: email:someone@evil.test is not in a permitted subtree: email:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_uri_outside: "issue --ca constrained --cn w --san uri:https://evil.test/" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: uri:https://evil.test/ is not in a permitted subtree: uri:.example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_uri_whose_user_looks_like_a_host_inside: "issue --ca constrained --cn w --san uri:https://a.example.test@evil.test/" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: uri:https://a.example.test@evil.test/ is not in a permitted subtree: uri:.example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_uri_with_an_address_for_a_host: "issue --ca constrained --cn w --san uri:https://192.0.2.1/" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: uri:https://192.0.2.1/ is not in a permitted subtree: uri:.example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
    a_host_name_outside_from_a_ca_further_down: "issue --ca below --cn w --san www.evil.test" => 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=constrained does not allow it: dns:www.evil.test is not in a permitted subtree: dns:example.test (names_are_inside_the_constraints, RFC 5280 6.1.3)
    "#]];
}

#[test]
fn names_inside_are_issued_and_verify() {
    let sandbox = constrained();
    for ca in ["constrained", "below"] {
        sandbox
            .pki("issue --profile peer --out out --no-passphrase --cn www.example.test --ca")
            .arg(ca)
            .words("--force --san *.w.example.test,192.0.2.9,email:a@example.test,uri:https://a.example.test/")
            .succeeds();
        sandbox
            .run("openssl", "verify -x509_strict -CAfile pki/rootCA/ca.crt")
            .words("-untrusted out/www.example.test.chain.pem out/www.example.test.crt")
            .succeeds();
    }
}

crate::engine::also_in_a_database! {
    names_inside_are_issued_and_verify,
}
