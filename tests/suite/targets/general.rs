//! The rules for every trust store.

use expect_test::expect;

use super::{
    Authority, P256, P384, assert_judged, chain, key_file, make, make_one, root, roots, rules,
};
use crate::run::assert_text;
use crate::sandbox::Sandbox;

/// A test a line: a set of CAs, and the rules that it breaks whoever reads it.
macro_rules! broken {
    ($($name:ident: $authorities:expr => $errors:expr, $warnings:expr;)+) => {
        $(#[test]
        fn $name() {
            let sandbox = Sandbox::new();
            let authorities: Vec<Authority> = $authorities.into();
            let pem = make(&sandbox, &authorities);
            let report = assert_judged(&sandbox, "", pem, &$errors);
            let warnings: &[&str] = &$warnings;
            assert_eq!(rules(&report, "warning"), warnings);
        })+
    };
}

broken! {
    a_root_is_fine: roots(1) => [], [];
    one_key_in_two_certificates_is_a_warning: chain(2) => [], ["one-certificate-a-key"];
    one_subject_with_two_keys_is_a_warning: [root("r"), root("r").key(P384)] => [], ["one-key-a-subject"];
    a_leaf: [root("r").basic_constraints("critical, CA:FALSE").key_usage("critical, digitalSignature")] => ["only-cas"], [];
    basic_constraints_that_are_not_critical: [root("r").basic_constraints("CA:TRUE")] => [], ["basic-constraints-critical"];
    a_ca_without_key_cert_sign: [root("r").key_usage("critical, cRLSign")] => ["key-cert-sign"], [];
    a_ca_without_crl_sign_is_a_warning: [root("r").key_usage("critical, keyCertSign")] => [], ["crl-sign"];
    a_ca_that_ends_soon_is_a_warning: [root("r").options("-days 29")] => [], ["ends-soon"];
    a_ca_that_ends_later_is_fine: [root("r").options("-days 31")] => [], [];
    a_path_longer_than_a_ca_allows: [
        root("a").basic_constraints("critical, CA:TRUE, pathlen:1"),
        root("b").under("a"),
        root("c").under("b"),
    ] => ["path-length"], ["one-certificate-a-key"];
    a_path_as_long_as_a_ca_allows: [
        root("a").basic_constraints("critical, CA:TRUE, pathlen:1"),
        root("b").under("a"),
    ] => [], ["one-certificate-a-key"];
}

/// A root with these extensions, by a configuration of its own.
fn root_with(sandbox: &Sandbox, extensions: &str) -> String {
    sandbox.write(
        "own.cnf",
        format!("[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\nCN = own\n[ca]\nsubjectKeyIdentifier = hash\n{extensions}"),
    );
    let key = key_file(sandbox, P256);
    let line = format!("req -x509 -new -config own.cnf -key {key} -out own.crt -days 365");
    sandbox.run("openssl", &line).succeeds();
    sandbox.read("own.crt")
}

#[test]
fn absent_key_usage_is_a_warning_and_an_error_by_the_target() {
    let sandbox = Sandbox::new();
    let pem = root_with(&sandbox, "basicConstraints = CA:TRUE\n");
    let warnings = ["basic-constraints-critical", "key-usage-absent"];
    for target in ["", "--for nginx", "--for alb", "--for azure", "--for node"] {
        let report = assert_judged(&sandbox, target, &pem, &[]);
        assert_eq!(rules(&report, "warning"), warnings, "{target}");
    }
    for target in ["--for roles-anywhere", "--for gcp"] {
        let report = assert_judged(&sandbox, target, &pem, &["key-cert-sign"]);
        assert!(
            report["findings"].to_string().contains("keyUsage"),
            "{report}"
        );
    }
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let written = sandbox.pki("bundle --ca rootCA --add own.crt --for nginx --out t.pem");
    let written = written.succeeds();
    for rule in warnings {
        assert!(written.stderr.contains(rule), "{written}");
    }
    let refused = sandbox.pki("bundle --ca rootCA --add own.crt --for gcp --out u.pem");
    refused.ends_with(1);
    assert!(!sandbox.path("u.pem").exists());
}

