//! `--check` with `--for java`: trust stores of keytool, openssl and Python's cryptography.

use std::fs;

use expect_test::expect;
use serde_json::Value;

use super::super::{P384, make, root, roots, rules};
use super::{aliases, bundle, keytool, trusted_by_java};
use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// Judges a file as Java would, and requires these errors, and these warnings.
#[track_caller]
fn assert_judged(sandbox: &Sandbox, file: &str, errors: &[&str], warnings: &[&str]) -> Value {
    let line = format!("--format json bundle --for java --passin file:passphrase --check {file}");
    let judged = sandbox.pki(&line).finish();
    let status = if errors.is_empty() { 0 } else { 3 };
    assert_eq!(judged.status, Some(status), "{judged}");
    let report = judged.json();
    assert_eq!(rules(&report, "error"), errors, "{judged}");
    assert_eq!(rules(&report, "warning"), warnings, "{judged}");
    report
}

/// A root in `r0.crt`, and a file with [`PASSPHRASE`].
fn with_a_root() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("passphrase", PASSPHRASE);
    make(&sandbox, &roots(1));
    sandbox
}

fn python(sandbox: &Sandbox, entries: &[&str]) {
    let run = sandbox
        .python("java_truststore.py")
        .arg("store.p12")
        .arg(PASSPHRASE);
    entries.iter().fold(run, Run::arg).succeeds();
}

#[test]
fn ours_and_those_of_keytool_and_of_python_fit() {
    let sandbox = with_a_root();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    bundle(&sandbox, "").succeeds();
    let report = assert_judged(&sandbox, "truststore.p12", &[], &[]);
    assert_eq!(aliases(&report), ["rootca"]);
    python(&sandbox, &["One Name=r0.crt"]);
    let report = assert_judged(&sandbox, "store.p12", &[], &[]);
    assert_eq!(report["certificates"][0]["alias"], "One Name");
    assert_eq!(report["certificates"][0]["subject"], "CN=r0");
    // SHA-1 and SHA-512 under the MAC, AES-128 and 3DES, and no encryption at all.
    for (file, properties) in [
        ("usual.p12", ""),
        (
            "aes128.p12",
            "certProtectionAlgorithm=PBEWithHmacSHA1AndAES_128 macAlgorithm=HmacPBESHA512",
        ),
        (
            "3des.p12",
            "certProtectionAlgorithm=PBEWithSHA1AndDESede macAlgorithm=HmacPBESHA1",
        ),
        (
            "plain.p12",
            "certProtectionAlgorithm=NONE macAlgorithm=HmacPBESHA384",
        ),
    ] {
        let run = sandbox.run("keytool", "-importcert -noprompt -alias named -file r0.crt");
        let run = run
            .arg("-keystore")
            .arg(file)
            .arg("-storepass")
            .arg(PASSPHRASE);
        let properties = properties.split_whitespace();
        properties
            .fold(run, |run, property| {
                run.arg(format!("-J-Dkeystore.pkcs12.{property}"))
            })
            .succeeds();
        let report = assert_judged(&sandbox, file, &[], &[]);
        assert_eq!(report["certificates"][0]["alias"], "named", "{file}");
    }
}

/// Java before 17 encrypts certificates with RC2.
#[test]
fn a_store_of_old_java_is_opened() {
    let sandbox = with_a_root();
    let run = sandbox.run(
        "keytool",
        "-importcert -noprompt -alias named -file r0.crt -keystore old.p12",
    );
    let run = run
        .words("-J-Dkeystore.pkcs12.legacy -storepass")
        .arg(PASSPHRASE);
    run.succeeds();
    let report = assert_judged(&sandbox, "old.p12", &[], &[]);
    assert_eq!(report["certificates"][0]["alias"], "named");
}

