//! What is refused, by name, and what is taken all the same where a part is enough.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::run::assert_text;
use crate::sandbox::Sandbox;

use super::{errors, exists, rules};

/// Exactly these rules are broken, and nothing is in the store.
#[track_caller]
fn breaks(sandbox: &Sandbox, expected: &[&str]) {
    let (errors, refused) = sandbox.refused_import("--openssl old");
    assert_eq!(errors, expected, "{refused}");
    let error = refused.error();
    assert_eq!(error["code"], "import-incomplete", "{refused}");
    let count = format!(": {} error", expected.len());
    assert!(
        error["message"].as_str().unwrap().contains(&count),
        "{refused}"
    );
    assert!(!exists(sandbox, "pki"));
    // What would be refused is refused of a dry run too.
    let dry = sandbox.import("--openssl old --dry-run --format json");
    assert_eq!(dry.ends_with(1).error(), error);
}

#[test]
fn a_certificate_that_is_missing_is_recorded_without_it() {
    let sandbox = Sandbox::with_openssl_ca();
    // The first is revoked, the second is not; neither has expired.
    for serial in ["1000", "1001"] {
        fs::remove_file(sandbox.path(format!("old/newcerts/{serial}.pem"))).unwrap();
    }
    breaks(&sandbox, &["certificate-missing"; 2]);
    let report = sandbox.imported("--openssl old --partial");
    assert_eq!(errors(&report), Vec::<String>::new());
    assert_eq!(report["certificates"]["without_certificate"], 2);
    assert_eq!(sandbox.read("pki/store.json"), "{\"format\":2}\n");

    // It is on the list, as it was.
    sandbox.pki_old("crl --ca old").succeeds();
    let listed = sandbox.entries("pki/crl/old.crl");
    assert!(listed[0].starts_with("1000 "), "{listed:?}");

    // Every command says something of it.
    let list = sandbox.pki("--format json list").succeeds().json();
    let entry = &list[1];
    assert_eq!(entry["serial"], "1001");
    assert_eq!(entry["profile"], "imported");
    assert_eq!(entry["fingerprint_sha256"], serde_json::Value::Null);
    assert_eq!(
        entry["subject"],
        "CN=a slash,OU=two,OU=one,O=Example/Branch,C=JP"
    );
    let shown = sandbox.pki("show --ca old --serial 0x1001").succeeds();
    let fields = shown.stdout.lines().map(|line| line.split_whitespace());
    let fields = fields.map(|words| words.collect::<Vec<_>>().join(" "));
    assert!(
        fields
            .collect::<Vec<_>>()
            .contains(&"certificate not in the store".to_owned()),
        "{shown}"
    );
    sandbox.refused(
        sandbox.pki("export --ca old --serial 0x1001 --out out"),
        1,
        "certificate-not-in-store",
        expect![[r#"
            error: the certificate 1001 of old is not in the store: the CA was imported without it
            hint: only its owner has it; `pki show --ca old --serial S` shows the record, and `pki revoke` revokes it
        "#]],
    );
    let original = Sandbox::with_openssl_ca();
    let pem = original.read("old/newcerts/1001.pem");
    sandbox.write("1001.pem", pem);
    sandbox.pki("verify 1001.pem").succeeds();
    sandbox.pki("revoke --ca old --cert 1001.pem").succeeds();
    sandbox.pki("verify 1001.pem").ends_with(3);
    let again = sandbox
        .pki("--format json revoke --ca old --serial 0x1001")
        .succeeds();
    assert_eq!(again.json()["already"], true);
    sandbox.pki_old("crl --ca old").succeeds();
    let listed = sandbox.entries("pki/crl/old.crl");
    assert!(
        listed.iter().any(|line| line.starts_with("1001 ")),
        "{listed:?}"
    );
}

#[test]
fn a_row_that_is_broken_is_refused_with_its_line() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.replace("old/index.txt", "Z,keyCompromise\t", "Z,stolen\t");
    let line = sandbox.read("old/index.txt");
    let line = line
        .lines()
        .position(|line| line.contains("stolen"))
        .unwrap()
        + 1;
    breaks(&sandbox, &["row-broken"]);
    let refused = sandbox.import("--openssl old").ends_with(1);
    let named = format!("line {line} of the index: \"stolen\" is not a reason");
    assert!(refused.stdout.contains(&named), "{refused}");
    // What was revoked stays so.
    let report = sandbox.imported("--openssl old --partial");
    assert_eq!(report["certificates"]["revoked"], 55);
    // How, the last list knows.
    sandbox.pki_old("crl --ca old").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!(sandbox.entries("pki/crl/old.crl"), theirs);
}

#[test]
fn an_index_that_was_cut_off_is_refused() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    // In the midst of a line that revokes nothing.
    let half = index.len() / 2;
    let row = half + index[half..].find("\nV\t").unwrap();
    sandbox.write("old/index.txt", &index[..row + "\nV\t27".len()]);
    let (found, _) = sandbox.refused_import("--openssl old");
    assert!(found.contains(&"row-broken".to_owned()), "{found:?}");
    assert!(found.contains(&"row-missing".to_owned()), "{found:?}");
    assert!(
        found.contains(&"revoked-on-list-only".to_owned()),
        "{found:?}"
    );
    // Of what the certificates and the list still tell, nothing is lost.
    let report = sandbox.imported("--openssl old --partial");
    let tally = &report["certificates"];
    let count = |name: &str| tally[name].as_u64().unwrap();
    assert_eq!(count("valid") + count("revoked") + count("expired"), 200);
    sandbox.pki_old("crl --ca old").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!(sandbox.entries("pki/crl/old.crl"), theirs);
}