#[test]
fn key_usage_that_is_there_is_held_to_by_every_target() {
    let sandbox = Sandbox::new();
    for usage in ["digitalSignature", "critical, cRLSign"] {
        let extensions = format!("basicConstraints = CA:TRUE\nkeyUsage = {usage}\n");
        let pem = root_with(&sandbox, &extensions);
        for target in ["", "--for nginx", "--for gcp"] {
            assert_judged(&sandbox, target, &pem, &["key-cert-sign"]);
        }
    }
}

/// Two certificates of a root's key, as after a renewal.
#[test]
fn a_renewed_root_beside_the_one_before_is_fine() {
    let sandbox = Sandbox::new();
    let old = make(&sandbox, &[root("r").options("-days 20")]);
    let new = make_one(&sandbox, &root("r"));
    let report = assert_judged(&sandbox, "", old.clone() + &new, &[]);
    assert_eq!(rules(&report, "warning"), [""; 0]);
    let report = assert_judged(&sandbox, "", old, &[]);
    assert_eq!(rules(&report, "warning"), ["ends-soon"]);
}

/// OpenSSL takes it for no root.
#[test]
fn a_root_that_names_another_certificate_is_a_warning() {
    let sandbox = Sandbox::new();
    let extensions = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nauthorityKeyIdentifier = keyid:always, issuer:always\n";
    let own = root_with(&sandbox, extensions);
    let report = assert_judged(&sandbox, "", &own, &[]);
    assert_eq!(rules(&report, "warning"), [""; 0]);
    let key = key_file(&sandbox, P256);
    let line = format!("x509 -in own.crt -signkey {key} -set_serial 77 -days 300 -out other.crt");
    sandbox.run("openssl", &line).succeeds();
    let other = sandbox.read("other.crt");
    let report = assert_judged(&sandbox, "", &other, &[]);
    assert_eq!(rules(&report, "warning"), ["names-other-root"]);
    let findings = report["findings"].to_string();
    let says = "missing: the certificate of CN=own with serial number ";
    assert!(findings.contains(says), "{findings}");
    let report = assert_judged(&sandbox, "", other + &own, &[]);
    assert_eq!(rules(&report, "warning"), [""; 0]);
}

/// Without a serial number there is none to be told.
#[test]
fn a_root_that_names_another_issuer_or_key_is_told_in_words() {
    let sandbox = Sandbox::new();
    let ca = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n";
    for (identifier, says) in [
        // [1] CN=cb
        (
            "3013A111A40F300D310B300906035504030C026362",
            "the issuer of CN=own is missing: a certificate of CN=own with the named issuer;",
        ),
        // [0] 05
        (
            "3003800105",
            "the issuer of CN=own is missing: a certificate of CN=own with another key identifier;",
        ),
        // [2] 05
        (
            "3003820105",
            "the issuer of CN=own is missing: the certificate of CN=own with serial number 05;",
        ),
    ] {
        let pem = root_with(
            &sandbox,
            &format!("{ca}authorityKeyIdentifier = DER:{identifier}\n"),
        );
        let report = assert_judged(&sandbox, "", &pem, &[]);
        assert_eq!(rules(&report, "warning"), ["names-other-root"]);
        let findings = report["findings"].to_string();
        assert!(findings.contains(says), "{findings}");
    }
    // One that is not DER names nobody.
    let pem = root_with(
        &sandbox,
        &format!("{ca}authorityKeyIdentifier = DER:300482020005\n"),
    );
    let report = assert_judged(&sandbox, "", &pem, &["well-formed"]);
    assert_eq!(rules(&report, "warning"), [""; 0]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
}

/// Each held against each would take minutes.
#[test]
fn thousands_of_roots_naming_another_are_judged_in_seconds() {
    let sandbox = Sandbox::new();
    let pem = root_with(
        &sandbox,
        "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nauthorityKeyIdentifier = DER:3003820105\n",
    );
    sandbox.write("own.pem", pem.repeat(10_000));
    let run = sandbox.run("prlimit", "--cpu=30");
    let run = run.arg(env!("CARGO_BIN_EXE_pki"));
    run.words("bundle --check own.pem").ends_with(3);
}

#[test]
fn a_certificate_that_is_in_it_twice() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1)).repeat(2);
    assert_judged(&sandbox, "", pem, &["each-once"]);
}

#[test]
fn a_path_without_its_root() {
    let sandbox = Sandbox::new();
    make(&sandbox, &chain(2));
    assert_judged(&sandbox, "", sandbox.read("c1.crt"), &["issuer-missing"]);
    // What is registered alone has its issuer elsewhere.
    assert_judged(&sandbox, "--for iot", sandbox.read("c1.crt"), &[]);
}

