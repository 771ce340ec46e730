//! Certificates that name their issuer's certificate by issuer and serial number in authorityKeyIdentifier:
//! `pki verify` finds what `openssl verify` finds.

use crate::sandbox::Sandbox;

/// Extensions of end-entity certificates, by their names.
const LEAVES: [(&str, &str); 11] = [
    ("none", "authorityKeyIdentifier = none\n"),
    ("keyid", "authorityKeyIdentifier = keyid:always\n"),
    (
        "both",
        "authorityKeyIdentifier = keyid:always, issuer:always\n",
    ),
    ("serial", "authorityKeyIdentifier = issuer:always\n"),
    // [2] 05
    ("other-serial", "authorityKeyIdentifier = DER:3003820105\n"),
    // [2] -5
    (
        "negative-serial",
        "authorityKeyIdentifier = DER:30038201FB\n",
    ),
    // [1] CN=ca
    (
        "issuer",
        "authorityKeyIdentifier = DER:3013A111A40F300D310B300906035504030C026361\n",
    ),
    // [1] CN=cb
    (
        "other-issuer",
        "authorityKeyIdentifier = DER:3013A111A40F300D310B300906035504030C026362\n",
    ),
    ("padded-serial", PADDED_SERIAL),
    // [2] without contents
    ("empty-serial", "authorityKeyIdentifier = DER:30028200\n"),
    // [1] with a general name of an unknown kind
    (
        "unknown-name",
        "authorityKeyIdentifier = DER:3004A1028F00\n",
    ),
];

/// [2] 00 05, which is not DER.
const PADDED_SERIAL: &str = "authorityKeyIdentifier = DER:300482020005\n";

/// Root certificates of one key: `r1`, and `r2` as its renewal under another serial number; `s1` names
/// itself by serial number, and `s2` of the same key names `s1`.
fn roots_and_leaves() -> Sandbox {
    let sandbox = Sandbox::new();
    let ca = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n";
    sandbox.write(
        "ca.cnf",
        format!("[req]\nprompt = no\ndistinguished_name = dn\nstring_mask = utf8only\n[dn]\nCN = ca\n[r]\n{ca}[s]\n{ca}authorityKeyIdentifier = keyid:always, issuer:always\n"),
    );
    for line in [
        "ecparam -name prime256v1 -genkey -noout -out ca.key",
        "req -x509 -new -config ca.cnf -extensions r -key ca.key -days 30 -out r1.crt",
        "x509 -in r1.crt -signkey ca.key -set_serial 0x1234567890 -days 60 -out r2.crt",
        "req -x509 -new -config ca.cnf -extensions s -key ca.key -days 30 -out s1.crt",
        "x509 -in s1.crt -signkey ca.key -set_serial 0x0987654321 -days 60 -out s2.crt",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -subj /CN=leaf -out leaf.csr",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    for root in ["r1", "s1", "s2"] {
        for (name, extensions) in LEAVES {
            sandbox.write(
                "leaf.cnf",
                format!("basicConstraints = CA:FALSE\n{extensions}"),
            );
            let line = format!(
                "x509 -req -in leaf.csr -CA {root}.crt -CAkey ca.key -set_serial 7 -days 20 -extfile leaf.cnf -out {root}-{name}.crt"
            );
            sandbox.run("openssl", &line).succeeds();
        }
    }
    let all = |names: &[&str]| {
        let pem = names.iter().map(|name| sandbox.read(format!("{name}.crt")));
        pem.collect::<String>()
    };
    for names in [&["r1", "r2"], &["r2", "r1"], &["s1", "s2"], &["s2", "s1"]] {
        sandbox.write(&format!("{}.crt", names.join("-and-")), all(names));
    }
    sandbox
}