#[test]
fn each_rule_of_a_trust_store_for_java_is_broken_alone() {
    let sandbox = with_a_root();
    let openssl = |line: &str| {
        let run = sandbox.run(
            "openssl",
            "pkcs12 -export -passout file:passphrase -out made.p12",
        );
        run.words(line).succeeds();
        "made.p12"
    };
    let file = openssl("-nokeys -in r0.crt -name named");
    assert_judged(&sandbox, file, &["trust-attribute"], &["alias-missing"]);
    python(&sandbox, &["=r0.crt"]);
    assert_judged(&sandbox, "store.p12", &[], &["alias-missing"]);
    assert_eq!(trusted_by_java(&sandbox, "store.p12"), ["1"]);
    make(&sandbox, &[root("other").key(P384)]);
    python(&sandbox, &["name=r0.crt", "NAME=other.crt"]);
    assert_judged(&sandbox, "store.p12", &["alias-once"], &[]);
    assert_eq!(trusted_by_java(&sandbox, "store.p12"), ["name"]);
    assert_judged(&sandbox, "r0.crt", &["pkcs12"], &[]);
    let line = "x509 -in r0.crt -outform DER -out r0.der";
    sandbox.run("openssl", line).succeeds();
    assert_judged(&sandbox, "r0.der", &["pkcs12"], &[]);

    // The same trust store without its MAC, which is the last of the three in the outer SEQUENCE.
    python(&sandbox, &["name=r0.crt"]);
    without_mac(&sandbox, "store.p12");
    assert_judged(&sandbox, "store.p12", &["mac-missing"], &[]);
    let shown = keytool(&sandbox, "store.p12", PASSPHRASE).stdout;
    assert!(shown.contains("trustedCertEntry"), "{shown}");

    // Where nothing is encrypted either, no passphrase is asked for.
    let none = ["certProtectionAlgorithm", "macAlgorithm"];
    let none = none.map(|what| format!("-J-Dkeystore.pkcs12.{what}=NONE"));
    let run = sandbox.run("keytool", "-importcert -noprompt -alias named -file r0.crt");
    let run = run.words("-keystore open.p12 -storepass irrelevant");
    none.iter().fold(run, Run::arg).succeeds();
    let line = "--format json bundle --for java --check open.p12";
    let judged = sandbox.pki(line).ends_with(3);
    assert_eq!(rules(&judged.json(), "error"), ["mac-missing"]);
}

/// Takes the MacData out of a PFX of more than 255 bytes.
fn without_mac(sandbox: &Sandbox, file: &str) {
    let parsed = sandbox
        .run("openssl", "asn1parse -inform DER -in")
        .arg(file);
    let parsed = parsed.succeeds();
    let mut outer = parsed.stdout.lines().filter(|line| line.contains(":d=1 "));
    let mac = outer.next_back().unwrap().split(':').next().unwrap().trim();
    let mac: usize = mac.parse().unwrap();
    let mut pfx = fs::read(sandbox.path(file)).unwrap();
    pfx.truncate(mac);
    let length = u16::try_from(mac - 4).unwrap();
    assert_eq!(pfx[..2], [0x30, 0x82]);
    pfx[2..4].copy_from_slice(&length.to_be_bytes());
    sandbox.write(file, pfx);
}

#[test]
fn a_key_store_is_no_trust_store() {
    let sandbox = Sandbox::with_open_ca();
    sandbox.write("passphrase", PASSPHRASE);
    sandbox
        .pki("issue --ca intermediate0 --cn someone")
        .succeeds();
    let line =
        "export --ca intermediate0 --cn someone --for java --out . --passout file:passphrase";
    sandbox.pki(line).succeeds();
    let errors = ["only-cas", "only-certificates", "trust-attribute"];
    assert_judged(&sandbox, "someone.p12", &errors, &["alias-missing"]);
}