#[test]
fn an_issuer_of_the_right_name_and_another_key() {
    let sandbox = Sandbox::new();
    make(&sandbox, &[root("a"), root("b").under("a")]);
    let other = make_one(&sandbox, &root("a").key(P384));
    let pem = sandbox.read("b.crt") + &other;
    assert_judged(&sandbox, "", pem, &["issuer-signature"]);
}

#[test]
fn a_certificate_of_version_1() {
    let sandbox = Sandbox::new();
    for line in [
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout old.key -subj /CN=old -out old.csr",
        "x509 -req -in old.csr -signkey old.key -out old.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    assert_judged(&sandbox, "", sandbox.read("old.crt"), &["version-3"]);
}

#[test]
fn a_ca_that_is_not_valid_now_and_one_with_a_rare_key() {
    let sandbox = Sandbox::new();
    for line in [
        "--store early root --name early --not-before 1d --no-passphrase",
        "--store late root --name late --not-before=-2d --not-after=-1d --no-passphrase",
        "--store rare root --name rare --key-type ml-dsa-44 --no-passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let early = sandbox.read("early/early/ca.crt");
    assert_judged(&sandbox, "", early, &["valid-now"]);
    let late = sandbox.read("late/late/ca.crt");
    assert_judged(&sandbox, "", late, &["valid-now"]);
    let report = assert_judged(&sandbox, "", sandbox.read("rare/rare/ca.crt"), &[]);
    assert_eq!(rules(&report, "warning"), ["rare-key-type"]);
}

#[test]
fn what_is_no_certificate_is_named() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1));
    let key = sandbox.read(key_file(&sandbox, P256));
    assert_judged(&sandbox, "", format!("{pem}{key}"), &["only-certificates"]);
    let none = ["no-certificate", "readable"];
    assert_judged(&sandbox, "", "", &none);
    assert_judged(&sandbox, "", "neither\n", &none);
    let cut_off = pem.split_inclusive('\n').take(3).collect::<String>();
    assert_judged(&sandbox, "", cut_off, &none);
    let trusted = pem.replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    assert_judged(&sandbox, "", trusted, &["certificate-label"]);
}

#[test]
fn der_and_pkcs7_are_read_and_said_not_to_be_what_servers_read() {
    let sandbox = Sandbox::new();
    make(&sandbox, &chain(2));
    sandbox.write("all.pem", sandbox.read("c1.crt") + &sandbox.read("c0.crt"));
    for line in [
        "x509 -in c0.crt -outform DER -out c0.der",
        "crl2pkcs7 -nocrl -certfile all.pem -out all.p7b",
        "crl2pkcs7 -nocrl -certfile all.pem -outform DER -out all.p7b.der",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    let judged = |file: &str, errors: &[&str]| {
        let content = std::fs::read(sandbox.path(file)).unwrap();
        let report = assert_judged(&sandbox, "", content, errors);
        report["certificates"].as_array().unwrap().len()
    };
    assert_eq!(judged("c0.der", &["pem"]), 1);
    assert_eq!(judged("all.p7b", &["only-certificates"]), 2);
    assert_eq!(judged("all.p7b.der", &["only-certificates", "pem"]), 2);
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    let added = sandbox.pki("--format json bundle --add all.p7b --out t.pem");
    let added = added.succeeds().json();
    assert_eq!(added["certificates"].as_array().unwrap().len(), 3);
}

#[test]
fn the_text_names_every_finding() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1)).repeat(2);
    sandbox.write("twice.pem", format!("\n{pem}"));
    let judged = sandbox
        .pki("bundle --check twice.pem --for alb")
        .ends_with(3);
    assert_text(
        &judged.stdout,
        expect![[r#"
            twice.pem does not fit AWS Application Load Balancer: 2 errors
              error: blank-line  line 1: it is blank
              error: each-once   CN=r0 occurs more than once
        "#]],
    );
    assert_eq!(judged.stderr, "");
    sandbox.pki("bundle --check missing.pem").refuses(
        1,
        "file-not-found",
        expect![[r#"
            error: could not read missing.pem
            caused by: No such file or directory (os error 2)
        "#]],
    );
}
