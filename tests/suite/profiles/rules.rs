//! A profile for each rule, which breaks it.

use expect_test::expect;

use super::with_profile;
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// Rule, and a file that breaks it.
const BREAKING: &[(&str, &str)] = &[
    ("profile-name", "[profile.server]"),
    ("profile-name", "[profile.Root]"),
    ("profile-name", "[profile.\"a b\"]"),
    (
        "profile-owned-extension",
        "[profile.a]\nextensions = [{ oid = \"2.5.29.19\", hex = \"30030101ff\" }]",
    ),
    (
        "profile-owned-extension",
        "[profile.a]\nextensions = [{ oid = \"2.5.29.17\", hex = \"3000\" }]",
    ),
    (
        "profile-owned-extension",
        "[profile.a]\nextensions = [{ oid = \"2.5.29.31\", hex = \"3000\" }]",
    ),
    (
        "profile-owned-extension",
        "[profile.a]\nextensions = [{ oid = \"1.3.6.1.5.5.7.1.1\", hex = \"3000\" }]",
    ),
    (
        "profile-any-purpose",
        "[profile.a]\nextended_key_usage = [\"anyExtendedKeyUsage\"]",
    ),
    (
        "profile-any-purpose",
        "[profile.a]\nextended_key_usage = [\"2.5.29.37.0\"]",
    ),
    (
        "profile-ocsp-signing",
        "[profile.a]\nextended_key_usage = [\"OCSPSigning\"]",
    ),
    (
        "profile-ocsp-signing",
        "[profile.a]\nbase = \"server\"\nextended_key_usage = [\"1.3.6.1.5.5.7.3.9\"]",
    ),
    (
        "profile-time-stamping",
        "[profile.a]\nextended_key_usage = [\"timeStamping\", \"clientAuth\"]",
    ),
    (
        "profile-ca-bits",
        "[profile.a]\nkey_usage = [\"keyCertSign\"]",
    ),
    (
        "profile-ca-bits",
        "[profile.a]\nkey_usage = [\"digitalSignature\", \"cRLSign\"]",
    ),
    (
        "profile-extension-value",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\", hex = \"05000500\" }]",
    ),
    (
        "profile-extension-value",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\", hex = \"0c05\" }]",
    ),
    (
        "profile-extension-value",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\", hex = \"020200ff0c\" }]",
    ),
    (
        "profile-extension-value",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\", base64 = \"\" }]",
    ),
    (
        "profile-duplicate",
        "[profile.a]\nextended_key_usage = [\"clientAuth\", \"1.3.6.1.5.5.7.3.2\"]",
    ),
    (
        "profile-duplicate",
        "[profile.a]\npolicies = [{ oid = \"1.2.3\" }, { oid = \"1.2.3\" }]",
    ),
    ("profile-days", "[profile.a]\ndays = 31\nmax_days = 30"),
    ("profile-value", "[profile.a]\nbase = \"other\""),
    ("profile-value", "[profile.a]\nsubject = \"/CN={san}\""),
    ("profile-value", "[profile.a]\nother_names = [\"email\"]"),
    (
        "profile-value",
        "[profile.a]\npolicies = [{ oid = \"2.5.29.32.0\" }]",
    ),
    ("profile-value", "[profile.a]\nextended_key_usage = []"),
];

