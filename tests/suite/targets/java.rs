//! `--for java`: PKCS #12 trust stores, which keytool and openssl judge.

mod check;

use std::fs;

use expect_test::expect;
use serde_json::Value;

use super::{P384, make, make_one, root};
use crate::run::{Run, Transcript, assert_same, assert_text};
use crate::sandbox::{PASSPHRASE, Sandbox};

/// Story 2's CAs, and a file with [`PASSPHRASE`].
fn three_tiers() -> Sandbox {
    let sandbox = Sandbox::with_three_tiers();
    sandbox.write("passphrase", PASSPHRASE);
    sandbox
}

/// `pki bundle --for java` under [`PASSPHRASE`].
fn bundle(sandbox: &Sandbox, options: &str) -> Run {
    let line = "--format json bundle --for java --passout file:passphrase";
    sandbox.pki(line).words(options)
}

fn keytool(sandbox: &Sandbox, file: &str, passphrase: &str) -> Transcript {
    let run = sandbox.run(
        "keytool",
        "-J-Duser.language=en -J-Dfile.encoding=UTF-8 -list -v -keystore",
    );
    let run = run.arg(file).words("-storetype PKCS12 -storepass");
    run.arg(passphrase).finish()
}

/// The aliases that Java knows of, each of a trusted certificate, sorted.
#[track_caller]
fn trusted_by_java(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let listed = keytool(sandbox, file, PASSPHRASE);
    let lines = |start: &str| {
        let lines = listed.stdout.lines();
        let values = lines.filter_map(|line| line.strip_prefix(start));
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut aliases = lines("Alias name: ");
    let kinds = lines("Entry type: ");
    assert_eq!(kinds.len(), aliases.len(), "{listed}");
    assert!(
        kinds.iter().all(|kind| kind == "trustedCertEntry"),
        "{listed}"
    );
    aliases.sort();
    aliases
}

/// The aliases in a report, in lower case as Java has them, sorted.
fn aliases(report: &Value) -> Vec<String> {
    let certificates = report["certificates"].as_array().unwrap().iter();
    let aliases = certificates.map(|entry| entry["alias"].as_str().unwrap().to_lowercase());
    let mut aliases = aliases.collect::<Vec<_>>();
    aliases.sort();
    aliases
}

#[test]
fn java_trusts_every_ca_under_its_name_in_the_store() {
    let sandbox = three_tiers();
    let report = bundle(&sandbox, "").succeeds().json();
    assert_eq!(report["file"], "truststore.p12");
    let names = ["intermediate0", "intermediate1", "intermediate2", "rootca"];
    assert_eq!(aliases(&report), names);
    assert_eq!(trusted_by_java(&sandbox, "truststore.p12"), names);
    let refused = keytool(&sandbox, "truststore.p12", "something else");
    assert_eq!(refused.status, Some(1), "{refused}");

    let shown = sandbox
        .run("openssl", "pkcs12 -info -nokeys -in truststore.p12")
        .words("-passin file:passphrase")
        .succeeds();
    assert_same(
        &shown.stderr,
        "MAC: sha256, Iteration 600000\n\
         MAC length: 32, salt length: 16\n\
         PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256\n\
         Certificate bag\nCertificate bag\nCertificate bag\nCertificate bag\n",
    );
    let usage = "2.16.840.1.113894.746875.1.1: <Unsupported tag 6>";
    assert_eq!(shown.stdout.matches(usage).count(), 4, "{shown}");
}

#[test]
fn the_text_says_the_aliases() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("passphrase", PASSPHRASE);
    let written = sandbox
        .pki("bundle --for java --passout file:passphrase")
        .succeeds();
    let text = written.stdout.lines().map(|line| {
        let (start, rest) = line.split_once(", expires ").unwrap_or((line, ""));
        let (_, alias) = rest.split_once(", ").unwrap_or_default();
        format!("{} {alias}", start.split("; the first").next().unwrap())
    });
    assert_eq!(
        text.collect::<Vec<_>>(),
        [
            "wrote 2 certificates to truststore.p12 ",
            "  1  CN=intermediate0 alias intermediate0",
            "  2  CN=rootCA alias rootCA",
        ]
    );
}

/// To Java, aliases that differ by capitals are one, and of two entries under it one is there.
#[test]
fn no_two_cas_have_an_alias_that_is_one_to_java() {
    let sandbox = three_tiers();
    sandbox
        .pki("root --name ROOTca --cn other --no-passphrase")
        .succeeds();
    make(
        &sandbox,
        &[
            root("rootCA"),
            root("twice"),
            root("plain"),
            root("認証局:1").options("-utf8"),
        ],
    );
    let second = make_one(&sandbox, &root("Twice").key(P384));
    sandbox.write("second.crt", second);
    let add = |files: &[&str]| {
        let words = files.iter().map(|file| format!(" --add {file}"));
        words.collect::<String>()
    };
    let cas = "--ca rootCA --ca ROOTca";
    let files = [
        "rootCA.crt",
        "twice.crt",
        "second.crt",
        "plain.crt",
        "認証局:1.crt",
    ];
    let report = bundle(&sandbox, cas).words(&add(&files)).succeeds().json();
    let all = aliases(&report);
    assert_eq!(all.len(), 7);
    assert_eq!(trusted_by_java(&sandbox, "truststore.p12"), all);
    let alias = |subject: &str, nth: usize| {
        let entries = report["certificates"].as_array().unwrap().iter();
        let mut named = entries.filter(|entry| entry["subject"] == subject);
        let entry = named.nth(nth).unwrap();
        let fingerprint = entry["fingerprint_sha256"].as_str().unwrap();
        let alias = entry["alias"].as_str().unwrap();
        alias.replace(&fingerprint[..16], "FINGERPRINT")
    };
    assert_eq!(alias("CN=plain", 0), "plain");
    assert_eq!(alias("CN=認証局:1", 0), "認証局-1");
    assert_eq!(alias("CN=twice", 0), "twice-FINGERPRINT");
    assert_eq!(alias("CN=Twice", 0), "Twice-FINGERPRINT");
    assert_eq!(alias("CN=other", 0), "ROOTca-FINGERPRINT");
    let mut of_root = [alias("CN=rootCA", 0), alias("CN=rootCA", 1)];
    of_root.sort();
    assert_eq!(of_root[0], of_root[1]);
    let mut reversed = files;
    reversed.reverse();
    let again = bundle(&sandbox, cas).words(&add(&reversed)).succeeds();
    assert_eq!(aliases(&again.json()), all);
}

