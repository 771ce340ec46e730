//! A CA of `openssl ca`: everything of it is taken over.

use std::fs;

use expect_test::expect;
use serde_json::json;

use crate::normalise::normalised;
use crate::run::{assert_same, assert_text};
use crate::sandbox::Sandbox;

use super::{CONFIGURATION, OLD, exists, lines_of, rules, serial_of};

#[test]
fn a_ca_of_openssl_is_taken_over() {
    let sandbox = Sandbox::with_openssl_ca();
    let index = sandbox.read("old/index.txt");
    let report = sandbox.imported("--openssl old");
    let count = |status: &str| lines_of(&index, status).len();
    // A hold that was lifted is no revocation.
    let lifted = index.matches("removeFromCRL").count();
    let expired_of_them = index
        .lines()
        .filter(|line| line.starts_with("R\t21") && line.contains("removeFromCRL"))
        .count();
    assert_eq!(
        report["certificates"],
        json!({
            "valid": count("V") + lifted - expired_of_them,
            "revoked": count("R") - lifted,
            "expired": count("E") + expired_of_them,
            "without_certificate": 0,
        })
    );
    assert_eq!((count("R"), lifted), (60, 5));
    assert!(count("E") > 20, "{index}");
    assert_eq!(report["next_crl_number"], "17");
    assert_eq!(rules(&report, "error"), Vec::<String>::new());
    assert_eq!(rules(&report, "warning"), ["hold-lifted"; 5]);

    // The list that openssl signed last and our first say the same of every entry.
    sandbox.pki_old("crl --ca old").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    let all = theirs.len();
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!((all, theirs.len()), (60, 55));
    assert_eq!(sandbox.entries("pki/crl/old.crl"), theirs);
    let ours = sandbox.list_in("pki/crl/old.crl");
    assert_eq!(ours.number, 17);
    // Those that have expired were on it once more than needed, and leave with the next.
    sandbox.pki_old("crl --ca old").succeeds();
    let expired = lines_of(&index, "R");
    let expired = expired.iter().filter(|line| line.starts_with("R\t21"));
    let still = theirs.len()
        - expired
            .filter(|line| !line.contains("removeFromCRL"))
            .count();
    assert_eq!(sandbox.entries("pki/crl/old.crl").len(), still);
    assert!(still < theirs.len());
}

/// For whom openssl checks: a certificate that was revoked, one on hold, one whose hold was lifted, and
/// one that never was, under openssl's last list and under our first.
#[test]
fn verifiers_see_no_difference_between_the_lists() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.imported("--openssl old");
    sandbox.pki_old("crl --ca old --to-pem").succeeds();
    let index = sandbox.read("old/index.txt");
    let mut seen = [0, 0];
    for line in index.lines().filter(|line| !line.starts_with("E\t")) {
        let serial = serial_of(line);
        let verdicts = ["old/crl.pem", "pki/crl/old.crl.pem"].map(|list| {
            let line = "verify -crl_check -no_check_time -CAfile old/cacert.pem -CRLfile";
            let run = sandbox.run("openssl", line).arg(list);
            run.arg(format!("old/newcerts/{serial}.pem"))
                .finish()
                .status
        });
        assert_eq!(verdicts[0], verdicts[1], "{line}");
        seen[usize::from(verdicts[0] == Some(0))] += 1;
        if seen.iter().all(|count| *count > 8) {
            return;
        }
    }
    panic!("{seen:?}");
}

#[test]
fn what_is_issued_afterwards_has_numbers_above_all_and_verifies() {
    let sandbox = Sandbox::with_openssl_ca();
    // A serial number of 20 bytes, as `-rand_serial` and `-create_serial` make them.
    sandbox.write("old/serial", "00F123456789ABCDEF0123456789ABCDEF012345\n");
    sandbox
        .old_ca("-notext -extensions client -infiles 0.csr")
        .succeeds();
    let highest = "F123456789ABCDEF0123456789ABCDEF012345";
    let report = sandbox.imported("--openssl old");
    assert_eq!(
        report["highest_serial"],
        "F123456789ABCDEF0123456789ABCDEF012346"
    );
    let issued = sandbox
        .pki_old("--format json issue --ca old --cn new --out out --no-passphrase")
        .succeeds()
        .json();
    let serial = issued["serial"].as_str().unwrap().to_owned();
    assert!(
        serial.len() == highest.len() && *serial > *highest,
        "{serial}"
    );
    assert!(serial.as_str() >= report["next_serial"].as_str().unwrap());
    sandbox.pki_old("crl --ca old --to-pem").succeeds();
    for list in ["old/crl.pem", "pki/crl/old.crl.pem"] {
        sandbox
            .run(
                "openssl",
                "verify -x509_strict -purpose sslclient -crl_check",
            )
            .words(&format!(
                "-CAfile old/cacert.pem -CRLfile {list} out/new.crt"
            ))
            .succeeds();
    }
    sandbox.pki("verify out/new.crt").succeeds();
}