#[test]
fn each_rule_refuses_a_profile_by_name() {
    let sandbox = Sandbox::with_open_ca();
    let before = sandbox.store_snapshot();
    let mut said = String::new();
    for (rule, file) in BREAKING {
        sandbox.write("a.toml", file);
        let message = sandbox.refusal(sandbox.pki("profile add a.toml"), 1, "invalid-profile");
        assert!(message.contains(&format!("({rule})")), "{rule}: {message}");
        said += &message;
    }
    assert_text(
        &said,
        expect![[r#"
            error: a.toml line 1, column 10: "server" is the name of a profile that is built in (profile-name)
            error: a.toml line 1, column 10: "Root" is the name of a profile that is built in (profile-name)
            error: a.toml line 1, column 10: "a b" is not a name: use at most 64 letters, digits, '.', '_' and '-', and begin with a letter or digit (profile-name)
            error: a.toml line 2, column 15: a profile does not give the extension basicConstraints: a leaf is no CA (profile-owned-extension)
            error: a.toml line 2, column 15: a profile does not give the extension subjectAltName: each certificate has its own (profile-owned-extension)
            error: a.toml line 2, column 15: a profile does not give the extension cRLDistributionPoints: the CA has its URLs (profile-owned-extension)
            error: a.toml line 2, column 15: a profile does not give the extension authorityInfoAccess: the CA has its URLs (profile-owned-extension)
            error: a.toml line 2, column 23: anyExtendedKeyUsage allows every use: name the purposes (profile-any-purpose)
            error: a.toml line 2, column 23: anyExtendedKeyUsage allows every use: name the purposes (profile-any-purpose)
            error: a.toml line 2, column 23: OCSPSigning makes a responder of the CA: use base = "ocsp" (profile-ocsp-signing)
            error: a.toml line 3, column 23: OCSPSigning makes a responder of the CA: use base = "ocsp" (profile-ocsp-signing)
            error: a.toml line 2, column 23: timeStamping has to be the only purpose (profile-time-stamping)
            error: a.toml line 2, column 14: keyCertSign is for CAs only (profile-ca-bits)
            error: a.toml line 2, column 34: cRLSign is for CAs only (profile-ca-bits)
            error: a.toml line 2, column 15: the value of extension 1.2.3 is not one DER value (profile-extension-value)
            error: a.toml line 2, column 15: the value of extension 1.2.3 is not one DER value (profile-extension-value)
            error: a.toml line 2, column 15: the value of extension 1.2.3 is not one DER value (profile-extension-value)
            error: a.toml line 2, column 15: the value of extension 1.2.3 is not one DER value (profile-extension-value)
            error: a.toml line 2, column 37: "1.3.6.1.5.5.7.3.2" is given twice (profile-duplicate)
            error: a.toml line 2, column 32: "1.2.3" is given twice (profile-duplicate)
            error: a.toml line 2, column 8: 31 days exceed the max_days of 30 (profile-days)
            error: a.toml line 2, column 8: "other" is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp (profile-value)
            error: a.toml line 2, column 11: {cn} is the only substitution in a subject: "/CN={san}" (profile-value)
            error: a.toml line 2, column 16: "email": the object identifier is not valid: write 1.2.3 (profile-value)
            error: a.toml line 2, column 13: anyPolicy is not a policy of a certificate: name the policies (profile-value)
            error: a.toml line 1, column 10: extended_key_usage is empty: name the purposes (profile-value)
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

#[test]
fn files_that_are_no_profiles_are_refused_with_the_place() {
    let sandbox = Sandbox::with_open_ca();
    let mut said = String::new();
    for file in [
        "",
        "[profile.a",
        "profile = 3",
        "[profile]\na = 3",
        "[other.a]\nx = 1",
        "[profile.a]\nx = 1",
        "[profile.a]\ndays = 0",
        "[profile.a]\ndays = \"x\"",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\" }]",
        "[profile.a]\nextensions = [{ oid = \"1.2.3\", hex = \"0500\", base64 = \"BQA=\" }]",
        "\u{feff}[profile.a]\nbase = \"x\"",
    ] {
        sandbox.write("a.toml", file);
        said += &sandbox.refusal(sandbox.pki("profile add a.toml"), 1, "invalid-profile");
    }
    assert_text(
        &said,
        expect![[r#"
            error: a.toml has no table [profile.NAME]
            hint: `pki profile --example` prints an example
            error: a.toml line 1, column 11: unclosed table, expected `]`
            error: a.toml line 1, column 1: the file has tables [profile.NAME], and nothing else
            error: a.toml line 2, column 5: invalid type: integer `3`, expected a table of a profile
            error: a.toml line 1, column 2: the file has tables [profile.NAME], and nothing else
            error: a.toml line 2, column 1: unknown field `x`, expected one of `base`, `extended_key_usage`, `key_usage`, `days`, `max_days`, `subject`, `other_names`, `must_staple`, `policies`, `extensions`
            error: a.toml line 2, column 8: invalid value: integer `0`, expected a nonzero u32
            error: a.toml line 2, column 8: invalid type: string "x", expected a nonzero u32
            error: a.toml line 2, column 15: the value of an extension is given with hex or with base64 (profile-value)
            error: a.toml line 2, column 15: the value of an extension is given with hex or with base64 (profile-value)
            error: a.toml line 2, column 8: "x" is not a profile; use client, server, peer, email, code-signing, ocsp or timestamp (profile-value)
        "#]],
    );
}

#[test]
fn a_certificate_stays_within_its_profile() {
    let sandbox = with_profile("max_days = 30\nsubject = \"/O=Example/CN={cn}\"");
    let before = sandbox.store_snapshot();
    let issue = |options: &str| {
        sandbox
            .pki("issue --ca intermediate0 --profile own")
            .words(options)
    };
    sandbox.refused(
        issue("--cn a --days 31"),
        1,
        "validity-exceeds-profile",
        expect![[r#"
            error: the validity exceeds the 30 days that profile own allows (profile-days)
            hint: use --days 30 or less
        "#]],
    );
    sandbox.refused(
        issue("--cn a --san other:1.2.3.4;UTF8:text"),
        1,
        "san-not-allowed",
        expect![[r#"
            error: profile own does not allow SANs of type 1.2.3.4 (profile-other-name)
            hint: add "1.2.3.4" to other_names of profile own, or use a profile that has it
        "#]],
    );
    sandbox.refused(
        issue("--san a.example.test"),
        1,
        "name-required",
        expect![[r#"
            error: the subject of profile own needs a common name
            hint: give one with --cn
        "#]],
    );
    sandbox.refused(
        sandbox.pki("issue --ca intermediate0 --cn a --profile king"),
        1,
        "profile-not-found",
        expect![[r#"
            error: "king" is not a profile; use client, server, peer, email, code-signing, ocsp, timestamp or own
            hint: `pki profile add FILE` adds profiles to the store
        "#]],
    );
    before.assert_unchanged(&sandbox.path("pki"));
}

/// RFC 3279 for RSA, RFC 8813 for elliptic curves.
#[test]
fn a_key_usage_that_the_key_lacks_is_refused() {
    for (usage, key_type) in [("keyEncipherment", "p256"), ("keyAgreement", "rsa2048")] {
        let sandbox = with_profile(&format!("key_usage = [\"digitalSignature\", \"{usage}\"]"));
        let issue = "issue --ca intermediate0 --cn a --profile own --key-type";
        let code = "key-usage-unsupported";
        let said = sandbox.refusal(sandbox.pki(issue).arg(key_type), 1, code);
        assert!(said.contains("(profile-key-usage)"), "{said}");
        let other = ["rsa2048", "p256"][usize::from(key_type == "rsa2048")];
        sandbox.pki(issue).arg(other).succeeds();
    }
}

/// A renewal issues with the profile as it is now, and the names and the key of the old certificate.
#[test]
fn a_renewal_stays_within_the_changed_profile() {
    for (before, after, code) in [
        ("other_names = [\"1.2.3.4\"]", "days = 9", "san-not-allowed"),
        (
            "key_usage = [\"digitalSignature\"]",
            "key_usage = [\"keyEncipherment\"]",
            "key-usage-unsupported",
        ),
    ] {
        let sandbox = with_profile(before);
        let san = ["", "--san other:1.2.3.4;UTF8:text"][usize::from(code == "san-not-allowed")];
        let issue = "issue --ca intermediate0 --cn a --profile own";
        sandbox.pki(issue).words(san).succeeds();
        sandbox.write("own.toml", format!("[profile.own]\n{after}\n"));
        sandbox.refusal(sandbox.pki("profile add own.toml"), 1, "profile-exists");
        sandbox.pki("profile add own.toml --force").succeeds();
        let renew = sandbox.pki("renew --ca intermediate0 --cn a");
        sandbox.refusal(renew, 1, code);
    }
}

/// Types of otherName that have a form of their own are held to it.
#[test]
fn an_other_name_has_the_form_of_its_type() {
    let sandbox = with_profile(
        "other_names = [\"upn\", \"1.3.6.1.5.5.7.8.9\"]\nkey_usage = [\"digitalSignature\"]",
    );
    for san in [
        "other:1.3.6.1.4.1.311.20.2.3;UTF8:nobody",
        "other:1.3.6.1.4.1.311.20.2.3;IA5:ada@corp.example.test",
        "other:1.3.6.1.5.2.2;UTF8:ada@EXAMPLE.TEST",
        "other:1.3.6.1.5.5.7.8.9;UTF8:ada@example.test",
    ] {
        let issue = sandbox.pki("issue --ca intermediate0 --cn a --profile own --san");
        sandbox.refusal(issue.arg(san), 1, "invalid-san");
    }
    let text = "other:1.3.6.1.4.1.311.20.2.3;UTF8:ada@corp.example.test";
    let issue = sandbox.pki("--format json issue --ca intermediate0 --cn a --profile own --san");
    let issued = issue.arg(text).succeeds().json();
    assert_eq!(issued["sans"][0], "upn:ada@corp.example.test");
}

#[test]
fn files_beyond_the_limits_are_refused() {
    let sandbox = Sandbox::with_open_ca();
    let purposes = "\"clientAuth\",".repeat(1001);
    let many = format!("[profile.a]\nextended_key_usage = [{purposes}]\n");
    sandbox.write("a.toml", many);
    let add = "profile add a.toml";
    sandbox.refusal(sandbox.pki(add), 1, "invalid-profile");
    let profiles = (0..1001).map(|number| format!("[profile.p{number}]\n"));
    sandbox.write("a.toml", profiles.collect::<String>());
    sandbox.refusal(sandbox.pki(add), 1, "invalid-profile");
    let value = format!("0482ea60{}", "00".repeat(60_000));
    let large = (0..10).map(|number| {
        format!("[profile.p{number}]\nextensions = [{{ oid = \"1.2.3\", hex = \"{value}\" }}]\n")
    });
    sandbox.write("a.toml", large.collect::<String>());
    sandbox.refusal(sandbox.pki(add), 1, "file-too-large");
    assert!(!sandbox.path("pki/profiles.toml").exists());
}

/// The CA is one of openssl: pki gives its CAs neither purposes nor policies.
#[test]
fn a_certificate_stays_within_its_ca() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("limited")).unwrap();
    sandbox
        .run("openssl", "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc")
        .words("-keyout limited/ca.key -out limited/ca.crt -subj /CN=limited -days 100")
        .words("-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign")
        .words("-addext extendedKeyUsage=clientAuth,OCSPSigning -addext certificatePolicies=1.2.3")
        .succeeds();
    sandbox
        .pki("import --openssl limited --name limited --no-passphrase")
        .succeeds();
    sandbox.write(
        "profiles.toml",
        "[profile.outside]\npolicies = [{ oid = \"1.2.4\" }]\n[profile.inside]\npolicies = [{ oid = \"1.2.3\" }]\n",
    );
    sandbox.pki("profile add profiles.toml").succeeds();
    let issue = |options: &str| sandbox.pki("issue --ca limited --cn a.test").words(options);
    sandbox.refused(issue("--profile server"), 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=limited does not allow the purpose serverAuth (purposes_are_inside_those_of_the_cas, RFC 5280 4.2.1.12)
    "#]]);
    sandbox.refused(issue("--profile outside"), 1, "lint-failed", expect![[r#"
        error: the certificate fails lint
        caused by: CN=limited does not have the policy 1.2.4 (policies_are_inside_those_of_the_cas, RFC 5280 6.1.3)
    "#]]);
    issue("--profile inside").succeeds();
    issue("--profile ocsp").succeeds();
}

crate::engine::also_in_a_database! {
    a_certificate_stays_within_its_profile, a_key_usage_that_the_key_lacks_is_refused,
    a_renewal_stays_within_the_changed_profile, an_other_name_has_the_form_of_its_type,
    files_beyond_the_limits_are_refused, a_certificate_stays_within_its_ca,
}

crate::engine::soak_in_a_database! {
    each_rule_refuses_a_profile_by_name, files_that_are_no_profiles_are_refused_with_the_place,
}