/// A field is missing, or there is one too many: whom the line revokes is known all the same.
#[test]
fn a_broken_row_still_revokes() {
    for (from, to) in [("\tunknown\t", "\t"), ("\tunknown\t", "\tunknown\tx\t")] {
        let sandbox = Sandbox::with_openssl_ca();
        let index = sandbox.read("old/index.txt");
        let line = index
            .lines()
            .find(|line| line.contains("Z,keyCompromise\t"))
            .unwrap();
        sandbox.replace("old/index.txt", line, &line.replace(from, to));
        fs::remove_file(sandbox.path("old/crl.pem")).unwrap();
        breaks(&sandbox, &["row-broken"]);
        let report = sandbox.imported("--openssl old --partial");
        assert_eq!(report["certificates"]["revoked"], 55);
        let serial = super::serial_of(line);
        let certificate = format!("verify old/newcerts/{serial}.pem");
        sandbox.pki(&certificate).ends_with(3);
    }
}

/// Neither is taken without it.
#[test]
fn a_row_that_revokes_nobody_knows_whom_is_refused_even_in_part() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    let line = index
        .lines()
        .find(|line| line.contains("Z,keyCompromise\t"))
        .unwrap();
    let serial = super::serial_of(line);
    let number = index.lines().position(|other| other == line).unwrap() + 1;
    let mut hints = BTreeSet::new();
    for broken in [
        line.split(&serial).next().unwrap().to_owned(),
        line.replace(&serial, "?"),
        line.replace('\t', " "),
    ] {
        sandbox.write("old/index.txt", index.replace(line, &broken));
        let (found, refused) = sandbox.refused_import("--openssl old --partial");
        assert_eq!(found, ["revocation-unreadable"], "{refused}");
        let named = format!("line {number} of the index may revoke a certificate");
        assert!(refused.stdout.contains(&named), "{refused}");
        let error = refused.error();
        assert_eq!(error["code"], "import-incomplete");
        hints.insert(error["hint"].as_str().unwrap().to_owned());
    }
    assert_text(
        &hints.into_iter().collect::<String>(),
        expect![[r#"
            fix the lines of the index that revocation-unreadable names: --partial skips no revocation
        "#]],
    );
}

/// A line that lifts a hold takes back nothing that another line says.
#[test]
fn of_two_rows_of_one_certificate_the_one_that_revokes_counts() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    let line = index
        .lines()
        .find(|line| line.contains("Z,keyCompromise\t"))
        .unwrap();
    let lifted = line.replace("Z,keyCompromise\t", "Z,removeFromCRL\t");
    let held = line.replace("Z,keyCompromise\t", "Z,certificateHold\t");
    for before in [lifted, held] {
        let both = format!("{before}\n{line}");
        sandbox.write("old/index.txt", index.replace(line, &both));
        breaks(&sandbox, &["serial-twice"]);
        let report = sandbox
            .import("--format json --openssl old --partial --store twice")
            .succeeds()
            .json();
        assert_eq!(report["certificates"]["revoked"], 55);
        let serial = super::serial_of(line);
        let shown = sandbox
            .pki(&format!("--store twice show --ca old --serial 0x{serial}"))
            .succeeds();
        assert!(shown.stdout.contains("keyCompromise"), "{shown}");
        fs::remove_dir_all(sandbox.path("twice")).unwrap();
    }
}

#[test]
fn a_serial_number_that_comes_twice_is_refused() {
    let sandbox = Sandbox::with_openssl_ca();
    // Neither is revoked.
    sandbox.replace("old/index.txt", "\t1002\t", "\t1001\t");
    breaks(&sandbox, &["serial-twice", "row-missing"]);
}

#[test]
fn a_row_that_is_about_another_certificate_is_refused() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.replace("old/index.txt", "/CN=plain", "/CN=other");
    breaks(&sandbox, &["row-and-certificate-differ"]);
    let copy = Sandbox::with_openssl_ca();
    fs::copy(
        copy.path("old/newcerts/1001.pem"),
        copy.path("old/newcerts/1003.pem"),
    )
    .unwrap();
    breaks(&copy, &["file-of-another-serial"]);
}