/// Every record is of the certificate that openssl made, to the byte, with the profile that its key
/// purposes make it.
#[test]
fn every_certificate_is_in_the_store() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.imported("--openssl old");
    let listed = sandbox.pki("--format json list").succeeds().json();
    let listed = listed.as_array().unwrap();
    let index = sandbox.read("old/index.txt");
    assert_eq!(listed.len(), 200);
    let mut profiles = std::collections::BTreeMap::<&str, usize>::new();
    for (line, entry) in index.lines().zip(listed) {
        assert_eq!(entry["serial"], serial_of(line), "{line}");
        *profiles
            .entry(entry["profile"].as_str().unwrap())
            .or_default() += 1;
    }
    let expected = [
        ("client", 140),
        ("imported", 20),
        ("peer", 20),
        ("server", 20),
    ];
    assert_eq!(profiles.into_iter().collect::<Vec<_>>(), expected);
    for serial in ["1000", "1001", "1002", "10C7"] {
        let line = format!("export --ca old --serial 0x{serial} --out out --name {serial}");
        sandbox.pki(&line).succeeds();
        let theirs = sandbox.read(format!("old/newcerts/{serial}.pem"));
        assert_eq!(sandbox.read(format!("out/{serial}.crt")), theirs);
    }
    // Its own last row is an expired one; it can be revoked like any other.
    sandbox.pki("revoke --ca old --serial 0x1001").succeeds();
    sandbox
        .pki("revoke --ca old --cert old/newcerts/1002.pem")
        .succeeds();
}

