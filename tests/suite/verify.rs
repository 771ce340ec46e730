//! `pki verify` over what `pki` made: every verdict, word for word, and what no
//! file may bring about. `verify_foreign.rs` has what others made.

use std::fs;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::normalise::normalised;
use crate::run::{Run, assert_same, assert_text};
use crate::sandbox::Sandbox;

/// Three tiers; a client of `intermediate0` and one of `intermediate2`, and a server.
fn tiers() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    for line in [
        "issue --ca intermediate0 --cn localclient --out out --no-passphrase",
        "issue --ca intermediate2 --cn deep --out out --no-passphrase",
        "issue --ca intermediate0 --cn www.example.test --san 192.0.2.7 --profile server --out out --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
}

/// Returns the report, [`normalised`], of a run that ends with this exit code and has nothing on stderr.
#[track_caller]
pub(crate) fn report(run: Run, status: i32) -> String {
    let said = run.ends_with(status);
    assert_same(&said.stderr, "");
    normalised(&said.stdout)
}

#[track_caller]
pub(crate) fn assert_says(run: Run, status: i32, stdout: Expect) {
    assert_text(&report(run, status), stdout);
}

#[test]
fn a_valid_certificate_is_reported_with_path_and_expiry() {
    let sandbox = tiers();
    assert_says(
        sandbox.pki("verify out/localclient.crt"),
        0,
        expect![[r#"
            valid: CN=localclient, by intermediate0, rootCA
              expires                    [time]
              not revoked, by the store  CN=localclient, CN=intermediate0
        "#]],
    );
    let deep = report(sandbox.pki("verify out/deep.crt"), 0);
    assert_text(
        &deep,
        expect![[r#"
            valid: CN=deep, by intermediate2, intermediate1, rootCA
              expires                    [time]
              not revoked, by the store  CN=deep, CN=intermediate2, CN=intermediate1
        "#]],
    );
    assert_same(
        &report(sandbox.pki("verify --purpose client out/deep.crt"), 0),
        &deep,
    );
    // What is behind the first one in a file only helps.
    assert_same(
        &report(sandbox.pki("verify out/deep.fullchain.pem"), 0),
        &deep,
    );
    let pem = sandbox.read("out/deep.crt");
    assert_same(&report(sandbox.pki("verify -").stdin(pem), 0), &deep);
    assert_says(
        sandbox.pki("verify pki/intermediate2/ca.crt"),
        0,
        expect![[r#"
            valid: CN=intermediate2, by intermediate1, rootCA
              expires                    [time]
              not revoked, by the store  CN=intermediate2, CN=intermediate1
        "#]],
    );
    assert_says(
        sandbox.pki("verify pki/rootCA/ca.crt"),
        0,
        expect![[r#"
            valid: CN=rootCA, a trusted root
              expires  [time]
        "#]],
    );
}

#[test]
fn every_time_at_which_it_is_not_valid_is_told() {
    let sandbox = tiers();
    let mut said = String::new();
    for at in ["2y", "-1d", "1950-01-01", "9999-12-31"] {
        let run = sandbox.pki("verify out/localclient.crt --at").arg(at);
        said += &report(run, 3);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=localclient expired at [time]
            not valid: CN=localclient is not valid before [time]
            not valid: CN=localclient is not valid before [time]
            not valid: CN=localclient expired at [time]
        "#]],
    );
    assert_says(
        sandbox.pki("verify pki/rootCA/ca.crt --at 11y"),
        3,
        expect![[r#"
            not valid: CN=rootCA expired at [time]
        "#]],
    );
    sandbox
        .pki("verify out/localclient.crt --at 30d")
        .succeeds();
    sandbox
        .pki("verify out/localclient.crt --at 9000y")
        .refuses(
            2,
            "usage",
            expect![[r#"
                error: --at is outside the years that a certificate can express
            "#]],
        );
}

#[test]
fn a_purpose_or_a_host_that_it_is_not_for_is_told() {
    let sandbox = tiers();
    let mut said = String::new();
    for line in [
        "out/localclient.crt --purpose server",
        "out/www.example.test.crt --purpose peer",
        "out/www.example.test.crt --hostname example.test",
        "out/www.example.test.crt --hostname 192.0.2.8",
        "out/localclient.crt --hostname localclient",
        "pki/rootCA/ca.crt --hostname www.example.test",
    ] {
        said += &report(sandbox.pki("verify").words(line), 3);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=localclient is not for server: its extKeyUsage is clientAuth
            not valid: CN=www.example.test is not for peer: its extKeyUsage is serverAuth
            not valid: CN=www.example.test is not for the host example.test: it has dns:www.example.test, ip:192.0.2.7
            not valid: CN=www.example.test is not for the host 192.0.2.8: it has dns:www.example.test, ip:192.0.2.7
            not valid: CN=localclient is not for the host localclient: it has no SAN
            not valid: CN=rootCA is not for the host www.example.test: it has no SAN
        "#]],
    );
    for line in [
        "--purpose server --hostname www.example.test",
        "--purpose server --hostname WWW.example.test",
        "--hostname 192.0.2.7",
    ] {
        let run = sandbox.pki("verify out/www.example.test.crt").words(line);
        run.succeeds();
    }
}

#[test]
fn what_is_revoked_is_not_valid_and_what_is_released_is() {
    let sandbox = tiers();
    let revoke = |line: &str| sandbox.pki("revoke --ca").words(line).succeeds();
    let verify = |file: &str| sandbox.pki("verify").arg(file);
    revoke("intermediate0 --cn localclient --reason certificateHold");
    assert_says(
        verify("out/localclient.crt"),
        3,
        expect![[r#"
            not valid: CN=localclient was revoked at [time] (certificateHold), serial [serial]
        "#]],
    );
    revoke("intermediate0 --cn localclient --release");
    verify("out/localclient.crt").succeeds();
    revoke("intermediate0 --cn localclient --reason keyCompromise");
    assert_says(
        verify("out/localclient.crt"),
        3,
        expect![[r#"
            not valid: CN=localclient was revoked at [time] (keyCompromise), serial [serial]
        "#]],
    );
    // Also where the roots come from a file.
    sandbox.pki("bundle --out truststore.pem").succeeds();
    assert_says(
        verify("out/localclient.crt").words("--bundle truststore.pem"),
        3,
        expect![[r#"
            not valid: CN=localclient was revoked at [time] (keyCompromise), serial [serial]
        "#]],
    );
    revoke("rootCA --cert pki/intermediate1/ca.crt --reason cACompromise");
    assert_says(
        verify("out/deep.crt"),
        3,
        expect![[r#"
            not valid: CN=intermediate1 was revoked at [time] (cACompromise), serial [serial]
        "#]],
    );
}

/// Our own lists, by another machine that has no store.
#[test]
fn lists_decide_where_they_are_given_and_every_ca_needs_one() {
    let sandbox = tiers();
    for line in [
        "bundle --out truststore.pem",
        "crl --chain",
        "revoke --ca intermediate2 --cn deep --reason superseded",
        "crl --chain --out later",
        "revoke --ca intermediate0 --cn localclient",
    ] {
        sandbox.pki(line).succeeds();
    }
    let verify = |line: &str| {
        let run = sandbox.pki("--store nowhere verify --bundle truststore.pem");
        run.words(line)
    };
    assert_says(
        verify("out/deep.crt"),
        0,
        expect![[r#"
            valid: CN=deep, by intermediate2, intermediate1, rootCA
              expires                 [time]
              revocation not checked  CN=deep, CN=intermediate2, CN=intermediate1
        "#]],
    );
    assert_says(
        verify("out/deep.crt --crl pki/crl/intermediate2.chain.crl.pem"),
        0,
        expect![[r#"
            valid: CN=deep, by intermediate2, intermediate1, rootCA
              expires                  [time]
              not revoked, by its CRL  CN=deep, CN=intermediate2, CN=intermediate1
        "#]],
    );
    // The newest list decides, in whichever order they come.
    for lists in [
        "--crl later/intermediate2.chain.crl.pem",
        "--crl later/intermediate2.crl --crl pki/crl/intermediate2.chain.crl.pem",
        "--crl pki/crl/intermediate2.chain.crl.pem --crl later/intermediate2.crl",
    ] {
        let run = verify("out/deep.crt").words(lists);
        assert_says(
            run,
            3,
            expect![[r#"
                not valid: CN=deep was revoked at [time] (superseded), serial [serial]
            "#]],
        );
    }
    let mut said = String::new();
    for lists in [
        "--crl pki/crl/rootCA.crl",
        "--crl pki/crl/intermediate2.crl --crl pki/crl/intermediate1.crl",
        "--crl pki/crl/intermediate2.chain.crl.pem --at 8d",
    ] {
        said += &report(verify("out/deep.crt").words(lists), 3);
    }
    assert_text(
        &said,
        expect![[r#"
            not valid: CN=deep may be revoked: no CRL of CN=intermediate2 is given
            not valid: CN=intermediate1 may be revoked: no CRL of CN=rootCA is given
            not valid: CN=deep may be revoked: the CRL of CN=intermediate2 expired at [time]
        "#]],
    );
    // The store's newer record does not go before the lists that were asked for.
    let run = sandbox.pki("verify out/localclient.crt --crl");
    run.arg("pki/crl/intermediate0.chain.crl.pem").succeeds();
}

#[test]
fn a_crl_later_than_the_time_asked_about_does_not_count() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --not-before -9d",
        "issue --ca rootCA --cn a --out out --no-passphrase --not-before -9d",
        "crl",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox.pki("verify out/a.crt --at -5d").succeeds();
    assert_says(
        sandbox.pki("verify out/a.crt --at -5d --crl pki/crl/rootCA.crl"),
        3,
        expect![[r#"
            not valid: CN=a may be revoked: the CRL of CN=rootCA is not valid before [time]
        "#]],
    );
}

#[test]
fn json_says_the_same() {
    let sandbox = tiers();
    let verify = |line: &str| sandbox.pki("--format json verify").words(line);
    let parsed = |run: Run, status: i32| -> Value {
        serde_json::from_str(&normalised(&run.ends_with(status).stdout)).unwrap()
    };
    let entry = |subject: &str| json!({ "subject": subject, "fingerprint_sha256": "[fingerprint]", "not_after": "[time]" });
    let standing = |subject: &str, checked_by: &str| {
        json!({
            "subject": subject, "serial": "[serial]", "checked_by": checked_by,
            "revoked_at": null, "reason": null, "unused": [],
        })
    };
    let path = ["CN=www.example.test", "CN=intermediate0", "CN=rootCA"].map(entry);
    let good = json!({
        "file": "out/www.example.test.crt",
        "valid": true,
        "reason": null,
        "subject": "CN=www.example.test",
        "serial": "[serial]",
        "at": "[time]",
        "purpose": "server",
        "hostname": "www.example.test",
        "path": path,
        "revocation": [
            standing("CN=www.example.test", "store"),
            standing("CN=intermediate0", "store"),
        ],
        "unread": [],
    });
    let line = "out/www.example.test.crt --purpose server --hostname www.example.test";
    assert_eq!(parsed(verify(line), 0), good);

    sandbox
        .pki("revoke --ca intermediate0 --cn www.example.test --reason keyCompromise")
        .succeeds();
    let mut revoked = good.clone();
    revoked["valid"] = json!(false);
    revoked["reason"] =
        json!("CN=www.example.test was revoked at [time] (keyCompromise), serial [serial]");
    revoked["revocation"] = json!([{
        "subject": "CN=www.example.test", "serial": "[serial]", "checked_by": "store",
        "revoked_at": "[time]", "reason": "keyCompromise", "unused": [],
    }]);
    assert_eq!(parsed(verify(line), 3), revoked);

    let mut unknown = good;
    unknown["valid"] = json!(false);
    unknown["reason"] = json!("the issuer of CN=www.example.test is missing: CN=intermediate0");
    unknown["path"] = json!([]);
    unknown["revocation"] = json!([]);
    let line = format!("{line} --bundle pki/rootCA/ca.crt");
    assert_eq!(parsed(verify(&line), 3), unknown);
}

#[test]
fn keys_of_every_kind_are_judged() {
    for kind in [
        "p256",
        "p384",
        "p521",
        "ed25519",
        "rsa2048",
        "ml-dsa-44",
        "ml-dsa-87",
    ] {
        let sandbox = Sandbox::new();
        for line in [
            "root --name rootCA",
            "subordinate --ca rootCA --name intermediate0",
            "issue --ca intermediate0 --cn good --out out",
            "issue --ca intermediate0 --cn bad --out out",
        ] {
            let run = sandbox.pki(line).words("--no-passphrase --key-type");
            run.arg(kind).succeeds();
        }
        for line in [
            "revoke --ca intermediate0 --cn bad",
            "bundle --out all.pem",
            "crl --chain",
        ] {
            sandbox.pki(line).succeeds();
        }
        for (file, status) in [
            ("out/good.crt", 0),
            ("out/bad.crt", 3),
            ("pki/intermediate0/ca.crt", 0),
            ("pki/rootCA/ca.crt", 0),
        ] {
            for by in [
                "",
                "--bundle all.pem --crl pki/crl/intermediate0.chain.crl.pem",
            ] {
                let run = sandbox.pki("verify").arg(file).words(by);
                run.ends_with(status);
            }
        }
        // A signature that is not the CA's.
        sandbox
            .run(
                "openssl",
                "x509 -outform DER -in out/good.crt -out good.der",
            )
            .succeeds();
        let mut bytes = fs::read(sandbox.path("good.der")).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        sandbox.write("forged.der", bytes);
        assert_says(
            sandbox.pki("verify forged.der"),
            3,
            expect![[r#"
                not valid: CN=good is not signed with the key of CN=intermediate0
            "#]],
        );
    }
}

#[test]
fn constraints_that_are_held_to_refuse_nothing() {
    let sandbox = Sandbox::new();
    for line in [
        "root --name rootCA --no-passphrase --path-len 2",
        "subordinate --ca rootCA --name here --no-passphrase --permit dns:example.test --exclude email:a@example.test",
        "issue --ca here --profile server --cn www.example.test --out out --no-passphrase",
        "issue --ca here --profile email --cn b@example.test --out out --name b --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    for file in ["out/www.example.test.crt", "out/b.crt"] {
        sandbox.pki("verify").arg(file).succeeds();
    }
}

#[test]
fn a_truncated_or_other_file_is_an_error_and_no_verdict() {
    let sandbox = tiers();
    let pem = sandbox.read("out/localclient.crt");
    sandbox
        .run(
            "openssl",
            "x509 -outform DER -in out/localclient.crt -out whole.der",
        )
        .succeeds();
    let der = fs::read(sandbox.path("whole.der")).unwrap();
    for whole in [pem.trim_end().as_bytes(), &der] {
        for length in (0..whole.len()).step_by(9) {
            sandbox.write("cut", &whole[..length]);
            for line in ["verify cut", "verify out/localclient.crt --bundle cut"] {
                let refused = sandbox.pki(line).words("--format json").ends_with(1);
                let code = refused.error()["code"].as_str().unwrap().to_owned();
                assert!(code.starts_with("invalid-"), "{refused}");
                assert_eq!(refused.stdout, "", "{refused}");
            }
        }
    }
    sandbox.pki("crl").succeeds();
    sandbox.write("with-key.pem", pem + &sandbox.read("out/localclient.key"));
    let mut said = String::new();
    for (line, code) in [
        ("with-key.pem", "invalid-input"),
        ("pki/crl/rootCA.crl", "invalid-input"),
        ("whole.der --crl whole.der", "invalid-input"),
        ("nowhere.crt", "file-not-found"),
    ] {
        said += &sandbox.pki("verify").words(line).refusal(1, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: with-key.pem is not a file of certificates
            caused by: its object 2 is "PRIVATE KEY"
            error: pki/crl/rootCA.crl is not a file of certificates
            caused by: its object 1 is "X509 CRL"
            error: whole.der is not a file of CRLs
            caused by: its object 1 is "CERTIFICATE"
            error: could not read nowhere.crt
            caused by: No such file or directory (os error 2)
        "#]],
    );
    sandbox.pki("--store nowhere verify whole.der").refuses(
        1,
        "store-not-found",
        expect![[r#"
            error: no store found at nowhere
            hint: create one with `pki --store nowhere root --name NAME`, or name an existing store with --store or PKI_STORE
        "#]],
    );
}

/// Whatever byte is another, the certificate is not valid; nor does a list that was tampered with
/// hide a revocation.
#[test]
fn one_changed_octet_makes_nothing_valid() {
    let sandbox = tiers();
    for line in [
        "bundle --out all.pem",
        "revoke --ca intermediate0 --cn localclient",
        "crl",
    ] {
        sandbox.pki(line).succeeds();
    }
    sandbox
        .run(
            "openssl",
            "x509 -outform DER -in out/www.example.test.crt -out good.der",
        )
        .succeeds();
    let lists = "--crl pki/crl/rootCA.crl --crl changed";
    for (file, line) in [
        ("good.der", "verify changed".to_owned()),
        (
            "pki/crl/intermediate0.crl",
            format!("verify out/localclient.crt --bundle all.pem {lists}"),
        ),
    ] {
        let whole = fs::read(sandbox.path(file)).unwrap();
        for index in 0..whole.len() {
            let mut changed = whole.clone();
            changed[index] ^= if index % 2 == 0 { 0x01 } else { 0x80 };
            sandbox.write("changed", changed);
            let said = sandbox.pki(&line).finish();
            let refused = match said.status {
                Some(3) => said.stdout.starts_with("not valid: "),
                Some(1) => said.stderr.starts_with("error: changed is not a "),
                _ => false,
            };
            assert!(refused, "byte {index} of {file}\n{said}");
        }
    }
}

crate::engine::also_in_a_database! {
    a_valid_certificate_is_reported_with_path_and_expiry, every_time_at_which_it_is_not_valid_is_told,
    a_purpose_or_a_host_that_it_is_not_for_is_told, what_is_revoked_is_not_valid_and_what_is_released_is,
    a_crl_later_than_the_time_asked_about_does_not_count, json_says_the_same,
    constraints_that_are_held_to_refuse_nothing,
}

crate::engine::soak_in_a_database! {
    lists_decide_where_they_are_given_and_every_ca_needs_one, keys_of_every_kind_are_judged,
    a_truncated_or_other_file_is_an_error_and_no_verdict,
}
