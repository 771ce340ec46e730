//! CAs of which no index was kept, certificates in directories of their own, and easy-rsa 2.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;
use serde_json::Value;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

use super::{errors, exists, rules};

/// `x/`: a CA that `openssl x509 -req -CA` used, and beside it the certificates `a` and `b`.
fn with_ca_without_index() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("x")).unwrap();
    sandbox
        .run("openssl", "req -x509 -newkey ec -days 3650 -nodes -subj")
        .words("/CN=Plain -pkeyopt ec_paramgen_curve:P-256")
        .words("-addext keyUsage=critical,keyCertSign,cRLSign")
        .words("-keyout x/ca.key -out x/ca.crt")
        .succeeds();
    sandbox
        .run("openssl", "genpkey -algorithm EC -out leaf.key")
        .words("-pkeyopt ec_paramgen_curve:P-256")
        .succeeds();
    for name in ["a", "b"] {
        sign(&sandbox, name, "-CAcreateserial");
    }
    sandbox
}

fn sign(sandbox: &Sandbox, name: &str, options: &str) {
    sandbox
        .run("openssl", "req -new -key leaf.key -out leaf.csr -subj")
        .arg(format!("/CN={name}"))
        .succeeds();
    sandbox
        .run("openssl", "x509 -req -days 30 -CA x/ca.crt -CAkey x/ca.key")
        .words(&format!("-in leaf.csr -out x/{name}.crt {options}"))
        .succeeds();
}

fn imported(sandbox: &Sandbox, options: &str) -> Value {
    let line = "--format json import --openssl x --name plain --no-passphrase";
    sandbox.pki(line).words(options).succeeds().json()
}

/// The message of the one finding of a rule.
fn message(report: &Value, rule: &str) -> String {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut findings = findings.filter(|finding| finding["rule"] == rule);
    let message = findings.next().unwrap()["message"].as_str().unwrap();
    assert!(findings.next().is_none(), "{report}");
    message.to_owned()
}

/// The serial number in a file of openssl, as numbers are compared.
fn number(text: &str) -> String {
    format!("{:0>40}", text.trim())
}

#[test]
fn a_ca_without_an_index_is_imported_and_its_numbers_go_on() {
    for options in ["", "--index /dev/null"] {
        let sandbox = with_ca_without_index();
        let report = imported(&sandbox, options);
        assert_eq!(rules(&report, "warning")[0], "index-missing", "{report}");
        assert_eq!(errors(&report), Vec::<String>::new());
        let says = message(&report, "index-missing");
        assert!(says.contains("are unknown"), "{says}");
        assert_eq!(report["certificates"]["valid"], 0);
        let last = number(&sandbox.read("x/ca.srl"));
        assert!(number(report["next_serial"].as_str().unwrap()) > last);
        let next = sandbox.issued("plain", "next");
        assert!(number(&next) > last, "{next} is not above {last}");
        // What it issued before is adopted and revoked, and openssl sees that.
        sandbox.pki("revoke --cert x/a.crt").succeeds();
        sandbox.pki("crl --to-pem").succeeds();
        let verify = "verify -crl_check -CAfile x/ca.crt -CRLfile pki/crl/plain.crl.pem";
        let run = |file: &str| sandbox.run("openssl", verify).arg(file);
        let refused = run("x/a.crt").finish();
        assert!(refused.stderr.contains("certificate revoked"), "{refused}");
        run("x/b.crt").succeeds();
        sandbox.pki("check").succeeds();
    }
}

#[test]
fn older_names_of_the_file_with_the_last_number_are_known() {
    let sandbox = with_ca_without_index();
    fs::rename(sandbox.path("x/ca.crt"), sandbox.path("x/ca.cert.pem")).unwrap();
    sandbox.write("x/ca.srl", "0A00000000000000FF\n");
    let report = imported(&sandbox, "--cert x/ca.cert.pem");
    assert_eq!(report["next_serial"], "0B0000000000000000");
    // Without any, the numbers go on above what was found, and that is a warning.
    let sandbox = with_ca_without_index();
    fs::remove_file(sandbox.path("x/ca.srl")).unwrap();
    let report = imported(&sandbox, "");
    assert!(rules(&report, "warning").contains(&"serial-missing".to_owned()));
}