#[test]
fn only_a_pkcs12_bundle_takes_a_passphrase() {
    let sandbox = three_tiers();
    let run = sandbox.pki("bundle --for java");
    let refusal = run.refusal(1, "passphrase-required");
    assert_text(
        &refusal,
        expect![[r#"
            error: no passphrase given for the trust store
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give one with --passout
        "#]],
    );
    // The environment speaks for keys of the store alone.
    let run = sandbox.with_passphrase("bundle --for java");
    assert_same(&run.refusal(1, "passphrase-required"), &refusal);
    let mut said = String::new();
    for line in [
        "bundle --passout file:passphrase",
        "bundle --for alb --passout file:passphrase",
        "bundle --check passphrase --passin file:passphrase",
    ] {
        said += &sandbox.pki(line).refusal(2, "usage");
    }
    assert_text(
        &said,
        expect![[r#"
            error: --passout needs --for java
            error: --passout needs --for java
            error: --passin needs --add, or --check with --for java
        "#]],
    );
    for passphrase in ["gefährlich", "tab\tulator"] {
        sandbox.write("odd", passphrase);
        sandbox.pki("bundle --for java --passout file:odd").refuses(
            1,
            "target-unsupported",
            expect![[r#"
                error: Java does not accept a passphrase with other characters than the printable ones of ASCII
            "#]],
        );
    }
    assert_eq!(sandbox.names_in("."), ["odd", "passphrase", "pki"]);
}

#[test]
fn only_a_trust_store_is_replaced_by_a_trust_store() {
    let sandbox = three_tiers();
    let subjects = |report: &Value, which: &str| {
        let entries = report["changes"][which].as_array().unwrap().iter();
        let subjects = entries.map(|entry| entry["subject"].as_str().unwrap().to_owned());
        subjects.collect::<Vec<_>>()
    };
    let first = bundle(&sandbox, "--ca intermediate0").succeeds().json();
    assert!(first["changes"].is_null());
    let second = bundle(&sandbox, "--ca intermediate1").succeeds().json();
    assert_eq!(subjects(&second, "added"), ["CN=intermediate1"]);
    assert_eq!(subjects(&second, "removed"), ["CN=intermediate0"]);
    assert_eq!(subjects(&second, "kept"), ["CN=rootCA"]);

    // What another passphrase opens may be a key store.
    sandbox.write("other", "another passphrase");
    let with_other = "bundle --for java --passout file:other";
    let before = fs::read(sandbox.path("truststore.p12")).unwrap();
    sandbox.pki(with_other).refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: truststore.p12 already exists and is not a trust store under this passphrase
            hint: use another file, or --force to replace it
        "#]],
    );
    assert_eq!(fs::read(sandbox.path("truststore.p12")).unwrap(), before);
    let forced = sandbox
        .pki("--format json")
        .words(with_other)
        .arg("--force");
    assert!(forced.succeeds().json()["changes"].is_null());

    for line in [
        "bundle --out bundle.pem",
        "issue --ca intermediate0 --cn someone",
        "export --ca intermediate0 --cn someone --for java --out . --passout file:passphrase",
    ] {
        sandbox.pki(line).succeeds();
    }
    let over_pem = bundle(&sandbox, "--out bundle.pem").succeeds().json();
    assert_eq!(subjects(&over_pem, "kept").len(), 4);
    let key_store = fs::read(sandbox.path("someone.p12")).unwrap();
    bundle(&sandbox, "--out someone.p12").refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: someone.p12 already exists and is not a trust store under this passphrase
            hint: use another file, or --force to replace it
        "#]],
    );
    assert_eq!(fs::read(sandbox.path("someone.p12")).unwrap(), key_store);
    // And nothing that reads PEM is made of it in passing.
    sandbox.pki("bundle --out truststore.p12").refuses(
        1,
        "file-foreign",
        expect![[r#"
            error: truststore.p12 already exists and is not a bundle
            hint: use another file, or --force to replace it
        "#]],
    );
}

#[test]
fn a_trust_store_goes_to_standard_output() {
    let sandbox = three_tiers();
    let line = "\"$0\" bundle --for java --passout file:passphrase --out - >out.p12";
    let run = sandbox.run("sh", "-c").arg(line);
    run.arg(env!("CARGO_BIN_EXE_pki")).succeeds();
    assert_eq!(trusted_by_java(&sandbox, "out.p12").len(), 4);
    assert_eq!(sandbox.names_in("."), ["out.p12", "passphrase", "pki"]);
}