#[test]
fn a_certificate_that_is_broken_or_of_another_ca_is_refused() {
    let sandbox = Sandbox::with_openssl_ca();
    let pem = sandbox.read("old/newcerts/1001.pem");
    sandbox.write("old/newcerts/1001.pem", &pem[..pem.len() / 2]);
    breaks(&sandbox, &["certificate-unreadable"]);
    let report = sandbox.imported("--openssl old --partial --dry-run");
    assert_eq!(report["certificates"]["without_certificate"], 1);
    let sandbox = Sandbox::with_openssl_ca();
    // The same name, and another key.
    let other = Sandbox::with_empty_openssl_ca();
    other.request("0.csr", "/CN=theirs");
    other.old_ca("-notext -infiles 0.csr").succeeds();
    fs::copy(
        other.path("old/newcerts/1000.pem"),
        sandbox.path("old/newcerts/1000.pem"),
    )
    .unwrap();
    breaks(&sandbox, &["not-issued-by-this-ca"]);
}

/// Whose they are can't be told; that they are another's is not said.
#[test]
fn signatures_that_are_not_checked_are_named() {
    for (digest, algorithm) in [
        ("sha224", "ecdsa-with-SHA224"),
        ("sha3-256", "id-ecdsa-with-sha3-256"),
    ] {
        let sandbox = Sandbox::with_empty_openssl_ca();
        sandbox.request("0.csr", "/CN=leaf");
        sandbox
            .old_ca(&format!("-notext -md {digest} -infiles 0.csr"))
            .succeeds();
        breaks(&sandbox, &["signature-not-checked"]);
        let refused = sandbox.import("--openssl old").ends_with(1);
        let said = format!("1000.pem is signed with {algorithm}, which is not supported");
        assert!(refused.stdout.contains(&said), "{refused}");
        sandbox
            .old_ca(&format!("-gencrl -md {digest} -out old/crl.pem"))
            .succeeds();
        breaks(&sandbox, &["signature-not-checked"; 2]);
        let report = sandbox.imported("--openssl old --partial");
        assert_eq!(report["certificates"]["without_certificate"], 1);
        // Its number was given out, and it is not the last one.
        assert_eq!(report["old_list"], serde_json::Value::Null);
        assert_eq!(report["next_crl_number"], "17");
    }
}

#[test]
fn a_root_whose_signature_is_not_checked_is_refused() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    let sign = |digest: &str, out: &str| {
        sandbox
            .run(
                "openssl",
                "x509 -in old/cacert.pem -key old/private/cakey.pem",
            )
            .words(&format!("-{digest} -out {out} -passin"))
            .arg(format!("pass:{}", super::OLD))
            .succeeds();
    };
    sign("sha224", "weak.pem");
    fs::rename(sandbox.path("weak.pem"), sandbox.path("old/cacert.pem")).unwrap();
    sandbox.import("--openssl old --partial").refuses(
        1,
        "signature-algorithm-unsupported",
        expect![[r#"
            error: old/cacert.pem is signed with ecdsa-with-SHA224, which is not supported
            hint: sign the certificate again with the same key, as in `openssl x509 -in OLD -key KEY -sha256 -out NEW`, and give it with --cert
        "#]],
    );
    sign("sha256", "new.pem");
    sandbox.imported("--openssl old --cert new.pem");
}

#[test]
fn a_list_that_is_not_its_own_is_refused() {
    let sandbox = Sandbox::with_openssl_ca();
    let other = Sandbox::with_empty_openssl_ca();
    other.old_ca("-gencrl -out old/crl.pem").succeeds();
    sandbox.write("old/crl.pem", other.read("old/crl.pem"));
    breaks(&sandbox, &["old-list-of-another-ca"]);
    let report = sandbox.imported("--openssl old --partial");
    assert_eq!(report["old_list"], serde_json::Value::Null);
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.write("old/crl.pem", "no list");
    breaks(&sandbox, &["old-list-unreadable"]);
}

#[test]
fn what_is_revoked_on_the_list_alone_is_taken_from_there() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    let line = index
        .lines()
        .find(|line| line.contains("Z,superseded\t"))
        .unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    let valid = format!(
        "V\t{}\t\t{}\t{}\t{}",
        fields[1], fields[3], fields[4], fields[5]
    );
    sandbox.replace("old/index.txt", line, &valid);
    breaks(&sandbox, &["revoked-on-list-only"]);
    let report = sandbox.imported("--openssl old --partial");
    assert_eq!(report["certificates"]["revoked"], 55);
    assert!(rules(&report, "warning").contains(&"revoked-on-list-only".to_owned()));
    sandbox.pki_old("crl --ca old").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!(sandbox.entries("pki/crl/old.crl"), theirs);
}