#[test]
fn certificates_of_other_directories_are_recorded() {
    let sandbox = with_ca_without_index();
    sign(&sandbox, "c", "-set_serial 0x0C00000000000000AA");
    sandbox
        .run("openssl", "x509 -in x/c.crt -outform DER -out x/c.der")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "req -x509 -key leaf.key -subj /CN=Plain -days 9 -out other.crt",
        )
        .succeeds();
    fs::create_dir_all(sandbox.path("der/below")).unwrap();
    // A chain, PEM and DER of the same certificate, and everything that is none of this CA.
    let chain = sandbox.read("x/b.crt") + &sandbox.read("x/ca.crt");
    sandbox.write("pem/chain", chain);
    sandbox.write("pem/1234.pem", sandbox.read("x/a.crt"));
    sandbox.write("pem/key.pem", sandbox.read("leaf.key"));
    sandbox.write("pem/other.crt", sandbox.read("other.crt"));
    sandbox.write("pem/garbage.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    sandbox.write("pem/empty.crt", "");
    sandbox.write("der/c", fs::read(sandbox.path("x/c.der")).unwrap());
    sandbox.write("der/c.pem", sandbox.read("x/c.crt"));
    sandbox.write("der/below/a.crt", sandbox.read("x/a.crt"));
    let huge = fs::File::create(sandbox.path("der/huge.crt")).unwrap();
    huge.set_len(17 << 20).unwrap();
    sandbox.run("mkfifo", "der/pipe.crt").succeeds();
    let report = imported(&sandbox, "--certs pem --certs der");
    assert_eq!(errors(&report), Vec::<String>::new());
    assert_eq!(report["certificates"]["valid"], 3);
    let says = message(&report, "index-missing");
    assert!(
        says.contains("3 certificates issued earlier were found"),
        "{says}"
    );
    let says = message(&report, "certificates-passed-over");
    for name in [
        "key.pem",
        "other.crt",
        "garbage.crt",
        "empty.crt",
        "huge.crt",
    ] {
        assert!(says.contains(name), "{name}: {says}");
    }
    assert!(says.contains("5 files"), "{says}");
    let listed = sandbox.pki("--format json list --ca plain").succeeds();
    assert_eq!(listed.json().as_array().unwrap().len(), 3);
    sandbox.pki("export --ca plain --cn c --out out").succeeds();
    sandbox.pki("check").succeeds();
}

#[test]
fn an_unreadable_certificate_is_named_and_hides_no_others() {
    let sandbox = with_ca_without_index();
    for line in [
        "ecparam -name prime256v1 -param_enc explicit -genkey -noout -out odd.key",
        "req -x509 -key odd.key -subj /CN=odd -days 9 -out odd.crt",
    ] {
        sandbox.run("openssl", line).succeeds();
    }
    fs::create_dir(sandbox.path("more")).unwrap();
    let both = sandbox.read("odd.crt") + &sandbox.read("x/a.crt");
    sandbox.write("more/both.pem", &both);
    sandbox.write("both", sandbox.read("odd.crt") + &sandbox.read("x/b.crt"));
    sandbox
        .run(
            "openssl",
            "crl2pkcs7 -nocrl -certfile both -out more/all.p7b",
        )
        .succeeds();
    let report = imported(&sandbox, "--certs more");
    assert_eq!(report["certificates"]["valid"], 2);
    let findings = report["findings"].as_array().unwrap().iter();
    let unreadable: Vec<&Value> = findings
        .filter(|finding| finding["rule"] == "certificate-unreadable")
        .collect();
    assert_eq!(unreadable.len(), 2, "{report}");
    for finding in unreadable {
        assert_eq!(finding["level"], "warning");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("certificate 1 of more/"), "{message}");
    }
}

#[test]
fn an_index_finds_its_certificates_in_another_directory() {
    let sandbox = Sandbox::with_openssl_ca();
    fs::rename(sandbox.path("old/newcerts"), sandbox.path("moved")).unwrap();
    let (missing, _) = sandbox.refused_import("--openssl old");
    assert!(missing.iter().all(|rule| rule == "certificate-missing"));
    let report = sandbox.imported("--openssl old --certs moved");
    assert_eq!(errors(&report), Vec::<String>::new());
    assert_eq!(report["certificates"]["without_certificate"], 0);
    // A certificate that the index lacks is recorded with a warning; one that is on no disk is an error.
    let sandbox = Sandbox::with_openssl_ca();
    fs::rename(sandbox.path("old/newcerts"), sandbox.path("moved")).unwrap();
    let index = sandbox.read("old/index.txt");
    let (_, rest) = index.split_once('\n').unwrap();
    sandbox.write("old/index.txt", rest);
    fs::remove_file(sandbox.path("moved/1001.pem")).unwrap();
    let (missing, _) = sandbox.refused_import("--openssl old --certs moved");
    assert!(
        missing.contains(&"certificate-missing".to_owned()),
        "{missing:?}"
    );
    assert!(!missing.contains(&"row-missing".to_owned()), "{missing:?}");
}