#[test]
fn the_passphrase_is_held_to_the_characters_of_java() {
    let sandbox = with_a_root();
    python(&sandbox, &["name=r0.crt"]);
    let check = "bundle --for java --check store.p12";
    sandbox.pki(check).refuses(
        1,
        "passphrase-required",
        expect![[r#"
            error: no passphrase given for the PKCS #12 file store.p12
            caused by: no prompt is possible: there is no terminal, or --no-input is set
            hint: give it with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE
        "#]],
    );
    sandbox.with_passphrase(check).succeeds();
    sandbox.write("other", "something else");
    sandbox.pki(check).words("--passin file:other").refuses(
        1,
        "passphrase-wrong",
        expect![[r#"
            error: store.p12 is not a PKCS #12 file that can be opened
            caused by: the passphrase is wrong
            hint: give the correct one with --passin, PKI_PASSPHRASE_FILE or PKI_PASSPHRASE
        "#]],
    );
    // Whoever reads PEM asks for none.
    let judged = sandbox
        .pki("--format json bundle --check store.p12")
        .ends_with(3);
    let errors = ["no-certificate", "only-certificates"];
    assert_eq!(rules(&judged.json(), "error"), errors);
    let says = "object 1 is PKCS #12; check it as a trust store with --for java";
    assert!(judged.stdout.contains(says), "{judged}");
    let line = "pkcs12 -export -nokeys -in r0.crt -passout pass:tab\tulator -out store.p12";
    let run = line.split(' ').fold(sandbox.run("openssl", ""), Run::arg);
    run.succeeds();
    sandbox.write("passphrase", "tab\tulator");
    let errors = ["ascii-passphrase", "trust-attribute"];
    assert_judged(&sandbox, "store.p12", &errors, &["alias-missing"]);
    let refused = keytool(&sandbox, "store.p12", "tab\tulator");
    assert_eq!(refused.status, Some(1), "{refused}");
}

/// Ten million rounds take some seconds; more are not even begun.
#[test]
fn a_file_with_more_rounds_than_anyone_waits_for_is_refused() {
    let sandbox = with_a_root();
    for (part, encryption) in [
        ("mac", ""),
        ("bags", "-nomac -certpbe AES-256-CBC"),
        ("bags", "-nomac -certpbe PBE-SHA1-3DES"),
    ] {
        let run = sandbox.run("openssl", "pkcs12 -export -nokeys -in r0.crt");
        run.words("-passout file:passphrase -out slow.p12")
            .words(encryption)
            .succeeds();
        let run = sandbox.python("p12_rounds.py").arg("slow.p12");
        run.words(part).arg("10000001").succeeds();
        let line = "bundle --for java --passin file:passphrase --check slow.p12";
        sandbox.pki(line).refuses(
            1,
            "key-encryption-unsupported",
            expect![[r#"
                error: slow.p12 is not a PKCS #12 file that can be opened
                caused by: its encryption is not supported: an iteration count of 10000001 is too high
                hint: write a new one with `keytool -importkeystore` or `openssl pkcs12`
            "#]],
        );
    }
}

#[test]
fn a_file_that_is_cut_off_or_has_other_octets_is_refused() {
    let sandbox = with_a_root();
    python(&sandbox, &["name=r0.crt"]);
    let whole = fs::read(sandbox.path("store.p12")).unwrap();
    sandbox.write("cut.p12", &whole[..whole.len() - 1]);
    let errors = ["no-certificate", "pkcs12", "readable"];
    assert_judged(&sandbox, "cut.p12", &errors, &[]);
    // An byte of each part: none is read as if it were right, and none ends the program.
    for place in (0..whole.len()).step_by(61) {
        let mut altered = whole.clone();
        altered[place] ^= 1;
        sandbox.write("altered.p12", &altered);
        let line = "bundle --for java --passin file:passphrase --check altered.p12";
        let judged = sandbox.pki(line).finish();
        assert!(matches!(judged.status, Some(1 | 3)), "{place}: {judged}");
    }
}

/// The form that was Java's own before: named, with the command that converts it.
#[test]
fn a_jks_key_store_is_named_and_can_be_converted_as_it_is_said() {
    let sandbox = with_a_root();
    sandbox
        .run("keytool", "-importcert -noprompt -alias one -file r0.crt")
        .words("-storetype JKS -keystore store.jks -storepass")
        .arg(PASSPHRASE)
        .succeeds();
    let errors = ["no-certificate", "pkcs12", "readable"];
    let report = assert_judged(&sandbox, "store.jks", &errors, &[]);
    let findings = report["findings"].as_array().unwrap().iter();
    let mut messages = findings.map(|finding| finding["message"].as_str().unwrap());
    let said =
        messages.find_map(|message| message.strip_prefix("it is a JKS key store: `keytool "));
    let (line, _) = said.unwrap().split_once('`').unwrap();
    let line = line
        .replace("FILE", "store.jks")
        .replace("NEW.p12", "new.p12");
    sandbox
        .run("keytool", &line)
        .words("-srcstorepass:file passphrase -deststorepass:file passphrase")
        .succeeds();
    assert_judged(&sandbox, "new.p12", &[], &[]);
}
