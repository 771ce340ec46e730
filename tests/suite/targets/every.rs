//! The rules for every trust store, with every target: a rule that is broken alone is the one that is
//! named.

use super::{P384, assert_judged, chain, make, make_one, root, roots, rules, targets};
use crate::run::Run;
use crate::sandbox::{PASSPHRASE, Sandbox};

/// Targets that take comments beside certificates.
const WITH_COMMENTS: [&str; 3] = ["alb", "nlb", "cloudfront"];

/// A rule, files that break it alone, and the targets with which they break another one too, or none,
/// because of the form that these want.
type Broken = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const BROKEN: [Broken; 11] = [
    ("only-cas", &["leaf.crt"], &[]),
    ("version-3", &["old.crt"], &[]),
    ("key-cert-sign", &["unsigning.crt"], &[]),
    ("valid-now", &["early.crt"], &[]),
    ("valid-now", &["late.crt"], &[]),
    ("each-once", &["r0.crt", "r0.crt"], &["iot"]),
    ("issuer-missing", &["c1.crt"], &["iot", "gcp"]),
    (
        "issuer-signature",
        &["c1.crt", "other.crt"],
        &["iot", "gcp"],
    ),
    ("no-root", &["ring1.crt", "ring0.crt"], &["iot", "gcp"]),
    (
        "path-length",
        &["p2.crt", "p1.crt", "p0.crt"],
        &["iot", "gcp", "roles-anywhere"],
    ),
    ("path-length", &["q1.crt", "q0.crt"], &["iot", "gcp"]),
];

/// Every certificate that [`BROKEN`] names.
fn with_certificates() -> Sandbox {
    let sandbox = Sandbox::new();
    let limited = |name, length| root(name).basic_constraints(length);
    make(
        &sandbox,
        &[
            root("leaf")
                .basic_constraints("critical, CA:FALSE")
                .key_usage("critical, digitalSignature"),
            root("unsigning").key_usage("critical, cRLSign"),
            limited("p0", "critical, CA:TRUE, pathlen:1"),
            root("p1").under("p0"),
            root("p2").under("p1"),
            limited("q0", "critical, CA:TRUE, pathlen:0"),
            root("q1").under("q0"),
            root("ring0"),
            root("ring1").under("ring0"),
            root("ring0").under("ring1"),
        ],
    );
    make(&sandbox, &roots(1));
    make(&sandbox, &chain(2));
    let other = make_one(&sandbox, &root("c0").key(P384));
    sandbox.write("other.crt", other);
    for line in [
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout old.key -subj /CN=old -out old.csr",
        "x509 -req -in old.csr -signkey old.key -out old.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    for (name, validity) in [
        ("early", "--not-before 1d"),
        ("late", "--not-before=-2d --not-after=-1d"),
    ] {
        sandbox
            .pki(&format!(
                "--store {name} root --name {name} {validity} --no-passphrase"
            ))
            .succeeds();
        sandbox.write(
            &format!("{name}.crt"),
            sandbox.read(format!("{name}/{name}/ca.crt")),
        );
    }
    sandbox
}

#[test]
fn a_rule_that_is_broken_alone_is_named_whoever_reads_it() {
    let sandbox = with_certificates();
    for (rule, files, but) in BROKEN {
        let pem = files
            .iter()
            .map(|file| sandbox.read(file))
            .collect::<String>();
        assert_judged(&sandbox, "", &pem, &[rule]);
        for target in targets() {
            if target != "java" && !but.contains(&&*target) {
                assert_judged(&sandbox, &format!("--for {target}"), &pem, &[rule]);
            }
        }
    }
}

#[test]
fn a_single_broken_rule_is_named_in_a_java_trust_store() {
    let sandbox = with_certificates();
    sandbox.write("passphrase", PASSPHRASE);
    for (rule, files, _) in BROKEN {
        let made = sandbox
            .python("java_truststore.py")
            .arg("store.p12")
            .arg(PASSPHRASE);
        let entries = files.iter().enumerate();
        let entries = entries.map(|(index, file)| format!("alias{index}={file}"));
        entries.fold(made, Run::arg).succeeds();
        let line = "--format json bundle --for java --passin file:passphrase --check store.p12";
        let judged = sandbox.pki(line).ends_with(3);
        assert_eq!(rules(&judged.json(), "error"), [rule], "{judged}");
    }
}

#[test]
fn what_is_no_certificate_is_named_whoever_reads_it() {
    let sandbox = Sandbox::new();
    let pem = make(&sandbox, &roots(1));
    let key = sandbox.read(super::key_file(&sandbox, super::P256));
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for name in targets().iter().filter(|name| *name != "java") {
        let target = format!("--for {name}");
        assert_judged(
            &sandbox,
            &target,
            format!("{pem}{key}"),
            &["only-certificates"],
        );
        assert_judged(&sandbox, &target, format!("{pem}{empty}"), &["well-formed"]);
        assert_judged(&sandbox, &target, format!("{pem}\n"), &["blank-line"]);
        let comment = format!("# a root\n{pem}");
        let broken: &[&str] = if WITH_COMMENTS.contains(&&**name) {
            &[]
        } else {
            &["text-between"]
        };
        assert_judged(&sandbox, &target, comment, broken);
    }
}

/// An RSA signature over SHA-224, which nobody who is known here takes.
#[test]
fn a_signature_that_is_not_verified_here_is_named() {
    let sandbox = Sandbox::new();
    make(
        &sandbox,
        &[root("a"), root("b").under("a").options("-sha224")],
    );
    let pem = sandbox.read("b.crt") + &sandbox.read("a.crt");
    assert_judged(&sandbox, "", pem, &["signature-algorithm"]);
}