#[test]
fn an_index_that_was_lost_is_not_taken_for_none() {
    let mut said = BTreeSet::new();
    for kept in ["serial", "crlnumber", "newcerts/1000.pem"] {
        let sandbox = with_ca_without_index();
        sandbox.write(&format!("x/{kept}"), "1001\n");
        let line = "import --openssl x --name plain --no-passphrase";
        said.insert(sandbox.pki(line).refusal(1, "import-file-not-found"));
        assert!(!exists(&sandbox, "pki"));
    }
    let sandbox = with_ca_without_index();
    let line = "import --openssl x --name plain --no-passphrase --certs nowhere";
    said.insert(sandbox.pki(line).refusal(1, "import-directory-not-found"));
    assert_text(
        &said.into_iter().collect::<String>(),
        expect![[r#"
            error: directory nowhere not found
            hint: name the directory of the CA to import
            error: index of certificates not found in x; looked for index.txt, db/index, db/index.txt
            hint: name the directory that has it, or the file with --index
        "#]],
    );
}

#[test]
fn a_crl_revokes_without_an_index() {
    let sandbox = with_ca_without_index();
    let serial = sandbox.run("openssl", "x509 -noout -serial -in x/a.crt");
    let serial = serial.succeeds().stdout;
    let serial = serial.trim().strip_prefix("serial=").unwrap();
    let revoked = format!("R\t350101000000Z\t260101000000Z\t{serial}\tunknown\t/CN=a\n");
    sandbox.write("made/index.txt", revoked);
    let configuration = "[ca]\ndefault_ca=x\n[x]\ndatabase=made/index.txt\ndefault_md=sha256\n";
    sandbox.write("made/cnf", configuration);
    sandbox
        .run("openssl", "ca -gencrl -config made/cnf -crldays 30")
        .words("-cert x/ca.crt -keyfile x/ca.key -out x/ca.crl")
        .succeeds();
    let report = imported(&sandbox, "--certs x");
    assert_eq!(errors(&report), Vec::<String>::new(), "{report}");
    assert_eq!(report["certificates"]["revoked"], 1);
    assert_eq!(report["certificates"]["valid"], 1);
    sandbox.pki("crl").succeeds();
    assert_eq!(sandbox.list_in("pki/crl/plain.crl").serials, [serial]);
}

/// What easy-rsa 2 makes: everything in one directory.
#[test]
fn a_directory_of_easy_rsa_2_is_taken_over_with_its_keys() {
    for source in ["--easy-rsa v2", "--easy-rsa v2/keys", "--openssl v2/keys"] {
        let sandbox = Sandbox::with_openssl_ca();
        fs::create_dir_all(sandbox.path("v2/keys")).unwrap();
        for (from, to) in [
            ("cacert.pem", "ca.crt"),
            ("private/cakey.pem", "ca.key"),
            ("index.txt", "index.txt"),
            ("serial", "serial"),
            ("crl.pem", "crl.pem"),
        ] {
            let from = sandbox.path(format!("old/{from}"));
            fs::copy(from, sandbox.path(format!("v2/keys/{to}"))).unwrap();
        }
        for name in sandbox.names_in("old/newcerts") {
            let from = sandbox.path(format!("old/newcerts/{name}"));
            fs::copy(from, sandbox.path(format!("v2/keys/{name}"))).unwrap();
        }
        let leaf = sandbox.path("leaf.key");
        fs::copy(leaf, sandbox.path("v2/keys/alice.key")).unwrap();
        let report = sandbox.imported(source);
        assert_eq!(errors(&report), Vec::<String>::new(), "{source}");
        assert_eq!(report["certificates"]["without_certificate"], 0);
        let has_keys = report["keys"].as_u64().unwrap() > 0;
        assert_eq!(has_keys, source.starts_with("--easy-rsa"), "{report}");
    }
}

crate::engine::also_in_a_database! {
    older_names_of_the_file_with_the_last_number_are_known, certificates_of_other_directories_are_recorded,
    an_unreadable_certificate_is_named_and_hides_no_others,
    an_index_finds_its_certificates_in_another_directory, a_crl_revokes_without_an_index,
}

crate::engine::soak_in_a_database! {
    a_ca_without_an_index_is_imported_and_its_numbers_go_on,
    a_directory_of_easy_rsa_2_is_taken_over_with_its_keys,
}
