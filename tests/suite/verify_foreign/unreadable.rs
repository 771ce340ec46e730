//! Certificates that can't be read beside others, issuers without a name, names of any length.

use expect_test::expect;

use super::{CA, CLIENT, chain};
use crate::normalise::normalised;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

const EXPLICIT: &str = "its key has explicit curve parameters, which are not supported";

/// `root`, `sub` and `leaf`, and `explicit.crt`, a root whose key has the parameters of its curve.
fn with_explicit() -> Sandbox {
    let sandbox = chain();
    sandbox
        .run("openssl", "ecparam -name prime256v1 -param_enc explicit")
        .words("-genkey -noout -out explicit.key")
        .succeeds();
    sandbox
        .run("openssl", "req -x509 -new -key explicit.key -days 30")
        .words("-subj /CN=explicit -out explicit.crt")
        .succeeds();
    sandbox.write(
        "garbage.crt",
        "-----BEGIN CERTIFICATE-----\nMAMBAQA=\n-----END CERTIFICATE-----\n",
    );
    sandbox
}

#[test]
fn an_unreadable_certificate_of_a_bundle_is_named_and_left_out() {
    let sandbox = with_explicit();
    sandbox.joined("first.pem", &["explicit.crt", "root.crt", "sub.crt"]);
    sandbox.joined("last.pem", &["root.crt", "sub.crt", "explicit.crt"]);
    sandbox
        .run(
            "openssl",
            "crl2pkcs7 -nocrl -out set.p7b -certfile last.pem",
        )
        .succeeds();
    let mut warnings = String::new();
    for bundle in ["first.pem", "last.pem", "set.p7b"] {
        let run = sandbox.pki("verify leaf.crt --bundle").arg(bundle);
        let said = run.succeeds();
        assert_text(
            &normalised(&said.stdout),
            expect![[r#"
                valid: CN=leaf, by sub, root
                  expires                 [time]
                  revocation not checked  CN=leaf, CN=sub
            "#]],
        );
        warnings += &said.stderr;
    }
    assert_text(
        &warnings,
        expect![[r#"
            warning: certificate 1 in first.pem is skipped: its key has explicit curve parameters, which are not supported
            warning: certificate 3 in last.pem is skipped: its key has explicit curve parameters, which are not supported
            warning: certificate 3 in set.p7b is skipped: its key has explicit curve parameters, which are not supported
        "#]],
    );
    let run = sandbox.pki("-q --format json verify leaf.crt --bundle first.pem");
    let said = run.succeeds();
    let unread = serde_json::json!([{"file": "first.pem", "number": 1, "problem": EXPLICIT}]);
    assert_eq!(said.json()["unread"], unread);
    assert!(said.stderr.contains(EXPLICIT), "{said}");
}

#[test]
fn what_is_not_a_certificate_at_all_is_left_out_too() {
    let sandbox = with_explicit();
    sandbox.joined("both.pem", &["root.crt", "garbage.crt", "sub.crt"]);
    let said = sandbox.pki("verify leaf.crt --bundle both.pem").succeeds();
    assert_text(
        &said.stderr,
        expect![[r#"
            warning: certificate 2 in both.pem is skipped: the signed content is expected
        "#]],
    );
}

#[test]
fn a_bundle_of_unreadable_certificates_is_refused() {
    let sandbox = with_explicit();
    sandbox.joined("two.pem", &["explicit.crt", "garbage.crt"]);
    let mut said = String::new();
    for (bundle, code) in [
        ("explicit.crt", "invalid-der"),
        ("two.pem", "invalid-input"),
    ] {
        let run = sandbox.pki("verify leaf.crt --bundle").arg(bundle);
        said += &run.refusal(1, code);
    }
    assert_text(
        &said,
        expect![[r#"
            error: explicit.crt is not a file of certificates
            caused by: its key has explicit curve parameters, which are not supported
            error: two.pem is not a file of certificates
            caused by: its certificate 1 can't be read: its key has explicit curve parameters, which are not supported
        "#]],
    );
}

#[test]
fn the_certificate_that_is_judged_has_to_be_readable() {
    let sandbox = with_explicit();
    sandbox.joined("behind.pem", &["leaf.crt", "explicit.crt", "sub.crt"]);
    sandbox.joined("before.pem", &["explicit.crt", "leaf.crt", "sub.crt"]);
    let said = sandbox
        .pki("verify behind.pem --bundle root.crt")
        .succeeds();
    assert_text(
        &normalised(&said.stderr),
        expect![[r#"
            warning: certificate 2 in behind.pem is skipped: its key has explicit curve parameters, which are not supported
        "#]],
    );
    let run = sandbox.pki("verify before.pem --bundle root.crt");
    run.refuses(1, "invalid-input", expect![[r#"
        error: before.pem is not a file of certificates
        caused by: its certificate 1 can't be read: its key has explicit curve parameters, which are not supported
    "#]]);
}

/// A root that can't be read is no reason to trust what is under it.
#[test]
fn no_intermediate_ca_takes_the_place_of_an_unreadable_root() {
    let sandbox = with_explicit();
    sandbox.joined("without.pem", &["explicit.crt", "sub.crt"]);
    sandbox.pki("verify leaf.crt --bundle sub.crt").succeeds();
    let run = sandbox.pki("verify leaf.crt --bundle without.pem");
    let refused = run.ends_with(3);
    assert_text(
        &refused.stdout,
        expect![[r#"
            not valid: the issuer of CN=sub is missing: CN=root
        "#]],
    );
}

#[test]
fn other_commands_name_the_number_and_the_cause() {
    let sandbox = with_explicit();
    sandbox.joined("both.pem", &["root.crt", "explicit.crt"]);
    sandbox.pki("root --name own --no-passphrase").succeeds();
    let run = sandbox.pki("bundle --add both.pem --out truststore.pem");
    run.refuses(1, "invalid-input", expect![[r#"
        error: both.pem is not a file of certificates
        caused by: its certificate 2 can't be read: its key has explicit curve parameters, which are not supported
    "#]]);
    let judged = sandbox.pki("bundle --check both.pem").ends_with(3);
    assert!(judged.stdout.contains(EXPLICIT), "{judged}");
    let shown = sandbox.pki("show both.pem").ends_with(1);
    assert_text(
        &normalised(&shown.stderr),
        expect![[r#"
            error: both.pem is not a file that can be shown
            caused by: object 2 in it, "CERTIFICATE": its key has explicit curve parameters, which are not supported
        "#]],
    );
    assert!(shown.stderr.contains(EXPLICIT), "{shown}");
}

#[test]
fn an_issuer_without_a_name_is_said_to_have_none() {
    let sandbox = chain();
    sandbox.write(
        "nameless.cnf",
        format!("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n[x]\n{CA}"),
    );
    sandbox
        .run("openssl", "req -x509 -new -key root.key -days 30 -subj /")
        .words("-config nameless.cnf -extensions x -out nameless.crt")
        .succeeds();
    sandbox.run("cp", "root.key nameless.key").succeeds();
    sandbox.certify("child", "nameless", CLIENT);
    let run = sandbox.pki("verify child.crt --bundle root.crt");
    let refused = run.ends_with(3);
    assert_text(
        &refused.stdout,
        expect![[r#"
            not valid: the issuer of CN=child is unknown: its issuer field is empty
        "#]],
    );
}

#[test]
fn a_long_name_makes_no_long_line() {
    let sandbox = chain();
    let long = format!("long{}", "/OU=x".repeat(12_000));
    sandbox.certify_key("long", "long", &long, "sub", CLIENT);
    for (options, end) in [
        ("--bundle root.crt --bundle sub.crt", ""),
        (
            "--bundle root.crt --bundle sub.crt --purpose server",
            "clientAuth",
        ),
        ("--bundle root.crt", "is missing: CN=sub"),
    ] {
        let said = sandbox.pki("verify long.crt").words(options).finish();
        let longest = said.stdout.lines().map(str::len).max().unwrap();
        assert!(longest < 1_200, "{options}: {longest}");
        let first = said.stdout.lines().next().unwrap();
        assert!(first.ends_with(end), "{options}: {first}");
    }
}
