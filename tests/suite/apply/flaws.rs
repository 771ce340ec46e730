//! Fixtures that are wrong on purpose.

use expect_test::expect;

use crate::sandbox::Sandbox;

const FIXTURES: &str = r#"
fixture = true

[defaults]
ca = "testCA"
profile = "server"
out = "certs"
no_passphrase = true

[ca.rootCA]

[ca.testCA]
parent = "rootCA"

[certificate.right]
cn = "a.example.test"

[certificate.expired]
cn = "b.example.test"
flaw = "expired"

[certificate.not-yet-valid]
cn = "c.example.test"
flaw = "not-yet-valid"

[certificate.revoked]
cn = "d.example.test"
flaw = "revoked"

[certificate.wrong-purpose]
cn = "e.example.test"
flaw = "wrong-purpose"

[certificate.self-signed]
cn = "f.example.test"
flaw = "self-signed"

[crl.testCA]
to_pem = true

[bundle.truststore]
"#;

#[test]
fn each_is_refused_for_its_flaw_and_issued_once() {
    let sandbox = Sandbox::applied(FIXTURES);
    let verify =
        "-purpose sslserver -CAfile truststore.pem -crl_check -CRLfile pki/crl/testCA.crl.pem";
    sandbox.verifies(verify, "certs/right.crt");
    for (name, complaint) in [
        ("expired", "certificate has expired"),
        ("not-yet-valid", "certificate is not yet valid"),
        ("revoked", "certificate revoked"),
        ("wrong-purpose", "purpose"),
        ("self-signed", "self-signed certificate"),
    ] {
        let line = format!("verify {verify} certs/{name}.crt");
        let refused = sandbox.run("openssl", &line).ends_with(2);
        assert!(refused.stderr.contains(complaint), "{refused}");
    }
    sandbox.assert_settled("a.toml");
}

#[test]
fn a_store_that_is_none_of_fixtures_has_none() {
    let sandbox = Sandbox::new();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox.write("a.toml", FIXTURES);
    sandbox.refused(
        sandbox.apply("a.toml"),
        1,
        "fixture-store-required",
        expect![[r#"
            error: the store at ./pki is not a fixture store
            hint: a store can't become a fixture store later: use a new directory with --store, and create its first root with --fixture
        "#]],
    );
    sandbox.write("a.toml", FIXTURES.replace("fixture = true", ""));
    let refused = sandbox.apply("a.toml").ends_with(1);
    let flaws = refused
        .stderr
        .matches("a defect needs a fixture store")
        .count();
    assert_eq!(flaws, 5, "{refused}");
}

crate::engine::also_in_a_database! {
    each_is_refused_for_its_flaw_and_issued_once, a_store_that_is_none_of_fixtures_has_none,
}