/// Whether both programs find a leaf valid by a bundle.
#[track_caller]
fn is_valid(sandbox: &Sandbox, leaf: &str, bundle: &str) -> bool {
    let openssl = sandbox.run(
        "openssl",
        &format!("verify -CAfile {bundle}.crt {leaf}.crt"),
    );
    let openssl = openssl.finish();
    let pki = sandbox.pki(&format!("verify {leaf}.crt --bundle {bundle}.crt"));
    let pki = pki.finish();
    assert!([Some(0), Some(3)].contains(&pki.status), "{pki}");
    assert_eq!(
        openssl.status == Some(0),
        pki.status == Some(0),
        "{leaf} by {bundle}: {openssl} {pki}"
    );
    pki.status == Some(0)
}

#[test]
fn verify_compares_issuer_and_serial_number_as_openssl_does() {
    let sandbox = roots_and_leaves();
    for (leaf, by_old, by_new) in [
        ("none", true, true),
        ("keyid", true, true),
        ("both", true, false),
        ("serial", true, false),
        ("other-serial", false, false),
        ("negative-serial", false, false),
        ("issuer", true, true),
        ("other-issuer", false, false),
        ("padded-serial", false, false),
        ("empty-serial", false, false),
        ("unknown-name", false, false),
    ] {
        let leaf = format!("r1-{leaf}");
        assert_eq!(is_valid(&sandbox, &leaf, "r1"), by_old, "{leaf}");
        assert_eq!(is_valid(&sandbox, &leaf, "r2"), by_new, "{leaf}");
        for both in ["r1-and-r2", "r2-and-r1"] {
            assert_eq!(is_valid(&sandbox, &leaf, both), by_old, "{leaf}");
        }
    }
}

#[test]
fn a_root_that_names_another_certificate_ends_no_path() {
    let sandbox = roots_and_leaves();
    for (name, _) in LEAVES {
        for leaf in [format!("s1-{name}"), format!("s2-{name}")] {
            assert!(!is_valid(&sandbox, &leaf, "s2"), "{leaf}");
            let alone = is_valid(&sandbox, &leaf, "s1");
            for both in ["s1-and-s2", "s2-and-s1"] {
                // With both, what names the second is found by way of it.
                assert!(is_valid(&sandbox, &leaf, both) || !alone, "{leaf}");
            }
        }
    }
}

#[test]
fn a_broken_authority_key_identifier_names_no_issuer() {
    let sandbox = roots_and_leaves();
    let configuration = sandbox.read("ca.cnf");
    sandbox.write("ca.cnf", format!("{configuration}[b]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n{PADDED_SERIAL}"));
    for line in [
        "req -x509 -new -config ca.cnf -extensions b -key ca.key -days 30 -out b.crt",
        "x509 -req -in leaf.csr -CA b.crt -CAkey ca.key -set_serial 7 -days 20 -out b-leaf.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    assert!(!is_valid(&sandbox, "b-leaf", "b"));
    assert!(!is_valid(&sandbox, "b", "b"));
    for (leaf, root, named) in [
        ("b-leaf", "b", "CN=ca"),
        ("r1-padded-serial", "r1", "CN=leaf"),
        ("r1-unknown-name", "r1", "CN=leaf"),
    ] {
        let judged = sandbox.pki(&format!("verify {leaf}.crt --bundle {root}.crt"));
        let judged = judged.ends_with(3);
        let says = format!("the authorityKeyIdentifier of {named} is malformed: ");
        assert!(judged.stdout.contains(&says), "{judged}");
    }
}

#[test]
fn the_certificate_that_is_missing_is_named() {
    let sandbox = roots_and_leaves();
    let serial = sandbox
        .run("openssl", "x509 -noout -serial -in r1.crt")
        .succeeds();
    let serial = serial
        .stdout
        .trim()
        .trim_start_matches("serial=")
        .to_owned();
    let judged = sandbox
        .pki("verify r1-both.crt --bundle r2.crt")
        .ends_with(3);
    let named = format!("the certificate of CN=ca with serial number {serial}");
    assert!(judged.stdout.contains(&named), "{judged}");
}