/// Neither a line nor a certificate is left of it.
#[test]
fn what_is_known_from_the_list_alone_stays_revoked() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    let line = index
        .lines()
        .find(|line| line.contains("Z,keyTime,"))
        .unwrap();
    let serial = super::serial_of(line);
    sandbox.replace("old/index.txt", &format!("{line}\n"), "");
    fs::remove_file(sandbox.path(format!("old/newcerts/{serial}.pem"))).unwrap();
    breaks(&sandbox, &["revoked-on-list-only"]);
    let report = sandbox.imported("--openssl old --partial");
    assert_eq!(report["certificates"]["without_certificate"], 1);
    sandbox.pki_old("crl --ca old").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!(sandbox.entries("pki/crl/old.crl"), theirs);
}

#[test]
fn numbers_that_are_used_up_are_refused_by_name() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    let last = "7".to_owned() + &"F".repeat(39);
    sandbox.write("old/serial", format!("{last}\n"));
    sandbox.import("--openssl old --partial").refuses(
        1,
        "serials-exhausted",
        expect![[r#"
            error: no serial number above [serial] is left
            hint: create a new CA: this one can't issue another distinct certificate
        "#]],
    );
    sandbox.write("old/serial", "1000\n");
    sandbox.write("old/crlnumber", "F".repeat(40));
    sandbox.import("--openssl old").refuses(
        1,
        "serials-exhausted",
        expect![[r#"
            error: no CRL number above [serial] is left
            hint: create a new CA: this one can't issue another distinct certificate
        "#]],
    );
    sandbox.write("old/crlnumber", "one\n");
    breaks(&sandbox, &["number-unreadable"]);
}

#[test]
fn a_folder_without_a_ca_or_with_two_is_refused() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.import("--openssl nowhere").refuses(
        1,
        "import-directory-not-found",
        expect![[r#"
            error: directory nowhere not found
            hint: name the directory of the CA to import
        "#]],
    );
    sandbox.import("--openssl old/private").refuses(
        1,
        "import-file-not-found",
        expect![[r#"
            error: CA certificate not found in old/private; looked for cacert.pem, ca.crt, ca.pem, ca.cert.pem, ca-cert.pem, root-ca.crt, sub-ca.crt, certs/ca.cert.pem, certs/ca.crt, certs/cacert.pem, certs/ca.pem, certs/intermediate.cert.pem
            hint: name the directory that has it, or the file with --cert
        "#]],
    );
    sandbox.write("old/ca.crt", "another");
    sandbox.import("--openssl old").refuses(
        1,
        "import-file-ambiguous",
        expect![[r#"
            error: more than one CA certificate found in old: old/cacert.pem, old/ca.crt
            hint: choose one with --cert
        "#]],
    );
    sandbox
        .import("--openssl old --cert old/cacert.pem --dry-run")
        .succeeds();
    fs::remove_file(sandbox.path("old/cacert.pem")).unwrap();
    fs::remove_file(sandbox.path("old/ca.crt")).unwrap();
    sandbox
        .import("--openssl old")
        .refuses(1, "import-file-not-found", expect![[r#"
            error: CA certificate not found in old; looked for cacert.pem, ca.crt, ca.pem, ca.cert.pem, ca-cert.pem, root-ca.crt, sub-ca.crt, certs/ca.cert.pem, certs/ca.crt, certs/cacert.pem, certs/ca.pem, certs/intermediate.cert.pem
            hint: name the directory that has it, or the file with --cert
        "#]]);
}

#[test]
fn a_certificate_that_is_not_that_of_a_ca_is_refused() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox
        .run(
            "openssl",
            "req -x509 -key old/private/cakey.pem -days 9 -subj /CN=x",
        )
        .words("-addext basicConstraints=CA:FALSE -out old/cacert.pem -passin")
        .arg(format!("pass:{}", super::OLD))
        .succeeds();
    sandbox.import("--openssl old --partial").refuses(
        1,
        "not-a-ca-certificate",
        expect![[r#"
            error: old/cacert.pem can't be imported as a CA: its basicConstraints lack CA:TRUE
        "#]],
    );
}

crate::engine::also_in_a_database! {
    signatures_that_are_not_checked_are_named, a_root_whose_signature_is_not_checked_is_refused,
}

crate::engine::soak_in_a_database! {
    a_certificate_that_is_missing_is_recorded_without_it, a_row_that_is_broken_is_refused_with_its_line,
    an_index_that_was_cut_off_is_refused, a_broken_row_still_revokes, a_list_that_is_not_its_own_is_refused,
    what_is_revoked_on_the_list_alone_is_taken_from_there, what_is_known_from_the_list_alone_stays_revoked,
}