#[test]
fn an_import_says_what_it_did_and_a_dry_run_what_it_would_do() {
    let sandbox = Sandbox::with_openssl_ca();
    let dry = sandbox.import("--openssl old --dry-run").succeeds();
    assert!(!exists(&sandbox, "pki"), "a dry run makes no store");
    let done = sandbox.import("--openssl old").succeeds();
    let text = "imported old from old (openssl)
  subject       CN=Old CA,O=Old
  expires       [time]
  certificates  115 valid, 55 revoked, 30 expired
  last CRL      old/crl.pem, number 15, of [time], 60 entries
  next serial   010000000000000000 or above
  next CRL      number 17
  do next       `pki crl --ca old` signs its first CRL
5 findings
";
    let (head, findings) = done.stdout.split_at(done.stdout.find("  warning").unwrap());
    // How many have expired is up to the batches.
    let is_tally = |line: &str| line.starts_with("  certificates");
    let without = |text: &str| {
        let lines = text.lines().filter(|line| !is_tally(line));
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    assert_same(
        &without(&normalised(head).replace("[serial]", "010000000000000000")),
        &without(text),
    );
    assert_eq!(findings.lines().count(), 5, "{findings}");
    let would = dry.stdout.replace("would import", "imported");
    let done = done.stdout.lines().filter(|line| !line.contains("do next"));
    assert_eq!(would.lines().collect::<Vec<_>>(), done.collect::<Vec<_>>());
}

#[test]
fn what_is_there_is_not_imported_again() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.imported("--openssl old");
    sandbox.refused(
        sandbox.import("--openssl old"),
        1,
        "ca-exists",
        expect![[r#"
            error: CA old already exists in the store
            hint: choose another name with --name
        "#]],
    );
    // Under another name it would number its certificates twice.
    let second = sandbox.pki("import --name second --openssl old --passin env:OLD");
    sandbox.refused(
        second.env("OLD", OLD),
        1,
        "ca-exists",
        expect![[r#"
            error: the CA is already in the store: old has the same key
            hint: `pki show --ca old` shows it
        "#]],
    );
}

/// The old list is on record: a clock that is behind it, and a higher number in a file that was copied
/// from elsewhere, don't get a list that goes back.
#[test]
fn the_first_list_goes_on_from_the_old_one() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.write("old/crlnumber", "00\n");
    sandbox.imported("--openssl old");
    let signed = sandbox
        .pki_at("2026-01-01 00:00:00", "crl --ca old")
        .env("PKI_PASSPHRASE", OLD)
        .finish();
    // The CA is not valid yet then.
    assert_eq!(signed.status, Some(1), "{signed}");
    sandbox.pki_old("crl --ca old").succeeds();
    let (theirs, ours) = (
        sandbox.list_in("old/crl.pem"),
        sandbox.list_in("pki/crl/old.crl"),
    );
    assert_eq!((theirs.number, ours.number), (15, 16));
    assert!(theirs.this_update <= ours.this_update);
    let journal = sandbox.read("pki/old/crls.jsonl");
    assert!(
        journal
            .lines()
            .nth(1)
            .unwrap()
            .contains("\"imported\":true"),
        "{journal}"
    );
}

/// A list of openssl in the place of ours is the predecessor of ours, and what it has stays.
#[test]
fn an_openssl_crl_in_our_place_is_followed_by_a_complete_one() {
    let sandbox = Sandbox::with_openssl_ca();
    sandbox.imported("--openssl old");
    fs::create_dir_all(sandbox.path("lists")).unwrap();
    sandbox
        .run(
            "openssl",
            "crl -in old/crl.pem -outform DER -out lists/old.crl",
        )
        .succeeds();
    sandbox.pki_old("crl --ca old --out lists").succeeds();
    let mut theirs = sandbox.entries("old/crl.pem");
    theirs.retain(|line| !line.contains("removeFromCRL"));
    assert_eq!(sandbox.entries("lists/old.crl"), theirs);
}

/// What `openssl ca` keeps has other names elsewhere.
#[test]
fn files_in_other_places_are_found_or_named() {
    let sandbox = Sandbox::with_openssl_ca();
    let moved = |from: &str, to: &str| {
        fs::create_dir_all(sandbox.path(to).parent().unwrap()).unwrap();
        fs::rename(sandbox.path(from), sandbox.path(to)).unwrap();
    };
    moved("old/cacert.pem", "old/certs/ca.cert.pem");
    moved("old/private/cakey.pem", "old/private/ca.key.pem");
    moved("old/crl.pem", "old/crl/ca.crl.pem");
    let dry = sandbox.imported("--dry-run --openssl old");
    assert_eq!(dry["old_list"]["file"], "old/crl/ca.crl.pem");
    moved("old/certs/ca.cert.pem", "the.crt");
    moved("old/private/ca.key.pem", "the.key");
    moved("old/crl/ca.crl.pem", "the.crl");
    moved("old/index.txt", "old/the.index");
    let beside = "--cert the.crt --key the.key --index old/the.index";
    let dry = sandbox.imported(&format!("--dry-run --openssl old {beside}"));
    assert_eq!(dry["old_list"]["file"], "the.crl");
    moved("the.crl", "old/root-ca.crl");
    let dry = sandbox.imported(&format!("--dry-run --openssl old {beside}"));
    assert_eq!(dry["old_list"]["file"], "old/root-ca.crl");
    moved("old/root-ca.crl", "the.list");
    let named = "--cert the.crt --key the.key --crl the.list --index old/the.index";
    let dry = sandbox.imported(&format!("--dry-run --openssl old {named}"));
    assert_eq!(dry["old_list"]["file"], "the.list");
    assert_eq!(dry["next_crl_number"], "17");
    moved("old", "work/demoCA");
    moved("the.crt", "work/demoCA/cacert.pem");
    moved("the.key", "work/demoCA/private/cakey.pem");
    moved("work/demoCA/the.index", "work/demoCA/index.txt");
    let report = sandbox.imported("--openssl work");
    assert_eq!(report["old_list"], json!(null));
    assert!(rules(&report, "warning").contains(&"old-list-missing".to_owned()));
}

/// The CA's certificate was renewed with the same key, and its file has both.
#[test]
fn of_two_certificates_of_the_key_the_one_in_force_is_taken() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    let new = sandbox.read("old/cacert.pem");
    let aside = CONFIGURATION.replace("dir = old", "dir = aside");
    sandbox.write(
        "aside.cnf",
        aside + "[self]\nbasicConstraints = critical, CA:TRUE\n",
    );
    fs::create_dir_all(sandbox.path("aside/newcerts")).unwrap();
    sandbox.write("aside/index.txt", "");
    sandbox.write("aside/serial", "01\n");
    sandbox
        .run("openssl", "req -new -key old/private/cakey.pem -out ca.csr")
        .arg("-subj")
        .arg("/O=Old/CN=Old CA")
        .arg("-passin")
        .arg(format!("pass:{OLD}"))
        .succeeds();
    for dates in [
        "-startdate 20200101000000Z -enddate 20210101000000Z",
        // It lasts longer, and is not valid yet.
        "-startdate 20900101000000Z -enddate 20950101000000Z",
    ] {
        sandbox
            .run("openssl", "ca -batch -config aside.cnf -selfsign -notext")
            .words("-keyfile old/private/cakey.pem -in ca.csr -extensions self -out other.pem")
            .words(dates)
            .arg("-passin")
            .arg(format!("pass:{OLD}"))
            .succeeds();
        let other = sandbox.read("other.pem");
        for both in [format!("{other}{new}"), format!("{new}{other}")] {
            sandbox.write("old/cacert.pem", both);
            let report = sandbox.imported("--openssl old --dry-run");
            let shown = sandbox
                .run("openssl", "x509 -noout -fingerprint -sha256")
                .stdin(new.as_bytes())
                .succeeds();
            let fingerprint = shown.stdout.split('=').nth(1).unwrap();
            assert_eq!(
                report["fingerprint_sha256"].as_str().unwrap(),
                fingerprint.trim().replace(':', "").to_lowercase()
            );
            assert!(rules(&report, "warning").contains(&"ca-certificate-twice".to_owned()));
        }
    }
}

/// It can be kept, and says what it can't do.
#[test]
fn an_expired_ca_or_one_without_crlsign_imports_with_warning() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox
        .run(
            "openssl",
            "req -x509 -key old/private/cakey.pem -days 9 -subj /CN=x",
        )
        .words("-addext keyUsage=critical,keyCertSign -out old/cacert.pem -passin")
        .arg(format!("pass:{OLD}"))
        .succeeds();
    let report = sandbox
        .pki_at("2040-01-01 00:00:00", "--format json import --openssl old")
        .words("--name old --passin env:OLD")
        .env("OLD", OLD)
        .succeeds()
        .json();
    let warnings = rules(&report, "warning");
    assert!(
        warnings.starts_with(&["ca-expired".into(), "ca-signs-no-lists".into()]),
        "{report}"
    );
    sandbox.pki("list --ca old").succeeds();
}

/// A subject with several values in one RDN, and none at all; with their certificates, and without.
#[test]
fn subjects_of_every_form_are_read() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.replace("old.cnf", "commonName = supplied", "commonName = optional");
    sandbox.request("many.csr", "/O=Example/CN=b+OU=a unit+serialNumber=7");
    sandbox.request("none.csr", "/");
    sandbox
        .old_ca("-notext -preserveDN -extensions server -infiles many.csr none.csr")
        .succeeds();
    let index = sandbox.read("old/index.txt");
    let subjects: Vec<&str> = index
        .lines()
        .map(|line| line.rsplit('\t').next().unwrap())
        .collect();
    assert!(
        subjects[0].contains('+') && subjects[1] == "1001",
        "{index}"
    );
    sandbox.imported("--openssl old");
    let subjects = |store: &str| {
        let line = format!("--format json list --store {store}");
        let listed = sandbox.pki(&line).succeeds().json();
        let entries = listed.as_array().unwrap().iter();
        entries
            .map(|entry| entry["subject"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let read = subjects("pki");
    assert_eq!(read[1], "");
    for serial in ["1000", "1001"] {
        fs::remove_file(sandbox.path(format!("old/newcerts/{serial}.pem"))).unwrap();
    }
    sandbox
        .import("--openssl old --partial --store without")
        .succeeds();
    assert_eq!(subjects("without"), read);
}

/// Without a folder `newcerts`, certificates are looked for among others, by their names.
#[test]
fn certificates_beside_others_are_found_by_their_serial_numbers() {
    let sandbox = Sandbox::with_openssl_ca();
    fs::rename(sandbox.path("old/newcerts"), sandbox.path("old/certs")).unwrap();
    sandbox
        .run("cp", "old/cacert.pem old/certs/ca.pem")
        .succeeds();
    sandbox.write("old/certs/notes.pem", "of somebody");
    let report = sandbox.imported("--openssl old");
    assert_eq!(report["certificates"]["without_certificate"], 0);
}

/// What one of no profile of ours is for stays as it was; where nothing says what, nothing is guessed.
#[test]
fn an_imported_certificate_is_renewed_as_it_is() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.replace(
        "old.cnf",
        "[other]\n",
        "[other]\nkeyUsage = digitalSignature, keyEncipherment\nsubjectAltName = email:a@example.test\n",
    );
    sandbox.request("0.csr", "/O=Example/CN=leaf");
    for options in ["-extensions other", ""] {
        sandbox
            .old_ca(&format!("-notext {options} -infiles 0.csr"))
            .succeeds();
    }
    sandbox.imported("--openssl old");
    sandbox
        .pki_old("renew --ca old --serial 0x1000 --out out --name new")
        .succeeds();
    let said = |file: &str| {
        let line = "x509 -noout -subject -pubkey -ext keyUsage,extendedKeyUsage,subjectAltName -in";
        let text = sandbox.run("openssl", line).arg(file).succeeds().stdout;
        text.replace("critical", "")
    };
    assert_same(&said("out/new.crt"), &said("old/newcerts/1000.pem"));
    sandbox
        .run(
            "openssl",
            "verify -x509_strict -purpose smimesign -CAfile old/cacert.pem out/new.crt",
        )
        .succeeds();
    sandbox.pki_old("renew --ca old --serial 0x1001").refuses(
        1,
        "renewal-without-purpose",
        expect![[r#"
            error: certificate 1001 of old was imported and has no extended key usage
            hint: issue one with a purpose: `pki issue --ca old --profile PROFILE`; `pki show --ca old --serial 0x1001` shows the names
        "#]],
    );
}

/// A root came into the store without its key, above a CA of which it was given: it is not there twice, and
/// what it revoked counts.
#[test]
fn a_root_that_is_there_without_its_key_gets_it() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    let configuration = sandbox.read("old.cnf");
    sandbox.write(
        "old.cnf",
        configuration
            + "[ca-below]\nbasicConstraints = critical, CA:TRUE\n"
            + "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n",
    );
    sandbox
        .pki("subordinate --name sub --request sub.csr --no-passphrase")
        .succeeds();
    sandbox
        .old_ca("-notext -extensions ca-below -in sub.csr -out sub.crt")
        .succeeds();
    sandbox
        .pki("subordinate --name sub --install sub.crt --chain old/cacert.pem")
        .succeeds();
    sandbox.refused(
        sandbox.import("--openssl old"),
        1,
        "ca-exists-without-key",
        expect![[r#"
            error: the CA is already in the store, without its key: Old-CA
            hint: --name Old-CA gives it its key
        "#]],
    );
    sandbox.old_ca("-revoke old/newcerts/1000.pem").succeeds();
    let named = |line: &str| {
        sandbox
            .pki("import --name Old-CA --openssl old --passin env:OLD")
            .env("OLD", OLD)
            .words(line)
    };
    let before = sandbox.store_snapshot();
    named("--dry-run").succeeds();
    before.assert_unchanged(&sandbox.path("pki"));
    named("").succeeds();
    let tree = sandbox.pki("tree").succeeds();
    assert_text(
        &normalised(&tree.stdout),
        expect![[r#"
            Old-CA  CN=Old CA,O=Old  (p256, until [time])
            └─ sub  CN=sub  (p256, until [time])
        "#]],
    );
    let refused = sandbox.pki("issue --ca sub --cn new").ends_with(1);
    assert!(refused.stderr.contains("revoked"), "{refused}");
    sandbox.pki_old("issue --ca Old-CA --cn new").succeeds();
    sandbox.pki_old("crl --ca Old-CA").succeeds();
    assert_eq!(sandbox.entries("pki/crl/Old-CA.crl").len(), 1);
    assert!(!exists(&sandbox, "pki/.new-Old-CA"));
    // It has its key now.
    sandbox.refused(
        named(""),
        1,
        "ca-exists",
        expect![[r#"
            error: CA Old-CA already exists in the store
            hint: choose another name with --name
        "#]],
    );
}

/// The certificate that the root had before is that of the same root.
#[test]
fn a_subordinate_is_imported_below_its_renewed_root() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    fs::copy(sandbox.path("pki/rootCA/ca.crt"), sandbox.path("first.crt")).unwrap();
    sandbox.pki("ca renew --ca rootCA").succeeds();
    sandbox
        .run("openssl", "req -new -key old/private/cakey.pem -out ca.csr")
        .arg("-subj")
        .arg("/O=Old/CN=Old CA")
        .arg("-passin")
        .arg(format!("pass:{OLD}"))
        .succeeds();
    sandbox
        .pki("subordinate --ca rootCA --csr ca.csr --out sub.crt")
        .succeeds();
    fs::rename(sandbox.path("sub.crt"), sandbox.path("old/cacert.pem")).unwrap();
    let report = sandbox.imported("--openssl old --chain first.crt");
    assert_eq!(
        (&report["parent"], &report["added"]),
        (&json!("rootCA"), &json!([]))
    );
    sandbox
        .pki_old("issue --ca old --cn new --out out --no-passphrase")
        .succeeds();
    sandbox.pki("verify out/new.crt").succeeds();
}

/// A CA below another one: its parent is in the store, or comes with it.
#[test]
fn a_subordinate_finds_its_parent_or_is_given_it() {
    let sandbox = Sandbox::with_empty_openssl_ca();
    sandbox.pki("root --name rootCA --no-passphrase").succeeds();
    sandbox
        .run(
            "openssl",
            "req -new -key old/private/cakey.pem -out ca.csr -subj",
        )
        .arg("/O=Old/CN=Old CA")
        .arg("-passin")
        .arg(format!("pass:{OLD}"))
        .succeeds();
    sandbox
        .pki("subordinate --ca rootCA --csr ca.csr --out sub.crt")
        .succeeds();
    fs::rename(sandbox.path("sub.crt"), sandbox.path("old/cacert.pem")).unwrap();
    let report = sandbox.imported("--openssl old");
    assert_eq!(
        (&report["parent"], &report["added"]),
        (&json!("rootCA"), &json!([]))
    );
    sandbox
        .pki_old("issue --ca old --cn new --out out --no-passphrase")
        .succeeds();
    sandbox
        .run(
            "openssl",
            "verify -x509_strict -CAfile pki/rootCA/ca.crt -untrusted",
        )
        .words("out/new.chain.pem out/new.crt")
        .succeeds();

    let elsewhere = |line: &str| sandbox.import(line).words("--store elsewhere");
    elsewhere("--openssl old").refuses(
        1,
        "install-path-invalid",
        expect![[r#"
            error: old/cacert.pem cannot be installed as old
            caused by: the issuer of CN=Old CA,O=Old is missing: CN=rootCA
            hint: give the certificates of its issuing CAs, up to the root, with --chain
        "#]],
    );
    assert!(!exists(&sandbox, "elsewhere"));
    elsewhere("--openssl old --chain pki/rootCA/ca.crt").succeeds();
    let tree = sandbox.pki("--store elsewhere tree").succeeds();
    assert_text(
        &normalised(&tree.stdout),
        expect![[r#"
            rootCA  CN=rootCA  (p256, until [time], key not in this store)
            └─ old  CN=Old CA,O=Old  (p256, until [time])
        "#]],
    );
}

crate::engine::also_in_a_database! {
    an_import_says_what_it_did_and_a_dry_run_what_it_would_do,
    an_expired_ca_or_one_without_crlsign_imports_with_warning,
    certificates_beside_others_are_found_by_their_serial_numbers, an_imported_certificate_is_renewed_as_it_is,
    a_subordinate_is_imported_below_its_renewed_root, a_subordinate_finds_its_parent_or_is_given_it,
}

crate::engine::soak_in_a_database! {
    a_ca_of_openssl_is_taken_over, verifiers_see_no_difference_between_the_lists,
    what_is_issued_afterwards_has_numbers_above_all_and_verifies, every_certificate_is_in_the_store,
    what_is_there_is_not_imported_again, the_first_list_goes_on_from_the_old_one,
    an_openssl_crl_in_our_place_is_followed_by_a_complete_one, files_in_other_places_are_found_or_named,
    subjects_of_every_form_are_read, a_root_that_is_there_without_its_key_gets_it,
}
